#[resilient(retries = 3, context = cx, clone(order), deadline = "1s")]
async fn submit(order: String) -> std::io::Result<String> {
drop(order);
Ok(header(cx))
}
