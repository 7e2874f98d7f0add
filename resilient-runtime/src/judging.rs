//! From an outcome to a verdict, by autoref in the emitted code: the more an error says of itself, the earlier its trait is found.

use crate::outcome::Outcome;
use crate::rejected::{Kind, refusal_in};
use crate::verdict::{Classify, Verdict};
use std::error::Error;
use std::fmt::Display;

/// A verdict, and how it came about.
#[doc(hidden)]
#[derive(Clone, Copy)]
pub struct Judged<'e> {
    pub(crate) verdict: Verdict,
    pub(crate) again: bool,
    pub(crate) is_unclassified: bool,
    /// A policy further in refused; no `retry_if` changes that.
    is_refusal: bool,
    pub(crate) error: Option<&'e dyn Display>,
}

impl<'e> Judged<'e> {
    #[inline]
    pub(crate) const fn by(verdict: Verdict) -> Self {
        Self { verdict, again: verdict.is_retryable(), is_unclassified: false, is_refusal: false, error: None }
    }

    const fn unclassified() -> Self {
        Self { is_unclassified: true, ..Self::by(Verdict::TRANSIENT) }
    }

    fn refused_or(refusal: Option<Kind>, otherwise: impl FnOnce() -> Self) -> Self {
        refusal.map_or_else(otherwise, |kind| {
            let judged = Self::by(kind.verdict());
            Self { is_refusal: !judged.again, ..judged }
        })
    }

    /// The same, and final unless there is something to try again with.
    #[cfg(feature = "tower")]
    pub(crate) const fn repeatable_if(self, is_repeatable: bool) -> Self {
        Self { again: self.again && is_repeatable, ..self }
    }

    fn of(self, error: &'e dyn Display) -> Self {
        Self { error: Some(error), ..self }
    }

    /// Whether it was a success, and so worth keeping.
    #[must_use]
    pub const fn is_success(&self) -> bool {
        matches!(self.verdict, Verdict::Success)
    }

    /// A timed-out attempt whose error type nobody asked about.
    #[must_use]
    pub const fn timed_out() -> Self {
        Self::by(Verdict::TRANSIENT)
    }
}

#[doc(hidden)]
pub fn classify<R, F: FnOnce(&R) -> Verdict>(outcome: &R, classify: F) -> Judged<'static> {
    Judged::by(classify(outcome))
}

/// The user's word on trying again; breaker and budget keep the classification.
#[doc(hidden)]
pub fn retry_if<'e, R: Outcome>(judged: Judged<'e>, outcome: &R, retry_if: impl FnOnce(&R::Error) -> bool) -> Judged<'e> {
    match outcome.parts() {
        Ok(_) => judged,
        Err(_) if judged.is_refusal => judged,
        Err(error) => Judged { again: retry_if(error), is_unclassified: false, ..judged },
    }
}

#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct Probe<'e, T>(pub &'e T);

#[doc(hidden)]
pub trait JudgeClassifiedError<'e> {
    fn resilient_judge_error(&self) -> Judged<'e>;
}

impl<'e, T: Classify + Error> JudgeClassifiedError<'e> for &&&&&&Probe<'e, T> {
    fn resilient_judge_error(&self) -> Judged<'e> {
        Judged::refused_or(refusal_in(self.0.source()), || Judged::by(self.0.classify())).of(self.0)
    }
}

#[doc(hidden)]
pub trait JudgeClassifiedText<'e> {
    fn resilient_judge_error(&self) -> Judged<'e>;
}

impl<'e, T: Classify + Display> JudgeClassifiedText<'e> for &&&&&Probe<'e, T> {
    fn resilient_judge_error(&self) -> Judged<'e> {
        Judged::by(self.0.classify()).of(self.0)
    }
}

#[doc(hidden)]
pub trait JudgeClassified {
    fn resilient_judge_error(&self) -> Judged<'static>;
}

impl<T: Classify> JudgeClassified for &&&&Probe<'_, T> {
    fn resilient_judge_error(&self) -> Judged<'static> {
        Judged::by(self.0.classify())
    }
}

#[doc(hidden)]
pub trait JudgeError<'e> {
    fn resilient_judge_error(&self) -> Judged<'e>;
}

impl<'e, T: Error> JudgeError<'e> for &&&Probe<'e, T> {
    fn resilient_judge_error(&self) -> Judged<'e> {
        Judged::refused_or(refusal_in(self.0.source()), Judged::unclassified).of(self.0)
    }
}

/// For reports that are no `Error` themselves but lead to one, such as `anyhow::Error` without our feature `anyhow`.
#[doc(hidden)]
pub trait JudgeReport<'e> {
    fn resilient_judge_error(&self) -> Judged<'e>;
}

impl<'e, T: AsRef<dyn Error + 'static>> JudgeReport<'e> for &&Probe<'e, T> {
    fn resilient_judge_error(&self) -> Judged<'e> {
        let error: &'e (dyn Error + 'static) = self.0.as_ref();
        Judged { error: Some(error), ..Judged::refused_or(refusal_in(Some(error)), Judged::unclassified) }
    }
}

#[doc(hidden)]
pub trait JudgeText<'e> {
    fn resilient_judge_error(&self) -> Judged<'e>;
}

impl<'e, T: Display> JudgeText<'e> for &Probe<'e, T> {
    fn resilient_judge_error(&self) -> Judged<'e> {
        Judged::unclassified().of(self.0)
    }
}

#[doc(hidden)]
pub trait JudgeAnything {
    fn resilient_judge_error(&self) -> Judged<'static>;
}

impl<T> JudgeAnything for Probe<'_, T> {
    fn resilient_judge_error(&self) -> Judged<'static> {
        Judged::unclassified()
    }
}

#[doc(hidden)]
pub trait JudgeClassifiedValue {
    fn resilient_judge_value(&self) -> Judged<'static>;
}

impl<T: Classify> JudgeClassifiedValue for &Probe<'_, T> {
    #[inline]
    fn resilient_judge_value(&self) -> Judged<'static> {
        Judged::by(self.0.classify())
    }
}

#[doc(hidden)]
pub trait JudgeAnyValue {
    fn resilient_judge_value(&self) -> Judged<'static>;
}

impl<T> JudgeAnyValue for Probe<'_, T> {
    #[inline]
    fn resilient_judge_value(&self) -> Judged<'static> {
        Judged::by(Verdict::Success)
    }
}
