//! What admission policies and their bindings must say. Their expressions are not looked into.

use std::collections::HashSet;

use serde_json::Value;

use super::checks::{self, list, one_of, one_of_if_said, text, too_many};
use super::{names, webhook_rules};
use crate::failure::Cause;
use crate::object;

const FAILURE_POLICIES: [&str; 2] = ["Fail", "Ignore"];
const MATCH_POLICIES: [&str; 2] = ["Equivalent", "Exact"];
const REASONS: [&str; 3] = ["Forbidden", "Invalid", "RequestEntityTooLarge"];
const ACTIONS: [&str; 3] = ["Audit", "Deny", "Warn"];
const NOT_FOUND_ACTIONS: [&str; 2] = ["Deny", "Allow"];
const PATCH_TYPES: [&str; 2] = ["ApplyConfiguration", "JSONPatch"];
const REINVOCATIONS: [&str; 2] = ["IfNeeded", "Never"];
const MUTATING_OPERATIONS: [&str; 4] = ["*", "CONNECT", "CREATE", "UPDATE"];
const NO_EXPRESSION: &str = "expression is not specified";
const NO_LINES: &str = "must be non-empty if specified";

pub(super) fn check_validating(policy: &Value) -> Vec<Cause> {
    let spec = &policy["spec"];
    let mut wrong = check_begin(spec, false);
    let (validations, annotations) = (list(spec, "validations"), list(spec, "auditAnnotations"));
    if validations.is_empty() && annotations.is_empty() {
        const WHY: &str = "validations or auditAnnotations must contain at least one item";
        wrong.push(Cause::required("spec.validations", WHY));
        wrong.push(Cause::required("spec.auditAnnotations", WHY));
        return wrong;
    }
    for (index, validation) in validations.iter().enumerate() {
        let path = format!("spec.validations[{index}]");
        wrong.extend(check_validation(validation, &path));
    }
    wrong.extend(check_annotations(object::name(policy), annotations));
    wrong
}

/// What is wrong with what was found in the expressions of a policy.
pub(super) fn check_status(status: &Value) -> Vec<Cause> {
    let mut wrong = Vec::new();
    let warnings = list(&status["typeChecking"], "expressionWarnings").iter();
    for (index, warning) in warnings.enumerate() {
        let at = |field: &str| format!("status.typeChecking.expressionWarnings[{index}].{field}");
        let said = [
            ("warning", text(warning, "warning")),
            ("fieldRef", text(warning, "fieldRef").trim()),
        ];
        let missing = said.into_iter().filter(|(_, said)| said.is_empty());
        wrong.extend(missing.map(|(field, _)| Cause::required(&at(field), "")));
    }
    wrong
}

pub(super) fn check_mutating(policy: &Value) -> Vec<Cause> {
    let spec = &policy["spec"];
    let mut wrong = check_begin(spec, true);
    let mutations = list(spec, "mutations");
    if mutations.is_empty() {
        const WHY: &str = "mutations must contain at least one item";
        wrong.push(Cause::required("spec.mutations", WHY));
    }
    for (index, mutation) in mutations.iter().enumerate() {
        let path = format!("spec.mutations[{index}]");
        wrong.extend(check_mutation(mutation, &path));
    }
    wrong.extend(check_said(
        spec,
        "spec",
        "reinvocationPolicy",
        &REINVOCATIONS,
    ));
    wrong
}

pub(super) fn check_validating_binding(spec: &Value) -> Vec<Cause> {
    let mut wrong = check_binding(spec);
    wrong.extend(check_actions(&spec["validationActions"]));
    wrong
}

pub(super) fn check_mutating_binding(spec: &Value) -> Vec<Cause> {
    let mut wrong = check_binding(spec);
    wrong.extend(check_operations(
        &spec["matchResources"],
        "spec.matchResources",
    ));
    wrong
}

/// What both kinds of policies begin with.
fn check_begin(spec: &Value, is_mutating: bool) -> Vec<Cause> {
    const MATCHES: &str = "spec.matchConstraints";
    let mut wrong = Vec::new();
    wrong.extend(one_of_if_said(
        &spec["failurePolicy"],
        "spec.failurePolicy",
        &FAILURE_POLICIES,
    ));
    if let Some(kind) = spec.get("paramKind") {
        wrong.extend(check_kind_of_parameters(kind));
    }
    match spec.get("matchConstraints") {
        None => wrong.push(Cause::required(MATCHES, "")),
        Some(matches) => {
            wrong.extend(check_matches(matches, MATCHES));
            if list(matches, "resourceRules").is_empty() {
                wrong.push(Cause::required(&format!("{MATCHES}.resourceRules"), ""));
            }
            if is_mutating {
                wrong.extend(check_operations(matches, MATCHES));
            }
        }
    }
    wrong.extend(check_conditions(
        list(spec, "matchConditions"),
        "spec.matchConditions",
    ));
    for (index, variable) in list(spec, "variables").iter().enumerate() {
        let at = |field: &str| format!("spec.variables[{index}].{field}");
        let name = text(variable, "name");
        if name.trim().is_empty() {
            wrong.push(Cause::required(&at("name"), "name is not specified"));
        } else if !is_identifier(name) {
            let why = "must be a valid CEL identifier";
            wrong.push(Cause::invalid(&at("name"), &name.into(), why));
        }
        if text(variable, "expression").trim().is_empty() {
            wrong.push(Cause::required(&at("expression"), NO_EXPRESSION));
        }
    }
    wrong
}

fn check_kind_of_parameters(said: &Value) -> Vec<Cause> {
    const VERSION: &str = "spec.paramKind.apiVersion";
    const KIND: &str = "spec.paramKind.kind";
    let mut wrong = Vec::new();
    let whole = text(said, "apiVersion");
    let (group, version) = match whole {
        "/" => ("", ""),
        _ => whole.split_once('/').unwrap_or(("", whole)),
    };
    if whole.is_empty() {
        wrong.push(Cause::required(VERSION, ""));
    } else if version.contains('/') {
        let why = format!("unexpected GroupVersion string: {whole}");
        wrong.push(Cause::invalid(VERSION, &whole.into(), &why));
    } else {
        if let Some(why) = names::subdomain(group).filter(|_| !group.is_empty()) {
            wrong.push(Cause::invalid(VERSION, &group.into(), why));
        }
        let why = names::label_1035(version).join(",");
        if version.is_empty() {
            let why = "version must be specified";
            wrong.push(Cause::invalid(VERSION, &whole.into(), why));
        } else if !why.is_empty() {
            wrong.push(Cause::invalid(VERSION, &version.into(), &why));
        }
    }
    let kind = text(said, "kind");
    let why = names::label_1035(&kind.to_lowercase()).join(",");
    if kind.is_empty() {
        wrong.push(Cause::required(KIND, ""));
    } else if !why.is_empty() {
        let why = format!("may have mixed case, but should otherwise match: {why}");
        wrong.push(Cause::invalid(KIND, &kind.into(), &why));
    }
    wrong
}

/// Which requests a policy, or a binding, is for.
fn check_matches(matches: &Value, path: &str) -> Vec<Cause> {
    let at = |field: &str| format!("{path}.{field}");
    let mut wrong = Vec::new();
    wrong.extend(one_of_if_said(
        &matches["matchPolicy"],
        &at("matchPolicy"),
        &MATCH_POLICIES,
    ));
    for field in ["namespaceSelector", "objectSelector"] {
        wrong.extend(checks::selector(&matches[field], &at(field)));
    }
    for field in ["resourceRules", "excludeResourceRules"] {
        for (index, rule) in list(matches, field).iter().enumerate() {
            let path = at(&format!("{field}[{index}]"));
            wrong.extend(check_names(rule, &format!("{path}.resourceNames")));
            wrong.extend(webhook_rules::check(rule, &path));
        }
    }
    wrong
}

fn check_names(rule: &Value, path: &str) -> Vec<Cause> {
    let (mut wrong, mut seen) = (Vec::new(), HashSet::new());
    for (index, name) in list(rule, "resourceNames").iter().enumerate() {
        let path = format!("{path}[{index}]");
        wrong.extend(names::path_segment(
            name.as_str().unwrap_or_default(),
            &path,
        ));
        if !seen.insert(name) {
            wrong.push(Cause::duplicate(&path, name));
        }
    }
    wrong
}

/// What is deleted cannot be changed.
fn check_operations(matches: &Value, path: &str) -> Vec<Cause> {
    let path = format!("{path}.resourceRules.operations");
    let rules = list(matches, "resourceRules").iter();
    let operations = rules.flat_map(|rule| list(rule, "operations"));
    operations
        .filter_map(|operation| one_of_if_said(operation, &path, &MUTATING_OPERATIONS))
        .collect()
}

/// The conditions under which a policy, or a webhook, is asked.
pub(super) fn check_conditions(conditions: &[Value], path: &str) -> Vec<Cause> {
    const MOST: usize = 64;
    let (mut wrong, mut seen) = (Vec::new(), HashSet::new());
    wrong.extend(too_many(conditions, MOST, path));
    for (index, condition) in conditions.iter().enumerate() {
        let at = |field: &str| format!("{path}[{index}].{field}");
        if text(condition, "expression").trim().is_empty() {
            wrong.push(Cause::required(&at("expression"), ""));
        }
        let name = text(condition, "name");
        if name.is_empty() {
            wrong.push(Cause::required(&at("name"), ""));
            continue;
        }
        wrong.extend(check_qualified(name, &at("name")));
        if !seen.insert(name) {
            wrong.push(Cause::duplicate(&at("name"), &name.into()));
        }
    }
    wrong
}

fn check_qualified(name: &str, path: &str) -> Vec<Cause> {
    let reasons = names::qualified(name);
    let refuse = |why: &String| Cause::invalid(path, &name.into(), why);
    reasons.iter().map(refuse).collect()
}

fn check_validation(validation: &Value, path: &str) -> Vec<Cause> {
    let at = |field: &str| format!("{path}.{field}");
    let mut wrong = Vec::new();
    if text(validation, "expression").trim().is_empty() {
        wrong.push(Cause::required(&at("expression"), NO_EXPRESSION));
    }
    for field in ["messageExpression", "message"] {
        let said = text(validation, field);
        if !said.is_empty() && said.trim().is_empty() {
            wrong.push(Cause::invalid(&at(field), &said.into(), NO_LINES));
        } else if field == "message" && said.trim().contains(['\n', '\r']) {
            let why = "must not contain line breaks";
            wrong.push(Cause::invalid(&at(field), &said.into(), why));
        }
    }
    wrong.extend(one_of_if_said(
        &validation["reason"],
        &at("reason"),
        &REASONS,
    ));
    wrong
}

fn check_annotations(policy: &str, annotations: &[Value]) -> Vec<Cause> {
    const PATH: &str = "spec.auditAnnotations";
    const MOST: usize = 20;
    const LONGEST: usize = 5 * 1024;
    let (mut wrong, mut seen) = (Vec::new(), HashSet::new());
    if annotations.len() > MOST {
        let why = format!("must not have more than {MOST} auditAnnotations");
        wrong.push(Cause::invalid(PATH, &annotations.into(), &why));
    }
    for (index, annotation) in annotations.iter().enumerate() {
        let at = |field: &str| format!("{PATH}[{index}].{field}");
        let key = text(annotation, "key");
        wrong.extend(check_qualified(&format!("{policy}/{key}"), &at("key")));
        let expression = text(annotation, "valueExpression").trim();
        if expression.is_empty() {
            let why = "valueExpression is not specified";
            wrong.push(Cause::required(&at("valueExpression"), why));
        } else if expression.len() > LONGEST {
            let why = format!("must not exceed {LONGEST} bytes in length");
            wrong.push(Cause::required(&at("valueExpression"), &why));
        }
        if !seen.insert(key) {
            wrong.push(Cause::duplicate(&at("key"), &key.into()));
        }
    }
    wrong
}

fn check_mutation(mutation: &Value, path: &str) -> Vec<Cause> {
    let at = |field: &str| format!("{path}.{field}");
    let kind = text(mutation, "patchType");
    let (wanted, other) = match kind {
        "JSONPatch" => ("jsonPatch", "applyConfiguration"),
        "ApplyConfiguration" => ("applyConfiguration", "jsonPatch"),
        _ => return Vec::from_iter(check_said(mutation, path, "patchType", &PATCH_TYPES)),
    };
    let mut wrong = Vec::new();
    match mutation.get(wanted) {
        None => {
            let why = format!("must be specified when patchType is {kind}");
            wrong.push(Cause::required(&at(wanted), &why));
        }
        Some(patch) if text(patch, "expression").trim().is_empty() => {
            let path = at(&format!("{wanted}.expression"));
            wrong.push(Cause::required(&path, ""));
        }
        Some(_) => {}
    }
    if mutation.get(other).is_some() {
        let why = format!("must not be specified when patchType is {kind}");
        let shown = format!("{{{other}}}");
        wrong.push(Cause::invalid(&at(other), &shown.into(), &why));
    }
    wrong
}

/// What both kinds of bindings say.
fn check_binding(spec: &Value) -> Vec<Cause> {
    const POLICY: &str = "spec.policyName";
    let mut wrong = Vec::new();
    let policy = text(spec, "policyName");
    if policy.is_empty() {
        wrong.push(Cause::required(POLICY, ""));
    } else if let Some(why) = names::subdomain(policy) {
        wrong.push(Cause::invalid(POLICY, &policy.into(), why));
    }
    if let Some(parameters) = spec.get("paramRef") {
        wrong.extend(check_parameters(parameters));
    }
    if let Some(matches) = spec.get("matchResources") {
        wrong.extend(check_matches(matches, "spec.matchResources"));
    }
    wrong
}

/// The parameters that a binding gives to its policy.
fn check_parameters(said: &Value) -> Vec<Cause> {
    const PATH: &str = "spec.paramRef";
    const EITHER: &str = "name and selector are mutually exclusive";
    let at = |field: &str| format!("{PATH}.{field}");
    let (name, selector) = (text(said, "name"), said.get("selector"));
    let has_both = !name.is_empty() && selector.is_some();
    let mut wrong = names::path_segment(name, &at("name"));
    if has_both {
        wrong.push(Cause::forbidden(&at("name"), EITHER));
    }
    if let Some(selector) = selector {
        wrong.extend(checks::selector(selector, &at("selector")));
    }
    if has_both {
        wrong.push(Cause::forbidden(&at("selector"), EITHER));
    }
    if name.is_empty() && selector.is_none() {
        let why = "one of name or selector must be specified";
        wrong.push(Cause::required(PATH, why));
    }
    wrong.extend(check_said(
        said,
        PATH,
        "parameterNotFoundAction",
        &NOT_FOUND_ACTIONS,
    ));
    wrong
}

fn check_actions(said: &Value) -> Vec<Cause> {
    const PATH: &str = "spec.validationActions";
    const BOTH: &str = "must not contain both Deny and Warn (repeating the same validation failure information in the \
        API response and headers serves no purpose)";
    let actions = said.as_array().map(Vec::as_slice).unwrap_or_default();
    let (mut wrong, mut seen) = (Vec::new(), HashSet::new());
    for (index, action) in actions.iter().enumerate() {
        let path = format!("{PATH}[{index}]");
        let name = action.as_str().unwrap_or_default();
        wrong.extend(one_of(name, &path, &ACTIONS));
        if !seen.insert(name) {
            wrong.push(Cause::duplicate(&path, action));
        }
    }
    if seen.contains("Deny") && seen.contains("Warn") {
        wrong.push(Cause::invalid(PATH, said, BOTH));
    }
    if actions.is_empty() {
        let why = "at least one validation action is required";
        wrong.push(Cause::required(PATH, why));
    }
    wrong
}

/// A field that must be said, and be one of those that are known.
fn check_said(said: &Value, path: &str, field: &str, known: &[&str]) -> Option<Cause> {
    let path = format!("{path}.{field}");
    match text(said, field) {
        "" => Some(Cause::required(&path, "")),
        value => one_of(value, &path, known),
    }
}

/// Whether an expression can call something so.
fn is_identifier(name: &str) -> bool {
    const RESERVED: [&str; 21] = [
        "true",
        "false",
        "null",
        "in",
        "as",
        "break",
        "const",
        "continue",
        "else",
        "for",
        "function",
        "if",
        "import",
        "let",
        "loop",
        "package",
        "namespace",
        "return",
        "var",
        "void",
        "while",
    ];
    let is_begin = |c: char| c == '_' || c.is_ascii_alphabetic();
    name.starts_with(is_begin)
        && name.chars().all(|c| is_begin(c) || c.is_ascii_digit())
        && !RESERVED.contains(&name)
}
