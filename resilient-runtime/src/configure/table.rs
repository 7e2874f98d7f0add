//! What one table of a configuration says, and where.

use super::words::{Words, said};
use std::fmt;
#[cfg(feature = "config")]
use std::ops::Range;
use std::sync::Arc;

/// A file as it was read.
#[cfg(feature = "config")]
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Text {
    pub(crate) path: String,
    pub(crate) content: String,
    /// Where each line begins.
    lines: Vec<usize>,
}

#[cfg(feature = "config")]
impl Text {
    pub(crate) fn new(path: &str, content: String) -> Self {
        let lines = std::iter::once(0).chain(content.match_indices('\n').map(|(place, _)| place + 1)).collect();
        Self { path: path.to_owned(), content, lines }
    }

    /// The number of the line that holds that place, counted from 0, and where it begins.
    pub(crate) fn line(&self, place: usize) -> (usize, usize) {
        let line = self.lines.partition_point(|begins| *begins <= place).saturating_sub(1);
        (line, self.lines.get(line).copied().unwrap_or(0))
    }

    /// Where the line that holds that place is over.
    pub(crate) fn line_end(&self, place: usize) -> usize {
        let (line, _) = self.line(place);
        self.lines.get(line + 1).copied().unwrap_or(self.content.len())
    }
}

/// Where something was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Code,
    #[cfg(feature = "config")]
    File(Arc<Text>, Range<usize>),
    Variable(Arc<str>),
    /// That of a function with this name; no source of configuration.
    Attribute(&'static str),
}

impl Place {
    pub(crate) const FILE: u8 = 1;

    /// The greater is heard.
    pub(crate) fn rank(&self) -> u8 {
        match self {
            Self::Code | Self::Attribute(_) => 0,
            #[cfg(feature = "config")]
            Self::File(..) => Self::FILE,
            Self::Variable(_) => 2,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code => formatter.write_str("code"),
            #[cfg(feature = "config")]
            Self::File(file, span) => {
                let (line, begins) = file.line(span.start);
                let column = file.content.get(begins..span.start).unwrap_or_default().chars().count() + 1;
                write!(formatter, "{}:{}:{column}", file.path, line + 1)
            }
            Self::Variable(name) => formatter.write_str(name),
            Self::Attribute(function) => formatter.write_str(function),
        }
    }
}

/// Settings, and where each was said.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Table<S> {
    pub(crate) settings: S,
    named_at: Option<Place>,
    places: Vec<(&'static str, Place)>,
}

impl<S: Words> Table<S> {
    /// What code says.
    pub(crate) fn of_code(settings: S) -> Self {
        let places = said(&settings).map(|word| (word, Place::Code)).collect();
        Self { settings, named_at: Some(Place::Code), places }
    }

    /// Where its name stands; the first place is kept.
    pub(crate) fn name_at(&mut self, place: Place) {
        self.named_at.get_or_insert(place);
    }

    pub(crate) fn named_at(&self) -> Option<&Place> {
        self.named_at.as_ref()
    }

    pub(crate) fn put(&mut self, word: &'static str, place: Place) {
        self.places.push((word, place));
    }

    pub(crate) fn place(&self, word: &str) -> Option<&Place> {
        self.places.iter().find(|(said, _)| *said == word).map(|(_, place)| place)
    }

    pub(crate) fn unset(&mut self, word: &str) {
        self.settings.unset(word);
        self.places.retain(|(said, _)| *said != word);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// This table, and where it says nothing that one.
    #[must_use]
    pub(crate) fn or(mut self, other: Self) -> Self {
        for (word, place) in other.places {
            if self.place(word).is_none() {
                self.places.push((word, place));
            }
        }
        self.settings = self.settings.or(other.settings);
        self.named_at = self.named_at.or(other.named_at);
        self
    }
}
