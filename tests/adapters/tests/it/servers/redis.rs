use super::guarded::Guarded;
use super::scratch::Scratch;
use super::{free_port, or_skipped, program, wait_until};
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A Redis of one's own.
#[derive(Debug)]
pub(crate) struct Redis {
    server: Guarded,
    program: PathBuf,
    port: u16,
    scratch: Scratch,
}

impl Redis {
    /// A new, empty server with these settings (`--requirepass`, `secret`); `None`, and a word about it, where none is installed.
    pub(crate) fn start(settings: &[&str]) -> Option<Self> {
        let program = or_skipped(program("redis-server", []), "Redis")?;
        let scratch = Scratch::new("redis");
        let port = free_port();
        let server = run(&scratch, &program, port, settings);
        Some(Self { server, program, port, scratch })
    }

    /// Where it listens on the loopback.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Ends it without a word to anybody.
    pub(crate) fn kill(&mut self) {
        self.server.stop("KILL");
    }

    /// Starts it again, at the same port and with these settings. It answers when this returns, if only that it is not ready.
    pub(crate) fn start_again(&mut self, settings: &[&str]) {
        self.server = run(&self.scratch, &self.program, self.port, settings);
    }
}

fn run(scratch: &Scratch, program: &Path, port: u16, settings: &[&str]) -> Guarded {
    let port_text = port.to_string();
    let always = ["--port", &port_text, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dbfilename", "dump.rdb"];
    let server = Guarded::start(scratch, program, "KILL", always.into_iter().chain(settings.iter().copied()));
    wait_until(|| answers(port), server.log());
    server
}

/// Whether anything comes back: also that it wants a password, or is still reading its data.
fn answers(port: u16) -> bool {
    let asked = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).and_then(|mut stream| {
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream.write_all(b"PING\r\n")?;
        stream.read_exact(&mut [0])
    });
    asked.is_ok()
}
