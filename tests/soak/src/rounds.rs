//! Four rounds, and the memory that is left after each.

use crate::callers::{Callers, rest};
use crate::chains;
use crate::counts::{Count, number};
use crate::memory;
use crate::operators::{Operators, Zeal, install_another, new_file};
use crate::quiesce::quiesce;
use crate::settings::{Settings, open_windows};
use crate::threads;
use crate::violations::{check, is_any};
use crate::watchdog::Watchdog;
use fastrand::Rng;
use std::path::Path;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};

/// Bytes that buffers and tables may grow by between two moments of rest.
const STEADY: usize = 128 * 1024;
/// Bytes that each configuration may leave behind: plans and settings that were replaced are kept, as calls may hold them.
const PER_INSTALL: usize = 32 * 1024;

struct Game<'g> {
    runtime: &'g Runtime,
    watchdog: Watchdog,
    threads: usize,
    file: &'g Path,
    rng: Rng,
}

pub(crate) fn play(time: Duration, seed: u64, patience: Duration) -> anyhow::Result<()> {
    chains::listen()?;
    let watchdog = Watchdog::start(patience)?;
    let before = threads::number()?;
    let file = new_file()?;
    let runtime =
        Builder::new_multi_thread().worker_threads(4).thread_keep_alive(Duration::from_millis(100)).enable_time().build()?;
    Settings::first().install()?;
    // Its threads begin on their own time.
    while threads::number()? < before + 4 {
        std::thread::yield_now();
    }
    let game = Game { threads: threads::number()?, runtime: &runtime, watchdog, file: &file, rng: Rng::with_seed(seed) };
    game.play(time)?;
    drop(runtime);
    std::fs::remove_file(&file)?;
    let after = threads::number()?;
    check(after <= before || is_any(), || format!("{after} threads at the end, {before} at the start"));
    println!("threads: {before} before the runtime was there, {after} after it was gone");
    Ok(())
}

impl Game<'_> {
    fn play(mut self, time: Duration) -> anyhow::Result<()> {
        let warm = self.round("warm-up", Zeal::All, time.mul_f64(0.15))?;
        let installs = number(Count::Installs);
        let changed = self.round("changes", Zeal::All, time.mul_f64(0.5))?;
        let installs = usize::try_from(number(Count::Installs) - installs)?;
        let left = changed.saturating_sub(warm);
        println!("{left} bytes more after {installs} configurations: {} each", left / installs.max(1));
        let most = STEADY + installs * PER_INSTALL;
        check(left <= most || is_any(), || format!("memory: {left} bytes more after {installs} configurations"));
        let settled = self.round("settling", Zeal::Weather, time.mul_f64(0.05))?;
        let steady = self.round("steady", Zeal::Weather, time.mul_f64(0.3))?;
        let left = steady.saturating_sub(settled);
        println!("{left} bytes more after a round without changes");
        check(left <= STEADY || is_any(), || format!("memory: {left} bytes more, when nobody changed settings"));
        Ok(())
    }

    /// Bytes alive after it.
    fn round(&mut self, name: &str, zeal: Zeal, time: Duration) -> anyhow::Result<usize> {
        if is_any() {
            return Ok(0);
        }
        if zeal == Zeal::All {
            install_another(self.file, &mut self.rng);
        }
        open_windows();
        let calls = number(Count::Calls);
        let operators = Operators::start(zeal, self.file, &mut self.rng);
        let callers = Callers::start(self.runtime, self.watchdog, &mut self.rng);
        rest(time);
        operators.stop();
        callers.stop(self.runtime)?;
        if !is_any() {
            quiesce(self.runtime, self.threads)?;
        }
        let live = memory::live();
        println!(
            "{name}: {} calls in {time:.1?}, {live} bytes and {} threads at rest",
            number(Count::Calls) - calls,
            threads::number()?
        );
        Ok(live)
    }
}
