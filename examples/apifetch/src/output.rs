//! The file that the user gets: written aside, safe on the disk, then renamed.

use crate::arguments::Format;
use crate::error::FetchError;
use crate::journal::{Entry, Journal};
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// The column of records that are no objects.
const VALUE: &str = "value";

pub(crate) struct Output {
    path: PathBuf,
    aside: PathBuf,
    format: Format,
}

impl Output {
    /// Refuses what is no place for a file before anything is fetched.
    pub(crate) fn new(path: &Path, format: Format) -> Result<Self, FetchError> {
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        if path.exists() && !path.is_file() {
            return Err(FetchError::Usage(format!("{} is no file", path.display())));
        }
        let aside = beside(&path, "new").ok_or_else(|| FetchError::Usage(format!("{} has no file name", path.display())))?;
        Ok(Self { path, aside, format })
    }

    /// Where the pages are collected.
    pub(crate) fn journal(&self) -> Result<Journal, FetchError> {
        Journal::open(beside(&self.path, "pages").unwrap_or_else(|| self.aside.clone()))
    }

    pub(crate) fn write(&self, journal: &Journal) -> Result<(), FetchError> {
        let written = self.write_aside(journal);
        if written.is_err() {
            // The space is wanted, and the pages are kept.
            let _ = fs::remove_file(&self.aside);
        }
        written?;
        fs::rename(&self.aside, &self.path).and_then(|()| sync_folder(&self.path)).map_err(FetchError::output(&self.path))
    }

    fn write_aside(&self, journal: &Journal) -> Result<(), FetchError> {
        let cannot = FetchError::output(&self.aside);
        let mut writer = BufWriter::new(File::create(&self.aside).map_err(&cannot)?);
        match self.format {
            Format::Jsonl => json_lines(journal, &mut writer, &cannot)?,
            Format::Csv => csv(journal, &mut writer, &cannot)?,
        }
        let file = writer.into_inner().map_err(|error| cannot(error.into_error()))?;
        file.sync_all().map_err(&cannot)
    }
}

fn beside(path: &Path, what: &str) -> Option<PathBuf> {
    let name = path.file_name()?.to_string_lossy();
    Some(path.with_file_name(format!(".{name}.apifetch-{what}")))
}

/// Otherwise the new name may be lost with the power.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

fn json_lines(journal: &Journal, writer: &mut impl Write, cannot: &impl Fn(io::Error) -> FetchError) -> Result<(), FetchError> {
    let mut entries = journal.entries()?;
    while let Some(Entry { records, .. }) = entries.next()? {
        for record in records {
            writeln!(writer, "{}", record.get()).map_err(cannot)?;
        }
    }
    Ok(())
}

/// In two passes: the last record may have a field that the others lack.
fn csv(journal: &Journal, writer: &mut impl Write, cannot: &impl Fn(io::Error) -> FetchError) -> Result<(), FetchError> {
    let cannot = |error: csv::Error| cannot(error.into());
    let columns = Columns::of(journal)?;
    let mut writer = csv::Writer::from_writer(writer);
    if !columns.names.is_empty() {
        writer.write_record(&columns.names).map_err(cannot)?;
    }
    let mut entries = journal.entries()?;
    while let Some(Entry { records, .. }) = entries.next()? {
        for record in records {
            writer.write_record(columns.row(&record)).map_err(cannot)?;
        }
    }
    writer.flush().map_err(|error| cannot(error.into()))
}

/// The fields of all records, in the order in which they were met.
#[derive(Default)]
struct Columns {
    names: Vec<String>,
    places: HashMap<String, usize>,
}

impl Columns {
    fn of(journal: &Journal) -> Result<Self, FetchError> {
        let mut columns = Self::default();
        let mut entries = journal.entries()?;
        while let Some(Entry { records, .. }) = entries.next()? {
            for (name, _) in records.iter().flat_map(|record| fields(record)) {
                columns.meet(name);
            }
        }
        Ok(columns)
    }

    fn meet(&mut self, name: String) {
        if !self.places.contains_key(&name) {
            self.places.insert(name.clone(), self.names.len());
            self.names.push(name);
        }
    }

    fn row(&self, record: &RawValue) -> Vec<String> {
        let mut row = vec![String::new(); self.names.len()];
        for (name, value) in fields(record) {
            if let Some(cell) = self.places.get(&name).and_then(|place| row.get_mut(*place)) {
                *cell = cell_of(&value);
            }
        }
        row
    }
}

/// Text without its quotes, nothing for null, all else as it was sent.
fn cell_of(value: &RawValue) -> String {
    match value.get() {
        "null" => String::new(),
        text => serde_json::from_str(text).unwrap_or_else(|_| text.to_owned()),
    }
}

type Fields = Vec<(String, Box<RawValue>)>;

fn fields(record: &RawValue) -> Fields {
    serde_json::from_str::<InOrder>(record.get()).map_or_else(|_| vec![(VALUE.to_owned(), record.to_owned())], |fields| fields.0)
}

/// The fields of an object as they come, numbers and all untouched.
struct InOrder(Fields);

impl<'de> Deserialize<'de> for InOrder {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Fields;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                std::iter::from_fn(|| map.next_entry().transpose()).collect()
            }
        }
        deserializer.deserialize_map(Collect).map(Self)
    }
}
