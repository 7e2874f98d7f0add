//! Reads a TOML file.

use super::layer::{Kind, Layer, Mistake};
use super::problem::Problem;
use super::table::{Place, Text};
use super::value::Raw;
use super::words::Words as _;
use crate::overrides::Overrides;
use std::ops::Range;
use std::sync::Arc;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// What the file says, and everything that is wrong with it.
pub(crate) fn read(path: &str, text: String) -> (Layer, Vec<Problem>) {
    let file = Arc::new(Text::new(path, text));
    let mut reader = Reader { file: Arc::clone(&file), layer: Layer::default(), problems: Vec::new() };
    let (document, errors) = DeTable::parse_recoverable(&file.content);
    for error in errors {
        reader.refuse(error.span().unwrap_or(0..0), explained(error.message()));
    }
    if reader.problems.is_empty() {
        reader.tables(document.get_ref());
    }
    reader.layer.sort_functions();
    (reader.layer, reader.problems)
}

/// The parser does not know why one would write `retries = 3` and `retries.enabled = false`.
fn explained(message: &str) -> String {
    let is_both = message.starts_with("cannot extend value of type");
    let hint = if is_both { "; in TOML a key has a value or a switch such as `retries.enabled`, not both" } else { "" };
    format!("{message}{hint}")
}

struct Reader {
    file: Arc<Text>,
    layer: Layer,
    problems: Vec<Problem>,
}

impl Reader {
    fn place(&self, span: Range<usize>) -> Place {
        Place::File(Arc::clone(&self.file), span)
    }

    fn refuse(&mut self, span: Range<usize>, message: impl Into<String>) {
        let place = self.place(span);
        self.problems.push(Problem::new(message, Some(place)));
    }

    fn tables(&mut self, document: &DeTable<'_>) {
        for (word, value) in document {
            let kind = match Kind::of(word.get_ref()) {
                Ok(kind) => kind,
                Err(message) => {
                    self.refuse(word.span(), message);
                    continue;
                }
            };
            let DeValue::Table(table) = value.get_ref() else {
                self.refuse(value.span(), format!("`{}` is a table: [{}]", word.get_ref(), example(kind)));
                continue;
            };
            if kind.has_names() {
                self.named(kind, table);
            } else {
                self.settings(kind, "", "", table);
            }
        }
    }

    fn named(&mut self, kind: Kind, tables: &DeTable<'_>) {
        for (name, value) in tables {
            let DeValue::Table(table) = value.get_ref() else {
                self.refuse(name.span(), format!("a name and its settings are expected here: [{}]", example(kind)));
                continue;
            };
            if name.get_ref().trim().is_empty() {
                self.refuse(name.span(), "this name is empty");
                continue;
            }
            self.layer.name(kind, name.get_ref(), self.place(name.span()));
            self.settings(kind, name.get_ref(), "", table);
        }
    }

    /// `path` stands before the words of a table within: `breaker.` for `breaker.enabled`.
    fn settings(&mut self, kind: Kind, name: &str, path: &str, table: &DeTable<'_>) {
        for (word, value) in table {
            let full = format!("{path}{}", word.get_ref());
            if let DeValue::Table(switches) = value.get_ref()
                && path.is_empty()
                && kind == Kind::Functions
                && Overrides::WORDS.contains(&format!("{full}.enabled").as_str())
            {
                self.settings(kind, name, &format!("{full}."), switches);
                continue;
            }
            let (value_place, word_place) = (self.place(value.span()), self.place(word.span()));
            let taken = raw(value).map_err(Mistake::Value);
            let taken = taken.and_then(|raw| self.layer.take(kind, name, &full, &raw, value_place.clone()));
            self.problems.extend(taken.err().map(|mistake| {
                let place = if matches!(mistake, Mistake::Word(_)) { word_place } else { value_place };
                Problem::new(mistake.into_message(), Some(place))
            }));
        }
    }
}

fn raw(value: &Spanned<DeValue<'_>>) -> Result<Raw, String> {
    Ok(match value.get_ref() {
        DeValue::String(text) => Raw::Text(text.to_string()),
        DeValue::Integer(integer) => {
            let digits = integer.as_str().replace('_', "");
            let parsed = i64::from_str_radix(&digits, integer.radix());
            Raw::Integer(parsed.map_err(|_| format!("`{digits}` is too large"))?)
        }
        DeValue::Float(number) => {
            let digits = number.as_str().replace('_', "");
            Raw::Number(digits.parse().map_err(|_| format!("`{digits}` is not a number"))?)
        }
        DeValue::Boolean(boolean) => Raw::Boolean(*boolean),
        DeValue::Datetime(_) => Raw::Other("a date"),
        DeValue::Array(_) => Raw::Other("an array"),
        DeValue::Table(_) => Raw::Other("a table"),
    })
}

fn example(kind: Kind) -> &'static str {
    match kind {
        Kind::Defaults => "defaults",
        Kind::Switches => "switches",
        Kind::Breakers => "breakers.payments",
        Kind::Buckets => "buckets.stripe",
        Kind::Bulkheads => "bulkheads.db",
        Kind::Budgets => "budgets.partner",
        Kind::Functions => "functions.\"shop::charge\"",
    }
}
