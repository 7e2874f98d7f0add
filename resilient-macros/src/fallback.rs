//! What the caller gets when everything else has failed.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, ExprClosure, Ident, Pat};

use crate::guard::mixed;
use crate::mentions::Mentions;
use crate::value::bare;

pub(crate) struct Fallback(Expr);

impl Fallback {
    pub(crate) fn new(given: Expr) -> Self {
        Self(given)
    }

    pub(crate) fn given(&self) -> &Expr {
        &self.0
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
    // Output: let failure = p::identity(__failure); (last_known_price(item, failure))
    pub(crate) fn splice(&self, p: &Ident) -> TokenStream {
        let place = mixed().located_at(self.0.span());
        let Some(closure) = self.closure() else {
            return match bare(&self.0) {
                Expr::Path(path) => quote_spanned!(place=> #path(__failure)),
                other => quote_spanned!(place=> (#other)(__failure)),
            };
        };
        let (failure, body) = (closure.inputs.first(), &closure.body);
        let result = quote_spanned!(mixed().located_at(body.span())=> (#body));
        match failure {
            Some(Pat::Wild(_)) => quote_spanned!(mixed()=> #p::ignored(__failure); #result),
            failure => quote_spanned!(mixed()=> let #failure = #p::identity(__failure); #result),
        }
    }
}
