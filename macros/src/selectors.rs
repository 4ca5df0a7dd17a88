//! Label and field selectors, by the API's own rules.
//!
//! Labels: <https://github.com/kubernetes/apimachinery/blob/master/pkg/labels/selector.go>; fields:
//! <https://github.com/kubernetes/apimachinery/blob/master/pkg/fields/selector.go>.

use crate::names;

/// Checks a label selector such as `tier=gold,region in (eu, us),!legacy`; says what is wrong with it.
pub(crate) fn labels(selector: &str) -> Result<(), String> {
    for requirement in outside_of_parentheses(selector)? {
        label(requirement.trim())?;
    }
    Ok(())
}

fn label(requirement: &str) -> Result<(), String> {
    if requirement.is_empty() {
        return Err("there is nothing between two commas, or nothing at all".into());
    }
    if let Some(key) = requirement.strip_prefix('!') {
        return names::label_key(key.trim());
    }
    let words: Vec<&str> = requirement.split_whitespace().collect();
    if let [key, operator @ ("in" | "notin"), ..] = words.as_slice() {
        names::label_key(key)?;
        let values = requirement
            .split_once(operator)
            .map_or("", |(_, rest)| rest.trim());
        return set(operator, values);
    }
    // `in(a)` without a space before it.
    if let [key, glued, ..] = words.as_slice()
        && let Some(operator) = ["in", "notin"]
            .into_iter()
            .find(|operator| glued.starts_with(&format!("{operator}(")))
    {
        names::label_key(key)?;
        let values = requirement.find('(').map_or("", |at| &requirement[at..]);
        return set(operator, values);
    }
    for operator in ["!=", "==", "="] {
        if let Some((key, value)) = requirement.split_once(operator) {
            names::label_key(key.trim())?;
            return names::label_value(value.trim());
        }
    }
    for operator in ['>', '<'] {
        if let Some((key, value)) = requirement.split_once(operator) {
            names::label_key(key.trim())?;
            return match value.trim().parse::<i64>() {
                Ok(_) => Ok(()),
                Err(_) => Err(format!(
                    "behind `{operator}` stands a whole number, and {:?} is none",
                    value.trim()
                )),
            };
        }
    }
    names::label_key(requirement)
}

fn set(operator: &str, values: &str) -> Result<(), String> {
    let inside = values
        .strip_prefix('(')
        .and_then(|values| values.strip_suffix(')'));
    let Some(inside) = inside else {
        return Err(format!(
            "behind `{operator}` stand values in parentheses: `{operator} (one, other)`"
        ));
    };
    inside
        .split(',')
        .try_for_each(|value| names::label_value(value.trim()))
}

/// Checks a field selector such as `metadata.name=main,spec.tier!=gold`; says what is wrong with it.
pub(crate) fn fields(selector: &str) -> Result<(), String> {
    for requirement in selector.split(',').map(str::trim) {
        let Some((field, _)) = requirement
            .split_once("!=")
            .or_else(|| requirement.split_once("=="))
            .or_else(|| requirement.split_once('='))
        else {
            return Err(format!(
                "{requirement:?} compares nothing: write `metadata.name=main`; there are `=`, `==` and `!=`"
            ));
        };
        let field = field.trim();
        let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        if field.is_empty() || field.starts_with('.') || !field.chars().all(good) {
            return Err(format!(
                "{field:?} is no field: write its path without a dot before it, such as `metadata.name`"
            ));
        }
    }
    Ok(())
}

/// Cuts at commas, but not at those between parentheses.
fn outside_of_parentheses(selector: &str) -> Result<Vec<&str>, String> {
    let mut parts = Vec::new();
    let (mut start, mut open) = (0, false);
    for (at, c) in selector.char_indices() {
        match c {
            '(' if open => return Err("there is a `(` inside of parentheses".into()),
            '(' => open = true,
            ')' if !open => return Err("there is a `)` without a `(`".into()),
            ')' => open = false,
            ',' if !open => {
                parts.push(&selector[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    if open {
        return Err("a `(` is not closed".into());
    }
    parts.push(&selector[start..]);
    Ok(parts)
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
            "example.org/tier",
            "age>5,age<10",
            "tier=",
            "tier in (gold,)",
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
            "a b",
            "a/b/c=d",
            "a>b",
            &format!("a={}", "v".repeat(64)),
        ] {
            assert!(labels(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn field_selectors_compare_fields() {
        for good in [
            "metadata.name=main",
            "spec.host!=a,status.phase==Running",
            "metadata.namespace=",
        ] {
            assert_eq!(fields(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            "metadata.name",
            "=main",
            ".spec.host=a",
            "spec host=a",
            "a=b,",
        ] {
            assert!(fields(bad).is_err(), "{bad}");
        }
    }
}
