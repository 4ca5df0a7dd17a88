//! Annotations of pods that were fields once.

use serde_json::{Value, json};

use super::checks::{list, text};
use crate::failure::Cause;
use crate::object;

/// The seccomp profile of a pod.
pub(super) const SECCOMP: &str = "seccomp.security.alpha.kubernetes.io/pod";
/// Before the name of a container: its seccomp profile.
pub(super) const SECCOMP_OF_CONTAINER: &str = "container.seccomp.security.alpha.kubernetes.io/";
/// Before the name of a container: its AppArmor profile.
pub(super) const APP_ARMOR: &str = "container.apparmor.security.beta.kubernetes.io/";
const CONTAINERS: [&str; 3] = ["initContainers", "containers", "ephemeralContainers"];

/// What is wrong with the annotations of a pod or a template, which are at `path`.
pub(super) fn check(pod: &Value, path: &str) -> Vec<Cause> {
    let annotations = pod["metadata"]["annotations"].as_object();
    let mut wrong = Vec::new();
    for (key, value) in annotations.into_iter().flatten() {
        let said = value.as_str().unwrap_or_default();
        let is_seccomp = key == SECCOMP || key.starts_with(SECCOMP_OF_CONTAINER);
        if let Some((value, why)) = no_seccomp_profile(said).filter(|_| is_seccomp) {
            wrong.push(Cause::invalid(&format!("{path}.{key}"), &value.into(), why));
        }
        let Some(container) = key.strip_prefix(APP_ARMOR) else {
            continue;
        };
        let path = format!("{path}[{key}]");
        let mut all = CONTAINERS
            .iter()
            .flat_map(|field| list(&pod["spec"], field));
        if !all.any(|known| text(known, "name") == container) {
            let why = "container not found";
            wrong.push(Cause::invalid(&path, &container.into(), why));
        }
        if !said.is_empty() && app_armor(said).is_none() {
            let why = format!("invalid AppArmor profile name: {said:?}");
            wrong.push(Cause::invalid(&path, value, &why));
        }
    }
    wrong
}

/// What an annotation says and a field does not, a field says now; what both say has to be the same.
pub(super) fn take_over(pod: &mut Value) -> Vec<Cause> {
    let annotations = pod["metadata"]["annotations"].clone();
    let of_pod = pod["spec"]["securityContext"]["appArmorProfile"]["type"].clone();
    let mut wrong = Vec::new();
    for field in CONTAINERS {
        let containers = pod["spec"].get_mut(field).and_then(Value::as_array_mut);
        for (index, container) in containers.into_iter().flatten().enumerate() {
            let key = format!("{APP_ARMOR}{}", text(container, "name"));
            let Some(profile) = annotations[&key].as_str().and_then(app_armor) else {
                continue;
            };
            let known = &container["securityContext"]["appArmorProfile"];
            let path = format!("spec.{field}[{index}].securityContext.appArmorProfile");
            if known.is_null() {
                if profile["type"] != of_pod {
                    let context = object::field_mut(container, "securityContext");
                    context.insert("appArmorProfile".to_owned(), profile);
                }
                continue;
            }
            for (field, what) in [("type", "type"), ("localhostProfile", "profile")] {
                if known[field] != profile[field] {
                    let why = format!("apparmor {what} in annotation and field must match");
                    wrong.push(Cause::forbidden(&format!("{path}.{field}"), &why));
                    break;
                }
            }
        }
    }
    wrong
}

/// What of a text is no profile of seccomp, and why.
fn no_seccomp_profile(said: &str) -> Option<(&str, &'static str)> {
    if ["runtime/default", "docker/default", "unconfined"].contains(&said) {
        return None;
    }
    let Some(file) = said.strip_prefix("localhost/") else {
        return Some((said, "must be a valid seccomp profile"));
    };
    if file.starts_with('/') {
        return Some((file, "must be a relative path"));
    }
    let goes_up = file.split('/').any(|part| part == "..");
    goes_up.then_some((file, "must not contain '..'"))
}

/// The field that means the same as an annotation.
fn app_armor(said: &str) -> Option<Value> {
    match said {
        "runtime/default" => Some(json!({"type": "RuntimeDefault"})),
        "unconfined" => Some(json!({"type": "Unconfined"})),
        _ => {
            let profile = said.strip_prefix("localhost/")?;
            Some(json!({"type": "Localhost", "localhostProfile": profile}))
        }
    }
}
