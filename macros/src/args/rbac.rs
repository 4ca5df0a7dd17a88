//! `rbac`: kinds with verbs, and what kubebuilder and others write in their place.

use proc_macro2::{Span, TokenStream};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Ident, LitStr, Token};

use super::forms::{Misplaced, list, sign};
use super::kinds::{Kind, kind};
use super::scalars::literal;
use super::skip;
use crate::errors::{Errors, code};
use crate::options::{Place, VERBS};

/// The kinds of `rbac`.
pub(super) fn rbac(
    keyword: &Ident,
    input: ParseStream<'_>,
    misplaced: &mut Misplaced,
    errors: &mut Errors,
    takes: &str,
) -> Vec<Kind> {
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
    kinds
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

/// `Secret(get, list)` and `Secret("get, list")`, in the place of `Secret(verbs = "get, list")`.
pub(super) fn bare_verbs(place: Place, options: TokenStream) -> Option<(String, Span)> {
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
