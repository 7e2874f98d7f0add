//! Where a configuration comes from, so that it can be read again.

use super::check::{Checks, Doubt};
use super::environment::{self, Known};
use super::installed::Installed;
use super::layer::{Kind, Layer};
use super::problem::Problem;
use super::table::Place;
use crate::catalog;
use crate::registry;
use std::path::PathBuf;
#[cfg(feature = "watch")]
use std::time::Duration;

#[derive(Clone, Debug, Default)]
pub(super) struct Recipe {
    pub(super) code: Layer,
    pub(super) files: Vec<PathBuf>,
    pub(super) prefix: Option<String>,
    #[cfg(feature = "watch")]
    pub(super) watch: Option<Duration>,
    pub(super) is_lenient: bool,
}

/// What a recipe comes to.
pub(super) struct Prepared {
    pub(super) installed: Installed,
    pub(super) problems: Vec<Problem>,
    pub(super) warnings: Vec<Problem>,
}

/// What the files of a recipe hold at a moment, or why they cannot be read.
pub(super) type Contents = Vec<Result<String, String>>;

impl Recipe {
    pub(super) fn contents(&self) -> Contents {
        self.files.iter().map(|path| std::fs::read_to_string(path).map_err(|error| error.to_string())).collect()
    }

    /// What cannot be meant so.
    fn nonsense(&self) -> Option<String> {
        let is_name =
            |prefix: &str| !prefix.is_empty() && prefix.chars().all(|c| c.is_alphanumeric() || c == '_') && !prefix.ends_with('_');
        let wrong = |prefix: &&String| !is_name(prefix);
        let prefix = self.prefix.as_ref().filter(wrong).map(|prefix| {
            format!("{prefix:?} is no prefix of variables: write it without the `__`, `env(\"SHOP\")` for `SHOP__BREAKERS__…`")
        });
        prefix.or_else(|| self.nonsense_of_watch())
    }

    #[cfg(feature = "watch")]
    fn nonsense_of_watch(&self) -> Option<String> {
        match self.watch {
            Some(every) if every.is_zero() => Some("`watch` needs a time between two looks, longer than zero".to_owned()),
            Some(_) if self.files.is_empty() => Some("`watch` needs a `file` to watch".to_owned()),
            _ => None,
        }
    }

    #[cfg(not(feature = "watch"))]
    #[expect(clippy::unused_self, reason = "there is nothing to watch with")]
    fn nonsense_of_watch(&self) -> Option<String> {
        None
    }

    /// Reads those files, the environment and code, and checks them against the program's functions; changes nothing.
    pub(super) fn prepare(&self, contents: &Contents, mut problems: Vec<Problem>) -> Prepared {
        let mut layer = self.code.clone();
        layer.sort_functions();
        for (path, content) in self.files.iter().zip(contents) {
            let (file, mistakes) = read(path, content);
            problems.extend(mistakes);
            layer = file.or(layer);
        }
        problems.extend(self.nonsense().map(|nonsense| Problem::new(nonsense, Some(Place::Code))));
        if let Some(prefix) = &self.prefix {
            let names = |kind| names(&layer, kind);
            let variables = std::env::vars_os()
                .filter_map(|(name, value)| Some((name.into_string().ok()?, value.to_string_lossy().into_owned())));
            let (environment, mistakes) = environment::read(prefix, variables, &Known::new(&names));
            problems.extend(mistakes);
            layer = environment.or(layer);
        }
        let mut checks = Checks { layer, problems, doubts: Vec::new() };
        checks.all();
        let Checks { layer, mut problems, doubts } = checks;
        let mut warnings = Vec::new();
        for Doubt { problem, is_serious } in doubts {
            if is_serious && !self.is_lenient { problems.push(problem) } else { warnings.push(problem) }
        }
        problems.sort_by(|one, other| one.order().cmp(&other.order()));
        problems.dedup();
        let Layer { shared, functions, defaults, switches } = layer;
        Prepared { installed: Installed { functions, defaults, switches: switches.settings, shared }, problems, warnings }
    }
}

#[cfg(feature = "config")]
fn read(path: &std::path::Path, content: &Result<String, String>) -> (Layer, Vec<Problem>) {
    let shown = path.display().to_string();
    match content {
        Ok(text) => super::file::read(&shown, text.clone()),
        Err(error) => (Layer::default(), vec![Problem::new(format!("`{shown}` cannot be read: {error}"), None)]),
    }
}

#[cfg(not(feature = "config"))]
fn read(_path: &std::path::Path, _content: &Result<String, String>) -> (Layer, Vec<Problem>) {
    (Layer::default(), Vec::new())
}

/// The names that exist: what is configured, what the program's functions name or are given, what somebody has used.
pub(super) fn names(layer: &Layer, kind: Kind) -> Vec<String> {
    let configured: Vec<&String> = match kind {
        Kind::Breakers => layer.shared.breakers.named.keys().collect(),
        Kind::Buckets => layer.shared.buckets.named.keys().collect(),
        Kind::Bulkheads => layer.shared.bulkheads.named.keys().collect(),
        Kind::Budgets => layer.shared.budgets.named.keys().collect(),
        Kind::Functions | Kind::Defaults | Kind::Switches => Vec::new(),
    };
    let used = catalog::sites().filter_map(|site| site.declared().named(kind));
    let used = used.chain(registry::names(kind)).chain(layer.given(kind));
    let mut names: Vec<_> = configured.into_iter().cloned().chain(used.map(str::to_owned)).collect();
    names.sort_unstable();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::configure::table::Place;

    #[test]
    fn what_is_configured_under_a_name_is_known_by_it() {
        let kinds = [Kind::Breakers, Kind::Buckets, Kind::Bulkheads, Kind::Budgets];
        for kind in kinds {
            let mut layer = Layer::default();
            layer.name(kind, "named in a layer alone", Place::Code);
            for asked in kinds {
                let is_known = names(&layer, asked).iter().any(|name| name == "named in a layer alone");
                assert_eq!(is_known, asked == kind, "{kind:?} {asked:?}");
            }
        }
    }
}
