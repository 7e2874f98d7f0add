//! The program as a user runs it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::process::{Command, Output};

fn storm(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_storm")).args(arguments).output().unwrap()
}

#[test]
fn a_short_run_on_loopback_writes_its_table_and_its_pictures() {
    let directory = tempfile::tempdir().unwrap();
    let output = storm(&["--short", "--write", directory.path().to_str().unwrap()]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    let table = fs::read_to_string(directory.path().join("storm.md")).unwrap();
    assert_eq!(table.lines().filter(|line| line.starts_with("| resilient")).count(), 2 * 4);
    assert!(String::from_utf8_lossy(&output.stdout).contains(table.lines().last().unwrap()));
    let svg = fs::read_to_string(directory.path().join("storm.svg")).unwrap();
    assert_eq!(svg.matches("while down").count(), 2 * 6, "a panel for each caller in each act");
    assert!(fs::read(directory.path().join("storm.png")).unwrap().starts_with(b"\x89PNG"));
}

#[test]
fn what_cannot_be_understood_or_written_is_said() {
    for (arguments, problem) in [
        (&["--quick"][..], "unknown argument \"--quick\""),
        (&["--runs"], "--runs needs a number"),
        (&["--runs", "0"], "--runs needs at least 1"),
        (&["--runs", "many"], "--runs needs a number, not \"many\""),
    ] {
        let output = storm(arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(problem) && said.contains("usage: storm"), "{said}");
    }
}

#[test]
fn where_nothing_can_be_written_nothing_is_played() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let output = storm(&["--short", "--write", file.path().join("docs").to_str().unwrap()]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains("cannot write to") && output.stdout.is_empty(), "{said}");
}

#[test]
fn the_readme_shows_what_the_last_run_has_written() {
    let (readme, tables) = (include_str!("../../../README.md"), include_str!("../../../docs/storm.md"));
    assert!(readme.contains(tables.trim()), "copy docs/storm.md into the README");
}
