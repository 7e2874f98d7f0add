//! What clients ask for, and how much of it they may ask.

use crate::problem::Problem;
use crate::shop::Shop;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Json, Router};
use resilient::tower::PolicyLayer;
use resilient::{ConfigError, Policy, Rate, Verdict};
use serde::Serialize;
use std::convert::Infallible;
use std::time::Duration;

#[derive(Serialize)]
struct Product {
    id: u32,
    cents: u64,
    units: Option<u32>,
}

/// Who would have to wait is refused at once. The deadline holds for the functions that are called for a request as well.
pub(crate) fn guard() -> Result<Policy, ConfigError> {
    Policy::builder()
        .name("clients")
        .bucket("clients")
        .rate(Rate::per_second(100).burst(50))
        .bulkhead("clients")
        .concurrency(64)
        .max_wait(Duration::ZERO)
        .deadline(Duration::from_secs(10))
        .build()
}

pub(crate) fn router(shop: Shop, guard: Policy) -> Router {
    let guard = PolicyLayer::new(guard)
        .once()
        .classify(|_: &Result<Response, Infallible>| Verdict::Success) // the shop's failures are the shop's, not the clients'
        .refuse_with(|rejected| Ok(rejected.into_response()));
    Router::new().route("/products/{id}", get(product).layer(guard)).route("/health", get(health)).with_state(shop)
}

async fn product(State(shop): State<Shop>, Path(id): Path<u32>) -> Result<Json<Product>, Problem> {
    let (cents, units) = tokio::try_join!(shop.price(id), shop.stock(id))?;
    Ok(Json(Product { id, cents, units }))
}

async fn health() -> Json<serde_json::Value> {
    let state = |name| format!("{:?}", resilient::breaker(name).state());
    Json(serde_json::json!({ "prices": state("prices"), "stock": state("stock") }))
}
