//! A mutant, as cargo-mutants lists it.

use crate::Result;
use serde_json::Value;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::Path;
use std::process::Command;

#[derive(Clone, Debug)]
pub struct Mutant {
    pub number: u32,
    pub name: String,
    pub file: String,
    pub genre: Genre,
    pub replacement: String,
    /// What the function returns; empty for nothing.
    pub returns: String,
    /// Where it starts and ends, line and column from 1.
    pub start: (usize, usize),
    pub end: (usize, usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Genre {
    FnValue,
    BinaryOperator,
    UnaryOperator,
    MatchArm,
    MatchArmGuard,
    StructField,
}

impl Mutant {
    /// Its file and what it changes, wherever that stands: `src/bucket.rs: replace < with <= in Bucket::pause`.
    pub fn change(&self) -> String {
        format!("{}: {}", self.file, self.name.splitn(4, ':').last().unwrap_or_default().trim_start())
    }
}

/// All of both crates, in cargo-mutants' order.
pub fn all(root: &Path) -> Result<Vec<Mutant>> {
    let mut list = Command::new("cargo");
    list.args(["mutants", "--list", "--json", "--package", "resilient-runtime", "--package", "resilient-macros"]).current_dir(root);
    let output = list.output()?;
    if !output.status.success() {
        return Err(format!("cargo mutants: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    let listed: Vec<Value> = serde_json::from_slice(&output.stdout)?;
    (0..)
        .zip(&listed)
        .map(|(number, mutant)| read(number, mutant).ok_or_else(|| format!("unknown form: {mutant}").into()))
        .collect()
}

/// Another number whenever other mutants have their numbers, wherever they stand.
pub fn sequence(mutants: &[Mutant]) -> u64 {
    let mut hasher = DefaultHasher::new();
    for mutant in mutants {
        mutant.change().hash(&mut hasher);
    }
    hasher.finish()
}

fn read(number: u32, mutant: &Value) -> Option<Mutant> {
    let text = |key: &str| mutant[key].as_str().map(str::to_owned);
    let place = |end: &str| {
        let place = &mutant["span"][end];
        let number = |key: &str| usize::try_from(place[key].as_u64()?).ok();
        Some((number("line")?, number("column")?))
    };
    Some(Mutant {
        number,
        name: text("name")?,
        file: text("file")?,
        genre: Genre::of(&text("genre")?)?,
        replacement: text("replacement")?,
        returns: mutant["function"]["return_type"].as_str().unwrap_or_default().to_owned(),
        start: place("start")?,
        end: place("end")?,
    })
}

impl Genre {
    fn of(name: &str) -> Option<Self> {
        Some(match name {
            "FnValue" => Self::FnValue,
            "BinaryOperator" => Self::BinaryOperator,
            "UnaryOperator" => Self::UnaryOperator,
            "MatchArm" => Self::MatchArm,
            "MatchArmGuard" => Self::MatchArmGuard,
            "StructField" => Self::StructField,
            _ => return None,
        })
    }
}
