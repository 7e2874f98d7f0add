//! The code that stands in the body's place: a plan, a call, and the attempts.

use proc_macro2::{Group, Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::Ident;
use syn::ext::IdentExt;

use crate::body::Returns;
use crate::fallback::Fallback;
use crate::parameters::Passing;
use crate::settings::Settings;
use crate::value::Given;

/// Everything that the emitted code depends on.
pub(crate) struct Guard<'a> {
    pub(crate) p: TokenStream,
    pub(crate) settings: &'a Settings,
    pub(crate) name: &'a Ident,
    pub(crate) is_async: bool,
    pub(crate) is_plain_welcome: bool,
    pub(crate) returns: &'a Returns,
    pub(crate) block: &'a Group,
    pub(crate) passing: Passing,
}

impl Guard<'_> {
    pub(crate) fn code(&self) -> TokenStream {
        let (p, typed, site, plan) = (&self.p, &self.settings.typed, self.site(), self.plan());
        let (spares, call) = (&self.passing.spares, self.call());
        let guarded = match &self.settings.fallback {
            None => call,
            Some(fallback) => self.with_fallback(&call, fallback),
        };
        quote_spanned!(mixed()=> #p::__ide! { #(#typed)* } #site #plan #spares #guarded)
    }

    // Output: let __failure = '__call: { … break '__call p::Failure::Error(__error) … }; FALLBACK
    fn with_fallback(&self, call: &TokenStream, fallback: &Fallback) -> TokenStream {
        let can_leave_early = self.is_retried() || self.settings.can_refuse();
        let label = can_leave_early.then(|| quote_spanned!(mixed()=> '__call:));
        let (given_back, fallback) = (&self.passing.given_back, fallback.splice(&self.p));
        quote_spanned!(mixed()=> let __failure = #label { #call }; #given_back #fallback)
    }

    // Output: static __SITE: p::Site = p::Site::new("module::load", file!(), line!()).retries(3);
    fn site(&self) -> TokenStream {
        let (p, name) = (&self.p, self.name.unraw().to_string());
        let own_name = quote_spanned!(mixed()=> #p::concat!(#p::module_path!(), "::", #name));
        let name = self.settings.name.as_ref().map_or(own_name, |name| name.given().to_token_stream());
        let per_call = self.settings.per_call().filter(|setting| setting.is_literal());
        let calls = per_call.chain(self.settings.shared()).map(|setting| setting.call(p));
        let calls = calls.chain(self.settings.breaker.as_ref().and_then(|breaker| breaker.call(p))).chain(self.site_keys());
        quote_spanned!(mixed()=>
            static __SITE: #p::Site = #p::Site::new(#name, #p::file!(), #p::line!()) #(.#calls)*;
        )
    }

    // Output: let __plan = p::Site::plan(&__SITE); let __tuned = p::Plan::with_timeout(*__plan, self.timeout); …
    fn plan(&self) -> TokenStream {
        let p = &self.p;
        let worked_out = self.settings.per_call().filter(|setting| !setting.is_literal());
        let sets: Vec<_> = worked_out.map(|setting| (setting.plan_setter(), setting.given())).collect();
        let plan = quote_spanned!(mixed()=> let __plan = #p::Site::plan(&__SITE););
        let keyed = self.keyed();
        if sets.is_empty() && keyed.is_none() {
            return plan;
        }
        let base = if keyed.is_some() {
            quote_spanned!(mixed()=> #p::Keyed::plan(&__keyed, __plan))
        } else {
            quote_spanned!(mixed()=> *__plan)
        };
        let tuned = sets.iter().fold(base, |plan, (setter, given)| quote_spanned!(mixed()=> #p::Plan::#setter(#plan, #given)));
        quote_spanned!(mixed()=> #plan #keyed let __tuned = #tuned; let __plan = &__tuned;)
    }

    fn call(&self) -> TokenStream {
        let p = &self.p;
        let run = if self.is_retried() { self.repeated() } else { self.once() };
        quote_spanned!(mixed()=> let mut __call = #p::Call::enter(__plan); #run)
    }

    fn repeated(&self) -> TokenStream {
        let (p, attempt, judged, leave) = (&self.p, self.attempt(), self.judged(), self.leave());
        let last = (!self.settings.clone.is_empty()).then(|| quote_spanned!(mixed()=> let __last = #p::Call::is_last(&__call);));
        let rest = quote_spanned!(mixed()=>
            let __out = #attempt;
            #judged
            match #p::Call::settle(&mut __call, __judged) {
                #p::ControlFlow::Break(()) => #leave,
                #p::ControlFlow::Continue(__delay) => __delay,
            }
        );
        let attempt = if self.may_wait_after_refusal() {
            quote_spanned!(mixed()=> '__attempt: { #rest })
        } else {
            quote_spanned!(mixed()=> { #rest })
        };
        let wait = self.wait();
        quote_spanned!(mixed()=> loop { #last let __delay = #attempt; #wait; })
    }

    fn once(&self) -> TokenStream {
        let (p, attempt, is_judged) = (&self.p, self.attempt(), self.settings.needs_verdict());
        let leave = self.leave();
        if is_judged {
            let judged = self.judged();
            return quote_spanned!(mixed()=>
                let __out = #attempt;
                #judged
                #p::Call::settle_once(&mut __call, __judged);
                #leave
            );
        }
        if self.settings.fallback.is_none() {
            return attempt;
        }
        let kind = self.kind();
        quote_spanned!(mixed()=> let __out = #attempt; #kind #leave)
    }

    /// One run of the body, as the value that the function would have returned.
    fn attempt(&self) -> TokenStream {
        let p = &self.p;
        if self.is_async {
            return self.attempt_async();
        }
        let body = self.closure();
        let run = quote_spanned!(mixed()=> #p::Call::run(&mut __call, #body));
        if !self.settings.can_refuse() {
            return quote_spanned!(mixed()=> { #p::Call::turn_unrefused_blocking(&mut __call); #run });
        }
        let refused = self.refused();
        quote_spanned!(mixed()=> match #p::Call::turn_blocking(&mut __call) {
            #p::Ok(()) => #run,
            #p::Err(__rejected) => #refused,
        })
    }

    fn attempt_async(&self) -> TokenStream {
        let (p, body) = (&self.p, self.future());
        if !self.settings.can_refuse() {
            return quote_spanned!(mixed()=> #p::Call::attempt_unrefused(&mut __call, #body).await);
        }
        let refused = self.refused();
        quote_spanned!(mixed()=> match #p::Call::attempt(&mut __call, #body).await {
            #p::Ok(__out) => __out,
            #p::Err(__rejected) => #refused,
        })
    }

    // Output: async { if false { let _ = &mut order; } if let Some(__ret) = None::<Ret> { return __ret; } (BODY) }
    fn future(&self) -> TokenStream {
        let (p, ty, block, place) = (&self.p, &self.returns.ty, self.block, self.at_name());
        let (capture, start) = (self.capture(), self.start());
        let first = quote_spanned!(mixed()=> if let #p::Some(__ret) = #p::None::<#ty> { return __ret; });
        quote_spanned!(place=> async #capture { #first #start (#block) })
    }

    // Output: || -> Ret BODY
    fn closure(&self) -> TokenStream {
        let (ty, block, place) = (&self.returns.ty, self.block, self.at_name());
        let (capture, start) = (self.capture(), self.start());
        let output = self.returns.is_written.then(|| quote_spanned!(place=> -> #ty));
        if start.is_empty() && self.returns.is_written {
            return quote_spanned!(place=> #capture || #output #block);
        }
        quote_spanned!(place=> #capture || #output { #start (#block) })
    }

    fn capture(&self) -> Option<TokenStream> {
        (!self.passing.is_kept).then(|| quote_spanned!(self.at_name()=> move))
    }

    /// What an attempt does with its arguments before the body.
    fn start(&self) -> TokenStream {
        let Passing { lent, copies, .. } = &self.passing;
        let lend = (!lent.is_empty()).then(|| quote_spanned!(mixed()=> if false { #lent }));
        quote_spanned!(mixed()=> #lend #copies)
    }

    fn wait(&self) -> TokenStream {
        let p = &self.p;
        if self.is_async {
            return quote_spanned!(mixed()=> #p::Call::wait(&mut __call, __delay).await);
        }
        quote_spanned!(mixed()=> #p::Call::wait_blocking(&mut __call, __delay))
    }

    pub(crate) fn is_retried(&self) -> bool {
        self.settings.retries.is_some()
    }

    /// Whether an attempt may time out on the way to a fallback, and be tried again.
    pub(crate) fn may_wait_after_refusal(&self) -> bool {
        self.is_retried() && self.settings.fallback.is_some() && self.settings.has("timeout")
    }

    fn at_name(&self) -> Span {
        mixed().located_at(self.name.span())
    }

    pub(crate) fn at_type(&self) -> Span {
        mixed().located_at(self.returns.span)
    }
}

/// Ours, invisible to the body; reported at the attribute.
pub(crate) fn mixed() -> Span {
    Span::mixed_site()
}
