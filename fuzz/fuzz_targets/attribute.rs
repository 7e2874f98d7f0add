//! A function or a type with an attribute, half typed or whole: the macros never panic, and what they emit for Rust is Rust.
#![no_main]

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use syn::parse::{ParseStream, Parser};

/// Deeper nesting ends the stack of whoever reads it, the compiler's included.
const DEEPEST: usize = 24;

libfuzzer_sys::fuzz_target!(|text: &str| {
    let Ok(tokens) = text.parse::<TokenStream>() else { return };
    if depth(&tokens) > DEEPEST {
        return;
    }
    let (attribute, item) = split(tokens);
    let emitted = opened::resilient(attribute, item.clone());
    let is_taken = !says(&emitted, "compile_error");
    // A body is handed on unread, and it is the compiler that says what is wrong with it.
    assert!(!is_taken || is_function(&without_body(&item)), "an item that is no function was taken:\n{item}\n{emitted}");
    if is_function(&item) {
        assert!(is_file(&emitted), "what was emitted is no Rust:\n{item}\n{emitted}");
    }
    let added = opened::derive(item.clone());
    if syn::parse2::<syn::DeriveInput>(item.clone()).is_ok() {
        assert!(is_file(&added), "what was derived is no Rust:\n{item}\n{added}");
    }
});

fn depth(tokens: &TokenStream) -> usize {
    let groups = tokens.clone().into_iter().filter_map(|token| match token {
        TokenTree::Group(group) => Some(1 + depth(&group.stream())),
        _ => None,
    });
    groups.max().unwrap_or(0)
}

/// `#[anything(attribute)] item`; whatever looks otherwise is both.
fn split(tokens: TokenStream) -> (TokenStream, TokenStream) {
    let mut rest = tokens.clone().into_iter();
    if let (Some(TokenTree::Punct(hash)), Some(TokenTree::Group(brackets))) = (rest.next(), rest.next())
        && hash.as_char() == '#'
        && let Some(attribute) = inside(&brackets)
    {
        return (attribute, rest.collect());
    }
    (tokens.clone(), tokens)
}

fn inside(brackets: &Group) -> Option<TokenStream> {
    let mut tokens = brackets.stream().into_iter();
    match (tokens.next(), tokens.next()) {
        (Some(TokenTree::Ident(_)), Some(TokenTree::Group(group))) if group.delimiter() == Delimiter::Parenthesis => {
            Some(group.stream())
        }
        _ => None,
    }
}

fn without_body(item: &TokenStream) -> TokenStream {
    let mut tokens: Vec<_> = item.clone().into_iter().collect();
    if let Some(TokenTree::Group(body)) = tokens.last_mut() {
        *body = Group::new(body.delimiter(), TokenStream::new());
    }
    tokens.into_iter().collect()
}

fn is_function(item: &TokenStream) -> bool {
    syn::parse2::<syn::ItemFn>(item.clone()).is_ok()
}

/// One item or several, which may be methods.
fn is_file(tokens: &TokenStream) -> bool {
    let items = |input: ParseStream<'_>| {
        while !input.is_empty() {
            input.parse::<syn::Item>()?;
        }
        Ok(())
    };
    items.parse2(tokens.clone()).is_ok()
}

fn says(tokens: &TokenStream, word: &str) -> bool {
    tokens.clone().into_iter().any(|token| match token {
        TokenTree::Group(group) => says(&group.stream(), word),
        TokenTree::Ident(name) => name == word,
        _ => false,
    })
}
