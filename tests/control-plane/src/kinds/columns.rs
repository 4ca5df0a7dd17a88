//! The columns of `kubectl get`.

use serde_json::{Value, json};

use crate::object;

/// One column of a Table.
#[derive(Debug)]
pub(crate) struct Column {
    pub(crate) name: String,
    /// The OpenAPI type of its cells.
    pub(crate) kind: String,
    pub(crate) format: String,
    pub(crate) description: String,
    /// Above 0 only `-o wide` shows it.
    pub(crate) priority: i64,
    cell: Cell,
}

/// How a cell comes from an object.
#[derive(Debug)]
enum Cell {
    /// A path of a CRD.
    Path(Vec<Step>),
    /// What the API server prints for a built-in kind.
    Printed(fn(&Value) -> Value),
}

impl Column {
    fn printed(name: &str, priority: i64, cell: fn(&Value) -> Value) -> Self {
        Self {
            name: name.to_owned(),
            kind: "string".to_owned(),
            format: String::new(),
            description: String::new(),
            priority,
            cell: Cell::Printed(cell),
        }
    }

    /// The columns of a CRD's version; without any of its own, its age.
    pub(super) fn declared(columns: Option<&Value>) -> Vec<Self> {
        match columns.and_then(Value::as_array) {
            Some(columns) if !columns.is_empty() => columns.iter().filter_map(Self::read).collect(),
            _ => vec![Self {
                description: "CreationTimestamp is a timestamp representing the server time when this object was created.".to_owned(),
                kind: "date".to_owned(),
                ..Self::printed("Age", 0, age)
            }],
        }
    }

    fn read(column: &Value) -> Option<Self> {
        let text = |field: &str| column.get(field).and_then(Value::as_str);
        let path = text("jsonPath")?;
        Some(Self {
            name: text("name")?.to_owned(),
            kind: text("type")?.to_owned(),
            format: text("format").unwrap_or_default().to_owned(),
            description: text("description").map_or_else(
                || format!("Custom resource definition column (in JSONPath format): {path}"),
                str::to_owned,
            ),
            priority: column.get("priority").and_then(Value::as_i64).unwrap_or(0),
            cell: Cell::Path(parse(path)),
        })
    }

    /// The columns of a built-in kind.
    pub(super) fn built_in(kind: &str) -> Vec<Self> {
        let age_column = Self::printed("Age", 0, age);
        let created = || Self {
            kind: "date".to_owned(),
            ..Self::printed("Created At", 0, |object| {
                at(object, "/metadata/creationTimestamp")
            })
        };
        match kind {
            "Namespace" => vec![
                Self::printed("Status", 0, |object| at(object, "/status/phase")),
                age_column,
            ],
            "ConfigMap" => vec![Self::printed("Data", 0, data), age_column],
            "Secret" => vec![
                Self::printed("Type", 0, |object| at(object, "/type")),
                Self::printed("Data", 0, data),
                age_column,
            ],
            "Service" => vec![
                Self::printed("Type", 0, |object| at(object, "/spec/type")),
                Self::printed("Cluster-IP", 0, |object| {
                    at_or_none(object, "/spec/clusterIP")
                }),
                Self::printed("External-IP", 0, |object| {
                    at_or_none(object, "/spec/externalIPs/0")
                }),
                Self::printed("Port(s)", 0, ports),
                age_column,
            ],
            "Event" => vec![
                Self::printed("Last Seen", 0, last_seen),
                Self::printed("Type", 0, |object| at(object, "/type")),
                Self::printed("Reason", 0, |object| at(object, "/reason")),
                Self::printed("Object", 0, involved),
                Self::printed("Message", 0, |object| either(object, "/message", "/note")),
            ],
            "Lease" => vec![
                Self::printed("Holder", 0, |object| at(object, "/spec/holderIdentity")),
                age_column,
            ],
            "RoleBinding" | "ClusterRoleBinding" => {
                vec![Self::printed("Role", 0, role), age_column]
            }
            "EndpointSlice" => vec![
                Self::printed("AddressType", 0, |object| at(object, "/addressType")),
                age_column,
            ],
            "ValidatingWebhookConfiguration" | "MutatingWebhookConfiguration" => vec![
                Self::printed("Webhooks", 0, |object| {
                    object
                        .get("webhooks")
                        .and_then(Value::as_array)
                        .map_or(0, Vec::len)
                        .into()
                }),
                age_column,
            ],
            "Role" | "ClusterRole" | "CustomResourceDefinition" => vec![created()],
            _ => vec![age_column],
        }
    }

    /// The cell of an object.
    pub(crate) fn cell(&self, object: &Value) -> Value {
        match &self.cell {
            Cell::Printed(print) => print(object),
            Cell::Path(path) => find(object, path)
                .first()
                .map_or(Value::Null, |value| self.typed(value)),
        }
    }

    fn typed(&self, value: &Value) -> Value {
        match self.kind.as_str() {
            "integer" => value
                .as_i64()
                .or_else(|| value.as_f64().map(|number| number as i64))
                .into(),
            "number" => {
                if value.is_number() {
                    value.clone()
                } else {
                    Value::Null
                }
            }
            "boolean" => value.as_bool().into(),
            "date" => match value.as_str() {
                Some(time) => human_age(time)
                    .unwrap_or_else(|| "<invalid>".to_owned())
                    .into(),
                None => Value::Null,
            },
            "string" => match value {
                Value::String(_) => value.clone(),
                other => other.to_string().into(),
            },
            _ => Value::Null,
        }
    }
}

fn at(object: &Value, pointer: &str) -> Value {
    object
        .pointer(pointer)
        .cloned()
        .unwrap_or_else(|| "".into())
}

fn at_or_none(object: &Value, pointer: &str) -> Value {
    object
        .pointer(pointer)
        .cloned()
        .unwrap_or_else(|| "<none>".into())
}

fn either(object: &Value, one: &str, other: &str) -> Value {
    object
        .pointer(one)
        .or_else(|| object.pointer(other))
        .cloned()
        .unwrap_or_else(|| "".into())
}

fn age(object: &Value) -> Value {
    age_of(object::meta(object, "creationTimestamp"))
}

fn age_of(time: Option<&str>) -> Value {
    time.and_then(human_age)
        .unwrap_or_else(|| "<unknown>".to_owned())
        .into()
}

fn last_seen(object: &Value) -> Value {
    let times = [
        "/series/lastObservedTime",
        "/lastTimestamp",
        "/deprecatedLastTimestamp",
        "/eventTime",
    ];
    let seen = times
        .iter()
        .find_map(|pointer| object.pointer(pointer)?.as_str());
    age_of(seen.or_else(|| object::meta(object, "creationTimestamp")))
}

fn involved(object: &Value) -> Value {
    let about = object
        .get("involvedObject")
        .or_else(|| object.get("regarding"));
    let text = |field| {
        about
            .and_then(|about| about.get(field))
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    format!("{}/{}", text("kind").to_lowercase(), text("name")).into()
}

fn role(object: &Value) -> Value {
    let text = |pointer| {
        object
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    format!("{}/{}", text("/roleRef/kind"), text("/roleRef/name")).into()
}

fn data(object: &Value) -> Value {
    let count = |field| {
        object
            .get(field)
            .and_then(Value::as_object)
            .map_or(0, serde_json::Map::len)
    };
    json!(count("data") + count("binaryData"))
}

fn ports(object: &Value) -> Value {
    let ports = object.pointer("/spec/ports").and_then(Value::as_array);
    let shown: Vec<String> = ports
        .into_iter()
        .flatten()
        .map(|port| {
            let protocol = port
                .get("protocol")
                .and_then(Value::as_str)
                .unwrap_or("TCP");
            format!(
                "{}/{protocol}",
                port.get("port").cloned().unwrap_or_default()
            )
        })
        .collect();
    if shown.is_empty() {
        "<none>".into()
    } else {
        shown.join(",").into()
    }
}

/// How long ago a time was, as kubectl shows it: `5s`, `3m20s`, `4h`, `2d`.
pub(crate) fn human_age(time: &str) -> Option<String> {
    let time: jiff::Timestamp = time.parse().ok()?;
    let seconds = (jiff::Timestamp::now().as_second() - time.as_second()).max(0);
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86400);
    let two = |major: i64, unit: char, minor: i64, small: char| {
        if minor == 0 {
            format!("{major}{unit}")
        } else {
            format!("{major}{unit}{minor}{small}")
        }
    };
    Some(match seconds {
        0..120 => format!("{seconds}s"),
        _ if minutes < 10 => two(minutes, 'm', seconds % 60, 's'),
        _ if minutes < 180 => format!("{minutes}m"),
        _ if hours < 8 => two(hours, 'h', minutes % 60, 'm'),
        _ if hours < 48 => format!("{hours}h"),
        _ if hours < 192 => two(days, 'd', hours % 24, 'h'),
        _ if days < 730 => format!("{days}d"),
        _ if days < 2920 => two(days / 365, 'y', days % 365, 'd'),
        _ => format!("{}y", days / 365),
    })
}

/// A step of a simple JSONPath, which is all that the API allows in columns.
#[derive(Debug)]
enum Step {
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
fn parse(path: &str) -> Vec<Step> {
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

fn find<'a>(value: &'a Value, path: &[Step]) -> Vec<&'a Value> {
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
