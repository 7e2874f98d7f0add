//! One key's value: read now where it is a literal, handed on where it is an expression.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote};
use syn::{Error, Expr, Ident, Lit, Result, UnOp};

use crate::spelling::nearest;

/// A value as it was given, and what it says if that can be read now.
pub(crate) struct Setting<T> {
    pub(crate) key: Ident,
    pub(crate) given: Expr,
    pub(crate) literal: Option<T>,
}

/// A value that can be read from a literal or a word.
pub(crate) trait Literal: Sized {
    /// Completes "`key` takes …".
    const TAKES: &'static str;

    fn words() -> Vec<(&'static str, Self)> {
        Vec::new()
    }

    /// `None` is a literal of the wrong kind.
    fn read(literal: &Lit) -> Option<std::result::Result<Self, String>>;

    /// The call that gives this value to the site, such as `retries(3)`.
    fn call(&self, key: &Ident, p: &Ident) -> TokenStream;

    /// The same for an expression that is a constant.
    fn call_with(key: &Ident, given: &Expr, _p: &Ident) -> TokenStream {
        quote!(#key(#given))
    }
}

impl<T: Literal> Setting<T> {
    pub(crate) fn read(key: &Ident, given: &Expr, usage: &str) -> Result<Self> {
        let literal = match bare(given) {
            Expr::Lit(literal) => Some(Self::literal(key, &literal.lit, usage)?),
            Expr::Unary(negative) if is_negative(negative) => {
                return Err(Error::new_spanned(given, format!("`{key}` cannot be negative: `{usage}`")));
            }
            other => word(other).and_then(|word| {
                let mut words = T::words().into_iter();
                words.find(|(name, _)| word == name).map(|(_, value)| value)
            }),
        };
        Ok(Self { key: key.clone(), given: given.clone(), literal })
    }

    fn literal(key: &Ident, literal: &Lit, usage: &str) -> Result<T> {
        let wrong_kind = || Err(format!("`{key}` takes {}: `{usage}`", T::TAKES));
        let read = T::read(literal).unwrap_or_else(wrong_kind);
        read.map_err(|message| Error::new_spanned(literal, message))
    }
}

/// A setting of any type.
pub(crate) trait Given {
    fn key(&self) -> &Ident;

    fn given(&self) -> &Expr;

    fn is_literal(&self) -> bool;

    /// The call for the site, such as `retries(3)`.
    fn call(&self, p: &Ident) -> TokenStream;

    /// A word that is none of ours, and so could only be a variable.
    fn unknown_word(&self) -> Option<(&Ident, String)>;

    /// The name of the plan's setter, such as `with_retries`.
    fn plan_setter(&self) -> Ident {
        setter(self.key(), "with_")
    }
}

impl<T: Literal> Given for Setting<T> {
    fn key(&self) -> &Ident {
        &self.key
    }

    fn given(&self) -> &Expr {
        &self.given
    }

    fn is_literal(&self) -> bool {
        self.literal.is_some()
    }

    fn call(&self, p: &Ident) -> TokenStream {
        let key = setter(&self.key, "");
        match &self.literal {
            Some(value) => value.call(&key, p),
            None => T::call_with(&key, &self.given, p),
        }
    }

    fn unknown_word(&self) -> Option<(&Ident, String)> {
        let word = word(bare(&self.given)).filter(|_| self.literal.is_none())?;
        let words: Vec<_> = T::words().into_iter().map(|(name, _)| name).collect();
        let nearest = nearest(&word.to_string(), words.iter().copied()).map(|word| format!("; did you mean `{word}`?"));
        let is_variable = words.is_empty() || word.to_string().starts_with(char::is_uppercase);
        let message = format!("`{}` takes {}, not `{word}`{}", self.key, T::TAKES, nearest.unwrap_or_default());
        (!is_variable).then_some((word, message))
    }
}

fn setter(key: &Ident, prefix: &str) -> Ident {
    format_ident!("{prefix}{key}", span = Span::mixed_site().located_at(key.span()))
}

/// The expression inside invisible groups (from `macro_rules!`) and parentheses.
pub(crate) fn bare(expression: &Expr) -> &Expr {
    match expression {
        Expr::Group(group) => bare(&group.expr),
        Expr::Paren(paren) => bare(&paren.expr),
        other => other,
    }
}

pub(crate) fn word(expression: &Expr) -> Option<&Ident> {
    match expression {
        Expr::Path(path) => path.path.get_ident(),
        _ => None,
    }
}

fn is_negative(unary: &syn::ExprUnary) -> bool {
    matches!(unary.op, UnOp::Neg(_)) && matches!(bare(&unary.expr), Expr::Lit(_))
}
