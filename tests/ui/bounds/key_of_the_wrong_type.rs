use resilient::resilient;

#[resilient(breaker = "partner", key = share)]
fn by_float(share: f64) -> std::io::Result<()> {
    Ok(())
}

struct Tenant(u32);

#[resilient(breaker = "partner", key = tenant)]
async fn by_own_type(tenant: Tenant) -> std::io::Result<()> {
    Ok(())
}

#[resilient(breaker = "partner", key = *tenant)]
fn by_thread(tenant: &std::rc::Rc<str>) -> std::io::Result<()> {
    Ok(())
}

fn main() {}
