//! Which names occur in a piece of code, without parsing it.

use std::collections::HashSet;

use proc_macro2::{TokenStream, TokenTree};
use syn::Ident;
use syn::ext::IdentExt;

/// The words that may name a variable: not fields, methods or path segments, but the captured
/// arguments of format strings.
#[derive(Default)]
pub(crate) struct Mentions(HashSet<String>);

impl Mentions {
    pub(crate) fn of(tokens: TokenStream) -> Self {
        let mut mentions = Self::default();
        mentions.collect(tokens);
        mentions
    }

    pub(crate) fn contains(&self, name: &Ident) -> bool {
        self.0.contains(&name.unraw().to_string())
    }

    fn collect(&mut self, tokens: TokenStream) {
        let mut before = Before::default();
        for token in tokens {
            match &token {
                TokenTree::Group(group) => self.collect(group.stream()),
                TokenTree::Ident(ident) if !before.makes_a_member() => {
                    self.0.insert(ident.unraw().to_string());
                }
                TokenTree::Literal(literal) => self.format_string(&literal.to_string()),
                TokenTree::Ident(_) | TokenTree::Punct(_) => {}
            }
            before.push(&token);
        }
    }

    fn format_string(&mut self, literal: &str) {
        if !literal.ends_with(['"', '#']) {
            return;
        }
        for piece in literal.split('{').skip(1) {
            let argument = piece.split_once('}').map_or(piece, |(argument, _)| argument);
            let words = argument.split(|c: char| !(c == '_' || c.is_alphanumeric()));
            self.0.extend(words.filter(|word| !word.is_empty()).map(str::to_owned));
        }
    }
}

/// The two tokens in front of a word.
#[derive(Default)]
struct Before {
    last: Option<char>,
    second_last: Option<char>,
}

impl Before {
    fn push(&mut self, token: &TokenTree) {
        self.second_last = self.last;
        self.last = match token {
            TokenTree::Punct(punct) => Some(punct.as_char()),
            _ => None,
        };
    }

    /// After `a.` and `a::`, but not after `0..`.
    fn makes_a_member(&self) -> bool {
        match (self.second_last, self.last) {
            (second, Some('.')) => second != Some('.'),
            (Some(':'), Some(':')) => true,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use quote::{format_ident, quote};

    use super::*;

    fn mentions(tokens: TokenStream, name: &str) -> bool {
        Mentions::of(tokens).contains(&format_ident!("{name}"))
    }

    #[test]
    fn variables_count_and_members_do_not() {
        let code = quote!({ client.get(url::parse(&r#type), [0..end], { inner }) });
        for name in ["client", "type", "end", "inner", "url"] {
            assert!(mentions(code.clone(), name), "{name}");
        }
        for name in ["get", "parse"] {
            assert!(!mentions(code.clone(), name), "{name}");
        }
    }

    #[test]
    fn format_strings_count() {
        let code = quote!(format!("{a} {b:?} {:>c$} {{d}} {e:.f$}"));
        for name in ["a", "b", "c", "e", "f"] {
            assert!(mentions(code.clone(), name), "{name}");
        }
        assert!(!mentions(quote!("a {b"), "a"));
    }
}
