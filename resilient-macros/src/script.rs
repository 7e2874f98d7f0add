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
    // Output: match p::Call::script(&mut __call, |__ticket| …) { Some(__out) => __out, None => OTHERWISE }
    pub(crate) fn scripted(&self, otherwise: &TokenStream) -> Option<TokenStream> {
        self.is_scriptable().then(|| {
            let (p, root, ty, end) = (&self.p, self.settings.root(), &self.returns.ty, self.end_of_script());
            quote_spanned!(mixed()=> match #p::Call::script(&mut __call, |__ticket| {
                let __stage = #p::Stage::<#ty>::new();
                {
                    use #root::scripts::*;
                    let __error = (&&__stage).resilient_play_error(__ticket);
                    let __value = (&&&__stage).resilient_play_value(__ticket);
                    #p::played(__ticket, __error, __value)
                }
            }) {
                #p::Some(__out) => #end,
                #p::None => #otherwise,
            })
        })
    }

    /// An attempt that may be repeated is settled here once more: joined with the body's, a script's outcome would cost every call
    /// the instructions that tell them apart.
    fn end_of_script(&self) -> TokenStream {
        if !self.is_retried() {
            return quote_spanned!(mixed()=> __out);
        }
        let settled = self.settled(false);
        quote_spanned!(mixed()=> {
            #settled
            continue;
        })
    }

    pub(crate) fn never_refused(&self) -> TokenStream {
        let p = &self.p;
        quote_spanned!(mixed()=> #p::never_refused())
    }
}
