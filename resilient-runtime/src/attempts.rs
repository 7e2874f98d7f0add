//! What each attempt of an annotated function starts with.

use std::time::Duration;

/// A copy for a `mut` parameter, so that no attempt sees what an earlier one changed.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`#[resilient]` cannot give each attempt its own copy of this `{Self}`",
    label = "`{Self}` is not `Clone`, so a second attempt could not start from the value that the caller passed",
    note = "drop the `mut`, derive `Clone`, or let the attempts share the value with `#[resilient(reuse(..))]`"
)]
pub trait Fresh {
    #[must_use]
    fn fresh(&self) -> Self;
}

#[diagnostic::do_not_recommend]
impl<T: Clone> Fresh for T {
    fn fresh(&self) -> Self {
        self.clone()
    }
}

/// A parameter that every attempt consumes: clones for all but the last, which takes the value itself.
#[doc(hidden)]
#[derive(Debug)]
pub struct Spare<T> {
    value: Option<T>,
}

impl<T> Spare<T> {
    pub const fn new(value: T) -> Self {
        Self { value: Some(value) }
    }

    /// # Panics
    ///
    /// After the last attempt, which there never is.
    #[must_use]
    pub fn next(&mut self, is_last: bool) -> T
    where
        T: Clone,
    {
        let next = if is_last { self.value.take() } else { self.value.clone() };
        next.unwrap_or_else(|| unreachable!("no attempt follows the last"))
    }

    /// The value, which no attempt has taken as the last.
    ///
    /// # Panics
    ///
    /// After a last attempt took it, which the macro never emits.
    #[must_use]
    pub fn into_inner(self) -> T {
        self.value.unwrap_or_else(|| unreachable!("with a fallback every attempt is given a clone"))
    }
}

/// A hint from a field of the user's error.
#[doc(hidden)]
pub fn retry_after(field: &(impl Copy + Into<Option<Duration>>)) -> Option<Duration> {
    (*field).into()
}
