//! `patch`, of all types.

use std::borrow::Cow;

use http::{Response, StatusCode};
use serde_json::Value;

use super::body::{self, Source, parse_json};
use super::create::{Creation, Sent, writer};
use super::duplicates::told_as_said;
use super::options::{Unknown, WriteOptions};
use super::patched_kind::{keep_kind, name_kind};
use super::target::Target;
use super::update::{Made, Update};
use super::view::Form;
use super::{Asked, media_type, owned, response, retired, rules, scale, yaml};
use crate::failure::{Cause, Failure};
use crate::json;
use crate::object;
use crate::patch::{self, ApplyError, PatchError, Touched, go};
use crate::schema::{Empties, Pruned};
use crate::serve::Body;
use crate::structs::Patched;

const JSON: &str = "application/json-patch+json";
const MERGE: &str = "application/merge-patch+json";
const STRATEGIC: &str = "application/strategic-merge-patch+json";
const APPLY: &str = "application/apply-patch+yaml";

/// The types of patches.
#[derive(Clone, Copy, PartialEq, Eq)]
enum PatchKind {
    Json,
    Merge,
    Strategic,
    Apply,
}

impl PatchKind {
    fn of(target: &Target, asked: &Asked) -> Result<Self, Failure> {
        match media_type::of_patch(asked) {
            JSON => Ok(Self::Json),
            MERGE => Ok(Self::Merge),
            STRATEGIC if !target.resource.is_crd() => Ok(Self::Strategic),
            APPLY => Ok(Self::Apply),
            _ => Err(Self::unknown(target, asked)),
        }
    }

    fn unknown(target: &Target, asked: &Asked) -> Failure {
        let known: &[&str] = match target.resource.is_crd() {
            true => &[JSON, MERGE, APPLY],
            false => &[JSON, MERGE, STRATEGIC, APPLY],
        };
        let failure = |message: &str| {
            let reason = "UnsupportedMediaType";
            Failure::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, reason, message)
        };
        // The requests of built-in kinds are sorted out first by who looks less closely.
        match target.resource.is_crd() || media_type::is_among(asked, known) {
            true => failure(&format!(
                "the body of the request was in an unknown format - accepted media types include: {}",
                known.join(", ")
            )),
            false => failure("415: Unsupported Media Type").with_empty_details(),
        }
    }
}

/// Why a patch of no object in particular is not taken.
pub(super) fn of_nothing(target: &Target, asked: &Asked) -> Failure {
    let kind = PatchKind::of(target, asked);
    kind.map_or_else(
        |failure| failure,
        |_| Failure::bad_request("name must be provided"),
    )
}

pub(crate) fn patch(target: &Target, name: &str, asked: &Asked) -> Result<Response<Body>, Failure> {
    let kind = PatchKind::of(target, asked)?;
    let form = Form::of(target, asked)?;
    let (options, force) = WriteOptions::of_patch(asked, kind == PatchKind::Apply)?;
    let patch = match kind {
        PatchKind::Json => Ok(Value::Null),
        PatchKind::Apply => Ok(read_applied(asked, &options)?),
        // It is read once there is something to be patched.
        PatchKind::Merge | PatchKind::Strategic => merge(kind, &asked.body),
    };
    let update = Update {
        target,
        name,
        options: &options,
        is_patch: true,
    };
    let scales = target.subresource.as_deref() == Some("scale");
    let schema = target.version().schema.schema();
    let make = |old: &Value, patch: &Value| {
        let old = if scales {
            Cow::Owned(scale::to_patch(target, old)?)
        } else {
            Cow::Borrowed(old)
        };
        Ok(match kind {
            PatchKind::Json => patch::json_patch(&old, &asked.body).map_err(refused)?,
            PatchKind::Merge => patch::merge_patch(&old, patch),
            PatchKind::Strategic => {
                patch::strategic_merge_patch(&old, patch, schema).map_err(refused)?
            }
            PatchKind::Apply => apply(target, &options, Some(&old), patch, force)?,
        })
    };
    let make = |old: &Value| {
        let patch = patch.as_ref().map_err(Failure::clone)?;
        if scales && kind == PatchKind::Apply {
            return scale::apply(target, &options, old, patch, force);
        }
        let patched = make(old, patch)?;
        let told = told(kind, asked);
        if kind == PatchKind::Apply
            && target.resource.is_crd()
            && told.is_empty()
            && patch::is_same_but_managers(old, &patched)
        {
            // What changes nothing does not meet the defaults of a version that is not the stored one.
            return Ok(Made {
                object: patched,
                warnings: Vec::new(),
                empties: Empties::default(),
                tracked: true,
                pruned: Pruned::default(),
            });
        }
        // It is seldom told, and made again for that: the object is not what the patch made of it by then.
        let show = || {
            let touched = match kind {
                PatchKind::Json => Touched::by_json_patch(&asked.body),
                _ => Touched::by_merge(old, patch),
            };
            let patched = make(old, patch);
            patched.map_or_else(|_| String::new(), |object| shown(target, &object, &touched))
        };
        let source = match kind {
            PatchKind::Strategic => Source::Strategic(patch),
            PatchKind::Apply => Source::Applied(patch),
            PatchKind::Json | PatchKind::Merge => Source::Patch(&show),
        };
        if scales {
            return scale::put_patched(target, &options, old, patched, source);
        }
        shaped(target, &options, patched, source, told).map(|made| Made {
            tracked: kind == PatchKind::Apply,
            ..made
        })
    };
    let mut code = StatusCode::OK;
    let (object, warnings) = target.world.transact(&target.plane, |transaction| {
        let is_new = transaction
            .kept(target.bucket(), &target.key(name))
            .is_none();
        let creates = target.subresource.is_none() || rules::is_created_by_update(target);
        if kind == PatchKind::Apply && is_new && creates {
            code = StatusCode::CREATED;
            let (creation, mut warnings) = apply_new(
                target,
                name,
                patch.as_ref().map_err(Failure::clone)?,
                &options,
                force,
            )?;
            if options.unknown == Unknown::Warn {
                warnings.extend(yaml::as_warnings(told(kind, asked)));
            }
            let (object, warned) = creation
                .store(transaction, options.dry_run)
                .map_err(|failure| failure.warned(warnings.clone()))?;
            warnings.extend(warned);
            return Ok((object, warnings));
        }
        update.run(transaction, make)
    })?;
    if scales {
        let answer = scale::answer(target, form, &object)?;
        return Ok(response::warn(answer, &warnings));
    }
    Ok(response::warn(
        response::written(code, form.of_one(target)?.text(target, &object)),
        &warnings,
    ))
}

/// What a patch made, as a message shows it: a custom resource has no order of its own.
fn shown(target: &Target, object: &Value, touched: &Touched) -> String {
    if target.resource.is_crd() || !object.is_object() {
        return json::said(object);
    }
    let api_version = target.api_version();
    let (kind, api_version) = match target.subresource.as_deref() {
        Some("scale") => (scale::KIND, scale::API_VERSION),
        _ => (&*target.resource.kind, &*api_version),
    };
    json::said(&Patched {
        kind,
        api_version,
        object,
        touched,
    })
}

/// Brings what a patch made into the form of its schema.
fn shaped(
    target: &Target,
    options: &WriteOptions,
    mut object: Value,
    source: Source<'_>,
    told: Vec<String>,
) -> Result<Made, Failure> {
    if let (Source::Strategic(patch), false) = (source, target.resource.is_crd()) {
        keep_kind(target, &mut object, patch)?;
    }
    name_kind(target, &mut object, options, source)?;
    retired::read(target, &mut object);
    if let Err(why) = body::check_kind(target, &object) {
        return Err(Failure::patch_invalid(Cause::invalid(
            "patch",
            &source.shown(&object).into(),
            &why,
        )));
    }
    let shaped = body::shape(target, &mut object, options.unknown, source, told)?;
    let mut pruned = shaped.pruned;
    if target.version().status {
        // The rest stays as it was.
        pruned.keep(target.is_status());
    }
    Ok(Made {
        object,
        warnings: shaped.warnings,
        empties: shaped.empties,
        tracked: false,
        pruned,
    })
}

/// The body of a merge patch of either kind.
fn merge(kind: PatchKind, body: &[u8]) -> Result<Value, Failure> {
    let undecodable = |why: String| {
        Failure::bad_request(match kind {
            PatchKind::Strategic => why,
            _ => format!("error decoding patch: {why}"),
        })
    };
    let patch = parse_json(body).map_err(undecodable)?;
    match &patch {
        Value::Object(_) => Ok(patch),
        Value::Null if kind == PatchKind::Strategic => Ok(patch),
        Value::Null => Err(Failure::bad_request("Invalid JSON Patch")),
        other => Err(undecodable(format!(
            "json: cannot unmarshal {} into Go value of type map[string]interface {{}}",
            go::json_kind(other)
        ))),
    }
}

/// What field validation tells of the patch itself.
fn told(kind: PatchKind, asked: &Asked) -> Vec<String> {
    match kind {
        PatchKind::Json => {
            let unknown = patch::unknown_fields(&asked.body);
            let told = told_as_said(&unknown, None, &asked.body);
            let told = told.into_iter();
            told.map(|told| format!("json patch {told}")).collect()
        }
        PatchKind::Merge | PatchKind::Strategic => body::said_twice(asked),
        PatchKind::Apply => yaml::said_twice(&asked.body).into_iter().collect(),
    }
}

/// The object of an apply.
fn read_applied(asked: &Asked, options: &WriteOptions) -> Result<Value, Failure> {
    let undecodable = |why: String| Failure::bad_request(format!("error decoding YAML: {why}"));
    let applied = yaml::read(&asked.body)
        .map_err(|why| undecodable(format!("error converting YAML to JSON: {why}")))?;
    if options.unknown == Unknown::Refuse
        && let Some(twice) = yaml::said_twice(&asked.body)
    {
        return Err(Failure::bad_request(format!(
            "error strict decoding YAML: error converting YAML to JSON: {twice}"
        )));
    }
    match applied {
        Value::Object(_) | Value::Null => Ok(applied),
        other => Err(undecodable(format!(
            "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {} into Go value of type \
             map[string]interface {{}}",
            go::json_kind(&other)
        ))),
    }
}

fn apply(
    target: &Target,
    options: &WriteOptions,
    live: Option<&Value>,
    applied: &Value,
    force: bool,
) -> Result<Value, Failure> {
    let api_version = target.api_version();
    let text = |field: &str| {
        applied
            .get(field)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    if text("apiVersion") == api_version && text("kind") != target.resource.kind {
        let group = target.resource.group.as_ref();
        let (version, kind) = (&target.version().name, text("kind"));
        return Err(Failure::bad_request(format!(
            "invalid object type: {group}/{version}, Kind={kind}"
        )));
    }
    let writer = writer(target, &options.manager, &api_version);
    let comparable = |object: &Value, told: &str| {
        let wrong =
            live.and_then(|live| owned::incomparable(target, owned::versions(live), object));
        wrong.map_or(Ok(()), |wrong| {
            Err(unapplied(ApplyError::Untypable(format!("{told}{wrong}"))))
        })
    };
    live.map_or(Ok(()), |live| comparable(live, ""))?;
    let schema = target.version().schema.schema();
    let object =
        patch::server_side_apply(live, applied, schema, &writer, force).map_err(unapplied)?;
    comparable(&object, "failed to convert new object: ")?;
    Ok(object)
}

/// An apply of what is not there yet creates it.
fn apply_new<'a>(
    target: &'a Target,
    name: &str,
    applied: &Value,
    options: &WriteOptions,
    force: bool,
) -> Result<(Creation<'a>, Vec<String>), Failure> {
    if let Some(uid) = object::meta(applied, "uid") {
        let why = format!(
            "uid mismatch: the provided object specified uid {uid}, and no existing object was found"
        );
        return Err(Failure::conflict(&target.resource, name, &why));
    }
    let mut object = apply(target, options, None, applied, force)?;
    object::metadata_mut(&mut object).remove("resourceVersion");
    let made = shaped(
        target,
        options,
        object,
        Source::Applied(applied),
        Vec::new(),
    )?;
    rules::is_of_path(target, &made.object, name)?;
    let has_labels = object::has_labels(applied);
    let sent = Sent {
        object: made.object,
        has_labels,
        empties: made.empties,
        pruned: made.pruned,
    };
    let created = Creation::new(target, sent, None)?;
    Ok((created, made.warnings))
}

fn refused(error: PatchError) -> Failure {
    match error {
        PatchError::BadRequest(message) => Failure::bad_request(message),
        PatchError::TooLarge(message) => Failure::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "RequestEntityTooLarge",
            message,
        ),
        PatchError::Internal(message) => {
            Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "", message)
        }
        PatchError::Invalid => {
            let message = "the server rejected our request due to an error in our request";
            Failure::new(StatusCode::UNPROCESSABLE_ENTITY, "Invalid", message).with_empty_details()
        }
    }
}

pub(super) fn unapplied(error: ApplyError) -> Failure {
    let message = error.to_string();
    match error {
        ApplyError::BadRequest(_) => Failure::bad_request(message),
        ApplyError::Untypable(_) => Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "", message),
        ApplyError::Conflicts(conflicts) => {
            let causes = conflicts
                .into_iter()
                .map(|conflict| {
                    Cause::new(
                        "FieldManagerConflict",
                        conflict.field.clone(),
                        conflict.message(),
                    )
                })
                .collect();
            Failure::new(StatusCode::CONFLICT, "Conflict", message).with_causes(causes)
        }
    }
}
