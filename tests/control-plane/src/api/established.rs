//! What the server itself does to a CustomResourceDefinition once it is stored: it accepts its names, and serves it.

use serde::Deserialize;
use serde_json::Value;

use crate::kinds::{Taken, accept_names, crd_bucket, installing};
use crate::object;
use crate::patch::{self, Versions, Writer};
use crate::schema;
use crate::store::{Key, Transaction};

/// The version of definitions.
const VERSION: &str = "apiextensions.k8s.io/v1";

/// What says which names a definition has got. Its schemas, which may be long, are not read for that.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Outline {
    status: Status,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Status {
    accepted_names: Value,
    conditions: Vec<Value>,
}

/// A definition is called by its plural and its group.
fn group_of(key: &Key) -> Option<&str> {
    key.name.split_once('.').map(|(_, group)| group)
}

/// Gives names to the definitions that have not got theirs so far.
pub(crate) fn establish_waiting(transaction: &mut Transaction<'_>) {
    let has_names = |one: &Value| one["type"] == "NamesAccepted" && one["status"] == "True";
    for definition in transaction.kept_all(&crd_bucket()) {
        let status = definition.part::<Outline>().status;
        if !status.conditions.iter().any(has_names) {
            establish(transaction, &definition.key);
        }
    }
}

/// Gives the names of its group to a definition; nothing happens to another object.
pub(crate) fn establish(transaction: &mut Transaction<'_>, key: &Key) {
    let bucket = crd_bucket();
    let Some(definition) = transaction.get(&bucket, key) else {
        return;
    };
    let mut taken = Taken::default();
    for other in transaction.kept_all(&bucket) {
        if other.key != *key && group_of(&other.key) == group_of(key) {
            taken.add(&other.part::<Outline>().status.accepted_names);
        }
    }
    let status = accept_names(&definition, &taken);
    if definition.get("status") == Some(&status) {
        return;
    }
    let before = definition.get("status").unwrap_or(&Value::Null);
    let states = [installing(before, &status), Some(status)];
    let mut definition = definition;
    for status in states.into_iter().flatten() {
        let mut new = definition.clone();
        object::as_map(&mut new).insert("status".to_owned(), status);
        track(&definition, &mut new);
        transaction.put(&bucket, key.clone(), new.clone());
        definition = new;
    }
}

/// Tells that the server has written the status.
pub(crate) fn track(old: &Value, new: &mut Value) {
    let writer = Writer {
        manager: "kube-apiserver",
        subresource: Some("status"),
        now: crate::clock::now(),
        api_version: VERSION,
        status_is_subresource: true,
        custom_resource: false,
        kept_by_status: &[],
        not_owned: &[],
        versions: Versions::Alike,
    };
    if let Some(schema) = schema::builtin("apiextensions.k8s.io", "v1", "CustomResourceDefinition")
    {
        patch::track_update(Some(old), new, schema, &writer);
    }
}
