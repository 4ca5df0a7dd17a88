//! AppArmor profiles of containers: in fields, and in the annotations that they were in once.

use serde_json::{Value, json};

use super::checks::{one_of, text};
use crate::failure::Cause;
use crate::object;

/// Before the name of a container: its profile.
pub(super) const ANNOTATION: &str = "container.apparmor.security.beta.kubernetes.io/";
const CONTAINERS: [&str; 3] = ["initContainers", "containers", "ephemeralContainers"];
const TYPES: [&str; 3] = ["Localhost", "RuntimeDefault", "Unconfined"];
const LONGEST: usize = 4095;

/// What is wrong with a field.
pub(super) fn check(profile: &Value, path: &str) -> Vec<Cause> {
    if profile.is_null() {
        return Vec::new();
    }
    let field = format!("{path}.localhostProfile");
    let file = profile["localhostProfile"].as_str();
    let missing = || Cause::required(&field, "must be set when AppArmor type is Localhost");
    match (text(profile, "type"), file) {
        ("", _) => {
            let why = "type is required when appArmorProfile is set";
            vec![Cause::required(&format!("{path}.type"), why)]
        }
        ("Localhost", None) => vec![missing()],
        ("Localhost", Some(file)) => {
            let mut wrong = Vec::new();
            if file.trim() != file {
                let why = "must not be padded with whitespace";
                wrong.push(Cause::invalid(&field, &file.into(), why));
            } else if file.is_empty() {
                wrong.push(missing());
            }
            if file.len() > LONGEST {
                wrong.push(Cause::too_long(&field, LONGEST));
            }
            wrong
        }
        ("RuntimeDefault" | "Unconfined", Some(file)) => {
            let why = "can only be set when AppArmor type is Localhost";
            vec![Cause::invalid(&field, &file.into(), why)]
        }
        (kind, _) => one_of(kind, &format!("{path}.type"), &TYPES)
            .into_iter()
            .collect(),
    }
}

/// What an annotation says and a field does not, a field says from now on.
pub(super) fn take_over(pod: &mut Value) {
    let of_pod = of(&pod["spec"]);
    let annotations = pod["metadata"]["annotations"].clone();
    if is_of_windows(pod) {
        return;
    }
    for field in CONTAINERS {
        let containers = pod["spec"].get_mut(field).and_then(Value::as_array_mut);
        for container in containers.into_iter().flatten() {
            let said = annotated(&annotations, container);
            let Some(said) = said.filter(|_| of(container).is_null()) else {
                continue;
            };
            if let Some(profile) = field_for(said).filter(|profile| *profile != of_pod) {
                let context = object::field_mut(container, "securityContext");
                context.insert("appArmorProfile".to_owned(), profile);
            }
        }
    }
}

/// What both say has to be the same.
pub(super) fn check_annotations(pod: &Value) -> Vec<Cause> {
    if is_of_windows(pod) {
        return Vec::new();
    }
    let of_pod = of(&pod["spec"]);
    let differing = containers(pod).filter_map(|(path, container)| {
        let said = annotated(&pod["metadata"]["annotations"], container)?;
        let own = of(container);
        let profile = if own.is_null() { &of_pod } else { &own };
        let (part, what) = differing(said, profile)?;
        let path = format!("spec.{path}.securityContext.appArmorProfile.{part}");
        let why = format!("apparmor {what} in annotation and field must match");
        Some(Cause::forbidden(&path, &why))
    });
    differing.collect()
}

/// What is told of annotations that fields are to say, before those say it.
pub(super) fn advice(pod: &Value) -> Vec<String> {
    if is_of_windows(pod) {
        return Vec::new();
    }
    let of_pod = of(&pod["spec"]);
    let told = containers(pod).filter_map(|(_, container)| {
        let said = annotated(&pod["metadata"]["annotations"], container)?;
        let is_said_already = field_for(said).is_some_and(|profile| profile == of_pod);
        let name = text(container, "name");
        (of(container).is_null() && !is_said_already)
            .then(|| deprecated(&format!("metadata.annotations[{ANNOTATION}{name}]")))
    });
    told.collect()
}

pub(super) fn deprecated(path: &str) -> String {
    format!("{path}: deprecated since v1.30; use the \"appArmorProfile\" field instead")
}

/// The field that means the same as an annotation.
pub(super) fn meant(said: &str) -> Option<Value> {
    match said {
        "runtime/default" => Some(json!({"type": "RuntimeDefault"})),
        "unconfined" => Some(json!({"type": "Unconfined"})),
        _ => {
            let file = said.strip_prefix("localhost/")?;
            Some(json!({"type": "Localhost", "localhostProfile": file}))
        }
    }
}

/// The same if it can be one.
fn field_for(said: &str) -> Option<Value> {
    meant(said).filter(|profile| check(profile, "").is_empty())
}

fn is_of_windows(pod: &Value) -> bool {
    pod["spec"]["os"]["name"] == "windows"
}

/// The field of a pod or of a container.
fn of(spec: &Value) -> Value {
    spec["securityContext"]["appArmorProfile"].clone()
}

fn annotated<'a>(annotations: &'a Value, container: &Value) -> Option<&'a str> {
    annotations[format!("{ANNOTATION}{}", text(container, "name"))].as_str()
}

fn containers(pod: &Value) -> impl Iterator<Item = (String, &Value)> {
    CONTAINERS.into_iter().flat_map(|field| {
        let containers = pod["spec"][field].as_array().into_iter().flatten();
        let containers = containers.enumerate();
        containers.map(move |(index, container)| (format!("{field}[{index}]"), container))
    })
}

/// Which field of a profile says something else than an annotation, and how that is called.
fn differing(said: &str, profile: &Value) -> Option<(&'static str, &'static str)> {
    let file = said.strip_prefix("localhost/");
    let is_of_type = match text(profile, "type") {
        "Unconfined" => said == "unconfined",
        "RuntimeDefault" => said == "runtime/default",
        "Localhost" => file.is_some(),
        _ => return None,
    };
    match file.filter(|_| is_of_type) {
        Some(file) if profile["localhostProfile"] != file => Some(("localhostProfile", "profile")),
        _ => (!is_of_type).then_some(("type", "type")),
    }
}
