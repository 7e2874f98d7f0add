use resilient::resilient;

type Found<'a> = Result<&'a str, String>;

#[resilient(fallback = last_known("10m"))]
fn find(name: &str) -> Found<'_> {
    Ok(name)
}

#[derive(Clone)]
struct Part<'a>(#[expect(dead_code)] &'a str);

#[expect(mismatched_lifetime_syntaxes, reason = "it is what is tried")]
#[resilient(fallback = last_known("10m"))]
fn part(name: &str) -> Result<Part, String> {
    Ok(Part(name))
}

fn main() {}
