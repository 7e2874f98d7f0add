use resilient::resilient;
use std::cell::Cell;

#[resilient(retries = 3, context = cx)]
async fn load() -> Result<u32, Cell<u8>> {
    std::future::ready(()).await;
    Ok(cx.attempt())
}

#[resilient(retries = 3, context = cx)]
async fn save() -> Result<u32, Cell<u8>> {
    std::future::ready(()).await;
    Ok(cx.previous_error().map_or(1, |_| 2))
}

fn main() {
    fn is_send(_: impl Send) {}
    is_send(load());
    is_send(save());
}
