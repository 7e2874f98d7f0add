use resilient::resilient;

#[derive(Debug)]
pub enum Failed {
    Refused,
}

fn from_text(_: String) -> Failed {
    Failed::Refused
}

fn to_text(_: resilient::Rejected) -> String {
    String::new()
}

#[resilient(breaker = "payments", map_err = from_text)]
fn wrong_argument() -> Result<u32, Failed> {
    Ok(1)
}

#[resilient(breaker = "payments", map_err = to_text)]
fn wrong_return() -> Result<u32, Failed> {
    Ok(1)
}

#[resilient(breaker = "payments", map_err = missing)]
fn wrong_path() -> Result<u32, Failed> {
    Ok(1)
}

#[resilient(breaker = "payments", map_err = |rejected| rejected.to_string())]
fn wrong_closure() -> Result<u32, Failed> {
    Ok(1)
}

fn main() {}
