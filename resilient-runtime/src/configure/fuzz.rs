//! What `fuzz/` feeds with any text; not there in an ordinary build.

use super::installed::install;
use super::taste::{self, Tasted};

/// Reads a text as a file, and installs it if it can be taken.
///
/// # Panics
///
/// Where there is a mistake of ours.
pub fn fuzz_toml(text: &str) {
    take(taste::toml(text));
}

/// Reads lines as variables, and installs them if they can be taken.
///
/// # Panics
///
/// Where there is a mistake of ours.
pub fn fuzz_environment(text: &str) {
    take(taste::environment(text));
}

fn take(tasted: Tasted) {
    std::hint::black_box(tasted.said);
    if let Ok(installed) = tasted.installed {
        install(installed);
    }
}
