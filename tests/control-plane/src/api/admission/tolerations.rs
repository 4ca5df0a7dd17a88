//! `DefaultTolerationSeconds`: every pod stays for a while on a node that is lost, unless it says otherwise.

use serde_json::{Value, json};

use crate::object;

pub(super) fn change(pod: &mut Value) {
    let spec = object::field_mut(pod, "spec");
    let tolerations = spec.entry("tolerations").or_insert_with(|| json!([]));
    if let Some(tolerations) = tolerations.as_array_mut() {
        for key in [
            "node.kubernetes.io/not-ready",
            "node.kubernetes.io/unreachable",
        ] {
            let tolerated = tolerations.iter().any(|toleration| {
                let of = |field: &str| toleration[field].as_str().unwrap_or_default();
                (of("key") == key || of("key").is_empty())
                    && ["NoExecute", ""].contains(&of("effect"))
            });
            if !tolerated {
                tolerations.push(json!({
                    "key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300,
                }));
            }
        }
    }
}
