//! `key = expr`: which of a function's resources there is one of for each value, and of which value.

use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Error, Expr, Ident, Result};

use crate::attribute::{Entry, Value, entries};
use crate::guard::{Guard, mixed};
use crate::keys::{BUCKET_KEYS, BULKHEAD_KEYS, unknown};
use crate::literals::Count;
use crate::mistakes::Mistakes;
use crate::settings::{Settings, alias_at, expression, read, twice, unique};
use crate::value::{Setting, bare};

/// `key` and `max_keys`, among all keys or inside a group.
#[derive(Default)]
pub(crate) struct Keying {
    pub(crate) key: Option<Expr>,
    pub(crate) max_keys: Option<Setting<Count>>,
}

type Keys = [(&'static str, &'static str)];

impl Keying {
    /// Whether it was one of the two.
    pub(crate) fn take(&mut self, entry: &Entry, keys: &Keys, mistakes: &mut Mistakes) -> bool {
        match entry.key.to_string().as_str() {
            "key" => self.key = mistakes.keep(key(entry, keys)).flatten(),
            "max_keys" => self.max_keys = read(entry, keys, mistakes),
            _ => return false,
        }
        true
    }
}

fn key(entry: &Entry, keys: &Keys) -> Result<Option<Expr>> {
    let given = expression(entry, keys)?;
    match given.map(bare) {
        Some(Expr::Lit(literal)) => {
            let message = "this key is the same in every call; give an expression of the function, such as `key = tenant`, \
                           or leave `key` out";
            Err(Error::new_spanned(literal, message))
        }
        _ => Ok(given.cloned()),
    }
}

/// A kind of resource that can be keyed.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Kind {
    Breaker,
    Bucket,
    Bulkhead,
}

impl Kind {
    pub(crate) const ALL: [Self; 3] = [Self::Breaker, Self::Bucket, Self::Bulkhead];

    fn word(self) -> &'static str {
        match self {
            Self::Breaker => "breaker",
            Self::Bucket => "bucket",
            Self::Bulkhead => "bulkhead",
        }
    }
}

impl Settings {
    fn is_there(&self, kind: Kind) -> bool {
        match kind {
            Kind::Breaker => self.breaker.is_some(),
            Kind::Bucket => self.rate.is_some() || self.bucket.is_some(),
            Kind::Bulkhead => self.concurrency.is_some() || self.bulkhead.is_some(),
        }
    }

    /// What the group of that kind says, if there is one.
    pub(crate) fn own_keying(&self, kind: Kind) -> Option<&Keying> {
        match kind {
            Kind::Breaker => self.breaker.as_ref().map(|breaker| &breaker.keying),
            Kind::Bucket => Some(&self.bucket_keying),
            Kind::Bulkhead => Some(&self.bulkhead_keying),
        }
    }

    pub(crate) fn own_key(&self, kind: Kind) -> Option<&Expr> {
        self.own_keying(kind)?.key.as_ref()
    }

    /// Whether there is one of something for each key.
    pub(crate) fn has_keyed(&self) -> bool {
        Kind::ALL.into_iter().any(|kind| self.shares_key(kind) || self.own_key(kind).is_some())
    }

    /// Whether the key among all keys is the one for that kind.
    pub(crate) fn shares_key(&self, kind: Kind) -> bool {
        self.keying.key.is_some() && self.is_there(kind) && self.own_key(kind).is_none()
    }

    /// Whether the value that the function falls back on is kept for each value of the key among all keys.
    pub(crate) fn keeps_by_key(&self) -> bool {
        self.keying.key.is_some() && self.last_known.is_some()
    }

    /// Every `key`, with the group that it stands in, as the catalogue lists them.
    pub(crate) fn keys(&self) -> impl Iterator<Item = (String, TokenStream)> {
        let shared = self.keying.key.as_ref().map(|key| ("key".to_owned(), key.to_token_stream()));
        let own = |kind: Kind| Some((format!("{}.key", kind.word()), self.own_key(kind)?.to_token_stream()));
        shared.into_iter().chain(Kind::ALL.into_iter().filter_map(own))
    }

    fn max_keys(&self, kind: Kind) -> Option<&Setting<Count>> {
        let own = self.own_keying(kind).and_then(|keying| keying.max_keys.as_ref());
        own.or(self.keying.max_keys.as_ref().filter(|_| self.shares_key(kind)))
    }

    /// `bucket(name = "stripe", key = tenant, rate = "10/s")`; its settings mean what they mean outside.
    pub(crate) fn bucket_group(&mut self, group: &Entry, mistakes: &mut Mistakes) {
        let Value::List(list) = &group.value else { return };
        for entry in unique(entries(list.clone(), mistakes), mistakes) {
            match entry.key.to_string().as_str() {
                "name" => self.bucket = read(&entry, BUCKET_KEYS, mistakes).map(|name| named(name, group)),
                "rate" if self.is_first("rate", &entry.key, mistakes) => self.rate = read(&entry, BUCKET_KEYS, mistakes),
                "burst" if self.is_first("burst", &entry.key, mistakes) => self.burst = read(&entry, BUCKET_KEYS, mistakes),
                "rate" | "burst" => {}
                _ if self.bucket_keying.take(&entry, BUCKET_KEYS, mistakes) => {}
                _ => mistakes.add(unknown(BUCKET_KEYS, &entry.key)),
            }
        }
    }

    /// `bulkhead(name = "db", key = host, concurrency = 4)`; its settings mean what they mean outside.
    pub(crate) fn bulkhead_group(&mut self, group: &Entry, mistakes: &mut Mistakes) {
        let Value::List(list) = &group.value else { return };
        for entry in unique(entries(list.clone(), mistakes), mistakes) {
            match entry.key.to_string().as_str() {
                "name" => self.bulkhead = read(&entry, BULKHEAD_KEYS, mistakes).map(|name| named(name, group)),
                "concurrency" if self.is_first("concurrency", &entry.key, mistakes) => {
                    self.concurrency = read(&entry, BULKHEAD_KEYS, mistakes);
                }
                "concurrency" => {}
                _ if self.bulkhead_keying.take(&entry, BULKHEAD_KEYS, mistakes) => {}
                _ => mistakes.add(unknown(BULKHEAD_KEYS, &entry.key)),
            }
        }
    }

    /// Whether this is the only place of that key; all of them are noted.
    pub(crate) fn is_first(&mut self, key: &'static str, typed: &Ident, mistakes: &mut Mistakes) -> bool {
        let first = self.key(key).filter(|first| *first == key && typed == key).cloned();
        if let Some(first) = &first {
            twice(first, typed, mistakes);
        }
        self.note(key, typed);
        first.is_none()
    }
}

/// The site knows the name of a bucket as `bucket`.
fn named<T>(mut name: Setting<T>, group: &Entry) -> Setting<T> {
    name.key = Ident::new(&group.key.to_string(), name.key.span());
    name
}

impl Guard<'_> {
    // Output: breaker_keys(p::Some(1000))
    pub(crate) fn site_keys(&self) -> impl Iterator<Item = TokenStream> {
        let settings = self.settings;
        let keyed = Kind::ALL.into_iter().filter(|kind| settings.shares_key(*kind) || settings.own_key(*kind).is_some());
        keyed.map(move |kind| {
            let setter = format_ident!("{}_keys", kind.word(), span = mixed());
            let max_keys = self.option(settings.max_keys(kind));
            quote_spanned!(mixed()=> #setter(#max_keys))
        })
    }

    // Output: p::Some(1000)
    fn option(&self, max_keys: Option<&Setting<Count>>) -> TokenStream {
        let p = &self.p;
        max_keys.map_or_else(|| quote!(#p::None), |Setting { given, .. }| quote!(#p::Some(#given)))
    }

    // Output: static __LAST: p::LastKnownByKey = p::LastKnownByKey::of(p::Some(1000));
    pub(crate) fn kept_by_key(&self) -> TokenStream {
        let (p, max_keys) = (&self.p, self.option(self.settings.keying.max_keys.as_ref()));
        quote_spanned!(mixed()=> static __LAST: #p::LastKnownByKey = #p::LastKnownByKey::of(#max_keys);)
    }

    // Output: let mut __keyed = p::Keyed::new(__plan); match &(tenant) { __key => p::Keyed::find(&mut __keyed, …, …) };
    //
    // The key is lent for that moment only, so that the body may consume what it is made of.
    pub(crate) fn keyed(&self) -> Option<TokenStream> {
        let (p, settings) = (&self.p, self.settings);
        let shared: Vec<_> = Kind::ALL.into_iter().filter(|kind| settings.shares_key(*kind)).collect();
        let shared = settings.keying.key.as_ref().map(|key| (key, shared));
        let own = Kind::ALL.into_iter().filter_map(|kind| settings.own_key(kind).map(|key| (key, vec![kind])));
        let finds = own.map(|(key, kinds)| self.find(key, &kinds, false));
        let finds: Vec<_> =
            shared.into_iter().map(|(key, kinds)| self.find(key, &kinds, settings.keeps_by_key())).chain(finds).collect();
        let keyed = settings.has_keyed().then(|| quote_spanned!(mixed()=> let mut __keyed = #p::Keyed::new(__plan);));
        (!finds.is_empty()).then(|| quote_spanned!(mixed()=> #keyed #(#finds)*))
    }

    // Output: let __last_key = match &(tenant) { __key => { p::Keyed::find(&mut __keyed, …, …); p::kept(…) } };
    fn find(&self, key: &Expr, kinds: &[Kind], is_kept: bool) -> TokenStream {
        let (p, place) = (&self.p, mixed().located_at(key.span()));
        let (at_key, root) = (alias_at(place), self.settings.root_at(place));
        let no_kinds = kinds.is_empty();
        let kinds = kinds.iter().map(|kind| {
            let kind = format_ident!("{}", kind.word().to_uppercase(), span = mixed());
            quote_spanned!(mixed()=> #p::Keyed::#kind)
        });
        let peeled = quote_spanned!(place=> { use #root::peeling::*; (*__key).resilient_peel() });
        let find = quote_spanned!(place=> #at_key::Keyed::find(&mut __keyed, #peeled, #(#kinds)|*));
        if !is_kept {
            return quote_spanned!(mixed()=> match &(#key) { __key => #find, });
        }
        let find = (!no_kinds).then_some(quote_spanned!(mixed()=> #find;));
        let kept = quote_spanned!(place=> #at_key::kept(#peeled));
        quote_spanned!(mixed()=> let __last_key = match &(#key) { __key => { #find #kept } };)
    }
}
