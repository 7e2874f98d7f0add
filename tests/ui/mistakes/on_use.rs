use resilient::resilient;

#[resilient(retries = 3)]
pub use std::fmt;

fn main() {}
