//! Every key of the attribute is offered by editors.

use crate::support::keys;

#[test]
fn what_editors_complete_is_what_the_macro_knows() {
    let offered = include_str!("../../resilient-runtime/src/completion.rs");
    let keys = keys("KEYS");
    assert_eq!((keys.len(), keys[0]), (27, "retries"));
    for key in keys.into_iter().filter(|key| *key != "crate") {
        assert!(offered.contains(&format!("pub mod {key} {{}}")), "editors do not offer `{key}`");
    }
}
