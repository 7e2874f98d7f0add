use resilient::Policy;
use resilient::tower::{BoxError, PolicyLayer};
use tower::{Layer as _, Service, service_fn};

struct Upload;

async fn send(_upload: Upload) -> Result<http::Response<()>, BoxError> {
    Ok(http::Response::new(()))
}

fn serve(_service: impl Service<Upload>) {}

fn main() {
    let policy = Policy::builder().retries(3).build().unwrap();
    serve(PolicyLayer::new(policy).layer(service_fn(send)));
}
