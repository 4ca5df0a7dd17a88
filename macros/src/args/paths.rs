//! Paths of types and methods.

use syn::parse::ParseStream;
use syn::{Token, TypePath};

use super::forms::Stopped;
use super::scalars::literal;
use crate::errors::{Errors, code};
use crate::read::{self, Arguments};

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

/// The path of a type or of a function.
pub(super) fn path(input: ParseStream<'_>) -> Result<TypePath, Stopped> {
    if input.peek(Token![<]) {
        return Ok(input.parse()?);
    }
    if !(input.peek(Token![::]) || read::starts_path(input)) {
        return Err(Stopped::Here(input.span()));
    }
    Ok(TypePath {
        attrs: Vec::new(),
        qself: None,
        path: read::path(input, Arguments::Allowed)?,
    })
}
