//! What was asked for on the command line.

use crate::bug::Bug;
use anyhow::{Context as _, bail, ensure};
use std::time::Duration;

pub(crate) const USAGE: &str = "usage: soak [--minutes N] [--seed N] [--patience SECONDS] [--seed-bug NAME]";

#[derive(Debug)]
pub(crate) struct Arguments {
    pub(crate) time: Duration,
    /// Another seed, other faults; threads meet otherwise in each run all the same.
    pub(crate) seed: u64,
    /// A call that takes longer than this hangs: far longer than any machine with work to do takes.
    pub(crate) patience: Duration,
    /// A mistake of this program's own, which it must find.
    pub(crate) bug: Option<Bug>,
}

impl Arguments {
    pub(crate) fn read(mut given: impl Iterator<Item = String>) -> anyhow::Result<Self> {
        let mut read =
            Self { time: Duration::from_secs(120), seed: fastrand::u64(..), patience: Duration::from_secs(120), bug: None };
        while let Some(argument) = given.next() {
            let value = given.next().with_context(|| format!("{argument} needs a value"))?;
            match argument.as_str() {
                "--minutes" => read.time = minutes(&value)?,
                "--seed" => read.seed = value.parse().with_context(|| format!("--seed needs a number, not {value:?}"))?,
                "--patience" => read.patience = Duration::from_secs(value.parse().context("--patience needs whole seconds")?),
                "--seed-bug" => read.bug = Some(Bug::named(&value)?),
                _ => bail!("unknown argument {argument:?}"),
            }
        }
        Ok(read)
    }
}

fn minutes(value: &str) -> anyhow::Result<Duration> {
    let minutes: f64 = value.parse().with_context(|| format!("--minutes needs a number, not {value:?}"))?;
    ensure!((0.01..=10_000.0).contains(&minutes), "--minutes needs a number from 0.01 to 10000");
    Ok(Duration::from_secs_f64(minutes * 60.0))
}
