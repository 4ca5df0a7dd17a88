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

/// The condition of a budget that tells whether it has disruptions left.
const ALLOWED: &str = "DisruptionAllowed";
/// How many pods a budget counts as on their way out.
const MOST_DISRUPTED: usize = 2000;

pub(crate) fn evict(target: &Target, name: &str, asked: &Asked) -> Result<Response<Body>, Failure> {
    let kind = kinds::eviction().ok_or_else(Failure::no_such_resource)?;
    let said = body::said_version(asked).unwrap_or_default();
    let posted = target.posted_as(kind).in_version_of(&said);
    let (eviction, warnings) = posted::read(&posted, asked)?;
    let done = rules::namespace_takes_content(target, name)
        .and_then(|()| posted::check_name(&posted, &eviction))
        .and_then(|()| options(&posted, &eviction, asked))
        .and_then(|(dry_run, options)| delete(target, name, dry_run, options));
    match done {
        Ok(None) => Ok(posted::done(&warnings)),
        Ok(Some(failure)) | Err(failure) => Err(failure.warned(warnings)),
    }
}

/// How the pod is to be deleted, if it can be so.
type Options = Result<DeleteOptions, Failure>;

/// Whether it is only to be tried, and how the pod is to be deleted: nothing but the first may stand in the query.
fn options(target: &Target, eviction: &Value, asked: &Asked) -> Result<(bool, Options), Failure> {
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
    Ok((!of_body.is_empty(), DeleteOptions::from_body(&said, &query)))
}

/// Evicts a pod. What comes back is why it is not deleted after all: only then a server looks at how that is to be done.
fn delete(
    target: &Target,
    name: &str,
    dry_run: bool,
    mut options: Options,
) -> Result<Option<Failure>, Failure> {
    let put_condition = |transaction: &mut Transaction<'_>, key: &Key, pod: &Value| {
        let mut told = pod.clone();
        posted::set_condition(
            &mut told,
            json!({
                "type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI",
                "message": "Eviction API: evicting", "lastProbeTime": null,
            }),
        );
        transaction.put(target.bucket(), key.clone(), told)
    };
    target.world.transact(&target.plane, |transaction| {
        let key = target.key(name);
        let pod = transaction
            .get(target.bucket(), &key)
            .ok_or_else(|| Failure::not_found(&target.resource, name))?;
        let passed_by = match goes_anyway(&pod) {
            true => None,
            false => let_budget_decide(target, transaction, &pod, dry_run)?,
        };
        let options = match &mut options {
            Ok(options) => options,
            Err(failure) => {
                if !dry_run {
                    put_condition(transaction, &key, &pod);
                }
                return Ok(Some(failure.clone()));
            }
        };
        let says_state = options.says_state();
        if passed_by.is_some() {
            options.mean(&pod);
        }
        let refused = |failure: Failure| match &passed_by {
            // Who did not say which state is meant may try again.
            Some(budget) if !says_state && failure.code == StatusCode::CONFLICT => {
                being_processed(budget)
            }
            _ => failure,
        };
        options.check(&target.resource, &pod).map_err(refused)?;
        if !dry_run {
            options.follow(&put_condition(transaction, &key, &pod));
        }
        remove(transaction, &target.resource, key, options).map(|_| None)
    })
}

/// Of what does not run, or is on its way out, there is nothing to disrupt.
fn goes_anyway(pod: &Value) -> bool {
    let phase = pod.pointer("/status/phase").and_then(Value::as_str);
    object::is_deleting(pod) || matches!(phase, Some("Succeeded" | "Failed" | "Pending"))
}

/// Takes one disruption from the budget of a pod; fails if there is none left. What comes back is the name of the budget,
/// if it does not count the pod as it is.
fn let_budget_decide(
    target: &Target,
    transaction: &mut Transaction<'_>,
    pod: &Value,
    dry_run: bool,
) -> Result<Option<String>, Failure> {
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
        return Ok(None);
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
            return Ok(Some(object::name(budget).to_owned()));
        }
    }
    let name = object::name(budget);
    let seen = number("/status/observedGeneration");
    if seen < number("/metadata/generation") {
        return Err(being_processed(name));
    }
    let allowed = number("/status/disruptionsAllowed");
    let forbidden = |why: &str| Failure::not_allowed("policy", "poddisruptionbudget", name, why);
    if allowed < 0 {
        return Err(forbidden("pdb disruptions allowed is negative"));
    }
    let disrupted_pods = budget.pointer("/status/disruptedPods");
    if disrupted_pods
        .and_then(Value::as_object)
        .is_some_and(|pods| pods.len() > MOST_DISRUPTED)
    {
        return Err(forbidden(
            "DisruptedPods map too big - too many evictions not confirmed by PDB controller",
        ));
    }
    if allowed == 0 {
        let why = why_not(budget, current, desired);
        return Err(disrupted(
            format!("The disruption budget {name} {why}"),
            None,
        ));
    }
    if !dry_run {
        let less = less(target, budget, pod, allowed - 1);
        transaction.put(&bucket, Key::of(budget), less);
    }
    Ok(None)
}

/// Why a budget has no disruption left.
fn why_not(budget: &Value, current: i64, desired: i64) -> String {
    const NO: &str = "does not allow evicting pods currently";
    let conditions = budget
        .pointer("/status/conditions")
        .and_then(Value::as_array);
    let mut conditions = conditions.into_iter().flatten();
    let told = conditions
        .find(|condition| condition["type"] == ALLOWED)
        .filter(|condition| condition["status"] == "False");
    let text = |field: &str| {
        let text = told.and_then(|condition| condition[field].as_str());
        text.unwrap_or_default()
    };
    let (reason, message) = (text("reason"), text("message"));
    match message {
        // What is counted is of no worth then.
        message if !message.is_empty() && reason == "SyncFailed" => {
            format!("{NO} because it failed sync: {message}")
        }
        _ if current <= desired => {
            format!("needs {desired} healthy pods and has {current} currently")
        }
        "" => NO.to_owned(),
        message => format!("{NO} ({reason}): {message}"),
    }
}

/// A budget without the disruption that this pod is.
fn less(target: &Target, budget: &Value, pod: &Value, allowed: i64) -> Value {
    let mut less = budget.clone();
    let seen = budget.pointer("/status/observedGeneration").cloned();
    let status = object::field_mut(&mut less, "status");
    status.insert("disruptionsAllowed".to_owned(), allowed.into());
    let pods = status.entry("disruptedPods").or_insert_with(|| json!({}));
    object::as_map(pods).insert(object::name(pod).to_owned(), object::now().into());
    if allowed == 0 {
        posted::set_condition(
            &mut less,
            json!({
                "type": ALLOWED, "status": "False", "reason": "InsufficientPods", "message": "",
                "observedGeneration": seen,
            }),
        );
    }
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

fn being_processed(budget: &str) -> Failure {
    disrupted(
        format!("The disruption budget {budget} is still being processed by the server."),
        Some(10),
    )
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
