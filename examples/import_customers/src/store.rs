//! The database: customers, what was refused, and how far the import is. A page and the position after it are one transaction.

use crate::customer::{Customer, Unreadable};
use crate::error::ImportError;
use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior, params};
use serde_json::value::RawValue;
use std::path::Path;

const VERSION: i64 = 1;

const SCHEMA: &str = "
    CREATE TABLE customers (
        id INTEGER PRIMARY KEY,
        name TEXT, email TEXT, country TEXT, orders INTEGER, balance_cents INTEGER,
        more TEXT                   -- fields that we do not know, as JSON
    ) STRICT;
    CREATE TABLE refused (          -- records of the last import that are no customers
        page INTEGER NOT NULL, place INTEGER NOT NULL,
        id INTEGER,                 -- whose it was, if that can be said
        reason TEXT NOT NULL, record TEXT NOT NULL,
        PRIMARY KEY (page, place)
    ) STRICT;
    CREATE TABLE import (           -- one row
        source TEXT NOT NULL,
        pages INTEGER NOT NULL,
        next TEXT,                  -- the cursor to go on from
        is_running INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE seen (id INTEGER PRIMARY KEY) STRICT;  -- ids that the running import has met
    PRAGMA user_version = 1;
";

pub(crate) struct Store(Connection);

/// How far the import is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) pages: i64,
    pub(crate) next: Option<String>,
}

/// A record of a page, read or not.
pub(crate) type Entry = (Box<RawValue>, Result<Customer, Unreadable>);

impl Store {
    /// The database at that path, made if there is none. It holds the customers of one source.
    pub(crate) fn open(path: &Path, source: &str) -> Result<Self, ImportError> {
        let cannot = |error| ImportError::Database(format!("the database {} cannot be used: {error}", path.display()));
        let mut connection = Connection::open(path).map_err(cannot)?;
        let version = prepare(&mut connection, source).map_err(cannot)?;
        if version != VERSION {
            return Err(ImportError::Database(format!("{} is a database of something else", path.display())));
        }
        let store = Self(connection);
        let theirs: String = store.0.query_row("SELECT source FROM import", [], |row| row.get(0)).map_err(cannot)?;
        if theirs == source {
            return Ok(store);
        }
        let message = format!("{} holds the customers of {theirs}; set CUSTOMERS_DB to another file", path.display());
        Err(ImportError::Settings(message))
    }

    /// Where an interrupted import stopped, or the beginning of a new one.
    pub(crate) fn begin(&mut self) -> Result<Position, ImportError> {
        let running = "SELECT pages, next FROM import WHERE is_running";
        let position = self.0.query_row(running, [], |row| Ok(Position { pages: row.get(0)?, next: row.get(1)? }));
        match position.optional()? {
            Some(position) => Ok(position),
            None => self.restart(),
        }
    }

    /// The beginning, whatever was done already.
    pub(crate) fn restart(&mut self) -> Result<Position, ImportError> {
        self.0.execute_batch(
            "BEGIN IMMEDIATE;
             DELETE FROM refused;
             DELETE FROM seen;
             UPDATE import SET pages = 0, next = NULL, is_running = 1;
             COMMIT;",
        )?;
        Ok(Position::default())
    }

    /// Takes a page and the position after it, both or neither. After the last page, customers that the API no longer has are removed;
    /// the number of them.
    pub(crate) fn save(&mut self, position: &mut Position, entries: &[Entry], next: Option<&str>) -> Result<usize, ImportError> {
        let transaction = self.0.transaction_with_behavior(TransactionBehavior::Immediate)?;
        advance(&transaction, position, next)?;
        for (place, (record, read)) in entries.iter().enumerate() {
            match read {
                Ok(customer) => upsert(&transaction, customer)?,
                Err(unreadable) => refuse(&transaction, (position.pages, place), record, unreadable)?,
            }
        }
        let removed = if next.is_none() { sweep(&transaction)? } else { 0 };
        transaction.commit()?;
        *position = Position { pages: position.pages + 1, next: next.map(str::to_owned) };
        Ok(removed)
    }

    pub(crate) fn customers(&self) -> Result<i64, ImportError> {
        Ok(self.0.query_row("SELECT count(*) FROM customers", [], |row| row.get(0))?)
    }

    /// How many customers the running import has met.
    pub(crate) fn met(&self) -> Result<u64, ImportError> {
        let met: i64 = self.0.query_row("SELECT count(*) FROM seen", [], |row| row.get(0))?;
        Ok(met.unsigned_abs())
    }

    /// How many records of this import could not be read, in earlier runs of it as well.
    pub(crate) fn refused(&self) -> Result<i64, ImportError> {
        Ok(self.0.query_row("SELECT count(*) FROM refused", [], |row| row.get(0))?)
    }
}

/// Two programs may do this at once; the database has a version, or nothing in it.
fn prepare(connection: &mut Connection, source: &str) -> rusqlite::Result<i64> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let tables: i64 = transaction.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if tables == 0 {
        transaction.execute_batch(SCHEMA)?;
        transaction.execute("INSERT INTO import VALUES (?1, 0, NULL, 0)", [source])?;
    }
    let version = transaction.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    transaction.commit()?;
    Ok(version)
}

/// Only from where the caller believes to be: otherwise somebody else imports into the same database.
fn advance(transaction: &Transaction<'_>, position: &Position, next: Option<&str>) -> Result<(), ImportError> {
    let changed = transaction.execute(
        "UPDATE import SET pages = pages + 1, next = ?1, is_running = ?2 WHERE is_running AND pages = ?3 AND next IS ?4",
        params![next, next.is_some(), position.pages, position.next],
    )?;
    if changed == 1 {
        return Ok(());
    }
    Err(ImportError::Database("another import is at work on this database".to_owned()))
}

fn upsert(transaction: &Transaction<'_>, customer: &Customer) -> rusqlite::Result<()> {
    let mut statement = transaction.prepare_cached(
        "INSERT INTO customers (id, name, email, country, orders, balance_cents, more) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT (id) DO UPDATE SET name = excluded.name, email = excluded.email, country = excluded.country,
             orders = excluded.orders, balance_cents = excluded.balance_cents, more = excluded.more",
    )?;
    let Customer { id, name, email, country, orders, balance_cents, more } = customer;
    statement.execute(params![id, name, email, country, orders, balance_cents, more])?;
    meet(transaction, *id)
}

fn refuse(
    transaction: &Transaction<'_>,
    (page, place): (i64, usize),
    record: &RawValue,
    unreadable: &Unreadable,
) -> rusqlite::Result<()> {
    let place = i64::try_from(place).unwrap_or(i64::MAX);
    let Unreadable { id, reason } = unreadable;
    transaction
        .prepare_cached("INSERT INTO refused (page, place, id, reason, record) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![page + 1, place + 1, id, reason, record.get()])?;
    id.map_or(Ok(()), |id| meet(transaction, id))
}

fn meet(transaction: &Transaction<'_>, id: i64) -> rusqlite::Result<()> {
    transaction.prepare_cached("INSERT OR IGNORE INTO seen (id) VALUES (?1)")?.execute([id]).map(drop)
}

/// A record that does not say whose it is might be anybody's, so then nobody is removed.
fn sweep(transaction: &Transaction<'_>) -> rusqlite::Result<usize> {
    let removed = transaction.execute(
        "DELETE FROM customers WHERE id NOT IN (SELECT id FROM seen) AND NOT EXISTS (SELECT 1 FROM refused WHERE id IS NULL)",
        [],
    )?;
    transaction.execute("DELETE FROM seen", [])?;
    Ok(removed)
}
