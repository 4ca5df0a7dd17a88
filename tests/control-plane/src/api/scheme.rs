//! Which kinds the server can tell, besides those of resources.

use serde_json::Value;

use super::retired;
use super::target::Target;
use crate::patch::go;

/// The version of what says how to read and to write.
pub(super) const META: &str = "meta.k8s.io/v1";
/// What is known in every version, whether there is one or not.
const EVERYWHERE: [&str; 5] = [
    "APIGroup",
    "APIGroupList",
    "APIResourceList",
    "APIVersions",
    "Status",
];
/// What is known in each version of a group.
const IN_EACH: [&str; 7] = [
    "CreateOptions",
    "DeleteOptions",
    "GetOptions",
    "ListOptions",
    "PatchOptions",
    "UpdateOptions",
    "WatchEvent",
];
/// What is posted to subresources, and what their queries are read as.
const OF_SUBRESOURCES: [(&str, &str); 10] = [
    ("authentication.k8s.io/v1", "TokenRequest"),
    ("autoscaling/v1", "Scale"),
    ("policy/v1", "Eviction"),
    ("v1", "NodeProxyOptions"),
    ("v1", "PodAttachOptions"),
    ("v1", "PodExecOptions"),
    ("v1", "PodLogOptions"),
    ("v1", "PodPortForwardOptions"),
    ("v1", "PodProxyOptions"),
    ("v1", "ServiceProxyOptions"),
];
/// What is known besides where it says how to delete.
const BESIDES_OPTIONS: [&str; 4] = [
    "PartialObjectMetadata",
    "PartialObjectMetadataList",
    "Table",
    "TableOptions",
];

/// What a kind is called in Go, if the part of the server that serves a resource knows it.
pub(super) fn go_type(target: &Target, api_version: &str, kind: &str) -> Option<String> {
    let registry = &target.world.registry;
    let group = api_version.rsplit_once('/').map_or("", |(group, _)| group);
    let is_here = scheme_of(group) == scheme_of(&target.resource.group);
    let is_built_in = |kind: &str| {
        let resource = registry.of_kind(api_version, kind);
        resource.is_some_and(|resource| !resource.is_crd())
    };
    let of_meta = format!("v1.{kind}");
    if EVERYWHERE.contains(&kind) {
        return Some(of_meta);
    }
    let is_in_each = IN_EACH.contains(&kind);
    if is_in_each && (api_version == "v1" || is_here && registry.has_built_in(api_version)) {
        return Some(of_meta);
    }
    if !is_here {
        return None;
    }
    let listed = kind.strip_suffix("List").unwrap_or(kind);
    let is_known = is_built_in(kind)
        || retired::was_served(api_version, kind)
        || is_built_in(listed)
        || (api_version, kind) == ("v1", "List")
        || OF_SUBRESOURCES.contains(&(api_version, kind));
    let version = api_version.rsplit('/').next().unwrap_or_default();
    is_known.then(|| format!("{version}.{kind}"))
}

/// The group that alone is known where it is served; the others are known to each other.
fn scheme_of(group: &str) -> Option<&str> {
    let is_apart = ["apiextensions.k8s.io", "apiregistration.k8s.io"].contains(&group);
    is_apart.then_some(group)
}

/// The same where a body says how to delete, and may be nothing that is kept.
pub(super) fn go_type_of_options(api_version: &str, kind: &str) -> Option<String> {
    let is_everywhere = EVERYWHERE.contains(&kind) || kind == "CreateOptions";
    let is_of_meta = IN_EACH.contains(&kind) || BESIDES_OPTIONS.contains(&kind);
    let is_known = is_everywhere || api_version == META && is_of_meta;
    is_known.then(|| format!("v1.{kind}"))
}

/// Why a list, or a status of the server's own, cannot be read as one.
pub(super) fn undecodable_list(api_version: &str, kind: &str, object: &Value) -> Option<String> {
    let version = api_version.rsplit('/').next().unwrap_or_default();
    let second = match kind.strip_suffix("List") {
        Some("") => ("items", "array", "[]runtime.RawExtension".to_owned()),
        Some(listed) => ("items", "array", format!("[]{version}.{listed}")),
        None if kind == "Status" => ("status", "string", "string".to_owned()),
        None => return None,
    };
    let fields = [("metadata", "object", "v1.ListMeta".to_owned()), second];
    // What the body says first is found first.
    object.as_object()?.iter().find_map(|(name, said)| {
        let (_, expected, of) = fields.iter().find(|(field, ..)| field == name)?;
        let got = go::json_kind(said);
        (!said.is_null() && got != *expected).then(|| {
            format!("json: cannot unmarshal {got} into Go struct field {kind}.{name} of type {of}")
        })
    })
}

/// A kind that is not the one that was asked for.
pub(super) fn unconverted(of: &str, to: &str) -> String {
    format!("converting ({of}) to ({to}): unknown conversion")
}
