//! OpenAPI: enough for `kubectl explain`, and for kubectl to leave validation to the server.

use http::{Response, StatusCode};
use serde_json::{Map, Value, json};

use super::{Asked, response};
use crate::failure::Failure;
use crate::kinds::{Resource, Version};
use crate::plane::{Plane, World};
use crate::schema::{Additional, Kind, Merge, Schema};
use crate::serve::Body;

/// Deeper than this a schema is told as anything: some contain themselves.
const DEPTH: usize = 12;

/// What there is, a document for each group and version.
pub(crate) fn index(world: &World, plane: &Plane) -> Response<Body> {
    let mut paths = Map::new();
    for resource in world.resources(plane) {
        for version in &resource.versions {
            let path = path_of(&resource, version);
            paths.insert(
                path.clone(),
                json!({"serverRelativeURL": format!("/openapi/v3/{path}")}),
            );
        }
    }
    response::json(StatusCode::OK, &json!({"paths": paths}))
}

fn path_of(resource: &Resource, version: &Version) -> String {
    let prefix = if resource.group.is_empty() {
        "api"
    } else {
        "apis"
    };
    format!("{prefix}/{}", resource.api_version(&version.name))
}

/// The document of a group and version.
pub(crate) fn document(
    world: &World,
    plane: &Plane,
    group: &str,
    version: &str,
) -> Result<Response<Body>, Failure> {
    let (mut paths, mut schemas) = (Map::new(), Map::new());
    for resource in world
        .resources(plane)
        .iter()
        .filter(|resource| *resource.group == *group)
    {
        let Some(version) = resource.version(version) else {
            continue;
        };
        describe(resource, version, &mut paths, &mut schemas);
    }
    if paths.is_empty() {
        return Err(Failure::page_not_found());
    }
    let document = json!({
        "openapi": "3.0.0", "info": {"title": "Kubernetes", "version": "v1.36.0"}, "paths": paths,
        "components": {"schemas": schemas},
    });
    Ok(response::json(StatusCode::OK, &document))
}

/// Only version 3 is served.
pub(crate) fn v2(
    _world: &World,
    _plane: &Plane,
    _asked: &Asked,
) -> Result<Response<Body>, Failure> {
    Err(Failure::new(
        StatusCode::NOT_FOUND,
        "NotFound",
        "OpenAPI is served at /openapi/v3 only",
    ))
}

fn describe(
    resource: &Resource,
    version: &Version,
    paths: &mut Map<String, Value>,
    schemas: &mut Map<String, Value>,
) {
    let group_kind =
        json!({"group": &*resource.group, "version": version.name, "kind": resource.kind});
    let reversed: Vec<&str> = resource
        .group
        .rsplit('.')
        .filter(|part| !part.is_empty())
        .collect();
    let prefix = if reversed.is_empty() {
        "io.k8s.api.core".to_owned()
    } else {
        reversed.join(".")
    };
    let name = format!("{prefix}.{}.{}", version.name, resource.kind);
    let mut schema = match &version.raw {
        Some(raw) => with_object_fields(raw.clone()),
        None => with_object_fields(render(version.schema.schema(), 0)),
    };
    schema["x-kubernetes-group-version-kind"] = json!([group_kind]);
    schemas.insert(name.clone(), schema);
    let answer = json!({"200": {"description": "OK", "content": {
        "application/json": {"schema": {"$ref": format!("#/components/schemas/{name}")}},
    }}});
    let operation = |action: &str, parameters: &[&str]| {
        let parameters: Vec<Value> = parameters
            .iter()
            .map(|name| json!({"name": name, "in": "query", "schema": {"type": "string", "uniqueItems": true}}))
            .collect();
        json!({
            "x-kubernetes-action": action, "x-kubernetes-group-version-kind": group_kind, "responses": answer,
            "parameters": parameters,
        })
    };
    let write = ["dryRun", "fieldManager", "fieldValidation"];
    let apply = ["dryRun", "fieldManager", "fieldValidation", "force"];
    let place = if resource.namespaced {
        "/namespaces/{namespace}"
    } else {
        ""
    };
    let collection = format!("/{}{place}/{}", path_of(resource, version), resource.plural);
    let one = format!("{collection}/{{name}}");
    let listed = json!({
        "get": operation("list", &["labelSelector", "fieldSelector"]), "post": operation("post", &write),
        "delete": operation("deletecollection", &["labelSelector", "fieldSelector", "dryRun"]),
    });
    paths.insert(collection, listed);
    if version.status {
        let status = json!({
            "get": operation("get", &[]), "put": operation("put", &write), "patch": operation("patch", &apply),
        });
        paths.insert(format!("{one}/status"), status);
    }
    let single = json!({
        "get": operation("get", &[]), "put": operation("put", &write), "patch": operation("patch", &apply),
        "delete": operation("delete", &["dryRun", "propagationPolicy"]),
    });
    paths.insert(one, single);
}

/// What every object has besides its own fields.
fn with_object_fields(mut schema: Value) -> Value {
    let text = |description: &str| json!({"type": "string", "description": description});
    let properties = crate::object::field_mut(&mut schema, "properties");
    properties.insert(
        "apiVersion".to_owned(),
        text("APIVersion defines the versioned schema of this representation of an object."),
    );
    properties.insert(
        "kind".to_owned(),
        text("Kind is a string value representing the REST resource this object represents."),
    );
    let metadata = properties
        .entry("metadata")
        .or_insert_with(|| json!({"type": "object"}));
    crate::object::as_map(metadata)
        .entry("description")
        .or_insert("Standard object's metadata.".into());
    schema
}

/// The schema of a built-in kind, as OpenAPI.
fn render(schema: &Schema, depth: usize) -> Value {
    let schema = schema.target();
    if depth > DEPTH {
        return json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    }
    let mut out = Map::new();
    if let Some(kind) = schema.kind {
        out.insert("type".to_owned(), kind.name().into());
    }
    if schema.kind == Some(Kind::Object) {
        let properties: Map<String, Value> = schema
            .properties
            .iter()
            .map(|(name, field)| (name.clone(), render(field, depth + 1)))
            .collect();
        if !properties.is_empty() {
            out.insert("properties".to_owned(), properties.into());
        }
        if let Additional::Values(values) = &schema.additional {
            out.insert("additionalProperties".to_owned(), render(values, depth + 1));
        }
    }
    if schema.kind == Some(Kind::Array) {
        out.insert("items".to_owned(), render(schema.element(), depth + 1));
        match &schema.merge {
            Merge::Replace => {}
            Merge::Values => {
                out.insert("x-kubernetes-patch-strategy".to_owned(), "merge".into());
            }
            Merge::Key(key) => {
                out.insert("x-kubernetes-patch-strategy".to_owned(), "merge".into());
                out.insert(
                    "x-kubernetes-patch-merge-key".to_owned(),
                    key.clone().into(),
                );
            }
        }
    }
    out.into()
}
