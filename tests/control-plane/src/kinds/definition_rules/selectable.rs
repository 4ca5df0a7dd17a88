//! The fields that objects may be selected by.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Found;
use crate::failure::Cause;

/// More would have to be kept for each object.
const MOST: usize = 8;
const NO_TEXT: &str = "must point to a field of type string, boolean or integer. Enum string fields and strings with \
    formats are allowed.";
const NO_SCHEMA: &str = "may only be set when validations.schema is included";
const NO_OWN_SCHEMA: &str = "may only be set when `version.schema.openAPIV3Schema` is not included";
const NO_FIELD: &str = "does not refer to a valid field";

impl Found {
    pub(super) fn selectable(&mut self) {
        let versions = self.list("versions");
        // What all versions have in common is not theirs.
        let common = self.common("schema");
        for (place, fields) in self.of_versions("selectableFields", "selectableFields") {
            let version = place
                .strip_prefix("spec.versions[")
                .and_then(|rest| rest.split(']').next()?.parse::<usize>().ok());
            let own = versions.get(version.unwrap_or(0));
            let schema = own.and_then(|version| version.pointer("/schema/openAPIV3Schema"));
            let (has_schema, why) = match version {
                Some(_) => (common.is_none() && schema.is_some(), NO_OWN_SCHEMA),
                None => (common.is_some() && schema.is_some(), NO_SCHEMA),
            };
            if !has_schema {
                let says_some = fields.as_array().is_some_and(|fields| !fields.is_empty());
                let refused = says_some.then(|| Cause::invalid(&place, &"".into(), why));
                self.wrong.extend(refused);
                continue;
            }
            self.wrong
                .extend(check(&fields, schema.unwrap_or(&Value::Null), &place));
        }
    }
}

fn check(fields: &Value, schema: &Value, place: &str) -> Vec<Cause> {
    let mut wrong = Vec::new();
    let mut seen = BTreeSet::new();
    for (at, field) in fields.as_array().into_iter().flatten().enumerate() {
        let at = format!("{place}[{at}].jsonPath");
        let path = field["jsonPath"].as_str().unwrap_or_default();
        let invalid = |why: &str| Cause::invalid(&at, &path.into(), why);
        let found = match find(path, schema) {
            _ if path.is_empty() => {
                wrong.push(Cause::required(&at, ""));
                continue;
            }
            Err(why) => {
                wrong.push(invalid(&format!("is an invalid path: {why}")));
                continue;
            }
            Ok(found) => found,
        };
        if tokens(path).get(1) == Some(&"metadata") {
            wrong.push(invalid("must not point to fields in metadata"));
        }
        if !["string", "boolean", "integer"]
            .map(Some)
            .contains(&found["type"].as_str())
        {
            wrong.push(invalid(NO_TEXT));
        }
        if !seen.insert(path) {
            wrong.push(Cause::duplicate(&at, &path.into()));
        }
    }
    if seen.len() > MOST {
        let message = format!("Too many: {}: must have at most {MOST} items", seen.len());
        wrong.push(Cause::new("FieldValueTooMany", place, message));
    }
    wrong
}

/// The schema of the field at a path such as `.a.b`.
fn find<'s>(path: &str, schema: &'s Value) -> Result<&'s Value, String> {
    let mut tokens = tokens(path).into_iter();
    let mut schema = schema;
    while let Some(token) = tokens.next() {
        match token {
            "." => {}
            "[" => return Err("array notation is not allowed".to_owned()),
            other => return Err(format!("expected [ or . but got: {other}")),
        }
        let name = tokens.next().ok_or("unexpected end of JSON path")?;
        let named = schema["properties"].as_object();
        schema = match named.filter(|named| !named.is_empty()) {
            Some(named) => named.get(name).ok_or(NO_FIELD)?,
            None => Some(&schema["additionalProperties"])
                .filter(|values| values.is_object())
                .ok_or(NO_FIELD)?,
        };
    }
    Ok(schema)
}

/// A path in pieces: `.`, `[`, `]`, and what is between them, which may be in quotes.
fn tokens(mut path: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    while !path.is_empty() {
        let end = match path.strip_prefix('\'') {
            Some(quoted) => end_of_quote(quoted).map_or(path.len(), |end| end + 2),
            None => path.find(['.', '[', ']']).unwrap_or(path.len()).max(1),
        };
        let (token, rest) = path.split_at(end);
        tokens.push(token);
        path = rest;
    }
    tokens
}

fn end_of_quote(quoted: &str) -> Option<usize> {
    let mut quotes = quoted.match_indices('\'').map(|(at, _)| at);
    quotes.find(|at| !quoted[..*at].ends_with('\\'))
}
