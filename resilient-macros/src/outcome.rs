//! What becomes of an attempt's outcome: refused, judged, returned, or handed to the fallback.

use proc_macro2::TokenStream;
use quote::quote_spanned;
use syn::spanned::Spanned;
use syn::{Expr, Ident};

use crate::guard::{Guard, mixed};
use crate::settings::alias_at;

impl Guard<'_> {
    /// What happens when a policy refuses: mostly, the function returns.
    pub(crate) fn refused(&self) -> TokenStream {
        let p = &self.p;
        if self.settings.fallback.is_some() {
            return self.refused_with_fallback();
        }
        let converted = self.converted();
        if !self.is_retried() || !self.settings.has("timeout") {
            return match self.known_instead() {
                None => quote_spanned!(mixed()=> return #converted),
                Some(known) => quote_spanned!(mixed()=> { #known return #converted; }),
            };
        }
        let known = self.known_instead().map(|known| quote_spanned!(mixed()=> if __over { #known }));
        quote_spanned!(mixed()=> {
            let __over = #p::is_final(&__rejected);
            #known
            let __out = #converted;
            if __over {
                return __out;
            }
            __out
        })
    }

    fn refused_with_fallback(&self) -> TokenStream {
        let p = &self.p;
        let leave = quote_spanned!(mixed()=> break '__call #p::Failure::Rejected(__rejected));
        if !self.may_wait_after_refusal() {
            return leave;
        }
        let again = self.context_again(&quote_spanned!(mixed()=> #p::None));
        quote_spanned!(mixed()=> {
            if #p::is_final(&__rejected) {
                #leave;
            }
            if #p::Call::settle_timed_out(&mut __call) {
                #leave;
            }
            #again
            continue;
        })
    }

    /// The refusal as the function's own error.
    fn converted(&self) -> TokenStream {
        let (ty, place) = (&self.returns.ty, self.at_type());
        let p = alias_at(place);
        match &self.settings.map_err {
            None => quote_spanned!(place=> #p::refused::<#ty>(__rejected)),
            Some(map_err) => quote_spanned!(place=> #p::refused_with::<#ty>(__rejected, #map_err)),
        }
    }

    /// What the outcome means, by its type or by the user's word.
    // Output: (&&&&&&&&p::told(&__out).resilient_values()).resilient_judge()
    fn judge(&self) -> TokenStream {
        let (p, place) = (&self.p, self.at_type());
        let judge = if let Some(classify) = &self.settings.classify {
            let lent = lent(classify);
            quote_spanned!(mixed()=> #p::classify(&__out, #lent))
        } else if self.is_plain_welcome {
            quote_spanned!(mixed()=> (&&&&&&&&__kind.told().resilient_values()).resilient_judge())
        } else {
            let p = alias_at(place);
            quote_spanned!(place=> (&&&&&&&&#p::told(&__out).resilient_values()).resilient_judge())
        };
        match &self.settings.retry_if {
            None => judge,
            Some(retry_if) => {
                let lent = lent(retry_if);
                quote_spanned!(mixed()=> #p::retry_if(&__out, #judge, #lent))
            }
        }
    }

    /// The outcome is judged and settled; what is found to be a success at once is returned at once.
    // Output: match p::Call::succeeds(&mut __call, …, &__out) { None => return __out, Some(__judge) => { SETTLED } }
    pub(crate) fn judged(&self, succeeds: &str, settled: &TokenStream, may_succeed: bool) -> TokenStream {
        let (p, kind, judge, succeeds) = (&self.p, self.kind(), self.judge(), Ident::new(succeeds, mixed()));
        if !may_succeed || self.settings.classify.is_some() || self.settings.last_known.is_some() {
            return quote_spanned!(mixed()=> #kind match #judge { __judge => { #settled } });
        }
        quote_spanned!(mixed()=> #kind match #p::Call::#succeeds(&mut __call, #judge, &__out) {
            #p::None => return __out,
            #p::Some(__judge) => { #settled }
        })
    }

    /// What a failure is handed over with, told of at the return type where that cannot fail.
    pub(crate) fn found_judge(&self) -> Ident {
        Ident::new("__judge", self.at_type())
    }

    /// Where values that are no `Result` are welcome, finds out whether this one is.
    pub(crate) fn kind(&self) -> TokenStream {
        let p = &self.p;
        if !self.asks_for_kind() {
            return TokenStream::new();
        }
        quote_spanned!(mixed()=> let __kind = (&#p::Kind::of(&__out)).resilient_kind();)
    }

    fn asks_for_kind(&self) -> bool {
        self.is_plain_welcome && (self.settings.has("fallback") || self.settings.classify.is_none())
    }

    /// The traits that the compiler chooses between; they have no names, so that they can meet none in the body.
    pub(crate) fn judges(&self) -> Option<TokenStream> {
        let is_judged = self.settings.classify.is_none() && self.settings.needs_verdict();
        (is_judged || self.asks_for_kind()).then(|| {
            let root = self.settings.root();
            quote_spanned!(mixed()=> use #root::judging::*;)
        })
    }

    /// The end of the call, with the outcome that it has.
    pub(crate) fn leave(&self) -> TokenStream {
        let (p, place) = (&self.p, self.at_type());
        if self.settings.fallback.is_none() {
            let leave = self.is_retried().then(|| quote_spanned!(mixed()=> return));
            let outcome = if self.settings.last_known.is_some() { self.known() } else { quote_spanned!(mixed()=> __out) };
            return quote_spanned!(mixed()=> #leave #outcome);
        }
        let leave = self.is_retried().then(|| quote_spanned!(mixed()=> break '__call));
        let (split, value) = if self.is_plain_welcome {
            (quote_spanned!(mixed()=> __kind.split(__out)), quote_spanned!(mixed()=> __value))
        } else {
            (quote_spanned!(place=> #p::split(__out)), quote_spanned!(mixed()=> #p::Ok(__value)))
        };
        quote_spanned!(mixed()=> match #split {
            #p::Ok(__value) => return #value,
            #p::Err(__error) => #leave #p::Failure::Error(__error),
        })
    }
}

/// What the user gave, told of where it stands.
fn lent(given: &Expr) -> TokenStream {
    quote_spanned!(mixed().located_at(given.span())=> &mut #given)
}
