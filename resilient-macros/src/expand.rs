//! The one shape that is emitted.

use proc_macro2::{TokenStream, TokenTree};
use quote::{quote, quote_spanned};

use crate::body::Body;
use crate::function::Function;
use crate::guard::{Guard, mixed};
use crate::mistakes::Mistakes;
use crate::parameters::pass;
use crate::settings::{Settings, alias_at};
use crate::tokens::{hoist_inner_attributes, is_word, regroup, rename_self, split_inner_attributes};
use crate::validate::validate;

pub(crate) fn resilient(attribute: TokenStream, item: TokenStream) -> TokenStream {
    let mut mistakes = Mistakes::default();
    let function = mistakes.keep(Function::parse(item.clone()));
    let body = function.as_ref().and_then(|function| mistakes.keep(Body::find(function)));
    let attribute = match body.as_ref().and_then(Body::receiver) {
        Some(receiver) => rename_self(attribute, receiver),
        None => attribute,
    };
    let settings = Settings::parse(attribute, &mut mistakes);
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
//         use ::resilient::__private as p;
//         use ::resilient::__private::judging::*;
//         ::resilient::__private::__ide! { retries timeout }
//         static __SITE: p::Site = p::Site::new("module::load", file!(), line!(), |__site| __site.retries(3).timeout(…));
//         let __plan = p::Site::plan(&__SITE);
//         let mut __engine = p::no_engine();
//         let mut __call = p::Call::new(__plan, &mut __engine);
//         loop {
//             let __out = match p::Call::attempt(&mut __call, async {
//                 if let Some(__ret) = None::<Result<u32, E>> { return __ret; }
//                 if false { let _ = &mut buffer; }
//                 let mut buffer = p::Fresh::fresh(&buffer);
//                 (BODY)
//             }).await {
//                 Ok(__out) => __out,
//                 Err(__rejected) => … p::refused::<Result<u32, E>>(__rejected) …,
//             };
//             match p::Call::succeeds(&mut __call, (&&&&&&&&p::told(&__out).resilient_values()).resilient_judge(), &__out) {
//                 None => return __out,
//                 Some(__judge) => if let Some(__out) = p::Call::settle(&mut __call, __judge, __out) { return __out; },
//             }
//         }
//     }
fn expand(mut function: Function, mut body: Body, settings: &Settings) -> TokenStream {
    let is_async = function.is_async();
    let passing = pass(&mut function.signature, &mut body, settings, is_async);
    let inner = hoist_inner_attributes(&mut body.block);
    let guard = Guard {
        p: alias_at(mixed()),
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

/// The item as it was, but for the words that editors complete.
fn unchanged(item: TokenStream, settings: &Settings) -> TokenStream {
    let mut tokens: Vec<_> = item.into_iter().collect();
    let is_function = tokens.iter().any(|token| is_word(token, "fn"));
    if let Some(TokenTree::Group(body)) = tokens.last_mut()
        && is_function
        && !settings.has("crate")
    {
        let (root, typed) = (settings.root(), &settings.typed);
        let (inner, code) = split_inner_attributes(body.stream());
        *body = regroup(body, quote_spanned!(mixed()=> #inner #root::__ide! { #(#typed)* } #code));
    }
    tokens.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classify::derive;

    const ATTRIBUTES: &[&str] = &[
        "retries = 3, base_delay = 250ms, clone(a, b), timeout = self.timeout, fallback = |f| { f }",
        "breaker(name = \"x\", failure_threshold = 3, = 4), rate = \"1/s\" burst = -1, retry_if = |a, b| a::<u8, u8>(b)",
        "crate = \"::a::b\", budget = none, max_wait = none, jitter = 1e400, rate = 0.1e3, deadline = 99999999999999999999s",
    ];
    const ITEMS: &[&str] = &[
        "async fn f(mut a: Vec<u8>, (b, ref mut c): (u8, u8), &d: &u8) -> Result<impl Fn() -> u8, E> where E: A { a }",
        "fn f(&'a mut self, #[cfg(x)] b: u8) -> Pin<Box<dyn Future<Output = u8> + 'a>> { Box::pin(async move { self.a }) }",
        "fn f<'async_trait>(self) -> Box<dyn Future<Output = u8>> { pin(async move { let a = a; let __ret: u8 = { 1 }; __ret }) }",
        "#[transient(retry_after = a, x)] #[classify(transparent, default)] enum E<T> { #[permanent] A { a: T }, B(u8, u8), C }",
        "pub(crate) unsafe extern \"C\" fn f(#[a] ...) { #![allow(x)] }",
    ];

    /// The text up to each of its tokens.
    fn beginnings(text: &str) -> Vec<TokenStream> {
        let tokens: Vec<_> = text.parse::<TokenStream>().into_iter().flatten().collect();
        (0..=tokens.len()).map(|end| tokens[..end].iter().cloned().collect()).collect()
    }

    #[test]
    fn nothing_panics_half_way_through_typing() {
        for attribute in ATTRIBUTES.iter().flat_map(|text| beginnings(text)) {
            for item in ITEMS.iter().flat_map(|text| beginnings(text)) {
                resilient(attribute.clone(), item.clone());
                resilient(item.clone(), item.clone());
                derive(item);
            }
        }
    }

    /// `macro_rules!` puts a `$body:block` into a group that nobody sees.
    #[test]
    fn a_body_may_come_out_of_a_macro() {
        let emitted = |body: proc_macro2::Group| resilient(quote!(retries = 1), quote!(fn f() -> Result<u8, E> #body)).to_string();
        let body = proc_macro2::Group::new(proc_macro2::Delimiter::Brace, quote!(Ok(1)));
        let hidden = proc_macro2::Group::new(proc_macro2::Delimiter::None, quote!(#body));
        assert_eq!(emitted(hidden), emitted(body));
    }

    /// The end of what is to become a return type was taken for it.
    #[test]
    fn a_body_has_braces() {
        let emitted = resilient(quote!(retries = 1), quote!(fn f() -> io::Error::other("empty"))).to_string();
        assert!(emitted.contains("needs a body to guard"), "{emitted}");
    }

    #[test]
    fn a_mistake_leaves_the_function_as_it_was() {
        for item in ITEMS.iter().filter_map(|text| text.parse::<TokenStream>().ok()) {
            let emitted = resilient(quote!(retrys = 3, crate = "other"), item.clone()).to_string();
            assert!(emitted.starts_with(":: core :: compile_error !"), "{emitted}");
            assert!(emitted.ends_with(&item.to_string()), "{emitted}");
        }
    }

    fn emitted(attribute: &str, item: &str) -> String {
        let [attribute, item] = [attribute, item].map(|text| text.parse().unwrap_or_default());
        resilient(attribute, item).to_string()
    }

    #[test]
    #[cfg(not(feature = "tokio"))]
    fn async_functions_need_the_feature() {
        let emitted = emitted("retries = 3", "async fn f() -> Result<u8, E> { Ok(1) }");
        assert!(emitted.contains("need the feature `tokio`"), "{emitted}");
    }

    #[test]
    fn no_allow_is_emitted() {
        let emitted = emitted("retries = 3, clone(a), fallback = f", "fn f(a: u8) -> Result<u8, E> { Ok(a) }");
        assert!(emitted.contains("Call :: settle"), "{emitted}");
        assert!(!emitted.contains("allow"), "{emitted}");
    }
}
