//! What is told, to whom, and how often.

use crate::support::{Counter, ServiceError};
use resilient::testing::TurnedClock;
use resilient::{Policy, resilient};
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

type Fields = BTreeMap<String, String>;

#[derive(Clone, Default)]
struct Recorder(Arc<Mutex<Vec<(String, Level, Fields)>>>);

struct Collect<'f>(&'f mut Fields);

impl Visit for Collect<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.to_owned());
    }
}

impl<S: Subscriber> Layer<S> for Recorder {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let metadata = event.metadata();
        if metadata.target() != "resilient" {
            return;
        }
        let mut fields = Fields::new();
        event.record(&mut Collect(&mut fields));
        self.0.lock().unwrap().push((metadata.name().to_owned(), *metadata.level(), fields));
    }
}

impl Recorder {
    fn take(&self) -> Vec<(String, Level, Fields)> {
        std::mem::take(&mut self.0.lock().unwrap())
    }

    fn names(&self) -> Vec<String> {
        self.take().into_iter().map(|(name, ..)| name).collect()
    }
}

fn recorded<T>(work: impl FnOnce(&Recorder, &TurnedClock) -> T) -> T {
    let recorder = Recorder::default();
    let subscriber = tracing_subscriber::registry().with(recorder.clone());
    tracing::subscriber::with_default(subscriber, || work(&recorder, &TurnedClock::start()))
}

#[test]
fn an_outage_is_told_from_its_first_retry_to_its_end() {
    #[resilient(retries = 1, base_delay = "10ms", jitter = none, name = "told", breaker(name = "told", failure_threshold = 3))]
    fn call(fails: bool) -> Result<(), ServiceError> {
        if fails { Err(ServiceError::Reset) } else { Ok(()) }
    }
    recorded(|recorder, clock| {
        assert!(call(true).is_err());
        let events = recorder.take();
        assert_eq!(events[0].0, "retry");
        assert_eq!(events[0].1, Level::DEBUG);
        for (field, value) in [
            ("function", "told"),
            ("breaker", "told"),
            ("attempt", "1"),
            ("delay_ms", "10"),
            ("error", "reset"),
            ("verdict", "transient"),
        ] {
            assert_eq!(events[0].2[field], value, "{field}");
        }
        assert_eq!((events[1].0.as_str(), events[1].1), ("exhausted", Level::WARN));
        assert_eq!(events[1].2["attempts"], "2");
        assert!(call(true).is_err());
        let events = recorder.take();
        assert_eq!((events[0].0.as_str(), events[0].1), ("circuit_opened", Level::ERROR));
        assert_eq!(events[0].2["breaker"], "told");
        assert_eq!(events[1].2["reason"], "the circuit is open");
        clock.advance(Duration::from_secs(5));
        assert!(call(false).is_ok() && call(false).is_ok());
        assert_eq!(recorder.names(), ["circuit_half_open", "circuit_closed"]);
    });
}

#[test]
fn an_error_that_says_nothing_of_the_service_is_told_as_that_where_it_is_tried_again() {
    #[resilient(retries = [0, 1][1], retry_if = |_| true)]
    fn call() -> Result<(), ServiceError> {
        Err(ServiceError::BadQuestion)
    }
    recorded(|recorder, _| {
        assert!(call().is_err());
        let verdicts: Vec<_> = recorder.take().iter().map(|event| (event.0.clone(), event.2["verdict"].clone())).collect();
        assert_eq!(
            verdicts,
            [("retry", "ignored"), ("exhausted", "ignored")].map(|(name, word)| (name.to_owned(), word.to_owned()))
        );
    });
}

/// It is no error itself, as `anyhow::Error` is none.
#[test]
fn of_a_report_the_error_is_told_that_it_leads_to() {
    #[derive(Debug)]
    struct Report(ServiceError);
    impl AsRef<dyn std::error::Error> for Report {
        fn as_ref(&self) -> &(dyn std::error::Error + 'static) {
            &self.0
        }
    }
    impl From<resilient::Rejected> for Report {
        fn from(rejected: resilient::Rejected) -> Self {
            Self(rejected.into())
        }
    }
    #[resilient(retries = 1, base_delay = "10ms")]
    fn call() -> Result<(), Report> {
        Err(Report(ServiceError::Reset))
    }
    recorded(|recorder, _| {
        assert!(call().is_err());
        let retry = recorder.take().into_iter().find(|(name, ..)| name == "retry").unwrap();
        assert_eq!(retry.2["error"], "reset");
    });
}

#[test]
fn a_last_known_value_is_told_with_its_age_and_why() {
    #[resilient(fallback = last_known("1m"), breaker = "told as last known", name = "told as last known")]
    fn call(answer: Result<u32, ServiceError>) -> Result<u32, ServiceError> {
        answer
    }
    recorded(|recorder, clock| {
        assert!(call(Ok(1)).is_ok());
        assert!(recorder.take().is_empty());
        clock.advance(Duration::from_millis(1500));
        assert!(call(Err(ServiceError::NotFound)).is_ok());
        resilient::breaker("told as last known").force_open();
        assert!(call(Ok(2)).is_ok());
        let events = recorder.take();
        let told: Vec<_> = events.iter().filter(|(name, ..)| name == "last_known").collect();
        assert_eq!(
            (told[0].1, told[0].2["function"].as_str(), told[0].2["age_ms"].as_str()),
            (Level::WARN, "told as last known", "1500")
        );
        assert_eq!([&told[0].2["reason"], &told[1].2["reason"]], ["error", "circuit_open"]);
        clock.advance(Duration::from_secs(60));
        assert!(call(Ok(2)).is_err());
        assert!(recorder.names().iter().all(|name| name != "last_known"));
    });
}

#[test]
fn refusals_are_summed_up_every_ten_seconds() {
    #[resilient(breaker = "summed up", name = "summed up")]
    fn call() -> Result<(), ServiceError> {
        Ok(())
    }
    resilient::breaker("summed up").force_open();
    recorded(|recorder, clock| {
        (0..1_000).for_each(|_| drop(call()));
        let events = recorder.take();
        assert_eq!(events.len(), 1);
        assert_eq!((events[0].0.as_str(), events[0].1, events[0].2["count"].as_str()), ("rejected", Level::WARN, "1"));
        assert_eq!(events[0].2["reason"], "circuit_open");
        clock.advance(Duration::from_secs(10));
        (0..1_000).for_each(|_| drop(call()));
        let events = recorder.take();
        assert_eq!((events.len(), events[0].2["count"].as_str()), (1, "1000"));
    });
}

#[test]
fn every_error_that_has_a_text_is_told_with_it() {
    #[resilient(retries = 1, base_delay = "1ms")]
    fn text() -> Result<(), String> {
        Err("plain text".to_owned())
    }
    #[resilient(retries = 1, base_delay = "1ms")]
    fn report() -> anyhow::Result<()> {
        anyhow::bail!("a report")
    }
    recorded(|recorder, _| {
        assert!(text().is_err() && report().is_err());
        let retries = recorder.take().into_iter().filter(|(name, ..)| name == "retry");
        assert!(retries.map(|(_, _, fields)| fields["error"].clone()).eq(["plain text", "a report"]));
    });
}

#[test]
fn an_unclassified_error_is_told_once_per_function() {
    #[resilient(retries = 1, base_delay = "1ms", name = "unclassified here")]
    fn call() -> Result<(), String> {
        Err("no idea".to_owned())
    }
    #[resilient(retries = 1, base_delay = "1ms", retry_if = |_| true)]
    fn decided() -> Result<(), String> {
        Err("no idea".to_owned())
    }
    recorded(|recorder, _| {
        (0..5).for_each(|_| drop(call()));
        (0..5).for_each(|_| drop(decided()));
        let told: Vec<_> = recorder.take().into_iter().filter(|(name, ..)| name == "unclassified").collect();
        assert_eq!((told.len(), told[0].1, told[0].2["function"].as_str()), (1, Level::INFO, "unclassified here"));
        assert!(told[0].2["hint"].contains("derive `Classify`"));
    });
}

#[test]
fn a_timeout_that_nothing_follows_is_told_as_the_calls_end() {
    #[resilient(retries = 2, base_delay = "1ms", timeout = "10ms", name = "stopped", retry_if = |_| tries)]
    async fn call(tries: bool) -> Result<(), ServiceError> {
        pending().await
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let recorder = Recorder::default();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(recorder.clone()), || {
        runtime.block_on(call(false)).unwrap_err();
        let events = recorder.take();
        assert_eq!((events.len(), events[0].0.as_str(), events[0].1), (1, "rejected", Level::WARN));
        assert_eq!(events[0].2["function"], "stopped");
        runtime.block_on(call(true)).unwrap_err();
        assert_eq!(recorder.names(), ["retry", "retry", "exhausted"]);
    });
}

#[test]
fn a_body_that_is_stopped_is_told_once_with_what_stopped_it() {
    #[resilient(deadline = "10ms")]
    async fn by_deadline() -> Result<(), ServiceError> {
        pending().await
    }
    #[resilient(retries = 2, deadline = "10ms")]
    async fn by_deadline_between_retries() -> Result<(), ServiceError> {
        pending().await
    }
    #[resilient(timeout = "10ms")]
    async fn by_timeout() -> Result<(), ServiceError> {
        pending().await
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let recorder = Recorder::default();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(recorder.clone()), || {
        runtime.block_on(by_deadline()).unwrap_err();
        runtime.block_on(by_deadline_between_retries()).unwrap_err();
        runtime.block_on(by_timeout()).unwrap_err();
        let told: Vec<_> = recorder.take().into_iter().map(|(name, _, fields)| (name, fields["reason"].clone())).collect();
        let expected =
            ["deadline_exceeded", "deadline_exceeded", "timeout"].map(|reason| ("rejected".to_owned(), reason.to_owned()));
        assert_eq!(told, expected);
    });
}

#[test]
fn a_function_without_retries_does_not_say_that_it_has_none_left() {
    #[resilient(breaker = "told by no retries")]
    fn call() -> Result<(), ServiceError> {
        Err(ServiceError::Reset)
    }
    let policy = Policy::builder().breaker("told by no retries").build().unwrap();
    recorded(|recorder, _| {
        call().unwrap_err();
        policy.run(|| Err::<(), _>(ServiceError::Reset)).unwrap_err();
        assert_eq!(recorder.names(), [""; 0]);
    });
}

#[test]
fn a_sync_wait_inside_a_runtime_is_told_once() {
    #[resilient(retries = 1, base_delay = "1ms", name = "blocks")]
    fn call(attempts: &Counter) -> Result<(), ServiceError> {
        if attempts.count() % 2 == 1 { Err(ServiceError::Reset) } else { Ok(()) }
    }
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    recorded(|recorder, _| {
        let attempts = Counter::default();
        call(&attempts).unwrap();
        assert_eq!(recorder.names(), ["retry"]);
        runtime.block_on(async { (0..3).for_each(|_| call(&attempts).unwrap()) });
        assert_eq!(recorder.names(), ["retry", "blocking_wait", "retry", "retry"]);
    });
}

#[test]
fn two_functions_that_disagree_on_a_name_are_told_of_and_the_first_is_heard() {
    #[resilient(bucket = "disputed", rate = 5, name = "first")]
    fn first() -> Result<(), ServiceError> {
        Ok(())
    }
    #[resilient(bucket = "disputed", rate = 6, name = "second")]
    fn second() -> Result<(), ServiceError> {
        Ok(())
    }
    recorded(|recorder, _| {
        first().unwrap();
        second().unwrap();
        let events = recorder.take();
        assert_eq!(events[0].0, "conflicting_settings");
        assert_eq!((events[0].2["first"].as_str(), events[0].2["second"].as_str()), ("first", "second"));
        assert_eq!(resilient::bucket("disputed").rate(), resilient::Rate::per_second(5));
    });
}

#[test]
fn a_subscriber_may_use_what_it_is_told_about() {
    struct Nosy;
    impl<S: Subscriber> Layer<S> for Nosy {
        fn on_event(&self, _: &Event<'_>, _: Context<'_, S>) {
            let breaker = resilient::breaker("nosy");
            let _ = (breaker.state(), breaker.failures());
            breaker.reset();
        }
    }
    #[resilient(breaker(name = "nosy", failure_threshold = 1), retries = 1, base_delay = "1ms")]
    fn call() -> Result<(), ServiceError> {
        Err(ServiceError::Reset)
    }
    let subscriber = tracing_subscriber::registry().with(Nosy);
    tracing::subscriber::with_default(subscriber, || {
        let _clock = TurnedClock::start();
        (0..100).for_each(|_| drop(call()));
    });
}

#[test]
fn operators_see_what_other_operators_do_and_once() {
    recorded(|recorder, _| {
        let breaker = resilient::breaker("operated");
        breaker.reset();
        assert_eq!(recorder.take().len(), 0, "nothing was there to reset");
        breaker.force_open();
        breaker.force_open();
        breaker.disable();
        breaker.shadow();
        breaker.shadow();
        breaker.reset();
        breaker.reset();
        let told = recorder.take();
        assert!(told.iter().all(|(_, _, fields)| fields["breaker"] == "operated"));
        let told: Vec<_> = told.iter().map(|(name, level, _)| (name.as_str(), *level)).collect();
        assert_eq!(
            told,
            [
                ("circuit_forced_open", Level::WARN),
                ("circuit_disabled", Level::WARN),
                ("circuit_shadowed", Level::WARN),
                ("circuit_reset", Level::INFO)
            ]
        );
    });
}

#[test]
fn a_breaker_that_has_counted_something_is_reset_once_and_put_in_shadow_once() {
    #[resilient(breaker(name = "operated once", failure_threshold = 3))]
    fn in_a_row(fails: bool) -> Result<(), ServiceError> {
        if fails { Err(ServiceError::Reset) } else { Ok(()) }
    }
    #[resilient(breaker(name = "operated once too", slow_call_duration = "1s", window = 10))]
    fn slow(clock: &TurnedClock) -> Result<(), ServiceError> {
        clock.advance(Duration::from_secs(2));
        Ok(())
    }
    recorded(|recorder, clock| {
        let names =
            || recorder.take().into_iter().map(|(name, ..)| name).filter(|name| name.starts_with("circuit")).collect::<Vec<_>>();
        in_a_row(true).unwrap_err();
        slow(clock).unwrap();
        names();
        for name in ["operated once", "operated once too"] {
            let breaker = resilient::breaker(name);
            breaker.reset();
            breaker.reset();
            assert_eq!(names(), ["circuit_reset"], "{name}");
            breaker.shadow();
            breaker.shadow();
            assert_eq!(names(), ["circuit_shadowed"], "{name}");
            breaker.reset();
            assert_eq!(names(), ["circuit_reset"], "{name}");
        }
    });
}

/// A row may be longer than the window remembers.
#[test]
fn the_failures_that_opened_a_circuit_are_those_in_a_row_or_those_in_the_window() {
    #[resilient(
        name = "by row",
        breaker(name = "by row", failure_threshold = 3, failure_ratio = 1, window = "1s", minimum_calls = 9)
    )]
    fn by_row() -> Result<(), ServiceError> {
        Err(ServiceError::Reset)
    }
    #[resilient(
        name = "by share",
        breaker(name = "by share", failure_threshold = 9, failure_ratio = 1, window = "1s", minimum_calls = 2)
    )]
    fn by_share() -> Result<(), ServiceError> {
        Err(ServiceError::Reset)
    }
    recorded(|recorder, clock| {
        let opened = |call: fn() -> Result<(), ServiceError>, waits: [u64; 2]| {
            call().unwrap_err();
            for wait in waits {
                clock.advance(Duration::from_secs(wait));
                call().unwrap_err();
            }
            let (name, _, fields) = recorder.take().remove(0);
            assert_eq!(name, "circuit_opened");
            (fields["reason"].clone(), fields["failures"].clone())
        };
        assert_eq!(opened(by_row, [60, 60]), ("failures in a row".into(), "3".into()));
        assert_eq!(opened(by_share, [60, 0]), ("the failure ratio".into(), "2".into()));
    });
}

#[test]
fn what_a_breaker_in_shadow_would_do_is_told_as_such() {
    #[resilient(name = "shadowed", breaker(name = "shadowed", failure_ratio = 0.5, minimum_calls = 4, shadow = true))]
    fn call(fails: bool) -> Result<(), ServiceError> {
        if fails { Err(ServiceError::Reset) } else { Ok(()) }
    }
    recorded(|recorder, clock| {
        for fails in [false, false, true, true] {
            let _ = call(fails);
        }
        let (name, _, fields) = recorder.take().remove(0);
        let told = ["reason", "calls", "failures", "slow_calls", "shadow"].map(|field| fields[field].clone());
        assert_eq!((name.as_str(), told), ("circuit_opened", ["the failure ratio", "4", "2", "0", "true"].map(String::from)));
        (0..1_000).for_each(|_| call(false).unwrap());
        let events = recorder.take();
        assert_eq!((events.len(), events[0].0.as_str(), events[0].2["breaker"].as_str()), (1, "would_reject", "shadowed"));
        clock.advance(Duration::from_secs(10));
        assert!(call(true).is_err());
        assert!(call(true).is_err());
        let told: Vec<_> = recorder.take().into_iter().map(|(name, _, fields)| (name, fields.get("reason").cloned())).collect();
        let told: Vec<_> = told.iter().map(|(name, reason)| (name.as_str(), reason.as_deref())).collect();
        assert_eq!(told, [("circuit_half_open", None), ("circuit_opened", Some("a failed probe")), ("would_reject", None)]);
    });
}

#[test]
fn keys_that_find_no_place_are_told_with_their_number_and_without_the_key() {
    #[resilient(name = "crowded", bucket(name = "crowded", rate = "1/h", burst = 50, key = tenant, max_keys = 2), max_wait = "0s")]
    fn call(tenant: &str) -> Result<(), ServiceError> {
        Ok(())
    }
    recorded(|recorder, clock| {
        call("first").unwrap();
        call("second").unwrap();
        assert_eq!(recorder.names(), [""; 0]);
        (0..20).for_each(|_| call("secret").unwrap());
        clock.advance(Duration::from_secs(11));
        (0..20).for_each(|_| call("secret").unwrap());
        let events = recorder.take();
        assert_eq!(events.len(), 2);
        let (name, level, fields) = &events[1];
        assert_eq!((name.as_str(), *level), ("keys_overflow", Level::WARN));
        let expected = [("function", "crowded"), ("what", "bucket"), ("name", "crowded"), ("max_keys", "2"), ("count", "20")];
        for (field, value) in expected {
            assert_eq!(fields[field], value, "{field}");
        }
        assert!(!format!("{events:?}").contains("secret"));
    });
}

/// As JSON a number of 128 bits is a text.
#[test]
fn times_are_told_as_numbers_that_every_subscriber_writes_as_such() {
    #[derive(Clone, Default)]
    struct Numbers(Arc<Mutex<Vec<&'static str>>>);

    impl Visit for Numbers {
        fn record_u64(&mut self, field: &Field, _: u64) {
            self.0.lock().unwrap().push(field.name());
        }

        fn record_debug(&mut self, _: &Field, _: &dyn Debug) {}
    }

    impl<S: Subscriber> Layer<S> for Numbers {
        fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
            event.record(&mut self.clone());
        }
    }

    #[resilient(name = "times", retries = 1, breaker(name = "times", failure_threshold = 2))]
    fn call() -> Result<(), ServiceError> {
        Err(ServiceError::Reset)
    }

    let numbers = Numbers::default();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(numbers.clone()), || {
        let _clock = TurnedClock::start();
        let _ = (call(), call());
    });
    let numbers = numbers.0.lock().unwrap();
    for time in ["delay_ms", "open_for_ms", "retry_after_ms"] {
        assert!(numbers.contains(&time), "{time} is no number of 64 bits");
    }
}
