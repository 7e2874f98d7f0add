//! An outage seen from both sides: a server that fails or stalls, and six ways to call it.
//!
//! `cargo run --release --package storm` plays both acts on loopback in half a minute, prints what came of it, and checks it.
//! `--runs 5` plays them five times, `--short` for some seconds and without a judgement, `--write docs` writes the last run's table and
//! picture.

mod act;
mod arguments;
mod client;
mod contender;
mod fault;
mod figures;
mod findings;
mod load;
mod picture;
mod play;
mod png;
mod server;
mod storm;
mod table;
#[cfg(test)]
mod turned_time;
mod upstream;

use anyhow::Context as _;
use arguments::{Arguments, USAGE};
use std::fs;
use std::path::Path;
use std::process::ExitCode;
use storm::Played;

fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::read(std::env::args().skip(1)).context(USAGE)?;
    if let Some(directory) = &arguments.write {
        fs::create_dir_all(directory).with_context(|| format!("cannot write to {}", directory.display()))?;
    }
    let runtime = tokio::runtime::Runtime::new()?;
    let mut is_true = true;
    for run in 1..=arguments.runs {
        println!("Run {run} of {}: six callers, 200 calls a second each\n", arguments.runs);
        let played = runtime.block_on(play(arguments.is_short))?;
        is_true &= arguments.is_short || judge(&played);
        if let Some(directory) = arguments.write.as_deref().filter(|_| run == arguments.runs) {
            write(directory, &played).with_context(|| format!("cannot write to {}", directory.display()))?;
        }
    }
    Ok(if is_true { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn play(is_short: bool) -> anyhow::Result<Vec<Played>> {
    let mut played = Vec::new();
    for act in storm::acts(is_short) {
        let act = storm::run(act).await?;
        println!("{}", table::markdown(&act));
        played.push(act);
    }
    Ok(played)
}

fn judge(played: &[Played]) -> bool {
    let [outage, stall] = played else { return false };
    let findings = findings::findings(outage, stall);
    for finding in &findings {
        println!("{:>8}  {}", if finding.is_true { "ok" } else { "WRONG" }, finding.text);
    }
    println!();
    findings.iter().all(|finding| finding.is_true)
}

fn write(directory: &Path, played: &[Played]) -> anyhow::Result<()> {
    let tables: Vec<String> = played.iter().map(table::markdown).collect();
    let svg = picture::svg(played);
    fs::write(directory.join("storm.md"), tables.join("\n"))?;
    fs::write(directory.join("storm.png"), png::of(&svg)?)?;
    fs::write(directory.join("storm.svg"), svg)?;
    println!("storm.md, storm.svg and storm.png are in {}", directory.display());
    Ok(())
}
