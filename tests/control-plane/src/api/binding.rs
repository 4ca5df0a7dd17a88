//! The `binding` subresource, and the `bindings` of a namespace, by which a scheduler gives a pod to a node.

use http::{Response, StatusCode};
use serde_json::{Value, json};

use super::admission::topology;
use super::options::dry_run;
use super::target::Target;
use super::{Asked, posted};
use crate::failure::Failure;
use crate::object;
use crate::serve::Body;

pub(crate) fn bind(target: &Target, name: &str, asked: &Asked) -> Result<Response<Body>, Failure> {
    let binding = posted::read(target, asked, &posted::BINDING)?;
    store(target, name, binding, asked)
}

/// The same of the pod that the binding names.
pub(crate) fn bind_any(target: &Target, asked: &Asked) -> Result<Response<Body>, Failure> {
    let binding = posted::read_any(asked, &posted::BINDING)?;
    check(&binding)?;
    let name = &object::name(&binding).to_owned();
    if name.is_empty() {
        return Err(Failure::bad_request("Name parameter required."));
    }
    let pod = target
        .beside("pods", name)
        .ok_or_else(Failure::no_such_resource)?;
    store(&pod, name, binding, asked)
}

fn store(
    target: &Target,
    name: &str,
    mut binding: Value,
    asked: &Asked,
) -> Result<Response<Body>, Failure> {
    let dry_run = dry_run(&asked.query, "CreateOptions")?;
    check(&binding)?;
    if binding["target"]["kind"] == "Node" {
        let node = binding["target"]["name"].as_str().map(str::to_owned);
        topology::label(&target.plane, node.as_deref(), &mut binding);
    }
    target.world.transact(&target.plane, |transaction| {
        let key = target.key(name);
        let old = transaction
            .get(target.bucket(), &key)
            .ok_or_else(|| Failure::not_found(&target.resource, name))?;
        check_precondition(target, &binding, &old)?;
        let new =
            bound(&binding, &old).map_err(|why| conflict(name, &format!("pod {name} {why}")))?;
        if !dry_run {
            transaction.put(target.bucket(), key, new);
        }
        Ok::<(), Failure>(())
    })?;
    Ok(posted::done())
}

/// A binding that is wrong is the fault of a scheduler, not of a user: 500, as a real server answers.
fn check(binding: &Value) -> Result<(), Failure> {
    let target = |field: &str| {
        let value = binding.get("target").and_then(|target| target.get(field));
        value.and_then(Value::as_str).unwrap_or_default()
    };
    let refuse = |why: String| Err(Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "", why));
    match target("kind") {
        "" | "Node" => {}
        kind => {
            return refuse(format!(
                "target.kind: Unsupported value: {kind:?}: supported values: \"Node\", \"<empty>\""
            ));
        }
    }
    if target("name").is_empty() {
        return refuse("target.name: Required value".into());
    }
    Ok(())
}

/// Where a binding names a uid, it is for that pod and no other of the name.
fn check_precondition(target: &Target, binding: &Value, pod: &Value) -> Result<(), Failure> {
    match object::meta(binding, "uid") {
        Some(wanted) if wanted != object::uid(pod) => {
            let (namespace, name) = (object::namespace(pod), object::name(pod));
            let why = format!(
                "StorageError: invalid object, Code: 4, Key: /registry/pods/{namespace}/{name}, ResourceVersion: 0, \
                 AdditionalErrorMsg: Precondition failed: UID in precondition: {wanted}, UID in object meta: {}",
                object::uid(pod)
            );
            Err(Failure::conflict(&target.resource, name, &why))
        }
        _ => Ok(()),
    }
}

/// A pod on its node, or why it does not go there.
fn bound(binding: &Value, pod: &Value) -> Result<Value, String> {
    if object::is_deleting(pod) {
        return Err("is being deleted, cannot be assigned to a host".into());
    }
    let spec = |field: &str| pod.get("spec").and_then(|spec| spec.get(field));
    if let Some(node) = spec("nodeName")
        .and_then(Value::as_str)
        .filter(|node| !node.is_empty())
    {
        return Err(format!("is already assigned to node {node:?}"));
    }
    let gates = spec("schedulingGates").and_then(Value::as_array);
    if gates.is_some_and(|gates| !gates.is_empty()) {
        return Err("has non-empty .spec.schedulingGates".into());
    }
    let mut pod = pod.clone();
    let node = binding.pointer("/target/name").cloned().unwrap_or_default();
    object::field_mut(&mut pod, "spec").insert("nodeName".to_owned(), node);
    for field in ["annotations", "labels"] {
        let said = binding.pointer(&format!("/metadata/{field}"));
        if let Some(Value::Object(said)) = said.filter(|said| said != &&json!({})) {
            let known = object::metadata_mut(&mut pod)
                .entry(field)
                .or_insert_with(|| json!({}));
            object::as_map(known).extend(said.clone());
        }
    }
    posted::set_condition(
        &mut pod,
        json!({"type": "PodScheduled", "status": "True", "lastProbeTime": null}),
    );
    Ok(pod)
}

/// A conflict of a subresource names that, too.
fn conflict(name: &str, why: &str) -> Failure {
    let message = format!("Operation cannot be fulfilled on pods/binding \"{name}\": {why}");
    Failure::new(StatusCode::CONFLICT, "Conflict", message)
        .with_details(json!({"name": name, "kind": "pods/binding"}))
}
