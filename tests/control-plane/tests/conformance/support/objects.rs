//! What more than one file talks about.

use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::Talk;

/// Held by who asks for ports of nodes by their numbers: there are few that a server gives to nobody else, and one case
/// takes all that there are.
pub(crate) static PORTS_OF_NODES: Mutex<()> = Mutex::const_new(());

pub(crate) fn map(name: &str, data: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data})
}

/// Lets an object say more, and some of it otherwise.
pub(crate) fn extend(object: &mut Value, more: &Value) {
    if let (Value::Object(fields), Value::Object(more)) = (object, more) {
        fields.extend(more.clone());
    }
}

/// The same of one that is only asked for here.
pub(crate) fn with(mut object: Value, more: Value) -> Value {
    extend(&mut object, &more);
    object
}

/// The CRD of `Thing`, in one version.
pub(crate) fn thing_crd(version: Value) -> Value {
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "things.{group}"},
        "spec": {
            "group": "{group}", "scope": "Namespaced",
            "names": {"kind": "Thing", "plural": "things", "singular": "thing", "listKind": "ThingList"},
            "versions": [version],
        },
    })
}

/// A thing of the group of a case.
pub(crate) fn thing(name: &str, spec: Value) -> Value {
    json!({"apiVersion": "{group}/v1", "kind": "Thing", "metadata": {"name": name}, "spec": spec})
}

/// Sends one spec of a thing after the other, and stores none.
pub(crate) async fn try_specs(talk: &mut Talk, specs: impl IntoIterator<Item = Value>) {
    for spec in specs {
        talk.post(
            "/apis/{group}/v1/namespaces/{ns}/things?dryRun=All",
            thing("one", spec),
        )
        .await;
    }
}
