//! What a person would do to the file, and whether it took effect.

use crate::FILE;
use crate::events::Events;
use crate::quotes::{QuoteError, Quotes};
use crate::status::setting;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

const LOOK: Duration = Duration::from_millis(50);
/// A busy machine is slow; what has not happened by then does not happen.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) fn run(events: &Events) -> anyhow::Result<ExitCode> {
    let folder = std::env::temp_dir().join(format!("resilient-configured-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let demo = Demo::start(&folder, events).and_then(|mut demo| demo.story().map(|()| demo.is_true));
    fs::remove_dir_all(&folder)?;
    Ok(if demo? { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

struct Demo<'e> {
    events: &'e Events,
    quotes: Quotes,
    runtime: Runtime,
    folder: PathBuf,
    file: PathBuf,
    text: String,
    is_true: bool,
}

impl<'e> Demo<'e> {
    fn start(folder: &Path, events: &'e Events) -> anyhow::Result<Self> {
        let (file, text) = (folder.join("resilient.toml"), fs::read_to_string(FILE)?);
        let text = text.replace("5/s", "1000/s").replace("failure_threshold = 5", "failure_threshold = 100");
        fs::write(&file, &text)?;
        resilient::configure().file(&file).watch(LOOK).install()?;
        let (quotes, runtime, folder) = (Quotes::start()?, Runtime::new()?, folder.to_owned());
        Ok(Self { events, quotes, runtime, folder, file, text, is_true: true })
    }

    fn story(&mut self) -> anyhow::Result<()> {
        println!("\nAs the file says");
        self.holds("retries", "2", 3)?;

        println!("\nretries = 4");
        let edited = self.text.replace("retries = 2", "retries = 4");
        self.accepted(|demo| write(&demo.file, &edited))?;
        self.holds("retries", "4", 5)?;

        println!("\nA slip of the fingers, and a value that is none");
        let misspelt = edited.replace("base_delay = \"20ms\"", "base_dealy = \"20ms\"").replace("\"2s\"", "2");
        self.refused(|demo| write(&demo.file, &misspelt))?;
        self.holds("retries", "4", 5)?;

        println!("\nMended");
        self.accepted(|demo| write(&demo.file, &edited))?;

        println!("\nDeleted");
        self.refused(|demo| fs::remove_file(&demo.file))?;
        self.holds("retries", "4", 5)?;

        println!("\nWritten anew, by rename, with the retries switched off");
        let bare = self.text.replace("retries = 2\n", "").replace("# retries.enabled", "retries.enabled");
        self.accepted(|demo| replace(&demo.file, &bare))?;
        self.holds("retries.enabled", "false", 1)?;

        println!("\nA threshold of 2, without retries: the third call is refused");
        let sensitive = bare.replace("failure_threshold = 100", "failure_threshold = 2");
        self.accepted(|demo| write(&demo.file, &sensitive))?;
        self.opens_after(2)?;
        self.folders()
    }

    /// Kubernetes keeps a link to a folder, and replaces the link.
    #[cfg(unix)]
    fn folders(&mut self) -> anyhow::Result<()> {
        println!("\nA link to a folder, which is replaced as Kubernetes does it");
        let (old, new) = (self.text.clone(), self.text.replace("retries = 2", "retries = 6"));
        let path = |name: &str| self.folder.join(name);
        let (link, next) = (path("..data"), path("..next"));
        for (name, text) in [("old", old), ("new", new)] {
            fs::create_dir(path(name))?;
            fs::write(path(name).join("resilient.toml"), text)?;
        }
        std::os::unix::fs::symlink("old", &link)?;
        std::os::unix::fs::symlink("new", &next)?;
        resilient::configure().file(link.join("resilient.toml")).watch(LOOK).install()?;
        self.holds("retries", "2", 3)?;
        self.accepted(|_| fs::rename(&next, &link))?;
        self.holds("retries", "6", 7)
    }

    #[cfg(not(unix))]
    fn folders(&mut self) -> anyhow::Result<()> {
        println!("\nThe files of {} go", self.folder.display());
        Ok(())
    }

    fn accepted(&mut self, change: impl Fn(&Self) -> std::io::Result<()>) -> anyhow::Result<()> {
        self.told("configuration_reloaded", change)
    }

    fn refused(&mut self, change: impl Fn(&Self) -> std::io::Result<()>) -> anyhow::Result<()> {
        self.told("configuration_refused", change)
    }

    fn told(&mut self, event: &str, change: impl Fn(&Self) -> std::io::Result<()>) -> anyhow::Result<()> {
        let (before, start) = (self.events.count(event), Instant::now());
        change(self)?;
        while self.events.count(event) == before && start.elapsed() < PATIENCE {
            std::thread::sleep(LOOK);
        }
        self.found(self.events.count(event) > before, &format!("{event} after {} ms", start.elapsed().as_millis()));
        Ok(())
    }

    /// The catalogue says so, and a call that fails sends so many requests.
    fn holds(&mut self, key: &str, value: &str, requests: usize) -> anyhow::Result<()> {
        resilient::breaker("quotes").reset();
        self.quotes.down()?;
        let before = self.quotes.requests();
        let outcome = self.runtime.block_on(self.quotes.latest());
        let sent = self.quotes.requests() - before;
        let listed = setting(key);
        self.found(listed == value, &format!("the catalogue says {key} = {listed}"));
        self.found(outcome.is_err() && sent == requests, &format!("a failing call sends {sent} requests"));
        Ok(())
    }

    fn opens_after(&mut self, failures: usize) -> anyhow::Result<()> {
        resilient::breaker("quotes").reset();
        self.quotes.down()?;
        let outcomes: Vec<_> = (0..=failures).map(|_| self.runtime.block_on(self.quotes.latest())).collect();
        let refused = outcomes.iter().position(|outcome| matches!(outcome, Err(QuoteError::Rejected(_))));
        self.found(refused == Some(failures), &format!("refused after {refused:?} failures"));
        Ok(())
    }

    fn found(&mut self, is_true: bool, text: &str) {
        println!("{:>8}  {text}", if is_true { "ok" } else { "WRONG" });
        self.is_true &= is_true;
    }
}

fn write(path: &Path, text: &str) -> std::io::Result<()> {
    fs::write(path, text)
}

/// As careful editors do it.
fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    let beside = path.with_extension("new");
    fs::write(&beside, text)?;
    fs::rename(beside, path)
}
