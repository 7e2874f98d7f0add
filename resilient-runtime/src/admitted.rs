//! An attempt that nothing refuses, where a script may want something else than the body.

use crate::call::Call;
use crate::polling::Attempt;
use crate::rejected::Rejected;
use crate::script::Ticket;
use pin_project_lite::pin_project;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

pin_project! {
    #[doc(hidden)]
    #[must_use = "futures do nothing unless polled"]
    pub struct Admitted<'c, 'e, 'p, F> {
        #[pin]
        attempt: Attempt<'c, 'e, 'p, F>,
    }
}

impl<'e, 'p> Call<'e, 'p> {
    /// Where every wait is unlimited; an error says that [`script`](Self::script) has what takes the body's place.
    pub fn attempt_admitted<F: Future>(&mut self, body: F) -> Admitted<'_, 'e, 'p, F> {
        Admitted { attempt: self.attempt_anyhow(body) }
    }
}

impl<F: Future> Future for Admitted<'_, '_, '_, F> {
    type Output = Result<F::Output, Rejected>;

    #[inline]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut attempt = self.project().attempt;
        loop {
            let attempted = ready!(attempt.as_mut().poll(context));
            if attempted.is_ok() || Ticket::is_handed_over() {
                return Poll::Ready(attempted);
            }
        }
    }
}
