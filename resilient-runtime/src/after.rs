//! An attempt behind the wait that comes before it: together they are one future, as each `.await` of the emitted code is paid for
//! when it is compiled.

use crate::call::Call;
use crate::engine::Delay;
use crate::polling::Pause;
use pin_project_lite::pin_project;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

pin_project! {
    #[doc(hidden)]
    #[must_use = "futures do nothing unless polled"]
    pub struct After<F> {
        pause: Pause,
        #[pin]
        attempt: F,
    }
}

#[doc(hidden)]
pub fn after<F: Future>(pause: Pause, attempt: F) -> After<F> {
    After { pause, attempt }
}

impl Call<'_, '_> {
    /// The wait before an attempt, if it is not the first.
    pub fn pause(&mut self, delay: Option<Delay>) -> Pause {
        match delay {
            None => Pause::NONE,
            Some(delay) => self.wait(delay),
        }
    }
}

impl<F: Future> Future for After<F> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if !this.pause.is_over() {
            ready!(Pin::new(&mut *this.pause).poll(context));
        }
        this.attempt.poll(context)
    }
}
