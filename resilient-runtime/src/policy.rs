//! The same loop by hand, for people without the attribute.

use crate::backoff::{Backoff, Jitter};
use crate::call::Call;
#[cfg(feature = "tokio")]
use crate::call::is_final;
use crate::circuit_breaker::CircuitBreaker;
use crate::configure::value::MaxWait;
use crate::configure::words::take_out;
use crate::configure::{ConfigError, Problem};
use crate::context::Context;
use crate::events::Record;
use crate::judging::Judged;
use crate::outcome::FromRejected;
use crate::overrides::Overrides;
use crate::plan::{Assembly, BudgetChoice, Declared, Own, Plan};
use crate::rate::Rate;
use crate::registry::{Finder, intern};
use crate::verdict::{Classify, Verdict};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// What happens around a body: the attribute's policies as a value. Clones share everything.
///
/// ```
/// # use resilient_runtime as resilient;
/// use resilient::Policy;
/// use std::io;
///
/// let policy = Policy::builder().name("fetch rates").retries(3).breaker("rates").rate(10).build()?;
/// let rates = policy.run(|| io::Result::Ok("1.08"));
/// assert_eq!(rates.ok(), Some("1.08"));
/// # Ok::<(), resilient::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct Policy(Arc<Inner>);

struct Inner {
    assembly: Assembly,
    own: Own,
    record: Record,
    declared: Declared,
}

impl fmt::Debug for Policy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { declared, .. } = &*self.0;
        formatter.debug_struct("Policy").field("declared", declared).field("settings", &declared.own.resolved()).finish()
    }
}

impl Policy {
    /// A policy that does nothing yet.
    pub fn builder() -> PolicyBuilder {
        PolicyBuilder { declared: Declared { name: "policy", ..Declared::NOTHING }, problems: Vec::new() }
    }

    /// What a call needs to know, as it is now.
    pub(crate) fn plan(&self) -> Plan<'_> {
        self.0.assembly.plan(&self.0.own, &self.0.record)
    }

    /// The longest waits before the first `retries` retries; jitter shortens most of them.
    pub fn schedule(&self, retries: u32) -> impl Iterator<Item = Duration> + use<> {
        let schedule = self.0.declared.own.resolved().schedule;
        let waits = (1..=retries).scan(0, move |previous, attempt| {
            *previous = schedule.wait(attempt, *previous, u64::MAX);
            Some(*previous)
        });
        waits.map(Duration::from_nanos)
    }

    /// Runs the body as often as the policies say, waiting in this thread.
    ///
    /// # Errors
    ///
    /// The last attempt's error as it is, or a [`Rejected`](crate::Rejected) turned into one. An `Err` means what its type says; a
    /// type that says nothing needs [`run_with`](Self::run_with).
    ///
    /// # Panics
    ///
    /// If the body does; the breaker counts a failure.
    pub fn run<T, E: Classify + FromRejected>(&self, body: impl FnMut() -> Result<T, E>) -> Result<T, E> {
        self.run_with(body, by_type)
    }

    /// The same with your word on what an outcome means, `Ok` values included.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run).
    ///
    /// ```
    /// # use resilient_runtime as resilient;
    /// use resilient::{Policy, Rejected, Verdict};
    ///
    /// #[derive(Debug)]
    /// struct Busy;
    /// # impl From<Rejected> for Busy { fn from(_: Rejected) -> Self { Busy } }
    ///
    /// let policy = Policy::builder().retries(2).base_delay(std::time::Duration::from_millis(1)).build()?;
    /// let mut attempts = 0;
    /// let outcome = policy.run_with(
    ///     || { attempts += 1; if attempts < 3 { Err(Busy) } else { Ok(attempts) } },
    ///     |outcome| if outcome.is_ok() { Verdict::Success } else { Verdict::TRANSIENT },
    /// );
    /// assert_eq!(outcome.ok(), Some(3));
    /// # Ok::<(), resilient::ConfigError>(())
    /// ```
    pub fn run_with<T, E: FromRejected>(
        &self,
        mut body: impl FnMut() -> Result<T, E>,
        classify: impl FnMut(&Result<T, E>) -> Verdict,
    ) -> Result<T, E> {
        self.drive(|()| body(), classify)
    }

    /// [`run`](Self::run) with a body that is told of its call: which attempt it is, how long it has, a key to send along, and what
    /// the attempt before failed with.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run).
    ///
    /// ```
    /// # use resilient_runtime as resilient;
    /// use resilient::Policy;
    /// use std::io;
    ///
    /// let policy = Policy::builder().retries(1).base_delay(std::time::Duration::from_millis(1)).build()?;
    /// let told = policy.run_with_context(|cx| match cx.previous_error() {
    ///     None => Err(io::Error::from(io::ErrorKind::TimedOut)),
    ///     Some(error) => Ok(format!("attempt {} after: {error}", cx.attempt())),
    /// })?;
    /// assert_eq!(told, "attempt 2 after: timed out");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn run_with_context<T, E: Classify + FromRejected>(
        &self,
        mut body: impl FnMut(&Context<E>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.drive(|context: &mut Context<E>| body(context), by_type)
    }

    fn drive<T, E: FromRejected, C: Carried<E>>(
        &self,
        mut body: impl FnMut(&mut C) -> Result<T, E>,
        mut classify: impl FnMut(&Result<T, E>) -> Verdict,
    ) -> Result<T, E> {
        let plan = self.plan();
        let mut engine = crate::call::no_engine();
        let mut call = Call::new(&plan, &mut engine);
        let mut carried = C::start(&mut call);
        loop {
            let outcome = match call.turn_blocking() {
                Ok(()) => call.body(|| body(&mut carried)),
                Err(refused) => return Err(E::from_rejected(call.told(refused))),
            };
            if call.settle_judged(Judged::by(classify(&outcome))) {
                return outcome;
            }
            carried.again(outcome.err());
        }
    }

    /// Runs the body as often as the policies say, waiting in this task. The body makes a new future for every attempt.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run).
    ///
    /// ```
    /// # use resilient_runtime as resilient;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use resilient::Policy;
    /// use std::time::Duration;
    ///
    /// let policy = Policy::builder().retries(3).timeout(Duration::from_secs(2)).build()?;
    /// let answer = policy.run_async(|| async { std::io::Result::Ok(42) }).await?;
    /// assert_eq!(answer, 42);
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(feature = "tokio")]
    pub async fn run_async<T, E: Classify + FromRejected, F: Future<Output = Result<T, E>>>(
        &self,
        mut body: impl FnMut() -> F,
    ) -> Result<T, E> {
        self.drive_async(|()| body(), by_type).await
    }

    /// The same with your word on what an outcome means, `Ok` values included.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run).
    #[cfg(feature = "tokio")]
    pub async fn run_async_with<T, E: FromRejected, F: Future<Output = Result<T, E>>>(
        &self,
        mut body: impl FnMut() -> F,
        classify: impl FnMut(&Result<T, E>) -> Verdict,
    ) -> Result<T, E> {
        self.drive_async(|()| body(), classify).await
    }

    /// [`run_async`](Self::run_async) with a body that is told of its call; see [`run_with_context`](Self::run_with_context). As the
    /// last error is kept for the next attempt, the future is `Send` only if the error is.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run).
    ///
    /// ```
    /// # use resilient_runtime as resilient;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use resilient::Policy;
    ///
    /// let policy = Policy::builder().retries(3).build()?;
    /// let key = policy.run_async_with_context(|cx| async move { std::io::Result::Ok(cx.idempotency_key()) }).await?;
    /// println!("Idempotency-Key: {key}");
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(feature = "tokio")]
    pub async fn run_async_with_context<T, E: Classify + FromRejected, F: Future<Output = Result<T, E>>>(
        &self,
        body: impl FnMut(Context<E>) -> F,
    ) -> Result<T, E> {
        self.drive_async(body, by_type).await
    }

    #[cfg(feature = "tokio")]
    async fn drive_async<T, E: FromRejected, C: Carried<E>, F: Future<Output = Result<T, E>>>(
        &self,
        mut body: impl FnMut(C) -> F,
        mut classify: impl FnMut(&Result<T, E>) -> Verdict,
    ) -> Result<T, E> {
        let plan = self.plan();
        let mut engine = crate::call::no_engine();
        let mut call = Call::new(&plan, &mut engine);
        let mut carried = C::start(&mut call);
        loop {
            let lent = carried.lend();
            let outcome = match call.attempt(async { body(lent).await }).await {
                Ok(outcome) => outcome,
                Err(rejected) if is_final(&rejected) => return Err(E::from_rejected(rejected)),
                Err(rejected) => Err(E::from_rejected(rejected)),
            };
            if call.settle_judged(Judged::by(classify(&outcome))) {
                return outcome;
            }
            carried.again(outcome.err());
        }
    }
}

/// What goes from one attempt to the next: nothing, or a context with the last error.
trait Carried<E> {
    fn start(call: &mut Call<'_, '_>) -> Self;
    fn again(&mut self, previous_error: Option<E>);
    #[cfg(feature = "tokio")]
    fn lend(&mut self) -> Self;
}

impl<E> Carried<E> for () {
    fn start(_call: &mut Call<'_, '_>) -> Self {}
    fn again(&mut self, _previous_error: Option<E>) {}
    #[cfg(feature = "tokio")]
    fn lend(&mut self) -> Self {}
}

impl<E> Carried<E> for Context<E> {
    fn start(call: &mut Call<'_, '_>) -> Self {
        call.context()
    }

    fn again(&mut self, previous_error: Option<E>) {
        Context::again(self, previous_error);
    }

    #[cfg(feature = "tokio")]
    fn lend(&mut self) -> Self {
        Context::lend(self)
    }
}

fn by_type<T, E: Classify>(outcome: &Result<T, E>) -> Verdict {
    match outcome {
        Ok(_) => Verdict::Success,
        Err(error) => error.classify(),
    }
}

/// Collects the settings of a [`Policy`], under the names of the attribute's keys; `burst` is said in a [`Rate`].
#[must_use = "a builder does nothing until `build`"]
#[derive(Clone, Debug)]
pub struct PolicyBuilder {
    declared: Declared,
    problems: Vec<String>,
}

impl PolicyBuilder {
    /// The name in errors and events; "policy" if there is none.
    pub fn name(mut self, name: &str) -> Self {
        self.declared.name = self.named("name", name);
        self
    }

    /// Extra attempts after the first; none if there is none.
    pub fn retries(mut self, retries: u32) -> Self {
        self.declared.own.retries = Some(retries);
        self
    }

    /// The first wait between attempts; above zero, at most `max_delay`; 100 ms if there is none.
    pub fn base_delay(mut self, delay: Duration) -> Self {
        self.declared.own.base_delay = Some(delay);
        self
    }

    /// The longest of our own waits, jitter included; above zero; 10 s if there is none.
    pub fn max_delay(mut self, delay: Duration) -> Self {
        self.declared.own.max_delay = Some(delay);
        self
    }

    /// How the waits grow; exponentially if there is none.
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.declared.own.backoff = Some(backoff);
        self
    }

    /// How the waits are spread; a ratio is from 0 to 1; fully if there is none.
    pub fn jitter(mut self, jitter: impl Into<Jitter>) -> Self {
        self.declared.own.jitter = Some(jitter.into());
        self
    }

    /// The longest wait that a server may ask for; 60 s if there is none. A longer one ends the call.
    pub fn max_retry_after(mut self, wait: Duration) -> Self {
        self.declared.own.max_retry_after = Some(wait);
        self
    }

    /// Retries that each success earns, from above 0 to 10; 0.2 if there is none.
    pub fn budget(mut self, ratio: f64) -> Self {
        self.declared.own.budget = Some(BudgetChoice::Ratio(ratio));
        self
    }

    /// The retry budget of that name instead of an own one.
    pub fn shared_budget(mut self, name: &str) -> Self {
        self.declared.own.budget = Some(BudgetChoice::Named(intern(name)));
        self
    }

    /// No retry budget: an outage is met by `retries` times the load.
    pub fn without_budget(mut self) -> Self {
        self.declared.own.budget = Some(BudgetChoice::None);
        self
    }

    /// How long each attempt may take: above zero, at most `deadline`. Only futures can be stopped, so [`Policy::run`] does not look at
    /// it.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.declared.own.timeout = Some(timeout);
        self
    }

    /// How long the whole call may take: attempts, waits, queueing; above zero.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.declared.own.deadline = Some(deadline);
        self
    }

    /// The circuit breaker of that name.
    pub fn breaker(self, name: &str) -> Self {
        self.breaker_with(name, CircuitBreaker::new())
    }

    /// The circuit breaker of that name, with settings for it if configuration says nothing.
    pub fn breaker_with(mut self, name: &str, settings: CircuitBreaker) -> Self {
        self.problems.extend(settings.problem().map(|problem| format!("breaker `{name}`: {problem}")));
        self.declared.breaker = Some((self.named("breaker", name), settings));
        self
    }

    /// Calls per second, or a [`Rate`]. With [`bucket`](Self::bucket) it is that bucket's if configuration says nothing.
    pub fn rate(mut self, rate: impl Into<Rate>) -> Self {
        self.declared.own.rate = Some(rate.into());
        self
    }

    /// The token bucket of that name.
    pub fn bucket(mut self, name: &str) -> Self {
        self.declared.bucket = Some(self.named("bucket", name));
        self
    }

    /// The longest wait for a token or a slot; 5 s if there is none. `Duration::MAX` always waits.
    pub fn max_wait(mut self, wait: Duration) -> Self {
        self.declared.own.max_wait = Some(MaxWait(wait));
        self
    }

    /// Calls in flight, from 1 to 10⁶. With [`bulkhead`](Self::bulkhead) it is that bulkhead's limit if configuration says nothing.
    pub fn concurrency(mut self, calls: u32) -> Self {
        self.declared.own.concurrency = Some(calls);
        self
    }

    /// The bulkhead of that name.
    pub fn bulkhead(mut self, name: &str) -> Self {
        self.declared.bulkhead = Some(self.named("bulkhead", name));
        self
    }

    /// The policy.
    ///
    /// # Errors
    ///
    /// Every setting that is out of range, and settings that contradict each other.
    pub fn build(mut self) -> Result<Policy, ConfigError> {
        let mut own = self.declared.own;
        let out_of_range = take_out(&mut own, Overrides::problem);
        let contradictions = take_out(&mut own, |own| own.contradiction(|_| false));
        self.problems.extend(out_of_range.into_iter().chain(contradictions).map(|(_, problem)| problem));
        ConfigError::unless_empty(self.problems.into_iter().map(|problem| Problem::new(problem, None)).collect())?;
        let (own, mut finder) = (Own::new(), Finder::new(self.declared.name));
        let assembly = Assembly::of(&self.declared, &self.declared.own, &own, &mut finder);
        finder.tell();
        Ok(Policy(Arc::new(Inner { assembly, own, record: Record::new(), declared: self.declared })))
    }

    fn named(&mut self, what: &str, name: &str) -> &'static str {
        if name.is_empty() {
            self.problems.push(format!("`{what}` may not be empty"));
        }
        intern(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rate::Rate;

    fn told(builder: PolicyBuilder) -> Vec<String> {
        let error = builder.build().err();
        error.iter().flat_map(ConfigError::problems).map(|problem| problem.message().to_owned()).collect()
    }

    #[test]
    fn a_policy_is_refused_what_an_attribute_is() {
        let second = Duration::from_secs(1);
        let cases = [
            (Policy::builder().timeout(10 * second).deadline(second), "`timeout` (10s) must be at most `deadline` (1s)"),
            (Policy::builder().budget(0.0), "`budget` must be above 0 and at most 10, or \"none\""),
            (Policy::builder().budget(f64::NAN), "`budget` must be above 0 and at most 10, or \"none\""),
            (Policy::builder().shared_budget(""), "`budget` may not be an empty name"),
            (Policy::builder().base_delay(Duration::ZERO), "`base_delay` must be longer than zero"),
            (Policy::builder().max_delay(Duration::ZERO), "`max_delay` must be longer than zero"),
            (Policy::builder().timeout(Duration::ZERO), "`timeout` must be longer than zero"),
            (Policy::builder().deadline(Duration::ZERO), "`deadline` must be longer than zero"),
            (Policy::builder().base_delay(11 * second), "`base_delay` (11s) must be at most `max_delay` (10s)"),
            (Policy::builder().max_delay(second / 20), "`base_delay` (100ms) must be at most `max_delay` (50ms)"),
            (Policy::builder().jitter(1.5), "`jitter` must be from 0 to 1"),
            (Policy::builder().concurrency(0), "`concurrency` must be from 1 to 1000000"),
            (Policy::builder().rate(0), "`rate`: a rate must be greater than zero"),
            (Policy::builder().rate(Rate::per_second(1).burst(0)), "`rate`: a burst must be at least 1"),
            (Policy::builder().name(""), "`name` may not be empty"),
            (Policy::builder().breaker(""), "`breaker` may not be empty"),
        ];
        for (builder, message) in cases {
            assert_eq!(told(builder), [message]);
        }
        assert_eq!(told(Policy::builder().timeout(second).deadline(second).base_delay(second).max_delay(second)), [""; 0]);
    }

    #[test]
    fn everything_that_is_wrong_with_a_policy_is_told_together() {
        let second = Duration::from_secs(1);
        let builder = Policy::builder().name("").timeout(9 * second).deadline(second).base_delay(9 * second).max_delay(second);
        let builder = builder.budget(11.0).jitter(2.0).concurrency(0).rate(0);
        assert_eq!(
            told(builder),
            [
                "`name` may not be empty",
                "`jitter` must be from 0 to 1",
                "`budget` must be above 0 and at most 10, or \"none\"",
                "`concurrency` must be from 1 to 1000000",
                "`rate`: a rate must be greater than zero",
                "`base_delay` (9s) must be at most `max_delay` (1s)",
                "`timeout` (9s) must be at most `deadline` (1s)",
            ]
        );
    }
}
