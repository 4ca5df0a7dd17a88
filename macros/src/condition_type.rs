//! `#[derive(ConditionType)]`, in the same stages as the attribute, which are short enough for one file.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::parse::discouraged::Speculative;
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned;
use syn::{
    Attribute, Data, DeriveInput, Expr, ExprLit, Fields, Ident, Lit, LitBool, LitStr, Meta, Path,
    Token, Variant, parse_quote,
};

use crate::errors::Errors;
use crate::expand::import;
use crate::names;
use crate::options::nearest;
use crate::read;
use crate::target::allow_deprecated;

/// The enum, as far as it could be understood.
struct Model {
    input: DeriveInput,
    root: Option<Path>,
    conditions: Vec<Condition>,
}

struct Condition {
    ident: Ident,
    unit: bool,
    negative: bool,
    rename: Option<LitStr>,
    /// Whether the summary depends on it.
    counts: bool,
    /// What its doc comment says.
    meaning: String,
}

impl Condition {
    /// Its type, as it is written.
    fn written(&self) -> String {
        match &self.rename {
            Some(text) => text.value(),
            None => self.ident.unraw().to_string(),
        }
    }

    /// Where its type is given.
    fn place(&self) -> TokenStream {
        match &self.rename {
            Some(text) => text.to_token_stream(),
            None => self.ident.to_token_stream(),
        }
    }
}

const OPTIONS: [&str; 3] = ["negative", "rename", "summary"];

/// The implementation, or what can be made of it, and the errors.
pub(crate) fn expand(item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let input = match read::to_end(item, DeriveInput::parse) {
        Ok(input) => input,
        Err(error) => return error.to_compile_error(),
    };
    let model = build(input, &mut errors);
    check(&model, &mut errors);
    let implementation = implementation(&model);
    quote!(#implementation #errors)
}

fn build(input: DeriveInput, errors: &mut Errors) -> Model {
    let mut root = None;
    for attribute in conditions(&input.attrs) {
        options(attribute, errors, |word, input, errors| {
            match word.to_string().as_str() {
                "crate" if root.is_some() => errors.on(word, "`crate` is given twice"),
                "crate" => {
                    let path = input.parse::<Token![=]>().and_then(|_| read::module(input));
                    match path {
                        Ok(path) => root = Some(path),
                        Err(_) => errors.on(word, "write `#[condition(crate = your::path)]`"),
                    }
                }
                "negative" | "positive" | "rename" | "summary" => {
                    errors.on(
                        word,
                        format!("`{word}` belongs on a variant: each condition has its own"),
                    );
                }
                _ => errors.on(
                    word,
                    format!("unknown option `{word}`; an enum of conditions takes `crate`"),
                ),
            }
        });
    }
    let found = match &input.data {
        Data::Enum(data) => data
            .variants
            .iter()
            .map(|variant| condition(variant, errors))
            .collect(),
        _ => Vec::new(),
    };
    Model {
        input,
        root,
        conditions: found,
    }
}

fn condition(variant: &Variant, errors: &mut Errors) -> Condition {
    let mut condition = Condition {
        ident: variant.ident.clone(),
        unit: matches!(variant.fields, Fields::Unit),
        negative: false,
        rename: None,
        counts: true,
        meaning: meaning(&variant.attrs),
    };
    let mut seen = Vec::new();
    for attribute in conditions(&variant.attrs) {
        options(attribute, errors, |word, input, errors| {
            let given = word.to_string();
            let name = match OPTIONS.into_iter().find(|name| *name == given) {
                Some(name) => name,
                None if given == "positive" => {
                    return errors.on(word, "a condition is positive by itself: remove this");
                }
                None => {
                    let meant = nearest(&given.to_lowercase(), OPTIONS.into_iter());
                    errors.on(word, match meant {
                        Some(name) => format!("unknown option `{given}`; did you mean `{name}`?"),
                        None => format!(
                            "unknown option `{given}`; a condition takes `negative`, `rename` and `summary`"
                        ),
                    });
                    condition.negative |= meant == Some("negative");
                    return;
                }
            };
            if seen.contains(&name) {
                return errors.on(word, format!("`{name}` is given twice"));
            }
            seen.push(name);
            match name {
                "negative" => {
                    condition.negative = true;
                    if let Ok(token) = input.fork().parse::<proc_macro2::TokenTree>()
                        && !input.peek(Token![,])
                    {
                        errors.on(
                            token,
                            "`negative` takes no value: write `#[condition(negative)]`",
                        );
                    }
                }
                "rename" => match value::<LitStr>(input) {
                    Some(text) => condition.rename = Some(text),
                    None => errors.on(
                        word,
                        "`rename` takes one string literal: write `#[condition(rename = \"YourType\")]`",
                    ),
                },
                _ => match value::<LitBool>(input) {
                    Some(LitBool { value: false, .. }) => condition.counts = false,
                    Some(on) => errors.on(on, "it is so by itself: remove this"),
                    None => errors.on(
                        word,
                        "`Ready` depends on every condition but those with `#[condition(summary = false)]`",
                    ),
                },
            }
        });
    }
    condition
}

/// The value behind `=`.
fn value<T: Parse>(input: ParseStream<'_>) -> Option<T> {
    input.parse::<Token![=]>().ok()?;
    let fork = input.fork();
    let value = fork.parse().ok()?;
    let alone = fork.is_empty() || fork.peek(Token![,]);
    alone.then(|| input.advance_to(&fork))?;
    Some(value)
}

/// The doc comment, on one line.
fn meaning(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter_map(|attribute| {
        let Meta::NameValue(pair) = &attribute.meta else {
            return None;
        };
        match &pair.value {
            Expr::Lit(ExprLit {
                lit: Lit::Str(text),
                ..
            }) if pair.path.is_ident("doc") => Some(text.value()),
            _ => None,
        }
    });
    let text: Vec<String> = lines.collect();
    text.join(" ")
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

fn conditions(attributes: &[Attribute]) -> impl Iterator<Item = &Attribute> {
    attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("condition"))
}

/// Reads `#[condition(a, b)]` option by option.
fn options(
    attribute: &Attribute,
    errors: &mut Errors,
    mut read: impl FnMut(&Ident, ParseStream<'_>, &mut Errors),
) {
    let tokens = match &attribute.meta {
        Meta::List(list) if !list.tokens.is_empty() => list.tokens.clone(),
        _ => return errors.on(attribute, "write `#[condition(negative)]`, or nothing"),
    };
    let parser = |input: ParseStream<'_>| {
        while !input.is_empty() {
            if !input.peek(Ident::peek_any) {
                return Err(input.error("expected an option, such as `negative`"));
            }
            let word = Ident::parse_any(input)?;
            read(&word, input, errors);
            while !input.is_empty() && input.parse::<Option<Token![,]>>()?.is_none() {
                input.parse::<proc_macro2::TokenTree>()?;
            }
        }
        Ok(())
    };
    if let Err(error) = read::to_end(tokens, parser) {
        errors.push(error);
    }
}

fn check(model: &Model, errors: &mut Errors) {
    let input = &model.input;
    let name = &input.ident;
    match &input.data {
        Data::Enum(data) if data.variants.is_empty() => {
            errors.on(name, "these are no conditions: for `Ready` alone write `conditions` in `#[controller]`, without a value");
        }
        Data::Enum(_) => {}
        Data::Struct(data) => {
            errors.at(
                data.struct_token.span(),
                format!("conditions are the variants of an enum: write `enum {name} {{ .. }}`"),
            );
        }
        Data::Union(data) => {
            errors.at(
                data.union_token.span(),
                format!("conditions are the variants of an enum: write `enum {name} {{ .. }}`"),
            );
        }
    }
    if !input.generics.params.is_empty() {
        let parameters = &input.generics.params;
        errors.on(
            parameters,
            format!("conditions are plain names: `{name}` cannot have parameters"),
        );
    }
    let mut seen: Vec<String> = Vec::new();
    for condition in &model.conditions {
        let (place, written) = (condition.place(), condition.written());
        match written.as_str() {
            "Ready" => errors.on(
                &place,
                "`Ready` follows from the outcome and the other conditions: remove it, or decide it with `cx.ready(..)` and `cx.not_ready(..)`",
            ),
            "Stalled" => errors.on(
                &place,
                "`Stalled` is set by a terminal error and taken back on success: remove it, and return `Error::terminal(..)`",
            ),
            _ => {
                if let Err(reason) = names::condition(&written) {
                    errors.on(&place, format!("this cannot be the type of a condition: {reason}"));
                }
            }
        }
        match seen.contains(&written) {
            true => errors.on(&place, format!("there is a condition `{written}` already")),
            false => seen.push(written),
        }
    }
    if let Data::Enum(data) = &input.data {
        for variant in data
            .variants
            .iter()
            .filter(|variant| !matches!(variant.fields, Fields::Unit))
        {
            let name = &variant.ident;
            errors.on(
                &variant.fields,
                format!(
                    "a condition is a plain name: write `{name}`, and give details in its message"
                ),
            );
        }
    }
}

fn implementation(model: &Model) -> TokenStream {
    let import = import(model.root.as_ref());
    let variants = match &model.input.data {
        Data::Enum(data) => data
            .variants
            .iter()
            .flat_map(|variant| &variant.attrs)
            .collect(),
        _ => Vec::new(),
    };
    let allow = allow_deprecated(model.input.attrs.iter().chain(variants));
    let name = &model.input.ident;
    let mut generics = model.input.generics.clone();
    if !generics.params.is_empty() {
        // Reported already; with these bounds the implementation is no second error.
        let bound = parse_quote!(Self: __kommodore::Send + __kommodore::Sync + 'static);
        generics.make_where_clause().predicates.push(bound);
    }
    let (generics, parameters, bounds) = generics.split_for_impl();
    let units = || model.conditions.iter().filter(|condition| condition.unit);
    let all = units().map(|condition| {
        let (ident, written, meaning) = (&condition.ident, condition.written(), &condition.meaning);
        let negative = condition.negative.then(|| quote!(.negative()));
        let apart = (!condition.counts).then(|| quote!(.apart()));
        quote!((Self::#ident, __kommodore::Described::new(#written, #meaning) #negative #apart))
    });
    let arms = units().map(|condition| {
        let (ident, written) = (&condition.ident, condition.written());
        quote!(#written => __kommodore::Option::Some(Self::#ident))
    });
    quote! {
        #allow
        const _: () = {
            #import
            #[automatically_derived]
            impl #generics __kommodore::ConditionType for #name #parameters #bounds {
                const ALL: &'static [(Self, __kommodore::Described)] = &[#(#all),*];
                fn from_name(name: &__kommodore::str) -> __kommodore::Option<Self> {
                    match name {
                        #(#arms,)*
                        _ => __kommodore::Option::None,
                    }
                }
            }
        };
    }
}
