//! Parameters of the second version of OpenAPI that are in one place, and referred to where they are taken.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;
use serde_json::{Map, Value, json};

/// The fields of a parameter, in the order of the Go type whose JSON names it.
const FIELDS: [&str; 7] = [
    "uniqueItems",
    "type",
    "description",
    "name",
    "in",
    "required",
    "schema",
];
/// By these kubectl sees what a server can do.
const TELLING: [&str; 2] = ["fieldValidation", "dryRun"];
const GENERIC: &str = "#/definitions/io.k8s.apimachinery";

/// Puts a reference in the place of each parameter that is not of one kind alone, and returns the parameters.
pub(super) fn share(paths: &mut Map<String, Value>) -> Map<String, Value> {
    let mut shared = Map::new();
    for path in paths.values_mut().filter_map(Value::as_object_mut) {
        for (name, part) in path.iter_mut() {
            let list = match name.as_str() {
                "parameters" => Some(part),
                _ => part.get_mut("parameters"),
            };
            let list = list.and_then(Value::as_array_mut).into_iter().flatten();
            for parameter in list.filter(|parameter| is_generic(parameter)) {
                let name = name_of(parameter);
                let reference = json!({"$ref": format!("#/parameters/{name}")});
                shared.insert(name, std::mem::replace(parameter, reference));
            }
        }
    }
    shared
}

fn is_generic(parameter: &Value) -> bool {
    let name = parameter["name"].as_str().unwrap_or_default();
    match parameter["in"].as_str() {
        Some("body") => {
            let reference = parameter["schema"]["$ref"].as_str();
            name != "body" || reference.is_some_and(|reference| reference.starts_with(GENERIC))
        }
        Some("query") => name != "name" && !TELLING.contains(&name),
        _ => name != "name",
    }
}

/// Its name, and a sign of what it says.
fn name_of(parameter: &Value) -> String {
    let fields = FIELDS.iter().filter_map(|name| {
        let value = parameter.get(*name)?;
        Some(format!("{}:{value}", json!(name)))
    });
    let written = format!("{{{}}}", fields.collect::<Vec<_>>().join(","));
    let sign = fnv(written.as_bytes()).to_be_bytes();
    let name = parameter["name"].as_str().unwrap_or_default();
    format!("{name}-{}", URL_SAFE.encode(&sign[..6]))
}

/// The hash of Fowler, Noll and Vo, the first of its kind.
fn fnv(bytes: &[u8]) -> u64 {
    let step = |hash: u64, byte: &u8| hash.wrapping_mul(0x0100_0000_01b3) ^ u64::from(*byte);
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, step)
}
