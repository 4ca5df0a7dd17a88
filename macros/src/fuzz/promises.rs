//! What the macros promise, whatever they are given.

use std::ops::Range;
use std::panic::{self, AssertUnwindSafe};

use proc_macro2::{Delimiter, Group, Punct, Spacing, Span, TokenStream, TokenTree};
use syn::DeriveInput;

use super::Input;
use super::shrink::quietly;

#[derive(Clone, Copy)]
pub(super) enum Macro {
    Attribute,
    Derive,
}

/// Words in a text of nothing else. Each token of an input is given the place of one of them, so that it
/// is known by its place; a text made from the tokens would not show groups without delimiters.
pub(super) struct Ground {
    file: String,
    words: Vec<Span>,
}

/// How many tokens an attribute or an item may have. Far more than any has.
const WORDS: usize = 20_000;

/// One token, or one end of a group, as text and with its place.
#[derive(PartialEq)]
struct Flat {
    text: String,
    place: Range<usize>,
}

impl Ground {
    pub(super) fn new() -> Self {
        // The first word is nobody's: what is nowhere, such as `Span::call_site()`, is at the beginning.
        let text = "w ".repeat(1 + 2 * WORDS);
        let words: TokenStream = text.parse().expect("words");
        let words: Vec<Span> = words.into_iter().skip(1).map(|word| word.span()).collect();
        assert_ne!(words[0].file(), Span::call_site().file());
        Self {
            file: words[0].file(),
            words,
        }
    }

    /// Says which promise the macro breaks with this input.
    pub(super) fn check(&self, of: Macro, input: &Input) -> Result<(), String> {
        let (attributes, items) = self.words.split_at(WORDS);
        let (mut given, mut of_item) = (attributes.iter(), items.iter());
        let attribute = match of {
            Macro::Attribute => placed(input.attribute.clone(), &mut given),
            Macro::Derive => TokenStream::new(),
        };
        let item = placed(input.item.clone(), &mut of_item);
        let places = [
            places(&attributes[..WORDS - given.len()]),
            places(&items[..WORDS - of_item.len()]),
        ];

        let run = AssertUnwindSafe(|| match of {
            Macro::Attribute => crate::expand_controller(attribute, item.clone()),
            Macro::Derive => crate::condition_type::expand(item.clone()),
        });
        let output = quietly(|| panic::catch_unwind(run)).map_err(|cause| {
            let text = cause.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| cause.downcast_ref::<&str>().copied());
            format!("it panics: {}", text.unwrap_or_default())
        })?;

        if let Macro::Attribute = of {
            keeps_the_item(&item, &output)?;
        }
        parses(of, &item, &output)?;
        // An item that is not there is none that an attribute could stand on.
        if !item.is_empty() {
            self.tells_where(&output, &places)?;
        }
        Ok(())
    }

    /// Every error is on a token of the attribute or of the item, from its beginning to its end.
    fn tells_where(
        &self,
        output: &TokenStream,
        places: &[Option<Range<usize>>],
    ) -> Result<(), String> {
        let tokens: Vec<TokenTree> = output.clone().into_iter().collect();
        for (i, token) in tokens.iter().enumerate() {
            let TokenTree::Group(group) = token else {
                continue;
            };
            let is_error = i >= 2
                && matches!(&tokens[i - 1], TokenTree::Punct(punct) if punct.as_char() == '!')
                && matches!(&tokens[i - 2], TokenTree::Ident(name) if name == "compile_error");
            if !is_error {
                self.tells_where(&group.stream(), places)?;
                continue;
            }
            for (end, span) in [("begins", tokens[i - 2].span()), ("ends", group.span())] {
                let place = span.byte_range();
                let inside = places
                    .iter()
                    .flatten()
                    .any(|input| input.start <= place.start && place.end <= input.end);
                if span.file() != self.file || !inside {
                    let message = group.stream();
                    return Err(format!(
                        "an error {end} at no token of the input: {message}"
                    ));
                }
            }
        }
        Ok(())
    }
}

/// The tokens, each at the next place. As from rustc nothing is joint with what can be no part of a sign.
fn placed<'a>(tokens: TokenStream, places: &mut impl Iterator<Item = &'a Span>) -> TokenStream {
    let mut out = TokenStream::new();
    let mut tokens = tokens.into_iter().peekable();
    while let Some(mut token) = tokens.next() {
        let place = *places.next().expect("an input of less tokens");
        match &token {
            TokenTree::Group(group) => {
                token = Group::new(group.delimiter(), placed(group.stream(), places)).into();
            }
            TokenTree::Punct(punct) => {
                let joins = match tokens.peek() {
                    Some(TokenTree::Punct(_)) => true,
                    Some(TokenTree::Ident(_)) => punct.as_char() == '\'',
                    _ => false,
                };
                if !joins {
                    token = Punct::new(punct.as_char(), Spacing::Alone).into();
                }
            }
            _ => {}
        }
        token.set_span(place);
        out.extend([token]);
    }
    out
}

/// From the first place to the last, if there are any.
fn places(spans: &[Span]) -> Option<Range<usize>> {
    Some(spans.first()?.byte_range().start..spans.last()?.byte_range().end)
}

/// The item is in the output, token by token and each in its place.
fn keeps_the_item(item: &TokenStream, output: &TokenStream) -> Result<(), String> {
    let (mut item_, mut output_) = (flat(item.clone()), flat(output.clone()));
    let is_type = syn::parse2::<DeriveInput>(item.clone()).is_ok();
    if is_type && let Some(expected) = without_second_attribute(&item_) {
        // Groups without delimiters may have gone with it, as they had one end in it.
        let is_token = |flat: &Flat| !matches!(flat.text.as_str(), "«" | "»");
        item_ = expected;
        output_.retain(is_token);
    }
    let is_there = item_.is_empty() || output_.windows(item_.len()).any(|part| part == item_);
    is_there
        .then_some(())
        .ok_or_else(|| format!("the item is not in the output: {output}"))
}

/// Without the attributes that are ours, if there are any; these stand for one too many.
fn without_second_attribute(item: &[Flat]) -> Option<Vec<Flat>> {
    let is_token = |flat: &&Flat| !matches!(flat.text.as_str(), "«" | "»");
    let copy = |flat: &Flat| Flat {
        text: flat.text.clone(),
        place: flat.place.clone(),
    };
    let tokens: Vec<Flat> = item.iter().filter(is_token).map(copy).collect();
    let mut kept = Vec::new();
    let mut rest = &tokens[..];
    while let [pound, open, ..] = rest
        && pound.text.starts_with('#')
        && open.text == "["
    {
        let mut depth = 0_usize;
        let end = rest.iter().position(|flat| {
            match flat.text.as_str() {
                "[" => depth += 1,
                "]" => depth -= 1,
                _ => {}
            }
            depth == 0 && flat.text == "]"
        })?;
        let path: Vec<&str> = rest[2..end]
            .iter()
            .map(|flat| flat.text.trim())
            .take_while(|text| {
                *text == ":" || text.starts_with(|c: char| c == '_' || c.is_alphabetic())
            })
            .filter(|text| *text != ":")
            .collect();
        let is_ours = matches!(&path[..], ["controller"] | ["kommodore", .., "controller"]);
        if !is_ours {
            kept.extend(rest[..=end].iter().map(copy));
        }
        rest = &rest[end + 1..];
    }
    kept.extend(rest.iter().map(copy));
    (kept.len() < tokens.len()).then_some(kept)
}

/// What follows the item is code wherever the item is.
fn parses(of: Macro, item: &TokenStream, output: &TokenStream) -> Result<(), String> {
    let Err(error) = syn::parse2::<syn::File>(output.clone()) else {
        return Ok(());
    };
    match of {
        Macro::Attribute if syn::parse2::<syn::File>(item.clone()).is_err() => Ok(()),
        _ => Err(format!("the output does not parse, {error}: {output}")),
    }
}

fn flat(tokens: TokenStream) -> Vec<Flat> {
    let mut out = Vec::new();
    flatten(tokens, &mut out);
    out
}

fn flatten(tokens: TokenStream, out: &mut Vec<Flat>) {
    for token in tokens {
        let place = token.span().byte_range();
        let text = match token {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::None => ("«", "»"),
                };
                let ends = |text: &str| Flat {
                    text: text.into(),
                    place: place.clone(),
                };
                out.push(ends(open));
                flatten(group.stream(), out);
                out.push(ends(close));
                continue;
            }
            // Before which token it stands matters: `->` is one sign, and `- >` is two.
            TokenTree::Punct(punct) if punct.spacing() == Spacing::Joint => format!("{punct} "),
            other => other.to_string(),
        };
        out.push(Flat { text, place });
    }
}
