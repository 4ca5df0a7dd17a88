//! Reading tokens, with a place for what is missing at their end.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use syn::parse::{ParseStream, Parser};
use syn::{Path, braced};

/// As `parse2` of syn, which tells an early end on the whole attribute; here the last token is the place.
pub(crate) fn to_end<T>(
    tokens: TokenStream,
    parser: impl FnOnce(ParseStream<'_>) -> syn::Result<T>,
) -> syn::Result<T> {
    let last = tokens.clone().into_iter().last();
    let end = match last {
        Some(TokenTree::Group(group)) => group.span_close(),
        Some(token) => token.span(),
        None => Span::call_site(),
    };
    // For syn the end of a group is at its closing brace.
    let mut group = Group::new(Delimiter::Brace, tokens);
    group.set_span(end);
    let inside = |input: ParseStream<'_>| {
        let content;
        braced!(content in input);
        parser(&content)
    };
    inside.parse2(TokenTree::from(group).into())
}

/// The path of a module, which a `use` takes. With `Self` there is none.
pub(crate) fn module(input: ParseStream<'_>) -> syn::Result<Path> {
    let path = Path::parse_mod_style(input)?;
    match path.segments.iter().find(|segment| segment.ident == "Self") {
        Some(segment) => Err(syn::Error::new_spanned(segment, "`Self` is no module")),
        None => Ok(path),
    }
}
