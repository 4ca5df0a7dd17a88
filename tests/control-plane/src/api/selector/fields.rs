//! Field selectors, as they are written.

use super::FieldRequirement;

/// Reads `a=b,c!=d`, where a backslash takes from `,`, `=` and itself what they mean.
pub(super) fn parse(text: &str) -> Result<Vec<FieldRequirement>, String> {
    let parts = split(text);
    let parts = parts.into_iter().filter(|part| !part.is_empty());
    parts
        .map(|part| {
            let (path, equal, value) = halves(part)
                .ok_or_else(|| format!("invalid selector: '{text}'; can't understand '{part}'"))?;
            Ok(FieldRequirement {
                path: path.to_owned(),
                otherwise: None,
                unset: "",
                equal,
                value: unescaped(value).map_err(|why| format!("invalid field selector: {why}"))?,
            })
        })
        .collect()
}

/// What a field has to be by a selector, if it says that; none as well for a selector that cannot be read. Of several the
/// first in order counts.
pub(crate) fn exactly(path: &str, text: &str) -> Option<String> {
    let mut parts = split(text);
    parts.sort_unstable();
    let requirements = parse(&parts.join(",")).ok()?;
    let mut of_path = requirements
        .into_iter()
        .filter(|requirement| requirement.path == path && requirement.equal);
    of_path.next().map(|requirement| requirement.value)
}

/// What is between commas that mean one.
fn split(text: &str) -> Vec<&str> {
    let (mut parts, mut begin, mut escaped) = (Vec::new(), 0, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            ',' => {
                parts.push(text.get(begin..at).unwrap_or_default());
                begin = at + 1;
            }
            _ => {}
        }
    }
    parts.push(text.get(begin..).unwrap_or_default());
    parts
}

/// The field, whether it is to be equal, and the value as it is written: the first operator counts.
fn halves(part: &str) -> Option<(&str, bool, &str)> {
    part.char_indices().find_map(|(at, _)| {
        let (path, rest) = part.split_at(at);
        [("!=", false), ("==", true), ("=", true)]
            .into_iter()
            .find_map(|(operator, equal)| Some((path, equal, rest.strip_prefix(operator)?)))
    })
}

fn unescaped(value: &str) -> Result<String, String> {
    let mut plain = String::new();
    let mut rest = value.chars();
    while let Some(c) = rest.next() {
        match (c, rest.clone().next()) {
            ('\\', Some(escaped @ ('\\' | ',' | '='))) => {
                plain.push(escaped);
                rest.next();
            }
            ('\\', Some(other)) => return Err(format!("invalid escape sequence: \\{other}")),
            ('\\', None) => return Err("invalid escape sequence: \\".to_owned()),
            (',' | '=', _) => {
                return Err(format!("unescaped character in value: {}", u32::from(c)));
            }
            _ => plain.push(c),
        }
    }
    Ok(plain)
}
