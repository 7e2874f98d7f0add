use resilient::resilient;

#[resilient(rate = 5, bucket(name = "partner", rate = 3), concurrency = 2, bulkhead(concurrency = 3))]
fn call() -> std::io::Result<()> {
    Ok(())
}

#[resilient(bucket(name = "partner", rate = 3, burst = 2), burst = 5)]
fn other() -> std::io::Result<()> {
    Ok(())
}

fn main() {}
