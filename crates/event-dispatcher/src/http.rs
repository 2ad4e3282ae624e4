//! The `/notify` routes.

use crate::{
    App,
    dispatch::Times,
    publish::{self, Body},
};
use sbe_aws::{retry::Deadline, time};
use sbe_core::{
    Invalid,
    id::{AccountId, SessionId, UserId},
    message::{MAX_MESSAGE_BYTES, object_of_strings},
    stages::Source,
    target::Target,
};
use sbe_edge::{
    ApiError, HTTP_TIME, Method, Parameters, Reply, Request, Route, Trail,
    route::{self, GET_AND_POST},
};

/// The routes of this function. All publish; their paths say to whom.
pub const ROUTES: &[Route<()>] = &[
    notify("/notify"),
    notify("/notify/{accountId}"),
    notify("/notify/{accountId}/session/{sessionId}"),
    notify("/notify/{accountId}/user/{userId}"),
    notify("/notify/{accountId}/user/{userId}/session/{sessionId}"),
];

const fn notify(resource: &'static str) -> Route<()> {
    Route { methods: GET_AND_POST, resource, query: Parameters::Fields, action: () }
}

/// Publishes the message of a request: a GET's query parameters, or a POST's body.
pub(crate) async fn answer(
    app: &App,
    request: &Request,
    trail: Trail<'_>,
    deadline: Deadline,
) -> Result<Reply, ApiError> {
    route::action(ROUTES, request)?;
    let path = Target {
        account: request.has_path(AccountId::FIELD).then(|| request.account()).transpose()?,
        user: request.has_path(UserId::FIELD).then(|| request.user()).transpose()?,
        session: request.has_path(SessionId::FIELD).then(|| request.session()).transpose()?,
    };
    let text = if request.method() == Method::Post.name() {
        request.body()?
    } else {
        object_of_strings(request.query_all()?).into_bytes()
    };
    let body = Body::parse(&text)?;
    let now = time::now();
    let read = publish::read(&body.texts(), &path, app.config.broadcasts, &now.0.to_string(), now);
    publish::tell(trail, Source::Http, &read);
    let is_list = matches!(body, Body::Many(_));
    if let (false, [Err(refused)]) = (is_list, &read[..]) {
        return Err(refusal(&text, refused.reason.clone()));
    }
    let (mut fates, error) =
        publish::publish(app, trail, read, Times::of_call(deadline.at_most(HTTP_TIME))).await;
    let json = match error {
        // In a list each message has its own fate.
        _ if is_list => publish::list_json(fates),
        Some(error) => return Err(error.into()),
        None => serde_json::to_string(&fates.remove(0)),
    };
    json.map(Reply).map_err(|error| ApiError::Internal(error.to_string()))
}

fn refusal(text: &[u8], reason: Invalid) -> ApiError {
    if text.len() > MAX_MESSAGE_BYTES { ApiError::TooLarge(reason) } else { ApiError::Invalid(reason) }
}
