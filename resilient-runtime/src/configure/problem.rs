//! What is wrong with a configuration, said so that one can put it right.

use super::distance::distance;
use super::table::Place;
use std::fmt;

/// One mistake in a configuration or a policy.
#[derive(Clone, PartialEq, Eq)]
pub struct Problem {
    message: String,
    place: Option<Place>,
}

impl Problem {
    pub(crate) fn new(message: impl Into<String>, place: Option<Place>) -> Self {
        Self { message: message.into(), place }
    }

    /// What is wrong, and what is allowed.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Those of code come first, then those of files in their order, then those of variables.
    pub(super) fn order(&self) -> (u8, Option<(&str, usize)>) {
        match &self.place {
            #[cfg(feature = "config")]
            Some(place @ Place::File(file, span)) => (place.rank(), Some((&file.path, span.start))),
            place => (place.as_ref().map_or(0, Place::rank), None),
        }
    }

    fn has_snippet(&self) -> bool {
        self.place.as_ref().is_some_and(|place| place.rank() == Place::FILE)
    }

    /// Where: `resilient.toml:3:1`, the name of a variable, or `code`.
    #[must_use]
    pub fn place(&self) -> Option<String> {
        self.place.as_ref().map(ToString::to_string)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            None | Some(Place::Code | Place::Attribute(_)) => formatter.write_str(&self.message),
            Some(Place::Variable(name)) => write!(formatter, "{name}: {}", self.message),
            #[cfg(feature = "config")]
            Some(Place::File(file, span)) => {
                use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
                // Only the lines it is about: the whole of a long file would be read again for each problem.
                let (line, begins) = file.line(span.start);
                let ends = file.line_end(span.end.max(span.start));
                let source = file.content.get(begins..ends).unwrap_or_default();
                let annotation = AnnotationKind::Primary.span(span.start - begins..span.end - begins);
                let snippet = Snippet::source(source).line_start(line + 1).path(file.path.as_str()).annotation(annotation);
                let report = [Level::ERROR.no_name().primary_title(self.message.as_str()).element(snippet)];
                formatter.write_str(&Renderer::plain().render(&report))
            }
        }
    }
}

impl fmt::Debug for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// Everything that is wrong with a configuration or a policy.
#[derive(Clone, PartialEq, Eq)]
pub struct ConfigError {
    problems: Vec<Problem>,
}

impl ConfigError {
    pub(crate) fn unless_empty(problems: Vec<Problem>) -> Result<(), Self> {
        if problems.is_empty() { Ok(()) } else { Err(Self { problems }) }
    }

    /// Each mistake.
    pub fn problems(&self) -> impl Iterator<Item = &Problem> {
        self.problems.iter()
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            let separator = match index.checked_sub(1).map(|before| self.problems[before].has_snippet()) {
                None => "",
                Some(false) => "\n",
                Some(true) => "\n\n",
            };
            write!(formatter, "{separator}{problem}")?;
        }
        Ok(())
    }
}

/// The same as to display, because that is what a `main` prints that returns it.
impl fmt::Debug for ConfigError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the configuration is refused\n{self}")
    }
}

impl std::error::Error for ConfigError {}

/// Which word was meant, if it is near enough to be a slip of the fingers.
pub(crate) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (word.chars().count() / 3).max(1);
    let distances = candidates.into_iter().map(|candidate| (distance(word, candidate), candidate));
    let near = distances.filter(|(distance, _)| *distance > 0 && *distance <= limit).min_by_key(|(distance, _)| *distance);
    near.map(|(_, candidate)| candidate)
}

/// `` `a`, `b` or `c` ``
pub(crate) fn list<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let mut words: Vec<_> = words.into_iter().map(|word| format!("`{word}`")).collect();
    match words.pop() {
        Some(last) if !words.is_empty() => format!("{} or {last}", words.join(", ")),
        last => last.unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_no_slip_of_itself() {
        assert_eq!(nearest("retries", ["retries"]), None);
        assert_eq!(nearest("retrys", ["deadline", "retries"]), Some("retries"));
    }

    #[test]
    fn mistakes_of_code_stand_line_by_line() {
        let problems = ["one", "two"].map(|message| Problem::new(message, Some(Place::Code)));
        let error = ConfigError { problems: problems.into() };
        assert_eq!(error.to_string(), "one\ntwo");
    }

    #[test]
    fn mistakes_of_code_come_first_and_those_of_variables_last() {
        let ranks = [Place::Code, Place::Attribute("f"), Place::Variable("V".into())].map(|place| place.rank());
        assert_eq!(ranks, [0, 0, 2]);
    }
}
