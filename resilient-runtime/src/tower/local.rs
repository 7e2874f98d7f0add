use super::future::LocalResponseFuture;
use super::layer::PolicyLayer;
use super::refusals::Refuse;
use super::requests::CloneRequest;
use super::service::PolicyService;
use super::verdicts::ClassifyOutcome;
use std::task::{Context, Poll};
use tower_layer::Layer;
use tower_service::Service;

/// A [`PolicyLayer`] or [`PolicyService`] for what stays on its thread, made by [`PolicyLayer::local`].
#[derive(Clone, Debug)]
pub struct Local<T>(pub(super) T);

impl<T> Local<T> {
    /// The layer or service.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<S, C: Clone, V: Clone, R: Clone> Layer<S> for Local<PolicyLayer<C, V, R>> {
    type Service = Local<PolicyService<S, C, V, R>>;

    fn layer(&self, inner: S) -> Self::Service {
        Local(self.0.layer(inner))
    }
}

impl<S, Request, C, V, R> Service<Request> for Local<PolicyService<S, C, V, R>>
where
    S: Service<Request> + Clone + 'static,
    Request: 'static,
    C: CloneRequest<Request> + Clone + 'static,
    V: ClassifyOutcome<S::Response, S::Error> + Clone + 'static,
    R: Refuse<S::Response, S::Error> + Clone + 'static,
{
    type Response = S::Response;
    type Error = R::Error;
    type Future = LocalResponseFuture<S::Response, R::Error>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        LocalResponseFuture(Box::pin(self.0.start(request)))
    }
}
