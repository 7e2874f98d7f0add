//! The body, while it runs.

use crate::call::Call;
use crate::clock::now;
use crate::nesting::{self, Scope};

/// Dropped only by a panic of the body.
pub(crate) struct Running<'c, 'p> {
    call: &'c mut Call<'p>,
    outer: Scope,
}

impl<'c, 'p> Running<'c, 'p> {
    /// From here on the calls that the body makes are nested.
    #[inline]
    pub(crate) fn start(call: &'c mut Call<'p>) -> Self {
        let outer = nesting::replace(call.handed_down());
        Self { call, outer }
    }

    /// The body has not panicked.
    #[inline]
    pub(crate) fn finish(self) {
        nesting::replace(self.outer);
        std::mem::forget(self);
    }
}

impl Drop for Running<'_, '_> {
    #[cold]
    fn drop(&mut self) {
        nesting::replace(self.outer);
        self.call.body_panicked(now(), fastrand::u64(..));
    }
}
