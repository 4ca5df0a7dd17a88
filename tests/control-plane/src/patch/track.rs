//! Who owns what after a create, an update or a patch that is not an apply.

use jiff::Timestamp;
use serde_json::Value;

use super::fields::{Set, compare, untyped_live};
use super::managers::{Entry, Id, Managers, Operation, is_reset, put, same_but_times, take};
use super::versions::Versions;
use crate::object::same_fields;
use crate::schema::{Schema, empty};

/// Who writes, through which endpoint.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Writer<'a> {
    /// `fieldManager`, or what the user agent begins with.
    pub(crate) manager: &'a str,
    pub(crate) subresource: Option<&'a str>,
    pub(crate) now: Timestamp,
    pub(crate) api_version: &'a str,
    /// The main endpoint does not write the status.
    pub(crate) status_is_subresource: bool,
    /// Its status endpoint does not write metadata either.
    pub(crate) custom_resource: bool,
    /// The metadata that the status endpoint of a built-in kind does not write.
    pub(crate) kept_by_status: &'a [&'a str],
    /// What else the endpoint does not write.
    pub(crate) not_owned: &'a [&'a [&'a str]],
    pub(crate) versions: Versions<'a>,
}

impl Writer<'_> {
    pub(super) fn id(&self, operation: Operation) -> Id {
        Id {
            manager: if self.manager.is_empty() {
                "unknown"
            } else {
                self.manager
            }
            .to_owned(),
            operation,
            api_version: match operation {
                Operation::Apply => String::new(),
                Operation::Update => self.api_version.to_owned(),
            },
            subresource: self.subresource.unwrap_or_default().to_owned(),
        }
    }

    /// What the endpoint leaves as it was, whatever the body says.
    pub(super) fn reset(&self) -> Set {
        let of_endpoint = match self.subresource {
            Some("status") if self.custom_resource => {
                Set::default().with(&["metadata"]).with(&["spec"])
            }
            Some("status") => {
                let kept = self.kept_by_status.iter();
                kept.fold(Set::default().with(&["spec"]), |set, field| {
                    set.with(&["metadata", field])
                })
            }
            None | Some("finalize") if self.status_is_subresource => {
                Set::default().with(&["status"])
            }
            _ => Set::default(),
        };
        let more = self.not_owned.iter();
        more.fold(of_endpoint, |set, path| set.with(path))
    }

    /// The time as objects have it, to the second.
    pub(super) fn time(&self) -> String {
        let seconds = Timestamp::from_second(self.now.as_second()).unwrap_or(self.now);
        seconds.to_string()
    }
}

/// What nobody owns, because the server alone sets it or it names the object.
pub(super) fn never_owned() -> Set {
    let mut set = Set::default()
        .with(&["apiVersion"])
        .with(&["kind"])
        .with(&["metadata"]);
    for name in [
        "name",
        "namespace",
        "creationTimestamp",
        "selfLink",
        "uid",
        "clusterName",
        "generation",
        "managedFields",
        "resourceVersion",
    ] {
        set = set.with(&["metadata", name]);
    }
    set
}

/// Who owns what before an object is stored in the place of `live`: what the writer says, where it may and can be read.
pub(crate) fn owners(live: Option<&Value>, new: &Value, writer: &Writer<'_>) -> Managers {
    let of_live = || Managers::decode(live.and_then(entries)).unwrap_or_default();
    let sent = entries(new);
    match writer.subresource {
        Some(_) => of_live(),
        None if is_reset(sent, writer.custom_resource) => Managers::default(),
        None => match Managers::decode(sent) {
            Ok(managers) if !managers.is_empty() => managers,
            _ => of_live(),
        },
    }
}

fn entries(object: &Value) -> Option<&Value> {
    object.pointer("/metadata/managedFields")
}

/// Sets `metadata.managedFields` of an object that is about to be stored in the place of `live`.
pub(crate) fn track_update(
    live: Option<&Value>,
    new: &mut Value,
    schema: &Schema,
    writer: &Writer<'_>,
) {
    let managers = owners(live, new, writer);
    track(live, new, managers, schema, writer);
}

/// The same once it is known who owned what before.
pub(crate) fn track(
    live: Option<&Value>,
    new: &mut Value,
    mut managers: Managers,
    schema: &Schema,
    writer: &Writer<'_>,
) {
    take(new);
    // An object that has lost its entries is tracked again from its first apply on.
    if managers.is_empty() && live.is_some() {
        return;
    }
    // What cannot be compared is owned by nobody from now on, and written all the same. What is stored of a custom resource
    // may be of an older schema.
    let was = live.filter(|_| writer.custom_resource);
    if was
        .into_iter()
        .chain([&*new])
        .any(|object| untyped_live(object, schema).is_some())
    {
        return;
    }
    let mut before = live.cloned().unwrap_or_else(|| empty(schema));
    take(&mut before);
    writer.adjust(&mut managers, schema);
    let managers = after_update(&before, new, managers, schema, writer);
    settle(live, new, &managers);
}

/// The entries after an update from one object to the next, both without entries.
pub(super) fn after_update(
    before: &Value,
    after: &Value,
    mut managers: Managers,
    schema: &Schema,
    writer: &Writer<'_>,
) -> Managers {
    let changes = compare(before, after, schema).without(&writer.reset());
    let lost = changes.all();
    for entry in managers.0.values_mut() {
        let elsewhere = writer.changes_in(&entry.api_version, before, after, schema);
        let elsewhere = elsewhere.map(|changes| changes.all());
        entry.set = entry.set.difference(elsewhere.as_ref().unwrap_or(&lost));
    }
    let taken = changes.taken().difference(&never_owned());
    if !taken.is_empty() {
        let id = writer.id(Operation::Update);
        let entry = Entry {
            api_version: writer.api_version.to_owned(),
            time: Some(writer.time()),
            set: managers.set(&id).union(&taken),
        };
        managers.0.insert(id, entry);
    }
    managers.drop_empty();
    managers.cap();
    managers
}

/// Writes the entries into the object that is to be stored.
pub(super) fn settle(live: Option<&Value>, object: &mut Value, managers: &Managers) {
    put(object, managers.encode());
    if let Some(live) = live {
        keep_times(live, object);
    }
}

/// When nothing but the times of the entries differs from the live object, they stay what they were.
pub(crate) fn keep_times(live: &Value, object: &mut Value) {
    let list = |object| entries(object).and_then(Value::as_array);
    let (Some(old), Some(new)) = (list(live), list(object)) else {
        return;
    };
    if old == new || !same_but_times(old, new) {
        return;
    }
    if is_same_but_managers(live, object) {
        put(object, old.clone());
    }
}

/// Whether nothing differs but who owns it.
pub(crate) fn is_same_but_managers(live: &Value, object: &Value) -> bool {
    same_fields(live, object, |name, _| name != "metadata")
        && same_fields(&live["metadata"], &object["metadata"], |name, _| {
            name != "managedFields"
        })
}
