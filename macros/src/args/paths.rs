//! Paths of types and methods.

use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::punctuated::Punctuated;
use syn::{Ident, Path, PathArguments, PathSegment, Token, TypePath};

use super::forms::Stopped;
use super::scalars::literal;
use crate::errors::{Errors, code};

/// The path of the type of a kind, or of another type.
pub(super) fn named(input: ParseStream<'_>, errors: &mut Errors) -> Result<TypePath, Stopped> {
    if let Some(text) = literal(input) {
        let Ok(kind) = text.parse::<TypePath>() else {
            return Err(Stopped::at(&text));
        };
        errors.on(
            &text,
            format!(
                "this is a Rust type and not a string: write `{}`",
                code(&kind)
            ),
        );
        return Ok(kind);
    }
    let start = input.span();
    let reference = input.parse::<Token![&]>().is_ok();
    let kind = path(input)?;
    if reference {
        errors.at(
            start,
            format!(
                "this is a Rust type and not a reference: write `{}`",
                code(&kind)
            ),
        );
    }
    Ok(kind)
}

/// A path, up to the first token that cannot belong to it. syn's own would take the parentheses of
/// `ConfigMap(labels = "..")` for those of `Fn(A)`.
pub(super) fn path(input: ParseStream<'_>) -> Result<TypePath, Stopped> {
    if input.peek(Token![<]) {
        return Ok(input.parse()?);
    }
    if !(input.peek(Ident) || input.peek(Token![::]) || starts_path(input)) {
        return Err(Stopped::Here(input.span()));
    }
    Ok(segments(input)?)
}

fn starts_path(input: ParseStream<'_>) -> bool {
    input.peek(Token![Self])
        || input.peek(Token![self])
        || input.peek(Token![super])
        || input.peek(Token![crate])
}

fn segments(input: ParseStream<'_>) -> syn::Result<TypePath> {
    let mut path = Path {
        leading_colon: input.parse()?,
        segments: Punctuated::new(),
    };
    loop {
        if !(input.peek(Ident) || starts_path(input)) {
            return Err(syn::Error::new_spanned(
                path.to_token_stream(),
                "this path is not complete",
            ));
        }
        let mut segment = PathSegment::from(Ident::parse_any(input)?);
        // A module has no parameters, and a path where one has some is no code.
        let is_module = ["self", "super", "crate"]
            .iter()
            .any(|module| segment.ident == module);
        let has_arguments =
            input.peek(Token![<]) || (input.peek(Token![::]) && input.peek3(Token![<]));
        if has_arguments && !is_module {
            let start = segment.ident.span();
            let arguments = input.parse().map_err(|error| match input.is_empty() {
                true => syn::Error::new(start, "this path is not complete"),
                false => error,
            })?;
            segment.arguments = PathArguments::AngleBracketed(arguments);
        }
        path.segments.push_value(segment);
        match input.parse::<Option<Token![::]>>()? {
            Some(colons) => path.segments.push_punct(colons),
            None => {
                return Ok(TypePath {
                    attrs: Vec::new(),
                    qself: None,
                    path,
                });
            }
        }
    }
}
