//! Reads the variables of the environment: `RESILIENT__BREAKERS__PAYMENTS__FAILURE_THRESHOLD=3`.

use super::layer::{Kind, Layer, Mistake};
use super::problem::{Problem, list, nearest};
use super::table::Place;
use super::value::Raw;
use super::words::Words as _;
use crate::budget::RetryBudget;
use crate::circuit_breaker::CircuitBreaker;
use crate::overrides::Overrides;
use crate::registry::{BucketSettings, BulkheadSettings};
use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

/// The names that the variables may be about.
pub(crate) struct Known<'a> {
    names: &'a dyn Fn(Kind) -> Vec<String>,
    /// Of each kind what they are as parts of variables, once somebody asks.
    found: [OnceCell<BTreeMap<String, Vec<String>>>; Kind::ALL.len()],
}

impl<'a> Known<'a> {
    pub(crate) fn new(names: &'a dyn Fn(Kind) -> Vec<String>) -> Self {
        Self { names, found: Default::default() }
    }

    /// Those, and what the variables that were read before name themselves.
    fn of(&self, kind: Kind, read: &Layer) -> &BTreeMap<String, Vec<String>> {
        self.found[kind as usize].get_or_init(|| {
            let mut found = BTreeMap::<_, Vec<_>>::new();
            let names: BTreeSet<_> = (self.names)(kind).into_iter().chain(read.given(kind).map(str::to_owned)).collect();
            for name in names {
                found.entry(as_variable(&name)).or_default().push(name);
            }
            found
        })
    }
}

/// What those variables say whose names begin with the prefix, and everything that is wrong with them.
pub(crate) fn read(
    prefix: &str,
    variables: impl IntoIterator<Item = (String, String)>,
    known: &Known<'_>,
) -> (Layer, Vec<Problem>) {
    let (mut layer, mut problems) = (Layer::default(), Vec::new());
    let prefix = format!("{}__", prefix.to_uppercase());
    let ours = variables.into_iter().filter_map(|(variable, value)| {
        let rest = variable.to_uppercase().strip_prefix(&prefix)?.to_owned();
        // The others may name budgets.
        Some((rest.starts_with("BUDGETS__"), variable, rest, value))
    });
    for (_, variable, rest, value) in ours.collect::<BTreeSet<_>>() {
        let place = Place::Variable(variable.into());
        if let Err(message) = take(&mut layer, &rest, &value, &place, known) {
            problems.push(Problem::new(message, Some(place)));
        }
    }
    (layer, problems)
}

fn take(layer: &mut Layer, rest: &str, value: &str, place: &Place, known: &Known<'_>) -> Result<(), String> {
    let (table, rest) = rest.split_once("__").unwrap_or((rest, ""));
    let kind = Kind::of(&table.to_lowercase())?;
    let raw = Raw::of_variable(value);
    if !kind.has_names() && rest.is_empty() {
        return Err(format!("a setting is expected after `{table}__`"));
    }
    if !kind.has_names() {
        return layer.take(kind, "", &rest.to_lowercase(), &raw, place.clone()).map_err(Mistake::into_message);
    }
    let expected = || format!("a name and a setting are expected after `{table}__`, with `__` between");
    let names = known.of(kind, layer);
    let (name, word) = split(kind, rest, names).ok_or_else(expected)?;
    match names.get(name).map(Vec::as_slice).unwrap_or_default() {
        [] if kind == Kind::Functions => Err(unknown_function(name, names)),
        [] => {
            let name = name.to_lowercase();
            layer.name(kind, &name, place.clone());
            layer.take(kind, &name, &word, &raw, place.clone()).map_err(Mistake::into_message)
        }
        [name] => {
            layer.name(kind, name, place.clone());
            layer.take(kind, name, &word, &raw, place.clone()).map_err(Mistake::into_message)
        }
        several => {
            let names = list(several.iter().map(String::as_str));
            Err(format!("this could mean {names}; a file can say which"))
        }
    }
}

/// The name of a thing in the middle, and the word of the setting at the end.
fn split<'a>(kind: Kind, rest: &'a str, names: &BTreeMap<String, Vec<String>>) -> Option<(&'a str, String)> {
    let words = match kind {
        Kind::Breakers => CircuitBreaker::WORDS,
        Kind::Buckets => BucketSettings::WORDS,
        Kind::Bulkheads => BulkheadSettings::WORDS,
        Kind::Budgets => RetryBudget::WORDS,
        Kind::Functions | Kind::Defaults | Kind::Switches => Overrides::WORDS,
    };
    let found = words.iter().filter_map(|word| {
        let end = format!("__{}", word.to_uppercase().replace('.', "__"));
        rest.strip_suffix(&end).filter(|name| !name.is_empty()).map(|name| (name, (*word).to_owned()))
    });
    // `BREAKER__ENABLED` is a longer end than `ENABLED`, unless `breaker` is the function.
    let found = found.min_by_key(|(name, _)| (!names.contains_key(*name), name.len()));
    let unknown = || rest.rsplit_once("__").filter(|(name, _)| !name.is_empty()).map(|(name, word)| (name, word.to_lowercase()));
    found.or_else(unknown)
}

fn unknown_function(name: &str, names: &BTreeMap<String, Vec<String>>) -> String {
    match nearest(name, names.keys().map(String::as_str)) {
        Some(meant) => format!("no function is called so; did you mean `{meant}`?"),
        None => format!("no function of this program has a name that is written `{name}`"),
    }
}

/// A name in upper case, every character that is no letter or digit as `_`.
fn as_variable(name: &str) -> String {
    name.chars().flat_map(char::to_uppercase).map(|c| if c.is_alphanumeric() { c } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_in_a_variable_is_said() {
        let told = |variable: &str| {
            let known = Known::new(&|_| Vec::new());
            let (_, problems) = read("any", [(variable.to_owned(), "1".to_owned())], &known);
            problems.first().map(|problem| problem.message().to_owned()).unwrap_or_default()
        };
        assert_eq!(told("ANY__BREAKERS__PAYMENTS"), "a name and a setting are expected after `BREAKERS__`, with `__` between");
        assert_eq!(told("ANY__FUNCTIONS"), "a name and a setting are expected after `FUNCTIONS__`, with `__` between");
        assert_eq!(told("ANY__DEFAULTS"), "a setting is expected after `DEFAULTS__`");
    }

    #[test]
    fn a_thousand_variables_ask_for_the_names_once() {
        let asked = std::cell::Cell::new(0);
        let names = |_| {
            asked.set(asked.get() + 1);
            vec!["some shop".to_owned()]
        };
        let variables = (0..1_000).map(|number| (format!("ANY__BREAKERS__SHOP_{number}__FAILURE_THRESHOLD"), "3".to_owned()));
        let (layer, problems) = read("any", variables, &Known::new(&names));
        assert_eq!((layer.shared.breakers.named.len(), problems.len(), asked.get()), (1_000, 0, 1));
    }
}
