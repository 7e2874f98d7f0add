//! What a body may know of the call that it is an attempt of.

use crate::call::Call;
use crate::clock::{Instant, now};
use crate::idempotency_key::IdempotencyKey;
use crate::outcome::Outcome;
use std::convert::Infallible;
#[cfg(feature = "tokio")]
use std::sync::Arc;
use std::sync::OnceLock;
use std::time::Duration;

/// What an attempt may know of its call: which attempt it is, how long it has, and a key that names the call.
///
/// The attribute binds one with `context = cx`; [`Policy::run_with_context`](crate::Policy::run_with_context) passes one to the body.
///
/// ```
/// # use resilient_runtime as resilient;
/// use resilient::{Policy, Rejected};
/// use std::time::Duration;
///
/// let policy = Policy::builder().retries(3).deadline(Duration::from_secs(10)).build()?;
/// let outcome: Result<_, Rejected> = policy.run_with_context(|cx| {
///     assert!(cx.attempt() == 1 && cx.previous_error().is_none());
///     assert!(cx.remaining() <= Some(Duration::from_secs(10)));
///     Ok(cx.idempotency_key())
/// });
/// assert_eq!(outcome?.to_string().len(), 36);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// `E` is the type of [`previous_error`](Self::previous_error). Under the attribute it is the function's error type where the body
/// says `previous_error`, and else `Infallible`, as nothing is kept; write helpers for any: `fn header<E>(cx: &Context<E>)`.
#[derive(Debug)]
pub struct Context<E = Infallible> {
    attempt: u32,
    ends: Instant,
    key: Key,
    previous_error: Option<E>,
}

/// Made when somebody asks.
#[derive(Debug)]
enum Key {
    Own(OnceLock<IdempotencyKey>),
    #[cfg(feature = "tokio")]
    Shared(Arc<OnceLock<IdempotencyKey>>),
}

impl<E> Context<E> {
    /// The number of this attempt, from 1.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// How long until the deadline ends the call, its own or an earlier one that it inherited; zero from then on. `None` without a
    /// deadline. The attempt's `timeout` is not in it.
    #[must_use]
    pub fn remaining(&self) -> Option<Duration> {
        (self.ends != Instant::NEVER).then(|| Duration::from_nanos(self.ends.since(now())))
    }

    /// The call's own key, the same in each of its attempts; made at the first asking.
    #[must_use]
    pub fn idempotency_key(&self) -> IdempotencyKey {
        match &self.key {
            Key::Own(key) => *key.get_or_init(IdempotencyKey::new),
            #[cfg(feature = "tokio")]
            Key::Shared(key) => *key.get_or_init(IdempotencyKey::new),
        }
    }

    /// What the last attempt failed with; `None` in the first attempt, and after one whose outcome was no error, or a `timeout` on
    /// its way to a `fallback`.
    ///
    /// For this the call keeps the error while it waits, so an async call is `Send` only if the error is `Send`, and under the
    /// attribute `Sync` as well. The attribute keeps it where the body says `previous_error`, and nowhere else.
    #[must_use]
    pub fn previous_error(&self) -> Option<&E> {
        self.previous_error.as_ref()
    }

    /// For the next attempt.
    #[doc(hidden)]
    pub fn again(&mut self, previous_error: Option<E>) {
        self.attempt = self.attempt.saturating_add(1);
        self.previous_error = previous_error;
    }

    /// For an attempt that takes it along.
    #[cfg(feature = "tokio")]
    pub(crate) fn lend(&mut self) -> Self {
        if let Key::Own(key) = &mut self.key {
            self.key = Key::Shared(Arc::new(std::mem::take(key)));
        }
        let key = match &self.key {
            Key::Own(_) => Key::Own(OnceLock::new()),
            Key::Shared(key) => Key::Shared(Arc::clone(key)),
        };
        Self { attempt: self.attempt, ends: self.ends, key, previous_error: self.previous_error.take() }
    }
}

impl Call<'_, '_> {
    /// For its first attempt.
    #[must_use]
    pub fn context<E>(&mut self) -> Context<E> {
        Context { attempt: 1, ends: self.ends(), key: Key::Own(OnceLock::new()), previous_error: None }
    }
}

/// A context that keeps nothing between attempts.
#[doc(hidden)]
#[must_use]
pub fn context(call: &mut Call<'_, '_>) -> Context {
    call.context()
}

/// A context that keeps the function's errors.
#[doc(hidden)]
#[must_use]
pub fn context_of<R: Outcome>(call: &mut Call<'_, '_>) -> Context<R::Error> {
    call.context()
}

/// What it keeps.
#[doc(hidden)]
pub fn error_of<R: Outcome>(outcome: R) -> Option<R::Error> {
    outcome.split().err()
}
