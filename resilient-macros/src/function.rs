//! The function under the attribute: everything but its body, which stays untouched.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use syn::parse::{Parse, ParseStream};
use syn::{Attribute, Error, FnArg, Ident, PatIdent, Result, ReturnType, Signature, Visibility};

use crate::parameters::bound_by;
use crate::types::{Promise, ends_in, promise};

pub(crate) struct Function {
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) visibility: Visibility,
    pub(crate) signature: Signature,
    /// A trait may declare a method without one.
    pub(crate) body: Option<Group>,
}

impl Function {
    pub(crate) fn parse(item: TokenStream) -> Result<Self> {
        let refused = misplaced(&item);
        syn::parse2(item).map_err(|error| refused.unwrap_or(error))
    }

    pub(crate) fn is_async(&self) -> bool {
        self.signature.asyncness.is_some() || self.promise().is_some()
    }

    /// What the future gives, where the function returns one without being an `async fn`.
    pub(crate) fn promise(&self) -> Option<Promise<'_>> {
        match &self.signature.output {
            ReturnType::Type(_, ty) if self.signature.asyncness.is_none() => promise(ty),
            _ => None,
        }
    }

    /// The variables that the parameters bind.
    pub(crate) fn bindings(&self) -> Vec<PatIdent> {
        let mut bindings = Vec::new();
        for input in &self.signature.inputs {
            match input {
                FnArg::Typed(parameter) => bindings.extend(bound_by(&parameter.pat)),
                FnArg::Receiver(receiver) => bindings.push(PatIdent {
                    attrs: Vec::new(),
                    by_ref: None,
                    mutability: receiver.mutability,
                    ident: Ident::from(receiver.self_token),
                    subpat: None,
                }),
            }
        }
        bindings
    }

    pub(crate) fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|attribute| ends_in(attribute.path(), name))
    }
}

impl Parse for Function {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let attributes = input.call(Attribute::parse_outer)?;
        let visibility = input.parse()?;
        let signature = input.parse()?;
        let body = match input.parse::<TokenTree>()? {
            TokenTree::Group(group) => Some(braces(group)).filter(|body| body.delimiter() == Delimiter::Brace),
            _ => None,
        };
        Ok(Self { attributes, visibility, signature, body })
    }
}

/// The block itself where `macro_rules!` passed it as `$body:block`.
fn braces(group: Group) -> Group {
    if group.delimiter() != Delimiter::None {
        return group;
    }
    match group.stream().into_iter().next() {
        Some(TokenTree::Group(inner)) => inner,
        _ => group,
    }
}

const ITEMS: &[(&str, &str)] = &[
    ("struct", "a struct"),
    ("enum", "an enum"),
    ("union", "a union"),
    ("trait", "a trait"),
    ("impl", "an impl block"),
    ("mod", "a module"),
    ("use", "a `use`"),
    ("static", "a static"),
    ("type", "a type"),
    ("const", "a constant"),
    ("macro_rules", "a macro"),
    ("let", "a `let`"),
];

/// The error for an item that is no function.
fn misplaced(item: &TokenStream) -> Option<Error> {
    let words: Vec<_> = item.clone().into_iter().filter_map(word).collect();
    if words.iter().any(|word| word == "fn") {
        return None;
    }
    let (word, item) = words.iter().find_map(|word| {
        let item = ITEMS.iter().find(|(name, _)| word == name);
        item.map(|(_, item)| (word, item))
    })?;
    Some(Error::new_spanned(word, format!("`#[resilient]` goes on a function, not on {item}")))
}

fn word(token: TokenTree) -> Option<Ident> {
    match token {
        TokenTree::Ident(word) => Some(word),
        _ => None,
    }
}
