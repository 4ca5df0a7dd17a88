//! `index`: names, and the functions behind them.

use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::spanned::Spanned as _;
use syn::{Ident, TypePath, token};

use super::forms::{Misplaced, list, sign};
use super::paths::path;
use super::watches::turbofish;
use super::{Index, skip};
use crate::errors::{Errors, code};

/// The indexes, each with its function.
pub(super) fn indexes(
    keyword: &Ident,
    input: ParseStream<'_>,
    misplaced: &mut Misplaced,
    errors: &mut Errors,
    takes: &str,
) -> Vec<Index> {
    let (mut indexes, mut nameless) = (Vec::<Index>::new(), Vec::new());
    list(keyword.span(), input, misplaced, errors, |input, errors| {
        let Some(function) = function_alone(input) else {
            indexes.push(index(input, errors, takes)?);
            return Ok(());
        };
        match indexes.last_mut().filter(|before| before.values.is_none()) {
            // `by_host, Self::host` is one index with a wrong comma.
            Some(before) => {
                let write = format!("write `{} => {}`", before.name, code(&function));
                errors.on(&function, write);
                before.values = Some(function);
            }
            None => nameless.push(function),
        }
        Ok(())
    });
    let only = !misplaced.is_empty() && indexes.len() + nameless.len() == 1;
    for function in nameless {
        let index = Index {
            name: Ident::new("by_host", function.span()),
            values: Some(function),
        };
        if only {
            indexes.push(index);
        } else {
            let write = format!("by which name is it found? write `{}`", index.code());
            errors.on(&index.values, write);
        }
    }
    let alone = |index: &&Index| index.values.is_none();
    for index in indexes.iter().filter(alone).filter(|_| !only) {
        let message = format!("say which values an object has: write `{}`", index.code());
        errors.on(&index.name, message);
    }
    indexes
}

/// A function in the place of an index, whose name is missing.
fn function_alone(input: ParseStream<'_>) -> Option<TypePath> {
    let fork = input.fork();
    let function = path(&fork).ok()?;
    let is_one = function.path.segments.len() > 1 && fork.is_empty();
    is_one.then(|| skip(input)).map(|()| function)
}

/// `name => path`
fn index(input: ParseStream<'_>, errors: &mut Errors, takes: &str) -> syn::Result<Index> {
    let start = input.span();
    let name = input
        .call(Ident::parse_any)
        .map_err(|_| syn::Error::new(start, takes))?;
    if syn::parse_str::<Ident>(&name.to_string()).is_err() {
        return Err(syn::Error::new(
            start,
            "an index is called by its name, as a method, and this is a word of Rust",
        ));
    }
    let (at, right) = (input.span(), input.peek(syn::Token![=>]));
    if sign(input).is_none() {
        if !input.is_empty() {
            return Err(syn::Error::new(start, takes));
        }
        return Ok(Index { name, values: None });
    }
    let behind = if input.is_empty() { at } else { input.span() };
    let mut values = path(input).map_err(|stopped| {
        let write =
            format!("expected the path of a function: write `{name} => Self::your_function`");
        let error = stopped.takes(&write);
        match input.is_empty() {
            true => syn::Error::new(behind, write),
            false => error,
        }
    })?;
    let written = code(&values);
    turbofish(&mut values);
    if input.peek(token::Paren) {
        let call = input.span();
        skip(input);
        errors.at(
            call,
            format!("name the function and do not call it: write `{name} => {written}`"),
        );
    } else if !right {
        errors.at(at, format!("write `{name} => {written}`"));
    }
    Ok(Index {
        name,
        values: Some(values),
    })
}
