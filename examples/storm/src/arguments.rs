//! What was asked for on the command line.

use anyhow::{Context as _, bail, ensure};
use std::path::PathBuf;

pub(crate) const USAGE: &str = "usage: storm [--runs N] [--short] [--write DIR]";

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Arguments {
    /// How often both acts are played.
    pub(crate) runs: u32,
    /// Acts of some seconds, which show that everything works and prove nothing.
    pub(crate) is_short: bool,
    /// Where the table and the picture of the last run go.
    pub(crate) write: Option<PathBuf>,
}

impl Arguments {
    pub(crate) fn read(mut given: impl Iterator<Item = String>) -> anyhow::Result<Self> {
        let mut read = Self { runs: 1, is_short: false, write: None };
        while let Some(argument) = given.next() {
            match argument.as_str() {
                "--short" => read.is_short = true,
                "--write" => read.write = Some(given.next().context("--write needs a directory")?.into()),
                "--runs" => {
                    let runs = given.next().context("--runs needs a number")?;
                    read.runs = runs.parse().with_context(|| format!("--runs needs a number, not {runs:?}"))?;
                    ensure!(read.runs > 0, "--runs needs at least 1");
                }
                other => bail!("unknown argument {other:?}"),
            }
        }
        Ok(read)
    }
}
