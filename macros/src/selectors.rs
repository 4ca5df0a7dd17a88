//! Label and field selectors, by the API's own rules.
//!
//! Labels: <https://github.com/kubernetes/apimachinery/blob/master/pkg/labels/selector.go>; fields:
//! <https://github.com/kubernetes/apimachinery/blob/master/pkg/fields/selector.go>.

use crate::names;

/// Checks a label selector such as `tier=gold,region in (eu, us),!legacy`; says what is wrong with it.
pub(crate) fn labels(selector: &str) -> Result<(), String> {
    let mut tokens = Tokens(selector);
    loop {
        requirement(&mut tokens)?;
        match tokens.next() {
            "" => return Ok(()),
            "," => {}
            other => {
                return Err(format!(
                    "{other:?} is too much, or a `,` is missing before it"
                ));
            }
        }
    }
}

fn requirement(tokens: &mut Tokens<'_>) -> Result<(), String> {
    let first = tokens.next();
    if first == "!" {
        return names::label_key(word(tokens.next(), "the key of a label")?);
    }
    if matches!(first, "" | ",") {
        return Err("there is nothing between two commas, or nothing at all".into());
    }
    names::label_key(word(first, "the key of a label")?)?;
    match tokens.peek() {
        "" | "," => Ok(()),
        operator @ ("in" | "notin") => {
            tokens.next();
            set(operator, tokens)
        }
        "=" | "==" | "!=" => {
            tokens.next();
            // Nothing is a value too.
            match tokens.peek() {
                "" | "," => Ok(()),
                _ => names::label_value(word(tokens.next(), "a value")?),
            }
        }
        operator @ (">" | "<") => {
            tokens.next();
            let value = tokens.next();
            match value.parse::<i64>() {
                Ok(_) => names::label_value(value),
                Err(_) => Err(format!(
                    "behind `{operator}` stands a whole number, and {value:?} is none"
                )),
            }
        }
        other => Err(format!(
            "{other:?} is no operator; there are `=`, `==`, `!=`, `in`, `notin`, `>` and `<`"
        )),
    }
}

/// `(one, other)`, of which one may be nothing.
fn set(operator: &str, tokens: &mut Tokens<'_>) -> Result<(), String> {
    let wrong =
        || format!("behind `{operator}` stand values in parentheses: `{operator} (one, other)`");
    if tokens.next() != "(" || tokens.peek() == ")" {
        return Err(wrong());
    }
    loop {
        if !matches!(tokens.peek(), "," | ")") {
            names::label_value(word(tokens.next(), "a value")?)?;
        }
        match tokens.next() {
            "," => {}
            ")" => return Ok(()),
            _ => return Err(wrong()),
        }
    }
}

/// A token that is no sign.
fn word<'a>(token: &'a str, what: &str) -> Result<&'a str, String> {
    match token.chars().next() {
        None => Err(format!("it ends where {what} is expected")),
        Some(c) if SIGNS.contains(c) => Err(format!("`{token}` stands where {what} is expected")),
        Some(_) => Ok(token),
    }
}

const SIGNS: &str = "=!(),><";

/// Words and signs; nothing at the end.
#[derive(Clone, Copy)]
struct Tokens<'a>(&'a str);

impl<'a> Tokens<'a> {
    fn next(&mut self) -> &'a str {
        let text = self.0.trim_start();
        let end = match text.get(..2) {
            Some("!=" | "==") => 2,
            _ if text.starts_with(|c| SIGNS.contains(c)) => 1,
            _ => text
                .find(|c: char| c.is_whitespace() || SIGNS.contains(c))
                .unwrap_or(text.len()),
        };
        let (token, rest) = text.split_at(end);
        self.0 = rest;
        token
    }

    fn peek(&self) -> &'a str {
        (*self).clone().next()
    }
}

/// Checks a field selector such as `metadata.name=main,spec.tier!=gold`; says what is wrong with it. Unlike in
/// those of labels, spaces count.
pub(crate) fn fields(selector: &str) -> Result<(), String> {
    let terms = terms(selector)?;
    if terms.is_empty() {
        return Err("it is empty".into());
    }
    for term in terms {
        let Some((field, value)) =
            term.find('=')
                .map(|at| (&term[..at], &term[at + 1..]))
                .map(|(field, value)| {
                    let field = field.strip_suffix('!').unwrap_or(field);
                    (field, value.strip_prefix('=').unwrap_or(value))
                })
        else {
            return Err(format!(
                "{term:?} compares nothing: write `metadata.name=main`; there are `=`, `==` and `!=`"
            ));
        };
        if [field, value].iter().any(|part| part.trim() != *part) {
            return Err(format!(
                "there is a space in {term:?}, which the API takes for a part of it"
            ));
        }
        let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        if field
            .split('.')
            .any(|part| part.is_empty() || !part.chars().all(good))
        {
            return Err(format!(
                "{field:?} is no field: write its path without a dot before it, such as `metadata.name`"
            ));
        }
        if value.replace("\\=", "").replace("\\\\", "").contains('=') {
            return Err(format!("a `=` in a value is written `\\=`, in {value:?}"));
        }
    }
    Ok(())
}

/// Cuts at commas, but not at `\,`; nothing between two commas is nothing.
fn terms(selector: &str) -> Result<Vec<&str>, String> {
    let mut terms = Vec::new();
    let (mut start, mut chars) = (0, selector.char_indices());
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' if !matches!(chars.next(), Some((_, '\\' | ',' | '='))) => {
                return Err("behind a `\\` stands one of `\\`, `,` and `=`".into());
            }
            ',' => {
                terms.push(&selector[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    terms.push(&selector[start..]);
    terms.retain(|term| !term.is_empty());
    Ok(terms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn label_selectors_follow_the_api() {
        for good in [
            "tier=gold",
            "tier==gold, region!=eu",
            "region in (eu, us),!legacy",
            "region notin(eu)",
            "app.kubernetes.io/instance in (a, b)",
            "min in (a)",
            "x.io/notin notin (b)",
            "example.org/tier",
            "age>5,age<10",
            "tier=",
            "tier in (gold,)",
            " ! legacy , tier = gold ",
            "in in (in)",
        ] {
            assert_eq!(labels(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            ",",
            "tier=gold,",
            "-a=b",
            "a=-b",
            "a in b",
            "a in (b",
            "a in ()",
            "a b",
            "a/b/c=d",
            "a>b",
            "a>-5",
            "a>+5",
            "a=b=c",
            "!a=b",
            "a!",
            &format!("a={}", "v".repeat(64)),
        ] {
            assert!(labels(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn field_selectors_follow_the_api() {
        for good in [
            "metadata.name=main",
            "spec.host!=a,status.phase==Running",
            "metadata.namespace=",
            "metadata.name=a\\,b\\=c\\\\",
            "metadata.name=a,",
        ] {
            assert_eq!(fields(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            ",",
            "metadata.name",
            "=main",
            ".spec.host=a",
            "metadata..name=a",
            "metadata.name.=a",
            "spec host=a",
            "metadata.name=a, metadata.namespace=b",
            "metadata.name = a",
            "metadata.name=a=b",
            "===a",
            "metadata.name=a\\x",
            "metadata.name=a\\",
            "a;b=c",
        ] {
            assert!(fields(bad).is_err(), "{bad}");
        }
    }
}
