//! The settings of the kernel that a pod asks for.

use std::collections::HashSet;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use super::checks::{list, text};
use crate::failure::Cause;

const SYNTAX: &str = r"^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$";
/// What a pod has for itself, or shares with its node: where it says so, and the settings that belong to it.
const SHARED: [(&str, &[&str]); 2] = [
    (
        "hostIPC",
        &["kernel.shm", "kernel.msg", "kernel.sem", "fs.mqueue."],
    ),
    ("hostNetwork", &["net."]),
];

/// What is wrong with the settings of a spec, whose security context is at `path`.
pub(super) fn check(spec: &Value, path: &str) -> Vec<Cause> {
    let settings = list(&spec["securityContext"], "sysctls");
    let (mut wrong, mut seen) = (Vec::new(), HashSet::new());
    for (index, setting) in settings.iter().enumerate() {
        let path = format!("{path}.sysctls[{index}].name");
        let name = text(setting, "name");
        let shown = Value::from(name);
        let is_again = !seen.insert(name);
        if name.is_empty() {
            wrong.push(Cause::required(&path, ""));
        } else if !is_name(name) {
            let why = format!("must have at most 253 characters and match regex {SYNTAX}");
            wrong.push(Cause::invalid(&path, &shown, &why));
        } else if is_again {
            wrong.push(Cause::duplicate(&path, &shown));
        }
        let dotted = with_dots(name);
        for (field, prefixes) in SHARED {
            if spec[field] == true && prefixes.iter().any(|prefix| dotted.starts_with(prefix)) {
                let why = format!("may not be specified when '{field}' is true");
                wrong.push(Cause::invalid(&path, &shown, &why));
            }
        }
    }
    wrong
}

fn is_name(name: &str) -> bool {
    static NAME: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(SYNTAX).ok());
    name.len() <= 253 && NAME.as_ref().is_some_and(|syntax| syntax.is_match(name))
}

/// A name whose first separator is a slash has dots and slashes the other way round.
fn with_dots(name: &str) -> String {
    if name
        .find(['.', '/'])
        .and_then(|at| name[at..].chars().next())
        != Some('/')
    {
        return name.to_owned();
    }
    let other = |c: char| match c {
        '.' => '/',
        '/' => '.',
        c => c,
    };
    name.chars().map(other).collect()
}
