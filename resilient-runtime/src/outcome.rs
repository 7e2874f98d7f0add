//! Between a function's return type and the engine, which knows neither values nor errors.

use crate::judging::Told;
use crate::rejected::Rejected;
use std::convert::Infallible;
use std::fmt;
use std::marker::PhantomData;

/// Why a call ended without a value: what a `fallback` is given.
///
/// ```
/// # use resilient_runtime as resilient;
/// use resilient::Failure;
///
/// fn from_cache(failure: Failure<std::io::Error>) -> Result<String, std::io::Error> {
///     match failure {
///         Failure::Rejected(_) => Ok("yesterday's rates".to_owned()),
///         Failure::Error(error) => Err(error),
///     }
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Failure<E> {
    /// The last attempt's own error.
    Error(E),
    /// A policy refused the call or stopped its last attempt.
    Rejected(Rejected),
}

impl<E: From<Rejected>> Failure<E> {
    /// The failure as the function's own error, for a `fallback` that passes it on.
    ///
    /// ```
    /// # extern crate resilient_runtime as resilient;
    /// use resilient::Failure;
    ///
    /// fn from_cache(cached: Option<f64>, failure: Failure<std::io::Error>) -> std::io::Result<f64> {
    ///     cached.ok_or_else(|| failure.into_error())
    /// }
    ///
    /// let lost = Failure::Error(std::io::ErrorKind::ConnectionReset.into());
    /// assert!(from_cache(None, lost).is_err());
    /// ```
    pub fn into_error(self) -> E {
        match self {
            Self::Error(error) => error,
            Self::Rejected(rejected) => rejected.into(),
        }
    }
}

impl<E: fmt::Display> fmt::Display for Failure<E> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Error(error) => error.fmt(formatter),
            Self::Rejected(rejected) => rejected.fmt(formatter),
        }
    }
}

impl<E: std::error::Error> std::error::Error for Failure<E> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Error(error) => error.source(),
            Self::Rejected(rejected) => rejected.source(),
        }
    }
}

/// A return type that can fail.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`#[resilient]` needs a function that returns a `Result`, found `{Self}`",
    label = "this type does not say what a failure is, so there is nothing to retry or to reject with",
    note = "return a `Result`, or say what a failure is with `classify = path`",
    note = "where policies can refuse, give a value to return instead with `fallback = path`"
)]
pub trait Outcome: Sized {
    type Value;
    type Error;
    /// # Errors
    /// The outcome's own.
    fn parts(&self) -> Result<&Self::Value, &Self::Error>;
    /// # Errors
    /// The outcome's own.
    fn split(self) -> Result<Self::Value, Self::Error>;
    fn from_error(error: Self::Error) -> Self;
    fn from_value(value: Self::Value) -> Self;
}

impl<T, E> Outcome for Result<T, E> {
    type Value = T;
    type Error = E;

    #[inline]
    fn parts(&self) -> Result<&T, &E> {
        self.as_ref()
    }

    #[inline]
    fn split(self) -> Self {
        self
    }

    #[inline]
    fn from_error(error: E) -> Self {
        Err(error)
    }

    #[inline]
    fn from_value(value: T) -> Self {
        Ok(value)
    }
}

/// An error type that can hold a refusal.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`#[resilient]` cannot turn a `Rejected` into `{Self}`",
    label = "this error type cannot hold an open circuit, a rate limit or a timeout",
    note = "implement `From<resilient::Rejected>` for `{Self}` (thiserror: a variant `#[error(transparent)] Rejected(#[from] resilient::Rejected)`)",
    note = "or convert by hand with `map_err = path`, or give a value to return instead with `fallback = path`"
)]
pub trait FromRejected {
    fn from_rejected(rejected: Rejected) -> Self;
}

#[diagnostic::do_not_recommend]
impl<E: From<Rejected>> FromRejected for E {
    fn from_rejected(rejected: Rejected) -> Self {
        rejected.into()
    }
}

/// # Errors
/// The outcome's own.
#[doc(hidden)]
#[inline]
pub fn parts<R: Outcome>(outcome: &R) -> Result<&R::Value, &R::Error> {
    outcome.parts()
}

/// # Errors
/// The outcome's own.
#[doc(hidden)]
#[inline]
pub fn split<R: Outcome>(outcome: R) -> Result<R::Value, R::Error> {
    outcome.split()
}

/// Ends a failure that a fallback does not look at: `let _` would keep it, and with it a future from being `Send`.
#[doc(hidden)]
pub fn ignored<E>(_failure: Failure<E>) {}

#[doc(hidden)]
#[must_use]
pub fn refused<R: Outcome<Error: FromRejected>>(rejected: Rejected) -> R {
    R::from_error(FromRejected::from_rejected(rejected))
}

#[doc(hidden)]
pub fn refused_with<R: Outcome>(rejected: Rejected, map_err: impl FnOnce(Rejected) -> R::Error) -> R {
    R::from_error(map_err(rejected))
}

/// Finds out, by autoref, whether a return type is a `Result`; in a generic function a `T` counts as plain.
#[doc(hidden)]
pub struct Kind<R>(PhantomData<fn() -> R>);

impl<R> Kind<R> {
    #[must_use]
    pub fn of(_: &R) -> Self {
        Self(PhantomData)
    }
}

#[doc(hidden)]
pub struct ResultKind<T, E>(PhantomData<fn() -> (T, E)>);

#[doc(hidden)]
pub struct PlainKind<R>(PhantomData<fn() -> R>);

impl<T, E> Clone for ResultKind<T, E> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T, E> Copy for ResultKind<T, E> {}

impl<R> Clone for PlainKind<R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R> Copy for PlainKind<R> {}

#[expect(clippy::unused_self, reason = "the value is there to pick the method")]
impl<T, E> ResultKind<T, E> {
    pub const fn told(self) -> Told<Result<T, E>> {
        Told::new()
    }

    /// # Errors
    /// The outcome's own.
    pub fn split(self, outcome: Result<T, E>) -> Result<Result<T, E>, E> {
        match outcome {
            Ok(value) => Ok(Ok(value)),
            Err(error) => Err(error),
        }
    }
}

#[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "as `ResultKind`")]
impl<R> PlainKind<R> {
    pub const fn told(self) -> Told<Self> {
        Told::new()
    }

    /// # Errors
    /// Never.
    pub fn split(self, outcome: R) -> Result<R, Infallible> {
        Ok(outcome)
    }
}

#[doc(hidden)]
pub trait KindOfResult {
    type Kind;
    fn resilient_kind(&self) -> Self::Kind;
}

impl<T, E> KindOfResult for Kind<Result<T, E>> {
    type Kind = ResultKind<T, E>;

    fn resilient_kind(&self) -> Self::Kind {
        ResultKind(PhantomData)
    }
}

#[doc(hidden)]
pub trait KindOfPlain {
    type Kind;
    fn resilient_kind(&self) -> Self::Kind;
}

impl<R> KindOfPlain for &Kind<R> {
    type Kind = PlainKind<R>;

    fn resilient_kind(&self) -> Self::Kind {
        PlainKind(PhantomData)
    }
}
