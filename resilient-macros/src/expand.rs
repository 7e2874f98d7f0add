//! The one shape that is emitted.

use proc_macro2::{Group, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::Ident;
use syn::ext::IdentExt;

use crate::body::{Body, Returns};
use crate::function::Function;
use crate::mistakes::Mistakes;
use crate::parameters::{Passing, pass};
use crate::settings::Settings;
use crate::validate::validate;
use crate::value::Given;

pub(crate) fn resilient(attribute: TokenStream, item: TokenStream) -> TokenStream {
    let mut mistakes = Mistakes::default();
    let function = mistakes.keep(Function::parse(item.clone()));
    let body = function.as_ref().and_then(|function| mistakes.keep(Body::find(function)));
    let receiver = body.as_ref().and_then(Body::receiver);
    let settings = Settings::parse(rename_self(attribute, receiver), &mut mistakes);
    if let Some(function) = &function {
        let bindings = body.as_ref().map_or_else(|| function.bindings(), |body| body.bindings(function));
        validate(&settings, function, &bindings, &mut mistakes);
    }
    match (function, body) {
        (Some(function), Some(body)) if mistakes.is_empty() => expand(function, body, &settings),
        _ => {
            let item = unchanged(item, &settings);
            quote!(#mistakes #item)
        }
    }
}

// Input:
//     #[resilient(retries = 3, timeout = "1s")]
//     async fn load(url: &str, mut buffer: Vec<u8>) -> Result<u32, E> BODY
//
// Output:
//     async fn load(url: &str, mut buffer: Vec<u8>) -> Result<u32, E> {
//         p::__ide! { retries timeout }
//         static __SITE: p::Site = p::Site::new("module::load", file!(), line!()).retries(3).timeout(…);
//         let __plan = p::Site::plan(&__SITE);
//         let mut __call = p::Call::enter(__plan);
//         loop {
//             let __delay = {
//                 let __out = match p::Call::attempt(&mut __call, async {
//                     if false { let _ = &mut buffer; }
//                     if let Some(__ret) = None::<Result<u32, E>> { return __ret; }
//                     let mut buffer = p::Fresh::fresh(&buffer);
//                     (BODY)
//                 }).await {
//                     Ok(__out) => __out,
//                     Err(__rejected) => … p::refused::<Result<u32, E>>(__rejected) …,
//                 };
//                 let __judged = …;
//                 match p::Call::settle(&mut __call, __judged) {
//                     Break(()) => return __out,
//                     Continue(__delay) => __delay,
//                 }
//             };
//             p::Call::wait(&mut __call, __delay).await;
//         }
//     }
fn expand(mut function: Function, mut body: Body, settings: &Settings) -> TokenStream {
    let is_async = function.is_async();
    let passing = pass(&mut function.signature, &mut body, settings, is_async);
    let inner = hoist_inner_attributes(&mut body.block);
    let guard = Guard {
        p: settings.private(),
        settings,
        name: &function.signature.ident,
        is_async,
        is_plain_welcome: settings.welcomes_plain_values(),
        returns: &body.returns,
        block: &body.block,
        passing,
    };
    let block = body.wrap(guard.code());
    let Function { attributes, visibility, signature, .. } = &function;
    quote!(#(#attributes)* #inner #visibility #signature #block)
}

/// The function as it was, but for the words that editors complete.
fn unchanged(item: TokenStream, settings: &Settings) -> TokenStream {
    let mut tokens: Vec<_> = item.into_iter().collect();
    let Some(TokenTree::Group(body)) = tokens.pop_if(|token| matches!(token, TokenTree::Group(_))) else {
        return tokens.into_iter().collect();
    };
    let (p, typed) = (settings.private(), &settings.typed);
    let is_function = tokens.iter().any(|token| matches!(token, TokenTree::Ident(word) if word == "fn"));
    let words = (is_function && !settings.has("crate")).then(|| quote_spanned!(mixed()=> #p::__ide! { #(#typed)* }));
    let (inner, code) = split_inner_attributes(body.stream());
    let mut with_words = Group::new(body.delimiter(), quote!(#inner #words #code));
    with_words.set_span(body.span());
    tokens.push(TokenTree::Group(with_words));
    tokens.into_iter().collect()
}

/// Everything that the emitted code depends on.
struct Guard<'a> {
    p: TokenStream,
    settings: &'a Settings,
    name: &'a Ident,
    is_async: bool,
    is_plain_welcome: bool,
    returns: &'a Returns,
    block: &'a Group,
    passing: Passing,
}

impl Guard<'_> {
    fn code(&self) -> TokenStream {
        let (p, typed, site, plan) = (&self.p, &self.settings.typed, self.site(), self.plan());
        let Passing { spares, given_back, .. } = &self.passing;
        let call = self.call();
        let guarded = match &self.settings.fallback {
            None => call,
            Some(fallback) => {
                let (label, fallback) = (self.can_leave_early().then(|| quote_spanned!(mixed()=> '__call:)), fallback.splice());
                quote_spanned!(mixed()=> let __failure = #label { #call }; #given_back #fallback)
            }
        };
        quote_spanned!(mixed()=> #p::__ide! { #(#typed)* } #site #plan #spares #guarded)
    }

    // Output: static __SITE: p::Site = p::Site::new("module::load", file!(), line!()).retries(3);
    fn site(&self) -> TokenStream {
        let (p, name) = (&self.p, self.name.unraw().to_string());
        let own_name = quote_spanned!(mixed()=> #p::concat!(#p::module_path!(), "::", #name));
        let name = self.settings.name.as_ref().map_or(own_name, |name| name.given().to_token_stream());
        let per_call = self.settings.per_call().filter(|setting| setting.is_literal());
        let calls = per_call.chain(self.settings.shared()).map(|setting| setting.call(p));
        let breaker = self.settings.breaker.as_ref().and_then(|breaker| breaker.call(p));
        let calls = calls.chain(breaker);
        quote_spanned!(mixed()=>
            static __SITE: #p::Site = #p::Site::new(#name, #p::file!(), #p::line!()) #(.#calls)*;
        )
    }

    // Output: let __plan = &p::Plan::with_timeout(*p::Site::plan(&__SITE), self.timeout);
    fn plan(&self) -> TokenStream {
        let p = &self.p;
        let worked_out = self.settings.per_call().filter(|setting| !setting.is_literal());
        let sets: Vec<_> = worked_out.map(|setting| (setting.plan_setter(), setting.given())).collect();
        let plan = quote_spanned!(mixed()=> let __plan = #p::Site::plan(&__SITE););
        if sets.is_empty() {
            return plan;
        }
        let tuned = sets.iter().fold(
            quote_spanned!(mixed()=> *__plan),
            |plan, (setter, given)| quote_spanned!(mixed()=> #p::Plan::#setter(#plan, #given)),
        );
        quote_spanned!(mixed()=> #plan let __tuned = #tuned; let __plan = &__tuned;)
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
        let attempt =
            if self.may_wait_after_refusal() { quote_spanned!(mixed()=> '__attempt: { #rest }) } else { quote!({ #rest }) };
        let wait = self.wait();
        quote_spanned!(mixed()=> loop { #last let __delay = #attempt; #wait; })
    }

    fn once(&self) -> TokenStream {
        let (p, attempt) = (&self.p, self.attempt());
        let is_judged = self.settings.needs_verdict();
        if !is_judged && self.settings.fallback.is_none() {
            return attempt;
        }
        let settle = is_judged.then(|| {
            let judged = self.judged();
            quote_spanned!(mixed()=> #judged #p::Call::settle_once(&mut __call, __judged);)
        });
        let leave = self.leave_once();
        let kind = (!is_judged).then(|| self.kind());
        quote_spanned!(mixed()=> let __out = #attempt; #kind #settle #leave)
    }

    /// One run of the body, as the value that the function would have returned.
    fn attempt(&self) -> TokenStream {
        let (p, body) = (&self.p, if self.is_async { self.future() } else { self.closure() });
        let method = match (self.settings.can_refuse(), self.is_async) {
            (true, true) => "attempt",
            (true, false) => "attempt_blocking",
            (false, true) => "attempt_unrefused",
            (false, false) => "attempt_unrefused_blocking",
        };
        let (method, wait) = (Ident::new(method, mixed()), self.dot_await());
        let attempt = quote_spanned!(mixed()=> #p::Call::#method(&mut __call, #body)#wait);
        if !self.settings.can_refuse() {
            return attempt;
        }
        let refused = self.refused();
        quote_spanned!(mixed()=> match #attempt {
            #p::Ok(__out) => __out,
            #p::Err(__rejected) => #refused,
        })
    }

    // Output: async { if false { let _ = &mut order; } if let Some(__ret) = None::<Ret> { return __ret; } (BODY) }
    fn future(&self) -> TokenStream {
        let (p, ty, block) = (&self.p, &self.returns.ty, self.block);
        let Passing { lent, copies, .. } = &self.passing;
        let place = self.at_name();
        let lend = (!lent.is_empty()).then(|| quote_spanned!(mixed()=> if false { #lent }));
        let capture = (!self.is_kept()).then(|| quote_spanned!(place=> move));
        let first = quote_spanned!(mixed()=> #lend if let #p::Some(__ret) = #p::None::<#ty> { return __ret; });
        quote_spanned!(place=> async #capture { #first #copies (#block) })
    }

    // Output: || -> Ret BODY
    fn closure(&self) -> TokenStream {
        let (ty, block, copies) = (&self.returns.ty, self.block, &self.passing.copies);
        let place = self.at_name();
        let output = self.returns.is_written.then(|| quote_spanned!(place=> -> #ty));
        let capture = (!self.is_kept()).then(|| quote_spanned!(place=> move));
        if copies.is_empty() && self.returns.is_written {
            return quote_spanned!(place=> #capture || #output #block);
        }
        quote_spanned!(place=> #capture || #output { #copies (#block) })
    }

    /// What happens when a policy refuses: mostly, the function returns.
    fn refused(&self) -> TokenStream {
        let (p, failure) = (&self.p, quote_spanned!(mixed()=> break '__call));
        let rejected = {
            let p = &self.p;
            quote_spanned!(mixed()=> #p::Failure::Rejected(__rejected))
        };
        if self.settings.fallback.is_some() && !self.may_wait_after_refusal() {
            return quote_spanned!(mixed()=> #failure #rejected);
        }
        if self.settings.fallback.is_some() {
            return quote_spanned!(mixed()=> {
                if #p::Call::is_over(&__call) {
                    #failure #rejected;
                }
                match #p::Call::settle(&mut __call, #p::Judged::timed_out()) {
                    #p::ControlFlow::Break(()) => #failure #rejected,
                    #p::ControlFlow::Continue(__delay) => break '__attempt __delay,
                }
            });
        }
        let converted = self.converted();
        if !self.is_retried() || !self.settings.has("timeout") {
            return quote_spanned!(mixed()=> return #converted);
        }
        quote_spanned!(mixed()=> {
            let __over = #p::Call::is_over(&__call);
            let __out = #converted;
            if __over {
                return __out;
            }
            __out
        })
    }

    fn converted(&self) -> TokenStream {
        let (p, ty, place) = (&self.p, &self.returns.ty, self.at_type());
        match &self.settings.map_err {
            None => quote_spanned!(place=> #p::refused::<#ty>(__rejected)),
            Some(map_err) => quote_spanned!(place=> #p::refused_with::<#ty, _>(__rejected, #map_err)),
        }
    }

    fn judged(&self) -> TokenStream {
        let (p, ty) = (&self.p, &self.returns.ty);
        let judged = match &self.settings.classify {
            Some(classify) => {
                let kind = self.settings.fallback.as_ref().map(|_| self.kind());
                quote_spanned!(mixed()=> #kind let __judged = #p::classify(&__out, #classify);)
            }
            None => self.judged_by_type(),
        };
        let retry_if = self.settings.retry_if.as_ref().map(|retry_if| {
            let place = self.at_type();
            quote_spanned!(place=> let __judged = #p::retry_if::<#ty, _>(__judged, &__out, #retry_if);)
        });
        quote_spanned!(mixed()=> #judged #retry_if)
    }

    fn judged_by_type(&self) -> TokenStream {
        let (p, ty, place) = (&self.p, &self.returns.ty, self.at_type());
        let parts = if self.is_plain_welcome {
            quote_spanned!(mixed()=> __kind.parts(&__out))
        } else {
            quote_spanned!(place=> <#ty as #p::Outcome>::parts(&__out))
        };
        let kind = self.kind();
        quote_spanned!(mixed()=>
            #kind
            let __judged = {
                use #p::judging::*;
                match #parts {
                    #p::Ok(__value) => (&&#p::Probe(__value)).judge_value(),
                    #p::Err(__error) => (&&&&&&#p::Probe(__error)).judge_error(),
                }
            };
        )
    }

    /// Where values that are no `Result` are welcome, finds out whether this one is.
    fn kind(&self) -> TokenStream {
        let p = &self.p;
        if !self.is_plain_welcome {
            return TokenStream::new();
        }
        quote_spanned!(mixed()=> let __kind = { use #p::judging::*; (&#p::Kind::of(&__out)).kind() };)
    }

    /// The end of a loop that has its outcome.
    fn leave(&self) -> TokenStream {
        let p = &self.p;
        if self.settings.fallback.is_none() {
            return quote_spanned!(mixed()=> return __out);
        }
        let (split, value) = self.split();
        quote_spanned!(mixed()=> match #split {
            #p::Ok(__value) => return #value,
            #p::Err(__error) => break '__call #p::Failure::Error(__error),
        })
    }

    fn leave_once(&self) -> TokenStream {
        let p = &self.p;
        if self.settings.fallback.is_none() {
            return quote_spanned!(mixed()=> __out);
        }
        let (split, value) = self.split();
        quote_spanned!(mixed()=> match #split {
            #p::Ok(__value) => return #value,
            #p::Err(__error) => #p::Failure::Error(__error),
        })
    }

    /// The outcome as a `Result` of what to return or hand to the fallback, and what to return then.
    fn split(&self) -> (TokenStream, TokenStream) {
        let (p, ty, place) = (&self.p, &self.returns.ty, self.at_type());
        if self.is_plain_welcome {
            return (quote_spanned!(mixed()=> __kind.split(__out)), quote_spanned!(mixed()=> __value));
        }
        (quote_spanned!(place=> <#ty as #p::Outcome>::split(__out)), quote_spanned!(mixed()=> #p::Ok(__value)))
    }

    fn wait(&self) -> TokenStream {
        let (p, wait) = (&self.p, self.dot_await());
        let method = Ident::new(if self.is_async { "wait" } else { "wait_blocking" }, mixed());
        quote_spanned!(mixed()=> #p::Call::#method(&mut __call, __delay)#wait)
    }

    fn dot_await(&self) -> Option<TokenStream> {
        self.is_async.then(|| quote_spanned!(mixed()=> .await))
    }

    fn is_retried(&self) -> bool {
        self.settings.retries.is_some()
    }

    /// Whether the arguments must outlive an attempt.
    fn is_kept(&self) -> bool {
        self.is_retried() || self.settings.fallback.is_some()
    }

    /// Whether an attempt may time out on the way to a fallback, and be tried again.
    fn may_wait_after_refusal(&self) -> bool {
        self.is_retried() && self.settings.fallback.is_some() && self.settings.has("timeout")
    }

    fn can_leave_early(&self) -> bool {
        self.is_retried() || self.settings.can_refuse()
    }

    fn at_name(&self) -> Span {
        mixed().located_at(self.name.span())
    }

    fn at_type(&self) -> Span {
        mixed().located_at(self.returns.span)
    }
}

/// Ours, invisible to the body; reported at the attribute.
fn mixed() -> Span {
    Span::mixed_site()
}

/// `#![…]` at the start of a block is for the whole function, and not allowed where the block will stand.
fn hoist_inner_attributes(block: &mut Group) -> TokenStream {
    let (inner, code) = split_inner_attributes(block.stream());
    if inner.is_empty() {
        return inner;
    }
    let mut rest = Group::new(block.delimiter(), code);
    rest.set_span(block.span());
    *block = rest;
    let outer = |token: &TokenTree| !matches!(token, TokenTree::Punct(mark) if mark.as_char() == '!');
    inner.into_iter().filter(outer).collect()
}

fn split_inner_attributes(code: TokenStream) -> (TokenStream, TokenStream) {
    let tokens: Vec<_> = code.into_iter().collect();
    let is = |token: &TokenTree, mark| matches!(token, TokenTree::Punct(punct) if punct.as_char() == mark);
    let inner = tokens.chunks(3).take_while(|three| match three {
        [hash, bang, TokenTree::Group(_)] => is(hash, '#') && is(bang, '!'),
        _ => false,
    });
    let (inner, code) = tokens.split_at(3 * inner.count());
    (inner.iter().cloned().collect(), code.iter().cloned().collect())
}

/// `self`, as the code inside `#[async_trait]`'s block must call it.
fn rename_self(attribute: TokenStream, receiver: Option<&Ident>) -> TokenStream {
    let Some(receiver) = receiver else { return attribute };
    let rename = |token| match token {
        TokenTree::Ident(word) if word == "self" => TokenTree::Ident(Ident::new(&receiver.to_string(), word.span())),
        TokenTree::Group(group) => {
            let mut renamed = Group::new(group.delimiter(), rename_self(group.stream(), Some(receiver)));
            renamed.set_span(group.span());
            TokenTree::Group(renamed)
        }
        other => other,
    };
    attribute.into_iter().map(rename).collect()
}
