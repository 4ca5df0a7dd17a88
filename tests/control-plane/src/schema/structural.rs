//! Whether a schema is structural, as the API server demands of a CustomResourceDefinition, and what else it may not say.

mod completeness;
mod default;
mod invariants;
mod lists;
mod rules;
mod walk;

use std::cell::Cell;
use std::fmt;

use serde_json::Value;

use super::cause::Causes;
use super::{Cause, Reason};
use crate::path::Path;
use invariants::Level;
use walk::Within;

const EMBEDDED: &str = "x-kubernetes-embedded-resource";
const PRESERVE: &str = "x-kubernetes-preserve-unknown-fields";
/// What every object has.
const OF_ALL: [&str; 3] = ["metadata", "kind", "apiVersion"];

/// Every reason for which a schema is refused, in the order of a server; `at` is how that names its place. What is wrong
/// with the whole is told where it `is_well` so far.
pub(super) fn check(schema: &Value, at: &str, is_well: bool) -> Vec<Cause> {
    let worded = Cell::default();
    let mut found = Found(Causes::new(&worded));
    let root = Path::Root;
    let at = root.name(at);
    if flag(schema, "nullable") {
        let message = "Forbidden: nullable cannot be true at the root";
        found.add(Reason::Forbidden, at, ".nullable", message);
    }
    // What no structure can be made of is not looked at for its structure.
    let has_structure = !any(schema, &says_unsupported);
    if has_structure {
        let mut structure = Found(Causes::new(&worded));
        structure.invariants(schema, at, Level::Root);
        structure.completeness(schema, Some(schema), at, at);
        // A server finds them in any order, and sorts them.
        structure.0.sort();
        if structure.0.is_empty() {
            found.defaults(schema, at);
        }
        found.0.append(structure.0);
    }
    found.walk(schema, at, &Within::root());
    if !has_structure && is_well && found.0.is_empty() {
        // All else is told for itself, and this of the whole, where nothing is.
        let message = "Invalid value: \"\": OpenAPIV3Schema 'schema' is not supported";
        found.add(Reason::Invalid, at, "", message);
    }
    found.0.into_told()
}

/// Whether a schema, or one below it, says a default.
pub(super) fn says_defaults(schema: &Value) -> bool {
    any(schema, &|schema| {
        schema.get("default").is_some_and(|said| !said.is_null())
    })
}

struct Found<'w>(Causes<'w>);

impl Found<'_> {
    fn add(&mut self, reason: Reason, at: Path<'_>, below: &str, message: impl fmt::Display) {
        self.0.add(reason, format_args!("{at}{below}"), message);
    }

    fn forbid(&mut self, at: Path<'_>, below: &str, why: impl fmt::Display) {
        self.add(
            Reason::Forbidden,
            at,
            below,
            format_args!("Forbidden: {why}"),
        );
    }

    fn require(&mut self, at: Path<'_>, below: &str, why: impl fmt::Display) {
        let message = format_args!("Required value: {why}");
        self.add(Reason::Required, at, below, message);
    }

    /// What is said is wrong, or has to be said.
    fn unless_said(&mut self, said: &str, at: Path<'_>, below: &str, must: &str) {
        match said {
            "" => self.require(at, below, must),
            said => {
                let message = format_args!("Invalid value: {said:?}: {must}");
                self.add(Reason::Invalid, at, below, message);
            }
        }
    }
}

/// Whether a schema says what no structure can be made of.
fn says_unsupported(schema: &Value) -> bool {
    let said = |name: &str| schema.get(name).unwrap_or(&Value::Null);
    let has_fields = |name: &str| fields(schema, name).next().is_some();
    ["id", "$schema", "$ref"]
        .iter()
        .any(|name| !text(schema, name).is_empty())
        || ["patternProperties", "dependencies", "definitions"]
            .iter()
            .any(|name| has_fields(name))
        || !said("additionalItems").is_null()
        || said("items").is_array()
        || *said(PRESERVE) == Value::Bool(false)
}

/// Whether something is true of a schema or of one below it.
fn any(schema: &Value, is: &dyn Fn(&Value) -> bool) -> bool {
    let below = ["items", "additionalProperties"].map(|name| schema.get(name));
    let below = below
        .into_iter()
        .flatten()
        .filter(|below| below.is_object());
    let fields = fields(schema, "properties").map(|(_, field)| field);
    let branches = branches(schema).into_iter().map(|(_, branch)| branch);
    is(schema)
        || below
            .chain(fields)
            .chain(branches)
            .any(|below| any(below, is))
}

/// The schemas under not, allOf, oneOf and anyOf, with their places.
fn branches(schema: &Value) -> Vec<(String, &Value)> {
    let not = schema.get("not").filter(|not| !not.is_null());
    let mut branches: Vec<_> = not.map(|not| ("not".to_owned(), not)).into_iter().collect();
    for name in ["allOf", "oneOf", "anyOf"] {
        let list = schema.get(name).and_then(Value::as_array);
        let list = list.into_iter().flatten().enumerate();
        branches.extend(list.map(|(at, branch)| (format!("{name}[{at}]"), branch)));
    }
    branches
}

fn quoted(names: &[&str]) -> String {
    let names = names.iter().map(|name| format!("{name:?}"));
    names.collect::<Vec<_>>().join(", ")
}

fn flag(schema: &Value, name: &str) -> bool {
    let said = schema.get(name).and_then(Value::as_bool);
    said.unwrap_or_default()
}

fn text<'v>(schema: &'v Value, name: &str) -> &'v str {
    schema.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn fields<'v>(schema: &'v Value, name: &str) -> impl Iterator<Item = (&'v String, &'v Value)> {
    let fields = schema.get(name).and_then(Value::as_object);
    fields.into_iter().flatten()
}
