//! Names that functions share, first calls, and configurations that take each other's place.

use super::{assert_caught, beside, end, explore, explore_some};
use crate::bucket::Bucket;
use crate::configure::installed::{FunctionTable, Installed, Pattern, install_for};
use crate::configure::table::Table;
use crate::keyed::Both;
use crate::overrides::Overrides;
use crate::plan::{Declared, Plan};
use crate::rate::Rate;
use crate::registry::{self, BucketSettings, Configured, Finder};
use crate::site::Site;
use std::time::Duration;

fn settings(per_second: u64) -> BucketSettings {
    BucketSettings::of(Some(Rate::per_second(per_second)), None)
}

fn address<T>(shared: &T) -> usize {
    std::ptr::from_ref(shared).addr()
}

fn one_name() {
    explore(100, || {
        registry::start_anew();
        let find = |function: &'static str| beside(move || address(Finder::new(function).bucket("shared", settings(1))));
        let (one, other) = (find("one"), find("other"));
        let by_hand = beside(|| address(registry::bucket("shared")));
        let found = [end(one), end(other)];
        let both: &Both<Bucket> = Finder::new("third").bucket("shared", BucketSettings::default());
        assert_eq!(found, [address(both); 2]);
        assert_eq!(end(by_hand), address(&both.one));
    });
}

#[test]
fn functions_that_meet_at_a_name_find_one_thing() {
    one_name();
}

#[test]
fn seeded_a_name_that_is_looked_for_and_then_entered_is_caught() {
    assert_caught("registry: check then insert", one_name);
}

/// Two functions contradict each other: one of them is heard, the other is told, and both are named.
fn contradiction() {
    explore_some(200, 2, || {
        registry::start_anew();
        let find = |function: &'static str, per_second| {
            beside(move || {
                let mut finder = Finder::new(function);
                let rate = finder.bucket("shared", settings(per_second)).one.rate();
                (rate, finder.contradictions.iter().map(|told| (told.first, told.second)).collect::<Vec<_>>())
            })
        };
        let (one, other) = (find("one", 1), find("other", 2));
        let unnamed = beside(|| registry::bucket("shared").rate());
        let ((one, told_one), (other, told_other)) = (end(one), end(other));
        assert_eq!(one, other, "whoever comes first is heard");
        let told = [told_one, told_other].concat();
        let expected = if one == Rate::per_second(1) { ("one", "other") } else { ("other", "one") };
        assert_eq!(told, [expected]);
        end(unnamed);
        assert_eq!(registry::bucket("shared").rate(), one);
    });
}

#[test]
fn of_two_functions_that_contradict_each_other_one_is_heard_and_both_are_named() {
    contradiction();
}

#[test]
fn seeded_a_contradiction_that_goes_unnoticed_is_caught() {
    assert_caught("registry: check then insert", contradiction);
}

fn site(name: &'static str, declare: fn(Declared) -> Declared) -> &'static Site {
    Box::leak(Box::new(Site::new(name, file!(), line!(), declare)))
}

fn first_plan() {
    explore_some(200, 1, || {
        registry::start_anew();
        let function = site("first", |declared| declared.retries(1).rate(Rate::per_second(1)).breaker_named("first"));
        let threads = [(); 3].map(|()| beside(|| (address(function.plan()), function.plan().bucket.map(address))));
        let [first, second, third] = threads.map(end);
        assert!(first == second && second == third, "one plan, and one bucket of its own");
    });
}

#[test]
fn first_calls_that_meet_make_one_plan() {
    first_plan();
}

#[test]
fn seeded_a_plan_that_is_made_without_the_lock_is_caught() {
    assert_caught("site: unguarded plan", first_plan);
}

/// Two settings of a function that change together, and one of a name.
fn configuration(retries: u32) -> Installed {
    let overrides = Overrides::new().retries(retries).max_retry_after(Duration::from_secs(u64::from(retries)));
    let pattern = Pattern { text: "reloaded".to_owned() };
    let mut buckets = registry::Settled::default();
    buckets.named.insert("shared".to_owned(), Table::of_code(settings(u64::from(retries))));
    Installed {
        functions: vec![FunctionTable { pattern, table: Table::of_code(overrides) }],
        shared: Configured { buckets, ..Configured::default() },
        ..Installed::default()
    }
}

/// Which configuration made that plan.
fn version(plan: &Plan<'_>) -> u32 {
    let retries = plan.settings.retries;
    assert_eq!(plan.settings.max_retry_after, u64::from(retries) * 1_000_000_000, "two configurations in one plan");
    retries
}

fn reload() {
    explore_some(200, 1, || {
        registry::start_anew();
        let function = site("reloaded", |declared| declared.retries(1).max_retry_after(Duration::from_secs(1)).bucket("shared"));
        let first = beside(|| version(function.plan()));
        let reloads = beside(move || {
            install_for(configuration(2), [function]);
            assert_eq!(version(function.plan()), 2, "who has installed it sees it");
            install_for(configuration(3), [function]);
        });
        let twice = beside(|| {
            let (earlier, later) = (version(function.plan()), version(function.plan()));
            assert!(earlier <= later, "{later} after {earlier}");
        });
        assert!((1..=3).contains(&end(first)));
        end(reloads);
        end(twice);
        assert_eq!(version(function.plan()), 3);
        assert_eq!(function.plan().bucket.map(Bucket::rate), Some(Rate::per_second(3)));
    });
}

#[test]
fn a_call_sees_one_configuration_and_later_calls_no_older_one() {
    reload();
}

#[test]
fn seeded_a_plan_that_outlives_its_configuration_is_caught() {
    assert_caught("site: unguarded plan", reload);
}

/// Two at once: what is in force at the end is one of them, whole.
fn two_reloads() {
    explore_some(200, 2, || {
        registry::start_anew();
        let function = site("reloaded", |declared| declared.retries(1).max_retry_after(Duration::from_secs(1)).bucket("shared"));
        version(function.plan());
        let reloads = [2, 3].map(|retries| beside(move || install_for(configuration(retries), [function])));
        let reader = beside(|| version(function.plan()));
        let _ = reloads.map(end);
        end(reader);
        let last = version(function.plan());
        assert_eq!(function.plan().bucket.map(Bucket::rate), Some(Rate::per_second(u64::from(last))));
    });
}

#[test]
fn of_two_configurations_at_once_one_is_in_force_and_whole() {
    two_reloads();
}

#[test]
fn seeded_names_of_one_configuration_and_functions_of_another_are_caught() {
    assert_caught("configuration: names go ahead", two_reloads);
}
