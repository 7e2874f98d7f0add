//! Every annotated function of the linked program, and the policy that it has now.
//!
//! [`catalog()`](crate::catalog()) lists what the linker has collected: also functions that nobody has called yet, and those of dependencies, unless nothing
//! else of the crate is used, because then it is not linked. A [`Policy`](crate::Policy) is a value and not listed.

use crate::breaker::Breaker;
use crate::bucket::Bucket;
use crate::budget::{Budget, RetryBudget};
use crate::bulkhead::Bulkhead;
use crate::configure::installed::{Effective, Installed, installed};
use crate::configure::layer::Kind;
use crate::configure::table::{Place, Table};
use crate::configure::words::Words;
use crate::keyed::{DEFAULT_MAX_KEYS, Keys};
use crate::overrides::Overrides;
use crate::plan::Declared;
use crate::registry::{AllHeard, Heard, Settled, Shared, heard};
use crate::site::Site;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

/// What says nothing of a function that has no `key`.
const MAX_KEYS: &str = "max_keys";

/// A function's place in the catalogue, collected when the program is linked.
#[doc(hidden)]
#[derive(Debug)]
pub struct Entry(pub &'static Site);

inventory::collect!(Entry);

/// All sites, in no order.
pub(crate) fn sites() -> impl Iterator<Item = &'static Site> {
    inventory::iter::<Entry>.into_iter().map(|Entry(site)| *site)
}

/// All sites, by name and place.
pub(crate) fn sorted() -> Vec<&'static Site> {
    let mut sites: Vec<_> = sites().collect();
    sites.sort_by_key(|site| (site.name, site.file, site.line));
    sites
}

/// What attributes say beside the names of one kind: for each name the first function that says anything, by name and place.
pub(crate) type Said<T> = HashMap<&'static str, (<T as Shared>::Settings, &'static Site)>;

pub(crate) fn said<T: Shared>() -> Said<T> {
    let mut said = Said::<T>::new();
    let order = |site: &Site| (site.name, site.file, site.line);
    for site in sites() {
        let Some((name, settings)) = T::inline(site.declared()).filter(|(_, settings)| *settings != T::Settings::default()) else {
            continue;
        };
        let first = said.entry(name).or_insert((settings, site));
        if order(site) < order(first.1) {
            *first = (settings, site);
        }
    }
    said
}

/// What attributes say beside the names of one kind, and what is heard of that, or of a policy, where somebody has used the name.
struct Beside<T: Shared> {
    said: Said<T>,
    heard: Heard<T::Settings>,
}

/// That of every kind.
struct AllBeside {
    breakers: Beside<Breaker>,
    buckets: Beside<Bucket>,
    bulkheads: Beside<Bulkhead>,
    budgets: Beside<Budget>,
}

/// The functions of a program; to display it is to print a table.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "config", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Catalog {
    /// By name, and then by place.
    pub functions: Vec<Function>,
}

/// One annotated function.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "config", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Function {
    /// Its name in configuration, events and errors.
    pub name: String,
    /// The file that it is written in.
    pub file: String,
    /// The line of its attribute.
    pub line: u32,
    /// Whether a call has failed with an error that does not say what it means, and so counted as transient.
    pub is_unclassified: bool,
    /// What is said of it, and what holds without saying.
    pub settings: Vec<Setting>,
}

/// One setting of a function, or of something that it shares.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "config", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Setting {
    /// The attribute's key; for what is shared with its kind before it, such as `breaker.failure_threshold`.
    pub key: String,
    /// What holds now, as one would write it; the source text of an expression.
    pub value: String,
    /// Who says so.
    pub origin: Origin,
    /// Where configuration says so: `code`, `resilient.toml:3:1`, or the name of a variable. Of something shared, the function or policy
    /// that says so, if it is another.
    pub place: Option<String>,
    /// What the attribute says, where that is not what holds.
    pub declared: Option<String>,
}

/// Who has the say on a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "config", derive(serde::Serialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Origin {
    /// Nobody said anything.
    BuiltIn,
    /// The configuration's defaults.
    Defaults,
    /// The function's attribute.
    Attribute,
    /// The settings of the breaker, bucket, bulkhead or budget of that name.
    Named,
    /// The settings of the function, or of a pattern that its name matches.
    Function,
}

/// Every annotated function, with the policy that it has now.
///
/// ```
/// # use resilient_runtime as resilient;
/// let catalog = resilient::catalog();
/// println!("{catalog}");
/// assert!(catalog.functions.is_empty(), "no function is annotated here");
/// ```
#[must_use]
pub fn catalog() -> Catalog {
    let installed = Arc::clone(&installed());
    catalog_of(&installed)
}

pub(crate) fn catalog_of(installed: &Installed) -> Catalog {
    let AllHeard { breakers, buckets, bulkheads } = heard();
    let beside = AllBeside {
        breakers: Beside { said: said::<Breaker>(), heard: breakers },
        buckets: Beside { said: said::<Bucket>(), heard: buckets },
        bulkheads: Beside { said: said::<Bulkhead>(), heard: bulkheads },
        budgets: Beside { said: said::<Budget>(), heard: Heard::new() },
    };
    Catalog { functions: sorted().into_iter().map(|site| function(site, installed, &beside)).collect() }
}

fn function(site: &Site, installed: &Installed, beside: &AllBeside) -> Function {
    let declared = site.declared();
    let effective = installed.effective(declared);
    let mut settings = own(declared, &effective, installed);
    let shared = &installed.shared;
    of_named::<Breaker>(declared, Kind::Breakers, (&shared.breakers, &beside.breakers), &mut settings);
    of_named::<Bucket>(declared, Kind::Buckets, (&shared.buckets, &beside.buckets), &mut settings);
    of_named::<Bulkhead>(declared, Kind::Bulkheads, (&shared.bulkheads, &beside.bulkheads), &mut settings);
    if let Some(budget) = effective.settings.paying_budget() {
        of_shared::<Budget>(budget, declared, Keys::None, (&shared.budgets, &beside.budgets), &mut settings);
    } else if declared.has("retries") && effective.settings.has_own_budget() {
        settings.extend(of_own_budget(&shared.budgets.defaults));
    }
    let is_unclassified = site.record().has_told_unclassified();
    Function { name: declared.name.to_owned(), file: site.file.to_owned(), line: site.line, is_unclassified, settings }
}

fn own(declared: &Declared, effective: &Effective, installed: &Installed) -> Vec<Setting> {
    let mut settings = Vec::new();
    for word in Overrides::WORDS.iter().copied() {
        let belongs_to_shared =
            matches!((word, declared.bucket, declared.bulkhead), ("rate" | "burst", Some(_), _) | ("concurrency", _, Some(_)));
        if belongs_to_shared {
            continue;
        }
        let attribute = declared.own.show(word).or_else(|| declared.expression(word).map(one_line));
        let by_table = effective.table.settings.show(word).map(|value| (value, Origin::Function, effective.table.place(word)));
        let by_attribute = attribute.clone().map(|value| (value, Origin::Attribute, None));
        let by_defaults = || effective.settings.show(word).map(|value| (value, Origin::Defaults, installed.defaults.place(word)));
        let built_in = || {
            let value = declared.built_in(word, &effective.settings)?;
            let ratio = default_ratio(&installed.shared.budgets.defaults).filter(|_| word == "budget");
            Some(ratio.unwrap_or((value, Origin::BuiltIn, None)))
        };
        if let Some(held) = by_table.or(by_attribute).or_else(by_defaults).or_else(built_in) {
            settings.push(setting(word.to_owned(), held, attribute));
        }
    }
    let is_own = |key: &str| Overrides::WORDS.contains(&key);
    settings.extend(own_max_keys(declared));
    let code = declared.expressions.iter().filter(|(key, _)| !is_own(key));
    settings.extend(code.map(|(key, text)| setting((*key).to_owned(), (one_line(text), Origin::Attribute, None), None)));
    settings
}

/// Source text, as the compiler hands it over, has line breaks.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// How many keys the buckets and bulkheads have at most that are the function's own.
fn own_max_keys(declared: &Declared) -> impl Iterator<Item = Setting> {
    let bucket = declared.bucket_settings(&declared.own).max_keys;
    let bulkhead = declared.bulkhead_settings(&declared.own).max_keys;
    let kinds = [(Kind::Buckets, Bucket::WHAT, bucket), (Kind::Bulkheads, Bulkhead::WHAT, bulkhead)];
    let own = kinds.into_iter().filter(|(kind, ..)| declared.keys(*kind).are_there() && declared.named(*kind).is_none());
    own.map(|(_, what, max_keys)| {
        let origin = if max_keys.is_some() { Origin::Attribute } else { Origin::BuiltIn };
        setting(format!("{what}.{MAX_KEYS}"), (max_keys.unwrap_or(DEFAULT_MAX_KEYS).to_string(), origin, None), None)
    })
}

type Held<'a> = (String, Origin, Option<&'a Place>);

fn setting(key: String, (value, origin, place): Held<'_>, attribute: Option<String>) -> Setting {
    let declared = attribute.filter(|said| origin != Origin::Attribute || *said != value);
    Setting { key, value, origin, place: place.map(ToString::to_string), declared }
}

/// What holds for the pools of functions that say nothing of theirs.
fn default_ratio(budgets: &Table<RetryBudget>) -> Option<Held<'_>> {
    let ratio = budgets.settings.show("ratio")?;
    Some((ratio, Origin::Defaults, budgets.place("ratio")))
}

/// What defaults say of a pool without a name; its ratio is its function's `budget`.
fn of_own_budget(defaults: &Table<RetryBudget>) -> impl Iterator<Item = Setting> {
    let words = RetryBudget::WORDS.iter().filter(|word| **word != "ratio");
    words.filter_map(|word| {
        let held = (defaults.settings.show(word)?, Origin::Defaults, defaults.place(word));
        Some(setting(format!("{}.{word}", Budget::WHAT), held, None))
    })
}

/// Of what the attribute names.
fn of_named<T: Shared>(
    declared: &Declared,
    kind: Kind,
    configured: (&Settled<T::Settings>, &Beside<T>),
    settings: &mut Vec<Setting>,
) {
    if let Some(name) = declared.named(kind) {
        settings.push(setting(T::WHAT.to_owned(), (name.to_owned(), Origin::Attribute, None), None));
        of_shared::<T>(name, declared, declared.keys(kind), configured, settings);
    }
}

fn of_shared<T: Shared>(
    name: &str,
    declared: &Declared,
    keys: Keys,
    (settled, beside): (&Settled<T::Settings>, &Beside<T>),
    settings: &mut Vec<Setting>,
) {
    let nothing = Table::default();
    let table = settled.named.get(name).unwrap_or(&nothing);
    let own = T::inline(declared).filter(|(named, _)| *named == name).map(|(_, settings)| settings).unwrap_or_default();
    let (settings_beside, whose) = beside.of(name, own);
    let built_in = T::built_in(&settled.settings(name, Some(settings_beside)));
    for word in T::Settings::WORDS {
        if *word == MAX_KEYS && !keys.are_there() {
            continue;
        }
        let attribute = settings_beside.show(word);
        let by_table = table.settings.show(word).map(|value| (value, Origin::Named, table.place(word)));
        let by_attribute = attribute.clone().map(|value| (value, Origin::Attribute, whose.as_ref()));
        let by_defaults =
            || settled.defaults.settings.show(word).map(|value| (value, Origin::Defaults, settled.defaults.place(word)));
        let by_nobody =
            || built_in.show(word).filter(|_| !["enabled", "shadow"].contains(word)).map(|value| (value, Origin::BuiltIn, None));
        if let Some(held) = by_table.or(by_attribute).or_else(by_defaults).or_else(by_nobody) {
            settings.push(setting(format!("{}.{word}", T::WHAT), held, own.show(word).or(attribute)));
        }
    }
}

impl<T: Shared> Beside<T> {
    /// What holds beside a name for a function that says that itself, and whose word it is, if it is another's: what is heard or, as
    /// long as nobody has used the name, what its own attribute says or, if that says nothing, the first one that does.
    fn of(&self, name: &str, own: T::Settings) -> (T::Settings, Option<Place>) {
        let heard = self.heard.get(name).copied();
        let said = || self.said.get(name).map(|(settings, site)| (*settings, site.name));
        let is_own = |settings: T::Settings| settings == own || heard.is_none() && own != T::Settings::default();
        match heard.or_else(said) {
            Some((settings, function)) if !is_own(settings) => (settings, Some(Place::Attribute(function))),
            _ => (own, None),
        }
    }
}

impl fmt::Display for Catalog {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, function) in self.functions.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(formatter, "{separator}{function}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Function {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{}  {}:{}", self.name, self.file, self.line)?;
        let width =
            |part: fn(&Setting) -> &str| self.settings.iter().map(|setting| part(setting).chars().count()).max().unwrap_or(0);
        let (keys, values) = (width(|setting| &setting.key), width(|setting| &setting.value).min(32));
        for setting in &self.settings {
            let Setting { key, value, .. } = setting;
            writeln!(formatter, "    {key:keys$}  {value:values$}  {}", setting.said())?;
        }
        if self.is_unclassified {
            writeln!(
                formatter,
                "    its errors do not say what they mean, and count as transient: derive `Classify`, or set `classify`"
            )?;
        }
        Ok(())
    }
}

impl Setting {
    fn said(&self) -> String {
        let by = match self.origin {
            Origin::BuiltIn => "built in",
            Origin::Defaults => "defaults",
            Origin::Attribute => "attribute",
            Origin::Named => "named",
            Origin::Function => "function",
        };
        let place = self.place.as_ref().map(|place| format!(", {place}")).unwrap_or_default();
        let declared = self.declared.as_ref().map(|declared| format!(" (attribute: {declared})")).unwrap_or_default();
        format!("{by}{place}{declared}")
    }
}
