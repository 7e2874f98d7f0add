//! What is on a page: records as they were sent, and fields found by a path.

use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// Where lists mostly are.
const USUAL: [&str; 7] = ["data", "items", "results", "records", "entries", "values", "rows"];

pub(crate) type Records = Vec<Box<RawValue>>;
type Object<'a> = BTreeMap<String, &'a RawValue>;

#[derive(Debug)]
pub(crate) struct Page<'a>(&'a RawValue);

impl<'a> Page<'a> {
    pub(crate) fn read(body: &'a str) -> Result<Self, String> {
        serde_json::from_str(body).map(Self).map_err(|error| format!("it is not JSON: {error}"))
    }

    /// The records: where the path says, or else the page itself, a list in one of the usual fields, or the only list there is.
    pub(crate) fn records(&self, path: Option<&str>) -> Result<Records, String> {
        if let Some(path) = path {
            let found = self.field(path).ok_or_else(|| format!("there is no `{path}`"))?;
            return list(found).ok_or_else(|| format!("`{path}` is no list"));
        }
        if let Some(records) = list(self.0) {
            return Ok(records);
        }
        let fields = object(self.0).ok_or("it is neither a list nor an object")?;
        if let Some(records) = USUAL.iter().find_map(|name| list(fields.get(*name)?)) {
            return Ok(records);
        }
        let mut lists = fields.values().filter_map(|value| list(value));
        match (lists.next(), lists.next()) {
            (Some(records), None) => Ok(records),
            (None, _) => Err(format!("there is no list of records among its fields {}; say --items", names(&fields))),
            (Some(_), Some(_)) => Err(format!("there are several lists among its fields {}; say --items", names(&fields))),
        }
    }

    /// What a path such as `meta.next` leads to. Null leads nowhere.
    pub(crate) fn field(&self, path: &str) -> Option<&'a RawValue> {
        let found = path.split('.').try_fold(self.0, |value, name| object(value)?.remove(name))?;
        (found.get() != "null").then_some(found)
    }
}

pub(crate) fn list(value: &RawValue) -> Option<Records> {
    serde_json::from_str(value.get()).ok()
}

fn object(value: &RawValue) -> Option<Object<'_>> {
    serde_json::from_str(value.get()).ok()
}

fn names(fields: &Object<'_>) -> String {
    let names: Vec<String> = fields.keys().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::Page;

    fn records(body: &str, path: Option<&str>) -> Result<usize, String> {
        Page::read(body)?.records(path).map(|records| records.len())
    }

    #[test]
    fn records_are_found_without_being_told_where() {
        assert_eq!(records("[1, 2]", None), Ok(2));
        assert_eq!(records(r#"{"links":[],"data":[1]}"#, None), Ok(1));
        assert_eq!(records(r#"{"customers":[1,2,3],"total":9}"#, None), Ok(3));
        assert_eq!(records(r#"{"a":{"b":[1]}}"#, Some("a.b")), Ok(1));
    }

    #[test]
    fn what_is_not_found_is_said() {
        assert!(records("<html>", None).is_err_and(|reason| reason.contains("not JSON")));
        assert_eq!(records("7", None), Err("it is neither a list nor an object".to_owned()));
        assert!(records(r#"{"error":"x"}"#, None).is_err_and(|reason| reason.contains("`error`")));
        assert!(records(r#"{"a":[],"b":[]}"#, None).is_err_and(|reason| reason.contains("several lists")));
        assert_eq!(records(r#"{"a":1}"#, Some("a")), Err("`a` is no list".to_owned()));
        assert_eq!(records(r#"{"a":1}"#, Some("b")), Err("there is no `b`".to_owned()));
    }
}
