//! The rules of Ingresses.

use serde_json::Value;

use crate::failure::Cause;

pub(super) fn check_ingress(ingress: &Value) -> Vec<Cause> {
    let spec = &ingress["spec"];
    let rules = spec.get("rules").and_then(Value::as_array);
    if rules.is_none_or(Vec::is_empty) && spec.get("defaultBackend").is_none() {
        return vec![Cause::invalid(
            "spec",
            &Value::Null,
            "either `defaultBackend` or `rules` must be specified",
        )];
    }
    let mut wrong = Vec::new();
    for (rule, value) in rules.into_iter().flatten().enumerate() {
        let paths = value.pointer("/http/paths").and_then(Value::as_array);
        for (path, value) in paths.into_iter().flatten().enumerate() {
            if value.get("pathType").is_none_or(Value::is_null) {
                let field = format!("spec.rules[{rule}].http.paths[{path}].pathType");
                wrong.push(Cause::required(&field, "pathType must be specified"));
            }
        }
    }
    wrong
}
