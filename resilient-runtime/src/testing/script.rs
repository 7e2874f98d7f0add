//! Outcomes in place of a body's.

use crate::script::{Cue, Make, Plot, Scripted, Ticket};
use crate::wishes::{Guard, Wish};
use std::sync::Arc;

/// What the next attempts of a function come to: see [`script`].
#[derive(Debug)]
#[must_use = "dropping it ends the script"]
pub struct Script {
    plot: Arc<Plot>,
    _guard: Guard,
}

/// Decides what the next attempts of a function on this thread come to, in place of its body; the function stays as it is.
///
/// The name is `module::path::function`, its end from some `::` on, or what the attribute says as `name`. Each outcome is one
/// attempt's: retries go through the script like calls, and breaker, budget, classification and fallback take its outcomes for real
/// ones. When it is used up the body runs again.
///
/// ```text
/// #[resilient(retries = 3)]
/// fn charge(order: u32) -> io::Result<u32> { … }
///
/// let script = testing::script("shop::charge").fail(2, || io::Error::from(io::ErrorKind::TimedOut)).succeed(1, || 7_u32);
/// assert_eq!(charge(1)?, 7);
/// assert_eq!(script.calls(), 3);
/// ```
///
/// A function takes part if its crate was compiled with the feature `testing` and its return type has no `impl`; and it gives what is
/// [`Scripted`]. If a script cannot give what it should, the call panics and says why.
pub fn script(function: &str) -> Script {
    let plot = Arc::new(Plot::new(function));
    Script { plot: Arc::clone(&plot), _guard: Guard::new(Wish::Script(plot)) }
}

impl Script {
    /// So many attempts fail with this error, made anew for each: of exactly the function's error type.
    pub fn fail<E: Scripted>(self, attempts: u32, error: impl Fn() -> E + Send + Sync + 'static) -> Self {
        self.plot.add(attempts, Cue::Play(Ticket::new(Make(Box::new(error)), true)));
        self
    }

    /// So many attempts come to this value, made anew for each: what stands in the function's `Ok`, or what it returns if that is no
    /// `Result`.
    pub fn succeed<T: Scripted>(self, attempts: u32, value: impl Fn() -> T + Send + Sync + 'static) -> Self {
        self.plot.add(attempts, Cue::Play(Ticket::new(Make(Box::new(value)), false)));
        self
    }

    /// So many attempts are stopped by the function's `timeout`, at once.
    pub fn time_out(self, attempts: u32) -> Self {
        self.plot.add(attempts, Cue::TimeOut);
        self
    }

    /// When the script is used up, a further attempt panics: the body never runs.
    pub fn then_forbid(self) -> Self {
        self.plot.forbid();
        self
    }

    /// How many attempts it has decided.
    #[must_use]
    pub fn calls(&self) -> u32 {
        self.plot.calls()
    }
}

impl Drop for Script {
    /// # Panics
    ///
    /// If no function of that name was called, unless the thread panics already.
    fn drop(&mut self) {
        if let Some(mistake) = self.plot.mistake().filter(|_| !std::thread::panicking()) {
            panic!("{mistake}");
        }
    }
}
