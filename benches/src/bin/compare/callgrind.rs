//! What a call executes, by valgrind's callgrind: instructions, and those of them that lock a cache line.
//!
//! The clock is the production clock for everybody. Its time-stamp counter is read by the same instructions as outside valgrind; the
//! system's clock, which `std::time::Instant` and so tokio read, is a system call there, and counts some 30 instructions too few.
//! Glibc's allocator takes its locks without a locked instruction as long as a program has one thread, as here.

use std::collections::{HashMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Per call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counts {
    pub(crate) instructions: u64,
    /// `lock` prefixes, and exchanges with memory, which lock without one; `None` where objdump is not installed.
    pub(crate) locked: Option<u64>,
}

#[derive(Debug)]
pub(crate) struct Callgrind {
    contender: PathBuf,
    output: PathBuf,
    locked: HashMap<String, Option<HashSet<u64>>>,
}

const CALLS: u64 = 2_000;

impl Callgrind {
    pub(crate) fn of(programs: &Path) -> Self {
        let output = programs.join(format!("callgrind.{}", std::process::id()));
        Self { contender: programs.join("contender"), output, locked: HashMap::new() }
    }

    /// `None` where valgrind is not installed.
    pub(crate) fn count(&mut self, case: &str, name: &str) -> io::Result<Option<Counts>> {
        let mut output = std::ffi::OsString::from("--callgrind-out-file=");
        output.push(&self.output);
        let run = Command::new("valgrind")
            .args(["--tool=callgrind", "--toggle-collect=contender::counted", "--dump-instr=yes"])
            .args(["--compress-strings=no", "--compress-pos=no"])
            .arg(output)
            .arg(&self.contender)
            .args([case, name, &CALLS.to_string()])
            .stderr(Stdio::null())
            .status();
        match run {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            run => run.map(|_| ())?,
        }
        let text = std::fs::read_to_string(&self.output)?;
        std::fs::remove_file(&self.output)?;
        Ok(Some(self.sum(&text)))
    }

    fn sum(&mut self, text: &str) -> Counts {
        let (mut instructions, mut locked) = (0, Some(0));
        for Executed { object, address, count } in executed(text) {
            instructions += count;
            let places = self.locked.entry(object.to_owned()).or_insert_with(|| locked_instructions(object));
            let is_locked = places.as_ref().map(|places| places.contains(&address));
            locked = locked.zip(is_locked).map(|(sum, is_locked)| if is_locked { sum + count } else { sum });
        }
        Counts { instructions: per_call(instructions), locked: locked.map(per_call) }
    }
}

fn per_call(count: u64) -> u64 {
    (count + CALLS / 2) / CALLS
}

struct Executed<'a> {
    object: &'a str,
    address: u64,
    count: u64,
}

/// The instructions' own lines. A line after `calls=` says what a call cost as a whole, which its instructions say as well.
fn executed(text: &str) -> impl Iterator<Item = Executed<'_>> {
    let (mut object, mut is_call) = ("", false);
    text.lines().filter_map(move |line| {
        let was_call = std::mem::replace(&mut is_call, line.starts_with("calls="));
        if let Some(name) = line.strip_prefix("ob=") {
            object = name;
        }
        let mut fields = line.strip_prefix("0x").filter(|_| !was_call)?.split(' ');
        let address = u64::from_str_radix(fields.next()?, 16).ok()?;
        Some(Executed { object, address, count: fields.nth(1)?.parse().ok()? })
    })
}

fn locked_instructions(object: &str) -> Option<HashSet<u64>> {
    if !Path::new(object).exists() {
        return Some(HashSet::new());
    }
    let output = Command::new("objdump").args(["--disassemble", "--no-show-raw-insn", object]).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let is_locked = |code: &str| code.starts_with("lock ") || (code.starts_with("xchg") && code.contains('('));
    let address = |line: &str| {
        let (address, code) = line.trim_start().split_once(':')?;
        u64::from_str_radix(address, 16).ok().filter(|_| is_locked(code.trim_start()))
    };
    Some(text.lines().filter_map(address).collect())
}
