//! Which objects a quota counts, where it does not count all.

use std::collections::HashMap;

use serde_json::Value;

use super::checks::{list, text};
use super::fixed::invalid_struct;
use super::resources;
use crate::failure::{Cause, Causes};

const KNOWN: [&str; 7] = [
    "Terminating",
    "NotTerminating",
    "BestEffort",
    "NotBestEffort",
    "PriorityClass",
    "CrossNamespacePodAffinity",
    "VolumeAttributesClass",
];
const OPPOSITES: [[&str; 2]; 2] = [
    ["BestEffort", "NotBestEffort"],
    ["Terminating", "NotTerminating"],
];
const OF_PODS: [&str; 7] = [
    "pods",
    "cpu",
    "memory",
    "limits.cpu",
    "limits.memory",
    "requests.cpu",
    "requests.memory",
];
const OF_CLAIMS: [&str; 2] = ["persistentvolumeclaims", "requests.storage"];
const UNKNOWN: &str = "unsupported scope";
const UNFIT: &str = "unsupported scope applied to resource";
const OPPOSITE: &str = "conflicting scopes";

pub(super) fn check(spec: &Value) -> Vec<Cause> {
    const PATH: &str = "spec.scopes";
    let mut wrong = Causes::default();
    let mut refuse = |why: &str| wrong.add(|| Cause::invalid(PATH, &spec["scopes"], why));
    let scopes: Vec<&str> = list(spec, "scopes")
        .iter()
        .filter_map(Value::as_str)
        .collect();
    let mut unfit = Unfit::of(spec);
    for scope in &scopes {
        if !KNOWN.contains(scope) {
            refuse(UNKNOWN);
        }
        (0..unfit.count(scope)).for_each(|_| refuse(UNFIT));
    }
    (0..opposites(&scopes)).for_each(|_| refuse(OPPOSITE));
    check_selector(spec, &mut unfit, &mut wrong);
    wrong.made()
}

fn check_selector<'s>(spec: &'s Value, unfit: &mut Unfit<'s>, wrong: &mut Causes) {
    const PATH: &str = "spec.scopeSelector.matchExpressions";
    const ONLY_THERE: &str = "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, \
        ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or \
        ResourceQuotaScopeCrossNamespacePodAffinity";
    let at = |field: &str| format!("{PATH}.{field}");
    let expressions = list(&spec["scopeSelector"], "matchExpressions");
    for expression in expressions {
        let (scope, operator) = (text(expression, "scopeName"), text(expression, "operator"));
        if !KNOWN.contains(&scope) {
            wrong.add(|| Cause::invalid(&at("scopeName"), &scope.into(), UNKNOWN));
        }
        for _ in 0..unfit.count(scope) {
            wrong.add(|| invalid_struct(PATH, "core.ScopeSelector", &spec["scopeSelector"], UNFIT));
        }
        let has_values = ["PriorityClass", "VolumeAttributesClass"].contains(&scope);
        if KNOWN.contains(&scope) && !has_values && operator != "Exists" {
            wrong.add(|| Cause::invalid(&at("operator"), &operator.into(), ONLY_THERE));
        }
        let values = list(expression, "values");
        match operator {
            "In" | "NotIn" if values.is_empty() => {
                let why = "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector";
                wrong.add(|| Cause::required(&at("values"), why));
            }
            "Exists" | "DoesNotExist" if !values.is_empty() => {
                let why = "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector";
                wrong.add(|| Cause::invalid(&at("values"), &expression["values"], why));
            }
            "In" | "NotIn" | "Exists" | "DoesNotExist" => {}
            other => {
                let why = "not a valid selector operator";
                wrong.add(|| Cause::invalid(&at("operator"), &other.into(), why));
            }
        }
    }
    let scopes: Vec<&str> = expressions
        .iter()
        .map(|expression| text(expression, "scopeName"))
        .collect();
    // What is shown is the other list of scopes.
    let shown = &spec["scopes"];
    for _ in 0..opposites(&scopes) {
        wrong.add(|| Cause::invalid(PATH, shown, OPPOSITE));
    }
}

/// How many of the resources of a quota are of no object in a scope.
struct Unfit<'s> {
    spec: &'s Value,
    counted: HashMap<&'s str, usize>,
}

impl<'s> Unfit<'s> {
    fn of(spec: &'s Value) -> Self {
        let counted = HashMap::new();
        Self { spec, counted }
    }

    fn count(&mut self, scope: &'s str) -> usize {
        let fits = |resource: &str| match scope {
            "BestEffort" => resource == "pods",
            "VolumeAttributesClass" => OF_CLAIMS.contains(&resource),
            scope if KNOWN.contains(&scope) => OF_PODS.contains(&resource),
            _ => true,
        };
        let count = || {
            let resources = self.spec["hard"].as_object().into_iter().flatten();
            resources
                .filter(|(name, _)| resources::is_of_quotas(name) && !fits(name))
                .count()
        };
        match KNOWN.contains(&scope) {
            true => *self.counted.entry(scope).or_insert_with(count),
            false => 0,
        }
    }
}

fn opposites(scopes: &[&str]) -> usize {
    let both = |pair: &&[&str; 2]| pair.iter().all(|scope| scopes.contains(scope));
    OPPOSITES.iter().filter(both).count()
}
