//! What was asked for on the command line.

use anyhow::{Context as _, bail};
use std::path::PathBuf;

pub(crate) struct Arguments {
    pub(crate) file: Option<PathBuf>,
    pub(crate) seconds: u64,
    pub(crate) is_demo: bool,
}

impl Arguments {
    pub(crate) fn read() -> anyhow::Result<Self> {
        let mut read = Self { file: None, seconds: 600, is_demo: false };
        let mut arguments = std::env::args().skip(1);
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--demo" => read.is_demo = true,
                "--seconds" => {
                    let seconds = arguments.next().context("--seconds needs a number")?;
                    read.seconds = seconds.parse().with_context(|| format!("--seconds needs a number, not {seconds:?}"))?;
                }
                option if option.starts_with('-') => bail!("unknown option {option}; there are --seconds and --demo"),
                file => read.file = Some(file.into()),
            }
        }
        Ok(read)
    }
}
