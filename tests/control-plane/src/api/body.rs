//! Reading objects from bodies, and bringing them into the form of their schema.

use http::header::CONTENT_TYPE;
use serde_json::Value;

use super::options::Unknown;
use super::target::Target;
use super::view::convert_event;
use super::{Asked, protobuf, rules};
use crate::failure::{Cause, Failure};
use crate::kinds::{Resource, Shape};
use crate::object;
use crate::schema;

/// The media type of the body, without its parameters.
pub(crate) fn media_type(asked: &Asked) -> &str {
    asked
        .header(CONTENT_TYPE)
        .unwrap_or_default()
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
}

/// Reads the object of a create or an update.
pub(crate) fn read(target: &Target, asked: &Asked) -> Result<Value, Failure> {
    let parsed = match media_type(asked) {
        "" | "application/json" => parse_json(&asked.body),
        "application/yaml" => parse_yaml(&asked.body),
        protobuf::MEDIA_TYPE if !target.resource.is_crd() => {
            let object = protobuf::read(&asked.body).map_err(Failure::bad_request)?;
            check_kind(target, &object).map_err(Failure::bad_request)?;
            return Ok(object);
        }
        _ => {
            return Err(Failure::new(
                http::StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "UnsupportedMediaType",
                "the body of the request was in an unknown format - accepted media types include: application/json, \
                 application/yaml, application/vnd.kubernetes.protobuf",
            ));
        }
    };
    let unrecognized = |why: &str| {
        let text = String::from_utf8_lossy(&asked.body);
        let mut shown: String = text.chars().take(30).collect();
        if shown.len() < text.len() {
            shown.push_str(" ...");
        }
        let kind = &target.resource.kind;
        Failure::bad_request(format!(
            "the object provided is unrecognized (must be of type {kind}): {why} ({shown})"
        ))
    };
    let mut object = parsed.map_err(|why| {
        unrecognized(&format!(
            "couldn't get version/kind; json parse error: {why}"
        ))
    })?;
    if !object.is_object() {
        return Err(unrecognized(
            "couldn't get version/kind; json parse error: json: cannot unmarshal into Go value",
        ));
    }
    let text = |field: &str| {
        object
            .get(field)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let (kind, api_version) = (text("kind"), text("apiVersion"));
    if target.resource.is_crd() {
        for (field, value) in [("Kind", &kind), ("apiVersion", &api_version)] {
            if value.is_empty() {
                let body = String::from_utf8_lossy(&asked.body);
                return Err(unrecognized(&format!(
                    "Object '{field}' is missing in '{body}'"
                )));
            }
        }
    }
    if kind.is_empty() {
        object["kind"] = target.resource.kind.clone().into();
    }
    if api_version.is_empty() {
        object["apiVersion"] = target.api_version().into();
    }
    check_kind(target, &object).map_err(Failure::bad_request)?;
    Ok(object)
}

/// Whether the object says that it is of the target's kind and version.
pub(crate) fn check_kind(target: &Target, object: &Value) -> Result<(), String> {
    let text = |field: &str| {
        object
            .get(field)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let (kind, api_version, expected) = (text("kind"), text("apiVersion"), target.api_version());
    if api_version != expected && target.resource.is_crd() {
        return Err(format!(
            "the API version in the data ({api_version}) does not match the expected API version ({expected})"
        ));
    }
    // A CRD's kind is checked with the rest of the object.
    let is_it = kind == target.resource.kind && api_version == expected;
    if !is_it && !target.resource.is_crd() {
        let version = api_version.rsplit('/').next().unwrap_or_default();
        let must = &target.resource.kind;
        let why = match target.world.registry.of_kind(api_version, kind) {
            Some(_) => format!(
                "converting ({version}.{kind}) to ({}.{must}): unknown conversion",
                internal(&target.resource.group)
            ),
            None => unregistered(kind, api_version),
        };
        return Err(format!(
            "{kind} in version \"{version}\" cannot be handled as a {must}: {why}"
        ));
    }
    Ok(())
}

/// How a group is called where its types have no version.
pub(super) fn internal(group: &str) -> &str {
    match group {
        "" => "core",
        group => group.split('.').next().unwrap_or(group),
    }
}

fn unregistered(kind: &str, api_version: &str) -> String {
    format!(
        "no kind \"{kind}\" is registered for version \"{api_version}\" in scheme \"pkg/runtime/scheme.go:111\""
    )
}

/// Reads JSON, in the words of the server where it is none.
pub(crate) fn parse_json(body: &[u8]) -> Result<Value, String> {
    serde_json::from_slice(body).map_err(|error| {
        if error.is_eof() {
            "unexpected end of JSON input".to_owned()
        } else {
            error.to_string()
        }
    })
}

/// Reads YAML, of which JSON is a part.
pub(crate) fn parse_yaml(body: &[u8]) -> Result<Value, String> {
    if let Ok(value) = serde_json::from_slice(body) {
        return Ok(value);
    }
    let text = std::str::from_utf8(body).map_err(|error| error.to_string())?;
    serde_saphyr::from_str(text).map_err(|error| error.to_string())
}

/// How unknown fields and mistaken types are told: of a body, or of the object that a patch makes.
#[derive(Clone, Copy)]
pub(crate) enum Source {
    Body,
    Patch,
}

/// Prunes what the schema does not know, sets defaults, and says what was unknown.
pub(crate) fn shape(
    target: &Target,
    object: &mut Value,
    unknown: Unknown,
    source: Source,
) -> Result<Vec<String>, Failure> {
    let version = target.version();
    let schema = version.schema.schema();
    let before = matches!(source, Source::Patch).then(|| object.clone());
    let pruned = schema.prune(object);
    if unknown == Unknown::Refuse && !pruned.is_empty() {
        let fields: Vec<String> = pruned
            .iter()
            .map(|path| format!("unknown field \"{path}\""))
            .collect();
        return Err(refuse(
            target,
            before.as_ref(),
            &format!("strict decoding error: {}", fields.join(", ")),
        ));
    }
    let decoded = match version.schema {
        Shape::BuiltIn(schema) => schema.decode(&target.resource.kind, object),
        Shape::Own(_) => schema::decode_metadata(object),
    };
    decoded.map_err(|why| refuse(target, before.as_ref(), &why))?;
    schema.apply_defaults(object);
    rules::set_defaults(target, object);
    let warned = if unknown == Unknown::Warn {
        pruned
    } else {
        Vec::new()
    };
    let mut warnings: Vec<String> = warned
        .iter()
        .map(|path| format!("unknown field \"{path}\""))
        .collect();
    warnings.extend(rules::not_done(target, object));
    Ok(warnings)
}

fn refuse(target: &Target, patched: Option<&Value>, why: &str) -> Failure {
    match patched {
        Some(object) => {
            let cause = Cause::invalid("patch", &object.to_string().into(), why);
            Failure::patch_invalid(cause)
        }
        None => {
            let (kind, version) = (&target.resource.kind, &target.version().name);
            Failure::bad_request(format!(
                "{kind} in version \"{version}\" cannot be handled as a {kind}: {why}"
            ))
        }
    }
}

/// Whether a CRD's object is as its schema says.
pub(crate) fn validate(target: &Target, object: &Value) -> Vec<Cause> {
    if !target.resource.is_crd() {
        return Vec::new();
    }
    let kind = object
        .get("kind")
        .and_then(Value::as_str)
        .unwrap_or_default();
    if kind != target.resource.kind {
        let must = format!("must be {}", target.resource.kind);
        return vec![Cause::invalid("kind", &kind.into(), &must)];
    }
    let wrong = target.version().schema.schema().validate(object);
    let scale = target.version().scale.as_ref();
    let mut scaled = scale.map_or_else(Vec::new, |scale| scale.validate(object));
    let mut wrong: Vec<Cause> = wrong
        .into_iter()
        .map(|cause| {
            // The status endpoint looks at the status alone, and names fields from there.
            let message = match target.subresource.as_deref() {
                Some("status") => cause.message.replacen(": status.", ": ", 1),
                _ => cause.message,
            };
            Cause::new(cause.reason.as_str(), cause.field, message)
        })
        .collect();
    wrong.append(&mut scaled);
    wrong
}

/// The object as it is stored: in the storage version, and events in the core group.
pub(crate) fn to_stored(target: &Target, object: &mut Value, core_events: Option<&Resource>) {
    if let Some(core) = core_events {
        convert_event(object, core);
        object["apiVersion"] = "v1".into();
    } else {
        object["apiVersion"] = target.resource.api_version(&target.resource.stored).into();
    }
    object["kind"] = target.resource.kind.clone().into();
    // An object without labels or annotations has no field for them.
    let metadata = object::metadata_mut(object);
    metadata.retain(|_, value| match value {
        Value::Null => false,
        Value::Object(map) => !map.is_empty(),
        Value::Array(list) => !list.is_empty(),
        Value::String(text) => !text.is_empty(),
        _ => true,
    });
}
