//! The functions of the soak leave out no key of the attribute.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

const FUNCTIONS: [&str; 3] = [
    include_str!("../src/functions/asynchronous.rs"),
    include_str!("../src/functions/blocking.rs"),
    include_str!("../src/functions/shapes.rs"),
];

/// The words before the `=` or the parenthesis in the first column of the README's tables of keys.
fn keys() -> Vec<&'static str> {
    let readme = include_str!("../../../README.md");
    let chapter = readme.split("\n## Keys\n").nth(1).and_then(|rest| rest.split("\n## ").next()).unwrap();
    let rows = chapter.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.map(|row| row.split([' ', '(', '`']).next().unwrap()).collect()
}

#[test]
fn every_key_is_used() {
    let keys = keys();
    assert!(keys.len() > 35, "{keys:?}");
    for key in keys {
        let is_used = FUNCTIONS.iter().any(|text| text.contains(&format!("{key} = ")) || text.contains(&format!("{key}(")));
        assert!(is_used, "no function of the soak has `{key}`");
    }
}

#[test]
fn every_word_that_a_key_takes_is_used() {
    for word in [
        "exponential",
        "constant",
        "linear",
        "fibonacci",
        "decorrelated",
        "jitter = full",
        "jitter = equal",
        "jitter = none",
        "jitter = 0.",
        "budget = none",
        "budget = 0.",
        "budget = \"",
        "max_wait = none",
        "max_wait = \"0s\"",
        "last_known(",
        "window = 50",
        "window = \"",
    ] {
        assert!(FUNCTIONS.iter().any(|text| text.contains(word)), "no function of the soak has `{word}`");
    }
}
