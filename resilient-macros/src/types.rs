//! What the macro needs to know about types, read from their spelling.

use crate::tokens::{is_mark, is_word};
use proc_macro2::{Group, Ident, TokenStream, TokenTree};
use quote::quote;
use syn::{
    AngleBracketedGenericArguments, GenericArgument, Generics, Path, PathArguments, Type, TypeParam, TypeParamBound, WherePredicate,
};

/// The type inside invisible groups (from `macro_rules!`) and parentheses.
pub(crate) fn bare(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => bare(&group.elem),
        Type::Paren(paren) => bare(&paren.elem),
        other => other,
    }
}

/// Whether, by its spelling, values of the type may be `Send` without being `Sync`: cells, channels, trait objects, type parameters.
pub(crate) fn may_lack_sync(ty: &Type, generics: &Generics) -> bool {
    fn may(tokens: TokenStream, generics: &Generics) -> bool {
        let mut tokens = tokens.into_iter().peekable();
        while let Some(token) = tokens.next() {
            let is_whole = tokens.peek().is_none_or(|next| !is_mark(next, ':') && !is_word(next, "as"));
            let is_unsync = match token {
                TokenTree::Group(group) => may(group.stream(), generics),
                TokenTree::Ident(word) => is_unsync_word(&word, is_whole, generics),
                TokenTree::Punct(_) | TokenTree::Literal(_) => false,
            };
            if is_unsync {
                return true;
            }
        }
        false
    }
    may(quote!(#ty), generics)
}

/// The parameters of an `impl` around the function are not seen, and are known by their short names.
fn is_unsync_word(word: &Ident, is_whole: bool, generics: &Generics) -> bool {
    if let Some(parameter) = generics.type_params().find(|parameter| parameter.ident == *word) {
        return !(is_whole && is_sync(parameter, generics));
    }
    let word = word.to_string();
    let may_be_type_parameter = word.len() <= 2 && word.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
    may_be_type_parameter && generics.const_params().all(|parameter| parameter.ident != word)
        || UNSYNC_WORDS.contains(&word.as_str())
}

const UNSYNC_WORDS: &[&str] =
    &["dyn", "impl", "Cell", "RefCell", "OnceCell", "LazyCell", "UnsafeCell", "Receiver", "BoxFuture", "BoxStream"];

/// Whether it says so itself, and not only a trait that it has.
fn is_sync(parameter: &TypeParam, generics: &Generics) -> bool {
    let says_sync = |bound: &TypeParamBound| matches!(bound, TypeParamBound::Trait(bound) if ends_in(&bound.path, "Sync"));
    let conditions = generics.where_clause.iter().flat_map(|clause| &clause.predicates);
    let mut conditions = conditions.filter_map(|condition| match condition {
        WherePredicate::Type(condition) => Some(condition),
        _ => None,
    });
    let is_it = |ty: &Type| matches!(bare(ty), Type::Path(path) if path.path.is_ident(&parameter.ident));
    parameter.bounds.iter().any(says_sync) || conditions.any(|told| is_it(&told.bounded_ty) && told.bounds.iter().any(says_sync))
}

/// The first reference or lifetime in the type that is not `'static`, by its spelling.
pub(crate) fn borrow(ty: &Type) -> Option<TokenStream> {
    fn find(tokens: TokenStream) -> Option<TokenStream> {
        let mut tokens = tokens.into_iter().peekable();
        while let Some(token) = tokens.next() {
            let found = match &token {
                TokenTree::Group(group) => find(group.stream()),
                TokenTree::Punct(mark) if mark.as_char() == '&' => {
                    let is_lifetime = matches!(tokens.peek(), Some(TokenTree::Punct(mark)) if mark.as_char() == '\'');
                    (!is_lifetime).then(|| token.clone().into())
                }
                TokenTree::Punct(mark) if mark.as_char() == '\'' => {
                    let name = tokens.next().filter(|name| !is_word(name, "static"));
                    name.map(|name| quote!(#token #name))
                }
                _ => None,
            };
            if found.is_some() {
                return found;
            }
        }
        None
    }
    find(quote!(#ty))
}

/// Whether a script's traits may be asked about the type without ever asking too much of what it borrows: not if it has a hole where
/// an `impl` was, and not if a trait object in it has a lifetime.
pub(crate) fn may_be_scripted(ty: &TokenStream) -> bool {
    fn has(tokens: &TokenStream, is_it: fn(&TokenTree) -> bool) -> bool {
        tokens.clone().into_iter().any(|token| match &token {
            TokenTree::Group(group) => has(&group.stream(), is_it),
            other => is_it(other),
        })
    }
    let has_hole = has(ty, |token| is_word(token, "_") || is_mark(token, '_'));
    let has_object = has(ty, |token| is_word(token, "dyn"));
    !(has_hole || has_object && has(ty, |token| is_mark(token, '\'')))
}

/// What a future gives in the end.
#[derive(Clone, Copy)]
pub(crate) enum Promise<'a> {
    Of(&'a Type),
    Unsaid,
}

/// The `R` of `impl Future<Output = R>`, `Pin<Box<dyn Future<Output = R>>>`, `BoxFuture<'_, R>`; `None` for other types.
pub(crate) fn promise(ty: &Type) -> Option<Promise<'_>> {
    match bare(ty) {
        Type::ImplTrait(ty) => ty.bounds.iter().find_map(bound_promise),
        Type::TraitObject(ty) => ty.bounds.iter().find_map(bound_promise),
        Type::Path(ty) => {
            let last = ty.path.segments.last()?;
            match last.ident.to_string().as_str() {
                "Pin" | "Box" => types(&last.arguments).last().and_then(promise),
                "BoxFuture" | "LocalBoxFuture" => Some(types(&last.arguments).last().map_or(Promise::Unsaid, Promise::Of)),
                _ => None,
            }
        }
        _ => None,
    }
}

fn bound_promise(bound: &TypeParamBound) -> Option<Promise<'_>> {
    let TypeParamBound::Trait(bound) = bound else { return None };
    let last = bound.path.segments.last().filter(|last| last.ident == "Future")?;
    let output = arguments(&last.arguments).find_map(|argument| match argument {
        GenericArgument::AssocType(output) if output.ident == "Output" => Some(&output.ty),
        _ => None,
    });
    Some(output.map_or(Promise::Unsaid, Promise::Of))
}

fn types(arguments_of: &PathArguments) -> impl Iterator<Item = &Type> {
    arguments(arguments_of).filter_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    })
}

pub(crate) fn arguments(arguments: &PathArguments) -> impl Iterator<Item = &GenericArgument> {
    let bracketed: Option<&AngleBracketedGenericArguments> = match arguments {
        PathArguments::AngleBracketed(bracketed) => Some(bracketed),
        _ => None,
    };
    bracketed.into_iter().flat_map(|bracketed| &bracketed.args)
}

/// Whether the path ends in this word.
pub(crate) fn ends_in(path: &Path, word: &str) -> bool {
    path.segments.last().is_some_and(|last| last.ident == word)
}

/// The type with `_` for each `impl Trait`, so that it may be named inside the function.
// Input:  Result<impl Iterator<Item = u32> + '_, E>
// Output: Result<_, E>
pub(crate) fn nameable(ty: TokenStream) -> TokenStream {
    let mut named = TokenStream::new();
    let mut tokens = ty.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Ident(ident) if ident == "impl" => {
                skip_bounds(&mut tokens);
                named.extend(quote!(_));
            }
            TokenTree::Group(group) => {
                let mut inner = Group::new(group.delimiter(), nameable(group.stream()));
                inner.set_span(group.span());
                named.extend([TokenTree::Group(inner)]);
            }
            other => named.extend([other]),
        }
    }
    named
}

/// Skips to the `,` or `>` that ends the bounds.
fn skip_bounds(tokens: &mut std::iter::Peekable<proc_macro2::token_stream::IntoIter>) {
    let (mut depth, mut after_minus) = (0_usize, false);
    while let Some(token) = tokens.peek() {
        let mark = match token {
            TokenTree::Punct(punct) => punct.as_char(),
            _ => ' ',
        };
        match mark {
            '>' if after_minus => {}
            ',' | '>' if depth == 0 => return,
            '>' => depth -= 1,
            '<' => depth += 1,
            _ => {}
        }
        after_minus = mark == '-';
        tokens.next();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(ty: TokenStream) -> String {
        nameable(ty).to_string()
    }

    #[test]
    fn opaque_types_become_holes() {
        assert_eq!(named(quote!(Result<impl Iterator<Item = u32> + 'a, E>)), quote!(Result<_, E>).to_string());
        assert_eq!(named(quote!(Result<impl Fn(u8) -> u8, E>)), quote!(Result<_, E>).to_string());
        assert_eq!(named(quote!((impl A, Vec<impl B>))), quote!((_, Vec<_>)).to_string());
        assert_eq!(named(quote!(impl Fn() -> Vec<u8>)), quote!(_).to_string());
        assert_eq!(named(quote!(Result<u32, E>)), quote!(Result<u32, E>).to_string());
    }

    #[test]
    fn what_is_borrowed_is_known_by_its_spelling() -> syn::Result<()> {
        let found = |text: &str| -> syn::Result<_> { Ok(borrow(&syn::parse_str(text)?).map(|found| found.to_string())) };
        assert_eq!(found("Vec<&str>")?.as_deref(), Some("&"));
        assert_eq!(found("(u8, Cow<'a, str>)")?.as_deref(), Some("'a"));
        assert_eq!(found("Ref<'_, u8>")?.as_deref(), Some("'_"));
        assert_eq!(found("&'static str")?, None);
        assert_eq!(found("fn(u8) -> Vec<u8>")?, None);
        Ok(())
    }

    #[test]
    fn futures_are_known_by_their_spelling() -> syn::Result<()> {
        let output = |text: &str| -> syn::Result<Option<String>> {
            Ok(promise(&syn::parse_str(text)?).map(|promise| match promise {
                Promise::Of(ty) => quote!(#ty).to_string(),
                Promise::Unsaid => String::new(),
            }))
        };
        let found = Some("R".to_owned());
        assert_eq!(output("impl Future<Output = R> + Send + '_")?, found);
        assert_eq!(output("Pin<Box<dyn Future<Output = R> + Send>>")?, found);
        assert_eq!(output("std::pin::Pin<Box<dyn std::future::Future<Output = R>>>")?, found);
        assert_eq!(output("futures::future::BoxFuture<'a, R>")?, found);
        assert_eq!(output("impl Future")?, Some(String::new()));
        assert_eq!(output("Result<R, E>")?, None);
        assert_eq!(output("Box<dyn Fn()>")?, None);
        Ok(())
    }

    #[test]
    fn type_parameters_may_lack_sync_unless_they_say_otherwise() -> syn::Result<()> {
        let lacks = |ty: &str, of: &str| -> syn::Result<bool> {
            let signature: syn::Signature = syn::parse_str(&format!("fn f{of}"))?;
            Ok(may_lack_sync(&syn::parse_str(ty)?, &signature.generics))
        };
        assert!(lacks("Payload", "<Payload: Send>()")?);
        assert!(lacks("Vec<(u8, Payload)>", "<Payload>() where Payload: Send")?);
        assert!(!lacks("Payload", "<Other>()")?);
        for told in ["<Payload: Send + Sync>()", "<Payload>() where Payload: std::marker::Sync", "<P, Payload: Sync>() where P: A"]
        {
            assert!(!lacks("Vec<Payload>", told)?, "{told}");
            assert!(lacks("Payload::Item", told)?, "{told}");
            assert!(lacks("<Payload as Iterator>::Item", told)?, "{told}");
        }
        assert!(lacks("Payload", "<Payload, P: Sync>() where P: Sync")?);
        // Those of an `impl` block.
        assert!(lacks("T", "()")? && lacks("[K2; 3]", "<N: Sync>()")?);
        assert!(
            !lacks("T", "<T: Sync>()")? && !lacks("[u8; N]", "<const N: usize>()")? && !lacks("URL", "()")? && !lacks("Vc", "()")?
        );
        assert!(lacks("Box<dyn Fn()>", "()")? && lacks("std::cell::LazyCell<u8>", "()")?);
        Ok(())
    }
}
