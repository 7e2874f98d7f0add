//! Which of many names was meant.

use super::problem::nearest;
use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};

/// So many comparisons take a moment; beyond them only slips of one letter are looked for, of which each name has few.
const MOST_COMPARISONS: usize = 20_000;

/// Names that others may be misspellings of.
pub(super) struct Spellings<'a> {
    names: Vec<&'a str>,
    /// The names that are left, or become another when one letter is left out, by the hash of what that is. Two names that are one
    /// slip apart have one of these in common (W. Garbe's symmetric deletion). Only where there are too many to compare all.
    shortened: Option<(RandomState, HashMap<u64, Vec<usize>>)>,
}

impl<'a> Spellings<'a> {
    /// To be asked about that many names.
    pub(super) fn new(names: Vec<&'a str>, questions: usize) -> Self {
        let shortened = (names.len().saturating_mul(questions) > MOST_COMPARISONS).then(|| {
            let (state, mut shortened) = (RandomState::new(), HashMap::<_, Vec<_>>::new());
            for (index, name) in names.iter().enumerate() {
                for short in shortenings(name) {
                    shortened.entry(state.hash_one(short)).or_default().push(index);
                }
            }
            (state, shortened)
        });
        Self { names, shortened }
    }

    /// Which name was meant, the first of those that are as near.
    pub(super) fn nearest(&self, name: &str) -> Option<&'a str> {
        nearest(name, self.similar(name))
    }

    /// In their order those that are worth a comparison.
    pub(super) fn similar(&self, name: &str) -> impl Iterator<Item = &'a str> {
        let indices = self.shortened.as_ref().map(|(state, shortened)| {
            let found = shortenings(name).filter_map(|short| shortened.get(&state.hash_one(short)));
            let mut found: Vec<_> = found.flatten().copied().collect();
            found.sort_unstable();
            found.dedup();
            found
        });
        let all = if indices.is_none() { self.names.as_slice() } else { &[] };
        all.iter().copied().chain(indices.unwrap_or_default().into_iter().map(|index| self.names[index]))
    }
}

/// A name, and what is left of it without any one letter.
fn shortenings(name: &str) -> impl Iterator<Item = String> {
    let without = |(place, letter): (usize, char)| format!("{}{}", &name[..place], &name[place + letter.len_utf8()..]);
    std::iter::once(name.to_owned()).chain(name.char_indices().map(without))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(count: u32) -> Vec<String> {
        (0..count).map(|number| format!("service {number:05}")).collect()
    }

    #[test]
    fn of_many_names_few_are_compared_and_every_slip_of_one_letter_is_found() {
        let names = names(5_000);
        let spellings = Spellings::new(names.iter().map(String::as_str).collect(), names.len());
        let compared: usize = names.iter().map(|name| spellings.similar(&name.replace("service", "sérvice")).count()).sum();
        assert!(compared <= names.len(), "{compared}");
        for slip in ["servce 01234", "serrvice 01234", "servcie 01234", "sérvice 01234", "service01234"] {
            assert_eq!(spellings.nearest(slip), Some("service 01234"), "{slip}");
        }
        assert_eq!(spellings.nearest("sevrce 01234"), None, "two slips are looked for among fewer names");
        assert_eq!(Spellings::new(vec!["service 01234"], 1).nearest("sevrce 01234"), Some("service 01234"));
    }

    #[test]
    fn the_first_of_the_nearest_is_meant_among_many_as_among_few() {
        let names = names(2_000);
        let (few, many) = (|| names.iter().map(String::as_str).collect(), names.len());
        let (few, many) = (Spellings::new(few(), 1), Spellings::new(few(), many));
        for slip in ["service 0123", "srvice 00017", "service 010099", "service 01243", "service 99999"] {
            let near = many.nearest(slip);
            assert!(near.is_none() || near == few.nearest(slip), "{slip}: {near:?}");
        }
    }
}
