//! What names may look like.

use std::collections::{BTreeSet, HashSet};
use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use super::super::target::Target;
use super::administration;
use crate::failure::{Cause, Failure};
use crate::kinds::Resource;
use crate::object;
use crate::patch::go;
use crate::schema::LABEL as LABEL_1035;

const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', \
    and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is \
    '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const SEARCH: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', \
    and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is \
    '_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\\._?[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*')";
const WILDCARD: &str = "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must \
    consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. \
    '*.example.com', regex used for validation is \
    '\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must \
    start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is \
    '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const LABEL_VALUE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or \
    '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex \
    used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
const QUALIFIED: &str = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an \
    alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is \
    '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const CONFIG_KEY: &str = "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. \
    'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";

/// What is wrong with a name, if there is something.
pub(super) type Rule = fn(&str) -> Option<&'static str>;

fn is_label(name: &str) -> bool {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    !name.is_empty() && name.chars().all(inner) && !name.starts_with('-') && !name.ends_with('-')
}

/// What is wrong with a DNS label.
pub(crate) fn label(name: &str) -> Option<&'static str> {
    match is_label(name) {
        true if name.len() > 63 => Some("must be no more than 63 characters"),
        true => None,
        false if is_subdomain(name) => Some("must not contain dots"),
        false => Some(LABEL),
    }
}

/// What is wrong with a DNS label that has to begin with a letter.
pub(crate) fn label_1035(name: &str) -> Vec<&'static str> {
    let too_long = (name.len() > 63).then_some("must be no more than 63 characters");
    let begins_well = name.starts_with(|c: char| c.is_ascii_lowercase());
    let unfit = (!begins_well || !is_label(name)).then_some(LABEL_1035);
    too_long.into_iter().chain(unfit).collect()
}

/// What is wrong with labels and the dots between them.
pub(crate) fn subdomain(name: &str) -> Option<&'static str> {
    match is_subdomain(name) {
        true => None,
        false if name.len() > 253 && name.split('.').all(is_label) => {
            Some("must be no more than 253 characters")
        }
        false => Some(SUBDOMAIN),
    }
}

/// What is wrong with a domain that names are looked for in, whose parts may have underscores.
pub(super) fn search(name: &str) -> Vec<&'static str> {
    static SYNTAX: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"^_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\._?[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*$").ok()
    });
    let too_long = (name.len() > 253).then_some("must be no more than 253 characters");
    let fits = SYNTAX.as_ref().is_some_and(|syntax| syntax.is_match(name));
    too_long
        .into_iter()
        .chain((!fits).then_some(SEARCH))
        .collect()
}

/// What is wrong with a subdomain whose first part stands for any.
pub(super) fn wildcard(name: &str) -> Option<&'static str> {
    let is_wildcard = name.strip_prefix("*.").is_some_and(is_subdomain);
    (!is_wildcard).then_some(WILDCARD)
}

/// What is wrong with a name that stands in paths.
pub(super) fn path_segment(name: &str, path: &str) -> Vec<Cause> {
    let unfit = unfit_for_paths(name).into_iter();
    unfit
        .map(|why| Cause::invalid(path, &name.into(), &why))
        .collect()
}

/// Why a name cannot stand in a path.
pub(crate) fn unfit_for_paths(name: &str) -> Vec<String> {
    if name == "." || name == ".." {
        return vec![format!("may not be '{name}'")];
    }
    let unfit = ['/', '%'].into_iter().filter(|unfit| name.contains(*unfit));
    unfit
        .map(|unfit| format!("may not contain '{unfit}'"))
        .collect()
}

fn is_subdomain(name: &str) -> bool {
    name.len() <= 253 && name.split('.').all(is_label)
}

fn is_name_part(name: &str) -> bool {
    static SYNTAX: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new("^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$").ok());
    SYNTAX.as_ref().is_some_and(|syntax| syntax.is_match(name))
}

/// What is wrong with a name that may have a domain before it, as keys of labels have.
pub(crate) fn qualified(name: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let parts: Vec<&str> = name.split('/').collect();
    let part = match parts[..] {
        [part] => part,
        [prefix, part] => {
            if prefix.is_empty() {
                wrong.push("prefix part must be non-empty".to_owned());
            } else if !is_subdomain(prefix) {
                wrong.push(format!("prefix part {SUBDOMAIN}"));
            }
            part
        }
        _ => {
            return vec![format!(
                "a valid label key {QUALIFIED} with an optional DNS subdomain prefix and '/' (e.g. \
                 'example.com/MyName')"
            )];
        }
    };
    if part.is_empty() {
        wrong.push("name part must be non-empty".to_owned());
    } else if part.len() > 63 {
        wrong.push("name part must be no more than 63 bytes".to_owned());
    }
    if !is_name_part(part) {
        wrong.push(format!("name part {QUALIFIED}"));
    }
    wrong
}

/// What is wrong with the name of an object itself, and with what it is to begin with.
pub(super) fn own_name(target: &Target, object: &Value) -> Vec<Cause> {
    let name = object::name(object);
    if name.is_empty() {
        return vec![Cause::required(
            "metadata.name",
            "name or generateName is required",
        )];
    }
    let prefix = object::meta(object, "generateName").unwrap_or_default();
    // A dash at the end will have something after it.
    let begun = match prefix.strip_suffix('-').map(str::char_indices) {
        Some(mut rest) => match rest.next_back() {
            Some((at, _)) => format!("{}a", prefix.get(..at).unwrap_or_default()),
            None => prefix.to_owned(),
        },
        None => prefix.to_owned(),
    };
    // Of some the name is looked at that comes of it.
    let is_open = matches!(
        (&*target.resource.group, target.resource.kind.as_str()),
        ("", "ReplicationController") | ("resource.k8s.io", "DeviceClass")
    );
    let of_prefix = (!prefix.is_empty() && !is_open)
        .then(|| why_not(target, object, &begun))
        .flatten();
    let of_prefix =
        of_prefix.map(|why| Cause::invalid("metadata.generateName", &prefix.into(), &why));
    if target.resource.is("apiregistration.k8s.io", "apiservices") {
        let unfit = path_segment(name, "metadata.name");
        if !unfit.is_empty() {
            return unfit;
        }
    }
    let of_name = why_not(target, object, name);
    let of_name = of_name.map(|why| Cause::invalid("metadata.name", &name.into(), &why));
    of_prefix.into_iter().chain(of_name).collect()
}

/// What is wrong with what the name of an object is to begin with, as it is to stand in paths.
pub(super) fn begun_in_paths(object: &Value) -> Vec<Cause> {
    let prefix = object::meta(object, "generateName").unwrap_or_default();
    match prefix {
        "." | ".." => Vec::new(),
        _ => path_segment(prefix, "metadata.generateName"),
    }
}

/// Why an object cannot be called so.
fn why_not(target: &Target, object: &Value, name: &str) -> Option<String> {
    let (group, kind) = (&*target.resource.group, target.resource.kind.as_str());
    match (group, kind) {
        ("rbac.authorization.k8s.io", _) | ("", "Event") | ("policy", "PodDisruptionBudget") => {
            match name {
                "." | ".." => Some(format!("may not be '{name}'")),
                _ if name.contains('/') => Some("may not contain '/'".to_owned()),
                _ if name.contains('%') => Some("may not contain '%'".to_owned()),
                _ => None,
            }
        }
        ("networking.k8s.io", kind @ "IPAddress") | ("apiregistration.k8s.io", kind) => {
            administration::check_own_name(kind, object)
        }
        ("certificates.k8s.io", "CertificateSigningRequest") => None,
        ("apps", "StatefulSet") => label(name).map(str::to_owned),
        ("", "Namespace" | "Service") if name.len() > 63 => {
            Some("must be no more than 63 characters".to_owned())
        }
        ("", "Namespace" | "Service") => label(name).map(str::to_owned),
        _ if name.len() > 253 => Some("must be no more than 253 characters".to_owned()),
        _ => (!is_subdomain(name)).then(|| SUBDOMAIN.to_owned()),
    }
}

/// What is wrong with the value of a label.
pub(crate) fn label_value(value: &str) -> Option<&'static str> {
    if value.len() > 63 {
        return Some("must be no more than 63 bytes");
    }
    (!value.is_empty() && !is_name_part(value)).then_some(LABEL_VALUE)
}

/// What is wrong with labels and the keys of annotations.
pub(super) fn labels(object: &Value) -> Vec<Cause> {
    let map = |field: &str| {
        object
            .pointer(&format!("/metadata/{field}"))
            .and_then(Value::as_object)
    };
    let mut wrong = Vec::new();
    for (key, value) in map("labels").into_iter().flatten() {
        wrong.extend(
            qualified(key)
                .iter()
                .map(|why| Cause::invalid("metadata.labels", &key.as_str().into(), why)),
        );
        let why = label_value(value.as_str().unwrap_or_default());
        wrong.extend(why.map(|why| Cause::invalid("metadata.labels", value, why)));
    }
    let annotations = object.pointer("/metadata/annotations");
    wrong.extend(
        annotations
            .into_iter()
            .flat_map(|all| self::annotations(all, "metadata.annotations")),
    );
    wrong
}

/// What is wrong with the keys of annotations, and with how much they say.
pub(super) fn annotations(all: &Value, path: &str) -> Vec<Cause> {
    let mut wrong = Vec::new();
    let mut size = 0;
    for (key, value) in all.as_object().into_iter().flatten() {
        let reasons = qualified(&key.to_lowercase());
        let reasons = reasons.iter();
        wrong.extend(reasons.map(|why| Cause::invalid(path, &key.as_str().into(), why)));
        size += key.len() + value.as_str().unwrap_or_default().len();
    }
    if size > MOST_ANNOTATIONS {
        wrong.push(Cause::too_long(path, MOST_ANNOTATIONS));
    }
    wrong
}

/// How many bytes the annotations of an object may have, keys and values together.
const MOST_ANNOTATIONS: usize = 256 * 1024;

/// A name in a path has to be one that could be kept.
pub(crate) fn check_segment(name: &str) -> Result<(), Failure> {
    let unfit = unfit_for_paths(name);
    if unfit.is_empty() {
        return Ok(());
    }
    Err(Failure::bad_request(format!(
        "Name parameter invalid: {}: {}",
        go::quoted(name),
        unfit.join(";")
    )))
}

/// What is wrong with the finalizers of an object of whatever kind.
pub(super) fn finalizers(object: &Value) -> Vec<Cause> {
    let each = object::finalizers(object);
    let each = each.flat_map(|finalizer| unqualified(FINALIZERS, finalizer));
    finalizers_at_odds(object).into_iter().chain(each).collect()
}

/// Finalizers of Kubernetes' own kinds have a domain.
pub(super) fn kubernetes_finalizers(target: &Target, object: &Value) -> Vec<Cause> {
    if !need_domains(&target.resource) {
        return Vec::new();
    }
    let each = object::finalizers(object).enumerate();
    each.filter_map(|(index, finalizer)| {
        of_no_standard(&format!("{FINALIZERS}[{index}]"), finalizer)
    })
    .collect()
}

/// Some kinds are not held to it, and custom resources, whose writers are warned.
fn need_domains(resource: &Resource) -> bool {
    const FREE: [(&str, &str); 3] = [
        ("", "events"),
        ("coordination.k8s.io", "leases"),
        ("policy", "poddisruptionbudgets"),
    ];
    const FREE_GROUPS: [&str; 4] = [
        "admissionregistration.k8s.io",
        "apiextensions.k8s.io",
        "apiregistration.k8s.io",
        "node.k8s.io",
    ];
    let group = &*resource.group;
    let is_free = FREE
        .iter()
        .any(|(group, plural)| resource.is(group, plural));
    !resource.is_crd() && !is_free && !FREE_GROUPS.contains(&group)
}

/// What the writer of a custom resource should know of the finalizers that are new.
pub(super) fn finalizer_advice(old: Option<&Value>, object: &Value) -> Vec<String> {
    let old: HashSet<&str> = old.into_iter().flat_map(object::finalizers).collect();
    let new: BTreeSet<&str> = object::finalizers(object)
        .filter(|finalizer| !old.contains(finalizer) && lacks_domain(finalizer))
        .collect();
    let told = |finalizer: &str| {
        let missing = match finalizer.contains('.') {
            true => " including a path (/)",
            false => "",
        };
        format!(
            "{FINALIZERS}: {finalizer:?}: prefer a domain-qualified finalizer name{missing} to avoid accidental \
             conflicts with other finalizer writers"
        )
    };
    new.into_iter().map(told).collect()
}

const FINALIZERS: &str = "metadata.finalizers";

/// Two finalizers that want the opposite of one another.
fn finalizers_at_odds(object: &Value) -> Option<Cause> {
    let has = |wanted: &str| object::finalizers(object).any(|finalizer| finalizer == wanted);
    let are_both_set = has("orphan") && has("foregroundDeletion");
    are_both_set.then(|| {
        const WHY: &str = "finalizer orphan and foregroundDeletion cannot be both set";
        let all = &object["metadata"]["finalizers"];
        Cause::invalid("metadata.finalizers", all, WHY)
    })
}

/// The same of the finalizers in the spec of a namespace; of one that is new it is not told which of them is wrong.
pub(super) fn namespace_finalizers(namespace: &Value, is_new: bool) -> Vec<Cause> {
    let list = namespace
        .pointer("/spec/finalizers")
        .and_then(Value::as_array);
    let each = list.into_iter().flatten().enumerate();
    each.flat_map(|(index, finalizer)| {
        let field = match is_new {
            true => "spec.finalizers",
            false => &format!("spec.finalizers[{index}]"),
        };
        let finalizer = finalizer.as_str().unwrap_or_default();
        let mut wrong = unqualified(field, finalizer);
        wrong.extend(of_no_standard(field, finalizer));
        wrong
    })
    .collect()
}

fn unqualified(field: &str, finalizer: &str) -> Vec<Cause> {
    let causes = qualified(finalizer);
    causes
        .iter()
        .map(|why| Cause::invalid(field, &finalizer.into(), why))
        .collect()
}

fn of_no_standard(field: &str, finalizer: &str) -> Option<Cause> {
    const WHY: &str = "name is neither a standard finalizer name nor is it fully qualified";
    lacks_domain(finalizer).then(|| Cause::invalid(field, &finalizer.into(), WHY))
}

fn lacks_domain(finalizer: &str) -> bool {
    const STANDARD: [&str; 3] = ["kubernetes", "orphan", "foregroundDeletion"];
    !finalizer.contains('/') && !STANDARD.contains(&finalizer)
}

/// What is wrong with a key of a ConfigMap or a Secret.
pub(super) fn config_key(key: &str) -> Vec<&'static str> {
    let is_known = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    let is_key = !key.is_empty() && key.chars().all(is_known);
    let too_long = (key.len() > 253).then_some("must be no more than 253 characters");
    let unfit = (!is_key).then_some(CONFIG_KEY);
    let steps_back = match key {
        "." => Some("must not be '.'"),
        ".." => Some("must not be '..'"),
        _ if key.starts_with("..") => Some("must not start with '..'"),
        _ => None,
    };
    let reasons = too_long.into_iter().chain(unfit).chain(steps_back);
    reasons.collect()
}

/// What is wrong with the keys of a ConfigMap or a Secret.
pub(super) fn data_keys(object: &Value) -> Vec<Cause> {
    let keys = |field: &str| object[field].as_object().into_iter().flatten();
    let mut wrong = Vec::new();
    for field in ["data", "binaryData"] {
        for (key, _) in keys(field) {
            let at = format!("{field}[{key}]");
            let reasons = config_key(key).into_iter();
            wrong.extend(reasons.map(|why| Cause::invalid(&at, &key.as_str().into(), why)));
            if field == "data" && object["binaryData"].get(key).is_some() {
                wrong.push(Cause::invalid(
                    &at,
                    &key.as_str().into(),
                    "duplicate of key present in binaryData",
                ));
            }
        }
    }
    wrong
}
