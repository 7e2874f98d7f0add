//! What becomes of an attempt's outcome: refused, judged, returned, or handed to the fallback.

use proc_macro2::TokenStream;
use quote::quote_spanned;
use syn::Ident;

use crate::guard::{Guard, mixed};

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
            match #p::Call::settle(&mut __call, #p::Judged::timed_out()) {
                #p::ControlFlow::Break(()) => #leave,
                #p::ControlFlow::Continue(__delay) => { #again break '__attempt __delay }
            }
        })
    }

    /// The refusal as the function's own error.
    fn converted(&self) -> TokenStream {
        let (ty, place) = (&self.returns.ty, self.at_type());
        let p = self.settings.private_at(place);
        match &self.settings.map_err {
            None => quote_spanned!(place=> #p::refused::<#ty>(__rejected)),
            Some(map_err) => quote_spanned!(place=> #p::refused_with::<#ty>(__rejected, #map_err)),
        }
    }

    /// A success returns before anything takes its address, or it would be copied through memory.
    // Output: if let p::Ok(__value) = p::parts(&__out) { if p::Call::succeeds(&mut __call, …) { return __out; } } let __out = __out;
    pub(crate) fn succeeded(&self, succeeds: &str) -> Option<TokenStream> {
        let is_by_type = self.settings.classify.is_none() && !self.is_plain_welcome;
        if !is_by_type || self.settings.last_known.is_some() {
            return None;
        }
        let (p, place, succeeds) = (&self.p, self.at_type(), Ident::new(succeeds, mixed()));
        let located = self.settings.private_at(place);
        let parts = quote_spanned!(place=> #located::parts(&__out));
        Some(quote_spanned!(mixed()=>
            if let #p::Ok(__value) = #parts {
                if #p::Call::#succeeds(&mut __call, { use #p::judging::*; (&&#p::Probe(__value)).resilient_judge_value() }) {
                    return __out;
                }
            }
            let __out = __out;
        ))
    }

    pub(crate) fn judged(&self) -> TokenStream {
        let (p, ty, kind) = (&self.p, &self.returns.ty, self.kind());
        let judged = match &self.settings.classify {
            Some(classify) => quote_spanned!(mixed()=> #p::classify(&__out, #classify)),
            None => self.judged_by_type(),
        };
        let retry_if = self.settings.retry_if.as_ref();
        let retry_if =
            retry_if.map(|retry_if| quote_spanned!(mixed()=> let __judged = #p::retry_if::<#ty>(__judged, &__out, #retry_if);));
        quote_spanned!(mixed()=> #kind let __judged = #judged; #retry_if)
    }

    /// The block must hold no code of the user's: the traits that choose the method are in scope there.
    fn judged_by_type(&self) -> TokenStream {
        let (p, place) = (&self.p, self.at_type());
        let parts = if self.is_plain_welcome {
            quote_spanned!(mixed()=> __kind.parts(&__out))
        } else {
            let p = self.settings.private_at(place);
            quote_spanned!(place=> #p::parts(&__out))
        };
        quote_spanned!(mixed()=> {
            use #p::judging::*;
            match #parts {
                #p::Ok(__value) => (&&#p::Probe(__value)).resilient_judge_value(),
                #p::Err(__error) => (&&&&&&&#p::Probe(__error)).resilient_judge_error(),
            }
        })
    }

    /// Where values that are no `Result` are welcome, finds out whether this one is.
    pub(crate) fn kind(&self) -> TokenStream {
        let p = &self.p;
        let is_asked = self.settings.has("fallback") || self.settings.classify.is_none();
        if !self.is_plain_welcome || !is_asked {
            return TokenStream::new();
        }
        quote_spanned!(mixed()=> let __kind = { use #p::judging::*; (&#p::Kind::of(&__out)).resilient_kind() };)
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
