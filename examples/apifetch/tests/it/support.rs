use flaky_server::{Answer, FlakyServer, Request};
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::Duration;
use tempfile::TempDir;

pub(crate) const TOKEN: &str = "s3cret-token";
pub(crate) const WATCHDOG: Duration = Duration::from_secs(60);

/// A server, a folder for the output, and the program that brings one into the other.
pub(crate) struct Setting {
    pub(crate) server: FlakyServer,
    pub(crate) folder: TempDir,
}

impl Setting {
    pub(crate) fn new() -> Self {
        Self { server: FlakyServer::start().unwrap(), folder: tempfile::tempdir().unwrap() }
    }

    /// An API of so many pages of three rows, by cursor.
    pub(crate) fn with_pages(pages: u32) -> Self {
        let setting = Self::new();
        setting.server.respond("/rows", move |request| page(request, pages)).unwrap();
        setting
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// `apifetch URL --max-pages 1000 --out NAME`, and options.
    pub(crate) fn program(&self, out: &str, options: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_apifetch"));
        self.arguments(&mut command, out, options);
        command
    }

    pub(crate) fn arguments(&self, command: &mut Command, out: &str, options: &[&str]) {
        command.env_clear().current_dir(self.folder.path()).arg(self.server.url("/rows"));
        if !options.contains(&"--max-pages") {
            command.args(["--max-pages", "1000"]);
        }
        command.args(["--out", out]).args(options);
    }

    pub(crate) fn run(&self, out: &str, options: &[&str]) -> Ending {
        Ending::of(&mut self.program(out, options))
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// All files that are there, hidden ones too.
    pub(crate) fn files(&self) -> Vec<String> {
        let names = fs::read_dir(self.folder.path()).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    }

    /// The cursors that were asked for.
    pub(crate) fn asked(&self) -> Vec<Option<String>> {
        self.server.record().requests.into_iter().map(|seen| seen.query).collect()
    }
}

/// How a run ended, and all that it said.
#[derive(Debug)]
pub(crate) struct Ending {
    pub(crate) code: Option<i32>,
    pub(crate) said: String,
}

impl Ending {
    /// Whatever happens, the token is not told.
    pub(crate) fn of(command: &mut Command) -> Self {
        let Output { status, stdout, stderr } = command.output().unwrap();
        let said = format!("{}{}", String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap());
        assert!(!said.contains(TOKEN), "{said}");
        Self { code: status.code(), said }
    }

    #[track_caller]
    pub(crate) fn is(&self, code: i32, words: &str) {
        assert_eq!(self.code, Some(code), "{}", self.said);
        assert!(self.said.contains(words), "{words:?} in {}", self.said);
    }
}

pub(crate) fn page(request: &Request, pages: u32) -> Answer {
    let page: u32 = request.parameter("cursor").map_or(0, |cursor| cursor.parse().unwrap());
    let next = if page + 1 < pages { (page + 1).to_string() } else { "null".to_owned() };
    Answer::json(200, format!(r#"{{"data":[{}],"next":{next}}}"#, rows(page).join(",")))
}

fn rows(page: u32) -> Vec<String> {
    (page * 3..page * 3 + 3).map(|row| format!(r#"{{"row":{row},"text":"row {row}"}}"#)).collect()
}

/// The output of so many pages as JSON lines.
pub(crate) fn expected(pages: u32) -> String {
    (0..pages).flat_map(rows).map(|row| row + "\n").collect()
}
