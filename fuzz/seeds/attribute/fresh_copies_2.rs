#[resilient(retries = 1, base_delay = "1ms", timeout = "1s", clone(order), fallback = |failure| match failure {
Failure::Error(Refused) => later(order).await,
_ => Err(Refused),
})]
async fn cloned_and_given_back_async(order: Order) -> Result<u32, Refused> {
consume(order);
Err(Refused)
}
