//! Looking, from a thread of its own, whether the files of what is installed have changed.

use super::current::{CURRENT, Current, put};
use super::installed;
use super::problem::{ConfigError, Problem};
use super::recipe::{Contents, Recipe};
use crate::events;
use crate::sync::lock;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

/// Looks whether the files say something else than they did.
pub(super) struct Watcher {
    /// What the last look found new. It is taken when the next one finds it again, so that no half-written file is.
    settling: Option<Contents>,
    number: u64,
    every: Duration,
}

/// What a look has found.
#[derive(Debug)]
pub(super) enum Found {
    Nothing,
    Change(Result<Vec<Problem>, ConfigError>),
    /// Another configuration was installed since.
    Retired,
}

const SHORTEST: Duration = Duration::from_millis(1);

/// A watcher of what is installed, for a test to turn by hand.
#[cfg(test)]
pub(super) fn watcher() -> Watcher {
    let current = lock(&CURRENT);
    let Some(Current { number, .. }) = &*current else { unreachable!("something is installed") };
    Watcher::new(*number, SHORTEST)
}

/// Wakers and listeners are others' code: one that panics ends neither the watch nor what the next is told.
fn apart(others: impl FnOnce()) {
    // The panic hook has told it.
    let _ = catch_unwind(AssertUnwindSafe(others));
}

impl Watcher {
    /// One for that configuration, if it is to be watched.
    pub(super) fn of(recipe: &Recipe, number: u64) -> Option<Self> {
        recipe.watch.map(|every| Self::new(number, every))
    }

    fn new(number: u64, every: Duration) -> Self {
        Self { settling: None, number, every }
    }

    #[expect(clippy::disallowed_methods, reason = "a thread of its own, in the time of the file system")]
    pub(super) fn start(mut self) -> Result<(), Problem> {
        let thread = std::thread::Builder::new().name("resilient-watch".to_owned());
        let watch = move || {
            while self.looked() {
                std::thread::sleep(self.every.max(SHORTEST));
            }
        };
        let started = thread.spawn(watch).map(|_| ());
        started.map_err(|error| Problem::new(format!("no thread to watch the files: {error}"), None))
    }

    /// Whether to look again.
    fn looked(&mut self) -> bool {
        match self.look() {
            Found::Nothing => {}
            Found::Retired => return false,
            Found::Change(Ok(warnings)) => {
                apart(installed::wake);
                apart(events::configuration_reloaded);
                for warning in &warnings {
                    apart(|| events::configuration_warning(warning));
                }
            }
            Found::Change(Err(error)) => apart(|| events::configuration_refused(&error)),
        }
        true
    }

    pub(super) fn look(&mut self) -> Found {
        let mut current = lock(&CURRENT);
        let Some(Current { recipe, seen, .. }) = current.as_mut().filter(|current| current.number == self.number) else {
            return Found::Retired;
        };
        let contents = recipe.contents();
        if contents == *seen {
            self.settling = None;
            return Found::Nothing;
        }
        if self.settling.as_ref() != Some(&contents) {
            self.settling = Some(contents);
            return Found::Nothing;
        }
        self.settling = None;
        *seen = contents;
        Found::Change(put(recipe, seen, Vec::new()))
    }
}
