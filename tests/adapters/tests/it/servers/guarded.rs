use super::scratch::Scratch;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

/// Ends the server by the signal that it reads, or when its own input ends, as the test's process is no more: then it tidies up as well.
const GUARD: &str = r#"
end=$1
shift
"$@" </dev/null &
server=$!
if read -r signal; then kill -"$signal" "$server"; wait "$server"; exit; fi
kill -"$end" "$server"
wait "$server"
rm -rf -- "$PWD"
"#;

/// A server that does not outlive its test.
#[derive(Debug)]
pub(super) struct Guarded {
    guard: Child,
    end: &'static str,
    log: PathBuf,
}

impl Guarded {
    /// Starts the server, which this signal is to end.
    pub(super) fn start<'a>(
        scratch: &Scratch,
        program: &Path,
        end: &'static str,
        arguments: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let log = scratch.path().join("log");
        let output = File::options().create(true).append(true).open(&log).unwrap();
        let mut command = scratch.command("sh");
        command.args(["-c", GUARD, "guard", end]).arg(program).args(arguments);
        let guard = command.stdin(Stdio::piped()).stdout(output.try_clone().unwrap()).stderr(output).spawn().unwrap();
        Self { guard, end, log }
    }

    pub(super) fn log(&self) -> &Path {
        &self.log
    }

    /// Sends the server this signal and waits until it is gone.
    pub(super) fn stop(&mut self, signal: &str) {
        use std::io::Write as _;
        if let Some(mut input) = self.guard.stdin.take() {
            // A server that is gone already hears nothing.
            writeln!(input, "{signal}").ok();
        }
        self.guard.wait().ok();
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        self.stop(self.end);
    }
}
