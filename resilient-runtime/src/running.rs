//! The body, while it runs.

use crate::call::Call;
use crate::clock::now;

/// Dropped only by a panic of the body.
pub(crate) struct Running<'c, 'p>(pub(crate) &'c mut Call<'p>);

impl Running<'_, '_> {
    /// The body has not panicked.
    #[inline]
    pub(crate) fn finish(self) {
        std::mem::forget(self);
    }
}

impl Drop for Running<'_, '_> {
    #[cold]
    fn drop(&mut self) {
        self.0.body_panicked(now(), fastrand::u64(..));
    }
}
