//! From an outcome to a verdict, by autoref in the emitted code: the more an error says of itself, the earlier its judge is found.

use crate::outcome::{Outcome, PlainKind};
use crate::rejected::{Kind, refusal_in};
use crate::verdict::{Classify, Verdict};
use std::error::Error;
use std::fmt::Display;
use std::marker::PhantomData;

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

    fn by_word_of(error: &impl Classify) -> Self {
        Self { is_refusal: error.resilient_is_refusal(), ..Self::by(error.classify()) }
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

    #[inline]
    pub(crate) const fn is_success(&self) -> bool {
        matches!(self.verdict, Verdict::Success)
    }

    /// A timed-out attempt whose error type nobody asked about.
    pub(crate) const fn timed_out() -> Self {
        Self::by(Verdict::TRANSIENT)
    }
}

/// How the outcomes of a function are judged.
#[doc(hidden)]
pub trait Judge<R> {
    /// A success that is known at once. It is asked first, so that a success is returned before anything takes its address: it would
    /// be copied through memory.
    fn finds_success(&self, outcome: &R) -> bool;

    fn judge(self, outcome: &R) -> Judged<'_>;
}

/// The user's whole say. Its closure is lent without its type, so that a wrong one is told of where it stands and nowhere else.
#[doc(hidden)]
pub struct ByWord<'f, R>(&'f mut dyn FnMut(&R) -> Verdict);

#[doc(hidden)]
#[inline]
pub fn classify<'f, R>(_outcome: &R, classify: &'f mut dyn FnMut(&R) -> Verdict) -> ByWord<'f, R> {
    ByWord(classify)
}

impl<R> Judge<R> for ByWord<'_, R> {
    #[inline]
    fn finds_success(&self, _outcome: &R) -> bool {
        false
    }

    #[inline]
    fn judge(self, outcome: &R) -> Judged<'_> {
        Judged::by((self.0)(outcome))
    }
}

/// The user's word on trying again; breaker and budget keep the classification.
#[doc(hidden)]
pub struct RetryIf<'f, J, E> {
    judge: J,
    retry_if: &'f mut dyn FnMut(&E) -> bool,
}

#[doc(hidden)]
#[inline]
pub fn retry_if<'f, R: Outcome, J>(
    _outcome: &R,
    judge: J,
    retry_if: &'f mut dyn FnMut(&R::Error) -> bool,
) -> RetryIf<'f, J, R::Error> {
    RetryIf { judge, retry_if }
}

impl<R: Outcome, J: Judge<R>> Judge<R> for RetryIf<'_, J, R::Error> {
    #[inline]
    fn finds_success(&self, outcome: &R) -> bool {
        self.judge.finds_success(outcome)
    }

    fn judge(self, outcome: &R) -> Judged<'_> {
        let judged = self.judge.judge(outcome);
        match outcome.parts() {
            Ok(_) => judged,
            Err(_) if judged.is_refusal => judged,
            Err(error) => Judged { again: (self.retry_if)(error), is_unclassified: false, ..judged },
        }
    }
}

/// The type of an outcome, and how a value of it is judged: by its type, or as a success.
#[doc(hidden)]
#[derive(Debug)]
pub struct Told<R, V = ()>(PhantomData<(R, V)>);

impl<R> Told<R> {
    pub(crate) const fn new() -> Self {
        Self(PhantomData)
    }
}

#[doc(hidden)]
#[inline]
#[must_use]
pub const fn told<R>(_outcome: &R) -> Told<R> {
    Told::new()
}

/// How a value is judged.
#[doc(hidden)]
pub trait JudgeValue<T> {
    fn judge(value: &T) -> Judged<'static>;
}

#[doc(hidden)]
#[derive(Debug)]
pub enum ByItsType {}

impl<T: Classify> JudgeValue<T> for ByItsType {
    #[inline]
    fn judge(value: &T) -> Judged<'static> {
        Judged::by(value.classify())
    }
}

#[doc(hidden)]
#[derive(Debug)]
pub enum AsSuccess {}

impl<T> JudgeValue<T> for AsSuccess {
    #[inline]
    fn judge(_value: &T) -> Judged<'static> {
        Judged::by(Verdict::Success)
    }
}

#[expect(clippy::unused_self, reason = "the value is there to pick the method")]
impl<T: Classify, E> Told<Result<T, E>> {
    #[inline]
    #[must_use]
    pub const fn resilient_values(self) -> Told<Result<T, E>, ByItsType> {
        Told(PhantomData)
    }
}

#[expect(clippy::unused_self, reason = "as above")]
impl<R: Classify> Told<PlainKind<R>> {
    #[inline]
    #[must_use]
    pub const fn resilient_values(self) -> Told<PlainKind<R>, ByItsType> {
        Told(PhantomData)
    }
}

/// Found where the methods above are not.
#[doc(hidden)]
pub trait AnyValues: Sized {
    type Told;
    fn resilient_values(self) -> Self::Told;
}

impl<R> AnyValues for Told<R> {
    type Told = Told<R, AsSuccess>;

    #[inline]
    fn resilient_values(self) -> Self::Told {
        Told(PhantomData)
    }
}

/// How an error is judged.
#[doc(hidden)]
pub trait JudgeError<E> {
    fn judge(error: &E) -> Judged<'_>;
}

/// By the types of value and error.
#[doc(hidden)]
#[derive(Debug)]
pub struct ByType<V, E>(PhantomData<(V, E)>);

impl<T, E, V: JudgeValue<T>, J: JudgeError<E>> Judge<Result<T, E>> for ByType<V, J> {
    #[inline]
    fn finds_success(&self, outcome: &Result<T, E>) -> bool {
        outcome.as_ref().is_ok_and(|value| V::judge(value).is_success())
    }

    fn judge(self, outcome: &Result<T, E>) -> Judged<'_> {
        match outcome {
            Ok(value) => V::judge(value),
            Err(error) => J::judge(error),
        }
    }
}

/// What is found where a `Result` is needed and is not there: its bound is never met, and says so in our words, once.
#[doc(hidden)]
#[derive(Debug)]
pub struct Unjudged;

impl<R: Outcome> Judge<R> for Unjudged {
    fn finds_success(&self, _outcome: &R) -> bool {
        false
    }

    fn judge(self, _outcome: &R) -> Judged<'_> {
        Judged::unclassified()
    }
}

/// By the type of what is no `Result`.
#[doc(hidden)]
#[derive(Debug)]
pub struct Plainly<V>(PhantomData<V>);

impl<R, V: JudgeValue<R>> Judge<R> for Plainly<V> {
    #[inline]
    fn finds_success(&self, outcome: &R) -> bool {
        V::judge(outcome).is_success()
    }

    fn judge(self, outcome: &R) -> Judged<'_> {
        V::judge(outcome)
    }
}

/// One trait for all errors: the more one says of itself, the more references stand in front of what it is judged by.
#[doc(hidden)]
pub trait JudgedBy {
    type Judge;
    fn resilient_judge(&self) -> Self::Judge;
}

impl<R, V> JudgedBy for Told<R, V> {
    type Judge = Unjudged;

    #[inline]
    fn resilient_judge(&self) -> Self::Judge {
        Unjudged
    }
}

impl<R, V> JudgedBy for &Told<PlainKind<R>, V> {
    type Judge = Plainly<V>;

    #[inline]
    fn resilient_judge(&self) -> Self::Judge {
        Plainly(PhantomData)
    }
}

#[doc(hidden)]
#[derive(Debug)]
pub enum ClassifiedError {}

impl<E: Classify + Error> JudgeError<E> for ClassifiedError {
    fn judge(error: &E) -> Judged<'_> {
        Judged::refused_or(refusal_in(error.source()), || Judged::by_word_of(error)).of(error)
    }
}

impl<T, E: Classify + Error, V> JudgedBy for &&&&&&&Told<Result<T, E>, V> {
    type Judge = ByType<V, ClassifiedError>;

    #[inline]
    fn resilient_judge(&self) -> Self::Judge {
        ByType(PhantomData)
    }
}

#[doc(hidden)]
#[derive(Debug)]
pub enum ClassifiedText {}

impl<E: Classify + Display> JudgeError<E> for ClassifiedText {
    fn judge(error: &E) -> Judged<'_> {
        Judged::by_word_of(error).of(error)
    }
}

impl<T, E: Classify + Display, V> JudgedBy for &&&&&&Told<Result<T, E>, V> {
    type Judge = ByType<V, ClassifiedText>;

    #[inline]
    fn resilient_judge(&self) -> Self::Judge {
        ByType(PhantomData)
    }
}

#[doc(hidden)]
#[derive(Debug)]
pub enum Classified {}

impl<E: Classify> JudgeError<E> for Classified {
    fn judge(error: &E) -> Judged<'_> {
        Judged::by_word_of(error)
    }
}

impl<T, E: Classify, V> JudgedBy for &&&&&Told<Result<T, E>, V> {
    type Judge = ByType<V, Classified>;

    #[inline]
    fn resilient_judge(&self) -> Self::Judge {
        ByType(PhantomData)
    }
}

#[doc(hidden)]
#[derive(Debug)]
pub enum StdError {}

impl<E: Error> JudgeError<E> for StdError {
    fn judge(error: &E) -> Judged<'_> {
        Judged::refused_or(refusal_in(error.source()), Judged::unclassified).of(error)
    }
}

impl<T, E: Error, V> JudgedBy for &&&&Told<Result<T, E>, V> {
    type Judge = ByType<V, StdError>;

    #[inline]
    fn resilient_judge(&self) -> Self::Judge {
        ByType(PhantomData)
    }
}

/// Reports that are no `Error` themselves but lead to one, such as `anyhow::Error` without our feature `anyhow`.
#[doc(hidden)]
#[derive(Debug)]
pub enum Report {}

impl<E: AsRef<dyn Error + 'static>> JudgeError<E> for Report {
    fn judge(error: &E) -> Judged<'_> {
        let error: &(dyn Error + 'static) = error.as_ref();
        Judged { error: Some(error), ..Judged::refused_or(refusal_in(Some(error)), Judged::unclassified) }
    }
}

impl<T, E: AsRef<dyn Error + 'static>, V> JudgedBy for &&&Told<Result<T, E>, V> {
    type Judge = ByType<V, Report>;

    #[inline]
    fn resilient_judge(&self) -> Self::Judge {
        ByType(PhantomData)
    }
}

#[doc(hidden)]
#[derive(Debug)]
pub enum Text {}

impl<E: Display> JudgeError<E> for Text {
    fn judge(error: &E) -> Judged<'_> {
        Judged::unclassified().of(error)
    }
}

impl<T, E: Display, V> JudgedBy for &&Told<Result<T, E>, V> {
    type Judge = ByType<V, Text>;

    #[inline]
    fn resilient_judge(&self) -> Self::Judge {
        ByType(PhantomData)
    }
}

#[doc(hidden)]
#[derive(Debug)]
pub enum Anything {}

impl<E> JudgeError<E> for Anything {
    fn judge(_error: &E) -> Judged<'_> {
        Judged::unclassified()
    }
}

impl<T, E, V> JudgedBy for &Told<Result<T, E>, V> {
    type Judge = ByType<V, Anything>;

    #[inline]
    fn resilient_judge(&self) -> Self::Judge {
        ByType(PhantomData)
    }
}
