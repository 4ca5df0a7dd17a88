//! The value of one option.

use syn::parse::ParseStream;
use syn::spanned::Spanned;
use syn::{Ident, LitStr, Path, PathArguments, Token, TypePath, token};

use super::forms::{Misplaced, Stopped, list, sign, single};
use super::kinds::{kind, literal, path};
use super::{Given, Value, Watch, form, skip};
use crate::errors::{Errors, code};
use crate::options::Opt;

/// Reads the value of `opt`, in whatever form it is given.
pub(super) fn value(
    opt: Opt,
    keyword: &Ident,
    input: ParseStream<'_>,
    errors: &mut Errors,
) -> Value {
    let misplaced = &mut Misplaced::new();
    let takes = takes(opt);
    let value = match opt {
        Opt::For => {
            let kind = single(input, misplaced, errors, kind).unwrap_or(Err(Stopped::at(keyword)));
            Value::For(kind.map_err(|stopped| stopped.takes(takes)))
        }
        Opt::Conditions => Value::Conditions(match single(input, misplaced, errors, kind) {
            Some(conditions) => Given::Value(conditions.map_err(|stopped| stopped.takes(takes))),
            None => Given::Bare,
        }),
        Opt::Finalizer => Value::Finalizer(match single(input, misplaced, errors, text) {
            Some(text) => {
                let text = text.map_err(|stopped| stopped.takes(takes));
                errors.ok(text).map_or(Given::Broken, Given::Value)
            }
            None => Given::Bare,
        }),
        Opt::Name => {
            let text = single(input, misplaced, errors, text).unwrap_or(Err(Stopped::at(keyword)));
            Value::Name(errors.ok(text.map_err(|stopped| stopped.takes(takes))))
        }
        Opt::Crate => {
            let root = single(input, misplaced, errors, root).unwrap_or(Err(Stopped::at(keyword)));
            Value::Crate(errors.ok(root.map_err(|stopped| stopped.takes(takes))))
        }
        Opt::Owns => {
            let mut kinds = Vec::new();
            list(keyword.span(), input, misplaced, errors, |input, errors| {
                let kind = kind(input, errors).map_err(|stopped| stopped.takes(takes))?;
                mapper_of_owned(&kind, input, errors);
                kinds.push(kind);
                Ok(())
            });
            Value::Owns(kinds)
        }
        Opt::Watches => {
            let mut watches = Vec::new();
            list(keyword.span(), input, misplaced, errors, |input, errors| {
                let read = watch(input, errors).map_err(|stopped| stopped.takes(takes))?;
                add(&mut watches, read, errors);
                Ok(())
            });
            for watch in watches.iter().filter(|watch| watch.stands_alone) {
                let message = format!("say which objects this wakes: write `{}`", watch.code());
                errors.on(&watch.kind, message);
            }
            Value::Watches(watches)
        }
    };
    for span in misplaced.drain(..) {
        errors.at(span, format!("write `{}`", form(opt, &value)));
    }
    value
}

/// What an option takes, for whom gave it something else.
fn takes(opt: Opt) -> &'static str {
    match opt {
        Opt::For => "`for` takes the Rust type of one kind: write `for = YourKind`",
        Opt::Owns => "`owns` takes the Rust types of kinds: write `owns(YourKind)`",
        Opt::Watches => {
            "`watches` takes the Rust types of kinds, each with a method: write `watches(YourKind => Self::your_method)`"
        }
        Opt::Finalizer => {
            "`finalizer` takes one string literal: write `finalizer = \"your.domain/name\"`"
        }
        Opt::Conditions => {
            "`conditions` takes one enum that derives `ConditionType`: write `conditions = YourConditions`"
        }
        Opt::Name => "`name` takes one string literal: write `name = \"your-controller\"`",
        Opt::Crate => "`crate` takes the path of kommodore: write `crate = your::path`",
    }
}

/// Adds what stands between two commas; `Secret, Self::method` is one watch with a wrong comma.
fn add(watches: &mut Vec<Watch>, read: Watch, errors: &mut Errors) {
    let last = read.kind.path.segments.last();
    let is_function =
        last.is_some_and(|last| last.ident.to_string().starts_with(char::is_lowercase));
    match watches.last_mut() {
        Some(before) if before.stands_alone && read.stands_alone && is_function => {
            before.stands_alone = false;
            before.mapper = Some(read.kind);
            errors.on(&before.mapper, format!("write `{}`", before.code()));
        }
        _ => watches.push(read),
    }
}

/// What stands behind an arrow in `owns(K => path)`, which belongs into `watches`.
fn mapper_of_owned(kind: &TypePath, input: ParseStream<'_>, errors: &mut Errors) {
    if !input.peek(Token![=>]) {
        return;
    }
    let at = sign(input).unwrap_or_else(|| kind.span());
    let mapper = path(input).map_or_else(|_| "Self::your_method".into(), |mapper| code(&mapper));
    skip(input);
    let kind = code(kind);
    errors.at(
        at,
        format!(
            "what is owned needs no method: write `owns({kind})` or `watches({kind} => {mapper})`"
        ),
    );
}

/// `K => path`
fn watch(input: ParseStream<'_>, errors: &mut Errors) -> Result<Watch, Stopped> {
    let kind = kind(input, errors)?;
    let name = code(&kind);
    let start = input.span();
    let right = input.peek(Token![=>]);
    if sign(input).is_none() {
        return Ok(Watch {
            kind,
            mapper: None,
            stands_alone: true,
        });
    }
    let mut mapper = match path(input) {
        Ok(mapper) => mapper,
        Err(stopped) => {
            let stopped = match stopped {
                Stopped::Here(_) if input.is_empty() => Stopped::Here(start),
                other => other,
            };
            errors.push(stopped.takes(&format!(
                "expected the path of a method: write `{name} => Self::your_method`"
            )));
            skip(input);
            return Ok(Watch {
                kind,
                mapper: None,
                stands_alone: false,
            });
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
        stands_alone: false,
    })
}

fn text(input: ParseStream<'_>, _: &mut Errors) -> Result<LitStr, Stopped> {
    literal(input).ok_or_else(|| Stopped::Here(input.span()))
}

/// The root of `crate = path`.
fn root(input: ParseStream<'_>, errors: &mut Errors) -> Result<Path, Stopped> {
    if let Some(text) = literal(input) {
        let Ok(root) = text.parse_with(Path::parse_mod_style) else {
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
    Path::parse_mod_style(input).map_err(|_| Stopped::Here(start))
}
