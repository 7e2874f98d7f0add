use resilient::Policy;
use resilient::tower::{BoxError, PolicyLayer};
use tower::{Layer as _, Service, service_fn};

async fn send(_request: u8) -> Result<String, BoxError> {
    Ok(String::new())
}

fn serve(_service: impl Service<u8>) {}

fn main() {
    let policy = Policy::builder().retries(3).build().unwrap();
    serve(PolicyLayer::new(policy).layer(service_fn(send)));
}
