//! The configuration in force.

use super::check::missing;
use super::layer::Switches;
use super::table::Table;
use super::words::Words as _;
use crate::overrides::Overrides;
use crate::plan::{Declared, Fixed};
use crate::registry::{self, Configured};
use crate::site::Site;
use crate::sync::{Mutex, MutexGuard, lock, seeded};
use std::sync::{Arc, LazyLock};

/// What a configuration comes to, all its sources merged.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Installed {
    /// The first that says something of a setting is heard.
    pub(crate) functions: Vec<FunctionTable>,
    pub(crate) defaults: Table<Overrides>,
    pub(crate) switches: Switches,
    pub(crate) shared: Configured,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct FunctionTable {
    pub(crate) pattern: Pattern,
    pub(crate) table: Table<Overrides>,
}

/// A function's name, or the beginning of names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern {
    pub(crate) text: String,
}

impl Pattern {
    pub(crate) fn is_exact(&self) -> bool {
        !self.text.ends_with('*')
    }

    pub(crate) fn matches(&self, name: &str) -> bool {
        match self.text.strip_suffix('*') {
            Some(beginning) => name.starts_with(beginning),
            None => name == self.text,
        }
    }

    /// The greater is heard, where two of one source match.
    pub(crate) fn specificity(&self) -> (bool, usize) {
        (self.is_exact(), self.text.len())
    }
}

/// A function's settings as configuration leaves them.
pub(crate) struct Effective {
    /// What the tables of functions say of it.
    pub(crate) table: Table<Overrides>,
    pub(crate) settings: Overrides,
    pub(crate) fixed: Fixed,
}

impl Installed {
    /// A pattern may match functions that lack some policy of which it says something: there it is not heard.
    pub(crate) fn effective(&self, declared: &Declared) -> Effective {
        let mut table = Table::<Overrides>::default();
        for function in self.functions.iter().filter(|function| function.pattern.matches(declared.name)) {
            table = table.or(function.table.clone());
        }
        let mut defaults = self.defaults.settings;
        for word in Overrides::WORDS.iter().filter(|word| missing(word, declared).is_some()) {
            table.unset(word);
            defaults.unset(word);
        }
        let settings = declared.effective(table.settings, defaults);
        let fixed = Fixed::by(&table.settings);
        Effective { table, settings, fixed }
    }
}

static INSTALLED: LazyLock<Mutex<Arc<Installed>>> = LazyLock::new(Mutex::default);

/// Held while a function's plan is made, so that callers who meet at the first call do not each make a private bucket, and while
/// a configuration takes the place of another.
pub(crate) fn installed() -> MutexGuard<'static, Arc<Installed>> {
    lock(&INSTALLED)
}

/// Puts a configuration into force.
pub(crate) fn install(configuration: Installed) {
    install_for(configuration, crate::catalog::sites());
}

pub(crate) fn install_for(configuration: Installed, sites: impl IntoIterator<Item = &'static Site>) {
    let goes_ahead = seeded!("configuration: names go ahead");
    if goes_ahead {
        registry::configure(&configuration.shared);
    }
    let mut installed = installed();
    if !goes_ahead {
        registry::configure(&configuration.shared);
    }
    crate::switches::configure_retries(configuration.switches.retries != Some(false));
    *installed = Arc::new(configuration);
    for site in sites {
        site.plan_again(&installed);
    }
}

/// As at the start of a process.
#[cfg(all(test, any(interleaved = "loom", interleaved = "shuttle")))]
pub(crate) fn start_anew() {
    *installed() = Arc::default();
}

/// Those who wait hear of what [`install`] has changed; no lock may be held, because wakers are others' code.
pub(crate) fn wake() {
    registry::wake();
    crate::catalog::sites().for_each(Site::wake);
}
