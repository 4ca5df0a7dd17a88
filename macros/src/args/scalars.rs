//! Literals and the path of a crate: the values that are one thing.

use syn::parse::ParseStream;
use syn::{Ident, LitInt, LitStr, Path, Token};

use super::forms::{Misplaced, Stopped, list, single};
use super::kind_options::word;
use crate::durations;
use crate::errors::{Errors, code};
use crate::options::CLUSTERS;
use crate::read;

/// A string literal, if one comes next; with a suffix it is something else.
pub(super) fn literal(input: ParseStream<'_>) -> Option<LitStr> {
    // A literal of another sort is read before it is refused, hence the look ahead.
    let next: LitStr = input.peek(LitStr).then(|| input.fork().parse().ok())??;
    next.suffix()
        .is_empty()
        .then(|| input.parse().ok())
        .flatten()
}

/// Reads `= value` of an option that has to have one; `None` where it is wrong, which is then reported.
pub(super) fn one<T>(
    input: ParseStream<'_>,
    keyword: &Ident,
    misplaced: &mut Misplaced,
    errors: &mut Errors,
    takes: &str,
    read: impl Fn(ParseStream<'_>, &mut Errors) -> Result<T, Stopped>,
) -> Option<T> {
    let value = single(input, misplaced, errors, read).unwrap_or(Err(Stopped::at(keyword)));
    errors.ok(value.map_err(|stopped| stopped.takes(takes)))
}

pub(super) fn text(input: ParseStream<'_>, _: &mut Errors) -> Result<LitStr, Stopped> {
    literal(input).ok_or_else(|| Stopped::Here(input.span()))
}

pub(super) fn duration(input: ParseStream<'_>, errors: &mut Errors) -> Result<LitStr, Stopped> {
    if let Some(number) = integer(input) {
        let text = durations::suggest(&number.to_string());
        errors.on(
            &number,
            format!("a duration is a string with its unit: write `{text:?}`"),
        );
        // Valid whatever it is, as the mistake is told.
        return Ok(LitStr::new("1s", number.span()));
    }
    text(input, errors)
}

pub(super) fn number(input: ParseStream<'_>, errors: &mut Errors) -> Result<LitInt, Stopped> {
    if let Some(text) = literal(input) {
        let Ok(number) = text.parse::<LitInt>() else {
            return Err(Stopped::at(&text));
        };
        errors.on(
            &text,
            format!("this is a number and not a string: write `{number}`"),
        );
        return Ok(number);
    }
    integer(input).ok_or_else(|| Stopped::Here(input.span()))
}

fn integer(input: ParseStream<'_>) -> Option<LitInt> {
    input.peek(LitInt).then(|| input.parse().ok()).flatten()
}

/// The root of `crate = path`.
pub(super) fn root(input: ParseStream<'_>, errors: &mut Errors) -> Result<Path, Stopped> {
    if let Some(text) = literal(input) {
        let root = text.parse_with(read::module).ok();
        let Some(root) = root.filter(|root| !read::is_unfinished(root)) else {
            return Err(Stopped::at(&text));
        };
        errors.on(
            &text,
            format!(
                "this is a path and not a string: write `crate = {}`",
                code(&root)
            ),
        );
        return Ok(root);
    }
    let start = input.span();
    read::module(input).map_err(|_| Stopped::Here(start))
}

/// The two delays of `backoff`.
pub(super) fn backoff(
    keyword: &Ident,
    input: ParseStream<'_>,
    misplaced: &mut Misplaced,
    errors: &mut Errors,
    takes: &str,
) -> Vec<LitStr> {
    let mut texts = Vec::new();
    let mut named = None;
    list(keyword.span(), input, misplaced, errors, |input, errors| {
        // `min = "1s"`: their places say which is which.
        if input.peek(Ident) && input.peek2(Token![=]) {
            named = named.or(Some(input.span()));
            input.parse::<Ident>()?;
            input.parse::<Token![=]>()?;
        }
        let read = duration(input, errors).map_err(|stopped| stopped.takes(takes))?;
        texts.push(read);
        Ok(())
    });
    misplaced.extend(named.filter(|_| misplaced.is_empty()));
    if let ([first], false) = (texts.as_slice(), misplaced.is_empty()) {
        // One mistake is enough: what is told about the form has both delays.
        texts.push(LitStr::new("5m", first.span()));
    }
    texts
}

/// The words of `engage`.
pub(super) fn engage(
    keyword: &Ident,
    input: ParseStream<'_>,
    misplaced: &mut Misplaced,
    errors: &mut Errors,
    takes: &str,
) -> Vec<Ident> {
    let mut words: Vec<Ident> = Vec::new();
    list(keyword.span(), input, misplaced, errors, |input, errors| {
        let given = word(input, errors, &CLUSTERS).map_err(|stopped| stopped.takes(takes))?;
        match words.contains(&given) {
            true => errors.on(&given, format!("`{given}` is given twice")),
            false => words.push(given),
        }
        Ok(())
    });
    words
}
