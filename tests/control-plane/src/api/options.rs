//! What the query says about a write.

use http::header::USER_AGENT;
use serde_json::Value;

use super::Asked;
use super::query::Query;
use crate::failure::{Cause, Failure};
use crate::patch::go;

/// What happens to fields that the schema does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unknown {
    Ignore,
    Warn,
    Refuse,
}

/// How to write.
#[derive(Debug)]
pub(crate) struct WriteOptions {
    pub(crate) dry_run: bool,
    pub(crate) unknown: Unknown,
    pub(crate) manager: String,
    /// Whether the manager was named, and not read off the user agent.
    pub(crate) manager_is_named: bool,
}

impl WriteOptions {
    /// `kind` is what a refusal names: `CreateOptions`, `UpdateOptions` or `PatchOptions`.
    pub(crate) fn read(asked: &Asked, kind: &str) -> Result<Self, Failure> {
        let refuse = |cause| Failure::invalid("meta.k8s.io", kind, "", vec![cause]);
        let unknown = match asked.query.get("fieldValidation") {
            None | Some("Warn") => Unknown::Warn,
            Some("Ignore") => Unknown::Ignore,
            Some("Strict") => Unknown::Refuse,
            Some(other) => {
                let supported = "\"\", \"Ignore\", \"Strict\", \"Warn\"";
                return Err(refuse(Cause::unsupported(
                    "fieldValidation",
                    &other.into(),
                    supported,
                )));
            }
        };
        let named = asked.query.get("fieldManager");
        if named.is_some_and(|name| name.chars().count() > 128) {
            let cause = Cause::new(
                "FieldValueTooLong",
                "fieldManager",
                "Too long: may not be more than 128 bytes",
            );
            return Err(refuse(cause));
        }
        if let Some((at, odd)) = named.and_then(unprintable) {
            let why = format!(
                "invalid character U+{:04X} (at position {at})",
                u32::from(odd)
            );
            let named = go::quoted(named.unwrap_or_default());
            let message = format!("Invalid value: {named}: {why}");
            return Err(refuse(Cause::new(
                "FieldValueInvalid",
                "fieldManager",
                message,
            )));
        }
        let agent = asked
            .header(USER_AGENT)
            .unwrap_or_default()
            .split('/')
            .next()
            .unwrap_or_default();
        Ok(Self {
            dry_run: dry_run(&asked.query, kind)?,
            unknown,
            manager: named.map_or_else(|| agent.chars().take(128).collect(), str::to_owned),
            manager_is_named: named.is_some(),
        })
    }
}

/// The first character that the name of a manager must not have, and where it is.
fn unprintable(name: &str) -> Option<(usize, char)> {
    name.char_indices()
        .find(|(_, c)| c.is_control() || (c.is_whitespace() && *c != ' '))
}

/// Whether nothing is to be stored.
pub(crate) fn dry_run(query: &Query, kind: &str) -> Result<bool, Failure> {
    let given = query.all("dryRun");
    if given.iter().any(|value| *value != "All") {
        let cause = Cause::unsupported("dryRun", &Value::from(given), "\"All\"");
        return Err(Failure::invalid("meta.k8s.io", kind, "", vec![cause]));
    }
    Ok(given.contains(&"All"))
}
