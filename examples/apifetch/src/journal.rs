//! The pages that have come, beside the output: a line each, safe on the disk before the next is asked for.

use crate::error::FetchError;
use crate::page::Records;
use crate::paging::Style;
use reqwest::Url;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::fs::{self, File, TryLockError};
use std::io::{self, BufRead as _, BufReader, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

/// Locked as long as it is open.
pub(crate) struct Journal {
    file: File,
    path: PathBuf,
    /// We began it and no page has come, so nobody would miss it.
    is_bare: bool,
}

/// The first line.
#[derive(Serialize, Deserialize)]
struct Head {
    url: String,
}

/// Every other line.
#[derive(Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) style: Style,
    pub(crate) next: Option<String>,
    pub(crate) records: Records,
}

/// How far a download is.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    pub(crate) pages: u64,
    pub(crate) records: u64,
    /// How pages name the next one and where that is, once there is a page.
    pub(crate) last: Option<(Style, Option<String>)>,
}

impl Journal {
    pub(crate) fn open(path: PathBuf) -> Result<Self, FetchError> {
        let cannot = FetchError::output(&path);
        let file = File::options().read(true).write(true).create(true).truncate(false).open(&path).map_err(&cannot)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(FetchError::Usage("another apifetch is at work on this file".to_owned())),
            Err(TryLockError::Error(error)) => return Err(cannot(error)),
        }
        Ok(Self { file, path, is_bare: false })
    }

    /// Whether there is something that could be continued.
    pub(crate) fn is_begun(&self) -> bool {
        self.file.metadata().is_ok_and(|metadata| metadata.len() > 0)
    }

    pub(crate) fn restart(&mut self, url: &Url) -> Result<Progress, FetchError> {
        let restarted = self.file.set_len(0).and_then(|()| self.append(&Head { url: url.to_string() }));
        self.is_bare = true;
        restarted.map_err(FetchError::output(&self.path))?;
        Ok(Progress::default())
    }

    /// What an earlier run left. A last line that was not finished is dropped.
    pub(crate) fn resume(&mut self, url: &Url) -> Result<Progress, FetchError> {
        let (mut progress, mut length) = (Progress::default(), 0);
        let mut lines = self.lines()?;
        let Some(head) = lines.next::<Head>()? else { return self.restart(url) };
        if head.url != url.as_str() {
            return Err(FetchError::Usage(format!("{} was begun with another URL; leave out --resume", self.path.display())));
        }
        length += lines.length;
        while let Some(entry) = lines.next::<Entry>()? {
            length = lines.length;
            progress.pages += 1;
            progress.records += entry.records.len() as u64;
            progress.last = Some((entry.style, entry.next));
        }
        self.file.set_len(length).map_err(FetchError::output(&self.path))?;
        Ok(progress)
    }

    pub(crate) fn add(&mut self, entry: &Entry) -> Result<(), FetchError> {
        self.is_bare = false;
        self.append(entry).map_err(FetchError::output(&self.path))
    }

    /// The entries, for [`Lines::next`].
    pub(crate) fn entries(&self) -> Result<Lines<'_>, FetchError> {
        let mut lines = self.lines()?;
        lines.next::<Head>()?;
        Ok(lines)
    }

    pub(crate) fn remove(self) -> Result<(), FetchError> {
        fs::remove_file(&self.path).map_err(FetchError::output(&self.path))
    }

    fn append(&mut self, line: &impl Serialize) -> io::Result<()> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        self.file.seek(SeekFrom::End(0))?;
        self.file.write_all(&text)?;
        self.file.sync_data()
    }

    fn lines(&self) -> Result<Lines<'_>, FetchError> {
        let mut file = &self.file;
        file.seek(SeekFrom::Start(0)).map_err(FetchError::output(&self.path))?;
        Ok(Lines { reader: BufReader::new(file), path: &self.path, text: String::new(), length: 0 })
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        if self.is_bare {
            let _ = fs::remove_file(&self.path);
        }
    }
}

pub(crate) struct Lines<'a> {
    reader: BufReader<&'a File>,
    path: &'a Path,
    text: String,
    /// Of the whole lines so far.
    length: u64,
}

impl Lines<'_> {
    /// The next line, if there is one and it was finished.
    pub(crate) fn next<L: for<'l> Deserialize<'l>>(&mut self) -> Result<Option<L>, FetchError> {
        self.text.clear();
        let damaged = |error: &dyn std::fmt::Display| {
            FetchError::Usage(format!("{} is damaged ({error}); leave out --resume", self.path.display()))
        };
        let read = self.reader.read_line(&mut self.text);
        if !self.text.ends_with('\n') {
            return read
                .map(|_| None)
                .or_else(|error| if error.kind() == io::ErrorKind::InvalidData { Ok(None) } else { Err(damaged(&error)) });
        }
        self.length += self.text.len() as u64;
        serde_json::from_str(&self.text).map(Some).map_err(|error| damaged(&error))
    }
}

/// JSON on one line. In JSON, line breaks stand between values only.
pub(crate) fn on_one_line(record: Box<RawValue>) -> Box<RawValue> {
    if !record.get().contains(['\n', '\r']) {
        return record;
    }
    let text = record.get().replace(['\n', '\r'], " ");
    RawValue::from_string(text).unwrap_or(record)
}
