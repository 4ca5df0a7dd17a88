//! Follows JSONPaths.

use std::cell::Cell;
use std::cmp::Ordering;

use serde_json::Value;

use super::{End, Node, Operator, Slice};

/// How many values are followed at most: with each `..` there may be as many times as many as levels.
const MOST: usize = 10_000;

/// How many are followed in all: of a path with many steps, or filters in filters, no more is found.
const MOST_STEPS: usize = 1_000_000;

/// All that a path finds from some values on; nothing, if it does not fit them.
pub(super) fn walk<'v>(from: Vec<&'v Value>, path: &'v [Node]) -> Option<Vec<&'v Value>> {
    follow(from, path, &Cell::new(MOST_STEPS))
}

fn follow<'v>(
    from: Vec<&'v Value>,
    path: &'v [Node],
    left: &Cell<usize>,
) -> Option<Vec<&'v Value>> {
    path.iter().try_fold(from, |from, node| {
        left.set(left.get().checked_sub(from.len() + 1)?);
        let mut found = step(from, node, left)?;
        found.truncate(MOST);
        Some(found)
    })
}

fn step<'v>(from: Vec<&'v Value>, node: &'v Node, left: &Cell<usize>) -> Option<Vec<&'v Value>> {
    let here = from.into_iter();
    match node {
        Node::Field(name) => Some(here.filter_map(|value| value.get(name)).collect()),
        Node::Literal(literal) => Some(match literal {
            // A text is there once, whatever was found.
            Value::String(_) => vec![literal],
            _ => here.map(|_| literal).collect(),
        }),
        Node::All => Some(here.flat_map(within).take(MOST).collect()),
        Node::Below => {
            let mut found = Vec::new();
            here.for_each(|value| below(value, &mut found));
            Some(found)
        }
        Node::Slice(slice) => {
            let mut found = Vec::new();
            for value in here.filter(|value| !value.is_null()) {
                let (elements, is_empty) = slice.of(value.as_array()?)?;
                found.extend(elements.into_iter().take(MOST - found.len()));
                if is_empty {
                    break;
                }
            }
            Some(found)
        }
        Node::Union(paths) => {
            let here: Vec<_> = here.collect();
            let mut found = Vec::new();
            for path in paths {
                let of_path = follow(here.clone(), path, left)?;
                found.extend(of_path.into_iter().take(MOST - found.len()));
            }
            Some(found)
        }
        Node::Where {
            left: wanted,
            compared,
        } => {
            let mut found = Vec::new();
            for value in here {
                for element in value.as_array()?.iter().take(MOST) {
                    if holds(element, wanted, compared.as_ref(), left)? && found.len() < MOST {
                        found.push(element);
                    }
                }
            }
            Some(found)
        }
        Node::Unknown => None,
    }
}

fn within(value: &Value) -> Vec<&Value> {
    match value {
        Value::Object(fields) => fields.values().collect(),
        Value::Array(elements) => elements.iter().collect(),
        _ => Vec::new(),
    }
}

fn below<'v>(value: &'v Value, found: &mut Vec<&'v Value>) {
    if found.len() >= MOST {
        return;
    }
    let within = within(value);
    if !within.is_empty() {
        found.push(value);
        within.into_iter().for_each(|value| below(value, found));
    }
}

impl Slice {
    /// Its elements of a list, and whether it is one of none.
    fn of(self, list: &[Value]) -> Option<(Vec<&Value>, bool)> {
        let length = i64::try_from(list.len()).ok()?;
        let from_end = |at: i64| if at < 0 { at + length } else { at };
        let written = self.start.unwrap_or(0);
        let start = from_end(written);
        let end = match self.end {
            End::Open => length,
            End::At(end) => from_end(end),
            // Behind the last one comes the end.
            End::Next if written == -1 => length,
            End::Next => from_end(written.saturating_add(1)),
        };
        if start == end {
            return Some((Vec::new(), true));
        }
        let elements = list.get(usize::try_from(start).ok()?..usize::try_from(end).ok()?)?;
        let step = match self.step {
            None => 1,
            Some(step) => usize::try_from(step).ok().filter(|step| *step > 0)?,
        };
        Some((elements.iter().step_by(step).collect(), false))
    }
}

fn holds(
    element: &Value,
    wanted: &[Node],
    compared: Option<&(Operator, Vec<Node>)>,
    left: &Cell<usize>,
) -> Option<bool> {
    // Both are looked for at once, so they live as long as the shorter one.
    let found = look(element, wanted, left);
    let Some((operator, right)) = compared else {
        // What does not fit is there all the same.
        return Some(found.is_none_or(|found| !found.is_empty()));
    };
    let (found, other) = (found?, look(element, right, left)?);
    match (&found[..], &other[..]) {
        ([], _) | (_, []) => Some(false),
        ([one], [other]) => operator.holds(one, other),
        _ => None,
    }
}

fn look(element: &Value, path: &[Node], left: &Cell<usize>) -> Option<Vec<Value>> {
    let found = follow(vec![element], path, left)?;
    // Of more than one nobody looks at more than that.
    Some(found.into_iter().take(2).cloned().collect())
}

impl Operator {
    /// Nothing, if the values are of two kinds.
    fn holds(self, left: &Value, right: &Value) -> Option<bool> {
        let order = match (left, right) {
            (Value::String(left), Value::String(right)) => left.cmp(right),
            (Value::Bool(left), Value::Bool(right)) => {
                let is_equal = matches!(self, Self::Equal | Self::NotEqual);
                Some(left.cmp(right)).filter(|_| is_equal)?
            }
            (Value::Number(left), Value::Number(right)) if left.is_f64() == right.is_f64() => {
                match (left.as_i64(), right.as_i64()) {
                    (Some(left), Some(right)) => left.cmp(&right),
                    _ => left.as_f64()?.partial_cmp(&right.as_f64()?)?,
                }
            }
            _ => return None,
        };
        Some(match self {
            Self::Less => order == Ordering::Less,
            Self::Greater => order == Ordering::Greater,
            Self::Equal => order == Ordering::Equal,
            Self::NotEqual => order != Ordering::Equal,
            Self::AtMost => order != Ordering::Greater,
            Self::AtLeast => order != Ordering::Less,
            Self::Unknown => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::parse::parse;
    use super::*;

    #[test]
    fn what_is_below_is_followed_so_far_and_no_further() {
        let deep = (0..80).fold(json!({"z": 1}), |within, _| json!({"a": within}));
        let path = parse("{..a..a..a..a..z}").unwrap();
        let found = walk(vec![&deep], &path).unwrap();
        assert_eq!(found.first(), Some(&&json!(1)));
        assert!(found.len() <= MOST, "{}", found.len());
    }

    #[test]
    fn what_is_named_twice_at_each_level_is_followed_so_far_and_no_further() {
        let deep = (0..60).fold(json!(1), |within, _| json!({"a": within}));
        let path = parse(&format!("{{.a{}}}", "['a','a']".repeat(40))).unwrap();
        let found = walk(vec![&deep], &path).unwrap();
        assert_eq!(found.len(), MOST);
    }
}
