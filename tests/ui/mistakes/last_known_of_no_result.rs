use resilient::resilient;

#[resilient(breaker = "known", fallback = last_known("10m"))]
fn pair() -> (u32, u32) {
    (1, 2)
}

#[resilient(breaker = "known", fallback = last_known("10m"))]
fn nothing() {}

fn main() {}
