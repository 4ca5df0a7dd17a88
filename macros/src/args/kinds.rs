//! Kinds and other paths, and what may stand behind a kind.

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Ident, LitStr, Path, PathArguments, PathSegment, Token, TypePath, token};

use super::forms::{Misplaced, Stopped, group, single};
use super::{each, skip};
use crate::errors::{Errors, code};
use crate::options::{self, KindOpt, KindWord, PARTS, Place, VERBS};

/// A kind, and what stands in parentheses behind it.
pub(crate) struct Kind {
    pub(crate) named: Named,
    pub(crate) options: Vec<KindArg>,
    /// Something behind it could not be read, which is reported: what is missing may be there.
    pub(crate) broken: bool,
}

pub(crate) enum Named {
    Typed(TypePath),
    /// `Dynamic(..)`: its options say what it is.
    Dynamic(Ident),
}

/// One option behind a kind, with the word that names it.
pub(crate) struct KindArg {
    pub(crate) keyword: Ident,
    /// The user wrote another word, which is reported.
    pub(crate) guessed: bool,
    pub(crate) opt: KindOpt,
    pub(crate) value: KindValue,
}

pub(crate) enum KindValue {
    Text(LitStr),
    /// The words of `on`.
    Parts(Vec<Ident>),
    /// Reported already.
    Broken,
}

impl Kind {
    /// As the user would write it.
    pub(crate) fn code(&self) -> String {
        let options: Vec<String> = self.options.iter().map(KindArg::code).collect();
        match options.is_empty() {
            true => code(self),
            false => format!("{}({})", code(self), options.join(", ")),
        }
    }

    /// The text of an option, if it is there and could be read.
    pub(crate) fn text(&self, opt: KindOpt) -> Option<&LitStr> {
        self.options.iter().find_map(|arg| match &arg.value {
            KindValue::Text(text) if arg.opt == opt => Some(text),
            _ => None,
        })
    }

    pub(crate) fn is_dynamic(&self) -> bool {
        matches!(self.named, Named::Dynamic(_))
    }
}

impl KindArg {
    fn code(&self) -> String {
        let name = self.opt.name();
        match &self.value {
            KindValue::Text(text) => format!("{name} = {}", text.token()),
            KindValue::Parts(parts) => {
                let parts: Vec<String> = parts.iter().map(ToString::to_string).collect();
                format!("{name} = {}", parts.join(" | "))
            }
            KindValue::Broken => self.opt.example().into(),
        }
    }
}

impl ToTokens for Kind {
    /// What names the kind, without its options.
    fn to_tokens(&self, tokens: &mut TokenStream) {
        match &self.named {
            Named::Typed(path) => path.to_tokens(tokens),
            Named::Dynamic(word) => word.to_tokens(tokens),
        }
    }
}

/// A kind: the path of a type, or `Dynamic`, with its options in parentheses.
pub(super) fn kind(
    place: Place,
    input: ParseStream<'_>,
    errors: &mut Errors,
) -> Result<Kind, Stopped> {
    let path = named(input, errors)?;
    let parentheses = match input.peek(token::Paren) {
        true => group(input),
        false => None,
    };
    let dynamic = match &parentheses {
        Some(group) => dynamic(&path, group.stream(), errors),
        None => None,
    };
    if let Some(word) = &dynamic
        && place == Place::For
    {
        skip(input);
        return Err(syn::Error::new_spanned(
            word,
            "the kind of `for` needs a Rust type, which `reconcile` gets; `Dynamic` is for `owns`, `watches` and `rbac`",
        )
        .into());
    }
    let mut options = Vec::new();
    let before = errors.count();
    if let Some(group) = parentheses {
        if group.stream().is_empty() {
            let name = code(&path);
            errors.at(
                group.span(),
                format!("there is nothing in these parentheses: write `{name}`"),
            );
        }
        let verbs = bare_verbs(place, group.stream());
        if let Some((verbs, first)) = verbs {
            let arg = KindArg {
                keyword: Ident::new("verbs", first),
                guessed: true,
                opt: KindOpt::Verbs,
                value: KindValue::Text(LitStr::new(&verbs, first)),
            };
            errors.at(first, format!("write `{}({})`", code(&path), arg.code()));
            options.push(arg);
        } else {
            each(group.stream(), errors, |input, errors| {
                if let Some(arg) = option(place, dynamic.is_some(), input, errors)? {
                    add(&mut options, arg, errors);
                }
                Ok(())
            });
        }
    }
    let broken = errors.count() > before;
    let named = match dynamic {
        Some(word) => Named::Dynamic(word),
        None => Named::Typed(path),
    };
    Ok(Kind {
        named,
        options,
        broken,
    })
}

/// The word `Dynamic`, if the kind is one without a Rust type.
fn dynamic(path: &TypePath, options: TokenStream, errors: &mut Errors) -> Option<Ident> {
    let last = path.path.segments.last()?.ident.clone();
    if path.path.is_ident("Dynamic") {
        return Some(last);
    }
    let words: Vec<String> = options.into_iter().map(|token| token.to_string()).collect();
    let has = |word: &str| words.iter().any(|other| other == word);
    let meant = matches!(
        last.to_string().to_lowercase().as_str(),
        "dynamic" | "dynamicobject" | "unstructured"
    );
    (meant && has("kind") && has("version")).then(|| {
        errors.on(
            path,
            "a kind without a Rust type is written `Dynamic(group = \"..\", version = \"..\", kind = \"..\")`",
        );
        last
    })
}

/// `Secret(get, list)` and `Secret("get, list")`, in the place of `Secret(verbs = "get, list")`.
fn bare_verbs(place: Place, options: TokenStream) -> Option<(String, Span)> {
    let first = options.clone().into_iter().next()?.span();
    if place != Place::Rbac {
        return None;
    }
    if let Ok(text) = syn::parse2::<LitStr>(options.clone()) {
        return Some((text.value(), first));
    }
    let verbs = Punctuated::<Ident, Token![,]>::parse_terminated
        .parse2(options)
        .ok()?;
    let verbs: Vec<String> = verbs.iter().map(ToString::to_string).collect();
    let known = verbs.iter().all(|verb| VERBS.contains(&verb.as_str()));
    known.then(|| (verbs.join(", "), first))
}

/// Adds an option; the first counts, unless it was only guessed to be this one.
fn add(options: &mut Vec<KindArg>, arg: KindArg, errors: &mut Errors) {
    match options.iter_mut().find(|other| other.opt == arg.opt) {
        Some(other) if other.guessed => *other = arg,
        Some(_) if arg.guessed => {}
        Some(_) => errors.on(&arg.keyword, format!("`{}` is given twice", arg.opt.name())),
        None => options.push(arg),
    }
}

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

/// A string literal, if one comes next; with a suffix it is something else.
pub(super) fn literal(input: ParseStream<'_>) -> Option<LitStr> {
    // A literal of another sort is read before it is refused, hence the look ahead.
    let next: LitStr = input.peek(LitStr).then(|| input.fork().parse().ok())??;
    next.suffix()
        .is_empty()
        .then(|| input.parse().ok())
        .flatten()
}

/// `labels = ".."` in `owns(ConfigMap(labels = ".."))`. `None` where nothing can be made of it, which has then
/// been reported.
fn option(
    place: Place,
    dynamic: bool,
    input: ParseStream<'_>,
    errors: &mut Errors,
) -> syn::Result<Option<KindArg>> {
    if !input.peek(Ident::peek_any) {
        return Err(
            input.error("expected an option of this kind, such as `labels = \"tier=gold\"`")
        );
    }
    let keyword = Ident::parse_any(input)?;
    let word = keyword.unraw().to_string();
    let opt = match options::option_of_a_kind(&word, place, dynamic) {
        KindWord::Option(opt) => opt,
        KindWord::Meant(KindOpt::Version) if word.to_lowercase().contains("api") => {
            let text = api_version(input);
            errors.on(&keyword, format!("unknown option `{word}`; write `{text}`"));
            skip(input);
            return Ok(None);
        }
        KindWord::Meant(opt) => {
            let meant = format!("unknown option `{word}`; did you mean `{}`?", opt.name());
            errors.on(&keyword, meant);
            let value = value(opt, &keyword, input, &mut Errors::default());
            return Ok(Some(KindArg {
                keyword,
                guessed: true,
                opt,
                value,
            }));
        }
        KindWord::Elsewhere(opt) => {
            errors.on(&keyword, elsewhere(opt, place));
            skip(input);
            return Ok(None);
        }
        KindWord::Later => {
            errors.on(&keyword, format!("`{word}` is not supported yet"));
            skip(input);
            return Ok(None);
        }
        KindWord::Unknown => {
            errors.on(&keyword, unknown(&word, place, dynamic));
            skip(input);
            return Ok(None);
        }
    };
    let value = value(opt, &keyword, input, errors);
    Ok(Some(KindArg {
        keyword,
        guessed: false,
        opt,
        value,
    }))
}

/// The group and the version of `= "example.org/v1"`, as they are written here.
fn api_version(input: ParseStream<'_>) -> String {
    let fork = input.fork();
    let text = fork
        .parse::<Token![=]>()
        .and_then(|_| fork.parse::<LitStr>())
        .map_or_else(|_| "example.org/v1".into(), |text| text.value());
    let (group, version) = text.rsplit_once('/').unwrap_or(("", &text));
    format!("group = {group:?}, version = {version:?}")
}

fn unknown(word: &str, place: Place, dynamic: bool) -> String {
    let all = options::all_of_a_kind(place, dynamic);
    match all.is_empty() {
        true => format!("unknown option `{word}`: what stands here takes none"),
        false => format!("unknown option `{word}`; a kind takes {all} here"),
    }
}

/// What to say of an option that has no meaning in this place.
fn elsewhere(opt: KindOpt, place: Place) -> String {
    let name = opt.name();
    match (opt, place) {
        (_, Place::Conditions) => {
            format!("`{name}` stands behind a kind: an enum of conditions takes no options here")
        }
        (KindOpt::Group | KindOpt::Version | KindOpt::Kind | KindOpt::Plural, _) => format!(
            "a Rust type says its own {name}: `{name}` is for `Dynamic(group = \"..\", version = \"..\", kind = \"..\")`"
        ),
        (KindOpt::On, _) => {
            "`on` stands behind the kind of `for`: of other kinds every change counts".into()
        }
        (KindOpt::Verbs | KindOpt::Subresource, _) => {
            format!("`{name}` is for `rbac(..)`; here the verbs follow from the declaration")
        }
        (KindOpt::Labels | KindOpt::Fields | KindOpt::Namespace, _) => {
            format!("`{name}` has no effect in `rbac(..)`: its rules know no selectors")
        }
    }
}

fn value(opt: KindOpt, keyword: &Ident, input: ParseStream<'_>, errors: &mut Errors) -> KindValue {
    let misplaced = &mut Misplaced::new();
    let read = |input: ParseStream<'_>, errors: &mut Errors| match opt {
        KindOpt::On => parts(input, errors).map(KindValue::Parts),
        _ => literal(input)
            .map(KindValue::Text)
            .ok_or_else(|| Stopped::Here(input.span())),
    };
    let value = single(input, misplaced, errors, read).unwrap_or(Err(Stopped::at(keyword)));
    let (name, example) = (opt.name(), opt.example());
    let value = value.map_err(|stopped| {
        stopped.takes(&match opt {
            KindOpt::On => format!(
                "`on` takes `any_change`, or some of `spec`, `labels` and `annotations` with `|` between them: write `{example}`"
            ),
            _ => format!("`{name}` takes one string literal: write `{example}`"),
        })
    });
    let value = errors.ok(value).unwrap_or(KindValue::Broken);
    let arg = KindArg {
        keyword: keyword.clone(),
        guessed: false,
        opt,
        value,
    };
    for span in misplaced.drain(..) {
        errors.at(span, format!("write `{}`", arg.code()));
    }
    arg.value
}

/// `spec | labels`
fn parts(input: ParseStream<'_>, errors: &mut Errors) -> Result<Vec<Ident>, Stopped> {
    let mut parts = Vec::new();
    loop {
        if let Some(text) = literal(input) {
            let word = text.value();
            if !PARTS.contains(&word.as_str()) {
                return Err(Stopped::at(&text));
            }
            errors.on(
                &text,
                format!("this is a word and not a string: write `{word}`"),
            );
            parts.push(Ident::new(&word, text.span()));
        } else {
            let start: Span = input.span();
            let part = Ident::parse_any(input).map_err(|_| Stopped::Here(start))?;
            let word = part.unraw().to_string();
            if !PARTS.contains(&word.as_str()) {
                let meant = options::nearest(&word.to_lowercase(), PARTS.into_iter());
                let Some(meant) = meant else {
                    return Err(Stopped::at(&part));
                };
                errors.on(
                    &part,
                    format!("unknown part `{word}`; did you mean `{meant}`?"),
                );
                parts.push(Ident::new(meant, part.span()));
            } else {
                parts.push(Ident::new(&word, part.span()));
            }
        }
        if input.parse::<Option<Token![|]>>()?.is_none() {
            return Ok(parts);
        }
    }
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
        // A module has no parameters, and a path where one has some is no code.
        let is_module = ["self", "super", "crate"]
            .iter()
            .any(|module| segment.ident == module);
        let has_arguments =
            input.peek(Token![<]) || (input.peek(Token![::]) && input.peek3(Token![<]));
        if has_arguments && !is_module {
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
