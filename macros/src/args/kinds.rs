//! Kinds and other paths, and what may stand behind a kind.

use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::punctuated::Punctuated;
use syn::{Ident, LitStr, Path, PathArguments, PathSegment, Token, TypePath, token};

use super::forms::{Stopped, group};
use super::{each, skip};
use crate::errors::{Errors, code};
use crate::options::{self, Word};

/// A kind, which is the path of a type; what may stand in parentheses behind it is not there yet.
pub(super) fn kind(input: ParseStream<'_>, errors: &mut Errors) -> Result<TypePath, Stopped> {
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
    if !input.peek(token::Paren) {
        return Ok(kind);
    }
    if kind.path.is_ident("Dynamic") {
        skip(input);
        return Err(syn::Error::new_spanned(kind, "`Dynamic` is not supported yet").into());
    }
    if let Some(group) = group(input) {
        each(group.stream(), errors, option_of_a_kind);
    }
    Ok(kind)
}

/// A string literal, if one comes next.
pub(super) fn literal(input: ParseStream<'_>) -> Option<LitStr> {
    // A literal of another sort is read before it is refused, hence the look ahead.
    input.peek(LitStr).then(|| input.parse().ok()).flatten()
}

/// `labels = ".."` in `owns(ConfigMap(labels = ".."))`; none is there yet.
fn option_of_a_kind(input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<()> {
    if !input.peek(Ident::peek_any) {
        return Err(input.error("expected an option of this kind"));
    }
    let keyword = Ident::parse_any(input)?;
    skip(input);
    let word = keyword.unraw().to_string();
    match options::option_of_a_kind(&word) {
        Word::MeantLater(name) => errors.on(
            &keyword,
            format!("unknown option `{word}`; did you mean `{name}`? It is not supported yet"),
        ),
        Word::Unknown => errors.on(
            &keyword,
            format!("unknown option `{word}`; a kind takes none yet"),
        ),
        _ => errors.on(&keyword, format!("`{word}` is not supported yet")),
    }
    Ok(())
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
        if input.peek(Token![<]) || (input.peek(Token![::]) && input.peek3(Token![<])) {
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
