//! What was asked for on the command line.

use anyhow::{Context as _, bail, ensure};

pub(crate) const USAGE: &str = "usage: payments [--payments N] [--seed N]";

#[derive(Debug)]
pub(crate) struct Arguments {
    pub(crate) payments: u32,
    /// Another seed, other faults.
    pub(crate) seed: u64,
}

impl Arguments {
    pub(crate) fn read(mut given: impl Iterator<Item = String>) -> anyhow::Result<Self> {
        let mut read = Self { payments: 1000, seed: 1 };
        while let Some(argument) = given.next() {
            let value = given.next();
            match argument.as_str() {
                "--payments" => read.payments = number(&argument, value)?,
                "--seed" => read.seed = number(&argument, value)?,
                _ => bail!("unknown argument {argument:?}"),
            }
        }
        ensure!((1..=100_000).contains(&read.payments), "--payments needs a number from 1 to 100000");
        Ok(read)
    }
}

fn number<N: std::str::FromStr<Err = std::num::ParseIntError>>(option: &str, value: Option<String>) -> anyhow::Result<N> {
    let value = value.with_context(|| format!("{option} needs a number"))?;
    value.parse().with_context(|| format!("{option} needs a number, not {value:?}"))
}
