use resilient::resilient;
use std::borrow::Cow;
use std::io;

struct Error<'e>(#[expect(dead_code)] &'e str);

#[resilient(fallback = last_known("10m"))]
fn borrowed<'a>(name: &'a str) -> Result<&'a str, io::Error> {
    Ok(name)
}

#[resilient(fallback = last_known("10m"))]
async fn part(name: &str) -> io::Result<Option<Cow<'_, str>>> {
    Ok(Some(name.into()))
}

#[resilient(fallback = last_known("10m"))]
fn only_the_error<'a>(name: &'a str) -> Result<&'static str, Error<'a>> {
    Err(Error(name))
}

fn main() {}
