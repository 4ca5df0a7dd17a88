//! `ResourceQuota`: there is no more in a namespace than the status of its quotas says, which is counted up with what is
//! created. Counting down, and what the status begins with, are a controller's, which a kube-apiserver has not.

mod devices;
mod scopes;
mod usage;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::Request;
use super::totals::{self, Resources};
use crate::api::create::server_writer;
use crate::failure::Failure;
use crate::object;
use crate::patch;
use crate::schema::{in_billionths, plus};
use crate::store::{Key, Transaction};

/// What a pod has to say of itself where a quota counts it.
const TO_BE_SAID: [&str; 6] = [
    "cpu",
    "limits.cpu",
    "limits.memory",
    "memory",
    "requests.cpu",
    "requests.memory",
];

/// Refuses what a quota does not allow, and counts the rest unless nothing is to be written.
pub(super) fn check(
    request: &Request<'_>,
    transaction: &mut Transaction<'_>,
    object: &Value,
    dry_run: bool,
) -> Result<(), Failure> {
    let Some(namespace) = request.target.namespace.as_deref() else {
        return Ok(());
    };
    let quotas = request.all("", "resourcequotas", Some(namespace));
    if quotas.is_empty() || !usage::is_counted(request, object) {
        return Ok(());
    }
    let mut counted = Vec::new();
    for kept in &quotas {
        let quota = kept.read();
        if let Some(used) = used_after(request, quota, object)? {
            counted.push((quota, used));
        }
    }
    if !dry_run {
        for (quota, used) in counted {
            write(request, transaction, quota, used);
        }
    }
    Ok(())
}

/// What of a quota is used with the object, where that is more than before.
fn used_after(
    request: &Request<'_>,
    quota: &Value,
    object: &Value,
) -> Result<Option<Resources>, Failure> {
    let name = object::name(quota);
    let [hard, used] = ["hard", "used"].map(|field| totals::of(&quota["status"][field]));
    let concerned: BTreeSet<&str> = hard
        .keys()
        .map(String::as_str)
        .filter(|resource| usage::is_of(request.target, resource))
        .collect();
    if concerned.is_empty() || !scopes::fit(request.target, quota, object) {
        return Ok(None);
    }
    if request.target.resource.is("", "pods")
        && let Some(why) = unsaid(&concerned, &object["spec"])
    {
        return Err(request.refuse(&format!("failed quota: {name}: must specify {why}")));
    }
    if concerned
        .iter()
        .any(|resource| !used.contains_key(*resource))
    {
        let names: Vec<&str> = concerned.into_iter().collect();
        let names = names.join(",");
        return Err(request.refuse(&format!(
            "status unknown for quota: {name}, resources: {names}"
        )));
    }
    let mut more = usage::of(request.target, object);
    let old = request.old;
    if let Some(old) = old.filter(|old| scopes::fit(request.target, quota, old)) {
        less(&mut more, &usage::of(request.target, old));
    }
    more.retain(|resource, amount| in_billionths(amount) != Some(0) && hard.contains_key(resource));
    if more.is_empty() {
        return Ok(None);
    }
    let mut after = used.clone();
    totals::add(&mut after, &more);
    let is_over =
        |resource: &&String| in_billionths(&after[*resource]) > in_billionths(&hard[*resource]);
    let over: Vec<&String> = more.keys().filter(is_over).collect();
    let told = |amounts: &Resources| {
        let amounts = over
            .iter()
            .filter_map(|resource| amounts.get_key_value(*resource));
        let amounts: Vec<String> = amounts
            .map(|(name, amount)| format!("{name}={amount}"))
            .collect();
        amounts.join(",")
    };
    if !over.is_empty() {
        let (more, used, hard) = (told(&more), told(&used), told(&hard));
        return Err(request.refuse(&format!(
            "exceeded quota: {name}, requested: {more}, used: {used}, limited: {hard}"
        )));
    }
    Ok(Some(after))
}

/// Takes away what was there before, though never more than there is.
fn less(amounts: &mut Resources, before: &Resources) {
    for (resource, amount) in amounts.iter_mut() {
        if let Some(before) = before.get(resource) {
            let rest = plus(amount, &format!("-{before}"));
            let is_more = in_billionths(&rest) > Some(0);
            *amount = if is_more { rest } else { "0".to_owned() };
        }
    }
}

/// The resources that containers would have to ask for, and which containers do not. A pod that says it of itself need
/// not say it of them.
fn unsaid(concerned: &BTreeSet<&str>, spec: &Value) -> Option<String> {
    let of_pod = &spec["resources"];
    let is_said = |field: &str| {
        of_pod[field]
            .as_object()
            .is_some_and(|said| !said.is_empty())
    };
    if is_said("requests") || is_said("limits") {
        return None;
    }
    let mut missing: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for list in ["containers", "initContainers"] {
        for container in spec[list].as_array().into_iter().flatten() {
            let said = |field: &str| totals::of(&container["resources"][field]);
            let said = usage::of_compute(&said("requests"), &said("limits"));
            for resource in TO_BE_SAID.iter().filter(|name| concerned.contains(**name)) {
                if !said.contains_key(*resource) {
                    let names = missing.entry(resource).or_default();
                    names.insert(container["name"].as_str().unwrap_or_default());
                }
            }
        }
    }
    let told = missing.iter().map(|(resource, names)| {
        let names: Vec<&str> = names.iter().copied().collect();
        format!("{resource} for: {}", names.join(","))
    });
    let told: Vec<String> = told.collect();
    (!told.is_empty()).then(|| told.join("; "))
}

fn write(request: &Request<'_>, transaction: &mut Transaction<'_>, quota: &Value, used: Resources) {
    let Some(quotas) = request.target.world.registry.get("", "resourcequotas") else {
        return;
    };
    let mut new = quota.clone();
    let used: Map<String, Value> = used
        .into_iter()
        .map(|(name, amount)| (name, amount.into()))
        .collect();
    object::field_mut(&mut new, "status").insert("used".to_owned(), used.into());
    if let Some(version) = quotas.versions.first() {
        let schema = version.schema.schema();
        patch::track_update(Some(quota), &mut new, schema, &server_writer("v1"));
    }
    transaction.put(&quotas.bucket, Key::of(quota), new);
}
