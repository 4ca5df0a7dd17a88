//! `patch`, of all types.

use std::borrow::Cow;

use http::{Response, StatusCode};
use serde_json::Value;

use super::body::{self, Source, media_type, parse_json, parse_yaml};
use super::create::{Creation, writer};
use super::options::WriteOptions;
use super::query::Query;
use super::target::Target;
use super::update::{Made, Update};
use super::view::Form;
use super::{Asked, response, rules, scale};
use crate::failure::{Cause, Failure};
use crate::object;
use crate::patch::{self, ApplyError, PatchError};
use crate::serve::Body;

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
        match media_type(asked) {
            "application/json-patch+json" => Ok(Self::Json),
            "application/merge-patch+json" => Ok(Self::Merge),
            "application/strategic-merge-patch+json" if !target.resource.is_crd() => {
                Ok(Self::Strategic)
            }
            "application/apply-patch+yaml" => Ok(Self::Apply),
            _ => {
                let strategic = if target.resource.is_crd() {
                    ""
                } else {
                    "application/strategic-merge-patch+json, "
                };
                Err(Failure::new(
                    StatusCode::UNSUPPORTED_MEDIA_TYPE,
                    "UnsupportedMediaType",
                    format!(
                        "the body of the request was in an unknown format - accepted media types include: \
                         application/json-patch+json, application/merge-patch+json, {strategic}application/apply-patch+yaml"
                    ),
                ))
            }
        }
    }
}

pub(crate) fn patch(target: &Target, name: &str, asked: &Asked) -> Result<Response<Body>, Failure> {
    let form = Form::of(target, asked)?;
    let kind = PatchKind::of(target, asked)?;
    let options = WriteOptions::read(asked, "PatchOptions")?;
    let force = forced(&asked.query, kind, &options)?;
    let patch = match kind {
        PatchKind::Json => Value::Null,
        PatchKind::Apply => parse_yaml(&asked.body)
            .map_err(|why| Failure::bad_request(format!("error decoding YAML: {why}")))?,
        _ => parse_json(&asked.body).map_err(Failure::bad_request)?,
    };
    if kind != PatchKind::Json && !patch.is_object() {
        return Err(Failure::bad_request(
            "error decoding patch: the patch is no object",
        ));
    }
    let update = Update {
        target,
        name,
        options: &options,
        is_patch: true,
    };
    let scales = target.subresource.as_deref() == Some("scale");
    if scales && kind == PatchKind::Apply {
        return Err(Failure::new(
            StatusCode::NOT_IMPLEMENTED,
            "NotImplemented",
            "server-side apply of a Scale is not implemented",
        ));
    }
    let schema = target.version().schema.schema();
    let make = |old: &Value| {
        let old = if scales {
            Cow::Owned(scale::of(target, old)?)
        } else {
            Cow::Borrowed(old)
        };
        Ok(match kind {
            PatchKind::Json => patch::json_patch(&old, &asked.body).map_err(refused)?,
            PatchKind::Merge => patch::merge_patch(&old, &patch),
            PatchKind::Strategic => {
                patch::strategic_merge_patch(&old, &patch, schema).map_err(refused)?
            }
            PatchKind::Apply => apply(target, &options, Some(&old), patch, force)?,
        })
    };
    let make = |old: &Value| {
        let patched = make(old)?;
        if scales {
            return scale::put(target, old, &patched);
        }
        shaped(target, &options, patched, kind == PatchKind::Apply)
    };
    let mut code = StatusCode::OK;
    let (object, warnings) = target.world.transact(&target.plane, |transaction| {
        let is_new = transaction
            .get(target.bucket(), &target.key(name))
            .is_none();
        if kind == PatchKind::Apply && is_new && target.subresource.is_none() {
            code = StatusCode::CREATED;
            return apply_new(target, name, asked, &options, force)?
                .store(transaction, options.dry_run)
                .map(|object| (object, Vec::new()));
        }
        update.run(transaction, make)
    })?;
    if scales {
        return scale::answer(target, form, &object);
    }
    Ok(response::warn(
        response::json(code, &form.object(target, &object)),
        &warnings,
    ))
}

/// Brings what a patch made into the form of its schema.
fn shaped(
    target: &Target,
    options: &WriteOptions,
    mut object: Value,
    tracked: bool,
) -> Result<Made, Failure> {
    if let Err(why) = body::check_kind(target, &object) {
        return Err(Failure::patch_invalid(Cause::invalid(
            "patch",
            &object.to_string().into(),
            &why,
        )));
    }
    let warnings = body::shape(target, &mut object, options.unknown, Source::Patch)?;
    Ok(Made {
        object,
        warnings,
        tracked,
    })
}

fn forced(query: &Query, kind: PatchKind, options: &WriteOptions) -> Result<bool, Failure> {
    let refuse = |cause| {
        Err(Failure::invalid(
            "meta.k8s.io",
            "PatchOptions",
            "",
            vec![cause],
        ))
    };
    match query.tri("force") {
        Some(_) if kind != PatchKind::Apply => refuse(Cause::forbidden(
            "force",
            "may not be specified for non-apply patch",
        )),
        _ if kind == PatchKind::Apply && !options.manager_is_named => refuse(Cause::required(
            "fieldManager",
            "is required for apply patch",
        )),
        force => Ok(force == Some(true)),
    }
}

fn apply(
    target: &Target,
    options: &WriteOptions,
    live: Option<&Value>,
    applied: Value,
    force: bool,
) -> Result<Value, Failure> {
    let api_version = target.api_version();
    let writer = writer(target, &options.manager, &api_version);
    patch::server_side_apply(
        live,
        &applied,
        target.version().schema.schema(),
        &writer,
        force,
    )
    .map_err(unapplied)
}

/// An apply of what is not there yet creates it.
fn apply_new<'a>(
    target: &'a Target,
    name: &str,
    asked: &Asked,
    options: &WriteOptions,
    force: bool,
) -> Result<Creation<'a>, Failure> {
    let applied = parse_yaml(&asked.body).map_err(Failure::bad_request)?;
    if let Some(uid) = object::meta(&applied, "uid") {
        let why = format!(
            "uid mismatch: the provided object specified uid {uid}, and no existing object was found"
        );
        return Err(Failure::conflict(&target.resource, name, &why));
    }
    let mut object = apply(target, options, None, applied, force)?;
    rules::check_name(&object, name)?;
    object::set_meta(&mut object, "name", name);
    let made = shaped(target, options, object, true)?;
    Creation::new(target, made.object, None)
}

fn refused(error: PatchError) -> Failure {
    match error {
        PatchError::BadRequest(message) => Failure::bad_request(message),
        PatchError::Internal(message) => {
            Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "", message)
        }
        PatchError::Invalid => {
            let message = "the server rejected our request due to an error in our request";
            Failure::new(StatusCode::UNPROCESSABLE_ENTITY, "Invalid", message).with_empty_details()
        }
    }
}

fn unapplied(error: ApplyError) -> Failure {
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
