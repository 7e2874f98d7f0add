//! What compiles, and what the compiler says when it does not.
//!
//! The messages are those of the toolchain in `rust-toolchain.toml`. After a change of words, run
//! `TRYBUILD=overwrite cargo test --package ui` and read the difference.

use trybuild::TestCases;

#[test]
fn every_shape_of_function_compiles() {
    TestCases::new().pass("pass/*.rs");
}

#[test]
fn mistakes_speak_our_words() {
    TestCases::new().compile_fail("mistakes/*.rs");
}

#[test]
fn missing_bounds_speak_our_words() {
    TestCases::new().compile_fail("bounds/*.rs");
}

#[test]
fn thirty_mistakes_are_thirty_errors() {
    TestCases::new().compile_fail("thirty_mistakes.rs");
    let said = include_str!("../thirty_mistakes.stderr");
    assert_eq!(said.lines().filter(|line| line.starts_with("error")).count(), 30);
    assert!(said.lines().filter(|line| line.starts_with("error")).all(|line| line.starts_with("error: ")), "{said}");
    assert!(!said.contains("warning"), "{said}");
}

#[test]
fn mistakes_that_other_libraries_let_through_are_refused() {
    TestCases::new().compile_fail("museum/*.rs");
}
