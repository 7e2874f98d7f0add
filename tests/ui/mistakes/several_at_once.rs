use resilient::resilient;

#[resilient(retrys = 3, timout = "2s", deadline = "5 sec", rate = 0)]
async fn call() -> Result<u32, std::io::Error> {
    Ok(1)
}

fn goes_on() {
    let _ = call();
}

fn main() {}
