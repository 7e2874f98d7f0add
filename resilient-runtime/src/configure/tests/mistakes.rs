//! What a person reads who has made a mistake.

use crate::catalog::Entry;
use crate::circuit_breaker::CircuitBreaker;
use crate::configure::environment::{self, Known};
use crate::configure::layer::Layer;
use crate::configure::tests::precedence::together;
use crate::configure::tests::{Directory, turn};
use crate::rate::Rate;
use crate::site::Site;

static CHARGE: Site = Site::new("mistakes::charge", "shop.rs", 12, |site| {
    site.retries(1).breaker("mistakes-paymets", CircuitBreaker::new()).bucket("mistakes-stripe").rate(Rate::per_second(7))
});
inventory::submit! { Entry(&CHARGE) }

static TWIN: Site = Site::new("mistakes::twin", "one.rs", 1, |site| site.retries(1));
inventory::submit! { Entry(&TWIN) }
static OTHER_TWIN: Site = Site::new("mistakes::twin", "two.rs", 2, |site| site.retries(1));
inventory::submit! { Entry(&OTHER_TWIN) }

static COMPUTED: Site = Site::new("mistakes::computed", "shop.rs", 40, |site| {
    site.retries(1).expressions(&[("base_delay", "TINY"), ("max_delay", "TINY")])
});
inventory::submit! { Entry(&COMPUTED) }

static SLOW: Site = Site::new("mistakes::slow", "shop.rs", 50, |site| site.bucket("mistakes-slow").rate(Rate::per_day(1)));
inventory::submit! { Entry(&SLOW) }

static PATIENT: Site = Site::new("mistakes::patient", "shop.rs", 70, |site| {
    site.breaker("mistakes-patient", CircuitBreaker::new().recovery_timeout(std::time::Duration::from_secs(30)))
});
inventory::submit! { Entry(&PATIENT) }

static CROWDED: Site = Site::new("mistakes::crowded", "shop.rs", 80, |site| site.bulkhead("mistakes-db").concurrency(3));
inventory::submit! { Entry(&CROWDED) }

static TIMEOUT: Site = Site::new("mistakes::timeout", "shop.rs", 60, |site| site.retries(1));
inventory::submit! { Entry(&TIMEOUT) }

fn problems(file: &str, variables: &[(&str, &str)]) -> Vec<String> {
    let variables: Vec<_> = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    together(Layer::default(), file, &variables).err().unwrap_or_default()
}

/// The one mistake that there is, as it is displayed.
#[track_caller]
fn problem(file: &str) -> String {
    let problems = problems(file, &[]);
    assert_eq!(problems.len(), 1, "{problems:#?}");
    problems.into_iter().next().unwrap_or_default()
}

#[test]
fn a_mistake_is_shown_where_it_is() {
    assert_eq!(
        problem("[breakers.everything]\nfailure_treshold = 3\n"),
        "\
unknown setting `failure_treshold`; did you mean `failure_threshold`?
 --> test.toml:2:1
  |
2 | failure_treshold = 3
  | ^^^^^^^^^^^^^^^^"
    );
    assert_eq!(
        problem("# für Ümläute 漢字\n[buckets.everything]\nrate = \"100/fortnight\" # 漢\n"),
        "\
\"100/fortnight\" is not a rate such as \"100/s\": the units are `s`, `min`, `h`, `day`, or a time such as `90s`
 --> test.toml:3:8
  |
3 | rate = \"100/fortnight\" # 漢
  |        ^^^^^^^^^^^^^^^"
    );
}

/// File, and what is said of it.
const MISTAKES: &[(&str, &str)] = &[
    ("[breaker.payments]", "unknown table `breaker`; did you mean `breakers`?"),
    (
        "[colours]",
        "unknown table `colours`; the tables are `defaults`, `switches`, `breakers`, `buckets`, `bulkheads`, `budgets` or `functions`",
    ),
    ("defaults = 3", "`defaults` is a table: [defaults]"),
    ("[breakers]\nfailure_threshold = 3", "a name and its settings are expected here: [breakers.payments]"),
    ("[breakers.\"\"]\nfailure_threshold = 3", "this name is empty"),
    ("[breakers.everything]\nfailure_threshold = \"3\"", "`failure_threshold` takes a whole number, not \"3\""),
    ("[breakers.everything]\nfailure_threshold = 0", "`failure_threshold` must be from 1 to 1000000"),
    ("[breakers.everything]\nfailure_threshold = -1", "`-1` is out of range: 0 to 4294967295"),
    ("[breakers.everything]\nfailure_threshold = 99999999999999999999", "`99999999999999999999` is too large"),
    (
        "[breakers.everything]\nrecovery_timeout = 5",
        "`recovery_timeout` takes a duration such as \"250ms\", \"2s\" or \"1m30s\", not 5",
    ),
    (
        "[breakers.everything]\nrecovery_timeout = []",
        "`recovery_timeout` takes a duration such as \"250ms\", \"2s\" or \"1m30s\", not an array",
    ),
    ("[breakers.everything]\nretries = 3", "`retries` is a setting of functions: it belongs in [functions.\"NAME\"]"),
    ("[buckets.everything]\nburst = 0", "`burst`: a burst must be at least 1"),
    ("[buckets.everything]\nrate = 0", "`rate`: a rate must be greater than zero"),
    ("[bulkheads.everything]\nconcurrency = 0", "`concurrency` must be from 1 to 1000000"),
    ("[breakers.everything]\nmax_keys = 0", "`max_keys` must be from 1 to 10000000"),
    ("[buckets.everything]\nmax_keys = 0", "`max_keys` must be from 1 to 10000000"),
    ("[bulkheads.everything]\nmax_keys = 10000001", "`max_keys` must be from 1 to 10000000"),
    (
        "[functions.\"precedence::everything\"]\nmax_keys = 5",
        "`max_keys` belongs to what has a name: [breakers.NAME], [buckets.NAME] or [bulkheads.NAME]",
    ),
    ("[budgets.everything]\nratio = nan", "`ratio` must be from 0 to 10"),
    ("[switches]\nretrys = false", "unknown setting `retrys`; did you mean `retries`?"),
    (
        "[defaults]\nretries = 3",
        "`retries` has no default, because every attribute that needs it says it; for all functions, set it in [functions.\"*\"]",
    ),
    ("[defaults]\nenabled = false", "`enabled` is no default; for all functions, set it in [functions.\"*\"]"),
    ("[defaults]\njitter = 1.5", "`jitter` must be from 0 to 1"),
    ("[functions.\"precedence::everything\"]\ntimeout = \"0s\"", "`timeout` must be longer than zero"),
    ("[functions.\"precedence::everything\"]\nfallback = true", "`fallback` is code, which only the attribute can say"),
    (
        "[functions.\"precedence::everything\"]\nbreaker = \"x\"",
        "which breaker a function uses is said in its attribute; `breaker.enabled = false` takes it away",
    ),
    (
        "[functions.\"precedence::everything\"]\nfailure_threshold = 1",
        "`failure_threshold` is shared by every function that has the name: it belongs in [breakers.NAME]",
    ),
    (
        "[functions.\"precedence::everything\"]\nbreaker.enable = false",
        "unknown setting `breaker.enable`; did you mean `breaker.enabled`?",
    ),
    (
        "[functions.\"precedence::everything\"]\ntimeout = \"601s\"",
        "function `precedence::everything` (precedence.rs:1): `timeout` (10m1s) must be at most `deadline` (10m)",
    ),
    (
        "[functions.\"precedence::everithing\"]\nretries = 1",
        "no function has the name `precedence::everithing`; did you mean `precedence::everything`?",
    ),
    ("[functions.everything]\nretries = 1", "no function has the name `everything`; did you mean `precedence::everything`?"),
    (
        "[functions.\"precedence::*::everything\"]\nretries = 1",
        "`precedence::*::everything`: a `*` may stand at the end alone, as in `\"shop::*\"`",
    ),
    (
        "[functions.\"mistakes::charge\"]\nrate.enabled = false",
        "`mistakes::charge`: `rate.enabled` is not heard here: this token bucket has a name, so it is `bucket.enabled`",
    ),
    (
        "[functions.\"precedence::owner\"]\nbucket.enabled = false",
        "`precedence::owner`: `bucket.enabled` is not heard here: this token bucket is the function's own, so it is `rate.enabled`",
    ),
    (
        "[functions.\"precedence::owner\"]\nbulkhead.enabled = false",
        "`precedence::owner`: `bulkhead.enabled` is not heard here: this limit is the function's own, so it is `concurrency.enabled`",
    ),
    ("[functions.\"nothing::*\"]\nretries = 1", "no function has a name that begins like `nothing::*`"),
    (
        "[functions.\"precedence::owner\"]\nretries = 1",
        "`precedence::owner`: `retries` needs `retries` in the attribute; configuration tunes policies and never adds one",
    ),
    (
        "[functions.\"precedence::owner\"]\nbreaker.enabled = false",
        "`precedence::owner`: `breaker.enabled` needs `breaker` in the attribute; configuration tunes policies and never adds one",
    ),
    (
        "[functions.\"mistakes::charge\"]\nrate = 1",
        "`mistakes::charge`: `rate` is that of the bucket `mistakes-stripe`, which others may share: it belongs in [buckets.mistakes-stripe]",
    ),
    (
        "[functions.\"mistakes::crowded\"]\nconcurrency = 1",
        "`mistakes::crowded`: `concurrency` is that of the bulkhead `mistakes-db`, which others may share: it belongs in [bulkheads.mistakes-db]",
    ),
    (
        "[functions.\"mistakes::crowded\"]\nconcurrency.enabled = false",
        "`mistakes::crowded`: `concurrency.enabled` is not heard here: this limit has a name, so it is `bulkhead.enabled`",
    ),
    (
        "[functions.\"mistakes::timeout\"]\nbucket.enabled = false",
        "`mistakes::timeout`: `bucket.enabled` needs `bucket` in the attribute; configuration tunes policies and never adds one",
    ),
    (
        "[functions.\"mistakes::timeout\"]\nbulkhead.enabled = false",
        "`mistakes::timeout`: `bulkhead.enabled` needs `bulkhead` in the attribute; configuration tunes policies and never adds one",
    ),
    ("[functions.\"mistakes::timeout\"]\nbudget = \"\"", "a budget's name may not be empty"),
    (
        "[functions.\"mistakes::timeout\"]\njitter = \"some\"",
        "`jitter` takes \"full\", \"equal\", \"none\" or a ratio from 0 to 1, not \"some\"",
    ),
    (
        "[functions.\"mistakes::twin\"]\nretries = 2",
        "two functions have the name `mistakes::twin`, at one.rs:1 and two.rs:2; tell them apart with `name = …` in an attribute",
    ),
    (
        "[breakers.mistakes-payments]\nfailure_threshold = 3",
        "breaker `mistakes-paymets` in `mistakes::charge` (shop.rs:12): no such breaker is configured; did you mean `mistakes-payments`, which nothing uses?",
    ),
];

#[test]
fn every_mistake_has_its_words() {
    for (file, message) in MISTAKES {
        let shown = problem(file);
        assert_eq!(shown.lines().next(), Some(*message), "{file}");
        assert!(shown.contains("\n --> test.toml:"), "{shown}");
    }
}

/// What stands where a table is expected, and what is shown instead.
#[test]
fn a_table_that_is_none_is_shown_as_it_should_be() {
    for (kind, example) in [
        ("defaults", "[defaults]"),
        ("switches", "[switches]"),
        ("breakers", "[breakers.payments]"),
        ("buckets", "[buckets.stripe]"),
        ("bulkheads", "[bulkheads.db]"),
        ("budgets", "[budgets.partner]"),
        ("functions", "[functions.\"shop::charge\"]"),
    ] {
        let expected = format!("`{kind}` is a table: {example}");
        assert_eq!(problem(&format!("{kind} = 3")).lines().next(), Some(expected.as_str()));
    }
}

#[test]
fn a_name_that_only_the_program_uses_is_meant_by_one_that_nobody_does() {
    crate::registry::bucket("mistakes-of-the-program");
    let shown = problem("[buckets.mistakes-of-the-programm]\nrate = 7");
    let message = "nothing uses bucket `mistakes-of-the-programm`; did you mean `mistakes-of-the-program`?";
    assert_eq!(shown.lines().next(), Some(message));
}

#[test]
fn a_default_that_does_not_fit_beside_an_attribute_without_a_table_is_shown_once() {
    let shown = problem("[defaults]\nmax_recovery_timeout = \"20s\"");
    let message = "breaker `mistakes-patient` in `mistakes::patient` (shop.rs:70): `max_recovery_timeout` must be at least";
    assert!(shown.starts_with(message), "{shown}");
    assert!(shown.contains("test.toml:2:24"), "{shown}");
}

#[test]
fn a_variable_that_could_mean_two_names_says_so() {
    let known = |_| vec!["two names".to_owned(), "two.names".to_owned()];
    let variable = ("T__BREAKERS__TWO_NAMES__ENABLED".to_owned(), "false".to_owned());
    let (_, problems) = environment::read("t", [variable], &Known::new(&known));
    let told: Vec<_> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(told, ["T__BREAKERS__TWO_NAMES__ENABLED: this could mean `two names` or `two.names`; a file can say which"]);
}

#[test]
fn all_mistakes_are_told_together() {
    let file: String = "[functions.\"precedence::everything\"]\nretries = -1\ntimeout = \"soon\"\nfallback = 3\n[breakers.everything]\nfailure_threshold = 0\nhalf_open_calls = 0\n[colours]\n".into();
    let problems = problems(&file, &[("T__BREAKERS__EVERYTHING__SUCCESS_THRESHOLD", "0")]);
    assert_eq!(problems.len(), 7, "{problems:#?}");
}

#[test]
fn a_mistake_that_several_kinds_hear_is_told_once() {
    let _turn = turn();
    let directory = Directory::new("once");
    directory.write("a.toml", "[breakers.everything]\nfailure_threshold = 0\n[defaults]\nmax_keys = 0\n");
    let error = crate::configure().file(directory.path("a.toml")).lenient().install().expect_err("two mistakes");
    let told: Vec<_> = error.problems().map(crate::configure::Problem::message).collect();
    assert_eq!(told, ["`failure_threshold` must be from 1 to 1000000", "`max_keys` must be from 1 to 10000000"]);
}

#[test]
fn a_file_that_is_no_toml_says_where() {
    let shown = problem("[breakers.everything\nfailure_threshold = 3");
    assert!(shown.contains("test.toml:1:"), "{shown}");
    assert!(problem("x = 1\nx = 2").contains("test.toml:2:1"));
}

#[test]
fn variables_are_named() {
    let problem = |name, value| problems("", &[(name, value)]);
    assert_eq!(
        problem("T__BREAKERS__EVERYTHING__FAILURE_TRESHOLD", "3"),
        ["T__BREAKERS__EVERYTHING__FAILURE_TRESHOLD: unknown setting `failure_treshold`; did you mean `failure_threshold`?"]
    );
    assert_eq!(
        problem("T__BREAKERS__EVERYTHING__FAILURE_THRESHOLD", "many"),
        ["T__BREAKERS__EVERYTHING__FAILURE_THRESHOLD: `failure_threshold` takes a whole number, not \"many\""]
    );
    assert_eq!(
        problem("T__BREAKER__X__FAILURE_THRESHOLD", "1"),
        ["T__BREAKER__X__FAILURE_THRESHOLD: unknown table `breaker`; did you mean `breakers`?"]
    );
    assert_eq!(
        problem("T__FUNCTIONS__PRECEDENCE__EVERYTING__RETRIES", "1"),
        ["T__FUNCTIONS__PRECEDENCE__EVERYTING__RETRIES: no function is called so; did you mean `PRECEDENCE__EVERYTHING`?"]
    );
    assert_eq!(
        problem("T__BREAKERS__FAILURE_THRESHOLD", "1"),
        ["T__BREAKERS__FAILURE_THRESHOLD: a name and a setting are expected after `BREAKERS__`, with `__` between"]
    );
    assert_eq!(problem("T__SWITCHES__RETRIES", "off"), ["T__SWITCHES__RETRIES: `retries` takes `true` or `false`, not \"off\""]);
    assert!(problem("OTHER__BREAKERS__X", "1").is_empty());
    assert!(problem("t__breakers__everything__failure_threshold", "1").is_empty(), "case does not matter");
}

#[test]
fn names_that_nobody_resembles_are_no_mistake() {
    assert!(problems("[breakers.entirely-different]\nfailure_threshold = 3", &[]).is_empty());
}

#[test]
fn a_budget_that_a_table_names_is_used() {
    let used = "[functions.\"mistakes::timeout\"]\nbudget = \"mistakes-partners\"\n[budgets.mistakes-partners]\nratio = 0.1";
    assert_eq!(problems(used, &[]), [""; 0]);
    crate::registry::bucket("mistakes-partner");
    let shown = problem(&format!("{used}\n[buckets.mistakes-partners]\nrate = 7"));
    assert!(shown.starts_with("nothing uses bucket `mistakes-partners`"), "{shown}");
}

#[test]
fn a_budget_that_defaults_name_is_used() {
    crate::registry::budget("mistakes-resort");
    let used = "[defaults]\nbudget = \"mistakes-resorts\"\n[budgets.mistakes-resorts]\nratio = 0.1";
    assert_eq!(problems(used, &[]), [""; 0]);
    let shown = problem("[defaults]\nbudget = \"mistakes-outage\"\n[budgets.mistakes-outages]\nratio = 0.1");
    assert!(shown.starts_with("nothing uses budget `mistakes-outages`; did you mean `mistakes-outage`?"), "{shown}");
}

#[test]
fn a_variable_reaches_a_budget_that_configuration_alone_names() {
    let pool = ("T__BUDGETS__MISTAKES_X__POOL".to_owned(), "5".to_owned());
    let by_variable = ("T__FUNCTIONS__MISTAKES__TIMEOUT__BUDGET".to_owned(), "Mistakes X".to_owned());
    let by_table = "[functions.\"mistakes::timeout\"]\nbudget = \"Mistakes X\"";
    let by_defaults = "[defaults]\nbudget = \"Mistakes X\"";
    let cases = [(by_defaults, vec![pool.clone()]), (by_table, vec![pool.clone()]), ("", vec![pool, by_variable])];
    for (file, variables) in cases {
        let installed = together(Layer::default(), file, &variables).expect("valid");
        let named: Vec<_> = installed.shared.budgets.named.keys().map(String::as_str).collect();
        assert_eq!(named, ["Mistakes X"], "{file}");
    }
}

#[test]
fn what_does_not_contradict_itself_is_no_mistake() {
    let everything = "[functions.\"precedence::everything\"]\ntimeout = \"1h\"\n";
    assert!(problem(everything).contains("`timeout` (1h) must be at most `deadline` (10m)"));
    let off = ["deadline.enabled = false", "\"timeout.enabled\" = false", "enabled = false"];
    for off in off {
        assert!(problems(&format!("{everything}{off}"), &[]).is_empty(), "{off}");
    }
    let computed = |word, value| format!("[functions.\"mistakes::computed\"]\n{word} = \"{value}\"");
    assert!(problems(&computed("max_delay", "50ms"), &[]).is_empty() && problems(&computed("base_delay", "1h"), &[]).is_empty());
    let both = format!("{}\nmax_delay = \"1s\"", computed("base_delay", "2s"));
    assert!(problem(&both).contains("`base_delay` (2s) must be at most `max_delay` (1s)"));
}

#[test]
fn a_default_that_does_not_fit_to_what_is_built_in_is_a_mistake() {
    let shown = problem("[defaults]\nbase_delay = \"20s\"");
    assert!(shown.contains("`base_delay` (20s) must be at most `max_delay` (10s)"), "{shown}");
    assert!(shown.contains("test.toml:2:14"), "{shown}");
}

#[test]
fn a_default_that_does_not_fit_to_an_attribute_is_a_mistake() {
    let shown = problem("[defaults]\nburst = 1000000");
    assert!(
        shown.starts_with(
            "bucket `mistakes-slow` in `mistakes::slow` (shop.rs:50): `burst` beside this `rate`: the burst is too large"
        ),
        "{shown}"
    );
    assert!(shown.contains("test.toml:2:9"), "{shown}");
    assert!(problems("[defaults]\nburst = 1000000\n[buckets.mistakes-slow]\nrate = 10", &[]).is_empty());
}

#[test]
fn what_is_said_twice_in_two_spellings_is_a_mistake() {
    let shown = problem("[functions.\"precedence::everything\"]\n\"breaker.enabled\" = true\nbreaker.enabled = false");
    assert!(shown.starts_with("`breaker.enabled` is said twice: also at test.toml:"), "{shown}");
    let variables = [("T__BREAKERS__EVERYTHING__WINDOW", "7"), ("t__breakers__everything__window", "8")];
    assert_eq!(
        problems("", &variables),
        ["t__breakers__everything__window: `window` is said twice: also at T__BREAKERS__EVERYTHING__WINDOW"]
    );
}

#[test]
fn a_function_may_be_called_as_a_policy_is() {
    assert!(problems("", &[("T__FUNCTIONS__MISTAKES__TIMEOUT__ENABLED", "false")]).is_empty());
    assert!(problems("", &[("T__FUNCTIONS__PRECEDENCE__EVERYTHING__TIMEOUT__ENABLED", "false")]).is_empty());
}
