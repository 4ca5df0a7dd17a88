//! What the server tells about itself: versions, groups and resources.

mod aggregated;

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine;
use http::{Response, StatusCode};
use serde_json::{Value, json};

use super::order::Order;
use super::{Asked, accept, kubelet, posted, response, rules, scale, told};
use crate::elsewhere;
use crate::failure::Failure;
use crate::kinds::{Resource, Version};
use crate::plane::{Plane, World};
use crate::serve::Body;
use crate::structs::Typed;

pub(super) use aggregated::AGGREGATED;

const VERBS: [&str; 8] = [
    "create",
    "delete",
    "deletecollection",
    "get",
    "list",
    "patch",
    "update",
    "watch",
];
/// The same, in the order in which those of a CRD are told.
const VERBS_OF_A_CRD: [&str; 8] = [
    "delete",
    "deletecollection",
    "get",
    "list",
    "patch",
    "create",
    "update",
    "watch",
];

/// What is left of them while its definition goes.
const VERBS_OF_WHAT_ENDS: [&str; 5] = ["delete", "deletecollection", "get", "list", "watch"];

/// The groups, each with its versions, the preferred one first: those of Kubernetes come before others, so that a kind
/// which is in both is that of Kubernetes where a client is told no group.
fn groups_of(world: &World, plane: &Plane) -> Vec<(Arc<str>, Vec<String>)> {
    let mut groups: BTreeMap<Arc<str>, Vec<String>> = BTreeMap::new();
    for resource in world.resources(plane) {
        let versions = groups.entry(resource.group.clone()).or_default();
        for version in &resource.versions {
            if !versions.contains(&version.name) {
                versions.push(version.name.clone());
            }
        }
    }
    for (group, version) in elsewhere::versions(plane) {
        let versions = groups.entry(group.into()).or_default();
        if !versions.contains(&version) {
            versions.push(version);
        }
    }
    let order = Order::of(plane);
    for (group, versions) in &mut groups {
        versions.sort_by_key(|version| order.of_version(group, version));
    }
    groups.retain(|_, versions| !versions.is_empty());
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_by_key(|(group, _)| order.of_group(group));
    groups
}

fn describe(group: &str, versions: &[String]) -> Value {
    let versions: Vec<Value> = versions
        .iter()
        .map(|version| json!({"groupVersion": format!("{group}/{version}"), "version": version}))
        .collect();
    json!({"name": group, "versions": versions, "preferredVersion": versions.first()})
}

pub(crate) fn core(world: &World, plane: &Plane, asked: &Asked) -> Result<Response<Body>, Failure> {
    if let Some(media) = aggregated::asked_for(asked, true) {
        return Ok(told(
            aggregated::answer(world, plane, asked, true),
            media,
            false,
        ));
    }
    let address = format!("127.0.0.1:{}", world.port());
    let versions = json!({
        "kind": "APIVersions", "versions": ["v1"],
        "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": address}],
    });
    let media = accept::discovery(asked, true)?;
    Ok(told(
        response::json(StatusCode::OK, &Typed(&versions)),
        media,
        false,
    ))
}

pub(crate) fn groups(
    world: &World,
    plane: &Plane,
    asked: &Asked,
) -> Result<Response<Body>, Failure> {
    if let Some(media) = aggregated::asked_for(asked, false) {
        return Ok(told(
            aggregated::answer(world, plane, asked, false),
            media,
            false,
        ));
    }
    let mut groups = groups_of(world, plane);
    // Here those that are alike come in the order of their first API services.
    let order = Order::of(plane);
    groups.sort_by_key(|(group, versions)| {
        let first = versions.iter().min().map_or("", String::as_str);
        (order.of_group(group), format!("{first}.{group}"))
    });
    let groups: Vec<Value> = groups
        .iter()
        .filter(|(group, _)| !group.is_empty())
        .map(|(group, versions)| describe(group, versions))
        .collect();
    let list = json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups});
    let media = accept::discovery(asked, false)?;
    Ok(told(
        response::json(StatusCode::OK, &Typed(&list)),
        media,
        false,
    ))
}

pub(crate) fn group(world: &World, plane: &Plane, group: &str) -> Result<Response<Body>, Failure> {
    let groups = groups_of(world, plane);
    let (_, versions) = groups
        .iter()
        .find(|(name, _)| **name == *group && !group.is_empty())
        .ok_or_else(Failure::page_not_found)?;
    let mut described = describe(group, versions);
    described["kind"] = "APIGroup".into();
    described["apiVersion"] = "v1".into();
    Ok(response::json(StatusCode::OK, &Typed(&described)))
}

/// Whether a group is always there.
pub(crate) fn is_built_in(world: &World, plane: &Plane, group: &str) -> bool {
    let resources = world.resources(plane);
    let built_in = |resource: &Arc<Resource>| !resource.is_crd() && *resource.group == *group;
    group.is_empty() || resources.iter().any(built_in)
}

/// The resources of one version of a group.
fn resources_of(
    world: &World,
    plane: &Plane,
    group: &str,
    version: &str,
) -> Vec<(Arc<Resource>, usize)> {
    let mut all = world.resources(plane);
    all.retain(|resource| *resource.group == *group);
    // Those of another server come before those of CRDs.
    if all.iter().any(|resource| resource.is_crd()) && elsewhere::serves(plane, group, version) {
        all.retain(|resource| !resource.is_crd());
    }
    let all = all.into_iter();
    all.filter_map(|resource| {
        let index = resource
            .versions
            .iter()
            .position(|served| served.name == version)?;
        Some((resource, index))
    })
    .collect()
}

fn verbs(resource: &Resource) -> Vec<&'static str> {
    if resource.is_review() {
        return vec!["create"];
    }
    if resource.is_read_only() {
        return vec!["get", "list"];
    }
    if resource.is_terminating() {
        return VERBS_OF_WHAT_ENDS.to_vec();
    }
    if resource.is_crd() {
        return VERBS_OF_A_CRD.to_vec();
    }
    let collection = !resource.is("", "namespaces");
    VERBS
        .into_iter()
        .filter(|verb| collection || *verb != "deletecollection")
        .collect()
}

/// A part of a resource that is asked for on its own.
struct Subresource {
    name: &'static str,
    verbs: &'static [&'static str],
    /// Group, version and kind, where it is not a part of the object.
    kind: Option<(&'static str, &'static str, &'static str)>,
}

impl Subresource {
    const fn part(name: &'static str, verbs: &'static [&'static str]) -> Self {
        Self {
            name,
            verbs,
            kind: None,
        }
    }
}

/// The subresources of a resource.
fn subresources(resource: &Resource, version: &Version) -> Vec<Subresource> {
    const READ_AND_WRITE: &[&str] = &["get", "patch", "update"];
    let posted = posted::of(&resource.group, &resource.plural).iter();
    let mut subresources: Vec<Subresource> = posted
        .map(|posted| Subresource {
            name: posted.subresource,
            verbs: &["create"],
            kind: Some((posted.group, posted.version, posted.kind)),
        })
        .collect();
    subresources.extend(kubelet::of(resource).iter().map(|asks| Subresource {
        name: asks.subresource,
        verbs: asks.verbs,
        kind: asks.options.map(|kind| ("", "", kind)),
    }));
    if resource.is("", "namespaces") {
        subresources.push(Subresource::part("finalize", &["update"]));
    }
    if resource.is("", "pods") {
        subresources.push(Subresource::part("ephemeralcontainers", READ_AND_WRITE));
        subresources.push(Subresource::part("resize", READ_AND_WRITE));
    }
    if rules::is_signing_request(resource) {
        subresources.push(Subresource::part("approval", READ_AND_WRITE));
    }
    if version.scale.is_some() {
        subresources.push(Subresource {
            kind: Some((scale::GROUP, scale::VERSION, scale::KIND)),
            ..Subresource::part("scale", READ_AND_WRITE)
        });
    }
    if version.status {
        subresources.push(Subresource::part("status", READ_AND_WRITE));
    }
    subresources.sort_by_key(|subresource| subresource.name);
    if resource.is_crd() {
        // The one order is that of the names, the other that in which they were thought of.
        subresources.reverse();
    }
    subresources
}

pub(crate) fn resources(
    world: &World,
    plane: &Plane,
    group: &str,
    version: &str,
) -> Result<Response<Body>, Failure> {
    let found = resources_of(world, plane, group, version);
    let Some((first, _)) = found.first() else {
        return Err(if elsewhere::serves(plane, group, version) {
            Failure::unavailable()
        } else if is_built_in(world, plane, group) {
            Failure::no_such_resource()
        } else {
            Failure::page_not_found()
        });
    };
    let group_version = first.api_version(version);
    let mut list = Vec::new();
    for (resource, index) in &found {
        let mut described = json!({
            "name": &*resource.plural, "singularName": resource.singular, "namespaced": resource.namespaced,
            "kind": resource.kind, "verbs": verbs(resource),
        });
        add_names(&mut described, resource);
        if !resource.is_review() && !resource.is_read_only() {
            described["storageVersionHash"] = storage_version_hash(resource).into();
        }
        list.push(described);
        for subresource in subresources(resource, &resource.versions[*index]) {
            let mut described = json!({
                "name": format!("{}/{}", resource.plural, subresource.name), "singularName": "",
                "namespaced": resource.namespaced, "kind": resource.kind, "verbs": subresource.verbs,
            });
            if let Some((group, version, kind)) = subresource.kind {
                if !group.is_empty() {
                    described["group"] = group.into();
                    described["version"] = version.into();
                }
                described["kind"] = kind.into();
            }
            list.push(described);
        }
    }
    let mut list =
        json!({"kind": "APIResourceList", "groupVersion": group_version, "resources": list});
    // The list of the core group is as it was before lists had a version.
    if !group.is_empty() {
        list["apiVersion"] = "v1".into();
    }
    Ok(response::json(StatusCode::OK, &Typed(&list)))
}

/// By which a client sees that objects are stored in another version.
fn storage_version_hash(resource: &Resource) -> String {
    // To those who ask, these are stored as they were before they were stable.
    const OLDER: [&str; 3] = [
        "CustomResourceDefinition",
        "MutatingAdmissionPolicy",
        "MutatingAdmissionPolicyBinding",
    ];
    let is_older = !resource.is_crd() && OLDER.contains(&resource.kind.as_str());
    let version = if is_older {
        "v1beta1"
    } else {
        &resource.stored
    };
    // Events of either group are those of the first.
    let stored = format!("{}/{version}/{}", resource.bucket.group, resource.kind);
    let digest = ring::digest::digest(&ring::digest::SHA256, stored.as_bytes());
    let bytes = digest.as_ref();
    base64::engine::general_purpose::STANDARD.encode(&bytes[..bytes.len().min(8)])
}

fn add_names(described: &mut Value, resource: &Resource) {
    if !resource.short_names.is_empty() {
        described["shortNames"] = json!(resource.short_names);
    }
    if !resource.categories.is_empty() {
        described["categories"] = json!(resource.categories);
    }
}

/// The paths of the groups and of their versions.
pub(super) fn paths_of_groups(world: &World, plane: &Plane) -> Vec<String> {
    let mut paths = Vec::new();
    for (group, versions) in groups_of(world, plane) {
        if group.is_empty() {
            continue;
        }
        paths.push(format!("/apis/{group}"));
        let versions = versions.iter();
        paths.extend(versions.map(|version| format!("/apis/{group}/{version}")));
    }
    paths
}
