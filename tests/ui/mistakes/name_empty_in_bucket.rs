use resilient::resilient;

#[resilient(bucket(name = ""), bulkhead(name = " "))]
fn call() -> std::io::Result<()> {
    Ok(())
}

fn main() {}
