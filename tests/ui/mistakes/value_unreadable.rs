use resilient::{Classify, Rejected, resilient};
use std::time::Duration;

#[resilient(retries = 1, clone = +)]
fn call(order: Vec<u8>) -> Result<(), Rejected> {
    drop(order);
    Ok(())
}

#[derive(Debug, Classify)]
enum Failure {
    #[transient(retry_after = +)]
    Lost { wait: Duration },
}

fn main() {}
