//! The JSONPaths that columns may have, as client-go reads them.

mod find;
mod parse;

use serde_json::{Number, Value};

/// A part of a path, which is followed from all that the parts before it have found.
#[derive(Debug)]
pub(super) enum Node {
    Field(String),
    /// A value of its own, whatever was found.
    Literal(Value),
    /// All fields or elements.
    All,
    /// All that is below, too.
    Below,
    Slice(Slice),
    /// What each of the paths finds.
    Union(Vec<Vec<Node>>),
    Where {
        left: Vec<Node>,
        /// Whether it is there at all, if there is none.
        compared: Option<(Operator, Vec<Node>)>,
    },
    /// Where there is nothing to be found.
    Unknown,
}

/// `[start:end:step]`, or one index.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slice {
    start: Option<i64>,
    end: End,
    step: Option<i64>,
}

#[derive(Clone, Copy, Debug)]
enum End {
    Open,
    At(i64),
    /// That of the one element at the start.
    Next,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Operator {
    Less,
    Greater,
    Equal,
    NotEqual,
    AtMost,
    AtLeast,
    Unknown,
}

/// A path; nothing, if it cannot be read.
pub(super) fn parse(path: &str) -> Option<Vec<Node>> {
    parse::parse(&format!("{{{path}}}"))
}

/// The first value that a path finds.
pub(super) fn find<'v>(value: &'v Value, path: &'v [Node]) -> Option<&'v Value> {
    find::walk(vec![value], path)?.into_iter().next()
}

fn number(number: impl Into<Number>) -> Node {
    Node::Literal(Value::Number(number.into()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn columns_find_what_their_paths_name() {
        let object = json!({"spec": {"host": "a", "list": [1, 2]}, "metadata": {"labels": {"x.y/z": "l"}},
            "status": {"conditions": [{"type": "Other", "status": "False"}, {"type": "Ready", "status": "True"}]}});
        for (path, found) in [
            (".spec.host", json!("a")),
            (
                ".status.conditions[?(@.type==\"Ready\")].status",
                json!("True"),
            ),
            (
                ".status.conditions[?(@.type != 'Ready')].status",
                json!("False"),
            ),
            (".metadata.labels.x\\.y/z", json!("l")),
            (".spec.list[-1]", json!(2)),
            (".spec.list[*]", json!(1)),
            (".spec.list[1:]", json!(2)),
            (".spec.list[?(@>1)]", json!(2)),
        ] {
            let path = parse(path).unwrap();
            assert_eq!(find(&object, &path), Some(&found), "{path:?}");
        }
        for nothing in [".spec.none", ".spec.list[7]", ".spec.list[?(@.a)]"] {
            let path = parse(nothing).unwrap();
            assert_eq!(find(&object, &path), None, "{nothing}");
        }
        for unreadable in [".spec.list[", ".spec[\"host\"]"] {
            assert!(parse(unreadable).is_none(), "{unreadable}");
        }
    }
}
