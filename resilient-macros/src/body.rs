//! Where the code that is tried again stands inside the function.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::parse::{ParseStream, Parser};
use syn::spanned::Spanned;
use syn::{Attribute, Error, FnArg, Ident, Pat, PatIdent, Result, ReturnType, Signature, Token};

use crate::function::Function;
use crate::mentions::Mentions;
use crate::parameters::{Holds, Shape, bound_by};
use crate::tokens::{RENAMED_SELF, is_block, is_mark, is_word, regroup};
use crate::types::{Promise, nameable};

const HIDDEN: &str = "`#[resilient]` cannot see the async body of this function; write it as an `async fn`, \
                      or end it with `async move { … }` or `Box::pin(async move { … })`";

pub(crate) struct Body {
    /// The code itself, never looked into.
    pub(crate) block: Group,
    pub(crate) returns: Returns,
    /// How `#[async_trait]` moves the parameters into its block.
    pub(crate) lets: Vec<Let>,
    /// What stands in front of the block that becomes the future.
    pub(crate) prelude: Mentions,
    /// What is declared there.
    pub(crate) locals: Vec<Pat>,
    result: TokenStream,
    layers: Vec<Layer>,
}

/// What one run of the block gives.
pub(crate) struct Returns {
    /// Fit to be named inside the function.
    pub(crate) ty: TokenStream,
    pub(crate) span: Span,
    pub(crate) is_written: bool,
}

/// `let pattern = init;`
pub(crate) struct Let {
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) pattern: Pat,
    init: TokenStream,
    pub(crate) shape: Shape,
}

/// A group around the block, split where the block was.
struct Layer {
    around: Group,
    before: TokenStream,
    after: TokenStream,
}

impl Body {
    pub(crate) fn find(function: &Function) -> Result<Self> {
        let Some(block) = function.body.clone() else {
            let message = "`#[resilient]` needs a body to guard; put it on the implementation of this method";
            return Err(Error::new_spanned(&function.signature.ident, message));
        };
        let hidden = || Error::new_spanned(&function.signature.output, HIDDEN);
        let output = match function.promise() {
            None => return Ok(Self::new(block, Returns::of(function), Vec::new())),
            Some(Promise::Unsaid) => return Err(hidden()),
            Some(Promise::Of(output)) => output,
        };
        let (layers, block) = tail(block).ok_or_else(hidden)?;
        let returns = Returns { ty: nameable(output.to_token_stream()), span: output.span(), is_written: true };
        let body = Self::new(block, returns, layers);
        Ok(if is_async_trait(function) { body.inside_async_trait(function) } else { body })
    }

    fn new(block: Group, returns: Returns, layers: Vec<Layer>) -> Self {
        let prelude = layers.first().map(|layer| Mentions::of(layer.before.clone()));
        let locals = layers.iter().flat_map(|layer| declared(layer.before.clone())).collect();
        Self { block, returns, lets: Vec::new(), prelude: prelude.unwrap_or_default(), locals, result: TokenStream::new(), layers }
    }

    /// The variables of the block's surroundings: the function's parameters, as `#[async_trait]` moved them.
    pub(crate) fn bindings(&self, function: &Function) -> Vec<PatIdent> {
        let moved: Vec<_> = self.lets.iter().flat_map(|moved| bound_by(&moved.pattern)).collect();
        let is_moved = |binding: &PatIdent| moved.iter().any(|moved| moved.ident == binding.ident);
        let others: Vec<_> = function.bindings().into_iter().filter(|binding| !is_moved(binding)).collect();
        moved.into_iter().chain(others).collect()
    }

    /// What `self` is called where the block stands.
    pub(crate) fn receiver(&self) -> Option<&Ident> {
        self.lets.iter().find_map(|binding| match &binding.pattern {
            Pat::Ident(pattern) if pattern.ident == RENAMED_SELF => Some(&pattern.ident),
            _ => None,
        })
    }

    /// The function's body with something else in the block's place.
    pub(crate) fn wrap(&self, code: TokenStream) -> Group {
        let code = regroup(&self.block, code);
        let (lets, result) = (&self.lets, &self.result);
        let innermost = quote!(#(#lets)* #result #code);
        let whole = self.layers.iter().rev().fold(innermost, |inside, layer| {
            let (before, after) = (&layer.before, &layer.after);
            regroup(&layer.around, quote!(#before #inside #after)).into_token_stream()
        });
        match whole.into_iter().next() {
            Some(TokenTree::Group(group)) => group,
            _ => code,
        }
    }

    // Input:  async move { if let Some(__ret) = … {} let x = x; let __ret: R = BLOCK; __ret }
    // Output: the same split at BLOCK, since moving `x` belongs in front of the attempts.
    fn inside_async_trait(mut self, function: &Function) -> Self {
        let tokens: Vec<_> = self.block.stream().into_iter().collect();
        let Some((head, result, hole)) = async_trait_places(&tokens) else { return self };
        let Some(TokenTree::Group(block)) = tokens.get(hole) else { return self };
        let declare = |input: ParseStream<'_>| declarations(input, function);
        let Ok(lets) = declare.parse2(tokens[head..result].iter().cloned().collect()) else { return self };
        let layer = Layer {
            around: self.block.clone(),
            before: tokens[..head].iter().cloned().collect(),
            after: tokens[hole + 1..].iter().cloned().collect(),
        };
        self.layers.push(layer);
        self.result = tokens[result..hole].iter().cloned().collect();
        self.lets = lets;
        self.prelude = Mentions::default();
        self.block = block.clone();
        self
    }
}

impl Returns {
    fn of(function: &Function) -> Self {
        match &function.signature.output {
            ReturnType::Type(_, ty) => Self { ty: nameable(ty.to_token_stream()), span: ty.span(), is_written: true },
            ReturnType::Default => {
                let span = function.signature.ident.span();
                Self { ty: quote_spanned!(span=> ()), span, is_written: false }
            }
        }
    }
}

impl ToTokens for Let {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let Self { attributes, pattern, init, .. } = self;
        tokens.extend(quote!(#(#attributes)* let #pattern = #init;));
    }
}

/// Splits at the block of `… async move { … }` or `…pin(async move { … })`.
fn tail(around: Group) -> Option<(Vec<Layer>, Group)> {
    let mut before: Vec<_> = around.stream().into_iter().collect();
    let mut after = TokenStream::new();
    if before.last().is_some_and(|token| is_mark(token, ',')) {
        after.extend(before.pop());
    }
    let Some(TokenTree::Group(last)) = before.pop() else { return None };
    let is_future = last.delimiter() == Delimiter::Brace && ends_in_async(&before);
    let is_pin = before.last().is_some_and(|token| is_word(token, "pin"));
    let layer = Layer { around, before: before.into_iter().collect(), after };
    if is_future {
        return Some((vec![layer], last));
    }
    let (inner, block) = tail(last).filter(|_| is_pin)?;
    Some((std::iter::once(layer).chain(inner).collect(), block))
}

fn ends_in_async(tokens: &[TokenTree]) -> bool {
    match tokens {
        [.., first, second] if is_word(second, "move") => is_word(first, "async"),
        [.., last] => is_word(last, "async"),
        [] => false,
    }
}

fn is_async_trait(function: &Function) -> bool {
    let mut lifetimes = function.signature.generics.lifetimes();
    lifetimes.any(|lifetime| lifetime.lifetime.ident == "async_trait")
}

/// Where its declarations begin, where `let __ret: R =` begins, and where the block stands.
fn async_trait_places(tokens: &[TokenTree]) -> Option<(usize, usize, usize)> {
    let names_result = |token: &TokenTree| is_word(token, "__ret") || is_word(token, "_") || is_mark(token, '_');
    let result =
        tokens.windows(3).position(|window| is_word(&window[0], "let") && names_result(&window[1]) && is_mark(&window[2], ':'))?;
    let ends = |window: &[TokenTree]| is_block(&window[0]) && is_mark(&window[1], ';');
    let hole = result + tokens[result..].windows(2).position(ends)?;
    let starts_with_if = tokens.first().is_some_and(|token| is_word(token, "if"));
    let head = if starts_with_if { tokens.iter().position(is_block)? + 1 } else { 0 };
    Some((head, result, hole))
}

/// The patterns behind every `let` that stands in no braces.
fn declared(code: TokenStream) -> Vec<Pat> {
    let pattern = |input: ParseStream<'_>| {
        let pattern = Pat::parse_single(input)?;
        input.parse::<TokenStream>()?;
        Ok(pattern)
    };
    let tokens: Vec<_> = code.into_iter().collect();
    let lets = tokens.split(|token| is_word(token, "let")).skip(1);
    lets.filter_map(|behind| pattern.parse2(behind.iter().cloned().collect()).ok()).collect()
}

fn declarations(input: ParseStream<'_>, function: &Function) -> Result<Vec<Let>> {
    let mut lets = Vec::new();
    while !input.is_empty() {
        let attributes = input.call(Attribute::parse_outer)?;
        input.parse::<Token![let]>()?;
        let pattern = Pat::parse_single(input)?;
        input.parse::<Token![=]>()?;
        let init: TokenTree = input.parse()?;
        input.parse::<Token![;]>()?;
        let shape = moved_by(&init, &function.signature).unwrap_or(Shape::One(Holds::Value));
        lets.push(Let { attributes, pattern, init: init.into(), shape });
    }
    Ok(lets)
}

/// What a declaration moves, by the type of the parameter: `list`, or `{ let __arg1 = __arg1; __arg1 }`.
fn moved_by(init: &TokenTree, signature: &Signature) -> Option<Shape> {
    let moved = match init {
        TokenTree::Group(group) => group.stream().into_iter().last()?,
        init => init.clone(),
    };
    signature.inputs.iter().find_map(|input| match input {
        FnArg::Receiver(receiver) => is_word(&moved, "self").then(|| Shape::One(Holds::of_receiver(receiver, &signature.generics))),
        FnArg::Typed(parameter) => {
            let is_it = bound_by(&parameter.pat).iter().any(|binding| is_word(&moved, &binding.ident.to_string()));
            is_it.then(|| Shape::of(&parameter.ty, &signature.generics))
        }
    })
}
