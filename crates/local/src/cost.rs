//! The page's calculator: POST `/api/cost` takes a scenario and answers its estimate, or what is wrong with it; GET
//! `/api/prices` answers `docs/prices.json`.

use axum::{
    Json, Router,
    http::StatusCode,
    routing::{get, post},
};
use sbe_cost::{Estimate, Prices, Scenario, estimate};

/// The route of the calculator.
pub fn routes() -> Router {
    Router::new().route("/api/cost", post(cost)).route("/api/prices", get(prices))
}

async fn cost(Json(scenario): Json<Scenario>) -> Result<Json<Estimate>, (StatusCode, String)> {
    estimate(&scenario, Prices::current()).map(Json).map_err(|rule| (StatusCode::BAD_REQUEST, rule))
}

async fn prices() -> Json<&'static Prices> {
    Json(Prices::current())
}
