//! The item that the attribute stands on, and the type in it.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};
use syn::parse::{ParseStream, Parser};
use syn::spanned::Spanned;
use syn::{
    Attribute, Data, DataStruct, DeriveInput, Fields, Generics, Item, Token, Type, Visibility,
    parse_quote,
};

use crate::args::{Args, Value};
use crate::errors::{Errors, code};

/// The type that becomes a controller.
pub(crate) struct Target {
    pub(crate) ident: Ident,
    /// The type with its parameters.
    pub(crate) ty: TokenStream,
    pub(crate) generics: Generics,
    /// What has to stand on the implementations because it stands on the type.
    pub(crate) attributes: Vec<Attribute>,
}

/// The type of the item. Where the attribute stands on something else than a struct, the type that
/// was most likely meant, so that the user's other implementations do not fail for its lack.
pub(crate) fn target(
    item: TokenStream,
    form: &str,
    errors: &mut Errors,
) -> (TokenStream, Option<Target>) {
    if let Ok(input) = syn::parse2::<DeriveInput>(item.clone()) {
        let name = &input.ident;
        let keyword = match &input.data {
            Data::Struct(_) => None,
            Data::Enum(data) => Some((data.enum_token.span, "an enum")),
            Data::Union(data) => Some((data.union_token.span, "a union")),
        };
        if let Some((span, what)) = keyword {
            errors.at(
                span,
                format!(
                    "a controller is a struct, and `{name}` is {what}: write `{form} struct {name}`"
                ),
            );
        }
        let item = without_second_attribute(item, &input.attrs, errors);
        return (item, Some(Target::new(input)));
    }
    if let Some(target) = half_written(&item) {
        return (item, Some(target));
    }
    let (span, what, name) = match syn::parse2::<Item>(item.clone()) {
        Ok(Item::Impl(block)) => {
            let name = code(&block.self_ty);
            let message = format!(
                "`#[controller]` belongs on the struct, and not on an `impl` of it: write `{form} struct {name}`"
            );
            errors.at(block.impl_token.span(), message);
            return (item, Target::of_impl(*block.self_ty, block.generics));
        }
        Ok(Item::Fn(function)) => {
            let name = function.sig.ident;
            let message = format!(
                "`#[controller]` belongs on a struct, and not on a function: write `{form} struct YourController`, with the code of \
                 `{name}` in `impl Reconcile for YourController`"
            );
            errors.at(name.span(), message);
            return (item, None);
        }
        Ok(Item::Trait(item)) => (item.ident.span(), "a trait", item.ident),
        Ok(Item::Mod(item)) => (item.ident.span(), "a module", item.ident),
        Ok(Item::Type(item)) => (item.ident.span(), "a type alias", item.ident),
        _ => {
            errors.on(
                &item,
                format!(
                    "`#[controller]` belongs on a struct: write `{form} struct YourController`"
                ),
            );
            return (item, None);
        }
    };
    errors.at(
        span,
        format!("`#[controller]` belongs on a struct, and `{name}` is {what}: write `{form} struct YourController`"),
    );
    (item, None)
}

/// The attribute in its shortest form, with the user's own kind.
pub(crate) fn form(args: &Args) -> String {
    let kinds = args.options.iter().filter_map(|arg| match &arg.value {
        Value::For(kind) => kind.as_ref().ok(),
        _ => None,
    });
    let kind = kinds.map(code).next();
    format!(
        "#[controller(for = {})]",
        kind.as_deref().unwrap_or("YourKind")
    )
}

/// A struct with a mistake inside, of which rustc tells: it is a controller all the same.
fn half_written(item: &TokenStream) -> Option<Target> {
    let parser = |input: ParseStream<'_>| {
        let attrs = input.call(Attribute::parse_outer)?;
        let vis: Visibility = input.parse()?;
        let struct_token: Token![struct] = input.parse()?;
        let ident: Ident = input.parse()?;
        let generics: Generics = input.parse()?;
        // Whatever there is.
        let _: TokenStream = input.parse()?;
        Ok(DeriveInput {
            attrs,
            vis,
            ident,
            generics,
            data: Data::Struct(DataStruct {
                struct_token,
                fields: Fields::Unit,
                semi_token: None,
            }),
        })
    };
    parser.parse2(item.clone()).ok().map(Target::new)
}

impl Target {
    fn new(input: DeriveInput) -> Self {
        let (_, parameters, _) = input.generics.split_for_impl();
        let ident = &input.ident;
        let ty = quote!(#ident #parameters);
        let cfgs = input
            .attrs
            .iter()
            .filter(|attribute| attribute.path().is_ident("cfg"))
            .cloned();
        let attributes = cfgs.chain(allow_deprecated(input.attrs.iter())).collect();
        Self {
            ident: input.ident,
            ty,
            generics: input.generics,
            attributes,
        }
    }

    fn of_impl(ty: Type, generics: Generics) -> Option<Self> {
        let Type::Path(path) = &ty else { return None };
        let ident = path.path.segments.last()?.ident.clone();
        Some(Self {
            ident,
            ty: ty.into_token_stream(),
            generics,
            attributes: Vec::new(),
        })
    }
}

/// Of what is deprecated our own use is no misuse.
pub(crate) fn allow_deprecated<'a>(
    mut attributes: impl Iterator<Item = &'a Attribute>,
) -> Option<Attribute> {
    attributes
        .any(|attribute| attribute.path().is_ident("deprecated"))
        .then(|| parse_quote!(#[allow(deprecated)]))
}

/// A second `#[controller]` would implement everything twice, with an error for each.
fn without_second_attribute(
    item: TokenStream,
    attributes: &[Attribute],
    errors: &mut Errors,
) -> TokenStream {
    let is_ours = |attribute: &&Attribute| {
        let name = attribute.path().segments.last();
        name.is_some_and(|segment| segment.ident == "controller")
            && (attribute.path().segments.len() == 1
                || attribute.path().segments[0].ident == "kommodore")
    };
    let seconds: Vec<_> = attributes.iter().filter(is_ours).collect();
    if seconds.is_empty() {
        return item;
    }
    for second in &seconds {
        errors.on(
            second,
            "a struct is one controller: `#[controller]` stands here twice",
        );
    }
    // It is syn who knows where the attributes end: a `macro_rules!` puts invisible groups around what it
    // was given.
    let rest = |input: ParseStream<'_>| {
        Attribute::parse_outer(input)?;
        input.parse::<TokenStream>()
    };
    let Ok(rest) = rest.parse2(item.clone()) else {
        return item;
    };
    let kept = attributes.iter().filter(|attribute| !is_ours(attribute));
    quote!(#(#kept)* #rest)
}
