//! Serves the page, the browser client and the example backend.

use crate::{
    cost,
    example::{self, Backend},
    unreached, web,
};
use anyhow::{Context, Result};
use axum::{
    Router,
    http::{HeaderValue, header},
};
use sbe_client::Stack;
use tokio::net::TcpListener;
use tower_http::{services::ServeDir, set_header::SetResponseHeaderLayer};

/// The page's server: it is bound first, so that its URL is known, and serves when there is a system.
pub struct Demo {
    /// The page.
    pub url: String,
    listener: TcpListener,
}

impl Demo {
    /// Takes `port` of the loopback interface, or a free one for 0.
    pub async fn bind(port: u16) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.with_context(|| {
            format!(
                "port {port} is in use; choose another one for the page with --demo-port, or 0 for a free one"
            )
        })?;
        let url = format!("http://localhost:{}/", listener.local_addr()?.port());
        Ok(Self { url, listener })
    }

    /// Serves until the program ends.
    pub fn serve(self, stack: &Stack) {
        // Browsers ask each time whether a file has changed.
        let fresh = HeaderValue::from_static("no-cache");
        let router = Router::new()
            .merge(example::routes(Backend::new(stack)))
            .merge(unreached::routes(stack))
            .merge(cost::routes())
            .nest_service("/client", ServeDir::new(web::client()))
            .fallback_service(ServeDir::new(web::page()))
            .layer(SetResponseHeaderLayer::if_not_present(header::CACHE_CONTROL, fresh));
        tokio::spawn(async move { axum::serve(self.listener, router).await });
    }
}
