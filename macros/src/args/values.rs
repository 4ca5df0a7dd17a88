//! The value of one option: its form, and what stands in it.

use proc_macro2::{Delimiter, Span, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Ident, LitStr, Path, PathArguments, PathSegment, Token, TypePath, token};

use super::{Given, Value, Watch, each, form, group, skip};
use crate::errors::{Errors, code};
use crate::options::{self, Opt, Word};

/// Reads the value of `opt`, in whatever form it is given.
pub(super) fn value(
    opt: Opt,
    keyword: &Ident,
    input: ParseStream<'_>,
    errors: &mut Errors,
) -> Value {
    let form_errors = &mut Vec::new();
    let missing = |span: Option<Span>, what: &str, form: &str| {
        let span = span.unwrap_or(keyword.span());
        syn::Error::new(span, format!("`{keyword}` takes {what}: write `{form}`"))
    };
    let value = match opt {
        Opt::For => Value::For(match single(input, form_errors, errors, kind) {
            Single::Value(kind) => kind,
            Single::Missing(span) => Err(missing(span, "one kind", "for = YourKind")),
        }),
        Opt::Conditions => Value::Conditions(match single(input, form_errors, errors, kind) {
            Single::Value(conditions) => Given::Value(conditions),
            Single::Missing(None) => Given::Bare,
            Single::Missing(span) => Given::Value(Err(missing(
                span,
                "one enum",
                "conditions = YourConditions",
            ))),
        }),
        Opt::Finalizer => Value::Finalizer(match single(input, form_errors, errors, text) {
            Single::Value(text) => errors
                .ok(text.map_err(|place| not_text(place, "finalizer = \"your.domain/name\"")))
                .map_or(Given::Broken, Given::Value),
            Single::Missing(None) => Given::Bare,
            Single::Missing(span) => {
                errors.push(missing(
                    span,
                    "one name",
                    "finalizer = \"your.domain/name\"",
                ));
                Given::Broken
            }
        }),
        Opt::Name => {
            let text = match single(input, form_errors, errors, text) {
                Single::Value(text) => text,
                Single::Missing(span) => {
                    Err(missing(span, "one name", "name = \"your-controller\""))
                }
            };
            Value::Name(errors.ok(text))
        }
        Opt::Crate => {
            let root = match single(input, form_errors, errors, root) {
                Single::Value(root) => root,
                Single::Missing(span) => Err(missing(span, "one path", "crate = your::path")),
            };
            Value::Crate(errors.ok(root))
        }
        Opt::Owns => {
            let mut kinds = Vec::new();
            list(input, form_errors, errors, |input, errors| {
                kinds.push(kind(input, errors)?);
                Ok(())
            });
            Value::Owns(kinds)
        }
        Opt::Watches => {
            let mut watches = Vec::new();
            list(input, form_errors, errors, |input, errors| {
                watches.push(watch(input, errors)?);
                Ok(())
            });
            Value::Watches(watches)
        }
    };
    for span in form_errors.drain(..) {
        errors.at(
            span.unwrap_or(keyword.span()),
            format!("write `{}`", form(opt, &value)),
        );
    }
    value
}

enum Single<T> {
    Value(syn::Result<T>),
    /// There is nothing in this or after it, or more than one; without a place, the option's name
    /// stands alone.
    Missing(Option<Span>),
}

/// Reads `= value`. Other forms are read too; where they go wrong goes into `form_errors`.
fn single<T>(
    input: ParseStream<'_>,
    form_errors: &mut Vec<Option<Span>>,
    errors: &mut Errors,
    read: impl Fn(ParseStream<'_>, &mut Errors) -> syn::Result<T>,
) -> Single<T> {
    let next_option = || {
        let fork = input.fork();
        Ident::parse_any(&fork)
            .is_ok_and(|word| matches!(options::option(&word.to_string()), Word::Option(_)))
    };
    if input.is_empty() || next_option() {
        return Single::Missing(None);
    }
    let start = input.span();
    if let Some(group) = group(input) {
        let mut left = true;
        let value = (|input: ParseStream<'_>| {
            let value = read(input, errors)?;
            left = !input.is_empty();
            skip(input);
            Ok(value)
        })
        .parse2(group.stream());
        if left {
            return Single::Missing(Some(group.span()));
        }
        form_errors.push(Some(start));
        return Single::Value(value);
    }
    let right = input.peek(Token![=]) && !input.peek(Token![=>]) && !input.peek(Token![==]);
    let sign = sign(input);
    if input.is_empty() {
        return Single::Missing(sign.or(Some(start)));
    }
    let value = read(input, errors);
    match &value {
        Ok(_) if !right => form_errors.push(Some(start)),
        Ok(_) => {}
        Err(_) => skip(input),
    }
    Single::Value(value)
}

/// Reads `(item, item)`. Other forms are read too; where they go wrong goes into `form_errors`.
fn list(
    input: ParseStream<'_>,
    form_errors: &mut Vec<Option<Span>>,
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
        form_errors.push((!empty).then_some(start));
    }
    each(items, errors, read);
}

/// Passes over `=` and what others put in its place.
fn sign(input: ParseStream<'_>) -> Option<Span> {
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

/// A kind, which is the path of a type; what may stand in parentheses behind it is not there yet.
fn kind(input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<TypePath> {
    if let Ok(text) = input.parse::<LitStr>() {
        let Ok(kind) = text.parse::<TypePath>() else {
            return Err(syn::Error::new_spanned(
                text,
                "expected the path of a Rust type",
            ));
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
    let kind = path(input).map_err(|error| match error {
        Stopped::AtStart(span) => syn::Error::new(span, "expected the path of a Rust type"),
        Stopped::Within(error) => error,
    })?;
    if !input.peek(token::Paren) {
        return Ok(kind);
    }
    if kind.path.is_ident("Dynamic") {
        skip(input);
        return Err(syn::Error::new_spanned(
            kind,
            "`Dynamic` is not supported yet",
        ));
    }
    if let Some(group) = group(input) {
        each(group.stream(), errors, |input, errors| {
            option_of_a_kind(input, errors)
        });
    }
    Ok(kind)
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

/// `K => path`
fn watch(input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<Watch> {
    let kind = kind(input, errors)?;
    let name = code(&kind);
    let start = input.span();
    let right = input.peek(Token![=>]);
    if sign(input).is_none() {
        errors.on(
            &kind,
            format!("say which objects this wakes: write `{name} => Self::your_method`"),
        );
        return Ok(Watch { kind, mapper: None });
    }
    let mut mapper = match path(input) {
        Ok(mapper) => mapper,
        Err(stopped) => {
            errors.push(match stopped {
                Stopped::AtStart(span) => {
                    let at = if input.is_empty() { start } else { span };
                    let message = format!(
                        "expected the path of a method: write `{name} => Self::your_method`"
                    );
                    syn::Error::new(at, message)
                }
                Stopped::Within(error) => error,
            });
            skip(input);
            return Ok(Watch { kind, mapper: None });
        }
    };
    let written = code(&mapper);
    for segment in &mut mapper.path.segments {
        if let PathArguments::AngleBracketed(arguments) = &mut segment.arguments {
            arguments.colon2_token.get_or_insert_with(Default::default);
        }
    }
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
        mapper: Some(mapper),
    })
}

/// Why a path could not be read.
pub(super) enum Stopped {
    /// There is no path here.
    AtStart(Span),
    Within(syn::Error),
}

/// A path, up to the first token that cannot belong to it. syn's own would take the parentheses of
/// `ConfigMap(labels = "..")` for those of `Fn(A)`.
pub(super) fn path(input: ParseStream<'_>) -> Result<TypePath, Stopped> {
    if input.peek(Token![<]) {
        return input.parse().map_err(Stopped::Within);
    }
    if !(input.peek(Ident) || input.peek(Token![::]) || starts_path(input)) {
        return Err(Stopped::AtStart(input.span()));
    }
    segments(input).map_err(Stopped::Within)
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
            segment.arguments = PathArguments::AngleBracketed(input.parse()?);
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

fn text(input: ParseStream<'_>, _: &mut Errors) -> syn::Result<LitStr> {
    input
        .parse()
        .map_err(|_| expected(input, "expected a string literal"))
}

fn not_text(place: syn::Error, form: &str) -> syn::Error {
    syn::Error::new(place.span(), format!("{place}: write `{form}`"))
}

/// The root of `crate = path`.
fn root(input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<Path> {
    if let Ok(text) = input.parse::<LitStr>() {
        let Ok(root) = text.parse_with(Path::parse_mod_style) else {
            return Err(syn::Error::new_spanned(
                text,
                "expected the path of kommodore",
            ));
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
    Path::parse_mod_style(input).map_err(|_| expected(input, "expected the path of kommodore"))
}

/// An error on all that is left of the value.
fn expected(input: ParseStream<'_>, message: &str) -> syn::Error {
    match input.fork().parse::<TokenTree>() {
        Ok(token) => syn::Error::new_spanned(token, message),
        Err(_) => syn::Error::new(input.span(), message),
    }
}
