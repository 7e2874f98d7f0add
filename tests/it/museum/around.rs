//! Bugs 67 to 69: signatures that are not kept, work behind the scenes, and rules that nobody can look up.

use super::pages::{assert_compiles, assert_says, page};
use crate::support::{Counter, Named, ServiceError, quiesce, quiesce_paused};
use resilient::testing::TurnedClock;
use resilient::{CircuitBreaker, Policy, Rate, Rejected, State, resilient};
use std::fmt::Debug;
use std::process::Command;
use std::time::Duration;

/// cached#217, cached#211, cached#139, cached#16, cached#119: bounds and lifetimes were lost, generics and methods did not compile.
#[test]
fn bug_67_every_shape_of_function_is_among_those_that_must_compile() {
    assert_compiles(
        "methods",
        &[
            "(&self, path: &str)",
            "(&mut self)",
            "(self) ->",
            "(self: Arc<Self>)",
            "(self: Box<Self>)",
            "self: Pin<&mut Self>",
            "impl Store for Client",
            "trait Store",
        ],
    );
    assert_compiles(
        "generics",
        &[
            "where T: FromStr, T::Err: From<Rejected>",
            "<const N: u32, T: Display>",
            "impl IntoIterator<Item = &'static str> + Clone",
            "-> io::Result<impl Iterator<Item = u32> + Clone>",
            "io::Result<impl Fn(u32) -> u32>",
            "impl<'a, T: Clone> Wrapper<'a, T>",
        ],
    );
    assert_compiles(
        "control_flow",
        &[
            "unsafe fn not_safe(",
            "async unsafe fn not_safe_async(",
            "extern \"C\" fn foreign(",
            "#[unsafe(no_mangle)]",
            "#[must_use = \"it says something\"]",
            "#[cfg(all())]",
            "#[cfg(any())]",
            "pub(crate) mod",
            "pub(super) fn",
            "macro_rules! generated",
            "/// # Safety",
            "return",
            "impl Default for u8 {}",
        ],
    );
    assert_compiles("returned_futures", &["-> impl Future<Output", "-> Pin<Box<dyn Future<Output", "trait"]);
    assert_compiles(
        "stacking",
        &["#[async_trait]", "#[tracing::instrument]", "#[tracing::instrument(err)]", "trait Store: Send + Sync"],
    );
    assert_compiles("borrowed_arguments", &["&mut "]);
    assert_compiles("futures_stay_send", &["Send"]);
    assert_compiles("fresh_copies", &["mut "]);
}

/// cached#119: a generic function could not name what all its types share.
#[test]
fn bug_67_a_generic_function_has_one_breaker_for_all_its_types() {
    #[resilient(breaker(name = "one for all types", failure_threshold = 3), rate = 100, burst = 4, max_wait = "0s")]
    fn call<'a, T, const N: usize>(values: &'a [T; N], fails: bool) -> Result<&'a T, ServiceError>
    where
        T: Debug + PartialEq,
    {
        if fails { Err(ServiceError::Reset) } else { Ok(&values[N - 1]) }
    }
    let clock = TurnedClock::start();
    assert_eq!(call(&[1_u8, 2], true), Err(ServiceError::Reset));
    assert_eq!(call(&["one"; 7], true), Err(ServiceError::Reset));
    assert_eq!(resilient::breaker("one for all types").failures(), 2);
    assert_eq!(call(&[1_u64], true), Err(ServiceError::Reset));
    assert_eq!(resilient::breaker("one for all types").state(), State::Open);
    assert!(matches!(call(&[()], false).unwrap_err().rejected(), Rejected::CircuitOpen(_)));
    resilient::breaker("one for all types").reset();
    assert_eq!(call(&[1_i8], false), Ok(&1));
    assert!(matches!(call(&[1_i16], false).unwrap_err().rejected(), Rejected::RateLimited(_)), "and one bucket of its own");
    quiesce(&clock, &[Named::Breaker("one for all types")]);
}

/// cached#16: methods of a generic type, and what they return of it.
#[test]
fn bug_67_methods_of_a_generic_type_keep_its_bounds_and_its_receiver() {
    struct Store<'a, T>(&'a [T]);
    impl<'a, T: Clone + 'a> Store<'a, T> {
        #[resilient(retries = 2)]
        fn first(&self) -> Result<&'a T, ServiceError> {
            self.0.first().ok_or(ServiceError::NotFound)
        }

        #[resilient(retries = 2)]
        fn into_all(self) -> Result<Vec<T>, ServiceError>
        where
            T: Ord,
        {
            Ok(self.0.to_vec())
        }
    }
    trait Count {
        #[resilient(retries = 1)]
        fn count(&mut self, by: u32) -> Result<u32, ServiceError> {
            Ok(by + 1)
        }
    }
    impl<T> Count for Store<'_, T> {}
    let list = [3, 4];
    assert_eq!(Store(&list).first(), Ok(&3));
    assert_eq!(Store(&list).into_all(), Ok(vec![3, 4]));
    assert_eq!(Store(&list).count(1), Ok(2));
}

#[cfg(target_os = "linux")]
fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").unwrap().count()
}

/// Ten thousand of everything that has a name, used in every way, in a process where nothing else goes on.
#[cfg(target_os = "linux")]
async fn use_ten_thousand_names() {
    let names: Vec<_> = (0..10_000).map(|number| format!("one of very many {number}")).collect();
    for (number, name) in names.iter().enumerate() {
        let settings = CircuitBreaker::new().failure_threshold(1).failure_ratio(0.5);
        let policy = Policy::builder().breaker_with(name, settings).bucket(name).rate(Rate::per_second(1)).bulkhead(name);
        let policy = policy.concurrency(1).retries(1).shared_budget(name).timeout(Duration::from_secs(1)).build().unwrap();
        let outcome = policy.run_async(async || if number % 2 == 0 { Err(ServiceError::Reset) } else { Ok(()) }).await;
        assert_eq!(outcome.is_err(), number % 2 == 0);
        assert_eq!(resilient::breaker(name).state(), if number % 2 == 0 { State::Open } else { State::Closed });
    }
    let everything = names.iter().flat_map(|name| [Named::Breaker(name), Named::Bucket(name), Named::Bulkhead(name)]);
    quiesce_paused(&everything.collect::<Vec<_>>()).await;
}

/// opossum#635, opossum#798, opossum PR 799: each breaker had a timer of its own, and a program of many warned of leaks.
#[cfg(target_os = "linux")]
#[test]
fn bug_68_ten_thousand_names_start_no_thread_and_no_task() {
    const ALONE: &str = "RESILIENT_MUSEUM_ALONE";
    if std::env::var_os(ALONE).is_none() {
        let this = "museum::around::bug_68_ten_thousand_names_start_no_thread_and_no_task";
        let alone = Command::new(std::env::current_exe().unwrap()).args([this, "--exact"]).env(ALONE, "").output().unwrap();
        let said = String::from_utf8_lossy(&alone.stdout);
        assert!(alone.status.success() && said.contains("1 passed"), "{said}");
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let before = threads();
    runtime.block_on(use_ten_thousand_names());
    assert_eq!((threads(), runtime.metrics().num_alive_tasks()), (before, 0));
}

/// cockatiel#107, failsafe#90: nobody could tell what a retry does to a breaker.
#[test]
fn bug_69_what_the_documentation_says_of_the_order_is_what_happens() {
    #[resilient(
        retries = 4,
        base_delay = "1ms",
        jitter = none,
        breaker(name = "the order", failure_threshold = 3),
        bucket = "the order",
        rate = "1/h",
        burst = 10
    )]
    fn call(attempts: &Counter) -> Result<(), ServiceError> {
        attempts.count();
        Err(ServiceError::Reset)
    }
    let journey = "fallback( deadline( retry( breaker( rate( bulkhead( timeout( body )))))))";
    assert_says("README.md", &[journey, "every attempt asks it and is counted", "an open circuit uses up no rate"]);
    assert_says("README.md", &["[Golden tables](docs/golden-tables.md)", "a test fails when they are not what happens"]);
    assert_says("docs/golden-tables.md", &["The tables are generated by `tests/it/golden.rs`", "each attempt asks the breaker"]);
    assert_says("src/lib.rs", &["include_str!(\"../docs/golden-tables.md\")"]);
    assert!(page("tests/it/golden.rs").contains("fn the_tables_in_the_docs_are_what_happens"));
    let (clock, attempts) = (TurnedClock::start(), Counter::default());
    assert_eq!(call(&attempts), Err(ServiceError::Reset));
    assert_eq!((attempts.get(), resilient::breaker("the order").state()), (3, State::Open), "every attempt is counted");
    for _ in 0..20 {
        assert!(matches!(call(&attempts).unwrap_err().rejected(), Rejected::CircuitOpen(_)));
    }
    assert_eq!(resilient::bucket("the order").try_acquire(7), Ok(()), "three attempts took three, and refusals none");
    assert!(resilient::bucket("the order").try_acquire(1).is_err());
    quiesce(&clock, &[Named::Breaker("the order"), Named::Bucket("the order")]);
}

/// cockatiel#107: there was no table to look it up in.
#[test]
fn bug_69_the_golden_tables_have_a_row_for_every_combination_and_number_of_failures() {
    let tables = page("docs/golden-tables.md");
    assert_eq!(tables.matches("\n### ").count(), 16, "four policies, each there or not");
    for failing in 0..=4 {
        assert_eq!(tables.matches(&format!("\n| {failing}× |")).count(), 16);
    }
}
