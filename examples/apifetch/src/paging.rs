//! Where the next page is.

use crate::arguments::{Arguments, Paging};
use crate::fetch::Answer;
use crate::page::Page;
use reqwest::Url;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Where cursors mostly are.
const USUAL: [&str; 14] = [
    "next_cursor",
    "nextCursor",
    "next_page_token",
    "nextPageToken",
    "next",
    "cursor",
    "links.next",
    "_links.next.href",
    "meta.next_cursor",
    "meta.next",
    "pagination.next_cursor",
    "pagination.next",
    "paging.next",
    "response_metadata.next_cursor",
];

/// How this API's pages name the next one: what was asked for, or what its first page shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Style {
    Link,
    Cursor,
    Page,
    None,
}

impl Style {
    pub(crate) fn of(arguments: &Arguments, answer: &Answer, page: &Page<'_>) -> Self {
        let has_number = |url: &Url| url.query_pairs().any(|(name, _)| name == arguments.page_param.as_str());
        match arguments.paging {
            Paging::Link => Self::Link,
            Paging::Cursor => Self::Cursor,
            Paging::Page => Self::Page,
            Paging::Auto if next_link(&answer.links).is_some() => Self::Link,
            Paging::Auto if arguments.cursor_field.is_some() || cursor(arguments, page).is_some() => Self::Cursor,
            Paging::Auto if has_number(&arguments.url) => Self::Page,
            Paging::Auto | Paging::None => Self::None,
        }
    }

    /// The address of the page after this one, of so many records.
    pub(crate) fn next(
        self,
        arguments: &Arguments,
        url: &Url,
        answer: &Answer,
        page: &Page<'_>,
        records: usize,
    ) -> Result<Option<Url>, String> {
        match self {
            Self::None => Ok(None),
            Self::Page if records == 0 => Ok(None),
            Self::Page => next_number(url, &arguments.page_param).map(Some),
            Self::Link => next_link(&answer.links).map(|target| join(url, &target)).transpose(),
            Self::Cursor => cursor(arguments, page).map(|cursor| follow(arguments, url, &cursor)).transpose(),
        }
    }
}

fn next_number(url: &Url, name: &str) -> Result<Url, String> {
    let number = url.query_pairs().find(|(present, _)| present == name).map(|(_, number)| number.into_owned());
    let number =
        number.map_or(Ok(1), |number| number.parse::<u64>().map_err(|_| format!("`{name}={number}` is no page number")))?;
    Ok(with_parameter(url, name, &(number + 1).to_string()))
}

fn cursor(arguments: &Arguments, page: &Page<'_>) -> Option<String> {
    if page.field("has_more").is_some_and(|more| more.get() == "false") {
        return None;
    }
    let of = |path: &str| match serde_json::from_str(page.field(path)?.get()).ok()? {
        Value::String(text) if !text.is_empty() => Some(text),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    match &arguments.cursor_field {
        Some(path) => of(path),
        None => USUAL.iter().find_map(|path| of(path)),
    }
}

/// Some APIs give an address where others give a cursor.
fn follow(arguments: &Arguments, url: &Url, cursor: &str) -> Result<Url, String> {
    let is_address = ["http://", "https://", "/", "?"].iter().any(|start| cursor.starts_with(start));
    if is_address { join(url, cursor) } else { Ok(with_parameter(url, &arguments.cursor_param, cursor)) }
}

fn join(url: &Url, target: &str) -> Result<Url, String> {
    let next = url.join(target).map_err(|error| format!("its next page has no address: {error}"))?;
    let is_http = matches!(next.scheme(), "http" | "https");
    if is_http { Ok(next) } else { Err(format!("its next page has the scheme `{}`", next.scheme())) }
}

fn with_parameter(url: &Url, name: &str, value: &str) -> Url {
    let kept: Vec<(String, String)> = url.query_pairs().filter(|(present, _)| present != name).map(owned).collect();
    let mut url = url.clone();
    url.query_pairs_mut().clear().extend_pairs(kept).append_pair(name, value);
    url
}

fn owned((name, value): (std::borrow::Cow<'_, str>, std::borrow::Cow<'_, str>)) -> (String, String) {
    (name.into_owned(), value.into_owned())
}

/// The target with `rel="next"` (RFC 8288).
fn next_link(links: &[String]) -> Option<String> {
    links.iter().find_map(|header| {
        let mut rest = header.as_str();
        while let Some((_, after)) = rest.split_once('<') {
            let (target, after) = after.split_once('>')?;
            let end = end_of_parameters(after);
            if after[..end].split(';').any(is_next) {
                return Some(target.to_owned());
            }
            rest = &after[end..];
        }
        None
    })
}

/// The comma that ends them is the first outside of quotes.
fn end_of_parameters(text: &str) -> usize {
    let mut is_quoted = false;
    let comma = text.bytes().position(|byte| {
        is_quoted ^= byte == b'"';
        byte == b',' && !is_quoted
    });
    comma.unwrap_or(text.len())
}

fn is_next(parameter: &str) -> bool {
    parameter.split_once('=').is_some_and(|(name, value)| {
        let relations = value.trim().trim_matches('"');
        name.trim().eq_ignore_ascii_case("rel")
            && relations.split_whitespace().any(|relation| relation.eq_ignore_ascii_case("next"))
    })
}

#[cfg(test)]
mod tests {
    use super::{Style, next_link};
    use crate::arguments::Arguments;
    use crate::fetch::Answer;
    use crate::page::Page;
    use clap::Parser as _;

    /// The style that is found, and the address that follows.
    fn next(url: &str, options: &[&str], link: &str, body: &str) -> (Style, Result<Option<String>, String>) {
        let words = ["apifetch", url, "--out", "x.csv", "--max-pages", "9"];
        let arguments = Arguments::try_parse_from(words.iter().chain(options)).unwrap();
        let answer = Answer { body: String::new(), kind: String::new(), links: vec![link.to_owned()] };
        let page = Page::read(body).unwrap();
        let records = page.records(None).unwrap().len();
        let style = Style::of(&arguments, &answer, &page);
        let next = style.next(&arguments, &arguments.url, &answer, &page, records);
        (style, next.map(|url| url.map(String::from)))
    }

    #[expect(clippy::unnecessary_wraps, reason = "what `next` gives")]
    fn at(url: &str) -> Result<Option<String>, String> {
        Ok(Some(url.to_owned()))
    }

    #[test]
    fn the_next_link_is_found_among_others() {
        let link = |header: &str| next_link(&[header.to_owned()]);
        assert_eq!(link(r#"</1>; rel="first", </3>; rel="next""#), Some("/3".to_owned()));
        assert_eq!(link(r#"</a,b>; title="x, y"; rel=NEXT"#), Some("/a,b".to_owned()));
        assert_eq!(link(r#"</3>; rel="next last""#), Some("/3".to_owned()));
        assert_eq!(link(r#"</3>; rel="prev"; title="rel=next"#), None);
        assert_eq!(link("nonsense"), None);
        assert_eq!(link("<unended"), None);
    }

    #[test]
    fn a_first_page_shows_how_the_next_is_named() {
        let link = r#"<?page=2>; rel="next""#;
        assert_eq!(next("http://a/b", &[], link, "[1]"), (Style::Link, at("http://a/b?page=2")));
        assert_eq!(next("http://a/b", &[], "", r#"{"data":[1],"next":"c7"}"#), (Style::Cursor, at("http://a/b?cursor=c7")));
        assert_eq!(next("http://a/b?page=1&size=5", &[], "", "[1]"), (Style::Page, at("http://a/b?size=5&page=2")));
        assert_eq!(next("http://a/b", &[], "", "[1]"), (Style::None, Ok(None)));
    }

    #[test]
    fn a_cursor_may_be_an_address() {
        let body = r#"{"data":[1],"links":{"next":"/b?after=7"}}"#;
        assert_eq!(next("http://a/b", &[], "", body).1, at("http://a/b?after=7"));
        assert!(next("http://a/b", &[], "", r#"{"data":[1],"next":"http:// /"}"#).1.is_err());
    }

    #[test]
    fn the_end_is_null_an_empty_cursor_has_more_or_an_empty_page() {
        for end in [r#"{"data":[1],"next":null}"#, r#"{"data":[1],"next":""}"#, r#"{"data":[1],"next":"x","has_more":false}"#] {
            assert_eq!(next("http://a/b", &["--paging", "cursor"], "", end).1, Ok(None), "{end}");
        }
        assert_eq!(next("http://a/b?page=3", &[], "", "[]").1, Ok(None));
    }

    #[test]
    fn parameters_can_be_named() {
        let options = ["--cursor-field", "meta.token", "--cursor-param", "after"];
        let body = r#"{"data":[1],"meta":{"token":42}}"#;
        assert_eq!(next("http://a/b?after=1", &options, "", body).1, at("http://a/b?after=42"));
        assert!(next("http://a/b?page=x", &[], "", "[1]").1.is_err_and(|reason| reason.contains("no page number")));
    }
}
