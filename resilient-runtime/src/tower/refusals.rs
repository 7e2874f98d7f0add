//! What a caller gets when the policy refuses.

use super::BoxError;
use crate::rejected::Rejected;

/// Turns a refusal into what the service returns: [`Boxed`], or a closure as
/// [`PolicyLayer::refuse_with`](super::PolicyLayer::refuse_with) takes it.
pub trait Refuse<Response, Inner> {
    /// The error of the service with its policy.
    type Error;

    /// The service's own error.
    fn error(&self, error: Inner) -> Self::Error;

    /// What is returned for a refusal.
    ///
    /// # Errors
    ///
    /// The refusal, unless a response stands for it.
    fn refuse(&self, rejected: Rejected) -> Result<Response, Self::Error>;
}

impl<Response, Inner, F: Fn(Rejected) -> Result<Response, Inner>> Refuse<Response, Inner> for F {
    type Error = Inner;

    fn error(&self, error: Inner) -> Inner {
        error
    }

    fn refuse(&self, rejected: Rejected) -> Result<Response, Inner> {
        self(rejected)
    }
}

/// A refusal and the service's own errors are boxed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Boxed;

impl<Response, Inner: Into<BoxError>> Refuse<Response, Inner> for Boxed {
    type Error = BoxError;

    fn error(&self, error: Inner) -> BoxError {
        error.into()
    }

    fn refuse(&self, rejected: Rejected) -> Result<Response, BoxError> {
        Err(rejected.into())
    }
}
