//! `context` in an edition-strict crate, with lints that emitted code must not trip.
#![deny(warnings, unused, clippy::all)]

use resilient::{Context, resilient};

fn header<E>(cx: &Context<E>) -> String {
    format!("Idempotency-Key: {}", cx.idempotency_key())
}

#[resilient(retries = 3, context = cx, clone(order), deadline = "1s")]
async fn submit(order: String) -> std::io::Result<String> {
    drop(order);
    Ok(header(cx))
}

#[resilient(breaker = "once", context = cx)]
fn once() -> std::io::Result<String> {
    let previous: Option<&std::io::Error> = cx.previous_error();
    Ok(format!("{} {previous:?}", header(cx)))
}

#[resilient(timeout = "1s", context = cx)]
async fn moves(order: String) -> std::io::Result<(String, u32)> {
    Ok((order, cx.attempt()))
}

#[resilient(retries = 3, context = _cx)]
fn unused() -> Result<(), String> {
    Ok(())
}

mod plain {
    #![no_implicit_prelude]

    #[::resilient::resilient(retries = 1, context = r#fn)]
    pub fn raw() -> ::std::result::Result<u32, ()> {
        ::std::result::Result::Ok(r#fn.attempt())
    }
}

fn main() {
    drop((submit(String::new()), moves(String::new()), once(), unused(), plain::raw()));
}
