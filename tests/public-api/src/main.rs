//! Prints every public item of a crate, a line each: `public-api-listing target/…/resilient_runtime.json`. `scripts/public-api` compares it
//! with what is kept.

use public_api::{Builder, PublicApi};
use std::process::ExitCode;

/// Traits of which nobody decides anything.
const OF_NO_INTEREST: [&str; 4] = ["::Freeze for ", "::UnsafeUnpin for ", "UnwindSafe for ", "::Unpin for "];

fn main() -> ExitCode {
    let Some(file) = std::env::args().nth(1) else {
        eprintln!("which file of rustdoc's?");
        return ExitCode::FAILURE;
    };
    match Builder::from_rustdoc_json(file).omit_blanket_impls(true).omit_auto_derived_impls(false).build() {
        Ok(api) => print(&api),
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn print(api: &PublicApi) {
    for item in api.items().map(ToString::to_string) {
        if !OF_NO_INTEREST.iter().any(|of_no_interest| item.contains(of_no_interest)) {
            println!("{item}");
        }
    }
}
