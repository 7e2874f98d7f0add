//! Putting a configuration into force.

use super::installed;
use super::problem::{ConfigError, Problem};
use super::recipe::{Contents, Prepared, Recipe};
use super::watch::Watcher;
use crate::events;
use crate::sync::{Mutex, lock};

/// What was installed last.
#[derive(Default)]
pub(super) struct Current {
    pub(super) recipe: Recipe,
    /// What the files held that are in force, or what a watcher has refused since.
    pub(super) seen: Contents,
    /// Tells a watcher that it is no longer asked for.
    pub(super) number: u64,
}

/// Held while a configuration is prepared and put into force, so that of two at once the later is whole.
pub(super) static CURRENT: Mutex<Option<Current>> = Mutex::new(None);

pub(super) fn install(recipe: Recipe, problems: Vec<Problem>) -> Result<(), ConfigError> {
    let mut current = lock(&CURRENT);
    let seen = recipe.contents();
    let mut warnings = put(&recipe, &seen, problems)?;
    let number = current.as_ref().map_or(0, |current| current.number) + 1;
    let watcher = Watcher::of(&recipe, number);
    *current = Some(Current { recipe, seen, number });
    drop(current);
    // What was installed is in force, so this is no reason to say that it is not.
    warnings.extend(watcher.and_then(|watcher| watcher.start().err()));
    installed::wake();
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
    let mut current = lock(&CURRENT);
    let Some(Current { recipe, seen, .. }) = &mut *current else { return Ok(()) };
    let contents = recipe.contents();
    let warnings = put(recipe, &contents, Vec::new())?;
    *seen = contents;
    drop(current);
    installed::wake();
    warnings.iter().for_each(events::configuration_warning);
    Ok(())
}

/// The warnings that come with it.
pub(super) fn put(recipe: &Recipe, contents: &Contents, problems: Vec<Problem>) -> Result<Vec<Problem>, ConfigError> {
    let Prepared { installed, problems, warnings } = recipe.prepare(contents, problems);
    ConfigError::unless_empty(problems)?;
    installed::install(installed);
    Ok(warnings)
}
