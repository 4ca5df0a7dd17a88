//! First stage: what stands in the attribute, option by option.

mod forms;
mod indexes;
mod kind_options;
mod kinds;
mod parts;
mod paths;
mod rbac;
mod scalars;
mod values;
mod watches;

use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Ident, LitInt, LitStr, Path, TypePath};

pub(crate) use kinds::{Kind, KindArg, KindValue, Named};
use parts::{each, skip};

use crate::errors::{Errors, code};
use crate::options::{self, KindOpt, Opt, Place, Word};
use crate::read;

/// The attribute's options, in the order of the user.
pub(crate) struct Args {
    pub(crate) options: Vec<Arg>,
}

/// One option with the word that names it.
pub(crate) struct Arg {
    pub(crate) keyword: Ident,
    pub(crate) value: Value,
    /// The user wrote something else, which is reported.
    pub(crate) guessed: bool,
}

pub(crate) enum Value {
    /// The error is not reported yet: it takes the kind's place in the expansion, where it keeps
    /// rustc from comparing the user's methods with some other kind.
    For(syn::Result<Kind>),
    Owns(Vec<Kind>),
    Watches(Vec<Watch>),
    Index(Vec<Index>),
    Finalizer(Given<LitStr>),
    /// An error as with `For`.
    Conditions(Given<syn::Result<TypePath>>),
    Name(Option<LitStr>),
    Ready(Option<LitStr>),
    Concurrency(Option<LitInt>),
    ClusterConcurrency(Option<LitInt>),
    Timeout(Option<LitStr>),
    Resync(Option<LitStr>),
    Backoff(Vec<LitStr>),
    Prune,
    Engage(Vec<Ident>),
    Rbac(Vec<Kind>),
    Crate(Option<Path>),
}

/// The value of an option that may stand alone.
pub(crate) enum Given<T> {
    Bare,
    Value(T),
    /// Reported already.
    Broken,
}

/// `K => path`
pub(crate) struct Watch {
    pub(crate) kind: Kind,
    /// `None` where only the kind is there, which is reported. An error as with `For`.
    pub(crate) mapper: Option<syn::Result<TypePath>>,
}

impl Watch {
    /// As the user would write it.
    pub(crate) fn code(&self) -> String {
        let mapper = match &self.mapper {
            Some(Ok(mapper)) => code(mapper),
            _ => "Self::your_method".into(),
        };
        format!("{} => {mapper}", self.kind.code())
    }
}

/// `name => path`
pub(crate) struct Index {
    pub(crate) name: Ident,
    /// `None` where only the name is there, which is reported.
    pub(crate) values: Option<TypePath>,
}

impl Index {
    /// As the user would write it.
    pub(crate) fn code(&self) -> String {
        let values = self.values.as_ref().map(code);
        let values = values.unwrap_or_else(|| "Self::your_function".into());
        format!("{} => {values}", self.name)
    }
}

/// Reads the attribute. Whatever is wrong with one option, the others are read all the same.
pub(crate) fn parse(tokens: TokenStream, errors: &mut Errors) -> Args {
    let mut options: Vec<Arg> = Vec::new();
    let reconciled = reconciled(tokens.clone());
    each(tokens, errors, |input, errors| {
        let has_kind = reconciled.is_some() || options.iter().any(|arg| arg.keyword == "for");
        options.extend(option(has_kind, reconciled.as_deref(), input, errors)?);
        Ok(())
    });
    Args { options }
}

/// The kind of `for`, as far as it can be read, for what is said of other options.
fn reconciled(tokens: TokenStream) -> Option<String> {
    let mut tokens = tokens
        .into_iter()
        .skip_while(|token| !matches!(token, TokenTree::Ident(word) if word == "for"));
    tokens.next()?;
    let path = tokens
        .skip_while(|token| matches!(token, TokenTree::Punct(punct) if punct.as_char() == '='))
        .take_while(|token| match token {
            TokenTree::Ident(_) => true,
            TokenTree::Punct(punct) => matches!(punct.as_char(), ':' | '<' | '>'),
            _ => false,
        });
    let path = code(path.collect::<TokenStream>());
    Some(match path.is_empty() {
        true => "YourKind".into(),
        false => path,
    })
}

/// Reads one option. `None` where nothing can be made of it, which has then been reported.
fn option(
    has_kind: bool,
    reconciled: Option<&str>,
    input: ParseStream<'_>,
    errors: &mut Errors,
) -> syn::Result<Option<Arg>> {
    if let Some(kind) = bare_kind(input, errors) {
        let name = kind.code();
        if has_kind {
            errors.on(
                &kind,
                format!("write `owns({name})` or `watches({name} => Self::your_method)`"),
            );
            return Ok(None);
        }
        errors.on(&kind, format!("write `for = {name}`"));
        let keyword = Ident::new("for", Span::call_site());
        return Ok(Some(Arg {
            keyword,
            value: Value::For(Ok(kind)),
            guessed: true,
        }));
    }
    if !input.peek(Ident::peek_any) {
        return Err(syn::Error::new(
            input.span(),
            "expected an option, such as `for = YourKind`",
        ));
    }
    let keyword = Ident::parse_any(input)?;
    let word = keyword.unraw().to_string();
    match options::option(&word) {
        Word::Option(opt) => {
            let value = values::value(opt, &keyword, input, errors);
            return Ok(Some(Arg {
                keyword,
                value,
                guessed: false,
            }));
        }
        Word::MeantOption(opt) => {
            // What is wrong in the value besides is not worth a second error: the first shows the form.
            let value = values::value(opt, &keyword, input, &mut Errors::default());
            let meant = form(opt, &value);
            let value = match value {
                Value::Finalizer(Given::Bare) => Value::Finalizer(Given::Broken),
                Value::Watches(watches) => Value::Watches(watches::without_errors(watches)),
                other => other,
            };
            errors.on(
                &keyword,
                format!("unknown option `{word}`; did you mean `{meant}`?"),
            );
            return Ok(Some(Arg {
                keyword,
                value,
                guessed: true,
            }));
        }
        Word::OfAKind(opt) => errors.on(
            &keyword,
            format!(
                "`{word}` stands in parentheses behind a kind, as in `{}`",
                match opt {
                    KindOpt::Full => "owns(YourKind(full))".into(),
                    KindOpt::In => "watches(YourKind(in = local) => Self::your_method)".into(),
                    KindOpt::Labels
                    | KindOpt::Fields
                    | KindOpt::Namespace
                    | KindOpt::On
                    | KindOpt::OnLeave => {
                        let kind = reconciled.unwrap_or("YourKind");
                        format!("for = {kind}({})", given(opt, input))
                    }
                    KindOpt::Verbs | KindOpt::Subresource =>
                        "rbac(YourKind(verbs = \"get, delete\"))".into(),
                    _ => "owns(Dynamic(group = \"..\", version = \"..\", kind = \"..\"))".into(),
                }
            ),
        ),
        Word::Unknown => errors.on(
            &keyword,
            format!(
                "unknown option `{word}`; `#[controller]` takes {}",
                options::all()
            ),
        ),
    }
    skip(input);
    Ok(None)
}

/// An option that stands in a wrong place, with the value that it has there.
fn given(opt: KindOpt, input: ParseStream<'_>) -> String {
    let fork = input.fork();
    let value = forms::sign(&fork).and_then(|_| fork.parse::<TokenStream>().ok());
    match value.map(code).filter(|value| !value.is_empty()) {
        Some(value) => format!("{} = {value}", opt.name()),
        None => opt.example().into(),
    }
}

/// A kind in the place of an option, as in `#[controller(Website)]`.
fn bare_kind(input: ParseStream<'_>, errors: &mut Errors) -> Option<Kind> {
    let fork = input.fork();
    let path = match fork.parse::<LitStr>() {
        Ok(text) => text.parse::<TypePath>().ok()?,
        Err(_) => {
            let fork = input.fork();
            let path = paths::path(&fork).ok()?;
            let behind = forms::group(&fork);
            let parentheses =
                behind.is_none_or(|group| group.delimiter() == Delimiter::Parenthesis);
            if !fork.is_empty() || !parentheses || read::is_unfinished(&path.path) {
                return None;
            }
            path
        }
    };
    let last = path.path.segments.last()?.ident.to_string();
    let is_type = path.path.segments.len() > 1 || last.starts_with(char::is_uppercase);
    if !is_type {
        return None;
    }
    // As a string it is reported as something else already.
    let mut quiet = Errors::default();
    let literal = input.peek(LitStr);
    let errors = if literal { &mut quiet } else { errors };
    kinds::kind(Place::For, input, errors).ok()
}

/// How the option is written, with what the user gave for it.
pub(crate) fn form(opt: Opt, value: &Value) -> String {
    let name = opt.name();
    let text = |text: &Option<LitStr>, example: &str| match text {
        Some(text) => format!("{name} = {}", text.token()),
        None => format!("{name} = {example:?}"),
    };
    let number = |number: &Option<LitInt>| match number {
        Some(number) => format!("{name} = {number}"),
        None => format!("{name} = 16"),
    };
    let list = |items: Vec<String>, example: &str| match items.is_empty() {
        true => format!("{name}({example})"),
        false => format!("{name}({})", items.join(", ")),
    };
    match value {
        Value::For(Ok(kind)) => format!("for = {}", kind.code()),
        Value::For(Err(_)) => "for = YourKind".into(),
        Value::Owns(kinds) => list(kinds.iter().map(Kind::code).collect(), "YourKind"),
        Value::Watches(watches) => list(
            watches.iter().map(Watch::code).collect(),
            "YourKind => Self::your_method",
        ),
        Value::Index(indexes) => list(
            indexes.iter().map(Index::code).collect(),
            "by_host => Self::your_function",
        ),
        Value::Rbac(kinds) => list(
            kinds.iter().map(Kind::code).collect(),
            "YourKind(verbs = \"get, delete\")",
        ),
        Value::Backoff(texts) => list(
            texts.iter().map(|text| text.token().to_string()).collect(),
            "\"1s\", \"5m\"",
        ),
        Value::Conditions(Given::Value(Ok(conditions))) => {
            format!("conditions = {}", code(conditions))
        }
        Value::Conditions(Given::Bare) => "conditions".into(),
        Value::Conditions(_) => "conditions = YourConditions".into(),
        Value::Finalizer(Given::Value(text)) => format!("finalizer = {}", text.token()),
        Value::Finalizer(_) => "finalizer = \"your.domain/name\"".into(),
        Value::Name(given) => text(given, "your-controller"),
        Value::Ready(given) => text(given, "Available"),
        Value::Timeout(given) => text(given, "30s"),
        Value::Resync(given) => text(given, "10m"),
        Value::Concurrency(given) | Value::ClusterConcurrency(given) => number(given),
        Value::Prune => name.into(),
        Value::Engage(words) => list(
            words.iter().map(ToString::to_string).collect(),
            "local, provider",
        ),
        Value::Crate(Some(path)) => format!("crate = {}", code(path)),
        Value::Crate(None) => format!("{name} = your::path"),
    }
}
