//! Whether a configuration makes sense, by itself and for the functions of this program.

use super::distance::distance;
use super::installed::{FunctionTable, Installed};
use super::layer::{Kind, Layer};
use super::problem::{Problem, nearest};
use super::spelling::Spellings;
use super::table::{Place, Table};
use super::words::{Words, quoted, said, take_out, word_of};
use crate::catalog;
use crate::overrides::{Overrides, needed};
use crate::plan::Declared;
use crate::registry::{self, Settled, Shared};
use crate::site::Site;
use std::collections::{BTreeMap, BTreeSet};

pub(super) struct Checks {
    pub(super) layer: Layer,
    pub(super) problems: Vec<Problem>,
    pub(super) doubts: Vec<Doubt>,
}

/// What may be meant so, but hardly.
pub(super) struct Doubt {
    pub(super) problem: Problem,
    pub(super) is_serious: bool,
}

impl Checks {
    pub(super) fn all(&mut self) {
        let sites: Vec<_> = catalog::sorted();
        self.ranges(&sites);
        self.functions(&sites);
        self.names(&sites);
        self.conflicts(&sites);
    }

    fn ranges(&mut self, sites: &[&'static Site]) {
        let Self { layer, problems, .. } = self;
        clean(&mut layer.defaults, Overrides::default(), "", problems);
        for function in &mut layer.functions {
            clean(&mut function.table, Overrides::default(), &format!("function `{}`: ", function.pattern.text), problems);
        }
        clean_kind::<crate::Breaker>(&mut layer.shared.breakers, sites, problems);
        clean_kind::<crate::Bucket>(&mut layer.shared.buckets, sites, problems);
        clean_kind::<crate::Bulkhead>(&mut layer.shared.bulkheads, sites, problems);
        clean_kind::<crate::budget::Budget>(&mut layer.shared.budgets, sites, problems);
        self.contradictions(sites);
    }

    /// Settings that are in range each and do not fit together in some function; told once for each place.
    fn contradictions(&mut self, sites: &[&'static Site]) {
        let Layer { functions, defaults, .. } = self.layer.clone();
        let installed = Installed { functions, defaults, ..Installed::default() };
        let mut told = Vec::new();
        for site in sites {
            let effective = installed.effective(site.declared());
            if let Some(problem) = effective.settings.contradiction(|key| site.declared().expression(key).is_some())
                && let Some(place) = place_of(&problem, &effective.table).or_else(|| place_of(&problem, &installed.defaults))
                && !told.contains(&place)
            {
                self.problems.push(Problem::new(format!("function {}: {problem}", described(site)), Some(place.clone())));
                told.push(place);
            }
        }
    }

    fn functions(&mut self, sites: &[&'static Site]) {
        let names = || sites.iter().map(|site| site.name);
        for FunctionTable { pattern, table } in &self.layer.functions {
            let place = table.named_at().cloned();
            let matching: Vec<_> = sites.iter().filter(|site| pattern.matches(site.name)).collect();
            let doubt = |message: String, place| Doubt { problem: Problem::new(message, place), is_serious: true };
            if matching.is_empty() && !pattern.text.trim().is_empty() {
                let text = &pattern.text;
                let message = if pattern.is_exact() {
                    match complete(text, names()).or_else(|| nearest(text, names())) {
                        _ if text.contains('*') => format!("`{text}`: a `*` may stand at the end alone, as in `\"shop::*\"`"),
                        Some(meant) => format!("no function has the name `{text}`; did you mean `{meant}`?"),
                        None => format!(
                            "no function has the name `{text}`: it is `crate::module::function`, or what its attribute says with \
                             `name = …`; `resilient::catalog()` lists them"
                        ),
                    }
                } else {
                    match nearest_beginning(text, names()) {
                        Some(meant) => format!("no function has a name that begins like `{text}`; did you mean `{meant}*`?"),
                        None => format!("no function has a name that begins like `{text}`"),
                    }
                };
                self.doubts.push(doubt(message, place));
                continue;
            }
            if let [first, second, ..] = matching.as_slice()
                && pattern.is_exact()
            {
                let message = format!(
                    "two functions have the name `{}`, at {} and {}; tell them apart with `name = …` in an attribute",
                    pattern.text,
                    location(first),
                    location(second)
                );
                self.doubts.push(doubt(message, place));
            }
            for word in said(&table.settings) {
                let declared = || matching.iter().map(|site| site.declared());
                let missing = declared().map(|declared| missing(word, declared)).collect::<Option<Vec<_>>>();
                if let Some(missing) = missing.as_ref().and_then(|missing| missing.first()) {
                    let of_all = if pattern.is_exact() { "" } else { "no function that it matches can hear this: " };
                    let message = format!("`{}`: {of_all}{missing}", pattern.text);
                    self.doubts.push(doubt(message, table.place(word).cloned()));
                }
            }
        }
    }

    /// Names that are configured and not used, beside names that are used and not configured: two spellings of one.
    fn names(&mut self, sites: &[&'static Site]) {
        let shared = &self.layer.shared;
        let configured = [
            (Kind::Breakers, "breaker", places(&shared.breakers)),
            (Kind::Buckets, "bucket", places(&shared.buckets)),
            (Kind::Bulkheads, "bulkhead", places(&shared.bulkheads)),
            (Kind::Budgets, "budget", places(&shared.budgets)),
        ];
        for (kind, what, configured) in configured {
            let by_site: BTreeMap<_, _> =
                sites.iter().rev().filter_map(|site| Some((site.declared().named(kind)?, *site))).collect();
            let elsewhere = registry::names(kind).into_iter().chain(self.layer.given(kind));
            let used: BTreeSet<_> = by_site.keys().copied().chain(elsewhere).collect();
            let unused: Vec<_> =
                configured.iter().filter(|(name, _)| !used.contains(name.as_str()) && !name.trim().is_empty()).collect();
            let used: Vec<_> = used.into_iter().collect();
            let free = used.iter().copied().filter(|used| !configured.contains_key(*used)).collect();
            let (used, free) = (Spellings::new(used, unused.len()), Spellings::new(free, unused.len()));
            for (name, place) in unused {
                let meant = free.nearest(name);
                let message = match meant.map(|meant| (meant, by_site.get(meant))) {
                    Some((meant, Some(site))) => format!(
                        "{what} `{meant}` in {}: no such {what} is configured; did you mean `{name}`, which nothing uses?",
                        described(site)
                    ),
                    Some((meant, None)) => format!("nothing uses {what} `{name}`; did you mean `{meant}`?"),
                    None => match used.nearest(name) {
                        Some(similar) => {
                            format!("nothing uses {what} `{name}`; did you mean `{similar}`, which is configured as well?")
                        }
                        None => format!("nothing uses {what} `{name}`"),
                    },
                };
                let is_serious = meant.is_some() || used.similar(name).any(|used| is_one_slip(name, used));
                self.doubts.push(Doubt { problem: Problem::new(message, place.clone()), is_serious });
            }
        }
    }

    /// Two attributes that give one name different settings.
    fn conflicts(&mut self, sites: &[&'static Site]) {
        let Self { doubts, .. } = self;
        conflicts::<crate::Breaker>(sites, doubts);
        conflicts::<crate::Bucket>(sites, doubts);
        conflicts::<crate::Bulkhead>(sites, doubts);
    }
}

/// The modules of functions are what patterns are about.
fn nearest_beginning<'a>(pattern: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let modules = names.flat_map(|name| name.match_indices("::").map(|(place, colons)| &name[..place + colons.len()]));
    nearest(pattern.trim_end_matches('*'), modules)
}

/// The one name that ends so, where its module was left out.
fn complete<'a>(end: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let mut complete = names.filter(|name| name.strip_suffix(end).is_some_and(|module| module.ends_with("::")));
    complete.next().filter(|_| complete.next().is_none())
}

/// One letter's difference between names of some length; numbers tell names apart on purpose.
fn is_one_slip(name: &str, other: &str) -> bool {
    let is_told_apart = |name: &str| name.chars().filter(char::is_ascii_digit).collect::<String>();
    name.len() > 3 && distance(name, other) == 1 && is_told_apart(name) == is_told_apart(other)
}

/// `shop::charge` (src/shop.rs:12)
fn described(site: &Site) -> String {
    format!("`{}` ({})", site.name, location(site))
}

fn location(site: &Site) -> String {
    format!("{}:{}", site.file, site.line)
}

fn clean_kind<T: Shared>(settled: &mut Settled<T::Settings>, sites: &[&'static Site], problems: &mut Vec<Problem>) {
    clean(&mut settled.defaults, T::Settings::default(), "", problems);
    beside_defaults::<T>(settled, sites, problems);
    let defaults = settled.defaults.settings;
    let said = catalog::said::<T>();
    for (name, table) in &mut settled.named {
        let rest = said.get(name.as_str()).map(|(said, _)| *said).unwrap_or_default().or(defaults);
        clean(table, rest, &format!("{} `{name}`: ", T::WHAT), problems);
    }
}

/// Defaults that are in range and do not fit to what an attribute says beside a name.
fn beside_defaults<T: Shared>(settled: &mut Settled<T::Settings>, sites: &[&'static Site], problems: &mut Vec<Problem>) {
    for site in sites {
        let Some((name, said)) = T::inline(site.declared()) else { continue };
        let named = settled.named.get(name).map(|table| table.settings).unwrap_or_default();
        let together = |defaults: &Table<T::Settings>| named.or(said).or(defaults.settings).problem();
        while named.or(said).problem().is_none()
            && let Some(problem) = together(&settled.defaults)
            && let Some(word) = word_of(&problem, &settled.defaults.settings)
        {
            let place = settled.defaults.place(word).cloned();
            problems.push(Problem::new(format!("{} `{name}` in {}: {problem}", T::WHAT, described(site)), place));
            settled.defaults.unset(word);
        }
    }
}

/// Reports everything that is wrong with a table over those settings, and takes it out, so that it is reported once.
fn clean<S: Words>(table: &mut Table<S>, rest: S, what: &str, problems: &mut Vec<Problem>) {
    for (word, problem) in take_out(&mut table.settings, |settings| settings.or(rest).problem()) {
        let place = table.place(word).cloned();
        let what = if matches!(place, Some(Place::Code)) { what } else { "" };
        problems.push(Problem::new(format!("{what}{problem}"), place));
        table.unset(word);
    }
}

fn place_of<S: Words>(problem: &str, table: &Table<S>) -> Option<Place> {
    quoted(problem).find_map(|word| table.place(word)).cloned()
}

fn places<S: Words>(settled: &Settled<S>) -> BTreeMap<String, Option<Place>> {
    settled.named.iter().map(|(name, table)| (name.clone(), table.named_at().cloned())).collect()
}

fn conflicts<T: Shared>(sites: &[&'static Site], doubts: &mut Vec<Doubt>) {
    let mut first = BTreeMap::new();
    for site in sites {
        let Some((name, settings)) = T::inline(site.declared()).filter(|(_, settings)| *settings != T::Settings::default()) else {
            continue;
        };
        let (other, said) = *first.entry(name).or_insert((*site, settings));
        if said != settings {
            let (one, two) = (described(other), described(site));
            let message = format!("{} `{name}` is given different settings by {one} and by {two}; say them in one place", T::WHAT);
            doubts.push(Doubt { problem: Problem::new(message, None), is_serious: true });
        }
    }
}

/// What the function lacks for that setting to be heard, if anything.
pub(super) fn missing(word: &str, declared: &Declared) -> Option<String> {
    let of_shared = |what: &str, name: &str| {
        Some(format!("`{word}` is that of the {what} `{name}`, which others may share: it belongs in [{what}s.{name}]"))
    };
    let of_own = |what: &str, right: &str| {
        let whose = if right.starts_with('b') { "has a name" } else { "is the function's own" };
        Some(format!("`{word}` is not heard here: this {what} {whose}, so it is `{right}.enabled`"))
    };
    let (policy, is_switch) = word.strip_suffix(".enabled").map_or((word, false), |policy| (policy, true));
    match (policy, declared.bucket, declared.bulkhead) {
        ("enabled", ..) => return None,
        ("rate", Some(_), _) if is_switch => return of_own("token bucket", "bucket"),
        ("bucket", None, _) if declared.has("rate") => return of_own("token bucket", "rate"),
        ("concurrency", _, Some(_)) if is_switch => return of_own("limit", "bulkhead"),
        ("bulkhead", _, None) if declared.has("concurrency") => return of_own("limit", "concurrency"),
        ("rate" | "burst", Some(name), _) => return of_shared("bucket", name),
        ("concurrency", _, Some(name)) => return of_shared("bulkhead", name),
        _ => {}
    }
    let needed = match needed(policy) {
        [] => &[policy],
        needed => needed,
    };
    let is_heard = declared.has_any(needed);
    let needed = super::problem::list(needed.iter().copied());
    (!is_heard).then(|| format!("`{word}` needs {needed} in the attribute; configuration tunes policies and never adds one"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_names_and_numbers_are_told_apart_on_purpose() {
        assert!(is_one_slip("fast", "fist") && is_one_slip("stripe", "stripes"));
        for (name, other) in [("one", "ore"), ("shard1", "shard2"), ("stripe", "partner"), ("stripe", "stripe")] {
            assert!(!is_one_slip(name, other), "{name} {other}");
        }
    }
}
