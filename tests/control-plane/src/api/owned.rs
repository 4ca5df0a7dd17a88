//! Fields that are owned in another version than that of a request: to be compared, the object has to fit that version
//! too.

use std::borrow::Cow;

use serde_json::Value;

use super::target::Target;
use crate::kinds::Resource;
use crate::patch::untyped;
use crate::schema::Schema;

/// Why fields that are owned in these versions cannot be compared in an object.
pub(super) fn incomparable<'v>(
    target: &Target,
    mut versions: impl Iterator<Item = &'v str>,
    object: &Value,
) -> Option<String> {
    if !target.resource.is_crd() {
        let odd = versions.find(|version| version.matches('/').count() > 1);
        return odd.map(|version| format!("unexpected GroupVersion string: {version}"));
    }
    let own = target.api_version();
    versions
        .filter(|version| *version != own)
        .find_map(|api_version| match schema(&target.resource, api_version) {
            Some(schema) => untyped(object, &schema),
            None => Some(format!(
                "request to convert CR to an invalid group/version: {api_version}"
            )),
        })
}

/// The versions in which fields of an object are owned.
pub(super) fn versions(object: &Value) -> impl Iterator<Item = &str> {
    let entries = object.pointer("/metadata/managedFields");
    let entries = entries.and_then(Value::as_array).into_iter().flatten();
    entries.filter_map(|entry| entry.get("apiVersion")?.as_str())
}

/// The schema of a version, which need not be served.
fn schema<'r>(resource: &'r Resource, api_version: &str) -> Option<Cow<'r, Schema>> {
    let (group, version) = api_version.rsplit_once('/')?;
    if *group != *resource.group {
        return None;
    }
    resource.schema_of(version)
}
