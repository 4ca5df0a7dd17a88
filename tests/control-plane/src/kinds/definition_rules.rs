//! What a CustomResourceDefinition must say to be taken.

mod names;
mod offers;
mod root;
mod selectable;
mod versions;

use regex::Regex;
use serde_json::Value;

use super::approval::{self, Approval};
use super::definition_conversion::{check_bundle, check_no_webhook, check_webhook};
use super::definition_names::is_established;
use crate::failure::Cause;
use crate::object;
use crate::schema::Schema;

pub(super) use names::check as check_names;

const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or \
    '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is \
    '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
/// What is wrong with a definition, or with what it makes of the old one.
pub(super) fn check(definition: &Value, old: Option<&Value>) -> Vec<Cause> {
    let mut found = Found {
        wrong: Vec::new(),
        spec: definition.get("spec").cloned().unwrap_or_default(),
    };
    let must = format!("{}.{}", found.text("/names/plural"), found.text("/group"));
    let begun = object::meta(definition, "generateName");
    let names = [
        ("metadata.generateName", begun.unwrap_or_default()),
        ("metadata.name", object::name(definition)),
    ];
    for (field, name) in names.into_iter().filter(|_| old.is_none()) {
        if !name.is_empty() && name != must {
            let why = "must be spec.names.plural+\".\"+spec.group";
            found.invalid(field, &name.into(), why);
        }
    }
    found.group();
    found.scope();
    found.versions();
    found.defaults();
    found.schemas();
    found.names();
    found.columns();
    found.scale();
    found.selectable();
    found.conversion();
    found.wrong.extend(check_bundle(definition, old));
    if found.keeps_unknown() {
        found.invalid(
            "spec.preserveUnknownFields",
            &true.into(),
            "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead",
        );
    }
    if let Some(old) = old {
        found.unchanged(old);
    }
    found.approval(definition);
    found.stored(definition);
    found.wrong
}

/// What a DNS name has at most.
const LONGEST_GROUP: usize = 253;

struct Found {
    wrong: Vec<Cause>,
    spec: Value,
}

impl Found {
    fn text(&self, pointer: &str) -> String {
        let value = self.spec.pointer(pointer).and_then(Value::as_str);
        value.unwrap_or_default().to_owned()
    }

    fn list(&self, field: &str) -> Vec<Value> {
        let list = self.spec.get(field).and_then(Value::as_array);
        list.cloned().unwrap_or_default()
    }

    fn invalid(&mut self, field: &str, value: &Value, why: &str) {
        self.wrong.push(Cause::invalid(field, value, why));
    }

    /// What all versions say the same of, or nothing: it is told as if it were said once.
    fn common(&self, field: &str) -> Option<Value> {
        let versions = self.list("versions");
        let first = versions.first()?.get(field);
        let same = versions.iter().all(|version| version.get(field) == first);
        same.then(|| first.cloned().unwrap_or_default())
    }

    /// A field of each version, with the place at which it is told.
    fn of_versions(&self, field: &str, hoisted: &str) -> Vec<(String, Value)> {
        if let Some(value) = self.common(field) {
            return vec![(format!("spec.{hoisted}"), value)];
        }
        let versions = self.list("versions").into_iter().enumerate();
        versions
            .map(|(at, version)| {
                let value = version.get(field).cloned().unwrap_or_default();
                (format!("spec.versions[{at}].{field}"), value)
            })
            .collect()
    }

    fn unchanged(&mut self, old: &Value) {
        let fixed = ["scope", "names.kind", "group", "names.plural"];
        for field in &fixed[if is_established(old) { 0 } else { 2 }..] {
            let pointer = format!("/{}", field.replace('.', "/"));
            let was = old.pointer(&format!("/spec{pointer}")).cloned();
            let is = self.spec.pointer(&pointer).cloned();
            if was != is {
                let field = format!("spec.{field}");
                self.invalid(&field, &is.unwrap_or_default(), "field is immutable");
            }
        }
    }

    fn keeps_unknown(&self) -> bool {
        self.spec.get("preserveUnknownFields") == Some(&Value::Bool(true))
    }

    /// What is unknown is not kept where there are defaults.
    fn defaults(&mut self) {
        let has_defaults = |version: &Value| {
            let schema = version.pointer("/schema/openAPIV3Schema");
            schema.is_some_and(Schema::says_defaults)
        };
        if self.keeps_unknown() && self.list("versions").iter().any(has_defaults) {
            let why = "must be false in order to use defaults in the schema";
            self.invalid("spec.preserveUnknownFields", &true.into(), why);
        }
    }

    fn group(&mut self) {
        let group = self.text("/group");
        if group.is_empty() {
            self.wrong.push(Cause::required("spec.group", ""));
        } else if group.len() > LONGEST_GROUP {
            let why = format!("must be no more than {LONGEST_GROUP} characters");
            self.invalid("spec.group", &group.into(), &why);
        } else if !is(
            r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$",
            &group,
        ) {
            self.invalid("spec.group", &group.into(), SUBDOMAIN);
        } else if !group.contains('.') {
            let why = "should be a domain with at least one dot";
            self.invalid("spec.group", &group.into(), why);
        }
    }

    fn scope(&mut self) {
        match self.text("/scope").as_str() {
            "" => self.wrong.push(Cause::required("spec.scope", "")),
            "Namespaced" | "Cluster" => {}
            other => self.wrong.push(Cause::unsupported(
                "spec.scope",
                &other.into(),
                "\"Cluster\", \"Namespaced\"",
            )),
        }
    }

    fn conversion(&mut self) {
        let conversion = self.spec.get("conversion").filter(|said| !said.is_null());
        let Some(conversion) = conversion else {
            return;
        };
        const AT: &str = "spec.conversion.strategy";
        let strategy = conversion["strategy"].as_str().unwrap_or_default();
        if self.keeps_unknown() && strategy != "None" {
            let why = "must be None if spec.preserveUnknownFields is true";
            let cause = Cause::invalid(AT, &strategy.into(), why);
            self.wrong.push(cause);
        }
        match strategy {
            "" => self.wrong.push(Cause::required(AT, "")),
            "None" | "Webhook" => {}
            other => self.wrong.push(Cause::unsupported(
                AT,
                &other.into(),
                "\"None\", \"Webhook\"",
            )),
        }
        let webhook = &conversion["webhook"];
        self.wrong.extend(match strategy {
            "Webhook" => check_webhook(webhook),
            _ => check_no_webhook(webhook),
        });
    }

    fn approval(&mut self, definition: &Value) {
        let field = format!("metadata.annotations[{}]", approval::ANNOTATION);
        match Approval::of(definition) {
            Some(Approval::Missing) => {
                let why = Approval::Missing.message();
                self.wrong.push(Cause::required(&field, &why));
            }
            Some(Approval::Invalid(said)) => {
                let why = Approval::Invalid(said).message();
                self.invalid(&field, &said.into(), &why);
            }
            _ => {}
        }
    }
}

fn is(pattern: &str, text: &str) -> bool {
    Regex::new(pattern).is_ok_and(|pattern| pattern.is_match(text))
}
