//! An API to try `apifetch` with: ten pages of orders, now and then busy or broken.

use flaky_server::{Answer, FlakyServer, Request};
use std::io;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

const PAGES: u32 = 10;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = FlakyServer::start()?;
    let requests = AtomicU32::new(0);
    let answer = move |request: &Request| fault(requests.fetch_add(1, Ordering::Relaxed)).unwrap_or_else(|| page(request));
    server.respond("/orders", answer)?;
    println!("{}", server.url("/orders"));
    println!("Enter stops it.");
    io::stdin().read_line(&mut String::new())?;
    Ok(())
}

fn fault(request: u32) -> Option<Answer> {
    match request % 14 {
        2 => Some(Answer::status(503)),
        5 => Some(Answer::throttled(Duration::from_secs(1))),
        8 => Some(Answer::drop_mid_body()),
        _ => None,
    }
}

/// By cursor, a third of a second each.
fn page(request: &Request) -> Answer {
    let page = request.parameter("cursor").and_then(|cursor| cursor.parse().ok()).unwrap_or(0);
    let order = |number: u32| format!(r#"{{"order":{number},"customer":"Customer {}","total":"{}.90"}}"#, number % 7, number % 90);
    let orders: Vec<String> = (page * 20 + 1..=page * 20 + 20).map(order).collect();
    let next = if page + 1 < PAGES { format!("\"{}\"", page + 1) } else { "null".to_owned() };
    let body = format!(r#"{{"orders":[{}],"next":{next}}}"#, orders.join(","));
    Answer::json(200, body).after(Duration::from_millis(300))
}
