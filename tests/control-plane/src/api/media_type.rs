//! The media type of a body, as Go's `mime.ParseMediaType` reads it.

use std::borrow::Cow;
use std::collections::HashMap;

use http::header::CONTENT_TYPE;

use super::Asked;

/// What is never part of a token.
const SPECIAL: &str = r#"()<>@,;:\"/[]?="#;

/// The media type of the body in small letters, without its parameters. One that cannot be read is told as it came,
/// and is none that is known.
pub(super) fn of(asked: &Asked) -> Cow<'_, str> {
    let said = asked.header(CONTENT_TYPE).unwrap_or_default();
    let (kind, parameters) = said.split_at(said.find(';').unwrap_or(said.len()));
    match are_parameters(parameters) && (!kind.trim().is_empty() || said.is_empty()) {
        true if kind.bytes().any(|letter| letter.is_ascii_uppercase()) => {
            kind.trim().to_ascii_lowercase().into()
        }
        true => kind.trim().into(),
        false => said.into(),
    }
}

/// Of a patch, only what is before its parameters counts, and as it was written.
pub(super) fn of_patch(asked: &Asked) -> &str {
    let said = asked.header(CONTENT_TYPE).unwrap_or_default();
    said.split(';').next().unwrap_or_default()
}

/// Whether one of the types that a request says, between commas, is one of these.
pub(super) fn is_among(asked: &Asked, known: &[&str]) -> bool {
    let said = asked.header(CONTENT_TYPE).unwrap_or_default();
    said.split(',').any(|one| {
        let kind = one.split(';').next().unwrap_or_default();
        known.contains(&kind.trim_matches(' '))
    })
}

/// Whether `; name=value` follow each other, with none of them said in two ways.
fn are_parameters(mut text: &str) -> bool {
    let mut known: HashMap<String, String> = HashMap::new();
    loop {
        text = text.trim_start();
        if text.trim_end() == ";" || text.is_empty() {
            return true;
        }
        let Some((name, value, rest)) = parameter(text) else {
            return false;
        };
        let name = name.to_ascii_lowercase();
        if known.get(&name).is_some_and(|known| *known != value) {
            return false;
        }
        known.insert(name, value);
        text = rest;
    }
}

/// The first parameter, and what is behind it.
fn parameter(text: &str) -> Option<(&str, String, &str)> {
    let (name, rest) = token(text.strip_prefix(';')?.trim_start())?;
    let rest = rest.trim_start().strip_prefix('=')?.trim_start();
    let Some(quoted) = rest.strip_prefix('"') else {
        let (value, rest) = token(rest)?;
        return Some((name, value.to_owned(), rest));
    };
    let mut value = String::new();
    let mut letters = quoted.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Some((name, value, &quoted[at + 1..])),
            '\\' => {
                let escaped = letters.next_if(|(_, next)| SPECIAL.contains(*next));
                value.push(escaped.map_or(letter, |(_, next)| next));
            }
            letter => value.push(letter),
        }
    }
    None
}

fn token(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|letter| !is_of_token(letter));
    let (token, rest) = text.split_at(end.unwrap_or(text.len()));
    (!token.is_empty()).then_some((token, rest))
}

fn is_of_token(letter: char) -> bool {
    letter.is_ascii_graphic() && !SPECIAL.contains(letter)
}
