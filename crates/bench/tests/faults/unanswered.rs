//! Calls that a client gives up before it has their answers.

use aws_smithy_runtime_api::client::{
    http::{
        HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
        SharedHttpConnector,
    },
    orchestrator::HttpRequest,
    runtime_components::RuntimeComponents,
};
use sbe_aws::clients::Clients;
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

/// How many calls have begun and are not answered: when all is done, those that were given up.
#[derive(Debug, Clone, Default)]
pub(crate) struct Unanswered(Arc<AtomicUsize>);

impl Unanswered {
    pub(crate) fn count(&self) -> usize {
        self.0.load(Relaxed)
    }

    /// The same clients, whose calls are counted.
    pub(crate) fn watch(&self, clients: &Clients) -> Clients {
        let unanswered = self.clone();
        clients.through(|inner| SharedHttpClient::new(Watched { inner, unanswered }))
    }
}

#[derive(Debug)]
struct Watched<T> {
    inner: T,
    unanswered: Unanswered,
}

impl HttpClient for Watched<SharedHttpClient> {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(Watched { inner, unanswered: self.unanswered.clone() })
    }
}

impl HttpConnector for Watched<SharedHttpConnector> {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (call, Unanswered(count)) = (self.inner.call(request), self.unanswered.clone());
        count.fetch_add(1, Relaxed);
        HttpConnectorFuture::new(async move {
            let answer = call.await;
            count.fetch_sub(1, Relaxed);
            answer
        })
    }
}
