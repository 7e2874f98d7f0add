//! Small changes to tokens that nobody parses.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};

/// The same group around something else.
pub(crate) fn regroup(like: &Group, code: TokenStream) -> Group {
    let mut group = Group::new(like.delimiter(), code);
    group.set_span(like.span());
    group
}

pub(crate) fn is_word(token: &TokenTree, word: &str) -> bool {
    matches!(token, TokenTree::Ident(ident) if ident == word)
}

/// Whether a word occurs in code, be it as a method.
pub(crate) fn says(code: TokenStream, word: &str) -> bool {
    code.into_iter().any(|token| match token {
        TokenTree::Group(group) => says(group.stream(), word),
        token => is_word(&token, word),
    })
}

pub(crate) fn is_mark(token: &TokenTree, mark: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == mark)
}

pub(crate) fn is_block(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace)
}

/// Takes `#![…]` from the start of a block, where it speaks of the whole function, and returns it as `#[…]`.
pub(crate) fn hoist_inner_attributes(block: &mut Group) -> TokenStream {
    let (inner, code) = split_inner_attributes(block.stream());
    *block = regroup(block, code);
    inner.into_iter().filter(|token| !is_mark(token, '!')).collect()
}

pub(crate) fn split_inner_attributes(code: TokenStream) -> (TokenStream, TokenStream) {
    let tokens: Vec<_> = code.into_iter().collect();
    let inner = tokens.chunks(3).take_while(|three| match three {
        [hash, bang, TokenTree::Group(_)] => is_mark(hash, '#') && is_mark(bang, '!'),
        _ => false,
    });
    let (inner, code) = tokens.split_at(3 * inner.count());
    (inner.iter().cloned().collect(), code.iter().cloned().collect())
}

/// What `#[async_trait]` calls `self`.
pub(crate) const RENAMED_SELF: &str = "__self";

/// The same code with another word for `self`.
pub(crate) fn rename_self(code: TokenStream, name: &Ident) -> TokenStream {
    let rename = |token| match token {
        TokenTree::Ident(word) if word == "self" => {
            let mut renamed = name.clone();
            renamed.set_span(name.span().located_at(word.span()));
            TokenTree::Ident(renamed)
        }
        TokenTree::Group(group) => regroup(&group, rename_self(group.stream(), name)).into(),
        other => other,
    };
    code.into_iter().map(rename).collect()
}

/// The code as it was written, but for the kind of space between its tokens.
pub(crate) fn source_text(code: &TokenStream) -> String {
    if !(cfg!(test) || proc_macro::is_available()) {
        return code.to_string();
    }
    let mut pieces = Vec::new();
    flatten(code.clone(), &mut pieces);
    let (mut text, mut behind) = (String::new(), None);
    for Piece { text: piece, start, end } in pieces {
        if behind.is_some_and(|behind| behind != start) {
            text.push(' ');
        }
        text.push_str(&piece);
        behind = Some(end);
    }
    text
}

/// Line and column.
type Position = (usize, usize);

struct Piece {
    text: String,
    start: Position,
    end: Position,
}

/// Where it starts and ends, as the compiler knows it.
#[cfg(not(test))]
fn places(span: Span) -> (Position, Position) {
    let span = span.unwrap();
    let (start, end) = (span.start(), span.end());
    ((start.line(), start.column()), (end.line(), end.column()))
}

/// The same without a compiler.
#[cfg(test)]
fn places(span: Span) -> (Position, Position) {
    let (start, end) = (span.start(), span.end());
    ((start.line, start.column + 1), (end.line, end.column + 1))
}

fn flatten(code: TokenStream, pieces: &mut Vec<Piece>) {
    for token in code {
        let (start, end) = places(token.span());
        let TokenTree::Group(group) = token else {
            let text = if is_word(&token, RENAMED_SELF) { "self".to_owned() } else { token.to_string() };
            pieces.push(Piece { text, start, end });
            continue;
        };
        let (open, close) = match group.delimiter() {
            Delimiter::Parenthesis => ("(", ")"),
            Delimiter::Brace => ("{", "}"),
            Delimiter::Bracket => ("[", "]"),
            Delimiter::None => {
                flatten(group.stream(), pieces);
                continue;
            }
        };
        pieces.push(Piece { text: open.to_owned(), start, end: (start.0, start.1 + 1) });
        flatten(group.stream(), pieces);
        pieces.push(Piece { text: close.to_owned(), start: (end.0, end.1.saturating_sub(1)), end });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_is_told_as_it_is_written() {
        let written = "|failed: &E| { let [a,b] = (failed.code() , 'x'); f::<u8>(a , &mut b[..1])?  }";
        let told = "|failed: &E| { let [a,b] = (failed.code() , 'x'); f::<u8>(a , &mut b[..1])? }";
        assert_eq!(source_text(&written.parse().unwrap()), told);
        assert_eq!(source_text(&"self\n    .timeout\n    . max ( WAIT )".parse().unwrap()), "self .timeout . max ( WAIT )");
        assert_eq!(source_text(&"{}".parse().unwrap()), "{}");
    }

    /// `macro_rules!` puts an `$e:expr` into a group that nobody sees.
    #[test]
    fn what_comes_out_of_a_macro_has_no_braces_of_its_own() {
        let hidden = Group::new(Delimiter::None, "a.b( c )".parse().unwrap());
        assert_eq!(source_text(&TokenTree::from(hidden).into()), "a.b( c )");
    }
}
