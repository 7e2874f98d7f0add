//! A program that is run for so long and no longer.

use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    Passed,
    Failed,
    TimedOut,
}

pub fn limited(command: &mut Command, limit: Duration) -> Ending {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
    let Ok(mut child) = command.spawn() else { return Ending::Failed };
    let started = Instant::now();
    let mut pause = Duration::from_micros(500);
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return if status.success() { Ending::Passed } else { Ending::Failed },
            Ok(None) if started.elapsed() < limit => sleep(pause),
            _ => break,
        }
        pause = (pause * 5 / 4).min(Duration::from_millis(20));
    }
    let _ = Command::new("kill").args(["-9", "--", &format!("-{}", child.id())]).status();
    let _ = child.wait();
    Ending::TimedOut
}
