//! The forms of a value: `= value`, `(item, item)`, and what people write in their place.

use proc_macro2::{Delimiter, Group, Span, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::spanned::Spanned;
use syn::{Ident, Token};

use super::{each, skip};
use crate::errors::Errors;
use crate::options::{self, Word};
use crate::read;

/// Why something could not be read.
pub(super) enum Stopped {
    /// Something else is here, or nothing, or too much: the option says what it takes.
    Here(Span),
    /// This is wrong with it.
    Because(syn::Error),
}

impl Stopped {
    pub(super) fn at(tokens: impl ToTokens) -> Self {
        Self::Here(tokens.span())
    }

    /// The error, for an option that takes `what`.
    pub(super) fn takes(self, what: &str) -> syn::Error {
        match self {
            Self::Here(span) => syn::Error::new(span, what),
            Self::Because(error) => error,
        }
    }
}

impl From<syn::Error> for Stopped {
    fn from(error: syn::Error) -> Self {
        Self::Because(error)
    }
}

/// Where the form of a value is wrong, although the value could be read.
pub(super) type Misplaced = Vec<Span>;

/// Reads `= value`; `None` where the option's name stands alone.
pub(super) fn single<T>(
    input: ParseStream<'_>,
    misplaced: &mut Misplaced,
    errors: &mut Errors,
    read: impl Fn(ParseStream<'_>, &mut Errors) -> Result<T, Stopped>,
) -> Option<Result<T, Stopped>> {
    let next_option = || {
        let fork = input.fork();
        Ident::parse_any(&fork)
            .is_ok_and(|word| matches!(options::option(&word.to_string()), Word::Option(_)))
    };
    if input.is_empty() || next_option() {
        return None;
    }
    let start = input.span();
    if let Some(group) = group(input) {
        let mut value = Err(Stopped::at(&group));
        let parser = |input: ParseStream<'_>| {
            let read = read(input, errors);
            if input.is_empty() || matches!(read, Err(Stopped::Because(_))) {
                value = read;
            }
            skip(input);
            Ok(())
        };
        if !group.stream().is_empty() {
            // It takes whatever there is.
            let _: syn::Result<()> = read::to_end(group.stream(), parser);
        }
        if value.is_ok() {
            misplaced.push(start);
        }
        return Some(value);
    }
    let right = input.peek(Token![=]) && !input.peek(Token![=>]) && !input.peek(Token![==]);
    let sign = sign(input);
    if input.is_empty() {
        return Some(Err(Stopped::Here(sign.unwrap_or(start))));
    }
    let value = read(input, errors);
    match &value {
        Ok(_) if !right => misplaced.push(start),
        Ok(_) => {}
        Err(_) => skip(input),
    }
    Some(value)
}

/// Reads `(item, item)`; `name` is the option's own place, for when nothing comes after it.
pub(super) fn list(
    name: Span,
    input: ParseStream<'_>,
    misplaced: &mut Misplaced,
    errors: &mut Errors,
    read: impl FnMut(ParseStream<'_>, &mut Errors) -> syn::Result<()>,
) {
    let start = input.span();
    let empty = input.is_empty();
    let sign = sign(input);
    let (right, items) = match group(input) {
        Some(group) => {
            let right = sign.is_none() && group.delimiter() == Delimiter::Parenthesis;
            (right && !group.stream().is_empty(), group.stream())
        }
        None => (false, input.parse().unwrap_or_default()),
    };
    if !right {
        misplaced.push(if empty { name } else { start });
    }
    each(items, errors, read);
}

/// Passes over `=` and what others put in its place.
pub(super) fn sign(input: ParseStream<'_>) -> Option<Span> {
    let span = input.span();
    let two = input.parse::<Token![=>]>().is_ok()
        || input.parse::<Token![==]>().is_ok()
        || input.parse::<Token![->]>().is_ok();
    let one = || {
        input.parse::<Token![=]>().is_ok()
            || (!input.peek(Token![::]) && input.parse::<Token![:]>().is_ok())
    };
    (two || one()).then_some(span)
}

/// The group that comes next, whatever its parentheses.
pub(super) fn group(input: ParseStream<'_>) -> Option<Group> {
    input
        .step(|cursor| match cursor.token_tree() {
            Some((TokenTree::Group(group), rest)) if group.delimiter() != Delimiter::None => {
                Ok((group, rest))
            }
            _ => Err(cursor.error("no group")),
        })
        .ok()
}
