//! Requests for certificates: who asks is who the caller is, what was asked stays, and who decides is not who issues.

use std::collections::{HashMap, HashSet};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::super::target::Target;
use super::fixed::forbidden_change;
use super::names;
use crate::auth::{Attributes, MASTERS};
use crate::failure::{Cause, Failure};
use crate::kinds::Resource;
use crate::object;

const GROUP: &str = "certificates.k8s.io";
const CLIENT_SIGNER: &str = "kubernetes.io/kube-apiserver-client";
const LEGACY_SIGNER: &str = "kubernetes.io/legacy-unknown";
const LEAST_SECONDS: i64 = 600;
const DECISIONS: [&str; 2] = ["Approved", "Denied"];
const USAGES: [&str; 23] = [
    "any",
    "cert sign",
    "client auth",
    "code signing",
    "content commitment",
    "crl sign",
    "data encipherment",
    "decipher only",
    "digital signature",
    "email protection",
    "encipher only",
    "ipsec end system",
    "ipsec tunnel",
    "ipsec user",
    "key agreement",
    "key encipherment",
    "microsoft sgc",
    "netscape sgc",
    "ocsp signing",
    "s/mime",
    "server auth",
    "signing",
    "timestamping",
];

pub(crate) fn is_signing_request(resource: &Resource) -> bool {
    resource.is(GROUP, "certificatesigningrequests")
}

/// The fields that nobody comes to own by writing them through an endpoint, which does not write them.
pub(super) fn not_owned(subresource: Option<&str>) -> &'static [&'static [&'static str]] {
    match subresource {
        Some("approval") => &[&["spec"], &["status", "certificate"]],
        Some(_) => &[&["spec"], &["status", "conditions"]],
        None => &[&["spec"], &["status"]],
    }
}

pub(super) fn before_create(target: &Target, request: &mut Value) -> Vec<Cause> {
    object::as_map(request).insert("status".to_owned(), json!({}));
    let user = target.caller.user();
    let spec = object::field_mut(request, "spec");
    for (field, value) in [
        ("username", json!(user.name)),
        ("uid", json!(user.uid)),
        ("groups", json!(user.groups)),
        ("extra", json!(user.extra)),
    ] {
        let is_empty = [json!(""), json!([]), json!({})].contains(&value);
        match is_empty {
            true => spec.remove(field),
            false => spec.insert(field.to_owned(), value),
        };
    }
    check_spec(spec)
}

pub(super) fn before_update(target: &Target, old: &Value, new: &mut Value) -> Vec<Cause> {
    if let Some(spec) = old.get("spec") {
        object::as_map(new).insert("spec".to_owned(), spec.clone());
    }
    let may_decide = target.subresource.as_deref() == Some("approval");
    let status = object::field_mut(new, "status");
    match target.subresource.as_deref() {
        Some("approval") => {
            let certificate = old.pointer("/status/certificate").cloned();
            match certificate {
                Some(certificate) => status.insert("certificate".to_owned(), certificate),
                None => status.remove("certificate"),
            };
            date_conditions(old, status);
        }
        Some(_) => {
            keep_decisions(old, status);
            date_conditions(old, status);
        }
        None => {}
    }
    let mut wrong = check_conditions(new);
    wrong.extend(check_certificate(new));
    for kind in DECISIONS.into_iter().chain(["Failed"]) {
        let (before, after) = (all_of(old, kind), all_of(new, kind));
        if after.len() < before.len() {
            let why = format!("updates may not remove a condition of type {kind:?}");
            wrong.push(Cause::forbidden("status.conditions", &why));
        }
    }
    for kind in DECISIONS.into_iter().filter(|_| !may_decide) {
        let (before, after) = (all_of(old, kind), all_of(new, kind));
        const PATH: &str = "status.conditions";
        let why = |what: &str| format!("updates may not {what} a condition of type {kind:?}");
        match after.len().cmp(&before.len()) {
            std::cmp::Ordering::Greater => wrong.push(Cause::forbidden(PATH, &why("add"))),
            std::cmp::Ordering::Equal => wrong.extend(forbidden_change(
                PATH,
                &why("modify"),
                "[certificates.CertificateSigningRequestCondition]",
                &json!(before),
                &json!(after),
            )),
            std::cmp::Ordering::Less => {}
        }
    }
    let before = old.pointer("/status/certificate");
    if before.is_some() && before != new.pointer("/status/certificate") {
        let why = "updates may not modify existing certificate content";
        wrong.push(Cause::forbidden("status.certificate", why));
    }
    wrong
}

/// Whether the caller may decide for the signer, or issue in its name, as it does.
pub(crate) fn check_caller(
    target: &Target,
    old: Option<&Value>,
    new: &Value,
) -> Result<(), Failure> {
    if !is_signing_request(&target.resource) {
        return Ok(());
    }
    let signer = new.pointer("/spec/signerName").and_then(Value::as_str);
    let signer = signer.unwrap_or_default();
    let refuse = |why: &str| Err(Failure::forbidden(&target.resource, object::name(new), why));
    let Some(old) = old else {
        let asks_for_masters = signer == CLIENT_SIGNER && is_of_masters(new);
        return match asks_for_masters {
            true => refuse(&format!(
                "use of {CLIENT_SIGNER} signer with {MASTERS} group is not allowed"
            )),
            false => Ok(()),
        };
    };
    let certificate = |object: &Value| object.pointer("/status/certificate").cloned();
    let verb = match target.subresource.as_deref() {
        Some("approval") => "approve",
        Some("status")
            if certificate(old) != certificate(new)
                || all_of(old, "Failed") != all_of(new, "Failed") =>
        {
            "sign"
        }
        _ => return Ok(()),
    };
    let whole_domain = signer
        .split_once('/')
        .map(|(domain, _)| format!("{domain}/*"));
    let mut names = std::iter::once(signer.to_owned()).chain(whole_domain);
    let may = names.any(|name| {
        target.caller.may(&Attributes {
            verb: verb.to_owned(),
            group: GROUP.to_owned(),
            resource: "signers".to_owned(),
            name,
            ..Attributes::default()
        })
    });
    match may {
        true => Ok(()),
        false => refuse(&format!(
            "user not permitted to {verb} requests with signerName {signer:?}"
        )),
    }
}

fn check_spec(spec: &Map<String, Value>) -> Vec<Cause> {
    let mut wrong = Vec::new();
    let request = spec.get("request").unwrap_or(&Value::Null);
    if let Some(why) = why_no_request(request) {
        wrong.push(Cause::invalid("spec.request", request, why));
    }
    let usages = spec.get("usages").and_then(Value::as_array);
    let usages = usages.map(Vec::as_slice).unwrap_or_default();
    if usages.is_empty() {
        wrong.push(Cause::required("spec.usages", ""));
    }
    let mut seen = HashSet::new();
    for (index, usage) in usages.iter().enumerate() {
        let at = format!("spec.usages[{index}]");
        if !USAGES.iter().any(|known| usage == known) {
            let supported = USAGES.map(|known| format!("{known:?}")).join(", ");
            wrong.push(Cause::unsupported(&at, usage, &supported));
        }
        if !seen.insert(usage) {
            wrong.push(Cause::duplicate(&at, usage));
        }
    }
    let signer = spec.get("signerName").and_then(Value::as_str);
    wrong.extend(check_signer(signer.unwrap_or_default()));
    if let Some(seconds) = spec.get("expirationSeconds")
        && seconds
            .as_i64()
            .is_some_and(|seconds| seconds < LEAST_SECONDS)
    {
        let why = "may not specify a duration less than 600 seconds (10 minutes)";
        wrong.push(Cause::invalid("spec.expirationSeconds", seconds, why));
    }
    wrong
}

fn why_no_request(request: &Value) -> Option<&'static str> {
    let text = pem(request);
    let Some(der) = block(&text, "CERTIFICATE REQUEST").next() else {
        return Some("PEM block type must be CERTIFICATE REQUEST");
    };
    // A sequence, as long as it says.
    let is_der = matches!(der.as_slice(), [0x30, 0x82, high, low, rest @ ..]
        if usize::from(*high) << 8 | usize::from(*low) == rest.len())
        || matches!(der.as_slice(), [0x30, 0x81, length, rest @ ..] if usize::from(*length) == rest.len());
    (!is_der).then_some("asn1: structure error: it is no certificate request")
}

fn check_signer(signer: &str) -> Vec<Cause> {
    let invalid = |value: &str, why: &str| Cause::invalid("spec.signerName", &value.into(), why);
    if signer.is_empty() {
        return vec![Cause::required("spec.signerName", "")];
    }
    if signer == LEGACY_SIGNER {
        let why = "the legacy signerName is not allowed via this API version";
        return vec![invalid(signer, why)];
    }
    let segments: Vec<&str> = signer.split('/').collect();
    let [domain, path] = segments.as_slice() else {
        let why = "must be a fully qualified domain and path of the form 'example.com/signer-name'";
        return vec![invalid(signer, why)];
    };
    let labels = |of: &str, check: fn(&str) -> Option<&'static str>| -> Vec<Cause> {
        let labels = of.split('.');
        let wrong = labels.filter_map(|label| Some((label, check(label)?)));
        wrong
            .map(|(label, why)| invalid(of, &format!("validating label {label:?}: {why}")))
            .collect()
    };
    let mut wrong = labels(domain, names::label);
    if !domain.contains('.') {
        let why = "should be a domain with at least two segments separated by dots";
        wrong.push(invalid(domain, why));
    }
    wrong.extend(labels(path, names::subdomain));
    wrong
}

fn conditions(request: &Value) -> impl Iterator<Item = &Value> {
    let conditions = request
        .pointer("/status/conditions")
        .and_then(Value::as_array);
    conditions.into_iter().flatten()
}

fn all_of<'a>(request: &'a Value, kind: &str) -> Vec<&'a Value> {
    conditions(request)
        .filter(|condition| condition["type"] == kind)
        .collect()
}

fn check_conditions(request: &Value) -> Vec<Cause> {
    let mut wrong = Vec::new();
    let (mut seen, mut decided) = (HashSet::new(), None);
    for (index, condition) in conditions(request).enumerate() {
        let at = |field: &str| format!("status.conditions[{index}].{field}");
        let text = |field: &str| condition[field].as_str().unwrap_or_default();
        let (kind, status) = (text("type"), text("status"));
        if kind.is_empty() {
            wrong.push(Cause::required(&at("type"), ""));
        }
        let is_decision = DECISIONS.contains(&kind);
        let allowed: &[&str] = match is_decision || kind == "Failed" {
            true => &["True"],
            false => &["False", "True", "Unknown"],
        };
        if status.is_empty() {
            wrong.push(Cause::required(&at("status"), ""));
        } else if !allowed.contains(&status) {
            let supported: Vec<String> =
                allowed.iter().map(|status| format!("{status:?}")).collect();
            let supported = supported.join(", ");
            wrong.push(Cause::unsupported(
                &at("status"),
                &status.into(),
                &supported,
            ));
        }
        if is_decision && *decided.get_or_insert(kind) != kind {
            let why = "Approved and Denied conditions are mutually exclusive";
            wrong.push(Cause::invalid("status.conditions", &kind.into(), why));
        }
        if !seen.insert(kind) {
            wrong.push(Cause::duplicate(&at("type"), &kind.into()));
        }
    }
    wrong
}

fn check_certificate(request: &Value) -> Option<Cause> {
    let certificate = request.pointer("/status/certificate")?;
    let is_one = block(&pem(certificate), "CERTIFICATE").next().is_some();
    let why = "must contain at least one CERTIFICATE PEM block";
    (!is_one).then(|| Cause::invalid("status.certificate", &"<certificate data>".into(), why))
}

/// What was decided stays as it was said.
fn keep_decisions(old: &Value, status: &mut Map<String, Value>) {
    let new = json!({"status": status});
    for kind in DECISIONS {
        let known = all_of(old, kind);
        if known.len() != all_of(&new, kind).len() {
            continue;
        }
        let conditions = status.get_mut("conditions").and_then(Value::as_array_mut);
        let same = conditions.into_iter().flatten();
        let same = same.filter(|condition| condition["type"] == kind);
        for (condition, known) in same.zip(known) {
            *condition = known.clone();
        }
    }
}

/// Says when conditions were set, where nobody has.
fn date_conditions(old: &Value, status: &mut Map<String, Value>) {
    let state = |condition: &Value| (condition["type"].clone(), condition["status"].clone());
    let mut known = HashMap::new();
    for condition in conditions(old) {
        let since = condition["lastTransitionTime"].clone();
        known.entry(state(condition)).or_insert(since);
    }
    let list = status.get_mut("conditions").and_then(Value::as_array_mut);
    for condition in list.into_iter().flatten() {
        let since = known.get(&state(condition)).cloned();
        let now = Value::from(object::now());
        for (field, time) in [
            ("lastUpdateTime", now.clone()),
            (
                "lastTransitionTime",
                since.filter(|since| !since.is_null()).unwrap_or(now),
            ),
        ] {
            if condition[field].is_null() {
                condition[field] = time;
            }
        }
    }
}

/// The text that a field holds in base64.
fn pem(field: &Value) -> String {
    let bytes = STANDARD.decode(field.as_str().unwrap_or_default());
    String::from_utf8(bytes.unwrap_or_default()).unwrap_or_default()
}

/// The blocks of a kind.
fn block<'a>(text: &'a str, kind: &str) -> impl Iterator<Item = Vec<u8>> + 'a {
    let (begin, end) = (
        format!("-----BEGIN {kind}-----"),
        format!("-----END {kind}-----"),
    );
    let blocks = text
        .split(begin.as_str())
        .skip(1)
        .map(str::to_owned)
        .collect::<Vec<_>>();
    blocks.into_iter().filter_map(move |rest| {
        let (body, _) = rest.split_once(end.as_str())?;
        let body: String = body.split_whitespace().collect();
        STANDARD.decode(body).ok()
    })
}

/// Whether one of its organizations is the group that may do everything.
fn is_of_masters(request: &Value) -> bool {
    // An attribute of a name: the identifier of organizations, and the type and the length of a text.
    const ORGANIZATION: [u8; 5] = [0x06, 0x03, 0x55, 0x04, 0x0a];
    let text = pem(request.pointer("/spec/request").unwrap_or(&Value::Null));
    let Some(der) = block(&text, "CERTIFICATE REQUEST").next() else {
        return false;
    };
    let size = ORGANIZATION.len() + 2 + MASTERS.len();
    der.windows(size).any(|part| {
        part.starts_with(&ORGANIZATION)
            && usize::from(part[ORGANIZATION.len() + 1]) == MASTERS.len()
            && part.ends_with(MASTERS.as_bytes())
    })
}
