//! What the caller gets when everything else has failed.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote_spanned};
use syn::{Expr, ExprClosure};

use crate::guard::mixed;
use crate::mentions::Mentions;
use crate::value::bare;

pub(crate) struct Fallback(Expr);

impl Fallback {
    pub(crate) fn new(given: Expr) -> Self {
        Self(given)
    }

    pub(crate) fn closure(&self) -> Option<&ExprClosure> {
        match bare(&self.0) {
            Expr::Closure(closure) => Some(closure),
            _ => None,
        }
    }

    pub(crate) fn mentions(&self) -> Mentions {
        Mentions::of(self.0.to_token_stream())
    }

    /// A closure's body stands in the function itself, so that it may move parameters, `.await` and `?`.
    // Input:  |failure| last_known_price(item, failure)
    // Output: let failure = __failure; (last_known_price(item, failure))
    pub(crate) fn splice(&self) -> TokenStream {
        let given = &self.0;
        let site = mixed();
        let Some(closure) = self.closure() else {
            return match bare(given) {
                Expr::Path(path) => quote_spanned!(site=> #path(__failure)),
                other => quote_spanned!(site=> (#other)(__failure)),
            };
        };
        let (failure, body) = (closure.inputs.first(), &closure.body);
        quote_spanned!(site=> let #failure = __failure; (#body))
    }
}
