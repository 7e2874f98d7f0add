#[resilient(fallback = |failure| match failure {
resilient::Failure::Error(error) => Err(format!("{error}!")),
_ => Err(name),
})]
fn only_fallback(name: String) -> Result<u32, String> {
Err(name.clone())
}
