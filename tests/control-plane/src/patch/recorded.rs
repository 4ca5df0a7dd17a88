//! The same writes as they were sent to a Kubernetes 1.36.3 (`recorded.json`), and the same answers.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::*;
use crate::schema::{Empties, Schema, builtin, decode_metadata};

/// What the server decides, and these functions know nothing of.
const SERVERS: [&str; 4] = ["uid", "resourceVersion", "creationTimestamp", "generation"];

#[test]
fn the_writes_of_a_real_server_have_the_same_answers() {
    let steps: Vec<Value> = serde_json::from_str(include_str!("recorded.json")).unwrap();
    let crd: Value = serde_json::from_str(include_str!("widget.json")).unwrap();
    let widget = Schema::from_crd_version(&crd["spec"]["versions"][0]).unwrap();
    let mut objects: BTreeMap<String, Value> = BTreeMap::new();
    let mut wrong = Vec::new();
    for (number, step) in steps.iter().enumerate() {
        let text = |name: &str| step[name].as_str().unwrap_or_default();
        let key = format!("{} {}", text("kind"), text("name"));
        let what = format!(
            "step {number}: {} {key} by {}",
            text("how"),
            text("manager")
        );
        let got = play(step, objects.get(&key), &widget);
        match step.get("answer") {
            Some(answer) => {
                let got = got.map(|object| with_servers_part(object, answer));
                if got.as_ref() != Ok(answer) {
                    wrong.push(format!(
                        "{what}\n   want {answer}\n   got  {}",
                        got.unwrap_or_else(|e| e.into())
                    ));
                }
                objects.insert(key, answer.clone());
            }
            None => match got {
                Err(message) if lines(&message) == lines(text("message")) => {}
                other => wrong.push(format!(
                    "{what}\n   want {}\n   got  {other:?}",
                    text("message")
                )),
            },
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The lines of a message in one order: the server's is that of a Go map.
fn lines(message: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = message.lines().collect();
    lines.sort_unstable();
    lines
}

/// One write, with as much of a server around it as tracking needs.
fn play(step: &Value, live: Option<&Value>, widget: &Schema) -> Result<Value, String> {
    let text = |name: &str| step[name].as_str().unwrap_or_default();
    let (group, version) = match text("kind") {
        "Lease" => ("coordination.k8s.io", "v1"),
        "EndpointSlice" => ("discovery.k8s.io", "v1"),
        "Role" => ("rbac.authorization.k8s.io", "v1"),
        "Widget" => ("test.dev", "v1"),
        _ => ("", "v1"),
    };
    let api_version = format!("{group}/{version}");
    let custom_resource = text("kind") == "Widget";
    let schema = match custom_resource {
        true => widget,
        false => builtin(group, version, text("kind")).unwrap(),
    };
    let writer = Writer {
        manager: text("manager"),
        subresource: step["sub"].as_str(),
        now: text("now").parse().unwrap(),
        api_version: api_version.trim_start_matches('/'),
        status_is_subresource: matches!(text("kind"), "Widget" | "Service" | "Namespace"),
        custom_resource,
        kept_by_status: &[],
        not_owned: &[],
        versions: Versions::Alike,
    };
    let body = &step["body"];
    let failed = |error: PatchError| error.to_string();
    let mut new = match text("how") {
        "create" | "update" => body.clone(),
        "merge" => merge_patch(live.unwrap(), body),
        "json" => json_patch(live.unwrap(), body.to_string().as_bytes()).map_err(failed)?,
        "strategic" => strategic_merge_patch(live.unwrap(), body, schema).map_err(failed)?,
        _ => {
            let force = step["force"] == json!(true);
            server_side_apply(live, body, schema, &writer, force)
                .map_err(|error| error.to_string())?
        }
    };
    schema.prune(&mut new);
    if !schema.apply_defaults(&mut new) {
        return Err("defaults without end".to_owned());
    }
    if custom_resource {
        decode_metadata(&mut new)?;
    } else {
        schema.decode(text("apiVersion"), text("kind"), &mut new)?;
        Empties::take(schema, &mut new);
        fill(&mut new, text("kind"), text("name"));
    }
    if text("how") != "apply" {
        track_update(live, &mut new, schema, &writer);
    }
    finish(&mut new, live, &writer);
    Ok(new)
}

/// The defaults of the built-in kinds that are met here.
fn fill(object: &mut Value, kind: &str, name: &str) {
    let default = |object: &mut Value, pointer: &str, value: Value| {
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        let parent = object.pointer_mut(parent).unwrap();
        if parent.get(name).is_none() {
            parent[name] = value;
        }
    };
    match kind {
        "Secret" => {
            default(object, "/type", json!("Opaque"));
            let plain = object
                .as_object_mut()
                .unwrap()
                .remove("stringData")
                .unwrap_or_else(|| json!({}));
            for (name, text) in plain.as_object().unwrap() {
                object["data"][name] = json!(STANDARD.encode(text.as_str().unwrap()));
            }
        }
        "Service" => {
            for (name, value) in [
                ("type", "ClusterIP"),
                ("sessionAffinity", "None"),
                ("internalTrafficPolicy", "Cluster"),
            ] {
                default(object, &format!("/spec/{name}"), json!(value));
            }
            for port in object["spec"]["ports"].as_array_mut().unwrap() {
                let number = port["port"].clone();
                default(port, "/targetPort", number);
            }
        }
        "Namespace" => {
            default(object, "/metadata/labels", json!({}));
            object["metadata"]["labels"]["kubernetes.io/metadata.name"] = json!(name);
        }
        _ => {}
    }
}

/// What the endpoint leaves as it was.
fn finish(object: &mut Value, live: Option<&Value>, writer: &Writer<'_>) {
    if writer.subresource == Some("status") {
        let mut kept = live.unwrap().clone();
        match object.get("status").filter(|status| !status.is_null()) {
            Some(status) => kept["status"] = status.clone(),
            None => {
                kept.as_object_mut().unwrap().remove("status");
            }
        }
        if writer.custom_resource {
            kept["metadata"]["managedFields"] = object["metadata"]["managedFields"].clone();
        } else {
            kept["metadata"] = object["metadata"].clone();
        }
        *object = kept;
    } else if writer.status_is_subresource {
        let root = object.as_object_mut().unwrap();
        match live.and_then(|live| live.get("status")) {
            Some(old) => root.insert("status".into(), old.clone()),
            None => root.remove("status"),
        };
    }
}

fn with_servers_part(mut object: Value, answer: &Value) -> Value {
    // What the server allocates, and sets on its own when it creates.
    for pointer in [
        "/spec/clusterIP",
        "/spec/clusterIPs",
        "/spec/ipFamilies",
        "/spec/ipFamilyPolicy",
    ] {
        if let Some(value) = answer.pointer(pointer) {
            object["spec"][pointer.trim_start_matches("/spec/")] = value.clone();
        }
    }
    let created = answer["metadata"]["managedFields"]
        .as_array()
        .is_some_and(|entries| entries.len() == 1);
    if created && matches!(answer["kind"].as_str(), Some("Service" | "Namespace")) {
        object["status"] = answer["status"].clone();
        object["spec"] = answer["spec"].clone();
    }
    for name in SERVERS {
        match answer["metadata"].get(name) {
            Some(value) => object["metadata"][name] = value.clone(),
            None => {
                object["metadata"].as_object_mut().unwrap().remove(name);
            }
        }
    }
    if answer["metadata"].get("namespace").is_some() {
        object["metadata"]["namespace"] = answer["metadata"]["namespace"].clone();
    }
    if object["metadata"]["managedFields"].is_null() {
        object["metadata"]
            .as_object_mut()
            .unwrap()
            .remove("managedFields");
    }
    object
}
