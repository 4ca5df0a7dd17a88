//! Who writes a policy of admission with parameters may read these.

use serde_json::Value;

use super::{Attributes, Caller, User};
use crate::api::Target;
use crate::failure::Cause;
use crate::store::{Bucket, Key};

const GROUP: &str = "admissionregistration.k8s.io";
const ALL: &str = "*";

/// The parameters that a policy has, as far as they are known.
struct Parameters {
    group: String,
    resource: String,
    /// Why no more is known of them.
    unknown: Option<String>,
}

/// Why the caller may not write a policy or its binding as it is now; `old` is what it was.
pub(crate) fn check(target: &Target, old: Option<&Value>, new: &Value) -> Option<Cause> {
    if *target.resource.group != *GROUP || target.caller.is_unlimited() {
        return None;
    }
    match &*target.resource.plural {
        "validatingadmissionpolicies" | "mutatingadmissionpolicies" => {
            let kind = &new["spec"]["paramKind"];
            let is_same = old.is_some_and(|old| old["spec"]["paramKind"] == *kind);
            match kind.is_null() || is_same {
                true => None,
                false => policy(target, kind),
            }
        }
        "validatingadmissionpolicybindings" => binding(target, new, "validatingadmissionpolicies"),
        "mutatingadmissionpolicybindings" => binding(target, new, "mutatingadmissionpolicies"),
        _ => None,
    }
}

fn policy(target: &Target, kind: &Value) -> Option<Cause> {
    let parameters = Parameters::of_kind(target, kind);
    let reads = Attributes {
        verb: "get".to_owned(),
        group: parameters.group,
        resource: parameters.resource,
        namespace: ALL.to_owned(),
        name: ALL.to_owned(),
        ..Attributes::default()
    };
    if target.caller.may(&reads) {
        return None;
    }
    let text = |field: &str| kind[field].as_str().unwrap_or_default();
    let why = format!(
        "user {} must have \"get\" permission on all objects of the referenced paramKind (kind={}, apiVersion={})",
        shown(target.caller.user()),
        text("kind"),
        text("apiVersion")
    );
    Some(Cause::forbidden("spec.paramKind", &why))
}

fn binding(target: &Target, new: &Value, policies: &str) -> Option<Cause> {
    let reference = &new["spec"]["paramRef"];
    if reference.is_null() {
        return None;
    }
    let text = |field: &str| reference[field].as_str().unwrap_or_default().to_owned();
    let parameters = Parameters::of_policy(target, new, policies);
    let name = text("name");
    let verb = if name.is_empty() { "list" } else { "get" };
    let reads = Attributes {
        verb: verb.to_owned(),
        group: parameters.group,
        resource: parameters.resource,
        namespace: text("namespace"),
        name,
        ..Attributes::default()
    };
    let user = target.caller.user();
    let caller = Caller::new(&target.world, &target.plane, user.clone(), &reads.namespace);
    if caller.may(&reads) {
        return None;
    }
    let user = shown(user);
    let why = match parameters.unknown {
        Some(unknown) => format!(
            "{unknown} to determine minimum required permissions and user {user} does not have \"{verb}\" permission for \
             all groups, versions and resources"
        ),
        None => {
            // A real server has these the other way round.
            let (user, verb) = match policies {
                "mutatingadmissionpolicies" => (verb, &*user),
                _ => (&*user, verb),
            };
            format!(
                "user {user} does not have \"{verb}\" permission on the object referenced by paramRef"
            )
        }
    };
    Some(Cause::forbidden("spec.paramRef", &why))
}

impl Parameters {
    fn any(unknown: Option<String>) -> Self {
        Self {
            group: ALL.to_owned(),
            resource: ALL.to_owned(),
            unknown,
        }
    }

    fn of_policy(target: &Target, binding: &Value, policies: &str) -> Self {
        let name = binding["spec"]["policyName"].as_str().unwrap_or_default();
        let bucket = Bucket {
            group: GROUP.into(),
            plural: policies.into(),
        };
        match target.plane.store.kept(&bucket, &Key::new("", name)) {
            Some(policy) => match &policy.read()["spec"]["paramKind"] {
                Value::Null => Self::any(None),
                kind => Self::of_kind(target, kind),
            },
            None => Self::any(Some(format!("unable to get policy {name}"))),
        }
    }

    fn of_kind(target: &Target, said: &Value) -> Self {
        let text = |field: &str| said[field].as_str().unwrap_or_default();
        let (api_version, kind) = (text("apiVersion"), text("kind"));
        let shown = || format!("&ParamKind{{APIVersion:{api_version},Kind:{kind},}}");
        let (group, version) = match *api_version.split('/').collect::<Vec<_>>() {
            [version] => ("", version),
            [group, version] => (group, version),
            _ => return Self::any(Some(format!("unable to parse paramKind {}", shown()))),
        };
        let all = target.world.resources(&target.plane);
        let found = all.into_iter().find(|resource| {
            *resource.group == *group
                && *resource.kind == *kind
                && resource.version(version).is_some()
        });
        Self {
            group: group.to_owned(),
            unknown: match found {
                Some(_) => None,
                None => Some(format!("unable to resolve paramKind {}", shown())),
            },
            resource: found.map_or_else(|| ALL.to_owned(), |resource| resource.plural.to_string()),
        }
    }
}

/// A user, as Go prints it without names of fields.
fn shown(user: &User) -> String {
    let extra = user.extra.iter();
    let extra: Vec<String> = extra
        .map(|(key, values)| format!("{key}:[{}]", values.join(" ")))
        .collect();
    let (groups, extra) = (user.groups.join(" "), extra.join(" "));
    format!("&{{{} {} [{groups}] map[{extra}]}}", user.name, user.uid)
}
