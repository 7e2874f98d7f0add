#[resilient(breaker = "once", context = cx)]
fn once() -> std::io::Result<String> {
let previous: Option<&std::io::Error> = cx.previous_error();
Ok(format!("{} {previous:?}", header(cx)))
}
