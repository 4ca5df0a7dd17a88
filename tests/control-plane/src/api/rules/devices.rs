//! The rules of what the kinds of devices have in common: names, drivers, and what is configured.

use std::collections::HashSet;

use serde_json::Value;

use super::checks::{list, text};
use super::{csi, names};
use crate::failure::Cause;

const LONGEST_ID: usize = 32;
const IDENTIFIER: &str = "a valid C identifier must start with alphabetic character or '_', followed by a string of \
    alphanumeric characters or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName', regex used for validation is \
    '[A-Za-z_][A-Za-z0-9_]*')";
pub(super) const EFFECTS: [&str; 3] = ["NoExecute", "NoSchedule", "None"];
const LONGEST_POOL: usize = 253;
const MOST_PARAMETERS: usize = 10 * 1024;
pub(super) const MOST: usize = 32;

/// What is wrong with a list, its length first.
pub(super) fn each(
    elements: &[Value],
    most: usize,
    path: &str,
    check: impl Fn(&Value, &str) -> Vec<Cause>,
) -> Vec<Cause> {
    if elements.len() > most {
        let count = elements.len();
        let why = format!("Too many: {count}: must have at most {most} items");
        return vec![Cause::new("FieldValueTooMany", path, why)];
    }
    let elements = elements.iter().enumerate();
    elements
        .flat_map(|(index, element)| check(element, &format!("{path}[{index}]")))
        .collect()
}

/// The same where no two elements have the same key.
pub(super) fn each_once(
    elements: &[Value],
    most: usize,
    path: &str,
    key: impl Fn(&Value) -> &str,
    check: impl Fn(&Value, &str) -> Vec<Cause>,
) -> Vec<Cause> {
    let mut wrong = each(elements, most, path, check);
    if elements.len() > most {
        return wrong;
    }
    let mut seen = HashSet::new();
    for (index, element) in elements.iter().enumerate() {
        let key = key(element);
        if !seen.insert(key) {
            wrong.push(Cause::duplicate(&format!("{path}[{index}]"), &key.into()));
        }
    }
    wrong
}

pub(super) fn named(object: &Value) -> &str {
    text(object, "name")
}

pub(super) fn label(name: &str, path: &str) -> Option<Cause> {
    names::label(name).map(|why| Cause::invalid(path, &name.into(), why))
}

pub(super) fn subdomain(name: &str, path: &str) -> Option<Cause> {
    names::subdomain(name).map(|why| Cause::invalid(path, &name.into(), why))
}

/// What is wrong with the name of a pool of devices, which may have several parts.
pub(super) fn check_pool_name(name: &str, path: &str) -> Vec<Cause> {
    if name.is_empty() {
        return vec![Cause::required(path, "")];
    }
    let too_long = (name.len() > LONGEST_POOL).then(|| Cause::too_long(path, LONGEST_POOL));
    let unfit = name.split('/').filter_map(|part| subdomain(part, path));
    too_long.into_iter().chain(unfit).collect()
}

/// What is wrong with an identifier that may have a domain before it.
pub(super) fn qualified(name: &str, path: &str) -> Vec<Cause> {
    let parts: Vec<&str> = name.split('/').collect();
    let empty = |what: &str| {
        let why = format!("the {what} must not be empty");
        vec![Cause::invalid(path, &"".into(), &why)]
    };
    match parts[..] {
        [id] => identifier(id, path),
        [domain, id] => {
            let mut wrong = match domain {
                "" => empty("domain"),
                domain => csi::check_name(domain, path),
            };
            wrong.extend(match id {
                "" => empty("name"),
                id => identifier(id, path),
            });
            wrong
        }
        _ => Vec::new(),
    }
}

/// The same of one that has to have a domain.
pub(super) fn fully_qualified(name: &str, path: &str) -> Vec<Cause> {
    let mut wrong = qualified(name, path);
    if !name.contains('/') {
        let why = "a fully qualified name must be a domain and a name separated by a slash";
        wrong.push(Cause::invalid(path, &name.into(), why));
    }
    wrong
}

fn identifier(id: &str, path: &str) -> Vec<Cause> {
    let mut wrong = Vec::new();
    if id.len() > LONGEST_ID {
        wrong.push(Cause::too_long(path, LONGEST_ID));
    }
    let begins_well = id.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if !begins_well || !id.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        wrong.push(Cause::invalid(path, &id.into(), IDENTIFIER));
    }
    wrong
}

/// What is wrong with selectors; what they say in CEL is not looked at.
pub(super) fn check_selectors(selectors: &[Value], path: &str) -> Vec<Cause> {
    const NOTHING: &str = "compilation failed: ERROR: <input>:1:0: Syntax error: mismatched input '<EOF>' expecting {'[', \
        '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}";
    each(selectors, MOST, path, |selector, path| {
        let path = format!("{path}.cel");
        if selector["cel"].is_null() {
            return vec![Cause::required(&path, "")];
        }
        let says_nothing = text(&selector["cel"], "expression").is_empty();
        let path = format!("{path}.expression");
        Vec::from_iter(says_nothing.then(|| Cause::invalid(&path, &"".into(), NOTHING)))
    })
}

/// What is wrong with what a driver is told.
pub(super) fn check_config(config: &Value, path: &str) -> Vec<Cause> {
    let path = format!("{path}.opaque");
    let opaque = &config["opaque"];
    if opaque.is_null() {
        return vec![Cause::required(&path, "")];
    }
    let mut wrong = csi::check_name(text(opaque, "driver"), &format!("{path}.driver"));
    let path = format!("{path}.parameters");
    wrong.extend(match &opaque["parameters"] {
        Value::Null => Some(Cause::required(&path, "")),
        parameters if parameters.to_string().len() > MOST_PARAMETERS => {
            Some(Cause::too_long(&path, MOST_PARAMETERS))
        }
        Value::Object(_) => None,
        _ => {
            let why = "must be a valid JSON object";
            Some(Cause::invalid(&path, &"<value omitted>".into(), why))
        }
    });
    wrong
}

/// What is wrong with a class of devices.
pub(super) fn check_class(spec: &Value) -> Vec<Cause> {
    let mut wrong = check_selectors(list(spec, "selectors"), "spec.selectors");
    wrong.extend(each(
        list(spec, "config"),
        MOST,
        "spec.config",
        check_config,
    ));
    if let Some(name) = spec["extendedResourceName"].as_str()
        && !super::resources::is_extended(name)
    {
        let why = "must be a valid extended resource name";
        wrong.push(Cause::invalid(
            "spec.extendedResourceName",
            &name.into(),
            why,
        ));
    }
    wrong
}
