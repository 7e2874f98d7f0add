use crate::budget::RetryBudget;
use crate::catalog::{Entry, Origin, catalog_of};
use crate::circuit_breaker::CircuitBreaker;
use crate::configure::check::Checks;
use crate::configure::environment::{self, Known};
use crate::configure::installed::Installed;
use crate::configure::layer::{Kind, Layer, Mistake};
use crate::configure::table::Place;
use crate::configure::value::Raw;
use crate::configure::words::Words;
use crate::overrides::{ALWAYS_GIVEN, Overrides};
use crate::rate::Rate;
use crate::registry::{BucketSettings, BulkheadSettings};
use crate::site::Site;
use std::time::Duration;

const FUNCTION: &str = "precedence::everything";

/// Has every policy; what it shares, under the name `everything` and for each key, with settings beside it.
static SHARING: Site = Site::new(FUNCTION, "precedence.rs", 1, |site| {
    site.retries(1)
        .timeout(Duration::from_secs(1))
        .deadline(Duration::from_secs(600))
        .breaker("everything", CircuitBreaker::new())
        .bucket("everything")
        .bulkhead("everything")
        .breaker_keys(None)
        .bucket_keys(None)
        .bulkhead_keys(None)
        .budget_named("everything")
});
inventory::submit! { Entry(&SHARING) }

/// Has a rate and a limit of its own.
static OWNING: Site =
    Site::new("precedence::owner", "precedence.rs", 2, |site| site.rate(Rate::per_second(1)).burst(2).concurrency(1));
inventory::submit! { Entry(&OWNING) }

/// Three values for a word, written as in a file; the first is what the attribute says, where it says it.
fn samples(kind: Kind, word: &str) -> [&'static str; 3] {
    match word {
        "enabled" | "shadow" => ["false", "true", "false"],
        _ if kind == Kind::Switches || word.ends_with(".enabled") => ["false", "true", "false"],
        "backoff" => ["\"linear\"", "\"constant\"", "\"fibonacci\""],
        "jitter" => ["\"equal\"", "\"none\"", "0.25"],
        "budget" => ["0.1", "\"none\"", "0.3"],
        "ratio" | "per_second" | "failure_ratio" | "slow_call_ratio" => ["0.1", "0.2", "0.3"],
        "rate" => ["\"7/s\"", "\"8/min\"", "\"9/h\""],
        "max_wait" => ["\"1s\"", "\"none\"", "\"3s\""],
        "base_delay" => ["\"1ms\"", "\"2ms\"", "\"3ms\""],
        "max_delay" | "recovery_timeout" | "timeout" | "deadline" | "max_retry_after" => ["\"21s\"", "\"22s\"", "\"23s\""],
        "max_recovery_timeout" => ["\"101s\"", "\"102s\"", "\"103s\""],
        "window" => ["100", "200", "\"5m\""],
        "slow_call_duration" => ["\"1s\"", "\"2s\"", "\"3s\""],
        _ => ["11", "12", "13"],
    }
}

fn raw(text: &str) -> Raw {
    match text.strip_prefix('"') {
        Some(text) => Raw::Text(text.trim_end_matches('"').to_owned()),
        None => Raw::of_variable(text),
    }
}

fn variable(kind: &str, name: &str, word: &str) -> String {
    let name = name.to_uppercase().replace(|c: char| !c.is_alphanumeric(), "_");
    let parts = [
        Some("T".to_owned()),
        Some(kind.to_uppercase()),
        (!name.is_empty()).then_some(name),
        Some(word.to_uppercase().replace('.', "__")),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join("__")
}

/// What the sources together come to, and what is wrong with it.
pub(super) fn together(code: Layer, file: &str, variables: &[(String, String)]) -> Result<Installed, Vec<String>> {
    let (file, mut problems) = crate::configure::file::read("test.toml", file.to_owned());
    let layer = file.or(code);
    let known = |kind| crate::configure::recipe::names(&layer, kind);
    let (environment, mistakes) = environment::read("t", variables.iter().cloned(), &Known::new(&known));
    problems.extend(mistakes);
    let mut checks = Checks { layer: environment.or(layer), problems, doubts: Vec::new() };
    checks.all();
    let Checks { layer: Layer { shared, functions, defaults, switches }, problems, doubts } = checks;
    let serious = doubts.into_iter().filter(|doubt| doubt.is_serious).map(|doubt| doubt.problem);
    let problems: Vec<_> = problems.into_iter().chain(serious).map(|problem| problem.to_string()).collect();
    if problems.is_empty() { Ok(Installed { functions, defaults, switches: switches.settings, shared }) } else { Err(problems) }
}

/// Every setting of every table: kind, the name of a thing, the word.
fn everything() -> Vec<(&'static str, Kind, &'static str, &'static str)> {
    let mut all = Vec::new();
    let mut add = |kind: &'static str, name, words: &[&'static str]| {
        let parsed = Kind::of(kind).expect("one of ours");
        all.extend(words.iter().map(|word| (kind, parsed, name, *word)));
    };
    add("breakers", "everything", CircuitBreaker::WORDS);
    add("buckets", "everything", BucketSettings::WORDS);
    add("bulkheads", "everything", BulkheadSettings::WORDS);
    add("budgets", "everything", RetryBudget::WORDS);
    let of_owner = |word: &str| ["rate", "burst", "concurrency"].contains(&word.trim_end_matches(".enabled"));
    let (owner, sharer): (Vec<&str>, Vec<&str>) = Overrides::WORDS.iter().partition(|word| of_owner(word));
    add("functions", "precedence::owner", &owner);
    add("functions", FUNCTION, &sharer);
    let is_default = |word: &&&str| **word != "enabled" && !word.contains('.') && !ALWAYS_GIVEN.contains(word);
    add("defaults", "", &Overrides::WORDS.iter().filter(is_default).copied().collect::<Vec<_>>());
    for words in [CircuitBreaker::WORDS, BucketSettings::WORDS, BulkheadSettings::WORDS, RetryBudget::WORDS] {
        add("defaults", "", &words.iter().filter(|word| **word != "enabled").copied().collect::<Vec<_>>());
    }
    add("switches", "", crate::configure::layer::Switches::WORDS);
    all
}

/// What the catalogue says of a setting.
fn listed(installed: &Installed, kind: Kind, name: &str, word: &str) -> Option<(String, Origin, Option<String>)> {
    let catalog = catalog_of(installed);
    let function = if kind == Kind::Functions { name } else { FUNCTION };
    let prefix = match kind {
        Kind::Breakers => "breaker.",
        Kind::Buckets => "bucket.",
        Kind::Bulkheads => "bulkhead.",
        Kind::Budgets => "budget.",
        _ => "",
    };
    let key = format!("{prefix}{word}");
    let function = catalog.functions.into_iter().find(|listed| listed.name == function)?;
    let setting = function
        .settings
        .into_iter()
        .find(|setting| setting.key == key || (kind == Kind::Defaults && setting.key.ends_with(&format!(".{word}"))))?;
    Some((setting.value, setting.origin, setting.place))
}

/// One test for all: each subset of the sources says something else, and the loudest of them is heard, at its place.
#[test]
fn environment_goes_before_file_and_file_before_code_for_every_setting() {
    for (table, kind, name, word) in everything() {
        for subset in 1..8_u8 {
            let [in_code, in_file, in_environment] = samples(kind, word);
            let mut code = Layer::default();
            if subset & 1 != 0 {
                code.take(kind, name, word, &raw(in_code), Place::Code).map_err(Mistake::into_message).expect(word);
            }
            let header = if name.is_empty() { format!("[{table}]") } else { format!("[{table}.\"{name}\"]") };
            let file = if subset & 2 != 0 { format!("{header}\n{word} = {in_file}") } else { String::new() };
            let variables = [(variable(table, name, word), in_environment.trim_matches('"').to_owned())];
            let variables = if subset & 4 != 0 { &variables[..] } else { &[] };
            let installed = together(code, &file, variables).unwrap_or_else(|problems| panic!("{table} {word}: {problems:?}"));
            let (loudest, place) = match subset {
                4.. => (in_environment, variable(table, name, word)),
                2.. => (in_file, format!("test.toml:2:{}", word.len() + 4)),
                _ => (in_code, "code".to_owned()),
            };
            if kind == Kind::Switches {
                assert_eq!(installed.switches.show(word).as_deref(), Some(loudest), "{word}");
                continue;
            }
            let Some((value, origin, at)) = listed(&installed, kind, name, word) else {
                panic!("the catalogue does not list {table} {word}")
            };
            // The attribute names a budget, and so a default for it is not heard.
            if kind == Kind::Defaults && word == "budget" {
                assert_eq!((value.as_str(), origin), ("everything", Origin::Attribute));
                continue;
            }
            assert_eq!(
                value,
                loudest.trim_matches('"').replace("101s", "1m41s").replace("102s", "1m42s").replace("103s", "1m43s"),
                "{table} {word} {subset}"
            );
            assert_eq!(at, Some(place), "{table} {word} {subset}");
            let by = match kind {
                Kind::Functions => Origin::Function,
                Kind::Defaults => Origin::Defaults,
                _ => Origin::Named,
            };
            assert_eq!(origin, by, "{table} {word}");
        }
    }
}
