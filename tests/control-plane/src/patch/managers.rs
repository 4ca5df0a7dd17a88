//! The entries of `metadata.managedFields`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::fields::Set;
use crate::object::same_fields;

/// Who owns fields: one manager can have several entries. The order is the one in which ties are settled.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Id {
    pub(crate) manager: String,
    pub(crate) operation: Operation,
    /// Empty for an applier, who keeps the entry from one version to the next.
    pub(crate) api_version: String,
    pub(crate) subresource: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Operation {
    Apply,
    Update,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    pub(crate) api_version: String,
    /// As it is written in the object.
    pub(crate) time: Option<String>,
    pub(crate) set: Set,
}

impl Id {
    /// How a conflict names the manager.
    pub(crate) fn describe(&self) -> String {
        let mut text = format!("{:?}", self.manager);
        if !self.subresource.is_empty() {
            text.push_str(&format!(" with subresource {:?}", self.subresource));
        }
        if self.operation == Operation::Update {
            text.push_str(&format!(" using {}", self.api_version));
        }
        text
    }
}

/// All entries of an object.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Managers(pub(crate) BTreeMap<Id, Entry>);

/// More updaters than this are joined, the oldest first, into one entry of [`ANCIENT`].
const UPDATERS: usize = 10;
const ANCIENT: &str = "ancient-changes";

impl Managers {
    /// Reads `metadata.managedFields`; `Err` says what is wrong with it.
    pub(crate) fn decode(managed_fields: Option<&Value>) -> Result<Self, String> {
        let mut managers = Self::default();
        let entries = match managed_fields {
            None | Some(Value::Null) => return Ok(managers),
            Some(Value::Array(entries)) => entries,
            Some(_) => return Err("managedFields must be a list".into()),
        };
        for entry in entries {
            let text = |name: &str| {
                entry
                    .get(name)
                    .and_then(Value::as_str)
                    .unwrap_or_default()
                    .to_owned()
            };
            let operation = match text("operation").as_str() {
                "Apply" => Operation::Apply,
                "Update" => Operation::Update,
                other => {
                    return Err(format!(
                        "operation must be 'Apply' or 'Update' but got {other:?}"
                    ));
                }
            };
            match text("fieldsType").as_str() {
                "FieldsV1" => {}
                "" => return Err("missing fieldsType in managed fields entry".into()),
                other => return Err(format!("invalid fieldsType {other:?}")),
            }
            let set = match entry.get("fieldsV1") {
                None | Some(Value::Null) => Set::default(),
                Some(fields) => Set::decode(fields).ok_or("invalid fieldsV1")?,
            };
            let api_version = text("apiVersion");
            if api_version.is_empty() {
                return Err("apiVersion must not be empty".into());
            }
            let id = Id {
                manager: text("manager"),
                operation,
                api_version: match operation {
                    Operation::Apply => String::new(),
                    Operation::Update => api_version.clone(),
                },
                subresource: text("subresource"),
            };
            let time = entry.get("time").and_then(Value::as_str).map(str::to_owned);
            managers.0.insert(
                id,
                Entry {
                    api_version,
                    time,
                    set,
                },
            );
        }
        Ok(managers)
    }

    /// As `metadata.managedFields`.
    pub(crate) fn encode(&self) -> Vec<Value> {
        encode(self.0.iter().collect())
    }

    /// The versions in which fields are owned.
    pub(crate) fn versions(&self) -> impl Iterator<Item = &str> {
        self.0.values().map(|entry| &*entry.api_version)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn set(&self, id: &Id) -> Set {
        self.0
            .get(id)
            .map(|entry| entry.set.clone())
            .unwrap_or_default()
    }

    pub(crate) fn drop_empty(&mut self) {
        self.0.retain(|_, entry| !entry.set.is_empty());
    }

    /// Joins the oldest updaters of a version when there are too many.
    pub(crate) fn cap(&mut self) {
        let mut updaters: Vec<Id> = self
            .0
            .keys()
            .filter(|id| id.operation == Operation::Update)
            .cloned()
            .collect();
        let mut left = updaters.len();
        updaters.sort_by_key(|id| (self.0.get(id).map_or(0, seconds), id.clone()));
        let mut first_of: BTreeMap<String, Id> = BTreeMap::new();
        for id in updaters {
            if left <= UPDATERS {
                break;
            }
            let version = id.api_version.clone();
            let Some(first) = first_of.get(&version).cloned() else {
                first_of.insert(version, id);
                continue;
            };
            let bucket = Id {
                manager: ANCIENT.into(),
                operation: Operation::Update,
                api_version: version,
                subresource: String::new(),
            };
            if !self.0.contains_key(&bucket)
                && let Some(entry) = self.0.remove(&first)
            {
                self.0.insert(bucket.clone(), entry);
            }
            if id == bucket {
                continue;
            }
            if let Some(entry) = self.0.remove(&id)
                && let Some(joined) = self.0.get_mut(&bucket)
            {
                joined.set.add(&entry.set);
                joined.time = entry.time;
                left -= 1;
            }
        }
    }
}

/// Entries as `metadata.managedFields` has them: appliers first, then by time, manager, version and subresource.
pub(super) fn encode(mut entries: Vec<(&Id, &Entry)>) -> Vec<Value> {
    entries.sort_by(|(a, x), (b, y)| {
        let key = |id: &Id, entry: &Entry| (id.operation, seconds(entry), id.manager.clone());
        key(a, x)
            .cmp(&key(b, y))
            .then_with(|| x.api_version.cmp(&y.api_version))
            .then_with(|| a.subresource.cmp(&b.subresource))
    });
    entries
        .into_iter()
        .map(|(id, entry)| encode_entry(id, entry))
        .collect()
}

fn seconds(entry: &Entry) -> i64 {
    let time = entry
        .time
        .as_deref()
        .and_then(|time| time.parse::<Timestamp>().ok());
    time.map_or(0, Timestamp::as_second)
}

fn encode_entry(id: &Id, entry: &Entry) -> Value {
    let mut encoded = Map::new();
    let mut text = |name: &str, value: &str| {
        if !value.is_empty() {
            encoded.insert(name.into(), value.into());
        }
    };
    text("manager", &id.manager);
    text(
        "operation",
        if id.operation == Operation::Apply {
            "Apply"
        } else {
            "Update"
        },
    );
    text("apiVersion", &entry.api_version);
    text("fieldsType", "FieldsV1");
    text("subresource", &id.subresource);
    text("time", entry.time.as_deref().unwrap_or_default());
    encoded.insert("fieldsV1".into(), entry.set.encode());
    Value::Object(encoded)
}

/// Whether a writer asks for tracking to start anew: one entry with nothing in it, or, of a built-in object, none.
pub(super) fn is_reset(managed_fields: Option<&Value>, custom_resource: bool) -> bool {
    let empty = |entry: &Value| {
        let fields = entry.as_object();
        fields.is_some_and(|fields| fields.values().all(Value::is_null))
    };
    match managed_fields.and_then(Value::as_array).map(Vec::as_slice) {
        Some([]) => !custom_resource,
        Some([entry]) => empty(entry),
        _ => false,
    }
}

/// Writes the entries into an object, or none.
pub(super) fn put(object: &mut Value, entries: Vec<Value>) {
    let Some(root) = object.as_object_mut() else {
        return;
    };
    if let Some(metadata) = root.get_mut("metadata").and_then(Value::as_object_mut) {
        if entries.is_empty() {
            metadata.remove("managedFields");
        } else {
            metadata.insert("managedFields".into(), entries.into());
        }
    } else if !entries.is_empty() {
        root.insert("metadata".into(), json!({ "managedFields": entries }));
    }
}

/// Takes the entries out of an object.
pub(super) fn take(object: &mut Value) -> Option<Value> {
    object
        .get_mut("metadata")?
        .as_object_mut()?
        .remove("managedFields")
}

/// Whether two lists of entries say the same, whenever it was.
pub(super) fn same_but_times(a: &[Value], b: &[Value]) -> bool {
    let is_same = |(one, other)| same_fields(one, other, |name, _| name != "time");
    a.len() == b.len() && a.iter().zip(b).all(is_same)
}
