//! What the query says about a write.

use http::header::USER_AGENT;
use serde_json::Value;

use super::Asked;
use super::query::Query;
use super::rules::managers::{self, LONGEST_MANAGER};
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
}

impl WriteOptions {
    /// `kind` is what a refusal names: `CreateOptions` or `UpdateOptions`.
    pub(crate) fn read(asked: &Asked, kind: &str) -> Result<Self, Failure> {
        Self::unless(Vec::new(), asked, kind)
    }

    /// The same of a patch, and whether an apply takes fields from others.
    pub(crate) fn of_patch(asked: &Asked, is_apply: bool) -> Result<(Self, bool), Failure> {
        let force = asked.query.tri("force");
        let mut wrong = Vec::new();
        if is_apply && asked.query.get("fieldManager").is_none() {
            wrong.push(Cause::required(
                "fieldManager",
                "is required for apply patch",
            ));
        }
        if !is_apply && force.is_some() {
            wrong.push(Cause::forbidden(
                "force",
                "may not be specified for non-apply patch",
            ));
        }
        let options = Self::unless(wrong, asked, "PatchOptions")?;
        Ok((options, force == Some(true)))
    }

    /// With what is wrong before that.
    fn unless(mut wrong: Vec<Cause>, asked: &Asked, kind: &str) -> Result<Self, Failure> {
        let named = asked.query.get("fieldManager");
        let check = |name| managers::check_name(name, "fieldManager");
        wrong.extend(named.into_iter().flat_map(check));
        wrong.extend(check_dry_run(&asked.query));
        let unknown = match asked.query.get("fieldValidation") {
            Some("Ignore") => Unknown::Ignore,
            Some("Strict") => Unknown::Refuse,
            None | Some("Warn") => Unknown::Warn,
            Some(other) => {
                let supported = "\"\", \"Ignore\", \"Strict\", \"Warn\"";
                let field = "fieldValidation";
                wrong.push(Cause::unsupported(field, &other.into(), supported));
                Unknown::Warn
            }
        };
        if !wrong.is_empty() {
            return Err(Failure::invalid("meta.k8s.io", kind, "", wrong));
        }
        let manager = match named {
            Some(name) => name.to_owned(),
            None => user_agent(asked.header(USER_AGENT).unwrap_or_default()),
        };
        Ok(Self {
            dry_run: asked.query.all("dryRun").contains(&"All"),
            unknown,
            manager,
        })
    }
}

/// The name of a manager that is not named: what a user agent begins with.
fn user_agent(agent: &str) -> String {
    let mut name = String::new();
    let first = agent.split('/').next().unwrap_or_default();
    for letter in first.chars().filter(|letter| go::is_printed(*letter)) {
        if name.len() + letter.len_utf8() > LONGEST_MANAGER {
            break;
        }
        name.push(letter);
    }
    name
}

/// Whether nothing is to be stored.
pub(crate) fn dry_run(query: &Query, kind: &str) -> Result<bool, Failure> {
    match check_dry_run(query) {
        Some(cause) => Err(Failure::invalid("meta.k8s.io", kind, "", vec![cause])),
        None => Ok(query.all("dryRun").contains(&"All")),
    }
}

fn check_dry_run(query: &Query) -> Option<Cause> {
    let given = query.all("dryRun");
    let is_known = given.iter().all(|value| *value == "All");
    (!is_known).then(|| Cause::unsupported("dryRun", &Value::from(given), "\"All\""))
}
