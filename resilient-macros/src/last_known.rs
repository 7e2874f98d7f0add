//! `fallback = last_known("10m")`: an earlier success in a failure's place.

use std::time::Duration;

use proc_macro2::TokenStream;
use quote::quote_spanned;
use syn::spanned::Spanned;
use syn::{Error, Expr, GenericArgument, Ident, PathArguments, Result, Type};

use crate::guard::{Guard, mixed};
use crate::keys::LAST_KNOWN;
use crate::literals::duration_tokens;
use crate::settings::{Settings, alias_at};
use crate::types::{arguments, bare as bare_type, borrow};
use crate::value::{Given, Setting, bare};

const WORD: &str = "last_known";

/// How old the value may be.
pub(crate) struct LastKnown {
    pub(crate) age: Setting<Duration>,
    /// The whole of it, `last_known(…)`.
    pub(crate) given: Expr,
}

impl LastKnown {
    /// `None` is a fallback of another kind.
    pub(crate) fn read(given: &Expr) -> Option<Result<Self>> {
        match bare(given) {
            Expr::Path(path) if path.path.is_ident(WORD) => {
                let message = format!(
                    "`{WORD}` needs the age up to which a value is good: `{LAST_KNOWN}`; a function of yours is `self::{WORD}`"
                );
                Some(Err(Error::new_spanned(path, message)))
            }
            Expr::Call(call) => {
                let Expr::Path(path) = bare(&call.func) else { return None };
                let word = path.path.get_ident().filter(|word| *word == WORD)?;
                let mut ages = call.args.iter();
                Some(match (ages.next(), ages.next()) {
                    (Some(age), None) => Setting::read(word, age, LAST_KNOWN).map(|age| Self { age, given: given.clone() }),
                    _ => Err(Error::new_spanned(
                        call,
                        format!("`{WORD}` takes one age, up to which a value is good: `{LAST_KNOWN}`"),
                    )),
                })
            }
            _ => None,
        }
    }

    pub(crate) fn word(&self) -> &Ident {
        self.age.key()
    }
}

/// What the return type borrows, by its spelling: of a `Result`, the part in front of the error.
pub(crate) fn borrowed_value(returned: &Type) -> Option<TokenStream> {
    let value = match bare_type(returned) {
        Type::Path(path) => path.path.segments.last().and_then(|last| first_type(&last.arguments)),
        _ => None,
    };
    borrow(value.unwrap_or(returned))
}

fn first_type(of: &PathArguments) -> Option<&Type> {
    arguments(of).find_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    })
}

/// Where the call keeps its value.
fn keeper(settings: &Settings) -> TokenStream {
    if settings.keeps_by_key() {
        return quote_spanned!(mixed()=> (&__LAST, &__last_key));
    }
    quote_spanned!(mixed()=> &__LAST)
}

impl Guard<'_> {
    /// Where values are kept, and the age up to which they are good.
    // Output: static __LAST: p::LastKnown = p::LastKnown::new(); let __age: p::Duration = p::Duration::new(600, 0);
    pub(crate) fn keep(&self) -> TokenStream {
        let (p, Some(LastKnown { age, .. })) = (&self.p, &self.settings.last_known) else { return TokenStream::new() };
        let given = age.given();
        let expression = || quote_spanned!(mixed().located_at(given.span())=> #given);
        let value = age.literal.map_or_else(expression, |age| duration_tokens(age, p));
        let kept = if self.settings.keeps_by_key() {
            self.kept_by_key()
        } else {
            quote_spanned!(mixed()=> static __LAST: #p::LastKnown = #p::LastKnown::new();)
        };
        quote_spanned!(mixed()=>
            #kept
            let __age: #p::Duration = #value;
        )
    }

    /// The outcome at the call's end, kept or replaced.
    pub(crate) fn known(&self) -> TokenStream {
        let (place, keeper) = (self.at_type(), keeper(self.settings));
        let (p, ty) = (alias_at(place), &self.returns.ty);
        let good = if self.settings.needs_verdict() {
            quote_spanned!(mixed()=> __good)
        } else {
            quote_spanned!(place=> #p::parts::<#ty>(&__out).is_ok())
        };
        let known =
            if self.is_plain_welcome { quote_spanned!(place=> __kind.known) } else { quote_spanned!(place=> #p::known::<#ty>) };
        quote_spanned!(place=> { let __good = #good; #known(__plan, #keeper, __age, __out, __good) })
    }

    /// An earlier success in a refusal's place.
    // Output: if let Some(__known) = p::known_instead::<Result<u32, E>>(__plan, &__LAST, __age, &__rejected) { return __known; }
    pub(crate) fn known_instead(&self) -> Option<TokenStream> {
        self.settings.last_known.as_ref()?;
        let (place, keeper) = (self.at_type(), keeper(self.settings));
        let (p, ty) = (alias_at(place), &self.returns.ty);
        let known = quote_spanned!(place=> #p::known_instead::<#ty>(__plan, #keeper, __age, &__rejected));
        Some(quote_spanned!(mixed()=> if let #p::Some(__known) = #known { return __known; }))
    }
}
