//! How to delete: what the body of a deletion says, or else its query.

use serde_json::{Value, json};

use super::query::Query;
use super::read::number;
use super::{Asked, body, media_type, protobuf, scheme, yaml};
use crate::failure::{Cause, Failure};
use crate::kinds::Resource;
use crate::object;
use crate::patch::go;

const KIND: &str = "DeleteOptions";

/// What becomes of the dependents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Policy {
    /// They go first.
    Foreground,
    /// They go afterwards.
    Background,
    /// They stay.
    Orphan,
}

/// How to delete.
#[derive(Clone, Debug, Default)]
pub(crate) struct DeleteOptions {
    pub(crate) policy: Option<Policy>,
    pub(crate) uid: Option<String>,
    resource_version: Option<String>,
    pub(super) dry_run: bool,
    /// The old way to ask for a cascade, which is answered 202 if it takes its time.
    pub(super) cascades: bool,
    pub(super) grace: Option<i64>,
}

impl DeleteOptions {
    /// Background deletion of one object, and no other of its name.
    pub(crate) fn of(object: &Value, policy: Option<Policy>) -> Self {
        Self {
            policy,
            uid: Some(object::uid(object).to_owned()),
            ..Self::default()
        }
    }

    /// Deletion of one object, if it is still as it was.
    pub(crate) fn of_state(object: &Value, policy: Policy) -> Self {
        Self {
            resource_version: object::meta(object, "resourceVersion").map(str::to_owned),
            ..Self::of(object, Some(policy))
        }
    }

    pub(super) fn read(asked: &Asked) -> Result<Self, Failure> {
        if asked.body.is_empty() {
            number(asked, "gracePeriodSeconds")?;
            return Self::from_body(&json!({}), &asked.query);
        }
        let parsed = match &*media_type::of(asked) {
            "" | "application/json" => body::parse_json(&asked.body),
            "application/yaml" => Ok(yaml::read(&asked.body).map_err(Failure::bad_request)?),
            protobuf::MEDIA_TYPE => Ok(protobuf::read(&asked.body).map_err(Failure::bad_request)?),
            _ => return Err(body::unknown_format()),
        };
        let body = parsed
            .and_then(|body| body::names_its_kind(&body).map(|()| body))
            .map_err(|why| Failure::bad_request(body::no_kind(&why)))?;
        check_kind(&body)?;
        mistyped(&body).map_or(Ok(()), |why| Err(Failure::bad_request(why)))?;
        // Who sends a body says it all there.
        Self::from_body(&body, &Query::default())
    }

    /// Reads what a body says, and in its place the query.
    pub(super) fn from_body(body: &Value, query: &Query) -> Result<Self, Failure> {
        let text = |pointer: &str| {
            body.pointer(pointer)
                .and_then(Value::as_str)
                .map(str::to_owned)
        };
        let flag = |name: &str| {
            let said = body.get(name).and_then(Value::as_bool);
            said.or(query.tri(name))
        };
        // To say nothing there is to say something.
        let said = text("/propagationPolicy")
            .or_else(|| query.raw("propagationPolicy").map(str::to_owned));
        let orphans = flag("orphanDependents");
        let mut wrong = Vec::new();
        if said.is_some() && orphans.is_some() {
            let why = "orphanDependents and deletionPropagation cannot be both set";
            wrong.push(Cause::invalid("propagationPolicy", &json!(said), why));
        }
        let policy = match (said.as_deref(), orphans) {
            (Some("Foreground"), _) => Some(Policy::Foreground),
            (Some("Background"), _) | (None, Some(false)) => Some(Policy::Background),
            (Some("Orphan"), _) | (None, Some(true)) => Some(Policy::Orphan),
            (None, None) => None,
            (Some(other), _) => {
                let known = "\"Foreground\", \"Background\", \"Orphan\", \"nil\"";
                wrong.push(Cause::unsupported(
                    "propagationPolicy",
                    &other.into(),
                    known,
                ));
                None
            }
        };
        let dry_runs = dry_runs(body, query);
        if dry_runs.iter().any(|value| *value != "All") {
            wrong.push(Cause::unsupported("dryRun", &json!(dry_runs), "\"All\""));
        }
        if !wrong.is_empty() {
            return Err(Failure::invalid("meta.k8s.io", "DeleteOptions", "", wrong));
        }
        let asked = |name| {
            let asked = query.get(name).filter(|value| !value.is_empty());
            asked.map(str::to_owned)
        };
        Ok(Self {
            policy,
            uid: text("/preconditions/uid").or_else(|| asked("uid")),
            resource_version: text("/preconditions/resourceVersion")
                .or_else(|| asked("resourceVersion")),
            dry_run: !dry_runs.is_empty(),
            cascades: orphans == Some(false),
            grace: body
                .get("gracePeriodSeconds")
                .and_then(Value::as_i64)
                .or_else(|| query.get("gracePeriodSeconds")?.parse().ok())
                // Less than nothing is a second.
                .map(|grace: i64| if grace < 0 { 1 } else { grace }),
        })
    }

    /// Who meant an object in one state means it in the next, which the server has brought about itself.
    pub(super) fn follow(&mut self, object: &Value) {
        if let Some(version) = &mut self.resource_version {
            *version = object::revision(object).to_string();
        }
    }

    /// Whether it says which state of the object is meant.
    pub(super) fn says_state(&self) -> bool {
        self.resource_version.is_some()
    }

    /// From here on the object is meant as it is, whatever was said.
    pub(super) fn mean(&mut self, object: &Value) {
        self.resource_version = Some(object::revision(object).to_string());
    }

    pub(super) fn check(&self, resource: &Resource, object: &Value) -> Result<(), Failure> {
        let name = object::name(object);
        let (uid, version) = (
            object::uid(object),
            object::meta(object, "resourceVersion").unwrap_or_default(),
        );
        let is_namespace = resource.is("", "namespaces");
        let of_namespace = |what: &str, wanted: &str, found: &str| {
            let why = format!(
                "Precondition failed: {what} in precondition: {wanted}, {what} in object meta: {found}"
            );
            Failure::conflict(resource, name, &why)
        };
        if let Some(wanted) = self.uid.as_deref().filter(|wanted| *wanted != uid) {
            if is_namespace {
                return Err(of_namespace("UID", wanted, uid));
            }
            let why = format!(
                "the UID in the precondition ({wanted}) does not match the UID in record ({uid}). The object might \
                 have been deleted and then recreated"
            );
            return Err(Failure::precondition(resource, name, &why));
        }
        if let Some(wanted) = self
            .resource_version
            .as_deref()
            .filter(|wanted| *wanted != version)
        {
            if is_namespace {
                return Err(of_namespace("ResourceVersion", wanted, version));
            }
            let why = format!(
                "the ResourceVersion in the precondition ({wanted}) does not match the ResourceVersion in record \
                 ({version}). The object might have been modified"
            );
            return Err(Failure::precondition(resource, name, &why));
        }
        Ok(())
    }
}

/// How it is only to be tried, as the body says it, or the query.
pub(super) fn dry_runs<'v>(body: &'v Value, query: &'v Query) -> Vec<&'v str> {
    let said = body.get("dryRun").and_then(Value::as_array);
    match said.filter(|said| !said.is_empty()) {
        Some(said) => said
            .iter()
            .map(|value| value.as_str().unwrap_or_default())
            .collect(),
        None => query.all("dryRun"),
    }
}

type Is = fn(&Value) -> bool;

/// The fields of a body: the Go struct that holds them, the path, the type there, and whether a value is of it.
const FIELDS: [(&str, &str, &str, Is); 9] = [
    (
        "DeleteOptions",
        "gracePeriodSeconds",
        "int64",
        Value::is_i64,
    ),
    (
        "DeleteOptions",
        "preconditions",
        "v1.Preconditions",
        Value::is_object,
    ),
    (
        "Preconditions",
        "preconditions.uid",
        "types.UID",
        Value::is_string,
    ),
    (
        "Preconditions",
        "preconditions.resourceVersion",
        "string",
        Value::is_string,
    ),
    (
        "DeleteOptions",
        "orphanDependents",
        "bool",
        Value::is_boolean,
    ),
    (
        "DeleteOptions",
        "propagationPolicy",
        "v1.DeletionPropagation",
        Value::is_string,
    ),
    ("DeleteOptions", "dryRun", "[]string", Value::is_array),
    (
        "DeleteOptions",
        "ignoreStoreReadErrorWithClusterBreakingPotential",
        "bool",
        Value::is_boolean,
    ),
    ("DeleteOptions", "dryRun/0", "string", Value::is_string),
];

/// The first field of a body that has another type than Go's.
fn mistyped(body: &Value) -> Option<String> {
    FIELDS.iter().find_map(|(holder, path, wanted, fits)| {
        let value = body.pointer(&format!("/{}", path.replace('.', "/")))?;
        if value.is_null() || fits(value) {
            return None;
        }
        let got = match value {
            Value::Number(number) if *wanted == "int64" => format!("number {number}"),
            _ => go::json_kind(value).to_owned(),
        };
        let path = path.trim_end_matches("/0");
        Some(format!(
            "json: cannot unmarshal {got} into Go struct field {holder}.{path} of type {wanted}"
        ))
    })
}

/// Whether the body is what it has to be, if it says what it is.
fn check_kind(body: &Value) -> Result<(), Failure> {
    let text = |field: &str| {
        let value = body.get(field).and_then(Value::as_str);
        value.unwrap_or_default()
    };
    let kind = text("kind");
    if ["", KIND].contains(&kind) {
        return Ok(());
    }
    let version = match text("apiVersion") {
        "" => scheme::META,
        version => version,
    };
    Err(Failure::bad_request(
        match scheme::go_type_of_options(version, kind) {
            Some(of) => scheme::unconverted(&of, &format!("v1.{KIND}")),
            None => body::unregistered(kind, version),
        },
    ))
}
