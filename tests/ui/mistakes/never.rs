use resilient::resilient;

#[resilient(rate = 2, max_wait = none)]
fn call() -> ! {
    loop {}
}

fn main() {}
