//! What the attribute emits trips none of its users' lints: `cargo clippy -p lints-2021 -p lints-2024` says nothing.

#![no_implicit_prelude]
#![forbid(unsafe_code, unreachable_code, unused)]
#![deny(warnings, missing_docs, clippy::all, clippy::pedantic, clippy::nursery)]
#![deny(elided_lifetimes_in_paths, explicit_outlives_requirements, keyword_idents, let_underscore_drop)]
#![deny(missing_debug_implementations, non_ascii_idents, redundant_lifetimes, single_use_lifetimes)]
#![deny(trivial_casts, trivial_numeric_casts, unit_bindings, unreachable_pub, unused_import_braces)]
#![deny(unused_lifetimes, unused_qualifications, unused_results, variant_size_differences)]
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::shadow_same)]
#![deny(clippy::allow_attributes, clippy::let_underscore_untyped)]

/// Keeps a function on one line, where braces of ours would look superfluous.
macro_rules! unformatted {
    ($item:item) => {
        $item
    };
}

pub mod asynchronous;
pub mod blocking;
pub mod classified;
pub mod methods;
