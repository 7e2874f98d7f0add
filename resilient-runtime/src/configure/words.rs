//! Settings under the words by which users know them, the same in attribute, builder, file and environment.

use super::value::Raw;

/// A group of settings, each there or not.
pub(crate) trait Words: Copy + Default + PartialEq + Send + Sync + 'static {
    /// Every word; a switch of a policy has a dot in it.
    const WORDS: &'static [&'static str];

    /// Sets what `word` names.
    ///
    /// # Errors
    ///
    /// What is wrong with the value; a word that is none of ours.
    fn read(&mut self, word: &str, raw: &Raw) -> Result<(), String>;

    /// What is set under that word, as one would write it.
    fn show(&self, word: &str) -> Option<String>;

    fn unset(&mut self, word: &str);

    /// These settings, and where they say nothing those.
    #[must_use]
    fn or(self, other: Self) -> Self;

    /// What is wrong with them, if anything; it names the words that it is about in backquotes, the first to be changed first.
    fn problem(&self) -> Option<String>;
}

/// The words that are set.
pub(crate) fn said<S: Words>(settings: &S) -> impl Iterator<Item = &'static str> {
    S::WORDS.iter().copied().filter(|word| settings.show(word).is_some())
}

/// Everything that is wrong with them, as that tells one thing after the other: the first of its words that is set is taken out, so that
/// each is told once. With each the word.
pub(crate) fn take_out<S: Words>(settings: &mut S, problem: impl Fn(&S) -> Option<String>) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    while let Some(problem) = problem(settings)
        && let Some(word) = word_of(&problem, settings)
    {
        settings.unset(word);
        found.push((word, problem));
    }
    found
}

/// The first word that the problem is about, of those that are set.
pub(crate) fn word_of<S: Words>(problem: &str, settings: &S) -> Option<&'static str> {
    quoted(problem).find_map(|word| said(settings).find(|said| *said == word))
}

/// The words in backquotes.
pub(crate) fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// Implements [`Words`] for a struct of options; the problem is found by its own `problem`.
macro_rules! words {
    ($settings:ty { $($field:ident = $word:literal),* $(,)? }) => {
        impl $crate::configure::words::Words for $settings {
            const WORDS: &'static [&'static str] = &[$($word),*];

            fn read(&mut self, word: &str, raw: &$crate::configure::value::Raw) -> Result<(), String> {
                match word {
                    $($word => self.$field = Some($crate::configure::value::Value::read_as(word, raw)?),)*
                    _ => return Err(format!("`{word}` is no setting")),
                }
                Ok(())
            }

            fn show(&self, word: &str) -> Option<String> {
                match word {
                    $($word => self.$field.as_ref().map($crate::configure::value::Value::show),)*
                    _ => None,
                }
            }

            fn unset(&mut self, word: &str) {
                match word {
                    $($word => self.$field = None,)*
                    _ => {}
                }
            }

            fn or(self, other: Self) -> Self {
                Self { $($field: self.$field.or(other.$field)),* }
            }

            fn problem(&self) -> Option<String> {
                <$settings>::problem(self).map(Into::into)
            }
        }
    };
}
pub(crate) use words;
