//! What a definition says of its versions, and of their schemas.

use regex::Regex;
use std::collections::HashSet;
use std::sync::LazyLock;

use serde_json::{Value, json};

use super::{Found, names};
use crate::failure::Cause;
use crate::patch::go;
use crate::schema::{Schema, shown};

impl Found {
    pub(super) fn versions(&mut self) {
        let versions = self.list("versions");
        let mut known = HashSet::new();
        let mut twice = false;
        for (at, version) in versions.iter().enumerate() {
            let name = version.get("name").and_then(Value::as_str);
            let name = name.unwrap_or_default();
            twice |= !known.insert(name);
            if let Some(why) = names::unfit(name) {
                self.invalid(&format!("spec.versions[{at}].name"), &name.into(), &why);
                if at == 0 && !name.is_empty() {
                    // The first one is also the version of old.
                    self.invalid("spec.version", &name.into(), &why);
                }
            }
            let warning = version.get("deprecationWarning").and_then(Value::as_str);
            let is_deprecated = version.get("deprecated") == Some(&Value::Bool(true));
            let field = format!("spec.versions[{at}].deprecationWarning");
            for why in warning.map_or_else(Vec::new, |words| unfit(words, is_deprecated)) {
                // A server has it by a pointer, whose text is shown in JSON.
                let shown = go::json(&warning.into());
                let message = format!("Invalid value: {shown}: {why}");
                self.wrong
                    .push(Cause::new("FieldValueInvalid", field.clone(), message));
            }
        }
        let stored = versions
            .iter()
            .filter(|version| version.get("storage") == Some(&Value::Bool(true)));
        let wrong = [
            (twice, "must contain unique version names"),
            (
                stored.count() != 1,
                "must have exactly one version marked as storage version",
            ),
        ];
        for (_, why) in wrong.into_iter().filter(|(is_wrong, _)| *is_wrong) {
            let shown = match self.spec.get("versions") {
                None | Some(Value::Null) => "null".to_owned(),
                Some(_) => self.shown_versions(),
            };
            let message = format!("Invalid value: {shown}: {why}");
            let cause = Cause::new("FieldValueInvalid", "spec.versions", message);
            self.wrong.push(cause);
        }
    }

    /// The versions as the server holds them, where what they have in common is not theirs.
    fn shown_versions(&self) -> String {
        const HOISTED: [&str; 4] = [
            "schema",
            "subresources",
            "additionalPrinterColumns",
            "selectableFields",
        ];
        let common = HOISTED.map(|field| (field, self.common(field).is_some()));
        let own = |version: &Value, field: &str| match common.contains(&(field, true)) {
            true => Value::Null,
            false => version.get(field).cloned().unwrap_or_default(),
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
                    shown::version(&own(version, "schema")),
                    in_go(&own(version, "subresources"), &SUBRESOURCES),
                    in_go(&own(version, "additionalPrinterColumns"), &COLUMN),
                    in_go(&own(version, "selectableFields"), &SELECTABLE),
                )
            })
            .collect();
        format!("[{}]", versions.join(","))
    }

    pub(super) fn schemas(&mut self) {
        let versions = self.list("versions");
        for (at, version) in versions.iter().enumerate() {
            let schema = version.pointer("/schema/openAPIV3Schema");
            if schema.is_none_or(Value::is_null) {
                let field = format!("spec.versions[{at}].schema.openAPIV3Schema");
                self.wrong.push(Cause::required(&field, ""));
            }
        }
        let (schemas, subresources) = (
            self.of_versions("schema", "validation"),
            self.of_versions("subresources", "subresources"),
        );
        for (index, (at, schema)) in schemas.into_iter().enumerate() {
            // A schema that is told as if it were said once is that of every version.
            let is_shared = at == "spec.validation" || subresources.len() == 1;
            let of_it = match is_shared {
                true => &subresources[..],
                false => subresources.get(index..=index).unwrap_or_default(),
            };
            let keeps_status = of_it.iter().any(|(_, own)| own["status"].is_object());
            if let Some(schema) = schema
                .get("openAPIV3Schema")
                .filter(|schema| !schema.is_null())
            {
                let at = format!("{at}.openAPIV3Schema");
                let before = self.wrong.len();
                if keeps_status {
                    self.root(schema, &at);
                }
                let is_well = self.wrong.len() == before;
                let causes = Schema::not_structural(schema, &at, is_well);
                self.wrong.extend(
                    causes
                        .into_iter()
                        .map(|cause| Cause::new(cause.reason.as_str(), cause.field, cause.message)),
                );
            }
        }
    }

    pub(super) fn stored(&mut self, definition: &Value) {
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
        let left = stored.as_array().into_iter().flatten();
        let mut left: HashSet<&str> = left.filter_map(Value::as_str).collect();
        for version in &versions {
            let name = version
                .get("name")
                .and_then(Value::as_str)
                .unwrap_or_default();
            let is_stored = left.remove(name);
            if version.get("storage") == Some(&Value::Bool(true)) && !is_stored {
                let why = format!("must have the storage version {name}");
                self.invalid("status.storedVersions", &stored, &why);
            }
        }
        let served: HashSet<_> = versions.iter().map(|version| version.get("name")).collect();
        for (at, name) in stored.as_array().into_iter().flatten().enumerate() {
            if !served.contains(&Some(name)) {
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

/// How the server calls a field, and what it shows where it is not said; of a struct, what is in it.
struct InGo(&'static str, &'static str, &'static str, &'static [InGo]);

const SUBRESOURCES: [InGo; 2] = [
    InGo("status", "Status", "null", &[]),
    InGo(
        "scale",
        "Scale",
        "null",
        &[
            InGo("specReplicasPath", "SpecReplicasPath", "\"\"", &[]),
            InGo("statusReplicasPath", "StatusReplicasPath", "\"\"", &[]),
            InGo("labelSelectorPath", "LabelSelectorPath", "null", &[]),
        ],
    ),
];
const COLUMN: [InGo; 6] = [
    InGo("name", "Name", "\"\"", &[]),
    InGo("type", "Type", "\"\"", &[]),
    InGo("format", "Format", "\"\"", &[]),
    InGo("description", "Description", "\"\"", &[]),
    InGo("priority", "Priority", "0", &[]),
    InGo("jsonPath", "JSONPath", "\"\"", &[]),
];
const SELECTABLE: [InGo; 1] = [InGo("jsonPath", "JSONPath", "\"\"", &[])];

/// A value as the server holds it.
fn in_go(value: &Value, fields: &[InGo]) -> String {
    match value {
        Value::Array(elements) => {
            let elements: Vec<String> = elements.iter().map(|one| in_go(one, fields)).collect();
            format!("[{}]", elements.join(","))
        }
        Value::Object(said) if !fields.is_empty() => {
            let shown = |InGo(field, name, none, within): &InGo| {
                let value = said.get(*field).filter(|value| !value.is_null());
                let value = value.map_or_else(|| (*none).to_owned(), |value| in_go(value, within));
                format!("{name:?}:{value}")
            };
            let fields: Vec<String> = fields.iter().map(shown).collect();
            format!("{{{}}}", fields.join(","))
        }
        other => other.to_string(),
    }
}

/// Why the words that are said of a deprecated version are not fit to be a warning.
fn unfit(words: &str, is_deprecated: bool) -> Vec<String> {
    const MOST: usize = 256;
    if !is_deprecated {
        return vec!["can only be set for deprecated versions".to_owned()];
    }
    let mut why = Vec::new();
    if words.len() > MOST {
        why.push(format!("must be <= {MOST} characters long"));
    }
    if words.is_empty() {
        why.push("must not be an empty string".to_owned());
    }
    static UNPRINTABLE: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"[^\p{L}\p{M}\p{N}\p{P}\p{S} ]").ok());
    if let Some(found) = UNPRINTABLE
        .as_ref()
        .and_then(|unprintable| unprintable.find(words))
    {
        why.push(format!(
            "must only contain printable UTF-8 characters; non-printable character found at index {}",
            found.start()
        ));
    }
    why
}
