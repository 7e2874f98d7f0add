//! What a client is told when a product cannot be shown.

use crate::shop::ShopError;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use resilient::StatusError;
use std::time::Duration;

pub(crate) struct Problem(ShopError);

impl From<ShopError> for Problem {
    fn from(error: ShopError) -> Self {
        Self(error)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        match self.0 {
            ShopError::Rejected(rejected) => rejected.into_response(),
            ShopError::NoSuchProduct => problem(StatusCode::NOT_FOUND, "There is no such product.", None),
            ShopError::Status(error) => answer(&error),
            ShopError::Transport(error) => {
                tracing::error!("the shop cannot be understood: {error}");
                problem(StatusCode::BAD_GATEWAY, "The shop cannot be understood.", None)
            }
        }
    }
}

/// If the shop says when to come back, the client shall know as well. Anything else is between the shop and us.
fn answer(error: &StatusError) -> Response {
    tracing::error!("the shop answers {error}");
    match (error.status(), error.retry_after()) {
        (status @ (StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE), hint @ Some(_)) => {
            problem(status, "The shop is busy.", hint)
        }
        _ => problem(StatusCode::BAD_GATEWAY, "The shop is out of order.", None),
    }
}

fn problem(status: StatusCode, detail: &str, retry_after: Option<Duration>) -> Response {
    let title = status.canonical_reason();
    let body = serde_json::json!({ "title": title, "status": status.as_u16(), "detail": detail });
    let mut response = (status, [(header::CONTENT_TYPE, "application/problem+json")], body.to_string()).into_response();
    if let Some(wait) = retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, whole_seconds(wait).into());
    }
    response
}

fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}
