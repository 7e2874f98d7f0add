//! Every key of the attribute is offered by editors.

/// The attribute's keys, as the macro's source lists them.
fn keys() -> Vec<&'static str> {
    let source = include_str!("../../resilient-macros/src/keys.rs");
    let (_, list) = source.split_once("const KEYS").unwrap();
    let (list, _) = list.split_once("];").unwrap();
    list.lines().filter_map(|line| line.trim().strip_prefix("(\"")?.split('"').next()).collect()
}

#[test]
fn what_editors_complete_is_what_the_macro_knows() {
    let offered = include_str!("../../resilient-runtime/src/completion.rs");
    let keys = keys();
    assert_eq!((keys.len(), keys[0]), (24, "retries"));
    for key in keys.into_iter().filter(|key| *key != "crate") {
        assert!(offered.contains(&format!("pub mod {key} {{}}")), "editors do not offer `{key}`");
    }
}
