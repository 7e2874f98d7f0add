#[resilient(timeout = "1s", context = cx)]
async fn moves(order: String) -> std::io::Result<(String, u32)> {
Ok((order, cx.attempt()))
}
