//! Those who change things while the program runs: the weather, configuration, files, and breakers by hand.

use crate::chains::{self, ALONE};
use crate::counts::{Count, count, number};
use crate::fault::change_weather;
use crate::functions::in_line;
use crate::settings::Settings;
use crate::violations::{check, found};
use anyhow::Context as _;
use fastrand::Rng;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// Breakers that nobody touches, so that what they tell has to fit exactly: all but these, which somebody does.
pub(crate) const BY_HAND: [&str; 3] = ["stock", "offers", "trial"];

#[derive(Debug)]
pub(crate) struct Operators {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

/// How much they do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Zeal {
    All,
    /// Everything goes wrong, but nobody changes settings.
    Weather,
}

impl Operators {
    pub(crate) fn start(zeal: Zeal, file: &Path, rng: &mut Rng) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (told, mut own) = (Arc::clone(&stop), rng.fork());
        let weather = std::thread::spawn(move || {
            while !told.load(Ordering::Relaxed) {
                change_weather(&mut own);
                std::thread::sleep(Duration::from_millis(own.u64(20..200)));
            }
        });
        let mut threads = vec![weather];
        if zeal == Zeal::All {
            let (told, mut own, file) = (Arc::clone(&stop), rng.fork(), file.to_owned());
            threads.push(std::thread::spawn(move || {
                while !told.load(Ordering::Relaxed) {
                    change_something(&file, &mut own);
                    std::thread::sleep(Duration::from_millis(own.u64(20..300)));
                }
            }));
        }
        Self { stop, threads }
    }

    pub(crate) fn stop(self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads {
            let _ = thread.join().inspect_err(|_| found("an operator's thread panicked".to_owned()));
        }
        resilient::enable_retries(true);
    }
}

fn change_something(file: &Path, rng: &mut Rng) {
    match rng.u8(..10) {
        0..5 => install_another(file, rng),
        5..7 => change_file(file, rng),
        7 => {
            resilient::enable_retries(rng.bool());
            let functions = resilient::catalog().to_string();
            check(functions.contains("asynchronous::everything"), || "the catalogue is not whole".to_owned());
        }
        _ => touch_breakers(rng),
    }
}

pub(crate) fn install_another(file: &Path, rng: &mut Rng) {
    count(Count::Installs);
    if let Err(error) = Settings::random(rng, file).install() {
        found(format!("a configuration was refused: {error}"));
    }
}

/// What the file says is never about quotas, as nobody is told when a watch takes it.
fn change_file(file: &Path, rng: &mut Rng) {
    let contents = match rng.u8(..4) {
        0 => "[breakers.stock]\nfailure_threshold = \"many\"\n".to_owned(),
        1 => String::new(),
        _ => {
            format!("[defaults]\nmax_retry_after = \"{}ms\"\n[breakers.offers]\nminimum_calls = {}\n", rng.u8(2..20), rng.u8(5..20))
        }
    };
    let is_good = !contents.contains("many");
    if let Err(error) = std::fs::write(file, contents) {
        found(format!("the file of settings cannot be written: {error}"));
    }
    if rng.bool() {
        count(Count::Reloads);
        // Before the first configuration is installed there is nothing to read.
        let is_taken = resilient::reload().is_ok() || number(Count::Installs) == 0;
        check(is_taken == is_good, || format!("a file was taken: {is_taken}, and is good: {is_good}"));
    }
    if !is_good {
        std::thread::sleep(Duration::from_millis(rng.u64(..300)));
        let _ = std::fs::write(file, "");
    }
}

fn touch_breakers(rng: &mut Rng) {
    count(Count::Forced);
    let name = BY_HAND[rng.usize(..BY_HAND.len())];
    let touch = |breaker: &resilient::Breaker, what: u8| match what {
        0 => breaker.force_open(),
        1 => breaker.disable(),
        2 => breaker.shadow(),
        _ => breaker.reset(),
    };
    touch(resilient::breaker(name), rng.u8(..8));
    match rng.u8(..4) {
        0 => resilient::keyed_breakers("tenants").reset(),
        1 => resilient::keyed_breakers("strangers").reset(),
        _ => {}
    }
    let what = rng.u8(..8);
    in_line(|| {
        touch(resilient::breaker(ALONE), what);
        chains::check_alone();
    });
}

/// Where the file of settings is.
pub(crate) fn new_file() -> anyhow::Result<PathBuf> {
    let file = std::env::temp_dir().join(format!("soak-{}.toml", std::process::id()));
    std::fs::write(&file, "").context("no file of settings can be written")?;
    Ok(file)
}
