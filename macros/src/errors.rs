//! The mistakes found so far, and how user code is quoted in them.

use proc_macro2::{Delimiter, Spacing, Span, TokenStream, TokenTree};
use quote::ToTokens;

/// All mistakes of one expansion. They are reported together.
#[derive(Default)]
pub(crate) struct Errors(Vec<syn::Error>);

impl Errors {
    /// A mistake at one place.
    pub(crate) fn at(&mut self, span: Span, message: impl std::fmt::Display) {
        self.push(syn::Error::new(span, message));
    }

    /// A mistake in all of `tokens`.
    pub(crate) fn on(&mut self, tokens: impl ToTokens, message: impl std::fmt::Display) {
        self.push(syn::Error::new_spanned(tokens, message));
    }

    pub(crate) fn push(&mut self, error: syn::Error) {
        self.0.push(error);
    }

    /// How many there are so far.
    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// The value, or `None` with its mistake reported.
    pub(crate) fn ok<T>(&mut self, result: syn::Result<T>) -> Option<T> {
        result.map_err(|error| self.push(error)).ok()
    }
}

impl ToTokens for Errors {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        tokens.extend(self.0.iter().map(syn::Error::to_compile_error));
    }
}

/// User code as the user would have written it; `TokenStream::to_string` puts spaces everywhere.
pub(crate) fn code(tokens: impl ToTokens) -> String {
    let mut out = String::new();
    write_code(&mut out, tokens.to_token_stream());
    out
}

fn write_code(out: &mut String, tokens: TokenStream) {
    let mut joint = false;
    for token in tokens {
        match token {
            TokenTree::Punct(punct) => {
                let before =
                    matches!(punct.as_char(), '=' | '-' | '+' | '|') && !joint && !out.is_empty();
                if before && !out.ends_with(' ') {
                    out.push(' ');
                }
                out.push(punct.as_char());
                let arrow = punct.as_char() == '>' && (out.ends_with("=>") || out.ends_with("->"));
                if punct.spacing() == Spacing::Alone
                    && (arrow || matches!(punct.as_char(), ',' | '=' | '+'))
                {
                    out.push(' ');
                }
                joint = punct.spacing() == Spacing::Joint;
                continue;
            }
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::None => ("", ""),
                };
                out.push_str(open);
                write_code(out, group.stream());
                out.truncate(out.trim_end().len());
                out.push_str(close);
            }
            word => {
                if out.ends_with(|last: char| last.is_alphanumeric() || last == '_') {
                    out.push(' ');
                }
                out.push_str(&word.to_string());
            }
        }
        joint = false;
    }
    if out.ends_with(", ") {
        out.truncate(out.len() - 2);
    }
}

#[cfg(test)]
mod tests {
    use quote::quote;

    use super::code;

    #[test]
    fn code_reads_as_it_was_written() {
        assert_eq!(code(quote!(core::v1::ConfigMap)), "core::v1::ConfigMap");
        assert_eq!(code(quote!(ConfigMap, Secret,)), "ConfigMap, Secret");
        assert_eq!(
            code(quote!(Secret => Self::sites_using)),
            "Secret => Self::sites_using"
        );
        assert_eq!(code(quote!(Pair<A, B>)), "Pair<A, B>");
        assert_eq!(
            code(quote!(Secret(labels = "a=b"))),
            "Secret(labels = \"a=b\")"
        );
    }
}
