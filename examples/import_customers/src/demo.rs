//! An API that fails on purpose, for those who have none at hand.

use crate::error::ImportError;
use flaky_server::{Answer, FlakyServer, Request};
use reqwest::Url;
use reqwest::header::HeaderValue;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

const CUSTOMERS: u32 = 437;
const PAGE: u32 = 25;

pub(crate) struct Demo(FlakyServer);

impl Demo {
    pub(crate) fn start() -> Result<Self, ImportError> {
        let wrong = |error| ImportError::Settings(format!("the demonstration's server: {error}"));
        let server = FlakyServer::start().map_err(wrong)?;
        let requests = AtomicU32::new(0);
        let answer = move |request: &Request| fault(requests.fetch_add(1, Ordering::Relaxed)).unwrap_or_else(|| page(request));
        server.respond("/customers", answer).map_err(wrong)?;
        Ok(Self(server))
    }

    pub(crate) fn url(&self) -> Result<Url, ImportError> {
        let wrong = |error| ImportError::Settings(format!("the demonstration's address: {error}"));
        Url::parse(&self.0.url("/customers")).map_err(wrong)
    }
}

/// The demonstration lets everybody in.
pub(crate) fn key() -> HeaderValue {
    HeaderValue::from_static("Bearer demonstration")
}

fn fault(request: u32) -> Option<Answer> {
    match request {
        2 => Some(Answer::status(503)),
        4 => Some(Answer::reset_before()),
        5 => Some(Answer::drop_mid_body()),
        8 => Some(Answer::throttled(Duration::from_secs(1))),
        12..=16 => Some(Answer::status(500)),
        _ => None,
    }
}

fn page(request: &Request) -> Answer {
    let after: u32 = request.parameter("after").and_then(|after| after.parse().ok()).unwrap_or(0);
    let last = (after + PAGE).min(CUSTOMERS);
    let customers: Vec<String> = (after + 1..=last).map(customer).collect();
    let next = if last < CUSTOMERS { format!("\"{last}\"") } else { "null".to_owned() };
    let body = format!(r#"{{"customers":[{}],"next":{next},"total":{CUSTOMERS}}}"#, customers.join(","));
    Answer::json(200, body).after(Duration::from_millis(40))
}

/// Mostly as documented, as everywhere.
fn customer(id: u32) -> String {
    match id {
        17 => format!(r#"{{"id":"{id}","name":null,"orders":"3"}}"#),
        101 => format!(r#"{{"id":{id},"name":"Kerstin","balance":"a lot"}}"#),
        230 => format!(r#"{{"id":{id},"name":["first","last"]}}"#),
        _ => format!(
            r#"{{"id":{id},"name":"Customer {id}","email":"c{id}@example.com","country":"DE","orders":{},"balance":"{}.50"}}"#,
            id % 9,
            id % 100
        ),
    }
}
