//! The `eviction` subresource, which deletes a pod if its disruption budget allows it.

use http::{Response, StatusCode};
use serde_json::{Value, json};

use super::create::server_writer;
use super::delete::remove;
use super::delete_options::{DeleteOptions, dry_runs};
use super::options::dry_run;
use super::query::Query;
use super::target::Target;
use super::{Asked, body, posted, rules, selector};
use crate::failure::{Cause, Failure};
use crate::kinds;
use crate::object;
use crate::patch;
use crate::serve::Body;
use crate::store::{Bucket, Key, Transaction};

pub(crate) fn evict(target: &Target, name: &str, asked: &Asked) -> Result<Response<Body>, Failure> {
    let kind = kinds::eviction().ok_or_else(Failure::no_such_resource)?;
    let said = body::said_version(asked).unwrap_or_default();
    let posted = target.posted_as(kind).in_version_of(&said);
    let (eviction, warnings) = posted::read(&posted, asked)?;
    let done = rules::namespace_takes_content(target, name)
        .and_then(|()| posted::check_name(&posted, &eviction))
        .and_then(|()| options(&posted, &eviction, asked))
        .and_then(|options| delete(target, name, options));
    match done {
        Ok(()) => Ok(posted::done(&warnings)),
        Err(failure) => Err(failure.warned(warnings)),
    }
}

/// How the pod is to be deleted: nothing but whether it is to be done at all may stand in the query.
fn options(target: &Target, eviction: &Value, asked: &Asked) -> Result<DeleteOptions, Failure> {
    const UNSAFE: &str = "ignoreStoreReadErrorWithClusterBreakingPotential";
    let said = eviction.get("deleteOptions").cloned();
    let said = said.unwrap_or_else(|| json!({}));
    if said[UNSAFE] == true {
        let why = "can not be set for pod eviction, try after removing the option";
        let cause = Cause::invalid(&format!("deleteOptions.{UNSAFE}"), &true.into(), why);
        let name = object::name(eviction);
        return Err(Failure::invalid_object(&target.resource, name, vec![cause]));
    }
    let mut query = Query::default();
    if dry_run(&asked.query, "CreateOptions")? {
        query.set("dryRun", "All");
    }
    let (of_query, of_body) = (asked.query.all("dryRun"), dry_runs(&said, &query));
    if !of_query.is_empty() && of_body != of_query {
        let [of_query, of_body] = [of_query, of_body].map(|said| said.join(" "));
        let why = format!(
            "Non-matching dry-run options in request and content: [{of_query}] and [{of_body}]"
        );
        return Err(Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "", why));
    }
    DeleteOptions::from_body(&said, &query)
}

fn delete(target: &Target, name: &str, mut options: DeleteOptions) -> Result<(), Failure> {
    let dry_run = options.dry_run;
    target.world.transact(&target.plane, |transaction| {
        let key = target.key(name);
        let pod = transaction
            .get(target.bucket(), &key)
            .ok_or_else(|| Failure::not_found(&target.resource, name))?;
        if !goes_anyway(&pod) {
            let_budget_decide(target, transaction, &pod, dry_run)?;
        }
        options.check(&target.resource, &pod)?;
        if !dry_run {
            let mut told = pod.clone();
            posted::set_condition(
                &mut told,
                json!({
                    "type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI",
                    "message": "Eviction API: evicting", "lastProbeTime": null,
                }),
            );
            let told = transaction.put(target.bucket(), key.clone(), told);
            options.follow(&told);
        }
        remove(transaction, &target.resource, key, &options).map(drop)
    })
}

/// Of what does not run, or is on its way out, there is nothing to disrupt.
fn goes_anyway(pod: &Value) -> bool {
    let phase = pod.pointer("/status/phase").and_then(Value::as_str);
    object::is_deleting(pod) || matches!(phase, Some("Succeeded" | "Failed" | "Pending"))
}

/// Takes one disruption from the budget of a pod; fails if there is none left.
fn let_budget_decide(
    target: &Target,
    transaction: &mut Transaction<'_>,
    pod: &Value,
    dry_run: bool,
) -> Result<(), Failure> {
    let bucket = Bucket {
        group: "policy".into(),
        plural: "poddisruptionbudgets".into(),
    };
    let budgets = transaction.all(&bucket);
    let mut budgets = budgets.iter().filter(|budget| {
        object::namespace(budget) == object::namespace(pod)
            && selector::selects(budget.pointer("/spec/selector"), pod)
    });
    let Some(budget) = budgets.next() else {
        return Ok(());
    };
    if budgets.next().is_some() {
        return Err(Failure::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "",
            "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.",
        ));
    }
    let number = |pointer: &str| budget.pointer(pointer).and_then(Value::as_i64).unwrap_or(0);
    let (current, desired) = (
        number("/status/currentHealthy"),
        number("/status/desiredHealthy"),
    );
    if !is_ready(pod) {
        let policy = budget.pointer("/spec/unhealthyPodEvictionPolicy");
        let always = policy.and_then(Value::as_str) == Some("AlwaysAllow");
        if always || (desired > 0 && current >= desired) {
            return Ok(());
        }
    }
    let name = object::name(budget);
    let seen = number("/status/observedGeneration");
    if seen < number("/metadata/generation") {
        return Err(disrupted(
            format!("The disruption budget {name} is still being processed by the server."),
            Some(10),
        ));
    }
    let allowed = number("/status/disruptionsAllowed");
    if allowed <= 0 {
        let why = if current < desired {
            format!("needs {desired} healthy pods and has {current} currently")
        } else {
            "does not allow evicting pods currently".to_owned()
        };
        return Err(disrupted(
            format!("The disruption budget {name} {why}"),
            None,
        ));
    }
    if !dry_run {
        let less = less(target, budget, pod, allowed - 1);
        transaction.put(&bucket, Key::of(budget), less);
    }
    Ok(())
}

/// A budget without the disruption that this pod is.
fn less(target: &Target, budget: &Value, pod: &Value, allowed: i64) -> Value {
    let mut less = budget.clone();
    let generation = budget.pointer("/metadata/generation").cloned();
    let status = object::field_mut(&mut less, "status");
    status.insert("disruptionsAllowed".to_owned(), allowed.into());
    let pods = status.entry("disruptedPods").or_insert_with(|| json!({}));
    object::as_map(pods).insert(object::name(pod).to_owned(), object::now().into());
    let (enough, reason) = match allowed {
        0 => ("False", "InsufficientPods"),
        _ => ("True", "SufficientPods"),
    };
    posted::set_condition(
        &mut less,
        json!({
            "type": "DisruptionAllowed", "status": enough, "reason": reason, "message": "",
            "observedGeneration": generation,
        }),
    );
    let budgets = target.world.registry.get("policy", "poddisruptionbudgets");
    if let Some(version) = budgets
        .as_ref()
        .and_then(|budgets| budgets.versions.first())
    {
        let writer = server_writer("policy/v1");
        patch::track_update(Some(budget), &mut less, version.schema.schema(), &writer);
    }
    less
}

fn is_ready(pod: &Value) -> bool {
    let conditions = pod.pointer("/status/conditions").and_then(Value::as_array);
    conditions
        .into_iter()
        .flatten()
        .any(|condition| condition["type"] == "Ready" && condition["status"] == "True")
}

fn disrupted(why: String, retry_after: Option<u32>) -> Failure {
    let failure = Failure::new(
        StatusCode::TOO_MANY_REQUESTS,
        "TooManyRequests",
        "Cannot evict pod as it would violate the pod's disruption budget.",
    )
    .with_causes(vec![Cause::new("DisruptionBudget", "", why)]);
    match retry_after {
        Some(seconds) => failure.retry_after(seconds),
        None => failure,
    }
}
