//! What stands between commas.

use proc_macro2::{TokenStream, TokenTree};
use syn::parse::ParseStream;

use crate::errors::Errors;
use crate::read;

/// Reads what stands between commas, one by one; a mistake in one leaves the others alone.
pub(super) fn each(
    tokens: TokenStream,
    errors: &mut Errors,
    mut read: impl FnMut(ParseStream<'_>, &mut Errors) -> syn::Result<()>,
) {
    for mut part in split(tokens, errors) {
        while !part.is_empty() {
            let mut left = TokenStream::new();
            let parsed = read::to_end(part, |input| {
                read(input, errors)?;
                left = input.parse()?;
                Ok(())
            });
            if let Err(error) = parsed {
                errors.push(error);
                break;
            }
            match left.clone().into_iter().next() {
                None => break,
                Some(next @ (TokenTree::Ident(_) | TokenTree::Literal(_))) => {
                    errors.on(&next, format!("expected `,` before `{next}`"));
                    part = left;
                }
                Some(other) => {
                    errors.on(
                        &other,
                        "expected `,`: what belongs together ends before this",
                    );
                    if !matches!(&other, TokenTree::Punct(punct) if punct.as_char() == ';') {
                        break;
                    }
                    part = left.into_iter().skip(1).collect();
                }
            }
        }
    }
}

/// Cuts at commas, but not at those between `<` and `>`.
fn split(tokens: TokenStream, errors: &mut Errors) -> Vec<TokenStream> {
    let mut parts = Vec::new();
    let mut part = Vec::new();
    let mut depth = 0_usize;
    let mut before = ' ';
    for token in tokens {
        let mut this = ' ';
        if let TokenTree::Punct(punct) = &token {
            this = punct.as_char();
            match this {
                '<' => depth += 1,
                '>' if !matches!(before, '=' | '-') => depth = depth.saturating_sub(1),
                ',' if depth == 0 => {
                    if part.is_empty() {
                        errors.on(punct, "there is nothing before this `,`");
                    } else {
                        parts.push(part.drain(..).collect());
                    }
                    before = this;
                    continue;
                }
                _ => {}
            }
        }
        before = this;
        part.push(token);
    }
    if !part.is_empty() {
        parts.push(part.into_iter().collect());
    }
    parts
}

/// Passes over the rest of an option that nothing can be made of.
pub(super) fn skip(input: ParseStream<'_>) {
    // Reading a token stream takes everything and cannot fail.
    let _: syn::Result<TokenStream> = input.parse();
}
