//! The `binding` subresource, and the `bindings` of a namespace, by which a scheduler gives a pod to a node.

use http::{Response, StatusCode};
use serde_json::{Value, json};

use super::admission::topology;
use super::options::dry_run;
use super::target::Target;
use super::{Asked, posted, rules};
use crate::failure::Failure;
use crate::object;
use crate::serve::Body;

pub(crate) fn bind(target: &Target, name: &str, asked: &Asked) -> Result<Response<Body>, Failure> {
    let posted = target
        .beside("bindings", name)
        .ok_or_else(Failure::no_such_resource)?;
    let (binding, warnings) = posted::read(&posted, asked)?;
    let stored = rules::namespace_takes_content(target, name)
        .and_then(|()| posted::check_name(&posted, &binding))
        .and_then(|()| store(target, name, binding, asked));
    told(stored, warnings)
}

/// The same of the pod that the binding names.
pub(crate) fn bind_any(target: &Target, asked: &Asked) -> Result<Response<Body>, Failure> {
    let (binding, warnings) = posted::read(target, asked)?;
    told(store_any(target, binding, asked), warnings)
}

fn store_any(target: &Target, mut binding: Value, asked: &Asked) -> Result<(), Failure> {
    // Only who binds a pod by its path may say which one is meant.
    object::metadata_mut(&mut binding).remove("uid");
    rules::namespace_takes_content(target, object::name(&binding))?;
    check(&binding)?;
    let name = &object::name(&binding).to_owned();
    if name.is_empty() {
        return Err(Failure::no_name());
    }
    rules::check_segment(name)?;
    let pod = target
        .beside("pods", name)
        .ok_or_else(Failure::no_such_resource)?;
    store(&pod, name, binding, asked)
}

fn told(stored: Result<(), Failure>, warnings: Vec<String>) -> Result<Response<Body>, Failure> {
    match stored {
        Ok(()) => Ok(posted::done(&warnings)),
        Err(failure) => Err(failure.warned(warnings)),
    }
}

fn store(target: &Target, name: &str, mut binding: Value, asked: &Asked) -> Result<(), Failure> {
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
        check_precondition(target, &binding, &old, dry_run)?;
        let new =
            bound(&binding, &old).map_err(|why| conflict(name, &format!("pod {name} {why}")))?;
        if !dry_run {
            transaction.put(target.bucket(), key, new);
        }
        Ok(())
    })
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

/// Where a binding names a uid or a version, it is for that pod and no other of the name, in that state and no other.
fn check_precondition(
    target: &Target,
    binding: &Value,
    pod: &Value,
    dry_run: bool,
) -> Result<(), Failure> {
    for (field, called) in [("uid", "UID"), ("resourceVersion", "ResourceVersion")] {
        let found = object::meta(pod, field).unwrap_or_default();
        let Some(wanted) = object::meta(binding, field).filter(|wanted| *wanted != found) else {
            continue;
        };
        let name = object::name(pod);
        return Err(rules::other_object(
            target,
            name,
            dry_run,
            (called, wanted),
            found,
        ));
    }
    Ok(())
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
    // Where it might have gone matters no more.
    object::field_mut(&mut pod, "status").remove("nominatedNodeName");
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
