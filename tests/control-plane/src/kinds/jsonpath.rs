//! The simple JSONPaths that columns may have.

use serde_json::Value;

/// A step of a simple JSONPath, which is all that the API allows in columns.
#[derive(Debug)]
pub(super) enum Step {
    Field(String),
    Index(i64),
    All,
    /// `[?(@.field=="value")]`, with `equal` or not.
    Where {
        path: Vec<Step>,
        equal: bool,
        value: Value,
    },
}

/// Reads a JSONPath; what is not understood ends it, and then finds nothing.
pub(super) fn parse(path: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut rest = path
        .trim()
        .trim_start_matches('{')
        .trim_end_matches('}')
        .trim_start_matches('$');
    while !rest.is_empty() {
        if let Some(inside) = rest.strip_prefix('[') {
            let Some(end) = closing(inside) else {
                return never();
            };
            let Some(step) = bracket(inside[..end].trim()) else {
                return never();
            };
            steps.push(step);
            rest = &inside[end + 1..];
            continue;
        }
        rest = rest.strip_prefix('.').unwrap_or(rest);
        let mut field = String::new();
        let mut chars = rest.char_indices();
        let mut end = rest.len();
        while let Some((index, letter)) = chars.next() {
            match letter {
                '\\' => field.extend(chars.next().map(|(_, escaped)| escaped)),
                '.' | '[' => {
                    end = index;
                    break;
                }
                _ => field.push(letter),
            }
        }
        rest = &rest[end..];
        match field.as_str() {
            "" if rest.is_empty() => break,
            "" if rest.starts_with('.') => return never(),
            "" => {}
            "*" => steps.push(Step::All),
            _ => steps.push(Step::Field(field)),
        }
    }
    steps
}

/// A path that finds nothing.
fn never() -> Vec<Step> {
    vec![Step::Index(i64::MAX)]
}

/// Where the bracket that has been opened closes; brackets in quotes do not count.
fn closing(inside: &str) -> Option<usize> {
    let (mut depth, mut quote) = (0, None);
    for (index, letter) in inside.char_indices() {
        match (quote, letter) {
            (Some(open), _) if open == letter => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(letter),
            (None, '[') => depth += 1,
            (None, ']') if depth == 0 => return Some(index),
            (None, ']') => depth -= 1,
            (None, _) => {}
        }
    }
    None
}

fn bracket(inside: &str) -> Option<Step> {
    if let Some(condition) = inside
        .strip_prefix("?(")
        .and_then(|rest| rest.strip_suffix(')'))
    {
        let (path, equal, value) = match (condition.split_once("=="), condition.split_once("!=")) {
            (Some((path, value)), _) => (path, true, value),
            (_, Some((path, value))) => (path, false, value),
            _ => return None,
        };
        return Some(Step::Where {
            path: parse(path.trim().strip_prefix('@')?),
            equal,
            value: literal(value.trim())?,
        });
    }
    match inside {
        "*" => Some(Step::All),
        _ => match literal(inside)? {
            Value::String(field) => Some(Step::Field(field)),
            Value::Number(index) => index.as_i64().map(Step::Index),
            _ => None,
        },
    }
}

fn literal(text: &str) -> Option<Value> {
    for quote in ['\'', '"'] {
        if let Some(inside) = text.strip_prefix(quote) {
            return Some(inside.strip_suffix(quote)?.into());
        }
    }
    serde_json::from_str(text).ok()
}

pub(super) fn find<'a>(value: &'a Value, path: &[Step]) -> Vec<&'a Value> {
    let Some((step, rest)) = path.split_first() else {
        return vec![value];
    };
    let items = || value.as_array().into_iter().flatten();
    match step {
        Step::Field(field) => value
            .get(field)
            .map(|value| find(value, rest))
            .unwrap_or_default(),
        Step::Index(index) => {
            let item = value.as_array().and_then(|list| {
                let index = if *index < 0 {
                    list.len() as i64 + index
                } else {
                    *index
                };
                list.get(usize::try_from(index).ok()?)
            });
            item.map(|item| find(item, rest)).unwrap_or_default()
        }
        Step::All => match value {
            Value::Object(map) => map.values().flat_map(|item| find(item, rest)).collect(),
            _ => items().flat_map(|item| find(item, rest)).collect(),
        },
        Step::Where { path, equal, value } => items()
            .filter(|item| {
                find(item, path)
                    .first()
                    .is_some_and(|found| (*found == value) == *equal)
            })
            .flat_map(|item| find(item, rest))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn found(path: &str, object: &Value) -> Vec<Value> {
        find(object, &parse(path)).into_iter().cloned().collect()
    }

    #[test]
    fn columns_find_what_their_paths_name() {
        let object = json!({"spec": {"host": "a", "list": [1, 2]}, "metadata": {"labels": {"x.y/z": "l"}},
            "status": {"conditions": [{"type": "Other", "status": "False"}, {"type": "Ready", "status": "True"}]}});
        assert_eq!(found(".spec.host", &object), [json!("a")]);
        assert_eq!(
            found(".status.conditions[?(@.type==\"Ready\")].status", &object),
            [json!("True")]
        );
        assert_eq!(
            found(".status.conditions[?(@.type != 'Ready')].status", &object),
            [json!("False")]
        );
        assert_eq!(found(".metadata.labels.x\\.y/z", &object), [json!("l")]);
        assert_eq!(found(".metadata.labels['x.y/z']", &object), [json!("l")]);
        assert_eq!(found(".spec.list[-1]", &object), [json!(2)]);
        assert_eq!(found(".spec.list[*]", &object), [json!(1), json!(2)]);
        for nothing in [
            ".spec.none",
            ".spec.list[7]",
            ".spec.list[",
            ".spec..host",
            ".spec.list[?(@.a)]",
        ] {
            assert_eq!(found(nothing, &object), [] as [Value; 0], "{nothing}");
        }
    }
}
