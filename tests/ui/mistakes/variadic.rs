use resilient::resilient;

#[resilient(retries = 3)]
unsafe extern "C" fn call(first: u32, ...) -> u32 {
    first
}

fn main() {}
