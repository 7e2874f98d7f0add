//! What one source of a configuration says.

use super::installed::{FunctionTable, Pattern};
use super::problem::{list, nearest};
use super::table::{Place, Table};
use super::value::Raw;
use super::words::{Words, words};
use crate::budget::RetryBudget;
use crate::circuit_breaker::CircuitBreaker;
use crate::overrides::{ALWAYS_GIVEN, Overrides};
use crate::registry::{BucketSettings, BulkheadSettings, Configured, Settled};

/// The tables of a configuration, as its user knows them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Defaults,
    Switches,
    Breakers,
    Buckets,
    Bulkheads,
    Budgets,
    Functions,
}

impl Kind {
    pub(crate) const ALL: [(&'static str, Self); 7] = [
        ("defaults", Self::Defaults),
        ("switches", Self::Switches),
        ("breakers", Self::Breakers),
        ("buckets", Self::Buckets),
        ("bulkheads", Self::Bulkheads),
        ("budgets", Self::Budgets),
        ("functions", Self::Functions),
    ];

    pub(crate) fn of(word: &str) -> Result<Self, String> {
        if let Some((_, kind)) = Self::ALL.iter().find(|(name, _)| *name == word) {
            return Ok(*kind);
        }
        let words = Self::ALL.iter().map(|(name, _)| *name);
        Err(match nearest(word, words.clone()) {
            Some(meant) => format!("unknown table `{word}`; did you mean `{meant}`?"),
            None => format!("unknown table `{word}`; the tables are {}", list(words)),
        })
    }

    pub(crate) fn has_names(self) -> bool {
        !matches!(self, Self::Defaults | Self::Switches)
    }
}

/// What operators switch for the whole process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Switches {
    pub(crate) retries: Option<bool>,
}

words! { Switches { retries = "retries" } }

impl Switches {
    #[expect(clippy::unused_self, clippy::trivially_copy_pass_by_ref, reason = "as the other settings have it")]
    fn problem(&self) -> Option<String> {
        None
    }
}

/// What is wrong with one setting, and with which end of it.
#[derive(Debug)]
pub(crate) enum Mistake {
    Word(String),
    Value(String),
}

impl Mistake {
    pub(crate) fn into_message(self) -> String {
        match self {
            Self::Word(message) | Self::Value(message) => message,
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Layer {
    pub(crate) shared: Configured,
    pub(crate) functions: Vec<FunctionTable>,
    pub(crate) defaults: Table<Overrides>,
    pub(crate) switches: Table<Switches>,
}

impl Layer {
    /// Takes one setting, of the thing of that name where its kind has names.
    ///
    /// # Errors
    ///
    /// What is wrong with the word or its value.
    pub(crate) fn take(&mut self, kind: Kind, name: &str, word: &str, raw: &Raw, place: Place) -> Result<(), Mistake> {
        match kind {
            Kind::Breakers => set(self.shared.breakers.table(name), word, raw, place, foreign_to_named),
            Kind::Buckets => set(self.shared.buckets.table(name), word, raw, place, foreign_to_named),
            Kind::Bulkheads => set(self.shared.bulkheads.table(name), word, raw, place, foreign_to_named),
            Kind::Budgets => set(self.shared.budgets.table(name), word, raw, place, foreign_to_named),
            Kind::Functions => set(self.function(name), word, raw, place, foreign_to_function),
            Kind::Switches => set(&mut self.switches, word, raw, place, foreign_to_named),
            Kind::Defaults => self.take_default(word, raw, place),
        }
    }

    fn take_default(&mut self, word: &str, raw: &Raw, place: Place) -> Result<(), Mistake> {
        let is_of = |words: &[&str]| word != "enabled" && words.contains(&word);
        if word == "max_keys" {
            let shared = &mut self.shared;
            set(&mut shared.breakers.defaults, word, raw, place.clone(), foreign_to_named)?;
            set(&mut shared.buckets.defaults, word, raw, place.clone(), foreign_to_named)?;
            return set(&mut shared.bulkheads.defaults, word, raw, place, foreign_to_named);
        }
        if is_of(CircuitBreaker::WORDS) {
            return set(&mut self.shared.breakers.defaults, word, raw, place, foreign_to_named);
        }
        if is_of(BucketSettings::WORDS) {
            return set(&mut self.shared.buckets.defaults, word, raw, place, foreign_to_named);
        }
        if is_of(BulkheadSettings::WORDS) {
            return set(&mut self.shared.bulkheads.defaults, word, raw, place, foreign_to_named);
        }
        if is_of(RetryBudget::WORDS) {
            return set(&mut self.shared.budgets.defaults, word, raw, place, foreign_to_named);
        }
        if word == "enabled" || word.contains('.') || ALWAYS_GIVEN.contains(&word) {
            let what = "has no default, because every attribute that needs it says it";
            let what = if word.contains("enabled") { "is no default" } else { what };
            return Err(Mistake::Word(format!("`{word}` {what}; for all functions, set it in [functions.\"*\"]")));
        }
        let words = default_words();
        if !words.contains(&word) {
            return Err(Mistake::Word(unknown(word, &words, foreign_to_named)));
        }
        set(&mut self.defaults, word, raw, place, foreign_to_named)
    }

    /// The table of a function or a pattern, remembered where its name was met first.
    pub(crate) fn function(&mut self, pattern: &str) -> &mut Table<Overrides> {
        let position = self.functions.iter().position(|function| function.pattern.text == pattern);
        let position = position.unwrap_or_else(|| {
            let pattern = Pattern { text: pattern.to_owned() };
            self.functions.push(FunctionTable { pattern, table: Table::default() });
            self.functions.len() - 1
        });
        &mut self.functions[position].table
    }

    /// Remembers that the thing was named there, even if nothing is said of it.
    pub(crate) fn name(&mut self, kind: Kind, name: &str, place: Place) {
        match kind {
            Kind::Breakers => self.shared.breakers.table(name).name_at(place),
            Kind::Buckets => self.shared.buckets.table(name).name_at(place),
            Kind::Bulkheads => self.shared.bulkheads.table(name).name_at(place),
            Kind::Budgets => self.shared.budgets.table(name).name_at(place),
            Kind::Functions => self.function(name).name_at(place),
            Kind::Defaults | Kind::Switches => {}
        }
    }

    /// The things of that kind that functions are given by its tables, patterns and defaults.
    pub(crate) fn given(&self, kind: Kind) -> impl Iterator<Item = &'static str> {
        let tables = self.functions.iter().map(|function| &function.table).chain([&self.defaults]);
        tables.filter_map(|table| table.settings.named_budget()).filter(move |_| kind == Kind::Budgets)
    }

    /// This layer, and where it says nothing that one. Patterns stay apart: they are compared when a function asks.
    #[must_use]
    pub(crate) fn or(mut self, other: Self) -> Self {
        self.shared = Configured {
            breakers: self.shared.breakers.or(other.shared.breakers),
            buckets: self.shared.buckets.or(other.shared.buckets),
            bulkheads: self.shared.bulkheads.or(other.shared.bulkheads),
            budgets: self.shared.budgets.or(other.shared.budgets),
        };
        self.functions.extend(other.functions);
        self.defaults = self.defaults.or(other.defaults);
        self.switches = self.switches.or(other.switches);
        self
    }

    /// Within one source the nearer pattern is heard.
    pub(crate) fn sort_functions(&mut self) {
        self.functions.sort_by_key(|function| std::cmp::Reverse(function.pattern.specificity()));
    }
}

/// What `[defaults]` takes.
pub(crate) fn default_words() -> Vec<&'static str> {
    let own = Overrides::WORDS.iter().filter(|word| !ALWAYS_GIVEN.contains(word));
    let shared = [CircuitBreaker::WORDS, BucketSettings::WORDS, BulkheadSettings::WORDS, RetryBudget::WORDS];
    let words = own.chain(shared.into_iter().flatten()).copied();
    let mut unique = Vec::new();
    for word in words.filter(|word| *word != "enabled" && !word.contains('.')) {
        if !unique.contains(&word) {
            unique.push(word);
        }
    }
    unique
}

impl<S: Words> Settled<S> {
    pub(crate) fn table(&mut self, name: &str) -> &mut Table<S> {
        self.named.entry(name.to_owned()).or_default()
    }

    #[must_use]
    fn or(mut self, other: Self) -> Self {
        for (name, table) in other.named {
            let ours = self.named.remove(&name).unwrap_or_default();
            self.named.insert(name, ours.or(table));
        }
        self.defaults = self.defaults.or(other.defaults);
        self
    }
}

fn set<S: Words>(
    table: &mut Table<S>,
    word: &str,
    raw: &Raw,
    place: Place,
    foreign: fn(&str) -> Option<String>,
) -> Result<(), Mistake> {
    let Some(word) = S::WORDS.iter().find(|known| **known == word) else {
        return Err(Mistake::Word(unknown(word, S::WORDS, foreign)));
    };
    if let Some(first) = table.place(word) {
        return Err(Mistake::Word(format!("`{word}` is said twice: also at {first}")));
    }
    table.settings.read(word, raw).map_err(Mistake::Value)?;
    table.put(word, place);
    Ok(())
}

fn unknown(word: &str, words: &[&str], foreign: fn(&str) -> Option<String>) -> String {
    if let Some(message) = foreign(word) {
        return message;
    }
    match nearest(word, words.iter().copied()) {
        Some(meant) => format!("unknown setting `{word}`; did you mean `{meant}`?"),
        None => format!("unknown setting `{word}`; the settings here are {}", list(words.iter().copied())),
    }
}

fn foreign_to_named(word: &str) -> Option<String> {
    let is_of_function = Overrides::WORDS.contains(&word);
    is_of_function.then(|| format!("`{word}` is a setting of functions: it belongs in [functions.\"NAME\"]"))
}

fn foreign_to_function(word: &str) -> Option<String> {
    const CODE: [&str; 9] = ["retry_if", "classify", "fallback", "map_err", "clone", "reuse", "context", "key", "name"];
    if CODE.contains(&word) {
        return Some(format!("`{word}` is code, which only the attribute can say"));
    }
    if ["breaker", "bucket", "bulkhead"].contains(&word) {
        return Some(format!("which {word} a function uses is said in its attribute; `{word}.enabled = false` takes it away"));
    }
    if word == "max_keys" {
        return Some("`max_keys` belongs to what has a name: [breakers.NAME], [buckets.NAME] or [bulkheads.NAME]".to_owned());
    }
    let kinds = [("breakers", CircuitBreaker::WORDS), ("budgets", RetryBudget::WORDS)];
    let kind = kinds.iter().find(|(_, words)| words.contains(&word))?.0;
    Some(format!("`{word}` is shared by every function that has the name: it belongs in [{kind}.NAME]"))
}
