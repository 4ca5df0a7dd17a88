//! Reading objects from bodies, and bringing them into the form of their schema.

use std::collections::HashSet;

use serde_json::Value;

use super::duplicates::{MOST_TOLD, duplicates, told_as_said};
use super::options::{Unknown, WriteOptions};
use super::target::Target;
use super::view::convert_event;
use super::{Asked, first_mistake, media_type, protobuf, retired, rules, scheme, too_large, yaml};
use crate::failure::{Cause, Failure, MOST_BYTES};
use crate::kinds::{Resource, Shape, crd_bucket};
use crate::object;
use crate::patch::go;
use crate::schema::{self, Empties, Pruned, Schema};
use crate::syntax;

/// Reads the object of a create or an update.
pub(crate) fn read(target: &Target, asked: &Asked) -> Result<Value, Failure> {
    let unrecognized = |why: &str| {
        let shown = summary(&asked.body);
        let kind = &target.resource.kind;
        Failure::bad_request(format!(
            "the object provided is unrecognized (must be of type {kind}): {why} ({shown})"
        ))
    };
    let parsed = match &*media_type::of(asked) {
        "" | "application/json" => parse_json(&asked.body),
        "application/yaml" => Ok(yaml::read(&asked.body).map_err(|why| unrecognized(&why))?),
        protobuf::MEDIA_TYPE if !target.resource.is_crd() => {
            let mut envelope =
                protobuf::Envelope::read(&asked.body).map_err(|why| unrecognized(&why))?;
            if envelope.kind.is_empty() {
                envelope.kind = target.resource.kind.clone();
            }
            if envelope.api_version.is_empty() {
                envelope.api_version = target.api_version();
            }
            let (api_version, kind) = (&envelope.api_version, &envelope.kind);
            check_version(target, api_version, kind).map_err(Failure::bad_request)?;
            if let Some(why) = other_kind(target, api_version, kind) {
                return Err(other(target, api_version, kind, &why));
            }
            let object = envelope.open().map_err(|why| unhandled(target, &why))?;
            return Ok(object);
        }
        _ => return Err(unknown_format()),
    };
    let mut object = parsed
        .and_then(|object| names_its_kind(&object).map(|()| object))
        .map_err(|why| unrecognized(&no_kind(&why)))?;
    if object.is_null() {
        object = Value::Object(serde_json::Map::new());
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
        if kind.is_empty() {
            let body = String::from_utf8_lossy(&asked.body);
            let why = format!("Object 'Kind' is missing in '{body}'");
            return Err(unrecognized(&why));
        }
        if object.get("apiVersion").is_some_and(Value::is_null) {
            let why = ".apiVersion accessor error: <nil> is of the type <nil>, expected string";
            let kind = &target.resource.kind;
            return Err(Failure::bad_request(format!(
                "{kind} in version \"\" cannot be handled as a {kind}: {why}"
            )));
        }
    }
    if api_version.matches('/').count() > 1 {
        let why = format!("unexpected GroupVersion string: {api_version}");
        return Err(unrecognized(&why));
    }
    if kind.is_empty() {
        object["kind"] = target.resource.kind.clone().into();
    }
    // The core group has no name, and may be told so.
    let is_core = target.resource.group.is_empty();
    let goes_unsaid = api_version.is_empty() && !target.resource.is_crd();
    if goes_unsaid || is_core && api_version.strip_prefix('/') == Some("v1") {
        object["apiVersion"] = target.api_version().into();
    }
    let (api_version, kind) = said_kind(&object);
    check_version(target, api_version, kind).map_err(Failure::bad_request)?;
    if let Some(why) = unfit(target, &object) {
        return Err(other(target, api_version, kind, &why));
    }
    Ok(object)
}

/// The version that the object of a body says that it is of, if it can be read.
pub(super) fn said_version(asked: &Asked) -> Option<String> {
    let said = |object: Value| Some(object.get("apiVersion")?.as_str()?.to_owned());
    match &*media_type::of(asked) {
        protobuf::MEDIA_TYPE => Some(protobuf::Envelope::read(&asked.body).ok()?.api_version),
        "application/yaml" => said(yaml::read(&asked.body).ok()?),
        _ => said(parse_json(&asked.body).ok()?),
    }
}

/// In which format a body is, is seen before anything else.
pub(super) fn check_format(target: &Target, asked: &Asked) -> Result<(), Failure> {
    match &*media_type::of(asked) {
        "" | "application/json" | "application/yaml" => Ok(()),
        protobuf::MEDIA_TYPE if !target.resource.is_crd() => Ok(()),
        _ => Err(unknown_format()),
    }
}

/// A body in a format that is not read.
pub(super) fn unknown_format() -> Failure {
    Failure::new(
        http::StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "UnsupportedMediaType",
        "the body of the request was in an unknown format - accepted media types include: application/json, \
         application/yaml, application/vnd.kubernetes.protobuf",
    )
}

/// What is said of a body that was not read as far as its kind.
pub(super) fn no_kind(why: &str) -> String {
    format!("couldn't get version/kind; json parse error: {why}")
}

/// Whether a kind and a version can be read off a body; the error is Go's.
pub(super) fn names_its_kind(body: &Value) -> Result<(), String> {
    let object = match body {
        Value::Object(object) => object,
        Value::Null => return Ok(()),
        other => {
            return Err(format!(
                "json: cannot unmarshal {} into Go value of type struct {{ APIVersion string \
                 \"json:\\\"apiVersion,omitempty\\\"\"; Kind string \"json:\\\"kind,omitempty\\\"\" }}",
                go::json_kind(other)
            ));
        }
    };
    for (field, value) in object {
        let is_text = value.is_string() || value.is_null();
        if ["apiVersion", "kind"].contains(&field.as_str()) && !is_text {
            return Err(format!(
                "json: cannot unmarshal {} into Go struct field .{field} of type string",
                go::json_kind(value)
            ));
        }
    }
    Ok(())
}

/// As much of a body as a message shows: text if it may be an object, or else the bytes.
fn summary(body: &[u8]) -> String {
    const MOST: usize = 30;
    let dots = if body.len() > MOST { " ..." } else { "" };
    let shown = &body[..body.len().min(MOST)];
    match body.first() {
        None => "<empty>".to_owned(),
        Some(b'{') => format!("{}{dots}", String::from_utf8_lossy(shown)),
        Some(_) => {
            let bytes: String = shown.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("{bytes}{dots}")
        }
    }
}

/// What an object says its version and its kind are.
fn said_kind(object: &Value) -> (&str, &str) {
    let text = |field| object.get(field).and_then(Value::as_str);
    let (api_version, kind) = (text("apiVersion"), text("kind"));
    (api_version.unwrap_or_default(), kind.unwrap_or_default())
}

/// Whether an object of a custom resource, or of one that there is in several versions, is of that of its path.
fn check_version(target: &Target, api_version: &str, kind: &str) -> Result<(), String> {
    let expected = target.api_version();
    let known = || target.world.registry.of_kind(api_version, kind);
    let is_of_another_version = || {
        let is_here = known().is_some_and(|resource| resource.bucket == target.resource.bucket);
        kind == target.resource.kind && (is_here || retired::was_served(api_version, kind))
    };
    if api_version != expected && (target.resource.is_crd() || is_of_another_version()) {
        return Err(format!(
            "the API version in the data ({api_version}) does not match the expected API version ({expected})"
        ));
    }
    Ok(())
}

/// Whether what a patch made is of the kind and version of its path.
pub(super) fn check_kind(target: &Target, object: &Value) -> Result<(), String> {
    let (api_version, kind) = said_kind(object);
    check_version(target, api_version, kind)?;
    unfit(target, object).map_or(Ok(()), Err)
}

/// Why an object is not of the built-in kind of its path: what cannot be read as the kind that it says that it is of is
/// found before it is the wrong one.
fn unfit(target: &Target, object: &Value) -> Option<String> {
    let (api_version, kind) = said_kind(object);
    let other = other_kind(target, api_version, kind)?;
    Some(undecodable(target, object).unwrap_or(other))
}

fn undecodable(target: &Target, object: &Value) -> Option<String> {
    let (api_version, kind) = said_kind(object);
    scheme::go_type(target, api_version, kind)?;
    if let Some(why) = scheme::undecodable_list(api_version, kind, object) {
        return Some(why);
    }
    let schema = schema_of(target, api_version, kind)?;
    let mut object = object.clone();
    schema.prune(&mut object);
    schema.decode(api_version, kind, &mut object).err()
}

/// The schema of a built-in kind, be it one of a resource or only of what is posted.
fn schema_of(target: &Target, api_version: &str, kind: &str) -> Option<&'static Schema> {
    let (group, version) = api_version.rsplit_once('/').unwrap_or(("", api_version));
    let known = target.world.registry.of_kind(api_version, kind);
    match kind {
        _ if known.is_some_and(|resource| resource.is_crd()) => None,
        "DeleteOptions" => schema::named(kind),
        _ => schema::builtin(group, version, kind),
    }
}

/// Why a kind is none that the path takes; that of a custom resource is checked with the rest of the object.
fn other_kind(target: &Target, api_version: &str, kind: &str) -> Option<String> {
    let is_it = kind == target.resource.kind && api_version == target.api_version();
    if is_it || target.resource.is_crd() {
        return None;
    }
    let must = &target.resource.kind;
    Some(match scheme::go_type(target, api_version, kind) {
        Some(of) => {
            let to = format!("{}.{must}", internal(&target.resource.group));
            scheme::unconverted(&of, &to)
        }
        None => unregistered(kind, api_version),
    })
}

fn other(target: &Target, api_version: &str, kind: &str, why: &str) -> Failure {
    let version = api_version.rsplit('/').next().unwrap_or_default();
    let must = &target.resource.kind;
    Failure::bad_request(format!(
        "{kind} in version \"{version}\" cannot be handled as a {must}: {why}"
    ))
}

/// How a group is called where its types have no version.
pub(super) fn internal(group: &str) -> &str {
    match group {
        "" => "core",
        group => group.split('.').next().unwrap_or(group),
    }
}

pub(super) fn unregistered(kind: &str, api_version: &str) -> String {
    format!(
        "no kind {} is registered for version {} in scheme \"pkg/runtime/scheme.go:111\"",
        go::quoted(kind),
        go::quoted(api_version)
    )
}

/// Reads JSON, in the words of the server where it is none.
pub(crate) fn parse_json(body: &[u8]) -> Result<Value, String> {
    serde_json::from_slice(body)
        .map_err(|error| syntax::mistake(body).unwrap_or_else(|| error.to_string()))
}

/// How unknown fields and mistaken types are told: of a body, of the object that a patch makes, or of a strategic merge
/// patch, where the patch itself is told.
#[derive(Clone, Copy)]
pub(crate) enum Source<'a> {
    /// With its text, where that is JSON.
    Body(Option<&'a [u8]>),
    /// With what shows the object that it made.
    Patch(&'a dyn Fn() -> String),
    Strategic(&'a Value),
    /// With what was applied.
    Applied(&'a Value),
}

impl Source<'_> {
    /// The object that a patch made, as it is shown.
    pub(super) fn shown(self, object: &Value) -> String {
        match self {
            Self::Patch(show) => show(),
            _ => object.to_string(),
        }
    }
}

/// What comes of an object that was brought into its shape, besides it.
pub(crate) struct Shaped {
    /// What is to be said of it.
    pub(super) warnings: Vec<String>,
    pub(super) empties: Empties,
    /// What was applied of a custom resource, and is not kept.
    pub(super) pruned: Pruned,
}

/// The fields that the body says more than once, as they are told.
pub(crate) fn said_twice(asked: &Asked) -> Vec<String> {
    match &*media_type::of(asked) {
        "application/yaml" => return yaml::said_twice(&asked.body).into_iter().collect(),
        protobuf::MEDIA_TYPE => return Vec::new(),
        _ => {}
    }
    duplicates(&asked.body)
}

/// The body, if it is JSON.
pub(super) fn json(asked: &Asked) -> Option<&[u8]> {
    let is_other = ["application/yaml", protobuf::MEDIA_TYPE].contains(&&*media_type::of(asked));
    (!is_other).then_some(&*asked.body)
}

/// What a request that writes a whole object begins with: how to write (`kind` is what a refusal names), the object in
/// its shape, and what is to be said of it.
pub(super) fn written(
    target: &Target,
    asked: &Asked,
    kind: &str,
) -> Result<(WriteOptions, Value, Shaped), Failure> {
    let (options, mut object) = sent(target, asked, kind)?;
    let shaped = shape_sent(target, asked, &options, &mut object)?;
    Ok((options, object, shaped))
}

/// How to write, and the object as it was sent.
pub(super) fn sent(
    target: &Target,
    asked: &Asked,
    kind: &str,
) -> Result<(WriteOptions, Value), Failure> {
    check_format(target, asked)?;
    let options = WriteOptions::read(asked, kind)?;
    Ok((options, read(target, asked)?))
}

/// Brings what was sent into its shape.
pub(super) fn shape_sent(
    target: &Target,
    asked: &Asked,
    options: &WriteOptions,
    object: &mut Value,
) -> Result<Shaped, Failure> {
    let (source, twice) = (Source::Body(json(asked)), said_twice(asked));
    shape(target, object, options.unknown, source, twice)
}

/// Prunes what the schema does not know, sets defaults, and says what was unknown, after what is `told` already.
pub(crate) fn shape(
    target: &Target,
    object: &mut Value,
    unknown: Unknown,
    source: Source<'_>,
    mut told: Vec<String>,
) -> Result<Shaped, Failure> {
    let version = target.version();
    let schema = version.schema.schema();
    let applied = match source {
        Source::Applied(_) if unknown == Unknown::Refuse => object.to_string(),
        _ => String::new(),
    };
    let refuse = |why: &str| match source {
        Source::Body(_) => unhandled(target, why),
        Source::Patch(show) => unpatched(&show(), why),
        Source::Strategic(patch) => unpatched(&go::plain(patch), why),
        Source::Applied(_) => unpatched(&applied, why),
    };
    let is_applied = matches!(source, Source::Applied(_)) && target.resource.is_crd();
    let whole = is_applied.then(|| object.clone());
    let surplus = schema.prune(object);
    match source {
        Source::Body(Some(json)) if !target.resource.is_crd() => {
            told = told_as_said(&surplus.fields, Some(schema), json);
        }
        // What an apply may say was looked at before.
        Source::Applied(_) if is_applied => {}
        _ => told.extend(
            surplus
                .paths()
                .iter()
                .map(|path| match target.resource.is_crd() {
                    // Only Go's decoders quote it.
                    true => format!("unknown field \"{path}\""),
                    false => format!("unknown field {}", go::quoted(path)),
                }),
        ),
    }
    if !target.resource.is_crd() {
        told.truncate(MOST_TOLD);
    }
    if let (Shape::BuiltIn(schema), Source::Strategic(_) | Source::Applied(_)) =
        (&version.schema, source)
    {
        schema.convert_integers(object);
    }
    let decoded = match version.schema {
        Shape::BuiltIn(schema) => {
            schema.decode(&target.api_version(), &target.resource.kind, object)
        }
        Shape::Own(_) => {
            if object.get("metadata").is_some_and(Value::is_null) {
                object::as_map(object).remove("metadata");
            }
            let read = schema::decode_metadata(object);
            match (read, schema.read_wholes(object)) {
                // Of what was applied it is said with all else that is wrong with it.
                (read, Err(_)) if matches!(source, Source::Applied(_)) => read,
                (read, wholes) => read.and(wholes),
            }
        }
    };
    decoded.map_err(|why| match source {
        Source::Strategic(_) => refuse(&go::restoring(&why)),
        Source::Applied(sent) => unconverted(target, sent, &why),
        Source::Body(Some(text)) if !target.resource.is_crd() => {
            refuse(&first_mistake::of_body(target, text).unwrap_or(why))
        }
        _ => refuse(&why),
    })?;
    if unknown == Unknown::Refuse && !told.is_empty() {
        return Err(refuse(&format!(
            "strict decoding error: {}",
            told.join(", ")
        )));
    }
    if !target.resource.is_crd() {
        schema::Fractions::take(object);
        protobuf::forget_zeros(&target.api_version(), &target.resource.kind, schema, object);
    }
    if !schema.apply_defaults(object) {
        return Err(too_large::by_defaults());
    }
    let pruned = whole.map_or_else(Pruned::default, |whole| Pruned::of(whole, object));
    rules::set_defaults(target, object);
    rules::forget_legacy(target, object).map_err(|why| match source {
        Source::Strategic(_) => Failure::new(http::StatusCode::INTERNAL_SERVER_ERROR, "", why),
        _ => refuse(&why),
    })?;
    let empties = match target.resource.is_crd() {
        true => Empties::default(),
        false => Empties::take(schema, object),
    };
    let mut warnings = if unknown == Unknown::Warn {
        yaml::as_warnings(told)
    } else {
        Vec::new()
    };
    warnings.extend(rules::join_owners(
        object,
        matches!(source, Source::Body(_)),
    ));
    Ok(Shaped {
        warnings,
        empties,
        pruned,
    })
}

/// What was applied has the types of the schema, and still cannot be read.
fn unconverted(target: &Target, sent: &Value, why: &str) -> Failure {
    let (group, version) = (&*target.resource.group, &target.version().name);
    let kind = format!("{group}/{version}, Kind={}", target.resource.kind);
    let message = format!(
        "failed to convert new object ({}/{}; {kind}) to proper version: unable to convert unstructured object to \
         {kind}: {}",
        object::namespace(sent),
        object::name(sent),
        go::restoring(why),
    );
    Failure::new(http::StatusCode::INTERNAL_SERVER_ERROR, "", message)
}

fn unhandled(target: &Target, why: &str) -> Failure {
    let (kind, version) = (&target.resource.kind, &target.version().name);
    Failure::bad_request(format!(
        "{kind} in version \"{version}\" cannot be handled as a {kind}: {why}"
    ))
}

/// What a patch made, or the patch, is none.
fn unpatched(shown: &str, why: &str) -> Failure {
    Failure::patch_invalid(Cause::invalid("patch", &shown.into(), why))
}

/// How deep an object nests at most: what is kept has to be read again, at a depth that a reader allows (128).
const DEEPEST: usize = 120;

/// Whether an object can be kept, and a CRD's is as its schema says.
pub(crate) fn validate(target: &Target, object: &Value, old: Option<&Value>) -> Vec<Cause> {
    if object::is_deeper_than(DEEPEST, object) {
        // A patch can nest what one body could not.
        let why = format!("must not be nested deeper than {DEEPEST} levels");
        return vec![Cause::new("FieldValueInvalid", "<root>", why)];
    }
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
    let schema = target.version().schema.schema();
    let is_status = target.is_status();
    let found = match is_status {
        true => schema.validate_status(object, old),
        false => schema.validate(object, old),
    };
    let scale = target.version().scale.as_ref();
    let scaled = scale.map_or_else(Vec::new, |scale| scale.validate(object, is_status));
    let mut of_metadata = Vec::new();
    let mut room = MOST_BYTES;
    if !is_status {
        schema.each_whole(object, &mut |path, fields| {
            if room > 0 {
                let wrong = rules::check_whole(path, fields);
                let length: usize = wrong.iter().map(|cause| cause.field.len()).sum();
                room = room.saturating_sub(length);
                of_metadata.extend(wrong);
            }
        });
    }
    // Of what is said by more than one branch of a schema a real server tells once.
    let mut said = HashSet::new();
    let mut told = |cause: schema::Cause| {
        let is_new = said.insert((cause.field.clone(), cause.message.clone()));
        is_new.then(|| Cause::new(cause.reason.as_str(), cause.field, cause.message))
    };
    let mut wrong = Vec::from_iter(found.values.into_iter().filter_map(&mut told));
    wrong.extend(scaled);
    wrong.extend(found.wholes.into_iter().filter_map(&mut told));
    wrong.extend(of_metadata);
    wrong.extend(found.lists.into_iter().filter_map(&mut told));
    wrong.truncate(schema::MOST_CAUSES);
    // Which rules are left out a real server says as well.
    if schema.has_cel_rules() && wrong.iter().any(hides_rules) {
        wrong.push(Cause::new("FieldValueInvalid", "<nil>", NOT_CHECKED));
    }
    wrong
}

const NOT_CHECKED: &str = "Invalid value: null: some validation rules were not checked because the object was invalid; \
    correct the existing errors to complete validation";

/// Whether rules are not evaluated on what is so wrong.
fn hides_rules(cause: &Cause) -> bool {
    const SO_WRONG: [&str; 5] = [
        "FieldValueNotSupported",
        "FieldValueRequired",
        "FieldValueTooLong",
        "FieldValueTooMany",
        "FieldValueTypeInvalid",
    ];
    SO_WRONG.contains(&cause.reason.as_str())
}

/// The object as it is stored: in the storage version, and events in the core group.
pub(crate) fn to_stored(target: &Target, object: &mut Value, core_events: Option<&Resource>) {
    if let Some(core) = core_events {
        convert_event(object, core);
        object["apiVersion"] = "v1".into();
    } else {
        if let Some(as_stored) = target.as_stored() {
            rules::set_defaults(&as_stored, object);
        }
        object["apiVersion"] = target.resource.api_version(&target.resource.stored).into();
    }
    object["kind"] = target.resource.kind.clone().into();
    // Definitions are stored as JSON, and so are their objects.
    if let Shape::BuiltIn(schema) = &target.version().schema
        && target.resource.bucket != crd_bucket()
    {
        schema.forget_empty_lists(object);
    }
    if let Some(schema) = &target.resource.stored_shape {
        schema.prune(object);
    }
    rules::read_service(target, object);
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
