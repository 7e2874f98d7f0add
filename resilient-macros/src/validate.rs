//! Every rule that one value alone cannot break.

// Where `fuzz/opened` finds it as well.
#[path = "validate/windows.rs"]
mod windows;

use std::time::Duration;

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{FnArg, GenericParam, Ident, Pat, PatIdent, ReturnType, Type};

use crate::duration::show;
use crate::fallback::Fallback;
use crate::function::Function;
use crate::keyed::Kind;
use crate::keys::{KEYS, usage};
use crate::last_known::borrowed_value;
use crate::literals::{Backoff, Budget, Count, Jitter, MaxWait, Name};
use crate::mentions::Mentions;
use crate::mistakes::Mistakes;
use crate::settings::Settings;
use crate::spelling::{list, nearest};
use crate::types::Promise;
use crate::value::{Given, Setting};

const POLICIES: &[&str] = &["retries", "timeout", "deadline", "breaker", "rate", "bucket", "concurrency", "bulkhead", "fallback"];
const REFUSING: &[&str] = &["timeout", "deadline", "breaker", "rate", "bucket", "concurrency", "bulkhead"];
const KEYABLE: &[&str] = &["breaker", "rate", "bucket", "concurrency", "bulkhead"];

/// What says nothing unless one of the others is there.
const NEEDS: &[(&str, &[&str])] = &[
    ("base_delay", &["retries"]),
    ("max_delay", &["retries"]),
    ("backoff", &["retries"]),
    ("jitter", &["retries"]),
    ("retry_if", &["retries"]),
    ("budget", &["retries"]),
    ("clone", &["retries"]),
    ("reuse", &["retries"]),
    ("max_retry_after", &["retries", "rate", "bucket"]),
    ("burst", &["rate"]),
    ("max_wait", &["rate", "bucket", "concurrency", "bulkhead"]),
    ("classify", &["retries", "breaker", "rate", "bucket"]),
    ("key", KEYABLE),
    ("max_keys", &["key"]),
    ("map_err", REFUSING),
];

const MOST_KEYS: u32 = 10_000_000;
const BASE_DELAY: Duration = Duration::from_millis(100);
const MAX_DELAY: Duration = Duration::from_secs(10);
const RECOVERY_TIMEOUT: Duration = Duration::from_secs(5);

pub(crate) fn validate(settings: &Settings, function: &Function, bindings: &[PatIdent], mistakes: &mut Mistakes) {
    let mut rules = Rules { settings, function, bindings, mistakes };
    rules.ranges();
    rules.order_of_durations();
    rules.words();
    rules.company();
    rules.contradictions();
    rules.groups();
    rules.kind_of_function();
    rules.parameters();
    rules.constants();
}

struct Rules<'a> {
    settings: &'a Settings,
    function: &'a Function,
    bindings: &'a [PatIdent],
    mistakes: &'a mut Mistakes,
}

impl Rules<'_> {
    fn ranges(&mut self) {
        let settings = self.settings;
        self.at_least_one(settings.retries.as_ref(), "no retries is what you get without it: leave `retries` out");
        self.at_least_one(settings.burst.as_ref(), "`burst` is at least 1, the call itself");
        self.at_least_one(settings.concurrency.as_ref(), "`concurrency` is at least 1, or no call could ever run");
        for duration in [&settings.base_delay, &settings.max_delay, &settings.timeout, &settings.deadline] {
            self.above_zero(duration.as_ref());
        }
        self.above_zero(settings.last_known.as_ref().map(|last_known| &last_known.age));
        for name in [&settings.name, &settings.bucket, &settings.bulkhead] {
            self.not_empty(name.as_ref());
        }
        if let Some(breaker) = &settings.breaker {
            self.not_empty(breaker.name.as_ref());
            for count in [&breaker.failure_threshold, &breaker.half_open_calls, &breaker.success_threshold] {
                self.at_least_one(count.as_ref(), "this is at least 1");
            }
            self.breaker_windows(breaker);
            self.above_zero(breaker.recovery_timeout.as_ref());
            self.above_zero(breaker.max_recovery_timeout.as_ref());
        }
        self.ratios();
        self.max_keys();
    }

    fn max_keys(&mut self) {
        let settings = self.settings;
        let own = Kind::ALL.into_iter().filter_map(|kind| settings.own_keying(kind));
        for keying in own.clone().chain([&settings.keying]) {
            if let Some(Setting { given, literal: Some(Count(count)), .. }) = &keying.max_keys
                && !(1..=MOST_KEYS).contains(count)
            {
                self.mistakes.on(given, "`max_keys` is from 1 to 10,000,000");
            }
        }
        for keying in own.filter(|keying| keying.key.is_none() && settings.keying.key.is_none()) {
            if let Some(max_keys) = keying.max_keys.as_ref().filter(|_| !settings.is_misread) {
                self.mistakes.on(&max_keys.key, "`max_keys` needs `key` beside it, such as `key = tenant`");
            }
        }
    }

    fn ratios(&mut self) {
        if let Some(Setting { given, literal: Some(Jitter::Ratio(ratio)), .. }) = &self.settings.jitter
            && !(0.0..=1.0).contains(ratio)
        {
            self.mistakes.on(given, "a jitter ratio is between 0 and 1: `jitter = 0.25` is ±25 %");
        }
        match &self.settings.budget {
            Some(Setting { given, literal: Some(Budget::Ratio(ratio)), .. }) if !(*ratio > 0.0 && *ratio <= 10.0) => {
                let message =
                    "a budget is above 0 and at most 10: `budget = 0.2` lets retries add 20 %, `budget = none` any number";
                self.mistakes.on(given, message);
            }
            Some(Setting { given, literal: Some(Budget::Named(name)), .. }) if name.is_empty() => {
                self.mistakes.on(given, "this name is empty");
            }
            _ => {}
        }
    }

    fn at_least_one(&mut self, setting: Option<&Setting<Count>>, message: &str) {
        if let Some(Setting { given, literal: Some(Count(0)), .. }) = setting {
            self.mistakes.on(given, message);
        }
    }

    fn above_zero(&mut self, setting: Option<&Setting<Duration>>) {
        if let Some(Setting { key, given, literal: Some(Duration::ZERO) }) = setting {
            self.mistakes.on(given, format!("`{key}` must be above zero"));
        }
    }

    fn not_empty(&mut self, setting: Option<&Setting<Name>>) {
        if let Some(Setting { given, literal: Some(name), .. }) = setting
            && name.is_empty()
        {
            self.mistakes.on(given, "this name is empty");
        }
    }

    fn order_of_durations(&mut self) {
        let settings = self.settings;
        self.not_above(
            ("base_delay", settings.base_delay.as_ref(), Some(BASE_DELAY)),
            ("max_delay", settings.max_delay.as_ref(), Some(MAX_DELAY)),
        );
        self.not_above(("timeout", settings.timeout.as_ref(), None), ("deadline", settings.deadline.as_ref(), None));
        if let Some(breaker) = &settings.breaker {
            self.not_above(
                ("recovery_timeout", breaker.recovery_timeout.as_ref(), Some(RECOVERY_TIMEOUT)),
                ("max_recovery_timeout", breaker.max_recovery_timeout.as_ref(), None),
            );
        }
    }

    fn not_above(&mut self, shorter: Limit<'_>, longer: Limit<'_>) {
        let (Some(low), Some(high)) = (known(shorter), known(longer)) else { return };
        if low <= high || low.is_zero() || high.is_zero() {
            return;
        }
        let said = |limit: Limit<'_>, value| match limit.1 {
            Some(_) => format!("`{}` ({})", limit.0, show(value)),
            None => format!("the default `{}` ({})", limit.0, show(value)),
        };
        let message = format!("{} is longer than {}", said(shorter, low), said(longer, high));
        if let Some(setting) = shorter.1.or(longer.1) {
            self.mistakes.on(&setting.given, message);
        }
    }

    fn words(&mut self) {
        for setting in self.settings.per_call().chain(self.settings.shared()) {
            if let Some((word, message)) = setting.unknown_word()
                && self.bindings.iter().all(|binding| binding.ident != *word)
            {
                self.mistakes.on(word, message);
            }
        }
    }

    fn company(&mut self) {
        for (key, needed) in NEEDS {
            if let Some(typed) = self.settings.key(key)
                && !self.settings.has_any(needed)
                && typed == key
                && !(*key == "key" && self.settings.last_known.is_some())
            {
                let (needed, usage) = (list(needed.iter().copied()), usage(KEYS, needed[0]));
                self.mistakes.on(typed, format!("`{key}` needs {needed} beside it, such as `{usage}`"));
            }
        }
        if !self.settings.is_misread && !self.settings.has_any(POLICIES) {
            let message = "this attribute does nothing yet; say what to do, such as `#[resilient(retries = 3)]`";
            self.mistakes.at(Span::call_site(), message);
        }
    }

    fn contradictions(&mut self) {
        let settings = self.settings;
        if let (Some(backoff), Some(jitter)) = (&settings.backoff, &settings.jitter)
            && backoff.literal == Some(Backoff::Decorrelated)
        {
            self.mistakes.on(&jitter.key, "`decorrelated` is random by itself; leave `jitter` out");
        }
        if let (Some(map_err), true) = (settings.key("map_err"), settings.fallback.is_some()) {
            self.mistakes.on(map_err, "`fallback` gets every refusal before `map_err` could; give one of them");
        }
        let waits_for_ever = matches!(&settings.max_wait, Some(Setting { literal: Some(MaxWait::Unlimited), .. }));
        if let Some(map_err) = settings.key("map_err")
            && waits_for_ever
            && !settings.has_any(&["timeout", "deadline", "breaker"])
        {
            self.mistakes.on(map_err, "with `max_wait = none` nothing here refuses a call; leave `map_err` out");
        }
    }

    fn groups(&mut self) {
        let settings = self.settings;
        if settings.is_misread {
            return;
        }
        if let Some(bucket) = settings.key("bucket").filter(|_| settings.bucket.is_none() && !settings.has("rate")) {
            self.mistakes.on(bucket, "this bucket needs a name or a rate: `bucket(name = \"stripe\", …)`");
        }
        if let Some(bulkhead) = settings.key("bulkhead").filter(|_| settings.bulkhead.is_none() && !settings.has("concurrency")) {
            self.mistakes.on(bulkhead, "this bulkhead needs a name or `concurrency`: `bulkhead(name = \"db\", …)`");
        }
        if let Some(key) = settings.key("key").filter(|_| settings.has_any(KEYABLE))
            && !Kind::ALL.into_iter().any(|kind| settings.shares_key(kind))
            && !settings.keeps_by_key()
        {
            self.mistakes.on(key, "everything here has a key of its own; leave this one out");
        }
    }

    fn kind_of_function(&mut self) {
        let signature = &self.function.signature;
        if let Some(constant) = &signature.constness {
            self.mistakes.on(constant, "a `const fn` cannot wait, and has no clock; take the `const` away");
        }
        if let Some(variadic) = &signature.variadic {
            self.mistakes.on(variadic.dots, "`#[resilient]` cannot pass variadic arguments on");
        }
        if let ReturnType::Type(_, ty) = &signature.output
            && let Type::Never(never) = &**ty
        {
            self.mistakes.on(never, "this function never returns, so there is no outcome to guard");
        }
        for input in &signature.inputs {
            if let FnArg::Typed(parameter) = input
                && let Some(or) = or_pattern(&parameter.pat)
            {
                self.mistakes.on(or, "an or-pattern cannot be passed on to attempts; bind the whole and match in the body");
            }
        }
        if let Some(track_caller) = self.function.attribute("track_caller") {
            let message = "`#[track_caller]` has no effect on the attempts that `#[resilient]` makes; take it away";
            self.mistakes.on(track_caller.path(), message);
        }
        if let Some(second) = self.function.attribute("resilient") {
            self.mistakes.on(second.path(), "`#[resilient]` is here twice; join the keys in one attribute");
        }
        self.kind_of_waiting();
    }

    fn kind_of_waiting(&mut self) {
        let (settings, signature) = (self.settings, &self.function.signature);
        if self.function.is_async() {
            if !cfg!(feature = "tokio") {
                let message = "async functions need the feature `tokio` of `resilient-fn`; it is on by default";
                match &signature.asyncness {
                    Some(asyncness) => self.mistakes.on(asyncness, message),
                    None => self.mistakes.on(&signature.ident, message),
                }
            }
            return;
        }
        if let Some(timeout) = settings.key("timeout").filter(|typed| *typed == "timeout") {
            let message = "a sync function cannot be stopped half-way: `timeout` is for async functions; \
                           `deadline` bounds the attempts and waits of this one";
            self.mistakes.on(timeout, message);
        }
        let closure = settings.fallback.as_ref().and_then(Fallback::closure);
        if let Some(asyncness) = closure.and_then(|closure| closure.asyncness) {
            self.mistakes.on(asyncness, "this function is not async, so its fallback cannot be either");
        }
    }

    fn parameters(&mut self) {
        let (settings, bindings) = (self.settings, self.bindings);
        for name in settings.clone.iter().chain(&settings.reuse) {
            if bindings.iter().all(|binding| binding.ident != *name) {
                self.no_such_parameter(name);
            }
        }
        for name in &settings.clone {
            if name == "self" {
                let message = "`self` cannot be cloned for the body; begin it with `let this = self.clone();`";
                self.mistakes.on(name, message);
            }
        }
        for name in &settings.reuse {
            let is_fixed = |binding: &&PatIdent| binding.ident == *name && binding.mutability.is_none();
            if settings.clone.contains(name) {
                self.mistakes.on(name, format!("`{name}` cannot be both cloned and reused"));
            } else if bindings.iter().any(|binding| is_fixed(&binding)) {
                self.mistakes.on(name, format!("`{name}` is not `mut`, so there is no change that an attempt could see"));
            }
        }
        self.fallback_parameters();
        self.context();
        self.kept_value();
        self.receiver();
    }

    fn context(&mut self) {
        let name = self.settings.context.as_ref();
        if let Some(name) = name.filter(|name| self.bindings.iter().any(|binding| binding.ident == **name)) {
            let message = format!("`{name}` is a parameter of this function; give the context another name");
            self.mistakes.on(name, message);
        }
    }

    fn no_such_parameter(&mut self, name: &Ident) {
        let names: Vec<_> = self.bindings.iter().map(|binding| binding.ident.to_string()).collect();
        let nearest = nearest(&name.to_string(), names.iter().map(String::as_str));
        let advice = nearest.map_or(String::new(), |nearest| format!("; did you mean `{nearest}`?"));
        self.mistakes.on(name, format!("there is no parameter `{name}`{advice}"));
    }

    fn fallback_parameters(&mut self) {
        let closure = self.settings.fallback.as_ref().and_then(Fallback::closure);
        if let Some(closure) = closure.filter(|closure| closure.inputs.len() != 1) {
            let (begin, inputs, end) = (&closure.inputs_begin, &closure.inputs, &closure.inputs_end);
            let bars = quote!(#begin #inputs #end);
            self.mistakes.on(bars, "the fallback takes one argument, the failure: `fallback = |failure| …`");
        }
    }

    fn kept_value(&mut self) {
        let Some(last_known) = &self.settings.last_known else { return };
        let returned = match (self.function.promise(), &self.function.signature.output) {
            (Some(Promise::Of(output)), _) => output,
            (None, ReturnType::Type(_, ty)) => ty,
            _ => return,
        };
        if let Some(borrow) = borrowed_value(returned) {
            let word = last_known.word();
            let message = format!("`{word}` keeps the value beyond the call, so the function must return one that borrows nothing");
            self.mistakes.on(borrow, message);
        }
    }

    fn receiver(&mut self) {
        let Some(receiver) = self.function.signature.receiver() else { return };
        let is_reused = self.settings.reuse.iter().any(|name| name == "self");
        if let Some(mutability) = receiver.mutability
            && self.settings.has("retries")
            && !is_reused
        {
            let message = "no attempt can have a `mut self` of its own; let them share it with `reuse(self)`";
            self.mistakes.on(mutability, message);
        }
    }

    /// What is shared, or named, is set up before any argument exists.
    fn constants(&mut self) {
        let out_of_reach = self.out_of_reach();
        let of_resources = self.settings.of_resources().map(|setting| (setting, true));
        let constants = of_resources.chain(self.settings.other_constants().map(|setting| (setting, false)));
        for (setting, can_be_keyed) in constants.filter(|(setting, _)| !setting.is_literal()) {
            let (key, mentions) = (setting.key(), Mentions::of(setting.given().to_token_stream()));
            if let Some(name) = out_of_reach.iter().find(|name| mentions.contains(name)) {
                let message =
                    format!("`{key}` must be known before the program starts, so it cannot use `{name}`; give a constant");
                let advice = if can_be_keyed { self.keyed_instead(setting) } else { String::new() };
                self.mistakes.on(setting.given(), format!("{message}{advice}"));
            }
        }
    }

    /// What is shared can still be another for each value of an expression.
    fn keyed_instead(&self, setting: &dyn Given) -> String {
        let key = setting.key().to_string();
        let (example, is_name) = match key.as_str() {
            "breaker" | "name" => ("breaker = \"partner\"", true),
            "bucket" | "bulkhead" => (usage(KEYS, &key), true),
            "rate" | "concurrency" => (usage(KEYS, &key), false),
            "burst" => ("rate = \"10/s\"", false),
            _ => ("breaker = \"partner\"", false),
        };
        let given = setting.given().to_token_stream().to_string();
        let is_argument = is_name && self.bindings.iter().any(|binding| binding.ident == given);
        let value = if is_argument { given.as_str() } else { "tenant" };
        format!(", and a `key` to have one for each value: `{example}, key = {value}`")
    }

    fn out_of_reach(&self) -> Vec<Ident> {
        let generics = self.function.signature.generics.params.iter().filter_map(|parameter| match parameter {
            GenericParam::Type(parameter) => Some(&parameter.ident),
            GenericParam::Const(parameter) => Some(&parameter.ident),
            GenericParam::Lifetime(_) => None,
        });
        let arguments = self.bindings.iter().map(|binding| &binding.ident);
        let this = ["self", "Self"].map(|word| Ident::new(word, Span::call_site()));
        arguments.chain(generics).cloned().chain(this).collect()
    }
}

/// A key, what it was given, and what it is otherwise.
type Limit<'a> = (&'static str, Option<&'a Setting<Duration>>, Option<Duration>);

fn known((_, setting, default): Limit<'_>) -> Option<Duration> {
    setting.map_or(default, |setting| setting.literal)
}

/// An or-pattern, however deep.
fn or_pattern(pattern: &Pat) -> Option<TokenTree> {
    fn bar(tokens: TokenStream) -> Option<TokenTree> {
        tokens.into_iter().find_map(|token| match token {
            TokenTree::Group(group) => bar(group.stream()),
            TokenTree::Punct(punct) if punct.as_char() == '|' => Some(TokenTree::Punct(punct)),
            _ => None,
        })
    }
    bar(pattern.to_token_stream())
}
