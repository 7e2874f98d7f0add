//! Reads any text as a program's start would, and does everything with it that can go wrong, for fuzzers and tests.

use super::check::Checks;
use super::environment::{self, Known};
use super::installed::Installed;
use super::layer::{Kind, Layer};
use super::problem::Problem;
use super::words::Words as _;
use crate::catalog::{catalog_of, sites};
use crate::registry::{Configured, Settled, Shared};
use std::fmt::Write as _;

/// What comes of a text as a file.
pub(crate) fn toml(text: &str) -> Tasted {
    let (layer, problems) = super::file::read("any.toml", text.to_owned());
    Tasted::of(layer, problems)
}

/// What comes of a text as variables: `NAME=value` lines.
pub(crate) fn environment(text: &str) -> Tasted {
    let variables = text.lines().map(|line| line.split_once('=').unwrap_or((line, "")));
    let variables = variables.map(|(name, value)| (format!("ANY__{name}"), value.to_owned()));
    let (layer, problems) = environment::read("any", variables, &Known::new(&names));
    Tasted::of(layer, problems)
}

fn names(kind: Kind) -> Vec<String> {
    let mut names: Vec<_> = sites().filter_map(|site| site.declared().named(kind)).map(str::to_owned).collect();
    names.sort_unstable();
    names.dedup();
    names
}

pub(crate) struct Tasted {
    /// Everything that a person would read of it.
    pub(crate) said: String,
    pub(crate) installed: Result<Installed, Vec<Problem>>,
}

impl Tasted {
    fn of(layer: Layer, problems: Vec<Problem>) -> Self {
        let mut checks = Checks { layer, problems, doubts: Vec::new() };
        checks.all();
        let Checks { layer: Layer { shared, functions, defaults, switches }, problems, doubts } = checks;
        let installed = Installed { functions, defaults, switches: switches.settings, shared };
        let mut said = catalog_of(&installed).to_string();
        for problem in problems.iter().chain(doubts.iter().map(|doubt| &doubt.problem)) {
            let _ = writeln!(said, "{problem}\n{:?}", problem.place());
        }
        let is_taken = problems.is_empty();
        if is_taken {
            fits(&installed);
        }
        Self { said, installed: if is_taken { Ok(installed) } else { Err(problems) } }
    }
}

/// No call ever meets settings that are out of range.
fn fits(installed: &Installed) {
    let Configured { breakers, buckets, bulkheads, budgets } = &installed.shared;
    for site in sites() {
        let declared = site.declared();
        let effective = installed.effective(declared).settings;
        let contradiction = effective.contradiction(|key| declared.expression(key).is_some());
        assert_eq!(effective.problem().or(contradiction), None, "{}", declared.name);
        fits_beside::<crate::Breaker>(breakers, crate::Breaker::inline(declared));
        fits_beside::<crate::Bucket>(buckets, crate::Bucket::inline(declared));
        fits_beside::<crate::Bulkhead>(bulkheads, crate::Bulkhead::inline(declared));
        fits_beside::<crate::budget::Budget>(budgets, crate::budget::Budget::inline(declared));
    }
}

fn fits_beside<T: Shared>(settled: &Settled<T::Settings>, beside: Option<(&'static str, T::Settings)>) {
    if let Some((name, beside)) = beside {
        assert_eq!(settled.settings(name, Some(beside)).problem(), None, "{} {name}", T::WHAT);
    }
}

#[cfg(test)]
mod tests {
    use super::super::known::settings;
    use super::*;
    use fastrand::Rng;

    const DOCUMENTS: u32 = 2_000;
    const NAMES: [&str; 6] = ["everything", "precedence::everything", "everythin", "precedence::*", "größe", ""];
    const VALUES: [&str; 20] = [
        "0",
        "1",
        "3",
        "-1",
        "4294967296",
        "0x_f",
        "0.5",
        "nan",
        "1e400",
        "true",
        "\"none\"",
        "\"250ms\"",
        "\"1m30s\"",
        "\"0s\"",
        "\"30/min\"",
        "\"1/day\"",
        "\"\u{1b}[31m\"",
        "[1, 2]",
        "1979-05-27",
        "{ enabled = false }",
    ];
    const SCRAPS: [&str; 14] = ["\"", "[", "]", "=", ".", "_", "\n", "\r\n", "\t", "#", "ß", "\u{feff}", "\u{200d}", "\0"];

    /// A document of a few settings, right or wrong.
    fn document(rng: &mut Rng, line: fn(&mut Rng) -> String) -> String {
        (0..rng.usize(1..5)).map(|_| line(rng)).collect()
    }

    /// Cut, doubled and strewn with scraps, a few times.
    fn mutated(rng: &mut Rng, mut text: String) -> String {
        for _ in 0..rng.usize(0..6).saturating_sub(2) {
            let places: Vec<_> = text.char_indices().map(|(place, _)| place).chain([text.len()]).collect();
            let (one, other) = (places[rng.usize(..places.len())], places[rng.usize(..places.len())]);
            let (start, end) = (one.min(other), one.max(other));
            match rng.u8(..4) {
                0 => text.replace_range(start..end, ""),
                1 => text = [&text[..end], &text[start..]].concat(),
                _ => text.insert_str(start, SCRAPS[rng.usize(..SCRAPS.len())]),
            }
        }
        text
    }

    /// A table, the name of a thing if it has such, a word, and a value that is often right.
    fn setting(rng: &mut Rng) -> (&'static str, Option<&'static str>, &'static str, String) {
        let known = settings();
        let (table, word, built_in) = known[rng.usize(..known.len())].clone();
        let name = Kind::of(table).is_ok_and(Kind::has_names).then(|| NAMES[rng.usize(..NAMES.len()).saturating_sub(3)]);
        let value = built_in
            .filter(|_| rng.u8(..4) != 0)
            .map(|value| if value.parse::<f64>().is_ok() || value == "true" { value } else { format!("{value:?}") });
        (table, name, word, value.unwrap_or_else(|| VALUES[rng.usize(..VALUES.len())].to_owned()))
    }

    /// Both, those that can be taken and those that cannot, are not few; each says what it has to say.
    fn are_read(seed: u64, taste: fn(&str) -> Tasted, line: fn(&mut Rng) -> String) {
        let (mut rng, mut taken) = (Rng::with_seed(seed), 0);
        for _ in 0..DOCUMENTS {
            let text = document(&mut rng, line);
            let text = mutated(&mut rng, text);
            let tasted = taste(&text);
            let is_silent = |problem: &Problem| problem.message().is_empty();
            assert!(!tasted.installed.as_ref().is_err_and(|problems| problems.iter().any(is_silent)), "{text:?}");
            assert!(tasted.said.contains("precedence::owner"), "{text:?}: {}", tasted.said);
            taken += u32::from(tasted.installed.is_ok());
        }
        assert!((DOCUMENTS / 10..DOCUMENTS * 9 / 10).contains(&taken), "{taken} of {DOCUMENTS}");
    }

    #[test]
    fn no_document_is_too_odd_to_be_read() {
        are_read(1, toml, |rng| {
            let (table, name, word, value) = setting(rng);
            let name = name.map(|name| format!(".\"{name}\"")).unwrap_or_default();
            format!("[{table}{name}]\n{word} = {value}\n")
        });
    }

    #[test]
    fn no_variable_is_too_odd_to_be_read() {
        are_read(2, environment, |rng| {
            let (table, name, word, value) = setting(rng);
            let name = name.map(|name| format!("__{name}")).unwrap_or_default();
            let variable = format!("{table}{name}__{word}").replace("::", "__").replace('.', "__");
            format!("{}={}\n", variable.to_uppercase(), value.trim_matches('"'))
        });
    }
}
