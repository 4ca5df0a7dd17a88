//! What a CustomResourceDefinition must say to be taken.

use regex::Regex;
use serde_json::{Value, json};

use super::approval::{self, Approval};
use super::definition_cel;
use super::definition_conversion::{check_bundle, check_webhook};
use crate::failure::Cause;
use crate::object;
use crate::schema::{LABEL, Schema};

const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or \
    '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is \
    '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const COLUMN_TYPES: [&str; 5] = ["boolean", "date", "integer", "number", "string"];
const COLUMN_FORMATS: [&str; 8] = [
    "byte",
    "date",
    "date-time",
    "double",
    "float",
    "int32",
    "int64",
    "password",
];

/// What is wrong with a definition, or with what it makes of the old one.
pub(super) fn check(definition: &Value, old: Option<&Value>) -> Vec<Cause> {
    let mut found = Found {
        wrong: Vec::new(),
        spec: definition.get("spec").cloned().unwrap_or_default(),
    };
    if let Some(old) = old {
        found.unchanged(old);
        if !found.wrong.is_empty() {
            return found.wrong;
        }
    }
    let must = format!("{}.{}", found.text("/names/plural"), found.text("/group"));
    let name = object::name(definition);
    if !name.is_empty() && name != must {
        found.invalid(
            "metadata.name",
            &name.into(),
            "must be spec.names.plural+\".\"+spec.group",
        );
    }
    found.group();
    found.scope();
    found.versions();
    found.schemas();
    found.names();
    found.columns();
    found.scale();
    found.selectable();
    found.conversion();
    found.wrong.extend(check_bundle(definition, old));
    if found.spec.get("preserveUnknownFields") == Some(&Value::Bool(true)) {
        found.invalid(
            "spec.preserveUnknownFields",
            &true.into(),
            "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead",
        );
    }
    found.approval(definition);
    found.stored(definition);
    found.wrong
}

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
        let conditions = old.pointer("/status/conditions").and_then(Value::as_array);
        let mut conditions = conditions.into_iter().flatten();
        let is_established = conditions
            .any(|condition| condition["type"] == "Established" && condition["status"] == "True");
        let fixed = ["scope", "names.kind", "group", "names.plural"];
        for field in &fixed[if is_established { 0 } else { 2 }..] {
            let pointer = format!("/{}", field.replace('.', "/"));
            let was = old.pointer(&format!("/spec{pointer}")).cloned();
            let is = self.spec.pointer(&pointer).cloned();
            if was != is {
                let field = format!("spec.{field}");
                self.invalid(&field, &is.unwrap_or_default(), "field is immutable");
            }
        }
    }

    fn group(&mut self) {
        let group = self.text("/group");
        if group.is_empty() {
            self.wrong.push(Cause::required("spec.group", ""));
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

    fn versions(&mut self) {
        let versions = self.list("versions");
        let shown = match self.spec.get("versions") {
            None | Some(Value::Null) => "null".to_owned(),
            Some(_) => self.shown_versions(),
        };
        let mut names: Vec<&str> = Vec::new();
        let mut twice = false;
        for (at, version) in versions.iter().enumerate() {
            let name = version.get("name").and_then(Value::as_str);
            let name = name.unwrap_or_default();
            twice |= names.contains(&name);
            names.push(name);
            if !is(r"^[a-z]([-a-z0-9]*[a-z0-9])?$", name) {
                self.invalid(&format!("spec.versions[{at}].name"), &name.into(), LABEL);
                if at == 0 && !name.is_empty() {
                    // The first one is also the version of old.
                    self.invalid("spec.version", &name.into(), LABEL);
                }
            }
            let warning = version.get("deprecationWarning");
            if let Some(warning) = warning
                && version.get("deprecated") != Some(&Value::Bool(true))
            {
                let why = "can only be set for deprecated versions";
                self.invalid(
                    &format!("spec.versions[{at}].deprecationWarning"),
                    warning,
                    why,
                );
            }
        }
        let mut all = |why: &str| {
            let message = format!("Invalid value: {shown}: {why}");
            let cause = Cause::new("FieldValueInvalid", "spec.versions", message);
            self.wrong.push(cause);
        };
        if twice {
            all("must contain unique version names");
        }
        let stored = versions
            .iter()
            .filter(|version| version.get("storage") == Some(&Value::Bool(true)));
        if stored.count() != 1 {
            all("must have exactly one version marked as storage version");
        }
    }

    /// The versions as the server holds them, where what they have in common is not theirs.
    fn shown_versions(&self) -> String {
        let own = |version: &Value, field: &str| match self.common(field) {
            Some(_) => Value::Null,
            None => version.get(field).cloned().unwrap_or_default(),
        };
        let flag = |version: &Value, field: &str| version.get(field) == Some(&Value::Bool(true));
        let versions: Vec<String> = self
            .list("versions")
            .iter()
            .map(|version| {
                format!(
                    "{{\"Name\":{},\"Served\":{},\"Storage\":{},\"Deprecated\":{},\"DeprecationWarning\":{},\
                     \"Schema\":{},\"Subresources\":{},\"AdditionalPrinterColumns\":{},\"SelectableFields\":{}}}",
                    version.get("name").cloned().unwrap_or_else(|| "".into()),
                    flag(version, "served"),
                    flag(version, "storage"),
                    flag(version, "deprecated"),
                    version.get("deprecationWarning").cloned().unwrap_or_default(),
                    own(version, "schema"),
                    own(version, "subresources"),
                    own(version, "additionalPrinterColumns"),
                    own(version, "selectableFields"),
                )
            })
            .collect();
        format!("[{}]", versions.join(","))
    }

    fn schemas(&mut self) {
        let versions = self.list("versions");
        for (at, version) in versions.iter().enumerate() {
            let schema = version.pointer("/schema/openAPIV3Schema");
            if schema.is_none_or(Value::is_null) {
                let field = format!("spec.versions[{at}].schema.openAPIV3Schema");
                self.wrong.push(Cause::required(&field, ""));
            }
        }
        for (at, schema) in self.of_versions("schema", "validation") {
            if let Some(schema) = schema
                .get("openAPIV3Schema")
                .filter(|schema| !schema.is_null())
            {
                let at = format!("{at}.openAPIV3Schema");
                self.wrong.extend(definition_cel::check(schema, &at));
                let causes = Schema::not_structural(schema, &at);
                self.wrong.extend(
                    causes
                        .into_iter()
                        .map(|cause| Cause::new(cause.reason.as_str(), cause.field, cause.message)),
                );
            }
        }
    }

    fn names(&mut self) {
        for field in ["plural", "singular", "kind", "listKind"] {
            let at = format!("spec.names.{field}");
            let name = self.text(&format!("/names/{field}"));
            let is_kind = field.ends_with("ind");
            let checked = if is_kind {
                name.to_lowercase()
            } else {
                name.clone()
            };
            if name.is_empty() {
                self.wrong.push(Cause::required(&at, ""));
            } else if !is(r"^[a-z]([-a-z0-9]*[a-z0-9])?$", &checked) {
                let why = match is_kind {
                    true => &format!("may have mixed case, but should otherwise match: {LABEL}"),
                    false => LABEL,
                };
                self.invalid(&at, &name.into(), why);
            }
        }
        for field in ["shortNames", "categories"] {
            let names = self.spec.pointer(&format!("/names/{field}")).cloned();
            let names = names.as_ref().and_then(Value::as_array);
            for (at, name) in names.into_iter().flatten().enumerate() {
                if !is(
                    r"^[a-z]([-a-z0-9]*[a-z0-9])?$",
                    name.as_str().unwrap_or_default(),
                ) {
                    self.invalid(&format!("spec.names.{field}[{at}]"), name, LABEL);
                }
            }
        }
        let kind = self.text("/names/kind");
        if !kind.is_empty() && kind == self.text("/names/listKind") {
            let why = "kind and listKind may not be the same";
            self.invalid("spec.names.listKind", &kind.into(), why);
        }
    }

    fn columns(&mut self) {
        let hoisted = "additionalPrinterColumns";
        for (place, columns) in self.of_versions(hoisted, hoisted) {
            for (at, column) in columns.as_array().into_iter().flatten().enumerate() {
                let place = format!("{place}[{at}]");
                let text = |field: &str| {
                    column
                        .get(field)
                        .and_then(Value::as_str)
                        .unwrap_or_default()
                };
                if text("name").is_empty() {
                    self.wrong
                        .push(Cause::required(&format!("{place}.name"), ""));
                }
                let must = format!("must be one of {}", COLUMN_TYPES.join(","));
                match text("type") {
                    "" => self
                        .wrong
                        .push(Cause::required(&format!("{place}.type"), &must)),
                    kind if COLUMN_TYPES.contains(&kind) => {}
                    kind => self.invalid(&format!("{place}.type"), &kind.into(), &must),
                }
                let format = text("format");
                if !format.is_empty() && !COLUMN_FORMATS.contains(&format) {
                    let must = format!("must be one of {}", COLUMN_FORMATS.join(","));
                    self.invalid(&format!("{place}.format"), &format.into(), &must);
                }
                let field = format!("{place}.JSONPath");
                match text("jsonPath") {
                    "" => self.wrong.push(Cause::required(&field, "")),
                    path if path.starts_with('.') => {}
                    path => {
                        let must = "must be a simple json path starting with .";
                        self.invalid(&field, &path.into(), must);
                    }
                }
            }
        }
    }

    fn scale(&mut self) {
        for (place, subresources) in self.of_versions("subresources", "subresources") {
            let Some(scale) = subresources.get("scale") else {
                continue;
            };
            for (field, under) in [
                ("specReplicasPath", &[".spec"][..]),
                ("statusReplicasPath", &[".status"]),
                ("labelSelectorPath", &[".spec", ".status"]),
            ] {
                let at = format!("{place}.scale.{field}");
                let path = scale.get(field).and_then(Value::as_str).unwrap_or_default();
                let below = |root: &&str| path.starts_with(&format!("{root}."));
                if path.is_empty() && field == "labelSelectorPath" {
                } else if path.is_empty() {
                    self.wrong.push(Cause::required(&at, ""));
                } else if !path.starts_with('.') {
                    let must = "must be a simple json path starting with .";
                    self.invalid(&at, &path.into(), must);
                } else if !under.iter().any(below) {
                    let either = if under.len() > 1 { "either " } else { "" };
                    let must =
                        format!("should be a json path under {either}{}", under.join(" or "));
                    self.invalid(&at, &path.into(), &must);
                }
            }
        }
    }

    fn selectable(&mut self) {
        let versions = self.list("versions");
        for (place, fields) in self.of_versions("selectableFields", "selectableFields") {
            let version = place
                .strip_prefix("spec.versions[")
                .and_then(|rest| rest.split(']').next()?.parse::<usize>().ok())
                .unwrap_or(0);
            let schema = versions
                .get(version)
                .and_then(|v| v.pointer("/schema/openAPIV3Schema"));
            for (at, field) in fields.as_array().into_iter().flatten().enumerate() {
                let place = format!("{place}[{at}].jsonPath");
                let path = field
                    .get("jsonPath")
                    .and_then(Value::as_str)
                    .unwrap_or_default();
                let pointer: String = path
                    .split('.')
                    .skip(1)
                    .map(|step| format!("/properties/{step}"))
                    .collect();
                let known = schema.is_some_and(|schema| schema.pointer(&pointer).is_some());
                if path.is_empty() {
                    self.wrong.push(Cause::required(&place, ""));
                } else if !known || path.starts_with(".metadata") {
                    let why = "is an invalid path: does not refer to a valid field";
                    self.invalid(&place, &path.into(), why);
                }
            }
        }
    }

    fn conversion(&mut self) {
        let has_webhook = self.spec.pointer("/conversion/webhook").is_some();
        match self.text("/conversion/strategy").as_str() {
            "Webhook" => {
                let webhook = &self.spec["conversion"]["webhook"];
                self.wrong.extend(check_webhook(webhook));
            }
            "" | "None" if has_webhook => self.wrong.push(Cause::forbidden(
                "spec.conversion.conversionReviewVersions",
                "should not be set when strategy is not set to Webhook",
            )),
            "" | "None" => {}
            other => self.wrong.push(Cause::unsupported(
                "spec.conversion.strategy",
                &other.into(),
                "\"None\", \"Webhook\"",
            )),
        }
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

    fn stored(&mut self, definition: &Value) {
        let stored = definition.pointer("/status/storedVersions").cloned();
        let stored = stored
            .filter(|stored| stored != &json!([]))
            .unwrap_or_default();
        let versions = self.list("versions");
        if stored.is_null() {
            let why = "must have at least one stored version";
            self.invalid("status.storedVersions", &stored, why);
            return;
        }
        let storage = versions
            .iter()
            .rfind(|version| version.get("storage") == Some(&Value::Bool(true)))
            .and_then(|version| version.get("name"));
        if let Some(Value::String(name)) = storage
            && !stored
                .as_array()
                .is_some_and(|all| all.contains(&json!(name)))
        {
            let why = format!("must have the storage version {name}");
            self.invalid("status.storedVersions", &stored, &why);
        }
        for (at, name) in stored.as_array().into_iter().flatten().enumerate() {
            if versions
                .iter()
                .all(|version| version.get("name") != Some(name))
            {
                let shown = name.as_str().unwrap_or_default();
                let why = format!(
                    "missing from spec.versions; {shown} was previously a storage version, and must remain in \
                     spec.versions until a storage migration ensures no data remains persisted in {shown} and removes \
                     {shown} from status.storedVersions"
                );
                self.invalid(&format!("status.storedVersions[{at}]"), name, &why);
            }
        }
    }
}

fn is(pattern: &str, text: &str) -> bool {
    Regex::new(pattern).is_ok_and(|pattern| pattern.is_match(text))
}
