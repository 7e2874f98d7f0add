//! Where the request of the next attempt comes from.

/// Makes the request of a further attempt: [`Cloned`], [`Once`], or a closure as
/// [`PolicyLayer::clone_request`](super::PolicyLayer::clone_request) takes it.
#[diagnostic::on_unimplemented(
    message = "`{Request}` cannot be sent again",
    label = "there is no second `{Request}` for a second attempt",
    note = "say that each request runs once: `PolicyLayer::once()`",
    note = "or how to make another: `PolicyLayer::clone_request(|request| …)`"
)]
pub trait CloneRequest<Request> {
    /// Another request like this one; `None` if this one cannot be sent again.
    fn clone_request(&self, request: &Request) -> Option<Request>;
}

impl<Request, F: Fn(&Request) -> Option<Request>> CloneRequest<Request> for F {
    fn clone_request(&self, request: &Request) -> Option<Request> {
        self(request)
    }
}

/// Requests are `Clone`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cloned;

#[diagnostic::do_not_recommend]
impl<Request: Clone> CloneRequest<Request> for Cloned {
    fn clone_request(&self, request: &Request) -> Option<Request> {
        Some(request.clone())
    }
}

/// Requests are never sent again.
#[derive(Clone, Copy, Debug, Default)]
pub struct Once;

impl<Request> CloneRequest<Request> for Once {
    fn clone_request(&self, _request: &Request) -> Option<Request> {
        None
    }
}
