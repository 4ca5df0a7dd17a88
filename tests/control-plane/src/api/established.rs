//! What the server itself does to a CustomResourceDefinition once it is stored: it accepts its names, and serves it.

use serde_json::Value;

use crate::kinds::{accept_names, crd_bucket, installing};
use crate::object;
use crate::patch::{self, Versions, Writer};
use crate::schema;
use crate::store::{Key, Transaction};

/// The version of definitions.
const VERSION: &str = "apiextensions.k8s.io/v1";

/// Gives the names of its group to a definition; nothing happens to another object.
pub(crate) fn establish(transaction: &mut Transaction<'_>, key: &Key) {
    let bucket = crd_bucket();
    let Some(definition) = transaction.get(&bucket, key) else {
        return;
    };
    let status = accept_names(&definition, &transaction.all(&bucket));
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
