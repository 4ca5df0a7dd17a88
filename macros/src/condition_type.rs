//! `#[derive(ConditionType)]`, in the same stages as the attribute, which are short enough for one file.

use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::spanned::Spanned;
use syn::{Attribute, Data, DeriveInput, Fields, Ident, Meta, Path, Token, parse_quote};

use crate::errors::Errors;
use crate::expand::import;
use crate::model::allow_deprecated;
use crate::options::nearest;

/// The enum, as far as it could be understood.
struct Model {
    input: DeriveInput,
    root: Option<Path>,
    conditions: Vec<Condition>,
}

struct Condition {
    ident: Ident,
    negative: bool,
    unit: bool,
}

/// The implementation, or what can be made of it, and the errors.
pub(crate) fn expand(item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let input = match syn::parse2::<DeriveInput>(item) {
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
                    let path = input
                        .parse::<Token![=]>()
                        .and_then(|_| Path::parse_mod_style(input));
                    match path {
                        Ok(path) => root = Some(path),
                        Err(_) => errors.on(word, "write `#[condition(crate = your::path)]`"),
                    }
                }
                "negative" | "positive" => {
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
    let mut found = Vec::new();
    if let Data::Enum(data) = &input.data {
        for variant in &data.variants {
            let mut negative = false;
            for attribute in conditions(&variant.attrs) {
                options(attribute, errors, |word, input, errors| {
                    match word.to_string().as_str() {
                        "negative" if negative => errors.on(word, "`negative` is given twice"),
                        "negative" => {
                            negative = true;
                            if let Ok(token) = input.fork().parse::<proc_macro2::TokenTree>()
                                && !input.peek(Token![,])
                            {
                                errors.on(
                                    token,
                                    "`negative` takes no value: write `#[condition(negative)]`",
                                );
                            }
                        }
                        "positive" => {
                            errors.on(word, "a condition is positive by itself: remove this")
                        }
                        other => {
                            let meant = nearest(&other.to_lowercase(), ["negative"].into_iter());
                            negative |= meant.is_some();
                            errors.on(
                                word,
                                match meant {
                                    Some(name) => {
                                        format!("unknown option `{other}`; did you mean `{name}`?")
                                    }
                                    None => format!(
                                        "unknown option `{other}`; a condition takes `negative`"
                                    ),
                                },
                            );
                        }
                    }
                });
            }
            let unit = matches!(variant.fields, Fields::Unit);
            found.push(Condition {
                ident: variant.ident.clone(),
                negative,
                unit,
            });
        }
    }
    Model {
        input,
        root,
        conditions: found,
    }
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
    if let Err(error) = parser.parse2(tokens) {
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
    for condition in &model.conditions {
        let ident = &condition.ident;
        let written = ident.unraw().to_string();
        match written.as_str() {
            "Ready" => errors.on(
                ident,
                "`Ready` follows from the outcome and the other conditions: remove it, or decide it with `cx.ready(..)` and `cx.not_ready(..)`",
            ),
            "Stalled" => errors.on(
                ident,
                "`Stalled` is set by a terminal error and taken back on success: remove it, and return `Error::terminal(..)`",
            ),
            _ if !written.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') => {
                errors.on(ident, "the type of a condition is made of A-Z, a-z and 0-9");
            }
            _ if written.starts_with('_') || written.ends_with('_') => {
                errors.on(ident, "the type of a condition begins and ends with a letter or a digit");
            }
            _ => {}
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
    let units = model
        .conditions
        .iter()
        .filter(|condition| condition.unit)
        .map(|condition| &condition.ident);
    let (written, polarity) = if model.conditions.is_empty() {
        match &model.input.data {
            Data::Enum(_) => (quote!(match *self {}), quote!(match *self {})),
            _ => (quote!(""), quote!(__kommodore::Polarity::Positive)),
        }
    } else {
        let names = model.conditions.iter().map(|Condition { ident, .. }| {
            let written = ident.unraw().to_string();
            quote!(Self::#ident { .. } => #written)
        });
        let polarities = model.conditions.iter().map(
            |Condition {
                 ident, negative, ..
             }| {
                let polarity = if *negative {
                    quote!(Negative)
                } else {
                    quote!(Positive)
                };
                quote!(Self::#ident { .. } => __kommodore::Polarity::#polarity)
            },
        );
        (
            quote!(match self { #(#names,)* }),
            quote!(match self { #(#polarities,)* }),
        )
    };
    quote! {
        #allow
        const _: () = {
            #import
            #[automatically_derived]
            impl #generics __kommodore::ConditionType for #name #parameters #bounds {
                const ALL: &'static [Self] = &[#(Self::#units),*];
                fn name(&self) -> &'static __kommodore::str {
                    #written
                }
                fn polarity(&self) -> __kommodore::Polarity {
                    #polarity
                }
            }
        };
    }
}
