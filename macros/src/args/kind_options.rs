//! What may stand in parentheses behind a kind.

use proc_macro2::Span;
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Ident, LitStr, Token};

use super::forms::{Misplaced, Stopped, single};
use super::kinds::{KindArg, KindValue};
use super::scalars::literal;
use super::skip;
use crate::errors::Errors;
use crate::options::{self, CLUSTERS, KindOpt, KindWord, LEAVES, PARTS, Place};

/// `labels = ".."` in `owns(ConfigMap(labels = ".."))`. `None` where nothing can be made of it, which has then
/// been reported.
pub(super) fn option(
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
            let value = value(opt, place, &keyword, input, &mut Errors::default());
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
        KindWord::Unknown => {
            errors.on(&keyword, unknown(&word, place, dynamic));
            skip(input);
            return Ok(None);
        }
    };
    let value = value(opt, place, &keyword, input, errors);
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
        (KindOpt::Full, Place::Watches) => {
            "what is watched is there as a whole: `full` is for `owns(..)`".into()
        }
        (KindOpt::Full, Place::Owns) => {
            "without a Rust type nothing can be read from the cache: `full` is for kinds that have one".into()
        }
        (KindOpt::Full, _) => "`full` is for `owns(..)`".into(),
        (KindOpt::In, _) => "`in` is for `owns(..)` and `watches(..)`".into(),
        (KindOpt::OnLeave, _) => {
            "`on_leave` stands behind the kind of `for`: it is about the finalizer of its objects"
                .into()
        }
        (KindOpt::Verbs | KindOpt::Subresource, _) => {
            format!("`{name}` is for `rbac(..)`; here the verbs follow from the declaration")
        }
        (KindOpt::Labels | KindOpt::Fields | KindOpt::Namespace, _) => {
            format!("`{name}` has no effect in `rbac(..)`: its rules know no selectors")
        }
    }
}

fn value(
    opt: KindOpt,
    place: Place,
    keyword: &Ident,
    input: ParseStream<'_>,
    errors: &mut Errors,
) -> KindValue {
    if opt == KindOpt::Full {
        // Before another word there is a comma missing, which is told elsewhere.
        if !(input.is_empty() || input.peek(Ident::peek_any)) {
            errors.at(input.span(), "`full` stands alone, without a value");
            skip(input);
        }
        return KindValue::Bare;
    }
    let misplaced = &mut Misplaced::new();
    let read = |input: ParseStream<'_>, errors: &mut Errors| match opt {
        KindOpt::On => parts(input, errors).map(KindValue::Parts),
        KindOpt::In => word(input, errors, clusters(place)).map(KindValue::Word),
        KindOpt::OnLeave => word(input, errors, &LEAVES).map(KindValue::Leave),
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
            KindOpt::In if place == Place::Owns => format!(
                "`in` takes `local`, the cluster of the manager itself, or `provider`, those of its providers: write `{example}`"
            ),
            KindOpt::In => format!("`in` takes `local`, the cluster of the manager itself: write `{example}`"),
            KindOpt::OnLeave => format!("`on_leave` takes `keep` or `release`: write `{example}`"),
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

/// Where a kind in this place may lie.
fn clusters(place: Place) -> &'static [&'static str] {
    match place {
        Place::Owns => &CLUSTERS,
        _ => &["local"],
    }
}

/// `spec | labels`
fn parts(input: ParseStream<'_>, errors: &mut Errors) -> Result<Vec<Ident>, Stopped> {
    let mut parts = Vec::new();
    loop {
        parts.push(word(input, errors, &PARTS)?);
        if input.parse::<Option<Token![|]>>()?.is_none() {
            return Ok(parts);
        }
    }
}

/// One of these words.
pub(super) fn word(
    input: ParseStream<'_>,
    errors: &mut Errors,
    words: &[&str],
) -> Result<Ident, Stopped> {
    if let Some(text) = literal(input) {
        let word = text.value();
        if !words.contains(&word.as_str()) {
            return Err(Stopped::at(&text));
        }
        errors.on(
            &text,
            format!("this is a word and not a string: write `{word}`"),
        );
        return Ok(Ident::new(&word, text.span()));
    }
    let start: Span = input.span();
    let given = Ident::parse_any(input).map_err(|_| Stopped::Here(start))?;
    let word = given.unraw().to_string();
    if words.contains(&word.as_str()) {
        return Ok(Ident::new(&word, given.span()));
    }
    let meant = options::nearest(&word.to_lowercase(), words.iter().copied());
    let Some(meant) = meant else {
        return Err(Stopped::at(&given));
    };
    errors.on(
        &given,
        format!("unknown part `{word}`; did you mean `{meant}`?"),
    );
    Ok(Ident::new(meant, given.span()))
}

/// Adds an option; the first counts, unless it was only guessed to be this one.
pub(super) fn add(options: &mut Vec<KindArg>, arg: KindArg, errors: &mut Errors) {
    match options.iter_mut().find(|other| other.opt == arg.opt) {
        Some(other) if other.guessed => *other = arg,
        Some(_) if arg.guessed => {}
        Some(_) => errors.on(&arg.keyword, format!("`{}` is given twice", arg.opt.name())),
        None => options.push(arg),
    }
}
