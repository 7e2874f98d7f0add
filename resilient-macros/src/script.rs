//! With the feature `testing`: what a script gives instead of running the body.

use proc_macro2::TokenStream;
use quote::quote_spanned;

use crate::guard::{Guard, mixed};
use crate::types::may_be_scripted;

impl Guard<'_> {
    pub(crate) fn is_scriptable(&self) -> bool {
        cfg!(feature = "testing") && may_be_scripted(&self.returns.ty)
    }

    /// Asks, in a refusal's place, whether a script is why the body did not run. The block with the traits must hold no code of the
    /// user's.
    // Output: match p::Call::script(&mut __call) { Some(__ticket) => …, None => OTHERWISE }
    pub(crate) fn scripted(&self, otherwise: &TokenStream) -> Option<TokenStream> {
        let (p, ty) = (&self.p, &self.returns.ty);
        self.is_scriptable().then(|| {
            quote_spanned!(mixed()=> match #p::Call::script(&mut __call) {
                #p::Some(__ticket) => {
                    let __stage = #p::Stage::<#ty>::new();
                    {
                        use #p::scripts::*;
                        let __error = (&&__stage).resilient_play_error(&__ticket);
                        let __value = (&&&__stage).resilient_play_value(&__ticket);
                        #p::played(&__ticket, __error, __value)
                    }
                }
                #p::None => #otherwise,
            })
        })
    }

    pub(crate) fn never_refused(&self) -> TokenStream {
        let p = &self.p;
        quote_spanned!(mixed()=> #p::never_refused())
    }
}
