//! OpenAPI: enough for `kubectl explain`, and for kubectl to leave validation to the server.

use http::header::{ACCEPT, HeaderValue, VARY};
use http::{Response, StatusCode};
use serde_json::{Map, Value, json};

use super::{Asked, response};
use crate::failure::Failure;
use crate::kinds::{Resource, Version};
use crate::plane::{Plane, World};
use crate::schema::{self, Additional, Kind, Merge, Schema};
use crate::serve::Body;

const OBJECT_META: &str = "ObjectMeta";
const FIELDS: &str = "FieldsV1";
const QUANTITY: &str = "Quantity";
const INT_OR_STRING: &str = "IntOrString";

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
        return Ok(response::nothing(StatusCode::NOT_FOUND));
    }
    let document = json!({
        "openapi": "3.0.0", "info": {"title": "Kubernetes", "version": "v1.36.0"}, "paths": paths,
        "components": {"schemas": schemas},
    });
    let mut answer = response::json(StatusCode::OK, &document);
    let accept = HeaderValue::from_static("Accept");
    answer.headers_mut().insert(VARY, accept);
    Ok(answer)
}

/// The second version, which kubectl asks for a kind that is not in the third: there is nothing more in it.
pub(crate) fn v2(asked: &Asked) -> Response<Body> {
    let accept = asked.header(ACCEPT).unwrap_or_default();
    if accept.contains("proto-openapi.spec.v2") {
        return response::bytes(
            StatusCode::OK,
            "application/com.github.proto-openapi.spec.v2.v1.0+protobuf",
            // swagger: "2.0", info: {title: "Kubernetes", version: "1.36"}, paths: {}
            &b"\n\x032.0\x12\x12\n\nKubernetes\x12\x041.36B\0"[..],
        );
    }
    let document = json!({
        "swagger": "2.0", "info": {"title": "Kubernetes", "version": "1.36"}, "paths": {},
    });
    response::json(StatusCode::OK, &document)
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
    let mut refers = vec![OBJECT_META];
    let mut schema = match &version.raw {
        Some(raw) => with_object_fields(raw.clone()),
        None => with_object_fields(render_itself(version.schema.schema(), &mut refers)),
    };
    add_types(refers, schemas);
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
    if resource.is_review() {
        paths.insert(collection, json!({"post": operation("post", &write)}));
        return;
    }
    if resource.is_read_only() {
        let listed = operation("list", &["labelSelector", "fieldSelector"]);
        paths.insert(collection, json!({"get": listed}));
        paths.insert(one, json!({"get": operation("get", &[])}));
        return;
    }
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
    let metadata = json!({
        "description": "Standard object's metadata.", "allOf": [{"$ref": reference(OBJECT_META)}],
    });
    properties.insert("metadata".to_owned(), metadata);
    schema
}

/// The schema of a built-in kind, as OpenAPI; `refers` is told of each type that it refers to.
fn render(schema: &Schema, refers: &mut Vec<&'static str>) -> Value {
    if let Some(name) = schema.type_name() {
        refers.push(name);
        return json!({"allOf": [{"$ref": reference(name)}]});
    }
    if schema.is_quantity() {
        refers.push(QUANTITY);
        return json!({"allOf": [{"$ref": reference(QUANTITY)}]});
    }
    if schema.int_or_string {
        refers.push(INT_OR_STRING);
        return json!({"allOf": [{"$ref": reference(INT_OR_STRING)}]});
    }
    render_itself(schema, refers)
}

fn render_itself(schema: &Schema, refers: &mut Vec<&'static str>) -> Value {
    let mut out = Map::new();
    // What is anything is told as an object, for those who show its type.
    let kind = schema.kind.unwrap_or(Kind::Object);
    out.insert("type".to_owned(), kind.name().into());
    if schema.kind == Some(Kind::Object) {
        let properties: Map<String, Value> = schema
            .properties
            .iter()
            .map(|(name, field)| {
                let rendered = match name.as_str() {
                    "fieldsV1" => {
                        refers.push(FIELDS);
                        json!({"allOf": [{"$ref": reference(FIELDS)}]})
                    }
                    _ => render(field, refers),
                };
                (name.clone(), rendered)
            })
            .collect();
        if !properties.is_empty() {
            out.insert("properties".to_owned(), properties.into());
        }
        if let Additional::Values(values) = &schema.additional {
            out.insert("additionalProperties".to_owned(), render(values, refers));
        }
    }
    if schema.kind == Some(Kind::Array) {
        out.insert("items".to_owned(), render(schema.element(), refers));
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

/// Where a type of the table is in a document. Only what is behind the last dot is shown to anybody.
fn component(name: &str) -> String {
    let package = match name {
        // Clients look for these.
        OBJECT_META | "OwnerReference" | "ManagedFieldsEntry" | FIELDS | "LabelSelector"
        | "Time" => "apimachinery.pkg.apis.meta.v1",
        QUANTITY => "apimachinery.pkg.api.resource",
        INT_OR_STRING => "apimachinery.pkg.util.intstr",
        _ => "api",
    };
    format!("io.k8s.{package}.{name}")
}

fn reference(name: &str) -> String {
    format!("#/components/schemas/{}", component(name))
}

/// Adds every type that is referred to, and those that these refer to.
fn add_types(mut refers: Vec<&'static str>, schemas: &mut Map<String, Value>) {
    while let Some(name) = refers.pop() {
        if schemas.contains_key(&component(name)) {
            continue;
        }
        let rendered = match name {
            QUANTITY => json!({"oneOf": [{"type": "string"}, {"type": "number"}]}),
            INT_OR_STRING => {
                json!({"format": "int-or-string", "oneOf": [{"type": "integer"}, {"type": "string"}]})
            }
            _ => match schema::builtin_type(name) {
                Some(schema) => render_itself(schema, &mut refers),
                None => json!({"type": "object"}),
            },
        };
        schemas.insert(component(name), rendered);
    }
}
