//! The `scale` subresource: the number of replicas of an object, as an object of its own.

use std::borrow::Cow;
use std::sync::LazyLock;

use http::{Response, StatusCode};
use serde_json::{Map, Value, json};

use super::body::{self, Source};
use super::create::writer;
use super::options::WriteOptions;
use super::patch::unapplied;
use super::patched_kind::{keep_kind, name_kind};
use super::target::Target;
use super::update::{Made, Update};
use super::view::{self, Form};
use super::{Asked, accept, response, rules, stale, table, too_large};
use crate::failure::{Cause, Failure};
use crate::kinds::{Column, Scale, custom_scale_columns, scale_columns, scale_resource};
use crate::object;
use crate::patch::{self, ApplyError, Place, Places, Writer};
use crate::schema::{Empties, Pruned};
use crate::serve::Body;
use crate::structs::Typed;

pub(super) const KIND: &str = "Scale";
pub(super) const GROUP: &str = "autoscaling";
pub(super) const VERSION: &str = "v1";
pub(super) const API_VERSION: &str = "autoscaling/v1";

static COLUMNS: LazyLock<Vec<Column>> = LazyLock::new(scale_columns);
static CUSTOM_COLUMNS: LazyLock<Vec<Column>> = LazyLock::new(custom_scale_columns);

/// Stands for a number that a custom resource does not say, while its Scale is patched.
const UNSAID: i64 = i32::MIN as i64;

pub(crate) fn get(target: &Target, asked: &Asked) -> Result<Response<Body>, Failure> {
    let form = Form::of(target, asked)?;
    let object = stale::object(target, asked)?;
    answer(target, form, &view::present(target, &object.value()))
}

pub(crate) fn update(
    target: &Target,
    name: &str,
    asked: &Asked,
) -> Result<Response<Body>, Failure> {
    let form = Form::of(target, asked)?;
    let (options, scale, shaped) =
        body::written(&posted(target)?, asked, "UpdateOptions").map_err(|failure| {
            match target.resource.is_crd() && failure.code == StatusCode::BAD_REQUEST {
                // What would say it does not know the type by which it is to be said.
                true => Failure::bad_request(
                    "no kind is registered for the type v1.Scale in scheme \"pkg/runtime/scheme.go:111\"",
                ),
                false => failure,
            }
        })?;
    let update = Update {
        target,
        name,
        options: &options,
        is_patch: false,
    };
    let mut warnings = shaped.warnings;
    let written = rules::is_of_path(target, &scale, name).and_then(|()| {
        target.world.transact(&target.plane, |transaction| {
            update.run(transaction, |old| {
                check_uid(target, &options, old, &scale)?;
                put(target, &options, old, &scale)
            })
        })
    });
    let (object, warned) = written.map_err(|failure| failure.warned(warnings.clone()))?;
    warnings.extend(warned);
    let answer = answer(target, form, &view::present(target, &object))?;
    Ok(response::warn(answer, &warnings))
}

/// What a Scale is read as.
fn posted(target: &Target) -> Result<Target, Failure> {
    let resource = scale_resource().ok_or_else(Failure::no_such_resource)?;
    Ok(target.posted_as(resource))
}

/// The object, scaled by a Scale that a patch made, if it is one.
pub(super) fn put_patched(
    target: &Target,
    options: &WriteOptions,
    object: &Value,
    mut scale: Value,
    source: Source<'_>,
) -> Result<Made, Failure> {
    let posted = posted(target)?;
    if !target.resource.is_crd() {
        match source {
            Source::Strategic(patch) => keep_kind(&posted, &mut scale, patch)?,
            _ => name_kind(&posted, &mut scale, options, source)?,
        }
    }
    let shaped = body::shape(&posted, &mut scale, options.unknown, source, Vec::new())?;
    let warnings = shaped.warnings;
    let made = rules::is_of_path(target, &scale, object::name(object))
        .and_then(|()| put(target, options, object, &scale));
    match made {
        Ok(made) => Ok(Made { warnings, ..made }),
        Err(failure) => Err(failure.warned(warnings)),
    }
}

/// The Scale of an object.
pub(super) fn of(target: &Target, object: &Value) -> Result<Value, Failure> {
    check_read(target, object)?;
    let scale = place(target)?;
    if scale.wanted(object).is_none() && target.resource.is_crd() {
        let path = scale.spec.replace('/', ".");
        let message = format!("the spec replicas field {path:?} does not exist");
        return Err(Failure::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "InternalError",
            format!("Internal error occurred: {message}"),
        )
        .with_causes(vec![Cause::new("", "", message)]));
    }
    whole(target, object)
}

/// The Scale of an object that is to be patched, which need not say how many it wants, but does say who owns that.
pub(super) fn to_patch(target: &Target, object: &Value) -> Result<Value, Failure> {
    check_read(target, object)?;
    let mut scale = whole(target, object)?;
    let owners = patch::scale_owners(object, &places(target), API_VERSION);
    if !owners.is_empty() {
        object::set_meta(&mut scale, MANAGED, owners);
    }
    Ok(scale)
}

fn whole(target: &Target, object: &Value) -> Result<Value, Failure> {
    let scale = place(target)?;
    let fields = [
        "creationTimestamp",
        "name",
        "namespace",
        "resourceVersion",
        "uid",
    ];
    let metadata: Map<String, Value> = fields
        .into_iter()
        .filter_map(|field| Some((field.to_owned(), object::meta(object, field)?.into())))
        .collect();
    let unsaid = if target.resource.is_crd() { UNSAID } else { 0 };
    // What is nothing or empty goes without saying.
    let spec = match scale.wanted(object).unwrap_or(unsaid) {
        0 => json!({}),
        replicas => json!({"replicas": replicas}),
    };
    let mut status = json!({"replicas": scale.found(object)});
    let selector = scale.selector(object);
    if !selector.is_empty() {
        status["selector"] = selector.into();
    }
    Ok(json!({
        "kind": KIND, "apiVersion": API_VERSION, "metadata": metadata, "spec": spec, "status": status,
    }))
}

/// The object, scaled. Where the Scale names a version or a uid, that is the object's from here on.
fn put(
    target: &Target,
    options: &WriteOptions,
    object: &Value,
    scale: &Value,
) -> Result<Made, Failure> {
    check_read(target, object)?;
    let text = |field: &str| {
        let value = scale.get(field).and_then(Value::as_str);
        value.unwrap_or_default()
    };
    if (text("apiVersion"), text("kind")) != (API_VERSION, KIND) {
        let (version, kind) = (text("apiVersion"), text("kind"));
        return Err(Failure::bad_request(format!(
            "expected a {KIND} of {API_VERSION}, found a {kind} of {version}"
        )));
    }
    let replicas = replicas(target, object, scale)?;
    if replicas == UNSAID && target.resource.is_crd() {
        let path = place(target)?.spec.replace('/', ".");
        return Err(Failure::bad_request(format!(
            "the spec replicas field {path:?} cannot be empty"
        )));
    }
    let place = place(target)?;
    let mut scaled = object.clone();
    place.want(&mut scaled, replicas).map_err(unset)?;
    identify(target, &mut scaled, scale)?;
    let numbers = (place.wanted(object).unwrap_or(0), replicas);
    let api_version = target.api_version();
    let writer = writer(target, &options.manager, &api_version);
    patch::track_scale(&mut scaled, &places(target), numbers, &writer);
    // What is there for the first time has its defaults when it is read again, and they are of nobody.
    if target.resource.is_crd() && !target.stored_schema().apply_defaults(&mut scaled) {
        return Err(too_large::by_defaults());
    }
    Ok(Made {
        object: scaled,
        warnings: Vec::new(),
        empties: Empties::default(),
        tracked: true,
        pruned: Pruned::default(),
    })
}

/// Refuses a custom resource that cannot be read as a Scale.
fn check_read(target: &Target, object: &Value) -> Result<(), Failure> {
    match target.resource.is_crd() {
        true => place(target)?.check_read(object).map_err(unset),
        false => Ok(()),
    }
}

/// Why there is no number, or no place for one.
fn unset(why: String) -> Failure {
    Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "", why)
}

/// The object, scaled by an apply: that of the number alone, wherever the object has it. Of a custom
/// resource the number can be applied only as it is.
pub(super) fn apply(
    target: &Target,
    options: &WriteOptions,
    object: &Value,
    applied: &Value,
    force: bool,
) -> Result<Made, Failure> {
    check_read(target, object)?;
    let text = |pointer: &str| {
        let value = applied.pointer(pointer).and_then(Value::as_str);
        value.unwrap_or_default()
    };
    let (version, kind) = (text("/apiVersion"), text("/kind"));
    if !applied["metadata"][MANAGED].is_null() {
        let why = "metadata.managedFields must be nil";
        return Err(Failure::bad_request(why.to_owned()));
    }
    if (version, kind) != (API_VERSION, KIND) {
        let core = if version.contains('/') { "" } else { "/" };
        return Err(Failure::bad_request(format!(
            "invalid object type: {core}{version}, Kind={kind}"
        )));
    }
    let (namespace, name) = (text("/metadata/namespace"), text("/metadata/name"));
    let failed = |to: &str, why: &str| {
        let message =
            format!("failed to {to} ({namespace}/{name}; {API_VERSION}, Kind={KIND}){why}");
        Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "", message)
    };
    let untyped = patch::untyped(applied, posted(target)?.version().schema.schema());
    if let Some(why) = untyped {
        return Err(failed("create typed patch object", &format!(": {why}")));
    }
    let applied = &sized(target, applied)?;
    let said = applied.pointer("/spec/replicas");
    let check_whole = || match said {
        Some(Value::Number(number)) if number.as_i64().is_none() => {
            let why =
                format!("unable to convert unstructured object to {API_VERSION}, Kind={KIND}");
            Err(failed(
                "convert new object",
                &format!(" to proper version: {why}: cannot convert float64 to int32"),
            ))
        }
        _ => Ok(()),
    };
    if target.resource.is_crd() {
        check_whole()?;
    }
    let api_version = target.api_version();
    let writer = writer(target, &options.manager, &api_version);
    let schema = target.version().schema.schema();
    let place = place(target)?;
    let before = number_alone(target, place, object, &writer)?;
    let apply = |wanted: &Value| {
        let scaled = patch::server_side_apply(Some(&before), wanted, schema, &writer, force);
        scaled.map_err(|error| unapplied(as_of_a_scale(error)))
    };
    let unconverted = |message: &str| {
        let why = format!("request to convert CR to an invalid group/version: {API_VERSION}");
        let message = format!("{message} to proper version: {why}");
        Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "", message)
    };
    if target.resource.is_crd() && !patch::is_scale_owned(object, &places(target)) {
        return Err(unconverted(&format!(
            "failed to create manager for existing fields: failed to convert live object (/; {API_VERSION}, Kind={KIND})"
        )));
    }
    let mut wanted = json!({"apiVersion": api_version, "kind": target.resource.kind});
    if let Some(said) = said {
        // Whose number it is is asked first, and whether it can be one then.
        place
            .want(&mut wanted, said.as_i64().unwrap_or(i64::MIN))
            .map_err(unset)?;
    }
    let applied_number = apply(&wanted)?;
    check_whole()?;
    if said.is_some() {
        replicas(target, object, applied)?;
    }
    let mut scaled = object.clone();
    // Who no longer says how many leaves it to others; where nobody else says, there are to be none.
    place
        .want(&mut scaled, place.wanted(&applied_number).unwrap_or(0))
        .map_err(unset)?;
    object::metadata_mut(&mut scaled).remove(MANAGED);
    if let Some(entries) = applied_number["metadata"].get(MANAGED) {
        object::set_meta(&mut scaled, MANAGED, entries.clone());
    }
    let says_more = says_more(applied, &whole(target, object)?);
    if target.resource.is_crd() && (says_more || place.wanted(&scaled) != place.wanted(object)) {
        let (namespace, name) = (text("/metadata/namespace"), text("/metadata/name"));
        return Err(unconverted(&format!(
            "failed to convert new object ({namespace}/{name}; {API_VERSION}, Kind={KIND})"
        )));
    }
    patch::set_scale_apart(object, &mut scaled, &places(target));
    // Who says something else, or `spec` and nothing in it, is still there, and with it what it said.
    let says = |part: &str| applied.get(part).is_some();
    if (says("spec") || says("status")) && applied.pointer("/spec/replicas").is_none() {
        patch::keep_scale_applied(object, &mut scaled, &places(target), &writer);
    }
    if in_order(&scaled) == in_order(object) {
        scaled = object.clone();
    }
    let mut named = whole(target, object)?;
    for field in ["namespace", "name"] {
        if let Some(said) = object::meta(applied, field) {
            object::set_meta(&mut named, field, said);
        }
    }
    rules::is_of_path(target, &named, object::name(object))?;
    identify(target, &mut scaled, applied)?;
    Ok(Made {
        object: scaled,
        warnings: Vec::new(),
        empties: Empties::default(),
        tracked: true,
        pruned: Pruned::default(),
    })
}

/// An object with its managers, and of all its fields the number alone: a Scale has no other, and does not say a 0.
fn number_alone(
    target: &Target,
    place: &Scale,
    object: &Value,
    writer: &Writer<'_>,
) -> Result<Value, Failure> {
    let mut alone = json!({});
    for field in ["apiVersion", "kind"] {
        alone[field] = object[field].clone();
    }
    for field in ["name", "namespace", MANAGED] {
        if let Some(value) = object["metadata"].get(field) {
            object::set_meta(&mut alone, field, value.clone());
        }
    }
    if let Some(number) = place.wanted(object).filter(|number| *number != 0) {
        place.want(&mut alone, number).map_err(unset)?;
        patch::own_scale_before_apply(&mut alone, &places(target), writer);
    }
    Ok(alone)
}

/// Whether a Scale that is applied says of its metadata or its status what it does not say now.
fn says_more(applied: &Value, scale: &Value) -> bool {
    ["metadata", "status"].into_iter().any(|part| {
        let said = applied.get(part).and_then(Value::as_object);
        let mut said = said.into_iter().flatten();
        // Those two say which object is meant.
        let names = |field: &String| ["resourceVersion", "uid"].contains(&field.as_str());
        said.any(|(field, value)| {
            !names(field) && !value.is_null() && scale[part].get(field) != Some(value)
        })
    })
}

/// The object with its managers in one order: without a time they lose theirs, which is no change of the object.
fn in_order(object: &Value) -> Value {
    let mut object = object.clone();
    let entries = object::metadata_mut(&mut object).get_mut(MANAGED);
    if let Some(entries) = entries.and_then(Value::as_array_mut) {
        entries.sort_by_cached_key(Value::to_string);
    }
    object
}

const MANAGED: &str = "managedFields";
/// What an apply of a Scale can be at odds with others about.
const REPLICAS: &str = ".spec.replicas";

/// To who scales, all others seem to own fields of a Scale.
fn as_of_a_scale(error: ApplyError) -> ApplyError {
    match error {
        ApplyError::Conflicts(mut conflicts) => {
            for conflict in &mut conflicts {
                let version = conflict.manager.rsplit_once(" using ");
                // An applier has none, whatever its name is.
                if let Some((manager, _)) = version.filter(|(manager, _)| manager.ends_with('"')) {
                    conflict.manager = format!("{manager} using {API_VERSION}");
                }
                REPLICAS.clone_into(&mut conflict.field);
            }
            ApplyError::Conflicts(conflicts)
        }
        other => other,
    }
}

/// An applied Scale with its number in the size of its type.
fn sized(target: &Target, applied: &Value) -> Result<Value, Failure> {
    let mut applied = applied.clone();
    let posted = posted(target)?;
    let schema = posted.version().schema.schema();
    schema.convert_integers(&mut applied);
    Ok(applied)
}

/// The number that a Scale asks for.
fn replicas(target: &Target, object: &Value, scale: &Value) -> Result<i64, Failure> {
    let wanted = scale.pointer("/spec/replicas");
    let replicas = wanted.and_then(Value::as_i64).unwrap_or(0);
    // A custom resource is checked itself.
    if replicas < 0 && !target.resource.is_crd() {
        let must = "must be greater than or equal to 0";
        let cause = Cause::invalid("spec.replicas", &replicas.into(), must);
        let name = object::name(object);
        return Err(Failure::invalid(GROUP, KIND, name, vec![cause]));
    }
    Ok(replicas)
}

/// Takes over which object a Scale is meant for, where it says so.
fn identify(target: &Target, object: &mut Value, scale: &Value) -> Result<(), Failure> {
    if let Some(seen) = object::meta(scale, "resourceVersion") {
        object::set_meta(object, "resourceVersion", seen);
    }
    // Nobody looks at that of a custom resource's Scale.
    let named = object::meta(scale, "uid").filter(|_| !target.resource.is_crd());
    match named.filter(|named| *named != object::uid(object)) {
        Some(other) => {
            let (resource, own) = (&target.resource, object::uid(object));
            let why = format!(
                "Precondition failed: UID in precondition: {other}, UID in object meta: {own}"
            );
            Err(Failure::conflict_of_scale(
                resource,
                object::name(object),
                &why,
            ))
        }
        None => Ok(()),
    }
}

/// Whoever sends a whole Scale means the object that it is of.
fn check_uid(
    target: &Target,
    options: &WriteOptions,
    object: &Value,
    scale: &Value,
) -> Result<(), Failure> {
    let (uid, name) = (object::uid(object), object::name(object));
    let named = object::meta(scale, "uid").filter(|_| !target.resource.is_crd());
    match named.filter(|named| *named != uid) {
        Some(other) => {
            let (meant, dry_run) = (("UID", other), options.dry_run);
            Err(rules::other_object(target, name, dry_run, meant, uid))
        }
        None => Ok(()),
    }
}

/// The Scale of an object, in the form that was asked for.
pub(super) fn answer(
    target: &Target,
    form: Form,
    object: &Value,
) -> Result<Response<Body>, Failure> {
    let scale = of(target, object)?;
    let formed = match form {
        Form::Whole => Cow::Borrowed(&scale),
        Form::Metadata { of_list: true, .. } => {
            let kind = match target.resource.is_crd() {
                true => "v1.Scale",
                false => "autoscaling.Scale",
            };
            return Err(accept::is_no_list(kind));
        }
        Form::Metadata { version, .. } => Cow::Owned(view::metadata(&scale, version)),
        Form::Table(include, version) => {
            let columns = match target.resource.is_crd() {
                true => &CUSTOM_COLUMNS,
                false => &COLUMNS,
            };
            Cow::Owned(table::of_one(columns, &scale, include, version))
        }
    };
    Ok(response::json(StatusCode::OK, &Typed(&formed)))
}

fn place(target: &Target) -> Result<&Scale, Failure> {
    let scale = target.version().scale.as_ref();
    scale.ok_or_else(Failure::no_such_resource)
}

/// Where each version of a kind has its number; those of a kind of Kubernetes have it in the same place.
fn places(target: &Target) -> Places<'_> {
    Places::new(&target.api_version(), |api_version| {
        let resource = &target.resource;
        let version = match resource.is_crd() {
            true => {
                let mut versions = resource.versions.iter();
                versions.find(|version| *resource.api_version(&version.name) == *api_version)
            }
            false => Some(target.version()),
        };
        match version.map(|version| version.scale.as_ref()) {
            Some(Some(scale)) => Place::At(scale.path()),
            Some(None) => Place::Nowhere,
            None => Place::Unknown,
        }
    })
}
