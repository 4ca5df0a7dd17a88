//! Reading tokens, with a place for what is missing at their end.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Ident, Path, PathArguments, PathSegment, Token, braced, token};

/// Stands where a path breaks off behind `::`. There rustc says that it is not to be found, and an editor, which
/// looks into the expansion, finds all that could follow.
const UNFINISHED: &str = "unfinished_path";

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
    let path = path(input, Arguments::None)?;
    match path.segments.iter().find(|segment| segment.ident == "Self") {
        Some(segment) => Err(syn::Error::new_spanned(segment, "`Self` is no module")),
        None => Ok(path),
    }
}

/// Whether a path has arguments between `<` and `>`.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Arguments {
    Allowed,
    None,
}

/// A path, up to the first token that cannot belong to it. syn's own would take the parentheses of
/// `ConfigMap(labels = "..")` for those of `Fn(A)`.
pub(crate) fn path(input: ParseStream<'_>, allowed: Arguments) -> syn::Result<Path> {
    let mut path = Path {
        leading_colon: input.parse()?,
        segments: Punctuated::new(),
    };
    loop {
        if !starts_path(input) {
            return unfinished(path, input);
        }
        let mut segment = PathSegment::from(Ident::parse_any(input)?);
        // A module has no parameters, and a path where one has some is no code.
        let is_module = ["self", "super", "crate"]
            .iter()
            .any(|module| segment.ident == module);
        let has_arguments =
            input.peek(Token![<]) || (input.peek(Token![::]) && input.peek3(Token![<]));
        if has_arguments && !is_module && allowed == Arguments::Allowed {
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
            None => return Ok(path),
        }
    }
}

pub(crate) fn starts_path(input: ParseStream<'_>) -> bool {
    input.peek(Ident)
        || input.peek(Token![Self])
        || input.peek(Token![self])
        || input.peek(Token![super])
        || input.peek(Token![crate])
}

/// A path that breaks off, unless something else stands in the place of the word that is due.
fn unfinished(mut path: Path, input: ParseStream<'_>) -> syn::Result<Path> {
    let ends = input.is_empty()
        || input.peek(token::Paren)
        || input.peek(Token![=>])
        || input.peek(Token![,]);
    let last = path.segments.pairs().next_back();
    match last.and_then(|last| last.punct().map(|colons| colons.spans[1])) {
        Some(due) if ends => {
            path.segments.push_value(Ident::new(UNFINISHED, due).into());
            Ok(path)
        }
        _ => Err(syn::Error::new_spanned(path, "this path is not complete")),
    }
}

pub(crate) fn is_unfinished(path: &Path) -> bool {
    path.segments
        .last()
        .is_some_and(|last| last.ident == UNFINISHED)
}
