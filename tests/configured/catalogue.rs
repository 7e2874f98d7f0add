//! Every function is listed, wherever it stands.

use crate::{ShopError, Turn};
use resilient::catalog::{Origin, Setting};
use resilient::{CircuitBreaker, Overrides, Policy, RetryBudget, catalog, configure, resilient};
use std::time::Duration;

trait Store {
    #[resilient(retries = 1)]
    fn default_method(&self) -> Result<(), ShopError> {
        Ok(())
    }

    fn implemented(&self) -> Result<(), ShopError>;
}

struct Disk {
    patience: Duration,
}

impl Store for Disk {
    #[resilient(retries = 1, name = "disk store")]
    fn implemented(&self) -> Result<(), ShopError> {
        Ok(())
    }
}

impl Disk {
    #[expect(dead_code, reason = "a function that nobody calls is listed as well")]
    #[resilient(
        retries = 2 + 1,
        deadline = self.patience,
        breaker(name = "catalogue", failure_threshold = 3),
        retry_if = |error| matches!(error, ShopError::Reset),
        max_delay = "2s"
    )]
    async fn method(&self) -> Result<(), ShopError> {
        Ok(())
    }
}

#[expect(dead_code, reason = "never instantiated, and listed")]
#[resilient(retries = 1)]
fn generic<T: Send + Clone>(_value: &T) -> Result<(), ShopError> {
    fn innermost() -> impl Fn() {
        #[resilient(rate = "30/min", burst = 5, max_wait = none)]
        fn nested() {}
        nested
    }
    innermost()();
    Ok(())
}

fn listed(name: &str) -> resilient::catalog::Function {
    let functions = catalog().functions;
    let names: Vec<_> = functions.iter().map(|function| function.name.clone()).collect();
    functions.into_iter().find(|function| function.name == name).unwrap_or_else(|| panic!("{name} is not in {names:?}"))
}

fn setting(function: &str, key: &str) -> (String, Origin, Option<String>, Option<String>) {
    let listed = listed(function);
    let setting = listed.settings.iter().find(|setting| setting.key == key);
    let setting = setting.cloned().unwrap_or_else(|| panic!("no {key} in {listed}"));
    (setting.value, setting.origin, setting.place, setting.declared)
}

#[test]
fn functions_are_listed_before_their_first_call_wherever_they_stand() {
    let _turn = Turn::take();
    for name in ["default_method", "method", "generic", "nested"] {
        let function = listed(&format!("configured::catalogue::{name}"));
        assert!(function.file.ends_with("tests/configured/catalogue.rs") && function.line > 8, "{function}");
    }
    listed("disk store");
    let names: Vec<_> = catalog().functions.into_iter().map(|function| function.name).collect();
    assert!(names.is_sorted(), "{names:?}");
    Disk { patience: Duration::ZERO }.default_method().unwrap();
    Disk { patience: Duration::ZERO }.implemented().unwrap();
}

#[test]
fn every_origin_is_told() {
    let _turn = Turn::take();
    let method = "configured::catalogue::method";
    assert_eq!(setting(method, "retries"), ("2 + 1".into(), Origin::Attribute, None, None));
    assert_eq!(setting(method, "deadline"), ("self.patience".into(), Origin::Attribute, None, None));
    assert_eq!(setting(method, "max_delay"), ("2s".into(), Origin::Attribute, None, None));
    assert_eq!(setting(method, "base_delay"), ("100ms".into(), Origin::BuiltIn, None, None));
    assert_eq!(setting(method, "retry_if").0, "|error| matches!(error, ShopError::Reset)");
    assert_eq!(setting(method, "breaker"), ("catalogue".into(), Origin::Attribute, None, None));
    assert_eq!(setting(method, "breaker.failure_threshold"), ("3".into(), Origin::Attribute, None, None));
    assert_eq!(setting(method, "breaker.recovery_timeout"), ("5s".into(), Origin::BuiltIn, None, None));
    assert_eq!(setting("configured::catalogue::nested", "rate").0, "30/min");
    configure()
        .defaults(Overrides::new().base_delay(Duration::from_millis(9)))
        .default_breaker(CircuitBreaker::new().half_open_calls(3).failure_threshold(9))
        .breaker("catalogue", CircuitBreaker::new().failure_threshold(4))
        .function(method, Overrides::new().retries(5))
        .install()
        .unwrap();
    let code = || Some("code".to_owned());
    assert_eq!(setting(method, "retries"), ("5".into(), Origin::Function, code(), Some("2 + 1".into())));
    assert_eq!(setting(method, "base_delay"), ("9ms".into(), Origin::Defaults, code(), None));
    assert_eq!(setting(method, "breaker.failure_threshold"), ("4".into(), Origin::Named, code(), Some("3".into())));
    assert_eq!(setting(method, "breaker.half_open_calls"), ("3".into(), Origin::Defaults, code(), None));
}

#[test]
fn it_is_a_table_to_read_and_data_to_send() {
    let _turn = Turn::take();
    let table = listed("configured::catalogue::nested").to_string();
    let lines: Vec<_> = table.lines().skip(1).map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(
        lines,
        ["max_retry_after 1m built in", "rate 30/min attribute", "burst 5 attribute", "max_wait none attribute"],
        "{table}"
    );
    let all = catalog();
    let tables: Vec<_> = all.functions.iter().map(ToString::to_string).collect();
    assert_eq!(all.to_string(), tables.join("\n"));
    let json = serde_json::to_value(all).unwrap();
    let functions = json["functions"].as_array().unwrap();
    let nested = functions.iter().find(|function| function["name"] == "configured::catalogue::nested").unwrap();
    assert_eq!(nested["settings"][1]["key"], "rate");
    assert_eq!(nested["settings"][0]["origin"], "built_in");
}

#[test]
fn what_an_attribute_says_of_a_shared_name_holds_before_its_first_call() {
    #[resilient(bucket = "catalogue-early", rate = "3/s", bulkhead = "catalogue-early", concurrency = 3, max_wait = "0s")]
    fn early() -> Result<(), ShopError> {
        Ok(())
    }

    let _turn = Turn::take();
    assert_eq!(resilient::bucket("catalogue-early").rate(), resilient::Rate::per_second(3));
    assert_eq!(resilient::bulkhead("catalogue-early").limit(), 3);
    early().unwrap();
}

#[test]
fn what_is_code_is_listed_as_it_is_written() {
    #[resilient(retries = 1, fallback = last_known("10m"), context = cx)]
    fn known() -> Result<u32, ShopError> {
        Ok(cx.attempt())
    }

    #[resilient(fallback = |_| Ok(7))]
    fn replaced() -> Result<u32, ShopError> {
        Ok(1)
    }

    let _turn = Turn::take();
    assert_eq!((known(), replaced()), (Ok(1), Ok(1)));
    assert_eq!(setting("configured::catalogue::known", "fallback").0, "last_known(\"10m\")");
    assert_eq!(setting("configured::catalogue::known", "context").0, "cx");
    assert_eq!(setting("configured::catalogue::replaced", "fallback").0, "|_| Ok(7)");
}

/// What holds beside a name of which nobody says anything.
#[test]
fn what_is_built_in_is_told_of_names_too() {
    #[resilient(retries = 1, bucket = "catalogue-plain", bulkhead = "catalogue-plain", budget = "catalogue-plain")]
    fn named() -> Result<(), ShopError> {
        Ok(())
    }

    let _turn = Turn::take();
    let built_in = |key: &str| {
        let (value, origin, ..) = setting("configured::catalogue::named", key);
        assert_eq!(origin, Origin::BuiltIn, "{key}");
        value
    };
    assert_eq!((built_in("bucket.rate"), built_in("bucket.burst")), ("10/s".into(), "1".into()));
    assert_eq!(built_in("bulkhead.concurrency"), "16");
    assert_eq!(
        (built_in("budget.ratio"), built_in("budget.per_second"), built_in("budget.pool")),
        ("0.2".into(), "10".into(), "100".into())
    );
    named().unwrap();
}

#[resilient(retries = 1, budget = "first payer")]
fn pays_first() -> Result<(), ShopError> {
    Ok(())
}

#[resilient(retries = 1)]
fn pays_alone() -> Result<(), ShopError> {
    Ok(())
}

#[test]
fn the_budget_that_pays_is_told_and_no_other() {
    let _turn = Turn::take();
    let pools = |configuration: resilient::Configuration| {
        let budget = |pool| RetryBudget::new().pool(pool);
        configuration.budget("first payer", budget(7)).budget("second payer", budget(9)).install().unwrap();
        let pool = |name| {
            let of_budgets = |setting: &Setting| setting.key.starts_with("budget.") && setting.key != "budget.enabled";
            let told: Vec<_> = listed(name).settings.into_iter().filter(of_budgets).collect();
            let pool = told.iter().find(|setting| setting.key == "budget.pool").map(|setting| setting.value.clone());
            assert_eq!(told.is_empty(), pool.is_none(), "{told:?}");
            pool
        };
        (pool("configured::catalogue::pays_first"), pool("configured::catalogue::pays_alone"))
    };
    let said = |pool: &str| Some(pool.to_owned());
    let of_both = |settings| configure().function("configured::catalogue::pays_*", settings);
    assert_eq!(pools(configure()), (said("7"), None));
    let second = Overrides::new().shared_budget("second payer");
    assert_eq!(pools(of_both(second)), (said("9"), said("9")));
    assert_eq!(pools(configure().defaults(second)), (said("7"), said("9")));
    let without = Overrides::new().without_budget();
    for silent in [Overrides::new().budget(0.5), without, second.budget_enabled(false), second.enabled(false)] {
        assert_eq!(pools(of_both(silent)), (None, None), "{silent:?}");
    }
    pays_first().and(pays_alone()).unwrap();
}

#[test]
fn a_default_ratio_is_told_of_whoever_has_no_budget_with_a_name() {
    let _turn = Turn::take();
    configure().default_budget(RetryBudget::new().ratio(0.5)).install().unwrap();
    let code = || Some("code".to_owned());
    assert_eq!(setting("configured::catalogue::pays_alone", "budget"), ("0.5".into(), Origin::Defaults, code(), None));
    configure().default_budget(RetryBudget::new().ratio(0.5)).defaults(Overrides::new().budget(0.7)).install().unwrap();
    assert_eq!(setting("configured::catalogue::pays_alone", "budget"), ("0.7".into(), Origin::Defaults, code(), None));
}

#[test]
fn what_defaults_say_of_budgets_is_told_of_a_function_s_own() {
    let _turn = Turn::take();
    let install = |settings| {
        let defaults = RetryBudget::new().ratio(0.5).pool(3);
        configure().default_budget(defaults).function("configured::catalogue::pays_alone", settings).install().unwrap();
    };
    let told = || {
        let settings = listed("configured::catalogue::pays_alone").settings.into_iter();
        let of_budgets = settings.filter(|setting| setting.key.starts_with("budget.") && setting.key != "budget.enabled");
        of_budgets.map(|setting| (setting.key, setting.value, setting.origin, setting.place)).collect::<Vec<_>>()
    };
    install(Overrides::new());
    let pool = [("budget.pool".to_owned(), "3".to_owned(), Origin::Defaults, Some("code".to_owned()))];
    assert_eq!(told(), pool);
    install(Overrides::new().budget(0.1));
    assert_eq!(told(), pool);
    for none in [Overrides::new().without_budget(), Overrides::new().budget_enabled(false), Overrides::new().enabled(false)] {
        install(none);
        assert_eq!(told(), []);
    }
}

#[test]
fn what_a_policy_said_first_of_a_shared_name_is_told_of_functions_too() {
    #[resilient(breaker = "catalogue of policies")]
    fn silent() -> Result<(), ShopError> {
        Ok(())
    }
    #[resilient(breaker(name = "catalogue of policies, contradicted", failure_threshold = 7, half_open_calls = 2))]
    fn contradicted() -> Result<(), ShopError> {
        Ok(())
    }

    let _turn = Turn::take();
    let said = CircuitBreaker::new().failure_threshold(9);
    let policy = |breaker: &str| Policy::builder().name("a policy of the catalogue").breaker_with(breaker, said).build().unwrap();
    let by_policy = || Some("a policy of the catalogue".to_owned());
    let (function, threshold) = ("configured::catalogue::contradicted", "breaker.failure_threshold");
    assert_eq!(setting(function, threshold), ("7".into(), Origin::Attribute, None, None));
    let _policies = [policy("catalogue of policies"), policy("catalogue of policies, contradicted")];
    silent().and(contradicted()).unwrap();
    assert_eq!(setting("configured::catalogue::silent", threshold), ("9".into(), Origin::Attribute, by_policy(), None));
    assert_eq!(setting(function, threshold), ("9".into(), Origin::Attribute, by_policy(), Some("7".into())));
    assert_eq!(setting(function, "breaker.half_open_calls"), ("1".into(), Origin::BuiltIn, None, Some("2".into())));
}

#[test]
fn jitter_is_told_of_whoever_hears_it() {
    #[resilient(retries = 1, backoff = decorrelated)]
    fn is_its_own_jitter() -> Result<(), ShopError> {
        Ok(())
    }
    #[resilient(retries = 1, backoff = linear)]
    fn hears_jitter() -> Result<(), ShopError> {
        Ok(())
    }

    let _turn = Turn::take();
    let is_told = |name| listed(&format!("configured::catalogue::{name}")).settings.iter().any(|setting| setting.key == "jitter");
    assert_eq!((is_told("is_its_own_jitter"), is_told("hears_jitter")), (false, true));
    is_its_own_jitter().and(hears_jitter()).unwrap();
}

mod said {
    use super::*;

    #[resilient(breaker(name = "catalogue-said", failure_threshold = 7))]
    fn b() -> Result<(), ShopError> {
        Ok(())
    }

    #[resilient(breaker(name = "catalogue-said", failure_threshold = 7))]
    fn a() -> Result<(), ShopError> {
        Ok(())
    }

    #[resilient(breaker(name = "catalogue-said", failure_threshold = 7))]
    fn c() -> Result<(), ShopError> {
        Ok(())
    }

    #[resilient(breaker = "catalogue-said")]
    fn silent() -> Result<(), ShopError> {
        b().and(a()).and(c())
    }

    #[test]
    fn of_several_functions_that_say_something_of_a_name_the_first_is_told() {
        let _turn = Turn::take();
        let place = Some("configured::catalogue::said::a".to_owned());
        let threshold = setting("configured::catalogue::said::silent", "breaker.failure_threshold");
        assert_eq!(threshold, ("7".into(), Origin::Attribute, place, None));
        silent().unwrap();
    }
}
