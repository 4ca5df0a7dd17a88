//! The value of one option.

use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::spanned::Spanned;
use syn::{Ident, LitInt, LitStr, Path, PathArguments, Token, TypePath, token};

use super::forms::{Misplaced, Stopped, list, sign, single};
use super::kinds::{kind, literal, path};
use super::{Given, Kind, Named, Value, Watch, form, skip};
use crate::durations;
use crate::errors::{Errors, code};
use crate::options::{Opt, Place};
use crate::read;

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
            let read =
                |input: ParseStream<'_>, errors: &mut Errors| kind(Place::For, input, errors);
            let kind = single(input, misplaced, errors, read).unwrap_or(Err(Stopped::at(keyword)));
            Value::For(kind.map_err(|stopped| stopped.takes(takes)))
        }
        Opt::Conditions => Value::Conditions(match single(input, misplaced, errors, conditions) {
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
        Opt::Name => Value::Name(one(input, keyword, misplaced, errors, takes, text)),
        Opt::Ready => Value::Ready(one(input, keyword, misplaced, errors, takes, text)),
        Opt::Timeout => Value::Timeout(one(input, keyword, misplaced, errors, takes, duration)),
        Opt::Resync => Value::Resync(one(input, keyword, misplaced, errors, takes, duration)),
        Opt::Concurrency => {
            Value::Concurrency(one(input, keyword, misplaced, errors, takes, number))
        }
        Opt::ClusterConcurrency => {
            Value::ClusterConcurrency(one(input, keyword, misplaced, errors, takes, number))
        }
        Opt::Backoff => {
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
            Value::Backoff(texts)
        }
        Opt::Rbac => {
            let (mut kinds, mut marker) = (Vec::new(), None);
            list(keyword.span(), input, misplaced, errors, |input, errors| {
                // `groups = "", resources = "secrets"`, as kubebuilder's markers have it.
                if input.peek(Ident) && input.peek2(Token![=]) && starts_lower(input) {
                    marker = marker.or(Some(input.span()));
                    skip(input);
                    return Ok(());
                }
                let read = kind(Place::Rbac, input, errors);
                let mut read = read.map_err(|stopped| stopped.takes(takes))?;
                verbs_behind(&mut read, input, errors);
                kinds.push(read);
                Ok(())
            });
            if let Some(marker) = marker {
                errors.at(
                    marker,
                    "a kind comes first, and its group and plural name follow from it: write `rbac(YourKind(verbs = \"get, delete\"))`",
                );
                misplaced.clear();
            }
            Value::Rbac(kinds)
        }
        Opt::Crate => Value::Crate(one(input, keyword, misplaced, errors, takes, root)),
        Opt::Owns => {
            let mut kinds = Vec::new();
            list(keyword.span(), input, misplaced, errors, |input, errors| {
                let kind =
                    kind(Place::Owns, input, errors).map_err(|stopped| stopped.takes(takes))?;
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
            let mut before = None;
            watches.retain(|watch: &Watch| {
                let method = method_alone(watch, before.as_deref(), errors);
                before = Some(watch.kind.code())
                    .filter(|_| !method)
                    .or(before.take());
                !method
            });
            let told = !misplaced.is_empty() && watches.len() == 1;
            for watch in watches.iter().filter(|watch| watch.stands_alone && !told) {
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

fn starts_lower(input: ParseStream<'_>) -> bool {
    let next = input.fork().call(Ident::parse_any);
    next.is_ok_and(|next| next.to_string().starts_with(char::is_lowercase))
}

/// `Secret = "get"` and the like, in the place of `Secret(verbs = "get")`.
fn verbs_behind(kind: &mut Kind, input: ParseStream<'_>, errors: &mut Errors) {
    let start = input.span();
    if kind.broken || !kind.options.is_empty() || sign(input).is_none() {
        return;
    }
    kind.broken = true;
    let verbs =
        literal(input).map_or_else(|| "\"get, delete\"".into(), |text| text.token().to_string());
    skip(input);
    let kind = code(&*kind);
    errors.at(start, format!("write `{kind}(verbs = {verbs})`"));
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
        Opt::Ready => "`ready` takes one string literal: write `ready = \"Available\"`",
        Opt::Concurrency => {
            "`concurrency` takes how many run at once in all clusters: write `concurrency = 16`"
        }
        Opt::ClusterConcurrency => {
            "`cluster_concurrency` takes how many run at once in one cluster: write `cluster_concurrency = 4`"
        }
        Opt::Timeout => "`timeout` takes a duration as a string literal: write `timeout = \"30s\"`",
        Opt::Resync => "`resync` takes a duration as a string literal: write `resync = \"10m\"`",
        Opt::Backoff => {
            "`backoff` takes the first and the longest delay as string literals: write `backoff(\"1s\", \"5m\")`"
        }
        Opt::Rbac => {
            "`rbac` takes kinds with verbs: write `rbac(YourKind(verbs = \"get, delete\"))`"
        }
        Opt::Crate => "`crate` takes the path of kommodore: write `crate = your::path`",
    }
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
            if before.stands_alone && read.stands_alone && is_function =>
        {
            before.stands_alone = false;
            before.mapper = Some(path);
            errors.on(&before.mapper, format!("write `{}`", before.code()));
            before.mapper.iter_mut().for_each(turbofish);
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
    let method = of_self && watch.stands_alone && watch.kind.options.is_empty();
    if method {
        let kind = before.unwrap_or("YourKind");
        errors.on(
            path,
            format!("which kind wakes by this? write `{kind} => {}`", code(path)),
        );
    }
    method
}

/// What stands behind an arrow in `owns(K => path)`, which belongs into `watches`.
fn mapper_of_owned(kind: &Kind, input: ParseStream<'_>, errors: &mut Errors) {
    if !input.peek(Token![=>]) {
        return;
    }
    let at = sign(input).unwrap_or_else(|| kind.span());
    let mapper = path(input).map_or_else(|_| "Self::your_method".into(), |mapper| code(&mapper));
    skip(input);
    let kind = kind.code();
    errors.at(
        at,
        format!(
            "what is owned needs no method: write `owns({kind})` or `watches({kind} => {mapper})`"
        ),
    );
}

/// `K => path`
fn watch(input: ParseStream<'_>, errors: &mut Errors) -> Result<Watch, Stopped> {
    let kind = kind(Place::Watches, input, errors)?;
    let name = kind.code();
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
        mapper: Some(mapper),
        stands_alone: false,
    })
}

/// Reads `= value` of an option that has to have one; `None` where it is wrong, which is then reported.
fn one<T>(
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

/// In the place of a value, where the mapper is going to stand, there has to be a `::` before each `<`.
fn turbofish(mapper: &mut TypePath) {
    for segment in &mut mapper.path.segments {
        if let PathArguments::AngleBracketed(arguments) = &mut segment.arguments {
            arguments.colon2_token.get_or_insert_with(Default::default);
        }
    }
}

fn text(input: ParseStream<'_>, _: &mut Errors) -> Result<LitStr, Stopped> {
    literal(input).ok_or_else(|| Stopped::Here(input.span()))
}

fn duration(input: ParseStream<'_>, errors: &mut Errors) -> Result<LitStr, Stopped> {
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

fn number(input: ParseStream<'_>, errors: &mut Errors) -> Result<LitInt, Stopped> {
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

/// The enum of `conditions = path`.
fn conditions(input: ParseStream<'_>, errors: &mut Errors) -> Result<TypePath, Stopped> {
    // Read as a kind is, for the sake of who puts options behind it.
    match kind(Place::Conditions, input, errors)?.named {
        Named::Typed(path) => Ok(path),
        Named::Dynamic(word) => Err(Stopped::at(word)),
    }
}

/// The root of `crate = path`.
fn root(input: ParseStream<'_>, errors: &mut Errors) -> Result<Path, Stopped> {
    if let Some(text) = literal(input) {
        let Ok(root) = text.parse_with(read::module) else {
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
