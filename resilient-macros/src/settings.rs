//! The attribute's keys as our own types.

use std::time::Duration;

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::{Error, Expr, ExprLit, Ident, Lit, Path, Result};

use crate::attribute::{Entry, Value, entries};
use crate::fallback::Fallback;
use crate::guard::mixed;
use crate::keyed::Keying;
use crate::keys::{BREAKER_KEYS, KEYS, meant, unknown, usage};
use crate::last_known::LastKnown;
use crate::literals::{Backoff, Budget, Count, Flag, Jitter, MaxWait, Name, Ratio, Window};
use crate::mentions::Mentions;
use crate::mistakes::Mistakes;
use crate::rate::Rate;
use crate::value::{Given, Literal, Setting, bare, word};

#[derive(Default)]
pub(crate) struct Settings {
    pub(crate) retries: Option<Setting<Count>>,
    pub(crate) base_delay: Option<Setting<Duration>>,
    pub(crate) max_delay: Option<Setting<Duration>>,
    pub(crate) backoff: Option<Setting<Backoff>>,
    pub(crate) jitter: Option<Setting<Jitter>>,
    pub(crate) max_retry_after: Option<Setting<Duration>>,
    pub(crate) retry_if: Option<Expr>,
    pub(crate) classify: Option<Expr>,
    pub(crate) budget: Option<Setting<Budget>>,
    pub(crate) timeout: Option<Setting<Duration>>,
    pub(crate) deadline: Option<Setting<Duration>>,
    pub(crate) breaker: Option<Breaker>,
    pub(crate) rate: Option<Setting<Rate>>,
    pub(crate) burst: Option<Setting<Count>>,
    pub(crate) bucket: Option<Setting<Name>>,
    pub(crate) max_wait: Option<Setting<MaxWait>>,
    pub(crate) concurrency: Option<Setting<Count>>,
    pub(crate) bulkhead: Option<Setting<Name>>,
    pub(crate) keying: Keying,
    pub(crate) bucket_keying: Keying,
    pub(crate) bulkhead_keying: Keying,
    pub(crate) fallback: Option<Fallback>,
    pub(crate) last_known: Option<LastKnown>,
    pub(crate) map_err: Option<Expr>,
    pub(crate) clone: Vec<Ident>,
    pub(crate) reuse: Vec<Ident>,
    /// What the body calls its context.
    pub(crate) context: Option<Ident>,
    pub(crate) name: Option<Setting<Name>>,
    root: Option<Path>,
    /// The keys as they were typed, for editors.
    pub(crate) typed: Vec<Ident>,
    /// Whether something could not be read, so that what seems to be missing may be there.
    pub(crate) is_misread: bool,
    /// The keys that are there, or were meant to be.
    meant: Vec<(&'static str, Ident)>,
}

/// `breaker = "name"` or `breaker(name = "name", …)`.
#[derive(Default)]
pub(crate) struct Breaker {
    pub(crate) name: Option<Setting<Name>>,
    pub(crate) failure_threshold: Option<Setting<Count>>,
    pub(crate) failure_ratio: Option<Setting<Ratio>>,
    pub(crate) slow_call_duration: Option<Setting<Duration>>,
    pub(crate) slow_call_ratio: Option<Setting<Ratio>>,
    pub(crate) window: Option<Setting<Window>>,
    pub(crate) minimum_calls: Option<Setting<Count>>,
    pub(crate) recovery_timeout: Option<Setting<Duration>>,
    pub(crate) max_recovery_timeout: Option<Setting<Duration>>,
    pub(crate) half_open_calls: Option<Setting<Count>>,
    pub(crate) success_threshold: Option<Setting<Count>>,
    pub(crate) shadow: Option<Setting<Flag>>,
    pub(crate) keying: Keying,
    /// The keys that are there, or were meant to be.
    meant: Vec<(&'static str, Ident)>,
}

impl Settings {
    /// What the closures name that look at an outcome or a refusal.
    pub(crate) fn handlers(&self) -> Mentions {
        let handlers = [&self.map_err, &self.retry_if, &self.classify];
        Mentions::of(handlers.into_iter().flatten().map(ToTokens::to_token_stream).collect())
    }

    pub(crate) fn parse(attribute: TokenStream, mistakes: &mut Mistakes) -> Self {
        let (mut settings, mut own) = (Self::default(), Mistakes::default());
        for entry in unique(entries(attribute, &mut own), &mut own) {
            settings.take(&entry, &mut own);
        }
        settings.is_misread = !own.is_empty();
        mistakes.extend(own);
        settings
    }

    /// The key, if it is there; also if its value is wrong, so that one mistake is not reported as two.
    pub(crate) fn key(&self, name: &str) -> Option<&Ident> {
        self.meant.iter().find(|(key, _)| *key == name).map(|(_, typed)| typed)
    }

    /// A key is there, or was meant to be.
    pub(crate) fn note(&mut self, key: &'static str, typed: &Ident) {
        self.meant.push((key, typed.clone()));
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.key(name).is_some()
    }

    pub(crate) fn has_any(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.has(name))
    }

    /// Where everything that we emit lives, in full.
    pub(crate) fn root(&self) -> TokenStream {
        self.root_at(mixed())
    }

    pub(crate) fn root_at(&self, place: Span) -> TokenStream {
        private(self.root.as_ref(), place)
    }

    /// The settings of each call: literals, or expressions that may use whatever is in scope.
    pub(crate) fn per_call(&self) -> impl Iterator<Item = &dyn Given> {
        let settings = [
            given(self.retries.as_ref()),
            given(self.base_delay.as_ref()),
            given(self.max_delay.as_ref()),
            given(self.backoff.as_ref()),
            given(self.jitter.as_ref()),
            given(self.max_retry_after.as_ref()),
            given(self.timeout.as_ref()),
            given(self.deadline.as_ref()),
            given(self.max_wait.as_ref()),
        ];
        settings.into_iter().flatten()
    }

    /// Everything that is code, or is worked out in each call.
    pub(crate) fn expressions(&self) -> impl Iterator<Item = (String, TokenStream)> {
        let worked_out = self.per_call().filter(|setting| !setting.is_literal());
        let worked_out = worked_out.map(|setting| (setting.key().to_string(), setting.given().to_token_stream()));
        let last_known = self.last_known.as_ref().map(|last_known| &last_known.given);
        let fallback = self.fallback.as_ref().map(Fallback::given).or(last_known);
        let code = [
            ("retry_if", self.retry_if.as_ref()),
            ("classify", self.classify.as_ref()),
            ("fallback", fallback),
            ("map_err", self.map_err.as_ref()),
        ];
        let code = code.into_iter().filter_map(|(key, given)| Some((key.to_owned(), given?.to_token_stream())));
        let context = self.context.iter().map(|name| ("context".to_owned(), name.to_token_stream()));
        worked_out.chain(code).chain(context).chain(self.keys())
    }

    /// The settings of what outlives a call: constants.
    pub(crate) fn shared(&self) -> impl Iterator<Item = &dyn Given> {
        let settings = [
            given(self.budget.as_ref()),
            given(self.rate.as_ref()),
            given(self.burst.as_ref()),
            given(self.bucket.as_ref()),
            given(self.concurrency.as_ref()),
            given(self.bulkhead.as_ref()),
        ];
        settings.into_iter().flatten()
    }

    /// The settings of everything that can be keyed, and is set up before the first call.
    pub(crate) fn of_resources(&self) -> impl Iterator<Item = &dyn Given> {
        let breaker = self.breaker.as_ref();
        let name = given(breaker.and_then(|breaker| breaker.name.as_ref()));
        let of_breaker = breaker.into_iter().flat_map(Breaker::settings);
        let budget = self.budget.as_ref().map(|budget| &budget.key);
        self.shared().filter(move |setting| Some(setting.key()) != budget).chain(name).chain(of_breaker)
    }

    /// Everything else that is set up before the first call.
    pub(crate) fn other_constants(&self) -> impl Iterator<Item = &dyn Given> {
        let keyings = [Some(&self.keying), Some(&self.bucket_keying), Some(&self.bulkhead_keying)];
        let keyings = keyings.into_iter().chain([self.breaker.as_ref().map(|breaker| &breaker.keying)]).flatten();
        let max_keys = keyings.filter_map(|keying| given(keying.max_keys.as_ref()));
        given(self.name.as_ref()).into_iter().chain(given(self.budget.as_ref())).chain(max_keys)
    }

    /// Whether nothing is left that only the compiler could find wrong: no constant of the user's, and no number that has limits
    /// which are not checked here.
    pub(crate) fn is_known_to_be_right(&self) -> bool {
        let is_limited = self.has_any(&["burst", "concurrency", "key", "max_keys"]) || self.has_keyed();
        let has_settings = self.breaker.as_ref().is_some_and(|breaker| breaker.settings().next().is_some());
        !is_limited && !has_settings && self.of_resources().chain(self.other_constants()).all(Given::is_literal)
    }

    /// Whether a call may end without running the body to its end.
    pub(crate) fn can_refuse(&self) -> bool {
        let waits_for_ever = matches!(&self.max_wait, Some(Setting { literal: Some(MaxWait::Unlimited), .. }));
        let queues = self.has_any(&["rate", "bucket", "concurrency", "bulkhead"]);
        self.has_any(&["timeout", "deadline", "breaker"]) || (queues && !waits_for_ever)
    }

    /// Whether anyone asks what an outcome means.
    pub(crate) fn needs_verdict(&self) -> bool {
        self.has_any(&["retries", "breaker", "rate", "bucket"])
    }

    /// Whether a function may return something else than a `Result`.
    pub(crate) fn welcomes_plain_values(&self) -> bool {
        if self.last_known.is_some() {
            return !self.can_refuse() && self.has("classify") && !self.has("retry_if");
        }
        let judges_errors = self.has("retries") && !self.has("classify");
        !judges_errors && self.has("fallback") == self.can_refuse() && !self.has("retry_if")
    }

    fn take(&mut self, entry: &Entry, mistakes: &mut Mistakes) {
        let name = entry.key.to_string();
        // `crate` is no name that an editor could complete.
        self.typed.extend(Some(entry.key.clone()).filter(|_| name != "crate"));
        if let Some(key) = meant(KEYS, &name)
            && !self.is_first(key, &entry.key, mistakes)
        {
            return;
        }
        match name.as_str() {
            "retries" => self.retries = read(entry, KEYS, mistakes),
            "base_delay" => self.base_delay = read(entry, KEYS, mistakes),
            "max_delay" => self.max_delay = read(entry, KEYS, mistakes),
            "backoff" => self.backoff = read(entry, KEYS, mistakes),
            "jitter" => self.jitter = read(entry, KEYS, mistakes),
            "max_retry_after" => self.max_retry_after = read(entry, KEYS, mistakes),
            "retry_if" => self.retry_if = callable(entry, mistakes),
            "classify" => self.classify = callable(entry, mistakes),
            "budget" => self.budget = read(entry, KEYS, mistakes),
            "timeout" => self.timeout = read(entry, KEYS, mistakes),
            "deadline" => self.deadline = read(entry, KEYS, mistakes),
            "breaker" => self.breaker = Some(breaker(entry, mistakes)),
            "rate" => self.rate = read(entry, KEYS, mistakes),
            "burst" => self.burst = read(entry, KEYS, mistakes),
            "bucket" if matches!(entry.value, Value::List(_)) => self.bucket_group(entry, mistakes),
            "bulkhead" if matches!(entry.value, Value::List(_)) => self.bulkhead_group(entry, mistakes),
            "bucket" => self.bucket = read(entry, KEYS, mistakes),
            "max_wait" => self.max_wait = read(entry, KEYS, mistakes),
            "concurrency" => self.concurrency = read(entry, KEYS, mistakes),
            "bulkhead" => self.bulkhead = read(entry, KEYS, mistakes),
            "fallback" => self.take_fallback(entry, mistakes),
            "map_err" => self.map_err = callable(entry, mistakes),
            "clone" => self.clone = parameters(entry, mistakes),
            "reuse" => self.reuse = parameters(entry, mistakes),
            "context" => self.context = variable(entry, mistakes),
            "name" => self.name = read(entry, KEYS, mistakes),
            "crate" => self.root = mistakes.keep(expression(entry, KEYS).and_then(root)).flatten(),
            _ if self.keying.take(entry, KEYS, mistakes) => {}
            _ => mistakes.add(unknown(KEYS, &entry.key)),
        }
    }
}

impl Settings {
    fn take_fallback(&mut self, entry: &Entry, mistakes: &mut Mistakes) {
        let Some(given) = callable(entry, mistakes) else { return };
        match LastKnown::read(&given) {
            Some(last_known) => self.last_known = mistakes.keep(last_known),
            None => self.fallback = Some(Fallback::new(given)),
        }
    }
}

/// The entries, each key once; what is there twice is reported in both places.
pub(crate) fn unique(entries: Vec<Entry>, mistakes: &mut Mistakes) -> Vec<Entry> {
    let mut unique: Vec<Entry> = Vec::new();
    let mut reported = Vec::new();
    for entry in entries {
        let Some(first) = unique.iter().find(|first| first.key == entry.key) else {
            unique.push(entry);
            continue;
        };
        if reported.contains(&entry.key) {
            mistakes.on(&entry.key, format!("`{}` is given more than once; keep one", entry.key));
        } else {
            twice(&first.key, &entry.key, mistakes);
            reported.push(entry.key.clone());
        }
    }
    unique
}

pub(crate) fn twice(first: &Ident, again: &Ident, mistakes: &mut Mistakes) {
    mistakes.on(first, format!("`{first}` is given more than once; this is the first"));
    mistakes.on(again, format!("`{again}` is given more than once; keep one"));
}

type Keys = [(&'static str, &'static str)];

pub(crate) fn expression<'a>(entry: &'a Entry, keys: &Keys) -> Result<Option<&'a Expr>> {
    let usage = || usage(keys, &entry.key.to_string());
    match &entry.value {
        Value::Expression(expression) => Ok(Some(expression)),
        Value::Missing => Err(Error::new_spanned(&entry.key, format!("`{}` needs a value: `{}`", entry.key, usage()))),
        Value::List(_) => Err(Error::new_spanned(&entry.key, format!("`{}` takes its value after `=`: `{}`", entry.key, usage()))),
        Value::Unreadable => Ok(None),
    }
}

pub(crate) fn read<T: Literal>(entry: &Entry, keys: &Keys, mistakes: &mut Mistakes) -> Option<Setting<T>> {
    let given = mistakes.keep(expression(entry, keys)).flatten()?;
    let usage = usage(keys, &entry.key.to_string());
    mistakes.keep(Setting::read(&entry.key, given, usage))
}

fn callable(entry: &Entry, mistakes: &mut Mistakes) -> Option<Expr> {
    let given = mistakes.keep(expression(entry, KEYS)).flatten()?;
    if let Expr::Lit(literal) = bare(given) {
        let (key, usage) = (&entry.key, usage(KEYS, &entry.key.to_string()));
        mistakes.on(literal, format!("`{key}` takes a closure or the path of a function: `{usage}`"));
        return None;
    }
    Some(given.clone())
}

fn parameters(entry: &Entry, mistakes: &mut Mistakes) -> Vec<Ident> {
    let (key, usage) = (&entry.key, usage(KEYS, &entry.key.to_string()));
    let names = match &entry.value {
        Value::List(names) => entries(names.clone(), mistakes),
        Value::Unreadable => return Vec::new(),
        Value::Missing | Value::Expression(_) => {
            mistakes.on(key, format!("`{key}` takes parameters in parentheses: `{usage}`"));
            return Vec::new();
        }
    };
    if names.is_empty() {
        mistakes.on(key, format!("`{key}` needs the name of a parameter: `{usage}`"));
    }
    for name in names.iter().filter(|name| !matches!(name.value, Value::Missing)) {
        mistakes.on(&name.key, format!("`{key}` takes names of parameters and nothing else: `{usage}`"));
    }
    names.into_iter().map(|name| name.key).collect()
}

/// A name of the user's for something of ours.
fn variable(entry: &Entry, mistakes: &mut Mistakes) -> Option<Ident> {
    let given = mistakes.keep(expression(entry, KEYS)).flatten()?;
    let (key, usage) = (&entry.key, usage(KEYS, &entry.key.to_string()));
    let name = word(bare(given)).filter(|name| !["self", "Self", "super", "crate"].iter().any(|word| *name == word));
    if name.is_none() {
        mistakes.on(given, format!("`{key}` takes the name by which the body shall call it, and nothing else: `{usage}`"));
    }
    name.cloned()
}

fn breaker(entry: &Entry, mistakes: &mut Mistakes) -> Breaker {
    let Value::List(settings) = &entry.value else {
        return Breaker { name: read(entry, KEYS, mistakes), ..Breaker::default() };
    };
    let mut breaker = Breaker::default();
    for entry in unique(entries(settings.clone(), mistakes), mistakes) {
        breaker.take(&entry, mistakes);
    }
    if breaker.key("name").is_none() {
        mistakes.on(&entry.key, "this breaker needs a name: `breaker(name = \"payments\", …)`");
    }
    breaker
}

impl Breaker {
    /// The key, if it is there; also if its value is wrong.
    pub(crate) fn key(&self, name: &str) -> Option<&Ident> {
        self.meant.iter().find(|(key, _)| *key == name).map(|(_, typed)| typed)
    }

    fn take(&mut self, entry: &Entry, mistakes: &mut Mistakes) {
        self.meant.extend(meant(BREAKER_KEYS, &entry.key.to_string()).map(|key| (key, entry.key.clone())));
        match entry.key.to_string().as_str() {
            "name" => self.name = read(entry, BREAKER_KEYS, mistakes),
            "failure_threshold" => self.failure_threshold = read(entry, BREAKER_KEYS, mistakes),
            "failure_ratio" => self.failure_ratio = read(entry, BREAKER_KEYS, mistakes),
            "slow_call_duration" => self.slow_call_duration = read(entry, BREAKER_KEYS, mistakes),
            "slow_call_ratio" => self.slow_call_ratio = read(entry, BREAKER_KEYS, mistakes),
            "window" => self.window = read(entry, BREAKER_KEYS, mistakes),
            "minimum_calls" => self.minimum_calls = read(entry, BREAKER_KEYS, mistakes),
            "recovery_timeout" => self.recovery_timeout = read(entry, BREAKER_KEYS, mistakes),
            "max_recovery_timeout" => self.max_recovery_timeout = read(entry, BREAKER_KEYS, mistakes),
            "half_open_calls" => self.half_open_calls = read(entry, BREAKER_KEYS, mistakes),
            "success_threshold" => self.success_threshold = read(entry, BREAKER_KEYS, mistakes),
            "shadow" => self.shadow = read(entry, BREAKER_KEYS, mistakes),
            _ if self.keying.take(entry, BREAKER_KEYS, mistakes) => {}
            _ => mistakes.add(unknown(BREAKER_KEYS, &entry.key)),
        }
    }

    pub(crate) fn settings(&self) -> impl Iterator<Item = &dyn Given> {
        let settings = [
            given(self.failure_threshold.as_ref()),
            given(self.failure_ratio.as_ref()),
            given(self.slow_call_duration.as_ref()),
            given(self.slow_call_ratio.as_ref()),
            given(self.window.as_ref()),
            given(self.minimum_calls.as_ref()),
            given(self.recovery_timeout.as_ref()),
            given(self.max_recovery_timeout.as_ref()),
            given(self.half_open_calls.as_ref()),
            given(self.success_threshold.as_ref()),
            given(self.shadow.as_ref()),
        ];
        settings.into_iter().flatten()
    }

    /// `breaker_named("payments")`, `breaker("payments", CircuitBreaker::new().failure_threshold(3))`
    pub(crate) fn call(&self, p: &Ident) -> Option<TokenStream> {
        let name = self.name.as_ref()?.given();
        let settings: Vec<_> = self.settings().map(|setting| setting.call(p)).collect();
        if settings.is_empty() {
            return Some(quote_spanned!(mixed()=> breaker_named(#name)));
        }
        Some(quote_spanned!(mixed()=> breaker(#name, #p::CircuitBreaker::new() #(.#settings)*)))
    }
}

fn given<T: Literal>(setting: Option<&Setting<T>>) -> Option<&dyn Given> {
    setting.map(|setting| setting as &dyn Given)
}

/// `crate = "path"` or `crate = path`.
pub(crate) fn root(given: Option<&Expr>) -> Result<Option<Path>> {
    let Some(given) = given else { return Ok(None) };
    match bare(given) {
        Expr::Path(path) if path.qself.is_none() => Ok(Some(path.path.clone())),
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => text.parse_with(Path::parse_mod_style).map(Some),
        _ => Err(Error::new_spanned(given, format!("`crate` takes the path of the library: `{}`", usage(KEYS, "crate")))),
    }
}

/// What the root is called inside the function: a word is less to parse, to resolve and to type than a path.
pub(crate) fn alias_at(place: Span) -> Ident {
    Ident::new("__p", place)
}

/// Where everything that we emit lives.
pub(crate) fn private(root: Option<&Path>, place: Span) -> TokenStream {
    root.map_or_else(|| quote_spanned!(place=> ::resilient::__private), |root| quote_spanned!(place=> #root::__private))
}
