//! The programs of `tests/ui` without a compiler: what the macros have against each mistake, word by word and place by place, and what
//! becomes of what compiles.

#![cfg(all(feature = "tokio", feature = "testing"))]

use proc_macro2::{Delimiter, LineColumn, TokenStream, TokenTree};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Messages, each with the line and the column where it begins.
type Told = BTreeSet<(String, usize, usize)>;

/// The attribute or the derive, what it is given, and the item below it.
enum Use {
    Attribute { starts: LineColumn, words: TokenStream, item: TokenStream },
    Derive { item: TokenStream },
}

impl Use {
    fn emits(self) -> TokenStream {
        match self {
            Self::Attribute { words, item, .. } => crate::expand::resilient(words, item),
            Self::Derive { item } => crate::classify::derive(item),
        }
    }

    /// What the macros have against it. What they say of an attribute as a whole has no place of its own without a compiler.
    fn told(self) -> Told {
        let whole = match &self {
            Self::Attribute { starts, .. } => *starts,
            Self::Derive { .. } => NOWHERE,
        };
        let place = |(message, line, column)| {
            let is_nowhere = line == NOWHERE.line && column == NOWHERE.column + 1;
            if is_nowhere { (message, whole.line, whole.column + 1) } else { (message, line, column) }
        };
        told(self.emits()).into_iter().map(place).collect()
    }
}

/// Of tokens that nobody has written.
const NOWHERE: LineColumn = LineColumn { line: 1, column: 0 };

/// All uses in a program, those in bodies and `impl`s too.
fn uses(tokens: TokenStream) -> Vec<Use> {
    let tokens: Vec<_> = tokens.into_iter().collect();
    let mut found = Vec::new();
    for (place, token) in tokens.iter().enumerate() {
        let TokenTree::Group(group) = token else { continue };
        let is_attribute = place > 0 && is_punct(&tokens[place - 1], '#') && group.delimiter() == Delimiter::Bracket;
        if !is_attribute {
            found.extend(uses(group.stream()));
            continue;
        }
        let mut inside = group.stream().into_iter();
        let (name, given) = (inside.next().map(|token| token.to_string()), inside.next());
        let words = match given {
            Some(TokenTree::Group(words)) => words.stream(),
            _ => TokenStream::new(),
        };
        match name.as_deref() {
            Some("resilient") => {
                found.push(Use::Attribute { starts: tokens[place - 1].span().start(), words, item: item(&tokens[place + 1..]) });
            }
            Some("derive") if words.clone().into_iter().any(|token| token.to_string() == "Classify") => {
                found.push(Use::Derive { item: item(&tokens[place + 1..]) });
            }
            _ => {}
        }
    }
    found
}

/// The tokens up to the end of the first item.
fn item(tokens: &[TokenTree]) -> TokenStream {
    let is_end = |token: &TokenTree| match token {
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        token => is_punct(token, ';'),
    };
    let end = tokens.iter().position(is_end).map_or(tokens.len(), |end| end + 1);
    tokens[..end].iter().cloned().collect()
}

fn is_punct(token: &TokenTree, wanted: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == wanted)
}

/// Every `compile_error!`, as the compiler tells it.
fn told(emitted: TokenStream) -> Told {
    let tokens: Vec<_> = emitted.into_iter().collect();
    let mut told = Told::new();
    for (place, token) in tokens.iter().enumerate() {
        let TokenTree::Group(group) = token else { continue };
        let is_error = place > 1 && tokens[place - 2].to_string() == "compile_error" && is_punct(&tokens[place - 1], '!');
        if is_error {
            let message = syn::parse2::<syn::LitStr>(group.stream()).unwrap().value();
            let LineColumn { line, column } = tokens[place - 2].span().start();
            told.insert((message, line, column + 1));
        } else {
            told.extend(self::told(group.stream()));
        }
    }
    told
}

/// The same of a program's `.stderr`: the errors that are nobody's but the macros', as the compiler's own have a code.
fn expected(stderr: &str) -> Told {
    let mut expected = Told::new();
    let mut message: Option<String> = None;
    for line in stderr.lines() {
        if let Some(text) = line.strip_prefix("error: ") {
            message = Some(text.to_owned());
        } else if let Some(place) = line.trim_start().strip_prefix("--> ") {
            if let Some(message) = message.take() {
                let mut numbers = place.rsplit(':').map(|number| number.parse().unwrap());
                let (column, line) = (numbers.next().unwrap(), numbers.next().unwrap());
                expected.insert((message, line, column));
            }
        } else if line.starts_with("error") || line.starts_with("warning") {
            message = None;
        } else if let Some(message) = &mut message {
            message.push('\n');
            message.push_str(line.trim_start());
        }
    }
    expected
}

fn programs(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/ui").join(folder);
    let mut programs: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    programs.retain(|path| path.extension().is_some_and(|extension| extension == "rs"));
    programs.sort();
    programs
}

fn uses_in(program: &Path) -> Vec<Use> {
    uses(fs::read_to_string(program).unwrap().parse().unwrap())
}

#[test]
fn every_mistake_is_told_as_it_is_written_down() {
    for program in [".", "mistakes", "museum"].iter().flat_map(|folder| programs(folder)) {
        let told: Told = uses_in(&program).into_iter().flat_map(Use::told).collect();
        let stderr = fs::read_to_string(program.with_extension("stderr")).unwrap();
        assert_eq!(told, expected(&stderr), "{}", program.display());
    }
}

#[test]
fn what_is_emitted_is_what_is_written_down() {
    let program = programs("pass").into_iter().find(|path| path.ends_with("emitted.rs")).unwrap();
    let files = uses_in(&program).into_iter().map(|used| syn::parse2(used.emits()).unwrap());
    let emitted: Vec<_> = files.map(|file| prettyplease::unparse(&file)).collect();
    let (emitted, path) = (emitted.join("\n"), program.with_extension("expanded"));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, &emitted).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap();
    assert!(
        emitted == written,
        "{} is out of date: UPDATE_GOLDEN=1 cargo test --all-features --package resilient-macros",
        path.display()
    );
}
