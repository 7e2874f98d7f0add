//! How the arguments reach an attempt: moved, lent, copied afresh, or cloned from a spare.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::punctuated::Punctuated;
use syn::{Attribute, FnArg, Generics, Ident, Pat, PatIdent, Receiver, ReceiverKind, Signature, Token, Type};

use crate::body::{Body, Let};
use crate::guard::mixed;
use crate::mentions::Mentions;
use crate::settings::{Settings, alias_at};
use crate::types;

/// What a binding holds, as far as its spelling tells.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Holds {
    /// A value that may lack `Sync`, so that lending it uniquely keeps futures `Send`.
    Value,
    /// Any other value. It is not lent: that takes a `mut`, and would hide that the user forgot one.
    Plain,
    Shared,
    Unique,
    /// What a `mut` copies out of a reference, up to edition 2021: `(mut x, _): &(u8, u8)`.
    TakenOut,
    Unknown,
}

impl Holds {
    fn of(ty: &Type, generics: &Generics) -> Self {
        match types::bare(ty) {
            Type::Reference(reference) if reference.mutability.is_some() => Self::Unique,
            Type::Reference(_) => Self::Shared,
            _ if types::may_lack_sync(ty, generics) => Self::Value,
            _ => Self::Plain,
        }
    }

    pub(crate) fn of_receiver(receiver: &Receiver, generics: &Generics) -> Self {
        match &receiver.kind {
            ReceiverKind::Reference(_, _, Some(_)) => Self::Unique,
            ReceiverKind::Reference(_, _, None) => Self::Shared,
            ReceiverKind::Typed(_, ty) => Self::of(ty, generics),
            _ => Self::Plain,
        }
    }

    /// What is known of a part that a nested pattern takes out.
    fn part(self, pattern: &Pat) -> Self {
        match (self, pattern) {
            (Self::Shared | Self::Unique, Pat::Ident(binding)) if binding.by_ref.is_none() && binding.mutability.is_some() => {
                Self::TakenOut
            }
            (Self::Value | Self::Plain, Pat::Ident(_) | Pat::Reference(_)) => self,
            (Self::Value | Self::Plain, _) => Self::Unknown,
            _ => self,
        }
    }
}

/// What a pattern may take apart: of a tuple, each part is known.
pub(crate) enum Shape {
    One(Holds),
    Tuple(Holds, Vec<Shape>),
}

impl Shape {
    pub(crate) fn of(ty: &Type, generics: &Generics) -> Self {
        let holds = Holds::of(ty, generics);
        match types::bare(ty) {
            Type::Tuple(tuple) => Self::Tuple(holds, tuple.elems.iter().map(|part| Self::of(part, generics)).collect()),
            _ => Self::One(holds),
        }
    }

    pub(crate) fn holds(&self) -> Holds {
        match self {
            Self::One(holds) | Self::Tuple(holds, _) => *holds,
        }
    }
}

/// The statements that bring the arguments to the attempts.
#[derive(Default)]
pub(crate) struct Passing {
    /// In front of the first attempt.
    pub(crate) spares: TokenStream,
    /// Makes the attempt borrow mutably, so that its future needs `Send` of an argument and not `Sync`.
    pub(crate) lent: TokenStream,
    /// Makes the attempt own what nobody asks for when it is over, so that its future needs `Send` of it and not `Sync`.
    pub(crate) moved: TokenStream,
    /// At the start of each attempt.
    pub(crate) copies: TokenStream,
    /// In front of the fallback.
    pub(crate) given_back: TokenStream,
    /// Whether the arguments must outlive an attempt.
    pub(crate) is_kept: bool,
}

/// Decides for each argument, and puts the `mut`s where the decisions need them.
pub(crate) fn pass(signature: &mut Signature, body: &mut Body, settings: &Settings, is_async: bool) -> Passing {
    let mut lets = std::mem::take(&mut body.lets);
    let handlers = settings.handlers();
    // What is lent to the function can be copied into the attempt.
    let is_asked_for = |(name, holds): &(Ident, Holds)| *holds != Holds::Shared && handlers.contains(name);
    let is_kept = settings.retries.is_some()
        || settings.fallback.is_some()
        || variables(signature, &lets, &body.locals).iter().any(is_asked_for);
    let is_moved_inside = !lets.is_empty();
    let mut rules = Rules {
        settings,
        is_async,
        generics: &signature.generics,
        body: Mentions::of(body.block.stream()),
        prelude: &body.prelude,
        fallback: settings.fallback.as_ref().map(crate::fallback::Fallback::mentions).unwrap_or_default(),
        handlers,
        is_kept,
        passing: Passing { is_kept, ..Passing::default() },
    };
    rules.inputs(&mut signature.inputs, is_moved_inside);
    for Let { attributes, pattern, shape, .. } in &mut lets {
        let cfg = cfg(attributes);
        each_binding(pattern, shape, &mut |binding, holds| rules.binding(binding, holds, &cfg));
    }
    let passing = rules.passing;
    body.lets = lets;
    passing
}

struct Rules<'a> {
    settings: &'a Settings,
    is_async: bool,
    generics: &'a Generics,
    body: Mentions,
    prelude: &'a Mentions,
    fallback: Mentions,
    /// What `map_err`, `retry_if` and `classify` name.
    handlers: Mentions,
    is_kept: bool,
    passing: Passing,
}

impl Rules<'_> {
    fn inputs(&mut self, inputs: &mut Punctuated<FnArg, Token![,]>, is_moved_inside: bool) {
        for input in inputs {
            match input {
                FnArg::Receiver(receiver) if !is_moved_inside => self.receiver(receiver),
                FnArg::Receiver(_) => {}
                FnArg::Typed(parameter) => {
                    let (cfg, shape) = (cfg(&parameter.attrs), Shape::of(&parameter.ty, self.generics));
                    if !is_moved_inside || !matches!(shape.holds(), Holds::Value | Holds::Plain) {
                        each_binding(&mut parameter.pat, &shape, &mut |binding, holds| self.binding(binding, holds, &cfg));
                    }
                }
            }
        }
    }

    fn binding(&mut self, binding: &mut PatIdent, holds: Holds, cfg: &TokenStream) {
        let name = &binding.ident;
        let is_mut = binding.mutability.is_some() && binding.by_ref.is_none();
        let is_kept = self.is_kept && self.body.contains(name);
        if self.is_retried() && self.settings.clone.contains(name) && self.handlers.contains(name) {
            self.copy(binding, holds, cfg);
        } else if self.is_retried() && self.settings.clone.contains(name) {
            self.spare(binding, cfg);
        } else if is_kept && self.is_retried() && is_mut && !self.settings.reuse.contains(name) {
            self.copy(binding, holds, cfg);
        } else if is_kept && self.is_async && !self.prelude.contains(name) {
            if self.is_given_up(name) { self.give(name, holds, cfg) } else { self.lend(binding, holds, cfg) }
        }
    }

    fn receiver(&mut self, receiver: &mut Receiver) {
        let this = Ident::from(receiver.self_token);
        if !self.is_async || !self.is_kept || !self.body.contains(&this) || self.prelude.contains(&this) {
            return;
        }
        let place = mixed().located_at(this.span());
        let lent = match Holds::of_receiver(receiver, self.generics) {
            holds if self.is_given_up(&this) => return self.give(&this, holds, &TokenStream::new()),
            Holds::Plain if receiver.mutability.is_none() => return,
            Holds::Unique => quote_spanned!(place=> *#this),
            Holds::Value | Holds::Plain => {
                receiver.mutability.get_or_insert(silent_mut(&this));
                quote!(#this)
            }
            Holds::Shared | Holds::TakenOut | Holds::Unknown => return,
        };
        self.passing.lent.extend(quote_spanned!(place=> let _ = &mut #lent;));
    }

    // Input:  mut buffer: Vec<u8>
    // Output: let mut buffer = Fresh::fresh(&buffer);
    fn copy(&mut self, binding: &mut PatIdent, holds: Holds, cfg: &TokenStream) {
        let (name, mutability) = (&binding.ident, binding.mutability.take());
        if holds == Holds::TakenOut {
            // Without its `mut` it would be a reference, and one of ours is of another edition.
            binding.mutability = mutability;
        }
        let fresh = mixed().located_at(name.span());
        let p = alias_at(fresh);
        let copy = if holds == Holds::Unique {
            quote_spanned!(fresh=> &mut *#name)
        } else {
            quote_spanned!(fresh=> #p::Fresh::fresh(&#name))
        };
        self.passing.copies.extend(quote_spanned!(fresh=> #cfg let #mutability #name = #copy;));
        if self.prelude.contains(name) {
            binding.mutability = mutability;
        } else {
            // The body sees the copy, so the `mut` that lending takes hides nothing.
            self.lend(binding, if holds == Holds::Plain { Holds::Value } else { holds }, cfg);
        }
    }

    fn lend(&mut self, binding: &mut PatIdent, holds: Holds, cfg: &TokenStream) {
        let name = &binding.ident;
        let place = mixed().located_at(name.span());
        let lent = match holds {
            Holds::Unique if binding.mutability.is_none() || binding.by_ref.is_some() => quote_spanned!(place=> *#name),
            Holds::Plain if binding.mutability.is_none() => return,
            Holds::Value | Holds::Plain | Holds::Unique | Holds::TakenOut => {
                binding.mutability.get_or_insert(silent_mut(name));
                quote!(#name)
            }
            Holds::Shared | Holds::Unknown => return,
        };
        self.passing.lent.extend(quote_spanned!(place=> #cfg let _ = &mut #lent;));
    }

    // Input:  order: Order
    // Output: let mut __spare_order = Spare::new(order); … let order = Spare::next(&mut __spare_order, __last);
    fn spare(&mut self, binding: &mut PatIdent, cfg: &TokenStream) {
        let (name, mutability) = (&binding.ident, binding.mutability.take());
        let (place, is_given_back) = (mixed().located_at(name.span()), self.fallback.contains(name));
        let p = alias_at(place);
        let spare = format_ident!("__spare_{}", name.unraw(), span = place);
        let is_last = if is_given_back { quote!(false) } else { quote_spanned!(mixed()=> __last) };
        let passing = &mut self.passing;
        passing.spares.extend(quote_spanned!(place=> #cfg let mut #spare = #p::Spare::new(#name);));
        passing.copies.extend(quote_spanned!(place=> #cfg let #mutability #name = #p::Spare::next(&mut #spare, #is_last);));
        if is_given_back {
            passing.given_back.extend(quote_spanned!(place=> #cfg let #name = #p::Spare::into_inner(#spare);));
        }
    }

    // Output: let _ = identity(client);
    fn give(&mut self, name: &Ident, holds: Holds, cfg: &TokenStream) {
        if holds != Holds::Shared {
            let place = mixed().located_at(name.span());
            let p = alias_at(place);
            self.passing.moved.extend(quote_spanned!(place=> #cfg let _ = #p::identity(#name);));
        }
    }

    /// Whether the only attempt may have it for good.
    fn is_given_up(&self, name: &Ident) -> bool {
        !self.is_retried() && self.settings.fallback.is_none() && !self.handlers.contains(name)
    }

    fn is_retried(&self) -> bool {
        self.settings.retries.is_some()
    }
}

/// A `mut` of ours, which no lint will call the user's.
fn silent_mut(name: &Ident) -> Token![mut] {
    Token![mut](mixed().located_at(name.span()))
}

/// A parameter that is configured away must not be mentioned either.
fn cfg(attributes: &[Attribute]) -> TokenStream {
    let cfg = attributes.iter().filter(|attribute| attribute.path().is_ident("cfg"));
    quote!(#(#cfg)*)
}

/// Every variable that stands outside of the attempts.
fn variables(signature: &Signature, lets: &[Let], locals: &[Pat]) -> Vec<(Ident, Holds)> {
    let mut variables = Vec::new();
    let mut add = |pattern: &Pat, shape: &Shape| {
        each_binding(&mut pattern.clone(), shape, &mut |binding, holds| variables.push((binding.ident.clone(), holds)));
    };
    for input in &signature.inputs {
        if let FnArg::Typed(parameter) = input {
            add(&parameter.pat, &Shape::of(&parameter.ty, &signature.generics));
        }
    }
    for Let { pattern, shape, .. } in lets {
        add(pattern, shape);
    }
    for pattern in locals {
        add(pattern, &Shape::One(Holds::Unknown));
    }
    let receiver = signature.receiver().map(|this| (Ident::from(this.self_token), Holds::of_receiver(this, &signature.generics)));
    variables.into_iter().chain(receiver).collect()
}

/// The variables that a pattern binds.
pub(crate) fn bound_by(pattern: &Pat) -> Vec<PatIdent> {
    let mut bindings = Vec::new();
    each_binding(&mut pattern.clone(), &Shape::One(Holds::Unknown), &mut |binding, _| bindings.push(binding.clone()));
    bindings
}

fn each_binding(pattern: &mut Pat, shape: &Shape, visit: &mut impl FnMut(&mut PatIdent, Holds)) {
    let holds = shape.holds();
    match pattern {
        Pat::Ident(binding) => {
            if let Some((_, inner)) = &mut binding.subpat {
                each_part([&mut **inner], holds, visit);
            }
            bound(binding, holds, visit);
        }
        Pat::Paren(paren) => each_binding(&mut paren.pat, shape, visit),
        Pat::Type(typed) => each_binding(&mut typed.pat, shape, visit),
        // `&mut x` would not be a `mut x` behind a reference.
        Pat::Reference(reference) => each_binding(&mut reference.pat, &Shape::One(Holds::Unknown), visit),
        Pat::Tuple(tuple) => match shape {
            // A `..` among as many then stands for one.
            Shape::Tuple(_, parts) if parts.len() == tuple.elems.len() => {
                for (part, shape) in tuple.elems.iter_mut().zip(parts) {
                    each_binding(part, shape, visit);
                }
            }
            _ => each_part(&mut tuple.elems, holds, visit),
        },
        Pat::TupleStruct(tuple) => each_part(&mut tuple.elems, holds, visit),
        Pat::Slice(slice) => each_part(&mut slice.elems, holds, visit),
        Pat::Struct(structure) => each_part(structure.fields.iter_mut().map(|field| &mut *field.pat), holds, visit),
        _ => {}
    }
}

fn each_part<'a>(parts: impl IntoIterator<Item = &'a mut Pat>, holds: Holds, visit: &mut impl FnMut(&mut PatIdent, Holds)) {
    for part in parts {
        let holds = holds.part(part);
        each_binding(part, &Shape::One(holds), visit);
    }
}

fn bound(binding: &mut PatIdent, holds: Holds, visit: &mut impl FnMut(&mut PatIdent, Holds)) {
    let is_plain = binding.mutability.is_none() && binding.by_ref.is_none() && binding.subpat.is_none();
    let is_unit_struct = is_plain && binding.ident.to_string().starts_with(char::is_uppercase);
    let holds = match (&binding.by_ref, &binding.mutability) {
        (Some(_), Some(_)) => Holds::Unique,
        (Some(_), None) => Holds::Shared,
        (None, _) => holds,
    };
    if !is_unit_struct {
        visit(binding, holds);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expand::resilient;

    /// So that a lint which speaks of it points at the argument, and not at the whole attribute.
    #[test]
    #[cfg(feature = "tokio")]
    fn a_mut_of_ours_stands_where_the_argument_does() {
        let function = "async fn call(self: Box<dyn Api>, cell: Cell<u8>) -> Result<u8, E> { self.call(cell.get()) }";
        let emitted: syn::ItemFn = syn::parse2(resilient(quote!(retries = 1), function.parse().unwrap())).unwrap();
        let muts = emitted.sig.inputs.iter().map(|input| match input {
            FnArg::Receiver(receiver) => receiver.mutability,
            FnArg::Typed(parameter) => bound_by(&parameter.pat)[0].mutability,
        });
        let columns: Vec<_> = muts.map(|of_ours| of_ours.unwrap().span.start().column).collect();
        assert_eq!(columns, ["self", "cell"].map(|name| function.find(name).unwrap()));
    }

    /// What a pattern has looked through may be a reference to it by then, which no `mut` of ours may stand before.
    #[test]
    #[cfg(feature = "tokio")]
    fn a_part_is_lent_where_it_is_known_to_be_a_value() {
        let is_lent = |parameter: &str| {
            let function = format!("async fn call({parameter}) -> Result<u8, E> {{ f(inner) }}");
            resilient(quote!(retries = 1), function.parse().unwrap()).to_string().contains("let _ = & mut inner ;")
        };
        assert!(is_lent("Outer(inner, _): Outer<Cell<u8>>"));
        assert!(is_lent("Outer(mut inner, _): Outer<u8>"));
        assert!(!is_lent("Outer((inner, _)): Outer<Cell<u8>>"));
        assert!(!is_lent("Outer((mut inner, _)): Outer<u8>"));
        assert!(!is_lent("Outer(inner, _): &Outer<Cell<u8>>"));
        assert!(!is_lent("Outer(ref inner, _): &Outer<Cell<u8>>"));
    }

    #[test]
    #[cfg(feature = "tokio")]
    fn what_is_sync_by_a_condition_is_not_lent() {
        let is_lent = |condition: &str| {
            let function = format!("async fn call<'a, 'b: 'a, T: Send>(inner: T) -> Result<u8, E> {condition} {{ f(inner) }}");
            resilient(quote!(retries = 1), function.parse().unwrap()).to_string().contains("let _ = & mut inner ;")
        };
        assert!(is_lent("") && is_lent("where 'a: 'b, Vec<T>: Sync"));
        assert!(!is_lent("where 'a: 'b, T: Clone + Sync"));
    }

    /// In the editions that allow it, `tests/lints-2021` shows what comes of it.
    #[test]
    fn a_mut_inside_a_reference_stays_and_is_copied_as_a_value() {
        for of in ["&", "&mut "] {
            let function = format!(
                "fn call((mut inner, ref mut other): {of}(u8, u8), mut whole: {of}u8) -> Result<u8, E> {{ f(inner, other, whole) }}"
            );
            let emitted = resilient(quote!(retries = 1), function.parse().unwrap()).to_string();
            assert!(
                emitted.contains("(mut inner , ref mut other)")
                    && emitted.contains("let mut inner = __p :: Fresh :: fresh (& inner)")
            );
            assert!(emitted.contains("let _ = & mut inner ;") && !emitted.contains("fresh (& other)"), "{emitted}");
            assert_eq!(emitted.contains("let mut whole = & mut * whole ;"), of == "&mut ", "{emitted}");
        }
    }
}
