//! What an outcome means.

use std::time::Duration;

/// What an outcome means: for the decision to try again, and for the circuit breaker.
///
/// | verdict | retried | for the breaker |
/// |---|---|---|
/// | `Success` | – | a success |
/// | `Transient` | yes, not before the hint if there is one | a failure |
/// | `Throttled` | yes, not before the hint | nothing: it says nothing about health |
/// | `Permanent` | no | a success: the service answered |
/// | `Ignored` | no | nothing: it arose on our side |
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Verdict {
    /// The call did what it was for.
    Success,
    /// It failed in a way that may pass: a timeout, a reset connection, a 503.
    Transient {
        /// The server's wish how long to stay away, if it said one.
        retry_after: Option<Duration>,
    },
    /// The service is well but wants us slower: a 429.
    Throttled {
        /// The server's wish how long to stay away, if it said one.
        retry_after: Option<Duration>,
    },
    /// The service answered, and would answer the same again: a 404, a declined card.
    Permanent,
    /// The failure arose on our side and tells nothing about the service.
    Ignored,
}

impl Verdict {
    /// A failure that may pass, without a hint when.
    pub const TRANSIENT: Self = Self::Transient { retry_after: None };

    /// Whether trying again can help.
    #[must_use]
    pub const fn is_retryable(self) -> bool {
        matches!(self, Self::Transient { .. } | Self::Throttled { .. })
    }

    /// The server's wish how long to stay away.
    #[must_use]
    pub const fn retry_after(self) -> Option<Duration> {
        match self {
            Self::Transient { retry_after } | Self::Throttled { retry_after } => retry_after,
            Self::Success | Self::Permanent | Self::Ignored => None,
        }
    }

    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Transient { .. } => "transient",
            Self::Throttled { .. } => "throttled",
            Self::Permanent => "permanent",
            Self::Ignored => "ignored",
        }
    }
}

/// What a value means as the outcome of a call.
///
/// Implement it for your error type by `#[derive(Classify)]` or by hand; a type that says nothing is [`Verdict::Transient`]. An
/// implementation for an `Ok` type is asked as well, so a `reqwest::Response` with status 503 is retried. The same outcome may be asked
/// more than once, and must answer the same.
///
/// ```
/// # use resilient_runtime as resilient;
/// use resilient::{Classify, Verdict};
///
/// enum PaymentError {
///     Declined,
///     Network(std::io::Error),
/// }
///
/// impl Classify for PaymentError {
///     fn classify(&self) -> Verdict {
///         match self {
///             Self::Declined => Verdict::Permanent,
///             Self::Network(error) => error.classify(),
///         }
///     }
/// }
///
/// assert_eq!(PaymentError::Declined.classify(), Verdict::Permanent);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say what it means as an outcome",
    label = "this type has no `Classify`",
    note = "derive it: `#[derive(resilient::Classify)]`, with `#[permanent]`, `#[throttled]` … on the variants",
    note = "or give the verdict by hand: `classify = path` in the attribute, `run_with` on a `Policy`"
)]
pub trait Classify {
    /// The verdict on this outcome.
    fn classify(&self) -> Verdict;

    /// Whether a policy further in has refused, which no `retry_if` makes worth another attempt. Known of errors without a type.
    #[doc(hidden)]
    fn resilient_is_refusal(&self) -> bool {
        false
    }
}

impl<T: Classify + ?Sized> Classify for &T {
    fn classify(&self) -> Verdict {
        (**self).classify()
    }

    fn resilient_is_refusal(&self) -> bool {
        (**self).resilient_is_refusal()
    }
}

impl<T: Classify + ?Sized> Classify for Box<T> {
    fn classify(&self) -> Verdict {
        (**self).classify()
    }

    fn resilient_is_refusal(&self) -> bool {
        (**self).resilient_is_refusal()
    }
}

impl<T: Classify + ?Sized> Classify for std::sync::Arc<T> {
    fn classify(&self) -> Verdict {
        (**self).classify()
    }

    fn resilient_is_refusal(&self) -> bool {
        (**self).resilient_is_refusal()
    }
}

impl<T: Classify, E: Classify> Classify for Result<T, E> {
    fn classify(&self) -> Verdict {
        match self {
            Ok(value) => value.classify(),
            Err(error) => error.classify(),
        }
    }
}

impl Classify for std::convert::Infallible {
    fn classify(&self) -> Verdict {
        match *self {}
    }
}
