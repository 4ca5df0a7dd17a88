//! Labels of nodes that have got other names.

use serde_json::Value;

use super::checks::{list, text};
use super::names;

const RENAMED: [(&str, &str, &str); 5] = [
    ("beta.kubernetes.io/arch", "v1.14", "kubernetes.io/arch"),
    ("beta.kubernetes.io/os", "v1.14", "kubernetes.io/os"),
    (
        "failure-domain.beta.kubernetes.io/region",
        "v1.17",
        "topology.kubernetes.io/region",
    ),
    (
        "failure-domain.beta.kubernetes.io/zone",
        "v1.17",
        "topology.kubernetes.io/zone",
    ),
    (
        "beta.kubernetes.io/instance-type",
        "v1.17",
        "node.kubernetes.io/instance-type",
    ),
];

/// Since when a label is called otherwise, and how.
pub(super) fn renamed(label: &str) -> Option<String> {
    let (_, since, now) = RENAMED.iter().find(|(old, _, _)| *old == label)?;
    Some(format!("deprecated since {since}; use {now:?} instead"))
}

/// What the writer of a selector of nodes should know.
pub(super) fn of_selector(selector: &Value, path: &str) -> Vec<String> {
    let labels = selector.as_object().into_iter().flatten();
    labels
        .filter_map(|(label, _)| Some(format!("{path}[{label}]: {}", renamed(label)?)))
        .collect()
}

/// The same of terms, one of which is to match.
pub(super) fn of_terms(terms: &[Value], path: &str) -> Vec<String> {
    let terms = terms.iter().enumerate();
    terms
        .flat_map(|(index, term)| of_term(term, &format!("{path}[{index}]")))
        .collect()
}

/// The same of a term that is preferred, whose values nobody has looked at.
pub(super) fn of_preferred(term: &Value, path: &str) -> Vec<String> {
    let mut told = Vec::new();
    for (index, expression) in list(term, "matchExpressions").iter().enumerate() {
        let path = format!("{path}.matchExpressions[{index}]");
        told.extend(of_expression(expression, &path));
        for (at, value) in list(expression, "values").iter().enumerate() {
            let value = value.as_str().unwrap_or_default();
            let why = names::label_value(value);
            told.extend(why.map(|why| format!("{path}.values[{at}]: {value} is invalid, {why}")));
        }
    }
    told
}

/// The same of one term.
fn of_term(term: &Value, path: &str) -> Vec<String> {
    let expressions = list(term, "matchExpressions").iter().enumerate();
    expressions
        .filter_map(|(index, expression)| {
            of_expression(expression, &format!("{path}.matchExpressions[{index}]"))
        })
        .collect()
}

fn of_expression(expression: &Value, path: &str) -> Option<String> {
    let label = text(expression, "key");
    let why = renamed(label)?;
    Some(format!("{path}.key: {label} is {why}"))
}
