//! What was written between the parentheses, before anyone asks what it means.

use proc_macro2::{Group, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Error, Expr, Ident, Result, Token, token};

use crate::mistakes::Mistakes;

/// `key`, `key = value` or `key(…)`.
pub(crate) struct Entry {
    pub(crate) key: Ident,
    pub(crate) value: Value,
}

pub(crate) enum Value {
    Missing,
    Expression(Box<Expr>),
    List(TokenStream),
    /// A mistake, already reported.
    Unreadable,
}

/// Reads all entries; after a mistake it goes on behind the next comma.
pub(crate) fn entries(tokens: TokenStream, mistakes: &mut Mistakes) -> Vec<Entry> {
    let read = |input: ParseStream<'_>| {
        let mut entries = Vec::new();
        while !input.is_empty() {
            entries.extend(entry(input, mistakes));
            skip_to_next(input);
        }
        Ok(entries)
    };
    read.parse2(tokens).unwrap_or_default()
}

fn entry(input: ParseStream<'_>, mistakes: &mut Mistakes) -> Option<Entry> {
    let key = mistakes.keep(key(input))?;
    let value = mistakes.keep(value(input, &key)).unwrap_or(Value::Unreadable);
    Some(Entry { key, value })
}

fn key(input: ParseStream<'_>) -> Result<Ident> {
    let span = input.span();
    let key = input.call(Ident::parse_any);
    key.map_err(|_| Error::new(span, "expected a key and its value, such as `retries = 3` or `breaker(name = \"payments\")`"))
}

fn value(input: ParseStream<'_>, key: &Ident) -> Result<Value> {
    if input.peek(token::Paren) {
        let group: Group = input.parse()?;
        return end(input).map(|()| Value::List(group.stream()));
    }
    if !is_at_end(input) && !input.peek(Token![=]) {
        return Err(input.error(format!("expected `=` after `{key}`")));
    }
    input.parse::<Option<Token![=]>>()?;
    if is_at_end(input) {
        return Ok(Value::Missing);
    }
    let expression = input.parse()?;
    end(input).map(|()| Value::Expression(Box::new(expression)))
}

fn end(input: ParseStream<'_>) -> Result<()> {
    if is_at_end(input) {
        return Ok(());
    }
    Err(input.error("expected `,` and the next key"))
}

fn is_at_end(input: ParseStream<'_>) -> bool {
    input.is_empty() || input.peek(Token![,])
}

/// Moves behind the next comma; what a mistake left in front of it was reported with the mistake.
fn skip_to_next(input: ParseStream<'_>) {
    while let Ok(token) = input.parse::<TokenTree>() {
        if matches!(token, TokenTree::Punct(comma) if comma.as_char() == ',') {
            break;
        }
    }
}
