//! Putting a configuration into force, now and whenever its sources change.

use super::installed;
use super::problem::{ConfigError, Problem};
use super::recipe::{Contents, Prepared, Recipe};
use crate::events;
use crate::sync::{Mutex, lock};
use std::time::Duration;

/// What was installed last, with a number that tells a watcher that it is no longer asked for.
#[derive(Default)]
struct Current {
    recipe: Recipe,
    number: u64,
}

/// Held while a configuration is prepared and put into force, so that of two at once the later is whole.
static CURRENT: Mutex<Option<Current>> = Mutex::new(None);

pub(super) fn install(recipe: Recipe, problems: Vec<Problem>) -> Result<(), ConfigError> {
    let mut current = lock(&CURRENT);
    let seen = recipe.contents();
    let mut warnings = put(&recipe, &seen, problems)?;
    let number = current.as_ref().map_or(0, |current| current.number) + 1;
    let watcher = recipe.watch.map(|every| Watcher { seen, settling: None, number, every });
    *current = Some(Current { recipe, number });
    drop(current);
    installed::wake();
    // What was installed is in force, so this is no reason to say that it is not.
    warnings.extend(watcher.and_then(|watcher| watcher.start().err()));
    warnings.iter().for_each(events::configuration_warning);
    Ok(())
}

/// Reads the installed configuration's files and variables again and puts what they say now into force: all of it, or, if anything is
/// wrong, nothing.
///
/// States of breakers and debts of buckets stay. A call that is under way keeps the settings of its function as they were when it began.
///
/// # Errors
///
/// As [`install`](crate::Configuration::install); the old configuration stays in force.
///
/// ```
/// # use resilient_runtime as resilient;
/// resilient::reload()?; // nothing was installed here, so nothing is read
/// # Ok::<(), resilient::ConfigError>(())
/// ```
pub fn reload() -> Result<(), ConfigError> {
    let current = lock(&CURRENT);
    let Some(Current { recipe, .. }) = &*current else { return Ok(()) };
    let warnings = put(recipe, &recipe.contents(), Vec::new())?;
    drop(current);
    installed::wake();
    warnings.iter().for_each(events::configuration_warning);
    Ok(())
}

/// The warnings that come with it.
fn put(recipe: &Recipe, contents: &Contents, problems: Vec<Problem>) -> Result<Vec<Problem>, ConfigError> {
    let Prepared { installed, problems, warnings } = recipe.prepare(contents, problems);
    ConfigError::unless_empty(problems)?;
    installed::install(installed);
    Ok(warnings)
}

/// Looks whether the files say something else than they did.
pub(super) struct Watcher {
    seen: Contents,
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
#[cfg(all(test, feature = "config"))]
pub(super) fn watcher() -> Watcher {
    let current = lock(&CURRENT);
    let Some(Current { recipe, number }) = &*current else { unreachable!("something is installed") };
    Watcher { seen: recipe.contents(), settling: None, number: *number, every: SHORTEST }
}

impl Watcher {
    fn start(mut self) -> Result<(), Problem> {
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
                installed::wake();
                events::configuration_reloaded();
                warnings.iter().for_each(events::configuration_warning);
            }
            Found::Change(Err(error)) => events::configuration_refused(&error),
        }
        true
    }

    pub(super) fn look(&mut self) -> Found {
        let current = lock(&CURRENT);
        let Some(Current { recipe, .. }) = current.as_ref().filter(|current| current.number == self.number) else {
            return Found::Retired;
        };
        let contents = recipe.contents();
        if contents == self.seen {
            self.settling = None;
            return Found::Nothing;
        }
        if self.settling.as_ref() != Some(&contents) {
            self.settling = Some(contents);
            return Found::Nothing;
        }
        self.settling = None;
        let put = put(recipe, &contents, Vec::new());
        self.seen = contents;
        Found::Change(put)
    }
}
