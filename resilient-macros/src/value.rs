//! One key's value: read now where it is a literal, handed on where it is an expression.

use std::time::Duration;

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::{Error, Expr, Ident, Lit, LitStr, Result, UnOp};

use crate::rate::Rate;
use crate::spelling::nearest;
use crate::{duration, rate};

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
    fn call(&self, key: &Ident, p: &TokenStream) -> TokenStream;

    /// The same for an expression that is a constant.
    fn call_with(key: &Ident, given: &Expr, _p: &TokenStream) -> TokenStream {
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
    fn call(&self, p: &TokenStream) -> TokenStream;

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

    fn call(&self, p: &TokenStream) -> TokenStream {
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

fn word(expression: &Expr) -> Option<&Ident> {
    match expression {
        Expr::Path(path) => path.path.get_ident(),
        _ => None,
    }
}

fn is_negative(unary: &syn::ExprUnary) -> bool {
    matches!(unary.op, UnOp::Neg(_)) && matches!(bare(&unary.expr), Expr::Lit(_))
}

/// A whole number of something.
#[derive(Clone, Copy, PartialEq)]
pub(crate) struct Count(pub(crate) u32);

impl Literal for Count {
    const TAKES: &'static str = "a whole number";

    fn read(literal: &Lit) -> Option<std::result::Result<Self, String>> {
        let Lit::Int(number) = literal else { return None };
        if !matches!(number.suffix(), "" | "u32") {
            return None;
        }
        let too_large = format!("`{number}` is too large: at most {}", u32::MAX);
        Some(number.base10_parse().map(Self).map_err(|_| too_large))
    }

    fn call(&self, key: &Ident, _p: &TokenStream) -> TokenStream {
        let count = self.0;
        quote!(#key(#count))
    }
}

impl Literal for Duration {
    const TAKES: &'static str = "a duration";

    fn read(literal: &Lit) -> Option<std::result::Result<Self, String>> {
        match literal {
            Lit::Str(text) => Some(duration::parse(&text.value())),
            Lit::Int(number) => Some(duration::parse(&number.to_string())),
            Lit::Float(number) => Some(duration::parse(&number.to_string())),
            _ => None,
        }
    }

    fn call(&self, key: &Ident, p: &TokenStream) -> TokenStream {
        let duration = duration_tokens(*self, p);
        quote!(#key(#duration))
    }
}

fn duration_tokens(duration: Duration, p: &TokenStream) -> TokenStream {
    let (seconds, nanos) = (duration.as_secs(), duration.subsec_nanos());
    quote_spanned!(Span::mixed_site()=> #p::Duration::new(#seconds, #nanos))
}

impl Literal for Rate {
    const TAKES: &'static str = "calls per second, or text with a unit";

    fn read(literal: &Lit) -> Option<std::result::Result<Self, String>> {
        match literal {
            Lit::Str(text) => Some(rate::parse(&text.value())),
            Lit::Int(number) if matches!(number.suffix(), "" | "u32" | "u64") => Some(rate::per(number.base10_digits(), 1)),
            Lit::Float(number) if number.suffix().is_empty() => Some(rate::per(number.base10_digits(), 1)),
            _ => None,
        }
    }

    fn call(&self, key: &Ident, p: &TokenStream) -> TokenStream {
        let (count, period) = (self.count, duration_tokens(self.period, p));
        quote_spanned!(Span::mixed_site()=> #key(#p::Rate::per(#count, #period)))
    }

    fn call_with(key: &Ident, given: &Expr, p: &TokenStream) -> TokenStream {
        quote_spanned!(Span::mixed_site()=> #key(#p::Setting(#given).rate()))
    }
}

/// The name of something shared, or of the function.
pub(crate) struct Name(LitStr);

impl Name {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.value().trim().is_empty()
    }
}

impl Literal for Name {
    const TAKES: &'static str = "a name";

    fn read(literal: &Lit) -> Option<std::result::Result<Self, String>> {
        match literal {
            Lit::Str(name) => Some(Ok(Self(name.clone()))),
            _ => None,
        }
    }

    fn call(&self, key: &Ident, _p: &TokenStream) -> TokenStream {
        let name = &self.0;
        quote!(#key(#name))
    }
}

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Backoff {
    Exponential,
    Constant,
    Linear,
    Fibonacci,
    Decorrelated,
}

impl Literal for Backoff {
    const TAKES: &'static str = "`exponential`, `constant`, `linear`, `fibonacci` or `decorrelated`";

    fn words() -> Vec<(&'static str, Self)> {
        vec![
            ("exponential", Self::Exponential),
            ("constant", Self::Constant),
            ("linear", Self::Linear),
            ("fibonacci", Self::Fibonacci),
            ("decorrelated", Self::Decorrelated),
        ]
    }

    fn read(_literal: &Lit) -> Option<std::result::Result<Self, String>> {
        None
    }

    fn call(&self, key: &Ident, p: &TokenStream) -> TokenStream {
        let variant = format_ident!(
            "{}",
            match self {
                Self::Exponential => "Exponential",
                Self::Constant => "Constant",
                Self::Linear => "Linear",
                Self::Fibonacci => "Fibonacci",
                Self::Decorrelated => "Decorrelated",
            }
        );
        quote_spanned!(Span::mixed_site()=> #key(#p::Backoff::#variant))
    }
}

pub(crate) enum Jitter {
    Full,
    Equal,
    None,
    Ratio(f64),
}

impl Literal for Jitter {
    const TAKES: &'static str = "`full`, `equal`, `none` or a ratio";

    fn words() -> Vec<(&'static str, Self)> {
        vec![("full", Self::Full), ("equal", Self::Equal), ("none", Self::None)]
    }

    fn read(literal: &Lit) -> Option<std::result::Result<Self, String>> {
        ratio(literal).map(|ratio| Ok(Self::Ratio(ratio)))
    }

    fn call(&self, key: &Ident, p: &TokenStream) -> TokenStream {
        let jitter = match self {
            Self::Full => quote!(Full),
            Self::Equal => quote!(Equal),
            Self::None => quote!(None),
            Self::Ratio(ratio) => quote!(ratio(#ratio)),
        };
        quote_spanned!(Span::mixed_site()=> #key(#p::Jitter::#jitter))
    }
}

pub(crate) enum Budget {
    Ratio(f64),
    Named(Name),
    None,
}

impl Literal for Budget {
    const TAKES: &'static str = "a ratio, a name or `none`";

    fn words() -> Vec<(&'static str, Self)> {
        vec![("none", Self::None)]
    }

    fn read(literal: &Lit) -> Option<std::result::Result<Self, String>> {
        match literal {
            Lit::Str(name) => Some(Ok(Self::Named(Name(name.clone())))),
            _ => ratio(literal).map(|ratio| Ok(Self::Ratio(ratio))),
        }
    }

    fn call(&self, _key: &Ident, _p: &TokenStream) -> TokenStream {
        match self {
            Self::Ratio(ratio) => quote!(budget_ratio(#ratio)),
            Self::Named(Name(name)) => quote!(budget_named(#name)),
            Self::None => quote!(no_budget()),
        }
    }

    fn call_with(_key: &Ident, given: &Expr, _p: &TokenStream) -> TokenStream {
        quote!(budget_ratio(#given))
    }
}

pub(crate) enum MaxWait {
    Unlimited,
    Limit(Duration),
}

impl Literal for MaxWait {
    const TAKES: &'static str = "a duration or `none`";

    fn words() -> Vec<(&'static str, Self)> {
        vec![("none", Self::Unlimited)]
    }

    fn read(literal: &Lit) -> Option<std::result::Result<Self, String>> {
        Duration::read(literal).map(|limit| limit.map(Self::Limit))
    }

    fn call(&self, key: &Ident, p: &TokenStream) -> TokenStream {
        match self {
            Self::Unlimited => quote!(max_wait_unlimited()),
            Self::Limit(limit) => limit.call(key, p),
        }
    }
}

fn ratio(literal: &Lit) -> Option<f64> {
    match literal {
        Lit::Int(number) if number.suffix().is_empty() => number.base10_parse::<u32>().ok().map(f64::from),
        Lit::Float(number) if matches!(number.suffix(), "" | "f64") => number.base10_parse().ok(),
        _ => None,
    }
}
