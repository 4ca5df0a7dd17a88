//! The columns of `kubectl get`.

use std::borrow::Cow;

use serde_json::Value;

use super::jsonpath::{Node, find, parse};
use super::printers;
use crate::patch::go;
use crate::{json, object};

const NAME: &str = "Name must be unique within a namespace. Is required when creating resources, although some \
    resources may allow a client to request the generation of an appropriate name automatically. Name is primarily \
    intended for creation idempotence and configuration definition. Cannot be updated. More info: \
    https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names";
const AGE: &str = "CreationTimestamp is a timestamp representing the server time when this object was created. It is not \
    guaranteed to be set in happens-before order across separate operations. Clients may not set this value. It is \
    represented in RFC3339 form and is in UTC.\n\nPopulated by the system. Read-only. Null for lists. More info: \
    https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata";

/// One column of a Table.
#[derive(Debug)]
pub(crate) struct Column {
    pub(crate) name: String,
    /// The OpenAPI type of its cells.
    pub(crate) kind: String,
    pub(crate) format: String,
    pub(crate) description: Cow<'static, str>,
    /// Above 0 only `-o wide` shows it.
    pub(crate) priority: i64,
    pub(super) cell: Cell,
}

/// How a cell comes from an object.
#[derive(Debug)]
pub(super) enum Cell {
    /// A path of a CRD.
    Path(Vec<Node>),
    /// What the API server prints for a built-in kind.
    Printed(fn(&Value) -> Value),
}

impl Column {
    pub(super) fn printed(name: &str, priority: i64, cell: fn(&Value) -> Value) -> Self {
        Self {
            name: name.to_owned(),
            kind: "string".to_owned(),
            format: String::new(),
            description: Cow::Borrowed(""),
            priority,
            cell: Cell::Printed(cell),
        }
    }

    /// A cell that is in the rows, and that no column tells of.
    pub(super) fn untold(cell: fn(&Value) -> Value) -> Self {
        Self::printed("", 0, cell)
    }

    /// The name, which begins most rows.
    pub(super) fn named() -> Self {
        Self {
            format: "name".to_owned(),
            description: NAME.into(),
            ..Self::printed("Name", 0, |object| object::name(object).into())
        }
    }

    /// The columns of a CRD's version, up to the first whose path cannot be read; without any of its own, its age.
    pub(super) fn declared(columns: Option<&Value>) -> Vec<Self> {
        match columns.and_then(Value::as_array) {
            Some(columns) if !columns.is_empty() => std::iter::once(Self::named())
                .chain(columns.iter().map_while(Self::read))
                .collect(),
            _ => vec![
                Self::named(),
                Self {
                    kind: "date".to_owned(),
                    description: AGE.into(),
                    ..Self::printed("Age", 0, |object| {
                        match object::meta(object, "creationTimestamp") {
                            Some(_) => printers::age(object),
                            None => Value::Null,
                        }
                    })
                },
            ],
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
                || format!("Custom resource definition column (in JSONPath format): {path}").into(),
                |text| text.to_owned().into(),
            ),
            priority: column.get("priority").and_then(Value::as_i64).unwrap_or(0),
            cell: Cell::Path(parse(path)?),
        })
    }

    /// The cell of an object.
    pub(crate) fn cell(&self, object: &Value) -> Value {
        match &self.cell {
            Cell::Printed(print) => print(object),
            Cell::Path(path) => find(object, path).map_or(Value::Null, |value| self.typed(value)),
        }
    }

    fn typed(&self, value: &Value) -> Value {
        match self.kind.as_str() {
            "integer" => value
                .as_i64()
                .or_else(|| value.as_f64().map(truncated))
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
                Some("" | "null") => "<unknown>".into(),
                Some(time) => human_age(time)
                    .unwrap_or_else(|| "<invalid>".to_owned())
                    .into(),
                None => Value::Null,
            },
            "string" => match value {
                Value::String(_) => value.clone(),
                Value::Null => "<no value>".into(),
                Value::Number(number) => go::number(number).into(),
                other => json::text(other).into(),
            },
            _ => Value::Null,
        }
    }
}

/// As Go truncates: what is too large is the smallest number.
fn truncated(number: f64) -> i64 {
    match number as i64 {
        i64::MAX => i64::MIN,
        whole => whole,
    }
}

/// How long ago a time was, as kubectl shows it: `5s`, `3m20s`, `4h`, `2d`.
pub(crate) fn human_age(time: &str) -> Option<String> {
    let time: jiff::Timestamp = time.parse().ok()?;
    Some(human_duration(
        crate::clock::now().as_second() - time.as_second(),
    ))
}

/// A number of seconds, as people read it.
pub(crate) fn human_duration(seconds: i64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86400);
    let two = |major: i64, unit: char, minor: i64, small: char| {
        if minor == 0 {
            format!("{major}{unit}")
        } else {
            format!("{major}{unit}{minor}{small}")
        }
    };
    match seconds {
        // Clocks differ by a little.
        ..-1 => "<invalid>".to_owned(),
        -1 => "0s".to_owned(),
        0..120 => format!("{seconds}s"),
        _ if minutes < 10 => two(minutes, 'm', seconds % 60, 's'),
        _ if minutes < 180 => format!("{minutes}m"),
        _ if hours < 8 => two(hours, 'h', minutes % 60, 'm'),
        _ if hours < 48 => format!("{hours}h"),
        _ if hours < 192 => two(days, 'd', hours % 24, 'h'),
        _ if days < 730 => format!("{days}d"),
        _ if days < 2920 => two(days / 365, 'y', days % 365, 'd'),
        _ => format!("{}y", days / 365),
    }
}
