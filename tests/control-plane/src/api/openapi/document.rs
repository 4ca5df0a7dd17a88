//! Documents, put together from what is recorded and what CRDs say.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::definition::Definition;
use super::recorded::KUBERNETES;
use super::{second, shared};
use crate::kinds::Resource;
use crate::plane::{Plane, World};

/// Types that name the groups in which they are.
const OF_EVERY_GROUP: [&str; 2] = ["DeleteOptions", "WatchEvent"];
const SECURITY: &str = r#""securitySchemes":{"BearerToken":{"type":"apiKey","description":"Bearer Token authentication","name":"authorization","in":"header"}}"#;

/// All documents, by name.
pub(super) fn all(world: &World, plane: &Plane) -> BTreeMap<String, String> {
    let served = Served::by(world, plane);
    let mut names: BTreeSet<String> = served.definitions.keys().cloned().collect();
    names.extend(KUBERNETES.paths.keys().map(|name| (*name).to_owned()));
    let written = names
        .into_iter()
        .filter_map(|name| Some((name.clone(), served.document(&name)?)));
    written.collect()
}

pub(super) fn named(world: &World, plane: &Plane, name: &str) -> Option<String> {
    Served::by(world, plane).document(name)
}

/// All of them as one, in the second version of OpenAPI.
pub(super) fn in_second_version(world: &World, plane: &Plane) -> Value {
    const OF_CRDS: [&str; 2] = ["application/json", "application/yaml"];
    let served = Served::by(world, plane);
    let read = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_default();
    let (mut paths, mut definitions) = (Map::new(), Map::new());
    let mut texts = Vec::new();
    for name in KUBERNETES.paths.keys() {
        for (path, text) in served.paths_of(name) {
            texts.push(text);
            paths.insert(path.to_owned(), second::path(&read(text), &["*/*"]));
        }
    }
    for name in KUBERNETES.referred(&texts) {
        let definition = match KUBERNETES.second.get(name) {
            Some(own) => read(own),
            None => second::schema(&read(KUBERNETES.schemas.get(name).unwrap_or(&""))),
        };
        definitions.insert(name.to_owned(), definition);
    }
    for (resource, version) in served.definitions.values().flatten() {
        let Some(version) = resource.version(version) else {
            continue;
        };
        let definition = Definition::second(resource, version);
        for (path, text) in definition.paths {
            paths.insert(path, second::path(&read(&text), &OF_CRDS));
        }
        for (name, schema) in definition.schemas {
            definitions.insert(name, second::schema(&schema));
        }
    }
    let parameters = shared::share(&mut paths);
    json!({
        "swagger": "2.0", "info": {"title": "Kubernetes", "version": "1.36"}, "paths": paths, "definitions": definitions,
        "parameters": parameters,
        "securityDefinitions": {"BearerToken": {
            "description": "Bearer Token authentication", "type": "apiKey", "name": "authorization", "in": "header",
        }},
        "security": [{"BearerToken": []}],
    })
}

/// What a control plane serves, by document.
struct Served {
    /// The kinds of Kubernetes: group and version, and plural.
    built_in: BTreeSet<(String, String)>,
    /// CRDs, with the version that is meant.
    definitions: BTreeMap<String, Vec<(std::sync::Arc<Resource>, String)>>,
}

impl Served {
    fn by(world: &World, plane: &Plane) -> Self {
        let mut served = Self {
            built_in: BTreeSet::new(),
            definitions: BTreeMap::new(),
        };
        for resource in world.resources(plane) {
            for version in &resource.versions {
                let prefix = if resource.group.is_empty() {
                    "api"
                } else {
                    "apis"
                };
                let document = format!("{prefix}/{}", resource.api_version(&version.name));
                if resource.is_crd() {
                    let own = (resource.clone(), version.name.clone());
                    served.definitions.entry(document).or_default().push(own);
                } else {
                    served
                        .built_in
                        .insert((document, resource.plural.to_string()));
                }
            }
        }
        served
    }

    /// The recorded paths of a document that are served.
    fn paths_of(&self, document: &str) -> Vec<(&'static str, &'static str)> {
        let group = format!("{document}/");
        let is_version = |own: &str| own == document;
        let is_served = self
            .built_in
            .iter()
            .any(|(own, _)| is_version(own) || own.starts_with(&group));
        if document.contains('/') && document.starts_with("api") && !is_served {
            return Vec::new();
        }
        let recorded = KUBERNETES.paths.get(document).into_iter().flatten();
        let served = recorded.filter(|(path, _)| {
            let rest = path
                .strip_prefix('/')
                .and_then(|path| path.strip_prefix(&group));
            rest.and_then(plural).is_none_or(|plural| {
                self.built_in
                    .contains(&(document.to_owned(), plural.to_owned()))
            })
        });
        served.copied().collect()
    }

    fn document(&self, name: &str) -> Option<String> {
        if let Some(definitions) = self.definitions.get(name) {
            return Some(of_definitions(definitions));
        }
        let paths = self.paths_of(name);
        if paths.is_empty() {
            return None;
        }
        let texts: Vec<&str> = paths.iter().map(|(_, text)| *text).collect();
        let mut schemas = Vec::new();
        for schema in KUBERNETES.referred(&texts) {
            let text = KUBERNETES.schemas.get(schema).copied().unwrap_or_default();
            let kind = schema.rsplit('.').next().unwrap_or_default();
            let of = name
                .strip_prefix("apis/")
                .and_then(|name| name.split_once('/'));
            let text = match of {
                Some((group, version))
                    if OF_EVERY_GROUP.contains(&kind) && schema.contains(".meta.v1.") =>
                {
                    let open = text.strip_suffix("]}").unwrap_or(text);
                    format!(
                        r#"{open},{{"group":"{group}","kind":"{kind}","version":"{version}"}}]}}"#
                    )
                }
                _ => text.to_owned(),
            };
            schemas.push(format!("\"{schema}\":{text}"));
        }
        let paths: Vec<String> = paths
            .iter()
            .map(|(path, text)| format!("\"{path}\":{text}"))
            .collect();
        let mut components = String::new();
        if !schemas.is_empty() {
            components = format!(r#""schemas":{{{}}},"#, schemas.join(","));
        }
        components.push_str(SECURITY);
        Some(written("Kubernetes", "1.36", &paths, &components))
    }
}

/// The plural behind a group and version in a path.
fn plural(rest: &str) -> Option<&str> {
    let rest = rest.strip_prefix("watch/").unwrap_or(rest);
    let rest = match rest.strip_prefix("namespaces/{namespace}/") {
        Some(rest) => rest,
        None => rest,
    };
    rest.split('/').next().filter(|plural| !plural.is_empty())
}

/// The document of the CRDs of a group and version.
fn of_definitions(definitions: &[(std::sync::Arc<Resource>, String)]) -> String {
    let (mut paths, mut schemas) = (BTreeMap::new(), BTreeMap::new());
    for (resource, version) in definitions {
        let Some(version) = resource.version(version) else {
            continue;
        };
        let definition = Definition::of(resource, version);
        paths.extend(definition.paths);
        schemas.extend(
            definition
                .schemas
                .map(|(name, schema)| (name, schema.to_string())),
        );
    }
    let texts: Vec<&str> = paths
        .values()
        .chain(schemas.values())
        .map(String::as_str)
        .collect();
    for name in KUBERNETES.referred(&texts) {
        let text = KUBERNETES
            .beside
            .get(name)
            .or_else(|| KUBERNETES.schemas.get(name));
        schemas.insert(
            name.to_owned(),
            text.copied().unwrap_or_default().to_owned(),
        );
    }
    let named = |all: BTreeMap<String, String>| {
        let named = all
            .into_iter()
            .map(|(name, text)| format!("{}:{text}", json!(name)));
        named.collect::<Vec<_>>()
    };
    let components = format!(r#""schemas":{{{}}}"#, named(schemas).join(","));
    written(
        "Kubernetes CRD Swagger",
        "v0.1.0",
        &named(paths),
        &components,
    )
}

fn written(title: &str, version: &str, paths: &[String], components: &str) -> String {
    let paths = paths.join(",");
    format!(
        r#"{{"openapi":"3.0.0","info":{{"title":"{title}","version":"{version}"}},"paths":{{{paths}}},"components":{{{components}}}}}"#
    )
}
