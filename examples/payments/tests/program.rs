//! The program as a user runs it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::process::{Command, Output};

fn payments(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_payments")).args(arguments).output().unwrap()
}

/// The numbers of a row, with the key and without.
fn row(said: &str, what: &str) -> (u32, u32) {
    let row = said.lines().find_map(|line| line.strip_prefix(what)).unwrap_or_else(|| panic!("no {what:?} in {said}"));
    let mut numbers = row.split_whitespace().map(|number| number.parse().unwrap());
    (numbers.next().unwrap(), numbers.next().unwrap())
}

#[test]
fn nobody_who_sends_a_key_is_charged_twice_and_without_it_many_are() {
    let output = payments(&[]);
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(row(&said, "payments  "), (1000, 1000));
    assert_eq!(row(&said, "payments with a receipt"), (1000, 1000));
    for fault in ["  charged, then silence", "  charged, then 503", "  charged, then connection lost", "  503, not charged"] {
        let (with_key, without_key) = row(&said, fault);
        assert!(with_key > 10 && without_key > 10, "{fault}: {said}");
    }
    let (once, more) = row(&said, "charges in the gateway's book");
    assert!(once == 1000 && more > 1030, "{said}");
    let (never, often) = row(&said, "payments charged more than once");
    assert!(never == 0 && often > 30, "{said}");
}

#[test]
fn a_day_too_short_to_show_anything_is_a_failure() {
    let output = payments(&["--payments", "1", "--seed", "1"]);
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("WRONG  without it, 0 payments were charged more than once"), "{said}");
}

#[test]
fn what_cannot_be_understood_is_said() {
    for (arguments, problem) in [
        (&["--orders", "3"][..], "unknown argument \"--orders\""),
        (&["--payments"], "--payments needs a number"),
        (&["--payments", "0"], "--payments needs a number from 1 to 100000"),
        (&["--seed", "x"], "--seed needs a number, not \"x\""),
    ] {
        let output = payments(arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(problem) && said.contains("usage: payments"), "{said}");
    }
}
