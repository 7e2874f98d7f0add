//! Whether somebody hangs. Its patience is beyond what any load explains, as all waits of all functions end within a second or two.

use crate::report;
use crate::violations::found;
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// When each caller began what it does, in milliseconds from the start; 0 if it does nothing.
static BEGAN: [AtomicU64; 256] = [const { AtomicU64::new(0) }; 256];

#[derive(Clone, Copy, Debug)]
pub(crate) struct Watchdog(Instant);

impl Watchdog {
    pub(crate) fn start(patience: Duration) -> anyhow::Result<Self> {
        let watchdog = Self(Instant::now());
        std::thread::Builder::new().name("watchdog".to_owned()).spawn(move || watchdog.watch(patience))?;
        Ok(watchdog)
    }

    pub(crate) fn begins(self, caller: usize) {
        BEGAN[caller].store(self.millis().max(1), Ordering::Relaxed);
    }

    fn millis(self) -> u64 {
        u64::try_from(self.0.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn watch(self, patience: Duration) {
        loop {
            std::thread::sleep(Duration::from_millis(100));
            let longest = BEGAN.iter().filter_map(|began| match began.load(Ordering::Relaxed) {
                0 => None,
                began => Some(self.millis().saturating_sub(began)),
            });
            if longest.max().is_some_and(|longest| u128::from(longest) > patience.as_millis()) {
                found(format!("a call has not ended after {patience:?}"));
                // Whoever hangs cannot be waited for.
                report::print_violations();
                process::exit(1);
            }
        }
    }
}

pub(crate) fn ends(caller: usize) {
    BEGAN[caller].store(0, Ordering::Relaxed);
}
