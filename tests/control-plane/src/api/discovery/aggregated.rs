//! All groups, versions and resources in one answer.

use http::header::{CACHE_CONTROL, ETAG, HeaderValue, IF_NONE_MATCH, VARY};
use http::{Response, StatusCode};
use serde_json::{Value, json};

use super::{add_names, groups_of, resources_of, subresources, verbs};
use crate::api::negotiation::{Convert, Media, negotiate};
use crate::api::{Asked, accept, openapi, response};
use crate::json;
use crate::kinds::{Resource, Version};
use crate::plane::{Plane, World};
use crate::serve::Body;
use crate::structs::Typed;

/// How the list begins.
const TYPE: &[u8] = br#"{"kind":"APIGroupDiscoveryList","apiVersion":"apidiscovery.k8s.io/v2","#;
pub(crate) const AGGREGATED: &str =
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

/// The format of everything in one answer, where that is asked for.
pub(super) fn asked_for(asked: &Asked, core: bool) -> Option<Media> {
    // The core group refuses a media type that nobody knows before all else.
    if core && !accept::names_one(&asked.headers) {
        return None;
    }
    const WANTED: Convert<'_> = Convert {
        kind: "APIGroupDiscoveryList",
        group: "apidiscovery.k8s.io",
        version: "v2",
    };
    let wanted = negotiate(&asked.headers, |_, convert| {
        (convert == Some(WANTED)).then_some(())
    });
    wanted.map(|(media, ())| media)
}

/// Everything in one answer, of the core group or of all others.
pub(super) fn answer(world: &World, plane: &Plane, asked: &Asked, core: bool) -> Response<Body> {
    let groups = groups_of(world, plane);
    let items: Vec<Value> = groups
        .iter()
        .filter(|(group, _)| group.is_empty() == core)
        .map(|(group, versions)| {
            let versions: Vec<Value> = versions
                .iter()
                .map(|version| {
                    let found = resources_of(world, plane, group, version);
                    if found.is_empty() {
                        return json!({"version": version, "freshness": "Stale"});
                    }
                    let resources: Vec<Value> = found
                        .iter()
                        .map(|(resource, index)| discovered(resource, &resource.versions[*index]))
                        .collect();
                    json!({"version": version, "resources": resources, "freshness": "Current"})
                })
                .collect();
            let metadata = if core {
                json!({})
            } else {
                json!({"name": &**group})
            };
            json!({"metadata": metadata, "versions": versions})
        })
        .collect();
    let list = json!({
        "kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items,
    });
    let mut written = Vec::new();
    json::write(&Typed(&list), &mut written);
    // The tag is that of a list which does not say what it is.
    let untyped = match written.strip_prefix(TYPE) {
        Some(rest) => [b"{", rest].concat(),
        None => written.clone(),
    };
    let tag = format!("\"{}\"", openapi::hash(&untyped));
    written.push(b'\n');
    let mut response = if asked.header(IF_NONE_MATCH) == Some(&*tag) {
        response::nothing(StatusCode::NOT_MODIFIED)
    } else {
        response::bytes(StatusCode::OK, AGGREGATED, written)
    };
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("public"));
    if let Ok(tag) = HeaderValue::try_from(tag) {
        headers.insert(ETAG, tag);
    }
    headers.insert(VARY, HeaderValue::from_static("Accept"));
    response
}

fn discovered(resource: &Resource, version: &Version) -> Value {
    // Of the built-in kinds a real server says no group, as they are in that of the list.
    let kind = match resource.is_crd() {
        true => json!({"group": &*resource.group, "version": version.name, "kind": resource.kind}),
        false => json!({"group": "", "version": "", "kind": resource.kind}),
    };
    let scope = if resource.namespaced {
        "Namespaced"
    } else {
        "Cluster"
    };
    let mut described = json!({
        "resource": &*resource.plural, "responseKind": kind, "scope": scope,
        "singularResource": resource.singular, "verbs": verbs(resource),
    });
    add_names(&mut described, resource);
    let subresources: Vec<Value> = subresources(resource, version)
        .into_iter()
        .map(|subresource| {
            let kind = match subresource.kind {
                Some(("", _, own)) => json!({"group": "", "version": "", "kind": own}),
                Some((group, version, kind)) => {
                    json!({"group": group, "version": version, "kind": kind})
                }
                None => kind.clone(),
            };
            json!({"subresource": subresource.name, "responseKind": kind, "verbs": subresource.verbs})
        })
        .collect();
    if !subresources.is_empty() {
        described["subresources"] = subresources.into();
    }
    described
}
