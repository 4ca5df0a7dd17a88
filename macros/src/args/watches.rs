//! `owns` and `watches`: kinds, and the methods behind them.

use syn::parse::ParseStream;
use syn::spanned::Spanned;
use syn::{Ident, PathArguments, Token, TypePath, token};

use super::forms::{Misplaced, Stopped, list, sign};
use super::kinds::{Kind, Named, kind};
use super::paths::path;
use super::{Watch, skip};
use crate::errors::{Errors, code};
use crate::options::Place;
use crate::read;

/// The kinds of `owns`.
pub(super) fn owns(
    keyword: &Ident,
    input: ParseStream<'_>,
    misplaced: &mut Misplaced,
    errors: &mut Errors,
    takes: &str,
) -> Vec<Kind> {
    let mut kinds = Vec::new();
    list(keyword.span(), input, misplaced, errors, |input, errors| {
        let kind = kind(Place::Owns, input, errors).map_err(|stopped| stopped.takes(takes))?;
        mapper_of_owned(&kind, input, errors);
        kinds.push(kind);
        Ok(())
    });
    kinds
}

/// The watches, without mistakes that are still to be reported.
pub(super) fn without_errors(mut watches: Vec<Watch>) -> Vec<Watch> {
    for watch in &mut watches {
        watch.mapper.take_if(|mapper| mapper.is_err());
    }
    watches
}

/// What stands behind an arrow in `owns(K => path)`, which belongs into `watches`.
fn mapper_of_owned(kind: &Kind, input: ParseStream<'_>, errors: &mut Errors) {
    if !input.peek(Token![=>]) {
        return;
    }
    let at = sign(input).unwrap_or_else(|| kind.span());
    let mapper = path(input)
        .ok()
        .filter(|mapper| !read::is_unfinished(&mapper.path))
        .map_or_else(|| "Self::your_method".into(), |mapper| code(&mapper));
    skip(input);
    let kind = kind.code();
    errors.at(
        at,
        format!(
            "what is owned needs no method: write `owns({kind})` or `watches({kind} => {mapper})`"
        ),
    );
}

/// The kinds of `watches`, each with its method.
pub(super) fn watches(
    keyword: &Ident,
    input: ParseStream<'_>,
    misplaced: &mut Misplaced,
    errors: &mut Errors,
    takes: &str,
) -> Vec<Watch> {
    let mut watches = Vec::new();
    list(keyword.span(), input, misplaced, errors, |input, errors| {
        let read = watch(input, errors).map_err(|stopped| stopped.takes(takes))?;
        add(&mut watches, read, errors);
        Ok(())
    });
    let mut before = None;
    watches.retain(|watch: &Watch| {
        let method = method_alone(watch, before.as_deref(), errors);
        before = Some(watch.kind.code())
            .filter(|_| !method)
            .or(before.take());
        !method
    });
    let told = !misplaced.is_empty() && watches.len() == 1;
    let alone = |watch: &&Watch| watch.mapper.is_none() && !watch.kind.is_unfinished();
    for watch in watches.iter().filter(alone).filter(|_| !told) {
        let message = format!("say which objects this wakes: write `{}`", watch.code());
        errors.on(&watch.kind, message);
    }
    watches
}

/// Adds what stands between two commas; `Secret, Self::method` is one watch with a wrong comma.
fn add(watches: &mut Vec<Watch>, read: Watch, errors: &mut Errors) {
    let function = match &read.kind.named {
        Named::Typed(path) if read.kind.options.is_empty() => path.path.segments.last(),
        _ => None,
    };
    let is_function =
        function.is_some_and(|last| last.ident.to_string().starts_with(char::is_lowercase));
    match (watches.last_mut(), read.kind.named) {
        (Some(before), Named::Typed(path))
            if before.mapper.is_none() && read.mapper.is_none() && is_function =>
        {
            let mut mapper = path;
            let kind = before.kind.code();
            errors.on(&mapper, format!("write `{kind} => {}`", code(&mapper)));
            turbofish(&mut mapper);
            before.mapper = Some(Ok(mapper));
        }
        (_, named) => watches.push(Watch {
            kind: Kind { named, ..read.kind },
            ..read
        }),
    }
}

/// Whether a method stands where a kind is expected, and then says so; `before` is the kind before it.
fn method_alone(watch: &Watch, before: Option<&str>, errors: &mut Errors) -> bool {
    let Named::Typed(path) = &watch.kind.named else {
        return false;
    };
    let segments = &path.path.segments;
    let of_self = segments.len() > 1 && segments[0].ident == "Self";
    let method = of_self && watch.mapper.is_none() && watch.kind.options.is_empty();
    if method {
        let kind = before.unwrap_or("YourKind");
        errors.on(
            path,
            format!("which kind wakes by this? write `{kind} => {}`", code(path)),
        );
    }
    method
}

/// `K => path`
fn watch(input: ParseStream<'_>, errors: &mut Errors) -> Result<Watch, Stopped> {
    let kind = kind(Place::Watches, input, errors)?;
    let name = kind.code();
    let start = input.span();
    let right = input.peek(Token![=>]);
    if sign(input).is_none() {
        return Ok(Watch { kind, mapper: None });
    }
    let mut mapper = match path(input) {
        Ok(mapper) => mapper,
        Err(stopped) => {
            let stopped = match stopped {
                Stopped::Here(_) if input.is_empty() => Stopped::Here(start),
                other => other,
            };
            let error = stopped.takes(&format!(
                "expected the path of a method: write `{name} => Self::your_method`"
            ));
            skip(input);
            return Ok(Watch {
                kind,
                mapper: Some(Err(error)),
            });
        }
    };
    let written = code(&mapper);
    turbofish(&mut mapper);
    if input.peek(token::Paren) {
        let call = input.span();
        skip(input);
        errors.at(
            call,
            format!("name the method and do not call it: write `{name} => {written}`"),
        );
    } else if !right {
        errors.at(start, format!("write `{name} => {written}`"));
    }
    Ok(Watch {
        kind,
        mapper: Some(Ok(mapper)),
    })
}

/// In the place of a value, where the mapper is going to stand, there has to be a `::` before each `<`.
pub(super) fn turbofish(mapper: &mut TypePath) {
    for segment in &mut mapper.path.segments {
        if let PathArguments::AngleBracketed(arguments) = &mut segment.arguments {
            arguments.colon2_token.get_or_insert_with(Default::default);
        }
    }
}
