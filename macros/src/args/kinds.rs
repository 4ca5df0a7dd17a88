//! Kinds, with what stands in parentheses behind them.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::parse::ParseStream;
use syn::{Ident, LitStr, TypePath, token};

use super::forms::{Stopped, group};
use super::kind_options::{add, option};
use super::paths::named;
use super::rbac::bare_verbs;
use super::{each, skip};
use crate::errors::{Errors, code};
use crate::options::{KindOpt, Place};
use crate::read;

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
    /// The word of `in`.
    Word(Ident),
    /// The option stands for itself.
    Bare,
    /// The word of `on_leave`.
    Leave(Ident),
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

    /// Whether the option is there.
    pub(crate) fn has(&self, opt: KindOpt) -> bool {
        self.options.iter().any(|arg| arg.opt == opt)
    }

    pub(crate) fn is_dynamic(&self) -> bool {
        matches!(self.named, Named::Dynamic(_))
    }

    /// Of what is still being written one mistake is enough, and rustc tells it.
    pub(crate) fn is_unfinished(&self) -> bool {
        matches!(&self.named, Named::Typed(path) if read::is_unfinished(&path.path))
    }
}

impl KindArg {
    pub(crate) fn code(&self) -> String {
        let name = self.opt.name();
        match &self.value {
            KindValue::Text(text) => format!("{name} = {}", text.token()),
            KindValue::Parts(parts) => {
                let parts: Vec<String> = parts.iter().map(ToString::to_string).collect();
                format!("{name} = {}", parts.join(" | "))
            }
            KindValue::Word(word) => format!("{name} = {word}"),
            KindValue::Bare => name.into(),
            KindValue::Leave(word) => format!("{name} = {word}"),
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
