use super::guarded::Guarded;
use super::scratch::Scratch;
use super::{free_port, or_skipped, program, wait_until};
use std::path::PathBuf;
use std::process::Stdio;

/// A `PostgreSQL` of one's own, with the superuser `postgres` and no password.
#[derive(Debug)]
pub(crate) struct Postgres {
    server: Guarded,
    programs: Programs,
    port: u16,
    scratch: Scratch,
}

#[derive(Debug)]
struct Programs {
    initdb: PathBuf,
    postgres: PathBuf,
    pg_isready: PathBuf,
}

impl Programs {
    fn find() -> Option<Self> {
        let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
        let folders: Vec<_> = versions.map(|version| version.path().join("bin")).collect();
        let find = |name| program(name, folders.iter().cloned());
        Some(Self { initdb: find("initdb")?, postgres: find("postgres")?, pg_isready: find("pg_isready")? })
    }
}

impl Postgres {
    /// A new, empty database server; `None`, and a word about it, where none is installed.
    pub(crate) fn start() -> Option<Self> {
        let programs = or_skipped(Programs::find(), "PostgreSQL")?;
        let scratch = Scratch::new("postgres");
        let arguments = ["--pgdata=data", "--username=postgres", "--auth=trust", "--no-sync", "--locale=C", "--encoding=UTF8"];
        let made = scratch.command(&programs.initdb).args(arguments).stdin(Stdio::null()).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let port = free_port();
        let server = run(&scratch, &programs, port);
        Some(Self { server, programs, port, scratch })
    }

    /// Where it listens on the loopback.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Ends it as an administrator does who cannot wait: every connection is told so.
    pub(crate) fn stop(&mut self) {
        self.server.stop("INT");
    }

    /// Starts it again, at the same port, with what it had stored. It is on its way when this returns.
    pub(crate) fn start_again(&mut self) {
        self.server = guarded(&self.scratch, &self.programs, self.port);
    }
}

fn run(scratch: &Scratch, programs: &Programs, port: u16) -> Guarded {
    let server = guarded(scratch, programs, port);
    let is_ready = || {
        let mut asking = scratch.command(&programs.pg_isready);
        asking.args(["--quiet", "--host=127.0.0.1", &format!("--port={port}")]).status().is_ok_and(|status| status.success())
    };
    wait_until(is_ready, server.log());
    server
}

fn guarded(scratch: &Scratch, programs: &Programs, port: u16) -> Guarded {
    let port = port.to_string();
    let folder = scratch.path().display().to_string();
    let settings = ["-D", "data", "-h", "127.0.0.1", "-p", &port, "-k", &folder, "-F", "-c", "deadlock_timeout=20ms"];
    Guarded::start(scratch, &programs.postgres, "QUIT", settings)
}
