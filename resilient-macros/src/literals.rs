//! What each kind of value looks like as a literal or a word, and what is emitted for it.

use std::time::Duration;

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, Ident, Lit, LitStr};

use crate::guard::mixed;
use crate::rate::Rate;
use crate::value::Literal;
use crate::{duration, rate};

type Read<T> = Option<Result<T, String>>;

/// A whole number of something.
#[derive(Clone, Copy, PartialEq)]
pub(crate) struct Count(pub(crate) u32);

impl Literal for Count {
    const TAKES: &'static str = "a whole number";

    fn read(literal: &Lit) -> Read<Self> {
        let Lit::Int(number) = literal else { return None };
        if !matches!(number.suffix(), "" | "u32") {
            return None;
        }
        let too_large = format!("`{number}` is too large: at most {}", u32::MAX);
        Some(number.base10_parse().map(Self).map_err(|_| too_large))
    }

    fn call(&self, key: &Ident, _p: &Ident) -> TokenStream {
        let count = self.0;
        quote!(#key(#count))
    }
}

impl Literal for Duration {
    const TAKES: &'static str = "a duration";

    fn read(literal: &Lit) -> Read<Self> {
        match literal {
            Lit::Str(text) => Some(duration::parse(&text.value())),
            Lit::Int(number) => Some(duration::parse(&number.to_string())),
            Lit::Float(number) => Some(duration::parse(&number.to_string())),
            _ => None,
        }
    }

    fn call(&self, key: &Ident, p: &Ident) -> TokenStream {
        let duration = duration_tokens(*self, p);
        quote!(#key(#duration))
    }
}

pub(crate) fn duration_tokens(duration: Duration, p: &Ident) -> TokenStream {
    let (seconds, nanos) = (duration.as_secs(), duration.subsec_nanos());
    quote_spanned!(mixed()=> #p::Duration::new(#seconds, #nanos))
}

impl Literal for Rate {
    const TAKES: &'static str = "calls per second, or text with a unit";

    fn read(literal: &Lit) -> Read<Self> {
        match literal {
            Lit::Str(text) => Some(rate::parse(&text.value())),
            Lit::Int(number) if matches!(number.suffix(), "" | "u32" | "u64") => Some(rate::per(number.base10_digits(), 1)),
            Lit::Float(number) if number.suffix().is_empty() => Some(rate::per(number.base10_digits(), 1)),
            _ => None,
        }
    }

    fn call(&self, key: &Ident, p: &Ident) -> TokenStream {
        let (count, period) = (self.count, duration_tokens(self.period, p));
        quote_spanned!(mixed()=> #key(#p::Rate::per(#count, #period)))
    }

    fn call_with(key: &Ident, given: &Expr, p: &Ident) -> TokenStream {
        let rate = quote_spanned!(mixed().located_at(given.span())=> rate);
        quote_spanned!(mixed()=> #key(#p::Setting(#given).#rate()))
    }
}

/// A share of calls.
#[derive(Clone, Copy, PartialEq)]
pub(crate) struct Ratio(pub(crate) f64);

impl Literal for Ratio {
    const TAKES: &'static str = "a number above 0 and at most 1";

    fn read(literal: &Lit) -> Read<Self> {
        ratio(literal).map(|ratio| Ok(Self(ratio)))
    }

    fn call(&self, key: &Ident, _p: &Ident) -> TokenStream {
        let ratio = self.0;
        quote!(#key(#ratio))
    }
}

pub(crate) struct Flag(bool);

impl Literal for Flag {
    const TAKES: &'static str = "`true` or `false`";

    fn read(literal: &Lit) -> Read<Self> {
        match literal {
            Lit::Bool(flag) => Some(Ok(Self(flag.value))),
            _ => None,
        }
    }

    fn call(&self, key: &Ident, _p: &Ident) -> TokenStream {
        let flag = self.0;
        quote!(#key(#flag))
    }
}

/// What ratios are taken over.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Window {
    Calls(u32),
    Time(Duration),
}

impl Literal for Window {
    const TAKES: &'static str = "a number of calls, or text with a unit of time";

    fn read(literal: &Lit) -> Read<Self> {
        match literal {
            Lit::Int(_) if Count::read(literal).is_some() => {
                Count::read(literal).map(|calls| calls.map(|Count(calls)| Self::Calls(calls)))
            }
            Lit::Str(text) if text.value().parse::<u32>().is_ok() => {
                let number = text.value();
                Some(Err(format!("`{number}` has no unit; `window = {number}` is the last {number} calls, `\"{number}s\"` a time")))
            }
            _ => Duration::read(literal).map(|time| time.map(Self::Time)),
        }
    }

    fn call(&self, key: &Ident, p: &Ident) -> TokenStream {
        match self {
            Self::Calls(calls) => quote_spanned!(mixed()=> #key(#p::Window::calls(#calls))),
            Self::Time(time) => {
                let time = duration_tokens(*time, p);
                quote_spanned!(mixed()=> #key(#p::Window::time(#time)))
            }
        }
    }

    fn call_with(key: &Ident, given: &Expr, p: &Ident) -> TokenStream {
        let window = quote_spanned!(mixed().located_at(given.span())=> window);
        quote_spanned!(mixed()=> #key(#p::Setting(#given).#window()))
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

    fn read(literal: &Lit) -> Read<Self> {
        match literal {
            Lit::Str(name) => Some(Ok(Self(name.clone()))),
            _ => None,
        }
    }

    fn call(&self, key: &Ident, _p: &Ident) -> TokenStream {
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

    fn read(_literal: &Lit) -> Read<Self> {
        None
    }

    fn call(&self, key: &Ident, p: &Ident) -> TokenStream {
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
        quote_spanned!(mixed()=> #key(#p::Backoff::#variant))
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

    fn read(literal: &Lit) -> Read<Self> {
        ratio(literal).map(|ratio| Ok(Self::Ratio(ratio)))
    }

    fn call(&self, key: &Ident, p: &Ident) -> TokenStream {
        let jitter = match self {
            Self::Full => quote!(Full),
            Self::Equal => quote!(Equal),
            Self::None => quote!(None),
            Self::Ratio(ratio) => quote!(ratio(#ratio)),
        };
        quote_spanned!(mixed()=> #key(#p::Jitter::#jitter))
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

    fn read(literal: &Lit) -> Read<Self> {
        match literal {
            Lit::Str(name) => Some(Ok(Self::Named(Name(name.clone())))),
            _ => ratio(literal).map(|ratio| Ok(Self::Ratio(ratio))),
        }
    }

    fn call(&self, _key: &Ident, _p: &Ident) -> TokenStream {
        match self {
            Self::Ratio(ratio) => quote!(budget_ratio(#ratio)),
            Self::Named(Name(name)) => quote!(budget_named(#name)),
            Self::None => quote!(no_budget()),
        }
    }

    fn call_with(_key: &Ident, given: &Expr, _p: &Ident) -> TokenStream {
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

    fn read(literal: &Lit) -> Read<Self> {
        Duration::read(literal).map(|limit| limit.map(Self::Limit))
    }

    fn call(&self, key: &Ident, p: &Ident) -> TokenStream {
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
