//! Configuration as a program meets it. Each installation is the whole process's, so each test waits for the others.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::unnecessary_wraps, reason = "functions under test have the shapes that users write")]

use resilient::catalog::Function;
use resilient::resilient;
use resilient::testing::TurnedClock;
use std::io;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Held by a test as long as its configuration shall hold.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A file of that name with that text, for one test.
fn file(name: &str, text: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, text).unwrap();
    path
}

fn install(name: &str, text: &str) -> Result<(), resilient::ConfigError> {
    resilient::configure().file(file(name, text)).install()
}

fn listed(name: &str) -> Function {
    resilient::catalog().functions.into_iter().find(|function| function.name == name).unwrap()
}

/// What the catalogue says of a setting: the value, and who says so where.
fn setting(function: &str, key: &str) -> Option<(String, Option<String>)> {
    let setting = listed(function).settings.into_iter().find(|setting| setting.key == key)?;
    Some((setting.value, setting.place))
}

fn lost() -> io::Result<()> {
    Err(io::ErrorKind::ConnectionReset.into())
}

mod patterns {
    use super::*;

    #[resilient(name = "patterns::rich", retries = 1, deadline = "10s", rate = 1000, concurrency = 2)]
    fn rich() -> io::Result<()> {
        lost()
    }

    #[resilient(name = "patterns::poor", breaker = "patterns")]
    fn poor() -> io::Result<()> {
        lost()
    }

    #[test]
    fn a_pattern_tunes_policies_and_adds_none() {
        let (_alone, clock) = (alone(), TurnedClock::start());
        let everything = "retries = 3\ndeadline = \"9s\"\nrate = \"1/day\"\nconcurrency = 1\nmax_wait = \"0s\"\nbase_delay = \"1s\"\njitter = \"none\"";
        install("patterns.toml", &format!("[functions.\"patterns::*\"]\n{everything}\n[defaults]\nmax_retry_after = \"1s\""))
            .unwrap();
        for _ in 0..3 {
            assert_eq!(poor().unwrap_err().kind(), io::ErrorKind::ConnectionReset);
        }
        assert_eq!(clock.waits(), []);
        let keys: Vec<_> = listed("patterns::poor").settings.into_iter().map(|setting| setting.key).collect();
        assert!(keys.iter().all(|key| key.starts_with("breaker")), "{keys:?}");
        assert_eq!(setting("patterns::rich", "retries").unwrap().0, "3");
        rich().unwrap_err();
    }
}

mod shared {
    use super::*;

    #[resilient(name = "shared::says", breaker(name = "shared", failure_threshold = 7))]
    fn says() -> io::Result<()> {
        Ok(())
    }

    #[resilient(name = "shared::uses", breaker = "shared", fallback = |failure| {
        Err(io::Error::other(failure))
    })]
    fn uses() -> io::Result<()> {
        Ok(())
    }

    #[test]
    fn the_catalogue_knows_what_another_attribute_says_of_a_shared_name() {
        let _alone = alone();
        resilient::configure().install().unwrap();
        (says().unwrap(), uses().unwrap());
        assert_eq!(setting("shared::uses", "breaker.failure_threshold"), Some(("7".to_owned(), Some("shared::says".to_owned()))));
        assert_eq!(setting("shared::says", "breaker.failure_threshold"), Some(("7".to_owned(), None)));
    }

    #[test]
    fn the_catalogue_writes_an_expression_on_one_line() {
        let (fallback, _) = setting("shared::uses", "fallback").unwrap();
        assert!(!fallback.contains('\n') && fallback.contains("other"), "{fallback}");
    }
}

mod told {
    use super::*;
    use std::collections::BTreeMap;
    use std::fmt::Debug;
    use std::sync::Arc;
    use tracing::field::{Field, Visit};
    use tracing::{Event, Subscriber};
    use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};

    #[derive(Clone, Default)]
    struct Warnings(Arc<Mutex<Vec<BTreeMap<&'static str, String>>>>);

    struct Fields<'f>(&'f mut BTreeMap<&'static str, String>);

    impl Visit for Fields<'_> {
        fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
            let twice = self.0.insert(field.name(), format!("{value:?}"));
            assert_eq!(twice, None, "{field}");
        }
    }

    impl<S: Subscriber> Layer<S> for Warnings {
        fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
            if event.metadata().name() == "configuration_warning" {
                let mut fields = BTreeMap::new();
                event.record(&mut Fields(&mut fields));
                self.0.lock().unwrap().push(fields);
            }
        }
    }

    #[test]
    fn a_warning_says_what_it_warns_of() {
        let (_alone, warnings) = (alone(), Warnings::default());
        tracing::subscriber::with_default(tracing_subscriber::registry().with(warnings.clone()), || {
            install("told.toml", "[breakers.nobody-has-this-name]\nfailure_threshold = 2").unwrap();
        });
        let told = warnings.0.lock().unwrap();
        assert_eq!(told[0]["problem"], "\"nothing uses breaker `nobody-has-this-name`\"");
        assert!(told[0]["place"].ends_with("told.toml:1:11\""), "{}", told[0]["place"]);
    }
}

mod mistakes {
    use super::*;

    #[resilient(name = "mistakes::slow", rate = "1/day", burst = 2)]
    fn slow() -> io::Result<()> {
        Ok(())
    }

    #[resilient(
        name = "mistakes::shared",
        bucket = "mistakes",
        rate = "1/day",
        breaker(name = "mistakes", recovery_timeout = "10s")
    )]
    fn shared() -> io::Result<()> {
        Ok(())
    }

    /// What is told of a file, without the path: place and message of each.
    fn told(text: &str) -> Vec<String> {
        let error = install("wrong.toml", text).unwrap_err();
        let line = |place: String| place.rsplit_once(".toml:").unwrap().1.to_owned();
        error.problems().map(|problem| format!("{} {}", line(problem.place().unwrap()), problem.message())).collect()
    }

    #[test]
    fn settings_that_do_not_fit_to_the_attribute_are_told_where_they_stand() {
        let _alone = alone();
        (slow().unwrap(), shared().unwrap());
        let told = told("[functions.\"mistakes::slow\"]\nburst = 1000\n[defaults]\nburst = 1000\nmax_recovery_timeout = \"7s\"");
        assert_eq!(told.len(), 3, "{told:?}");
        assert!(told[0].starts_with("2:9 function `mistakes::slow` (tests/startup.rs:"), "{}", told[0]);
        assert!(told[0].ends_with(
            "`burst` beside this `rate`: the burst is too large for so slow a rate: together they span more than 2 years"
        ));
        assert!(told[1].starts_with("4:9 bucket `mistakes` in `mistakes::shared` (tests/startup.rs:"), "{}", told[1]);
        assert!(told[2].starts_with("5:24 breaker `mistakes` in `mistakes::shared` (tests/startup.rs:"), "{}", told[2]);
    }

    #[test]
    fn a_setting_is_not_blamed_for_what_another_table_says() {
        let _alone = alone();
        let told = told("[breakers.mistakes]\nfailure_threshold = 3\n[defaults]\nmax_recovery_timeout = \"7s\"");
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].starts_with("4:24 "), "{told:?}");
    }

    #[test]
    fn a_pattern_that_nearly_matches_is_corrected() {
        let _alone = alone();
        let told = told("[functions.\"mistaks::*\"]\nenabled = true");
        assert_eq!(told, ["1:12 no function has a name that begins like `mistaks::*`; did you mean `mistakes::*`?"]);
    }

    #[test]
    fn mistakes_come_in_the_order_of_the_file() {
        let _alone = alone();
        let told = told("[functions.nobody]\nenabled = 1\n[breakers.mistakes]\nz = 1\na = 1");
        let places: Vec<_> = told.iter().map(|told| told.split(' ').next().unwrap()).collect();
        assert_eq!(places, ["1:12", "2:11", "4:1", "5:1"]);
    }
}
