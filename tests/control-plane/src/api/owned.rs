//! Fields of a custom resource that are owned in another version than that of a request: to be compared, the object has
//! to fit that version too.

use std::borrow::Cow;

use serde_json::Value;

use super::target::Target;
use crate::kinds::Resource;
use crate::patch::untyped;
use crate::schema::Schema;

/// Why the fields that `owner` says are owned cannot be compared in an object.
pub(super) fn incomparable(target: &Target, owner: &Value, object: &Value) -> Option<String> {
    if !target.resource.is_crd() {
        return None;
    }
    let own = target.api_version();
    let entries = owner.pointer("/metadata/managedFields")?.as_array()?;
    let versions = entries
        .iter()
        .filter_map(|entry| entry.get("apiVersion")?.as_str());
    versions
        .filter(|version| *version != own)
        .find_map(|api_version| match schema(&target.resource, api_version) {
            Some(schema) => untyped(object, &schema),
            None => Some(format!(
                "request to convert CR to an invalid group/version: {api_version}"
            )),
        })
}

/// The schema of a version, which need not be served.
fn schema<'r>(resource: &'r Resource, api_version: &str) -> Option<Cow<'r, Schema>> {
    let (group, version) = api_version.rsplit_once('/')?;
    if *group != *resource.group {
        return None;
    }
    resource.schema_of(version)
}
