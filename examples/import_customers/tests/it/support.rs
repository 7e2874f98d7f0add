use flaky_server::{Answer, FlakyServer, Request};
use rusqlite::Connection;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

pub(crate) const KEY: &str = "s3cret-key";

/// A server, a folder for the database, and the program that brings one into the other.
pub(crate) struct Setting {
    pub(crate) server: FlakyServer,
    pub(crate) folder: TempDir,
}

impl Setting {
    /// An API of so many pages of five customers.
    pub(crate) fn with_pages(pages: u32) -> Self {
        let setting = Self { server: FlakyServer::start().unwrap(), folder: tempfile::tempdir().unwrap() };
        setting.server.respond("/customers", move |request| page(request, pages)).unwrap();
        setting
    }

    /// An API whose first page has this body.
    pub(crate) fn with_page(body: &str) -> Self {
        let setting = Self::with_pages(1);
        setting.server.otherwise("/customers", Answer::json(200, body)).unwrap();
        setting
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.folder.path().join("customers.db")
    }

    /// The program, told not to wait longer than it must.
    pub(crate) fn program(&self) -> Command {
        let mut command = self.program_with("customers.db".as_ref());
        command.current_dir(self.folder.path());
        command
    }

    pub(crate) fn program_with(&self, database: &Path) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_import_customers"));
        self.environment(&mut command, database);
        command
    }

    pub(crate) fn environment(&self, command: &mut Command, database: &Path) {
        command
            .env_clear()
            .env("CUSTOMERS_URL", self.server.url("/customers"))
            .env("CUSTOMERS_KEY", KEY)
            .env("CUSTOMERS_DB", database)
            .env("CUSTOMERS_PATIENCE", "60")
            .env("CUSTOMERS__FUNCTIONS__CUSTOMERS_PAGE__BASE_DELAY", "1ms")
            .env("CUSTOMERS__FUNCTIONS__CUSTOMERS_PAGE__MAX_DELAY", "2ms")
            .env("CUSTOMERS__BREAKERS__CUSTOMERS__RECOVERY_TIMEOUT", "10ms")
            .env("CUSTOMERS__BUCKETS__CUSTOMERS__RATE", "100000/s");
    }

    pub(crate) fn run(&self) -> Ending {
        Ending::of(&mut self.program())
    }

    pub(crate) fn run_with(&self, name: &str, value: impl AsRef<OsStr>) -> Ending {
        Ending::of(self.program().env(name, value))
    }

    pub(crate) fn customers(&self) -> Vec<(i64, String)> {
        customers(&self.database())
    }
}

/// How a run ended, and all that it said.
#[derive(Debug)]
pub(crate) struct Ending {
    pub(crate) code: Option<i32>,
    pub(crate) said: String,
}

impl Ending {
    /// Whatever happens, the key is not told.
    pub(crate) fn of(command: &mut Command) -> Self {
        let Output { status, stdout, stderr } = command.output().unwrap();
        let said = format!("{}{}", String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap());
        assert!(!said.contains(KEY), "{said}");
        Self { code: status.code(), said }
    }

    #[track_caller]
    pub(crate) fn is(&self, code: i32, words: &str) {
        assert_eq!(self.code, Some(code), "{}", self.said);
        assert!(self.said.contains(words), "{words:?} in {}", self.said);
    }
}

pub(crate) fn page(request: &Request, pages: u32) -> Answer {
    if request.header("Authorization") != Some(&format!("Bearer {KEY}")) {
        return Answer::status(401);
    }
    let after: u32 = request.parameter("after").map_or(0, |after| after.parse().unwrap());
    let last = after + 5;
    let records: Vec<String> = (after + 1..=last).map(|id| format!(r#"{{"id":{id},"name":"Customer {id}"}}"#)).collect();
    let next = if last < pages * 5 { format!("\"{last}\"") } else { "null".to_owned() };
    Answer::json(200, format!(r#"{{"customers":[{}],"next":{next},"total":{}}}"#, records.join(","), pages * 5))
}

/// What the server has, as the table should have it.
pub(crate) fn expected(pages: u32) -> Vec<(i64, String)> {
    (1..=i64::from(pages) * 5).map(|id| (id, format!("Customer {id}"))).collect()
}

pub(crate) fn customers(database: &Path) -> Vec<(i64, String)> {
    let connection = Connection::open(database).unwrap();
    let mut statement = connection.prepare("SELECT id, coalesce(name, '-') FROM customers ORDER BY id").unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    rows.map(Result::unwrap).collect()
}
