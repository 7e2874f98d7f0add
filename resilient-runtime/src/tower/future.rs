use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

/// The response that a [`PolicyService`](super::PolicyService) will have. Dropping it ends the call.
#[must_use = "futures do nothing unless polled"]
pub struct ResponseFuture<T, E>(pub(super) Pin<Box<dyn Future<Output = Result<T, E>> + Send>>);

/// The same where something is not `Send`.
#[must_use = "futures do nothing unless polled"]
pub struct LocalResponseFuture<T, E>(pub(super) Pin<Box<dyn Future<Output = Result<T, E>>>>);

impl<T, E> Future for ResponseFuture<T, E> {
    type Output = Result<T, E>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(context)
    }
}

impl<T, E> Future for LocalResponseFuture<T, E> {
    type Output = Result<T, E>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(context)
    }
}

impl<T, E> fmt::Debug for ResponseFuture<T, E> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}

impl<T, E> fmt::Debug for LocalResponseFuture<T, E> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("LocalResponseFuture").finish_non_exhaustive()
    }
}
