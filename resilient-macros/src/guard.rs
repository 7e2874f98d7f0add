//! The code that stands in the body's place: a plan, a call, and the attempts.

use proc_macro2::{Group, Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::Ident;
use syn::ext::IdentExt;

use crate::body::Returns;
use crate::fallback::Fallback;
use crate::parameters::Passing;
use crate::settings::{Settings, alias_at};
use crate::tokens::{says, source_text};
use crate::value::Given;

/// Everything that the emitted code depends on.
pub(crate) struct Guard<'a> {
    pub(crate) p: Ident,
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
        let (p, root, typed, site, plan) = (&self.p, self.settings.root(), &self.settings.typed, self.site(), self.plan());
        let (judges, keep, spares, call) = (self.judges(), self.keep(), &self.passing.spares, self.call());
        let guarded = match &self.settings.fallback {
            None => call,
            Some(fallback) => self.with_fallback(&call, fallback),
        };
        quote_spanned!(mixed()=> use #root as #p; #judges #root::__ide! { #(#typed)* } #site #plan #keep #spares #guarded)
    }

    // Output: let __failure = '__call: { … break '__call p::Failure::Error(__error) … }; FALLBACK
    fn with_fallback(&self, call: &TokenStream, fallback: &Fallback) -> TokenStream {
        let can_leave_early = self.is_retried() || self.settings.can_refuse();
        let label = can_leave_early.then(|| quote_spanned!(mixed()=> '__call:));
        let (given_back, fallback) = (&self.passing.given_back, fallback.splice(&self.p));
        quote_spanned!(mixed()=> let __failure = #label { #call }; #given_back #fallback)
    }

    // Output: static __SITE: p::Site = p::Site::new("module::load", file!(), line!(), |__site| __site.retries(3));
    //         p::submit! { p::Entry(&__SITE) }
    fn site(&self) -> TokenStream {
        let (p, root, name) = (&self.p, self.settings.root(), self.name.unraw().to_string());
        let own_name = quote_spanned!(mixed()=> #root::concat!(#root::module_path!(), "::", #name));
        let name = self.settings.name.as_ref().map_or(own_name, |name| name.given().to_token_stream());
        let declared = self.declared();
        let (constant, declare) = if self.settings.is_known_to_be_right() {
            (None, quote_spanned!(mixed()=> |__site| __site #declared))
        } else {
            let constant = quote_spanned!(mixed()=> const __DECLARED: #p::Declared = #p::Declared::NOTHING #declared;);
            (Some(constant), quote_spanned!(mixed()=> |_| __DECLARED))
        };
        quote_spanned!(mixed()=>
            #constant
            static __SITE: #p::Site = #p::Site::new(#name, #root::file!(), #root::line!(), #declare);
            #root::submit! { #p::Entry(&__SITE) }
        )
    }

    // Output: .retries(3).breaker_named("payments")
    fn declared(&self) -> TokenStream {
        let p = &self.p;
        let per_call = self.settings.per_call().filter(|setting| setting.is_literal());
        let scriptable = self.is_scriptable().then(|| quote_spanned!(mixed()=> .scriptable()));
        let calls = per_call.chain(self.settings.shared()).map(|setting| setting.call(p));
        let expressions = self.expressions();
        let calls = calls.chain(self.settings.breaker.as_ref().and_then(|breaker| breaker.call(p))).chain(self.site_keys());
        quote_spanned!(mixed()=> #expressions #scriptable #(.#calls)*)
    }

    /// What cannot be a value in a static, as its source text for the catalogue.
    // Output: .expressions(&[("timeout", "self.timeout")])
    fn expressions(&self) -> Option<TokenStream> {
        let (keys, texts): (Vec<_>, Vec<_>) = self.settings.expressions().map(|(key, given)| (key, source_text(&given))).unzip();
        (!keys.is_empty()).then(|| quote_spanned!(mixed()=> .expressions(&[#((#keys, #texts)),*])))
    }

    // Output: let __plan = p::Site::plan(&__SITE); let __tuned = p::Plan::with_timeout(*__plan, self.timeout); …
    fn plan(&self) -> TokenStream {
        let p = &self.p;
        let worked_out = self.settings.per_call().filter(|setting| !setting.is_literal());
        let sets: Vec<_> = worked_out.map(|setting| (setting.plan_setter(), setting.given())).collect();
        let plan = quote_spanned!(mixed()=> let __plan = #p::Site::plan(&__SITE););
        let keyed = self.keyed();
        if sets.is_empty() && !self.settings.has_keyed() {
            return quote_spanned!(mixed()=> #plan #keyed);
        }
        let base = if self.settings.has_keyed() {
            quote_spanned!(mixed()=> #p::Keyed::plan(&__keyed, __plan))
        } else {
            quote_spanned!(mixed()=> *__plan)
        };
        let tuned = sets.iter().fold(base, |plan, (setter, given)| quote_spanned!(mixed()=> #p::Plan::#setter(#plan, #given)));
        quote_spanned!(mixed()=> #plan #keyed let __tuned = #tuned; let __plan = &__tuned;)
    }

    fn call(&self) -> TokenStream {
        let p = &self.p;
        let (context, run) = (self.context(), if self.is_retried() { self.repeated() } else { self.once() });
        let new = Ident::new(if self.is_retried() { "new" } else { "once" }, mixed());
        quote_spanned!(mixed()=> let mut __engine = #p::no_engine(); let mut __call = #p::Call::#new(__plan, &mut __engine); #context #run)
    }

    fn repeated(&self) -> TokenStream {
        let (p, attempt, settled) = (&self.p, self.attempt(), self.settled(true));
        let last = (!self.settings.clone.is_empty()).then(|| quote_spanned!(mixed()=> let __last = #p::Call::is_last(&__call);));
        quote_spanned!(mixed()=> loop { #last let __out = #attempt; #settled })
    }

    /// The end of an attempt that may be repeated.
    // Output: if let p::Some(__out) = p::Call::settle(&mut __call, __judge, __out) { return __out; }
    pub(crate) fn settled(&self, may_succeed: bool) -> TokenStream {
        let (p, judge, leave) = (&self.p, self.found_judge(), self.leave());
        let again = self.context_again(&self.kept_error());
        let settled = if again.is_none() && self.settings.last_known.is_none() {
            quote_spanned!(mixed()=> if let #p::Some(__out) = #p::Call::settle(&mut __call, #judge, __out) { #leave; })
        } else {
            let good = self.settings.last_known.is_some().then(|| quote_spanned!(mixed()=> __good));
            let good = good.unwrap_or_else(|| quote_spanned!(mixed()=> _));
            quote_spanned!(mixed()=> match #p::Call::settle_knowing(&mut __call, #judge, __out) {
                #p::Break((__out, #good)) => #leave,
                #p::Continue(__out) => { #again }
            })
        };
        self.judged("succeeds", &settled, may_succeed)
    }

    fn once(&self) -> TokenStream {
        let (p, attempt, is_judged, leave) = (&self.p, self.attempt(), self.settings.needs_verdict(), self.leave());
        let is_left_so = self.settings.fallback.is_none() && self.settings.last_known.is_none();
        if is_judged {
            let judge = self.found_judge();
            let settled = if self.settings.last_known.is_some() {
                quote_spanned!(mixed()=> let (__out, __good) = #p::Call::settle_once_knowing(&mut __call, #judge, __out); #leave)
            } else if is_left_so {
                quote_spanned!(mixed()=> #p::Call::settle_once(&mut __call, #judge, __out))
            } else {
                quote_spanned!(mixed()=> let __out = #p::Call::settle_once(&mut __call, #judge, __out); #leave)
            };
            let judged = self.judged("succeeds_once", &settled, true);
            return quote_spanned!(mixed()=> let __out = #attempt; #judged);
        }
        if is_left_so {
            return attempt;
        }
        let kind = self.kind();
        quote_spanned!(mixed()=> let __out = #attempt; #kind #leave)
    }

    // Output: let mut __context = p::context(&mut __call);
    fn context(&self) -> Option<TokenStream> {
        let (p, ty, place) = (&self.p, &self.returns.ty, self.at_type());
        self.settings.context.as_ref()?;
        let mutability = self.is_retried().then(|| quote_spanned!(mixed()=> mut));
        let context = if self.keeps_error() {
            let p = alias_at(place);
            quote_spanned!(place=> #p::context_of::<#ty>(&mut __call))
        } else {
            quote_spanned!(mixed()=> #p::context(&mut __call))
        };
        Some(quote_spanned!(mixed()=> let #mutability __context = #context;))
    }

    /// Tells the context of the next attempt.
    pub(crate) fn context_again(&self, previous_error: &TokenStream) -> Option<TokenStream> {
        let p = &self.p;
        self.settings.context.as_ref()?;
        Some(quote_spanned!(mixed()=> #p::Context::again(&mut __context, #previous_error);))
    }

    fn kept_error(&self) -> TokenStream {
        let (p, ty) = (&self.p, &self.returns.ty);
        if self.keeps_error() {
            return quote_spanned!(mixed()=> #p::error_of::<#ty>(__out));
        }
        quote_spanned!(mixed()=> #p::None)
    }

    /// An error that is held while the call waits costs its future the `Send` that the error has not, so only who asks for it pays.
    fn keeps_error(&self) -> bool {
        self.settings.context.is_some() && says(self.block.stream(), "previous_error")
    }

    /// One run of the body, as the value that the function would have returned.
    fn attempt(&self) -> TokenStream {
        let p = &self.p;
        if self.is_async {
            return self.attempt_async();
        }
        let body = self.closure();
        let run = quote_spanned!(mixed()=> #p::Call::body(&mut __call, #body));
        if !self.settings.can_refuse() {
            if let Some(scripted) = self.scripted(&self.never_refused()) {
                return quote_spanned!(mixed()=> match #p::Call::turn_admitted_blocking(&mut __call) {
                    #p::Ok(()) => #run,
                    #p::Err(_) => #scripted,
                });
            }
            return quote_spanned!(mixed()=> { #p::Call::turn_unrefused_blocking(&mut __call); #run });
        }
        let refused = self.refused();
        let refused = quote_spanned!(mixed()=> { let __rejected = #p::Call::told(&__call, __refused); #refused });
        let refused = self.scripted(&refused).unwrap_or(refused);
        quote_spanned!(mixed()=> match #p::Call::turn_blocking(&mut __call) {
            #p::Ok(()) => #run,
            #p::Err(__refused) => #refused,
        })
    }

    fn attempt_async(&self) -> TokenStream {
        let p = &self.p;
        if self.settings.can_refuse() {
            let (attempt, refused) = (self.awaited("attempt"), self.refused());
            let refused = self.scripted(&refused).unwrap_or(refused);
            return quote_spanned!(mixed()=> match #attempt {
                #p::Ok(__out) => __out,
                #p::Err(__rejected) => #refused,
            });
        }
        let Some(scripted) = self.scripted(&self.never_refused()) else { return self.awaited("attempt_unrefused") };
        let attempt = self.awaited("attempt_admitted");
        quote_spanned!(mixed()=> match #attempt {
            #p::Ok(__out) => __out,
            #p::Err(_) => #scripted,
        })
    }

    // Output: p::Call::attempt(&mut __call, async { … }).await
    fn awaited(&self, attempt: &str) -> TokenStream {
        let (p, attempt, body) = (&self.p, Ident::new(attempt, mixed()), self.future());
        quote_spanned!(mixed()=> #p::Call::#attempt(&mut __call, #body).await)
    }

    // Output: async { if false { let _ = &mut order; } if let Some(__ret) = None::<Ret> { return __ret; } (BODY) }
    fn future(&self) -> TokenStream {
        let (p, ty, block, place) = (&self.p, &self.returns.ty, self.block, self.at_name());
        let (capture, start) = (self.capture(), self.start());
        let moved = &self.passing.moved;
        let first = quote_spanned!(mixed()=> if let #p::Some(__ret) = #p::None::<#ty> { #moved return __ret; });
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
        let context = self.settings.context.as_ref().map(|name| quote_spanned!(mixed()=> let #name = &__context;));
        let lend = (!lent.is_empty()).then(|| quote_spanned!(mixed()=> if false { #lent }));
        quote_spanned!(mixed()=> #lend #copies #context)
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
