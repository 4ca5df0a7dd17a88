//! The kinds of CRDs, in words of OpenAPI.

use serde_json::{Map, Value, json};

use super::recorded::KUBERNETES;
use super::{REFERENCE, second};
use crate::kinds::{Resource, Version};
use crate::object;

const API_VERSION: &str = "apiVersion defines the versioned schema of this representation of an object. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#resources";
const KIND: &str = "kind is a string value representing the type of this object. In CamelCase. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#types-kinds";
const ITEMS: &str = "More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md";
pub(super) const PRESERVE: &str = "x-kubernetes-preserve-unknown-fields";
const SELECTABLE: &str = "x-kubernetes-selectable-fields";
const EMBEDDED: &str = "x-kubernetes-embedded-resource";
const OBJECT_META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";
const LIST_META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta";

/// What a document says of a version of a CRD: its types, and its paths.
pub(super) struct Definition {
    pub(super) schemas: [(String, Value); 2],
    /// In JSON.
    pub(super) paths: Vec<(String, String)>,
}

impl Definition {
    pub(super) fn of(resource: &Resource, version: &Version) -> Self {
        let raw = version.raw.clone();
        let mut schema = raw.unwrap_or_else(|| json!({"type": "object"}));
        let properties = object::field_mut(&mut schema, "properties");
        properties
            .values_mut()
            .for_each(|field| complete(field, Embedded::InAll));
        add_metadata(properties, OBJECT_META);
        Self::with(schema, resource, version)
    }

    /// The same in the second version of OpenAPI, but for the references.
    pub(super) fn second(resource: &Resource, version: &Version) -> Self {
        let mut schema = json!({"type": "object"});
        if let Some(raw) = &version.raw
            && raw.get(PRESERVE) != Some(&Value::Bool(true))
        {
            schema = raw.clone();
            second::simplify(&mut schema);
            let properties = object::field_mut(&mut schema, "properties");
            properties
                .values_mut()
                .for_each(|field| complete(field, Embedded::UnlessOpen));
            add_metadata(properties, OBJECT_META);
        }
        Self::with(schema, resource, version)
    }

    fn with(mut schema: Value, resource: &Resource, version: &Version) -> Self {
        let mut group: Vec<&str> = resource.group.split('.').collect();
        group.reverse();
        let package = format!("{}.{}", group.join("."), version.name);
        let name = format!("{package}.{}", resource.kind);
        let list = format!("{package}.{}", resource.list_kind);
        let kind_of = |kind: &str| json!([{"group": &*resource.group, "kind": kind, "version": version.name}]);
        schema["x-kubernetes-group-version-kind"] = kind_of(&resource.kind);
        let selectable = version.selectable.iter();
        let selectable: Value = selectable.map(|path| json!({"fieldPath": path})).collect();
        let mut of_lists = Map::new();
        add_metadata(&mut of_lists, LIST_META);
        let items = format!("List of {}. {ITEMS}", resource.plural);
        let items = json!({"description": items, "type": "array", "items": {"$ref": format!("{REFERENCE}{name}")}});
        of_lists.insert("items".to_owned(), items);
        let mut of_list = json!({
            "description": format!("{} is a list of {}", resource.list_kind, resource.kind), "type": "object",
            "required": ["items"], "properties": of_lists, "x-kubernetes-group-version-kind": kind_of(&resource.list_kind),
        });
        if !version.selectable.is_empty() {
            schema[SELECTABLE] = selectable.clone();
            of_list[SELECTABLE] = selectable;
        }
        let paths = paths(resource, version, &name, &list);
        Self {
            schemas: [(name, schema), (list, of_list)],
            paths,
        }
    }
}

/// A kind with its article, which what looks like a plural has not.
fn one_of(kind: &str) -> String {
    let is_vowel = |letter: char| "aeiou".contains(letter.to_ascii_lowercase());
    if kind.ends_with('s') && !kind.ends_with("ss") {
        format!(" {kind}")
    } else if kind.starts_with(is_vowel) {
        format!(" an {kind}")
    } else {
        format!(" a {kind}")
    }
}

/// The paths that there are, in a real server's words.
fn paths(resource: &Resource, version: &Version, name: &str, list: &str) -> Vec<(String, String)> {
    let capitalized = |word: &str| {
        let mut letters = word.chars();
        let first = letters.next().map(|first| first.to_ascii_uppercase());
        first.into_iter().chain(letters).collect::<String>()
    };
    let group = resource.group.strip_suffix(".k8s.io");
    let group = group.unwrap_or(&resource.group);
    let group: String = group.split(['.', '-']).map(capitalized).collect();
    let mut tag: Vec<char> = group.chars().collect();
    if let Some(first) = tag.first_mut() {
        first.make_ascii_lowercase();
    }
    let tag = format!("{}_{}", String::from_iter(tag), version.name);
    let operation = format!("{group}{}", capitalized(&version.name));
    let one = one_of(&resource.kind);
    let own = |text: &str| {
        text.replace("<group>", &resource.group)
            .replace("<version>", &version.name)
            .replace("<plural>", &resource.plural)
            .replace(" a <Kind>", &one)
            .replace("<Kind>", &resource.kind)
            .replace("<operation>", &operation)
            .replace("<tag>", &tag)
            .replace("<schema>", name)
            .replace("<list>", list)
    };
    let scope = if resource.namespaced {
        "Namespaced"
    } else {
        "Cluster"
    };
    let templates = KUBERNETES.templates.get(scope).into_iter().flatten();
    templates
        .filter(|(path, _)| match path.rsplit('/').next() {
            Some("status") => version.status,
            Some("scale") => version.scale.is_some(),
            _ => true,
        })
        .map(|(path, json)| (own(path), own(json)))
        .collect()
}

/// The three fields that every object has; they are described as those of a ConfigMap are.
fn add_metadata(properties: &mut Map<String, Value>, metadata: &str) {
    let described = KUBERNETES.schemas.get(if metadata == LIST_META {
        "io.k8s.api.core.v1.PodList"
    } else {
        "io.k8s.api.core.v1.ConfigMap"
    });
    let described: Value = described
        .and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_default();
    for name in ["apiVersion", "kind", "metadata"] {
        let mut field = described["properties"][name].clone();
        // Of a type that is referred to, a CRD's names no default.
        object::as_map(&mut field).remove("default");
        properties.insert(name.to_owned(), field);
    }
}

/// Where it is said what a whole object in a field has.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Embedded {
    InAll,
    /// Old clients would take what is said for all that there may be.
    UnlessOpen,
}

/// Adds what follows from the extensions of Kubernetes, for those who do not know them.
fn complete(schema: &mut Value, embedded: Embedded) {
    let Some(fields) = schema.as_object_mut() else {
        return;
    };
    let is = |fields: &Map<String, Value>, name: &str| fields.get(name) == Some(&Value::Bool(true));
    if is(fields, "x-kubernetes-int-or-string") && !fields.contains_key("allOf") {
        let either = json!([{"type": "integer"}, {"type": "string"}]);
        fields.entry("anyOf").or_insert(either);
    }
    for inside in ["items", "additionalProperties"] {
        if let Some(inside) = fields.get_mut(inside) {
            complete(inside, embedded);
        }
    }
    if let Some(Value::Object(properties)) = fields.get_mut("properties") {
        for property in properties.values_mut() {
            complete(property, embedded);
        }
    }
    if is(fields, EMBEDDED) && !(embedded == Embedded::UnlessOpen && is(fields, PRESERVE)) {
        embed(schema);
    }
}

/// Adds what a whole object in a field of another has.
fn embed(schema: &mut Value) {
    let mut required: Vec<Value> = match schema.get("required") {
        Some(Value::Array(required)) => required.clone(),
        _ => Vec::new(),
    };
    for name in ["kind", "apiVersion"] {
        if !required.iter().any(|known| known == name) {
            required.push(name.into());
        }
    }
    schema["required"] = required.into();
    let properties = object::field_mut(schema, "properties");
    add_metadata(properties, OBJECT_META);
    for (name, words) in [("apiVersion", API_VERSION), ("kind", KIND)] {
        properties.insert(
            name.to_owned(),
            json!({"description": words, "type": "string"}),
        );
    }
}
