//! `#[derive(Classify)]`: what each variant of an error means.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Attribute, Data, DeriveInput, Error, Expr, Fields, Ident, Member, Meta, Result, Type, WherePredicate};

use crate::attribute::{Entry, Value, entries};
use crate::guard::mixed;
use crate::mentions::Mentions;
use crate::mistakes::Mistakes;
use crate::settings::{expression, private, root};
use crate::spelling::{list, nearest};
use crate::types;
use crate::value::bare;

const MARKERS: &[&str] = &["transient", "throttled", "permanent", "ignored"];
const DEFAULTS: &[&str] = &["transient", "permanent", "ignored"];
const OF_ENUM: &[(&str, &str)] =
    &[("default", "#[classify(default = permanent)]"), ("crate", "#[classify(crate = \"path::to::resilient\")]")];
const OF_STRUCT: &[(&str, &str)] =
    &[("transparent", "#[classify(transparent)]"), ("crate", "#[classify(crate = \"path::to::resilient\")]")];
const OF_VARIANT: &[(&str, &str)] = &[("transparent", "#[classify(transparent)]")];
const OF_MARKER: &[(&str, &str)] = &[("retry_after", "#[throttled(retry_after = field)]")];

pub(crate) fn derive(item: TokenStream) -> TokenStream {
    let mut mistakes = Mistakes::default();
    let implementation = mistakes.keep(syn::parse2(item)).and_then(|item| implementation(&item, &mut mistakes));
    quote!(#mistakes #implementation)
}

// Input:
//     enum Failed {
//         #[throttled(retry_after = wait)]
//         Busy { wait: Duration },
//         #[permanent]
//         Refused,
//         #[classify(transparent)]
//         Io(io::Error),
//     }
//
// Output:
//     impl p::Classify for Failed {
//         fn classify(&self) -> p::Verdict {
//             match self {
//                 Self::Busy { wait: __hint, .. } => p::Verdict::Throttled { retry_after: p::retry_after(__hint) },
//                 Self::Refused { .. } => p::Verdict::Permanent,
//                 Self::Io { 0: __inner, .. } => p::Classify::classify(__inner),
//             }
//         }
//     }
fn implementation(item: &DeriveInput, mistakes: &mut Mistakes) -> Option<TokenStream> {
    let options = Options::read(item, mistakes);
    let cases = cases(item, &options, mistakes);
    let cases = mistakes.keep(cases)?;
    let meanings: Vec<_> = cases.iter().map(|case| case.meaning(&options, mistakes)).collect();
    let (p, name) = (&options.p, &item.ident);
    let mut generics = item.generics.clone();
    for bound in meanings.iter().filter_map(|meaning| meaning.bound(item, p)) {
        generics.make_where_clause().predicates.push(bound);
    }
    let (parameters, arguments, conditions) = generics.split_for_impl();
    let arms = cases.iter().zip(&meanings).map(|(case, meaning)| meaning.arm(&case.path, p));
    let deref = cases.is_empty().then(|| quote!(*));
    let is_scripted = cfg!(feature = "testing") && item.generics.params.is_empty() && item.generics.where_clause.is_none();
    let scripted = is_scripted.then(|| quote_spanned!(mixed()=> #[automatically_derived] impl #p::Scripted for #name {}));
    Some(quote_spanned! {mixed()=>
        #scripted
        #[automatically_derived]
        impl #parameters #p::Classify for #name #arguments #conditions {
            fn classify(&self) -> #p::Verdict {
                match #deref self { #(#arms,)* }
            }
        }
    })
}

/// What a variant means.
#[derive(Clone)]
enum Meaning {
    Transient(Option<Member>),
    Throttled(Option<Member>),
    Permanent,
    Ignored,
    /// Whatever its only field means.
    Transparent(Member, Box<Type>),
}

impl Meaning {
    fn of_word(word: &str, hint: Option<Member>) -> Option<Self> {
        match word {
            "transient" => Some(Self::Transient(hint)),
            "throttled" => Some(Self::Throttled(hint)),
            "permanent" => Some(Self::Permanent),
            "ignored" => Some(Self::Ignored),
            _ => None,
        }
    }

    fn arm(&self, path: &TokenStream, p: &TokenStream) -> TokenStream {
        let paced = |verdict: TokenStream, hint: &Option<Member>| match hint {
            None => quote_spanned!(mixed()=>
                #path { .. } => #p::Verdict::#verdict { retry_after: #p::None }
            ),
            Some(hint) => {
                let read = quote_spanned!(mixed().located_at(hint.span())=> #p::retry_after(__hint));
                quote_spanned!(mixed()=>
                    #path { #hint: __hint, .. } => #p::Verdict::#verdict { retry_after: #read }
                )
            }
        };
        match self {
            Self::Transient(hint) => paced(quote!(Transient), hint),
            Self::Throttled(hint) => paced(quote!(Throttled), hint),
            Self::Permanent => quote_spanned!(mixed()=> #path { .. } => #p::Verdict::Permanent),
            Self::Ignored => quote_spanned!(mixed()=> #path { .. } => #p::Verdict::Ignored),
            Self::Transparent(member, ty) => {
                let ask = quote_spanned!(mixed().located_at(ty.span())=> #p::Classify::classify(__inner));
                quote_spanned!(mixed()=> #path { #member: __inner, .. } => #ask)
            }
        }
    }

    /// `Field: Classify`, where the field's type is generic.
    fn bound(&self, item: &DeriveInput, p: &TokenStream) -> Option<WherePredicate> {
        let Self::Transparent(_, ty) = self else { return None };
        let mentions = Mentions::of(ty.to_token_stream());
        let is_generic = item.generics.type_params().any(|parameter| mentions.contains(&parameter.ident));
        is_generic.then(|| syn::parse2(quote!(#ty: #p::Classify)).ok()).flatten()
    }
}

/// What stands on the type itself.
struct Options {
    p: TokenStream,
    default: Meaning,
    is_transparent: bool,
}

impl Options {
    fn read(item: &DeriveInput, mistakes: &mut Mistakes) -> Self {
        let is_enum = matches!(item.data, Data::Enum(_));
        let keys = if is_enum { OF_ENUM } else { OF_STRUCT };
        let options = options(&item.attrs, keys, mistakes);
        let find = |key: &str| options.iter().find(|option| option.key == key);
        let root = find("crate").and_then(|option| mistakes.keep(expression(option, keys).and_then(root)).flatten());
        let default = find("default").and_then(|option| mistakes.keep(default(option)).flatten());
        for attribute in item.attrs.iter().filter(|attribute| is_enum && marker(attribute).is_some()) {
            let message = "an enum is marked variant by variant; `#[classify(default = permanent)]` is for the rest";
            mistakes.on(attribute.path(), message);
        }
        Self {
            p: private(root.as_ref(), mixed()),
            default: default.unwrap_or(Meaning::Transient(None)),
            is_transparent: find("transparent").is_some(),
        }
    }
}

/// The entries of all `#[classify(…)]`; the unknown ones are reported and left out.
fn options(attributes: &[Attribute], keys: Keys, mistakes: &mut Mistakes) -> Vec<Entry> {
    let mut known = Vec::new();
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("classify")) {
        let Meta::List(list) = &attribute.meta else {
            mistakes.on(attribute.path(), format!("write `{}`", keys[0].1));
            continue;
        };
        for entry in entries(list.tokens.clone(), mistakes) {
            if keys.iter().any(|(key, _)| entry.key == key) {
                known.push(entry);
            } else {
                mistakes.add(unknown(&entry.key, keys));
            }
        }
    }
    known
}

type Keys = &'static [(&'static str, &'static str)];

fn unknown(word: &Ident, keys: Keys) -> Error {
    let names = keys.iter().map(|(key, _)| *key);
    let message = match nearest(&word.to_string(), names.clone()) {
        Some(key) => format!("unknown word `{word}`; did you mean `{key}`?"),
        None => format!("unknown word `{word}`; here it can be {}", list(names)),
    };
    Error::new_spanned(word, message)
}

fn default(option: &Entry) -> Result<Option<Meaning>> {
    let Some(given) = expression(option, OF_ENUM)? else { return Ok(None) };
    let word = given.to_token_stream().to_string();
    if let Some(meaning) = Meaning::of_word(&word, None).filter(|_| DEFAULTS.contains(&word.as_str())) {
        return Ok(Some(meaning));
    }
    let nearest = nearest(&word, DEFAULTS.iter().copied()).map(|word| format!("did you mean `{word}`?"));
    let advice = nearest.unwrap_or_else(|| format!("it can be {}", list(DEFAULTS.iter().copied())));
    Err(Error::new_spanned(given, format!("no variant can be `{word}` by default; {advice}")))
}

/// A variant, or a whole struct.
struct Case<'a> {
    path: TokenStream,
    attributes: &'a [Attribute],
    fields: &'a Fields,
    is_transparent: bool,
}

fn cases<'a>(item: &'a DeriveInput, of_type: &Options, mistakes: &mut Mistakes) -> Result<Vec<Case<'a>>> {
    match &item.data {
        Data::Enum(data) => {
            let case = |variant: &'a syn::Variant| {
                let (name, attributes, fields) = (&variant.ident, &variant.attrs, &variant.fields);
                let is_transparent = !options(attributes, OF_VARIANT, mistakes).is_empty();
                Case { path: quote!(Self::#name), attributes, fields, is_transparent }
            };
            Ok(data.variants.iter().map(case).collect())
        }
        Data::Struct(data) => {
            let (attributes, fields, is_transparent) = (&item.attrs, &data.fields, of_type.is_transparent);
            Ok(vec![Case { path: quote!(Self), attributes, fields, is_transparent }])
        }
        Data::Union(data) => {
            Err(Error::new_spanned(data.union_token, "a union does not know what it holds; implement `Classify` by hand"))
        }
    }
}

impl Case<'_> {
    /// What the markers say, or else the default.
    fn meaning(&self, options: &Options, mistakes: &mut Mistakes) -> Meaning {
        let markers: Vec<_> = self.attributes.iter().filter(|attribute| marker(attribute).is_some()).collect();
        for second in markers.iter().skip(usize::from(!self.is_transparent)) {
            mistakes.on(second.path(), "this has a meaning already; keep one");
        }
        let marked = markers.first().and_then(|attribute| self.marked(attribute, mistakes));
        let meaning = if self.is_transparent { self.transparent(mistakes) } else { marked.or_else(|| self.refusal()) };
        meaning.unwrap_or_else(|| options.default.clone())
    }

    fn marked(&self, attribute: &Attribute, mistakes: &mut Mistakes) -> Option<Meaning> {
        let marker = marker(attribute)?;
        let mut hint = None;
        match &attribute.meta {
            Meta::Path(_) => {}
            Meta::List(list) if matches!(marker, "transient" | "throttled") => {
                for entry in entries(list.tokens.clone(), mistakes) {
                    let member = mistakes.keep(self.hint(&entry)).flatten();
                    hint = hint.or(member);
                }
            }
            Meta::List(_) | Meta::NameValue(_) => {
                mistakes.on(attribute.path(), format!("`#[{marker}]` takes nothing more"));
            }
        }
        Meaning::of_word(marker, hint)
    }

    /// The field of `retry_after = field`.
    fn hint(&self, entry: &Entry) -> Result<Option<Member>> {
        if entry.key != "retry_after" {
            return Err(unknown(&entry.key, OF_MARKER));
        }
        let given: &Expr = match &entry.value {
            Value::Expression(given) => bare(given),
            Value::Unreadable => return Ok(None),
            Value::Missing | Value::List(_) => {
                return Err(Error::new_spanned(&entry.key, format!("`retry_after` needs a field: `{}`", OF_MARKER[0].1)));
            }
        };
        let name = given.to_token_stream().to_string();
        let members: Vec<_> = self.fields.members().map(|member| member.to_token_stream().to_string()).collect();
        if members.contains(&name) {
            return syn::parse2(given.to_token_stream()).map(Some);
        }
        let nearest = nearest(&name, members.iter().map(String::as_str));
        let advice = nearest.map_or(String::new(), |nearest| format!("; did you mean `{nearest}`?"));
        Err(Error::new_spanned(given, format!("there is no field `{name}` here{advice}")))
    }

    fn transparent(&self, mistakes: &mut Mistakes) -> Option<Meaning> {
        let only = self.only_field();
        if only.is_none() {
            let mut places = self.attributes.iter().filter(|attribute| attribute.path().is_ident("classify"));
            let message = format!("`transparent` looks through one field, and here are {}", self.fields.len());
            mistakes.on(places.next().map(Attribute::path), message);
        }
        only
    }

    /// A refusal stays a refusal.
    fn refusal(&self) -> Option<Meaning> {
        let is_rejected = |ty: &Type| matches!(types::bare(ty), Type::Path(path) if types::ends_in(&path.path, "Rejected"));
        self.only_field().filter(|meaning| matches!(meaning, Meaning::Transparent(_, ty) if is_rejected(ty)))
    }

    fn only_field(&self) -> Option<Meaning> {
        let field = self.fields.iter().next().filter(|_| self.fields.len() == 1)?;
        Some(Meaning::Transparent(self.fields.members().next()?, Box::new(field.ty.clone())))
    }
}

fn marker(attribute: &Attribute) -> Option<&'static str> {
    MARKERS.iter().copied().find(|marker| attribute.path().is_ident(marker))
}
