//! Each check fails when it should: the program makes a mistake of its own, and must find it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::process::Command;

/// A second or two of calls with that mistake, and what must be said of it.
fn finds(bug: &str, words: &str) -> String {
    let patience = if bug == "hang" { "1" } else { "120" };
    // It ends when it is found, and circuits do not open in every second.
    let minutes = if bug.starts_with("swapped") { "1" } else { "0.04" };
    let arguments = ["--minutes", minutes, "--seed", "1", "--patience", patience, "--seed-bug", bug];
    let output = Command::new(env!("CARGO_BIN_EXE_soak")).args(arguments).output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{told}");
    let is_found = told.lines().any(|line| line.starts_with("VIOLATED") && line.contains(words));
    assert!(is_found, "no `{words}` in\n{told}");
    told
}

macro_rules! finds {
    ($($name:ident: $bug:literal $words:literal;)*) => {
        $(
            #[test]
            fn $name() {
                let _told = finds($bug, $words);
            }
        )*
    };
}

/// When nobody else calls, so that none hides behind the time that passes.
#[test]
fn a_burst_too_many_is_found_of_every_bucket() {
    let told = finds("extra-burst-at-rest", "quota of ");
    let bucket = ["bucket `stripe`", "bucket `partner`", "paced", "impatient", "tenant", "everything", "patient", "turnstile"];
    for name in bucket {
        assert!(told.contains(&format!("quota of {name}")), "no quota of {name} in\n{told}");
    }
}

finds! {
    an_admission_too_many_breaks_the_quota: "double-admission" "quota of ";
    a_burst_too_many_breaks_a_quota_that_is_used_up: "extra-burst" "quota of ";
    a_body_too_many_breaks_the_limit: "crowd" "bodies at once, where";
    a_body_that_only_the_limit_before_would_allow_is_found: "crowd-after-lowering" "bodies at once, where";
    an_attempt_too_many_is_found: "extra-attempt" "are allowed";
    an_error_that_was_not_the_last_is_found: "other-error" "is not the last error";
    a_body_that_starts_after_its_call_is_found: "late-body" "a body runs whose call is over";
    a_call_that_keeps_its_place_is_found: "leaked-call" "in flight and 0 waiting at rest";
    a_task_that_is_left_is_found: "forgotten-task" "1 tasks are alive";
    a_thread_that_is_left_is_found: "forgotten-thread" "threads are left";
    memory_that_grows_is_found: "leak" "memory: ";
    a_timer_that_is_left_is_found: "forgotten-timer" "a timer is left";
    an_event_that_is_lost_is_found: "lost-event" "breaker `";
    an_event_that_is_told_too_late_is_found: "swapped-events" "circuit_opened from HalfOpen";
    so_is_one_of_a_breaker_that_has_keys: "swapped-events-of-keys" "circuit_half_open before what it follows from";
    a_circuit_that_does_not_close_is_found: "forced-breaker" "breaker `prices`: ";
    a_bucket_that_does_not_fill_is_found: "drained-bucket" "Named(\"stripe\"): token";
    a_call_that_hangs_is_found: "hang" "a call has not ended";
    a_panic_of_nobody_s_is_found: "panic" "a panic that nobody planned";
}
