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
        says().unwrap();
        uses().unwrap();
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
        slow().unwrap();
        shared().unwrap();
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
    fn an_empty_table_of_no_policy_is_a_mistake() {
        let _alone = alone();
        let told = told("[functions.\"mistakes::slow\".burts]\n[functions.\"mistakes::slow\".max_wait]\n");
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told[0].contains("unknown setting `burts`; did you mean `burst`?"), "{told:?}");
        assert!(told[1].contains("`max_wait` takes a duration such as \"5s\", or \"none\", not a table"), "{told:?}");
    }

    #[test]
    fn a_value_beside_its_switch_is_explained() {
        let _alone = alone();
        let told = told("[functions.\"mistakes::slow\"]\nrate = 2\nrate.enabled = false");
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(
            told[0].starts_with("3:1 ") && told[0].ends_with("a value or a switch such as `retries.enabled`, not both"),
            "{told:?}"
        );
    }

    #[test]
    fn mistakes_come_in_the_order_of_the_file() {
        let _alone = alone();
        let told = told("[functions.nobody]\nenabled = 1\n[breakers.mistakes]\nz = 1\na = 1");
        let places: Vec<_> = told.iter().map(|told| told.split(' ').next().unwrap()).collect();
        assert_eq!(places, ["1:12", "2:11", "4:1", "5:1"]);
    }
}

mod readme {
    use super::*;
    use resilient::Rejected;

    const README: &str = include_str!("../README.md");

    #[resilient(
        name = "shop::payments::charge",
        retries = 3,
        timeout = "2s",
        deadline = "10s",
        breaker = "payments",
        rate = 10,
        concurrency = 8
    )]
    async fn charge(order: u32) -> Result<u32, Rejected> {
        Ok(order)
    }

    #[resilient(name = "shop::payments::refund", retries = 3, budget = "partner", bucket = "stripe", bulkhead = "db")]
    fn refund(order: u32) -> io::Result<u32> {
        Ok(order)
    }

    #[resilient(
        name = "shop::reports::daily",
        retries = 3,
        timeout = "2s",
        deadline = "10s",
        breaker = "payments",
        rate = "1/day",
        concurrency = 1
    )]
    async fn daily() -> io::Result<()> {
        lost()
    }

    #[resilient(name = "shop::reports::weekly", bucket = "stripe", bulkhead = "db")]
    fn weekly() -> io::Result<()> {
        lost()
    }

    /// The blocks of that language in the README's section on configuration.
    fn blocks(language: &str) -> Vec<&'static str> {
        let (_, section) = README.split_once("\n## Configure at startup\n").unwrap();
        let section = section.split("\n## ").next().unwrap();
        let blocks = section.split("```").skip(1).step_by(2);
        blocks.filter_map(|block| block.strip_prefix(language)?.strip_prefix('\n')).collect()
    }

    fn install_the_readme() {
        install("readme.toml", blocks("toml")[0]).unwrap();
    }

    #[test]
    fn the_file_is_taken_and_heard() {
        let _alone = alone();
        install_the_readme();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            assert_eq!(charge(7).await.unwrap(), 7);
            assert_eq!(refund(7).unwrap(), 7);
            for _ in 0..10 {
                daily().await.unwrap_err();
                weekly().unwrap_err();
            }
        });
        assert_eq!(resilient::breaker("payments").state(), resilient::State::Closed);
        assert_eq!(resilient::bulkhead("db").limit(), 32);
    }

    #[test]
    fn the_file_shows_every_setting() {
        let file = blocks("toml")[0];
        for (table, word, _) in resilient::__private::settings() {
            let tables = file.split("\n[").filter(|text| text.starts_with(table));
            let is_said = |text: &str| text.lines().any(|line| line.strip_prefix(word).is_some_and(|rest| rest.starts_with(" = ")));
            assert!(tables.into_iter().any(is_said), "{table}: {word}");
        }
    }

    #[test]
    fn mistakes_are_told_as_shown() {
        let _alone = alone();
        let error = install("mistakes.toml", blocks("toml")[1]).unwrap_err();
        let path = file("mistakes.toml", "").display().to_string();
        let told = error.to_string().replace(&path, "resilient.toml").replace("tests/startup.rs", "src/payments.rs");
        assert_eq!(without_line(&told), without_line(blocks("text")[0].trim_end()), "\n{told}");
    }

    #[test]
    fn the_catalogue_says_what_is_shown() {
        let _alone = alone();
        install_the_readme();
        let path = file("readme.toml", blocks("toml")[0]).display().to_string();
        let told = listed("shop::payments::charge")
            .to_string()
            .replace(&path, "resilient.toml")
            .replace("tests/startup.rs", "src/payments.rs");
        assert_eq!(without_line(&told), without_line(blocks("text")[1]), "\n{told}");
    }

    /// Lines of this file change.
    fn without_line(text: &str) -> String {
        let mut parts = text.split("src/payments.rs:");
        let first = parts.next().unwrap().to_owned();
        parts.fold(first, |text, part| text + "src/payments.rs:" + part.trim_start_matches(|c: char| c.is_ascii_digit()))
    }

    /// The rows of the table of settings: words, tables, what it takes, what is built in.
    fn rows() -> Vec<[&'static str; 4]> {
        let (_, table) = README.split_once("| setting | tables | takes | built in |\n").unwrap();
        let rows = table.lines().skip(1).map_while(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
        rows.map(|row| row.split(" | ").collect::<Vec<_>>().try_into().unwrap()).collect()
    }

    fn quoted(cell: &'static str) -> impl Iterator<Item = &'static str> {
        cell.split('`').skip(1).step_by(2)
    }

    #[test]
    fn the_table_has_every_setting_with_what_is_built_in() {
        let mut known = resilient::__private::settings();
        for [words, tables, _, stated] in rows() {
            for (word, table) in quoted(words).flat_map(|word| quoted(tables).map(move |table| (word, table))) {
                let place = known.iter().position(|known| (known.0, known.1) == (table, word));
                let (.., built_in) = known.remove(place.unwrap_or_else(|| panic!("{table} has no {word}")));
                if let (Some(stated), Some(built_in)) = (quoted(stated).next(), built_in) {
                    assert_eq!(stated, built_in, "{table}: {word}");
                }
            }
        }
        assert_eq!(known, [], "not in the table");
    }

    /// Each end of each range is taken, and what lies beyond is not.
    #[test]
    fn ranges_are_as_stated() {
        let _alone = alone();
        let is_taken = |table: &str, word: &str, value: &str| {
            let name = match table {
                "defaults" | "switches" => "",
                "functions" => ".\"shop::payments::charge\"",
                "breakers" => ".payments",
                "buckets" => ".stripe",
                "bulkheads" => ".db",
                _ => ".partner",
            };
            let taken = install("range.toml", &format!("[{table}{name}]\n{word} = {value}\n"));
            taken.is_ok()
        };
        let mut ranges = 0;
        for [words, tables, takes, _] in rows() {
            let word = quoted(words).next().unwrap();
            for table in quoted(tables) {
                if takes.contains("above zero") {
                    assert!(!is_taken(table, word, "\"0s\"") && is_taken(table, word, "\"10s\""), "{table}: {word}");
                }
                let Some((least, most)) = range(takes) else { continue };
                ranges += 1;
                for (value, is_in) in [(least, true), (most, true), (least - 1.0, false), (most + 1.0, false)] {
                    assert_eq!(is_taken(table, word, &value.to_string()), is_in, "{table}: {word} = {value}");
                }
            }
        }
        assert!(ranges > 12, "{ranges}");
        resilient::configure().install().unwrap();
    }

    fn range(takes: &str) -> Option<(f64, f64)> {
        let (least, most) = takes.rsplit_once(": ").map_or(takes, |(_, range)| range).split_once(" to ")?;
        Some((least.parse().ok()?, most.split(',').next()?.parse().ok()?))
    }
}
