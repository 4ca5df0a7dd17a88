//! `create`, `update` and `patch`.

use std::sync::Arc;

use http::{Response, StatusCode};
use serde_json::Value;

use super::body::{self, Source, media_type, parse_json, parse_yaml};
use super::options::WriteOptions;
use super::query::Query;
use super::target::Target;
use super::view::{Form, present};
use super::{Asked, response, rules};
use crate::failure::{Cause, Failure};
use crate::kinds::Resource;
use crate::object;
use crate::patch::{self, ApplyError, PatchError, Writer};
use crate::serve::Body;
use crate::store::Transaction;

pub(crate) fn create(target: &Target, asked: &Asked) -> Result<Response<Body>, Failure> {
    let form = Form::of(asked)?;
    let options = WriteOptions::read(asked, "CreateOptions")?;
    let mut object = body::read(target, asked)?;
    let warnings = body::shape(target, &mut object, options.unknown, Source::Body)?;
    let manager = Some(options.manager.as_str());
    let created = Creation::new(target, object, manager)?;
    let created = target.world.transact(&target.plane, |transaction| {
        created.store(transaction, options.dry_run)
    })?;
    Ok(response::warn(
        response::json(StatusCode::CREATED, &form.object(target, &created)),
        &warnings,
    ))
}

/// An object that is fit to be stored, if it is not there yet.
struct Creation<'a> {
    target: &'a Target,
    object: Value,
    wrong: Vec<Cause>,
}

impl<'a> Creation<'a> {
    /// `manager` owns the fields from now on; without one the object says itself who does.
    fn new(target: &'a Target, mut object: Value, manager: Option<&str>) -> Result<Self, Failure> {
        rules::place(target, &mut object)?;
        if object::meta(&object, "resourceVersion").is_some() {
            let message = "resourceVersion should not be set on objects to be created";
            return Err(Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "", message));
        }
        if let (None, Some(prefix)) = (
            object::meta(&object, "name"),
            object::meta(&object, "generateName"),
        ) {
            let name = format!(
                "{}{}",
                prefix.chars().take(58).collect::<String>(),
                target.world.ids.suffix()
            );
            object::set_meta(&mut object, "name", name);
        }
        if let Some(manager) = manager {
            let schema = target.version().schema.schema();
            patch::track_update(
                None,
                &mut object,
                schema,
                &writer(target, manager, &target.api_version()),
            );
        }
        let metadata = object::metadata_mut(&mut object);
        for field in [
            "deletionTimestamp",
            "deletionGracePeriodSeconds",
            "selfLink",
            "generation",
            "resourceVersion",
        ] {
            metadata.remove(field);
        }
        metadata.insert("uid".to_owned(), target.world.ids.uid().into());
        metadata.insert("creationTimestamp".to_owned(), object::now().into());
        let mut wrong = rules::before_create(target, &mut object);
        wrong.extend(body::validate(target, &object));
        Ok(Self {
            target,
            object,
            wrong,
        })
    }

    fn store(
        mut self,
        transaction: &mut Transaction<'_>,
        dry_run: bool,
    ) -> Result<Arc<Value>, Failure> {
        let target = self.target;
        let name = object::name(&self.object).to_owned();
        rules::namespace_takes_content(target, transaction, &name)?;
        if target.resource.is_terminating() {
            return Err(Failure::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "MethodNotAllowed",
                "create not allowed while custom resource definition is terminating",
            ));
        }
        if !self.wrong.is_empty() {
            let kind = self
                .object
                .get("kind")
                .and_then(Value::as_str)
                .unwrap_or_default();
            return Err(Failure::invalid(
                &target.resource.group,
                kind,
                &name,
                self.wrong,
            ));
        }
        let key = target.key(&name);
        if transaction.get(target.bucket(), &key).is_some() {
            return Err(Failure::already_exists(&target.resource, &name));
        }
        body::to_stored(target, &mut self.object, core_events(target).as_deref());
        Ok(if dry_run {
            Arc::new(self.object)
        } else {
            transaction.put(target.bucket(), key, self.object)
        })
    }
}

/// The core group's events, where the target is the other group's.
fn core_events(target: &Target) -> Option<Arc<Resource>> {
    let other = target.resource.is("events.k8s.io", "events");
    if other {
        target.world.registry.get("", "events")
    } else {
        None
    }
}

fn writer<'a>(target: &'a Target, manager: &'a str, api_version: &'a str) -> Writer<'a> {
    Writer {
        manager,
        subresource: target.subresource.as_deref(),
        now: jiff::Timestamp::now(),
        api_version,
        status_is_subresource: target.version().status,
        custom_resource: target.resource.is_crd(),
    }
}

pub(crate) fn update(
    target: &Target,
    name: &str,
    asked: &Asked,
) -> Result<Response<Body>, Failure> {
    let form = Form::of(asked)?;
    let options = WriteOptions::read(asked, "UpdateOptions")?;
    let mut object = body::read(target, asked)?;
    let warnings = body::shape(target, &mut object, options.unknown, Source::Body)?;
    let update = Update {
        target,
        name,
        options: &options,
        is_patch: false,
    };
    let stored = target.world.transact(&target.plane, |transaction| {
        update.run(transaction, |_| {
            Ok(Made {
                object,
                warnings: Vec::new(),
                tracked: false,
            })
        })
    })?;
    Ok(response::warn(
        response::json(StatusCode::OK, &form.object(target, &stored.0)),
        &warnings,
    ))
}

/// What is to be stored in the place of an object.
struct Made {
    object: Value,
    warnings: Vec<String>,
    /// The object says who owns its fields.
    tracked: bool,
}

struct Update<'a> {
    target: &'a Target,
    name: &'a str,
    options: &'a WriteOptions,
    is_patch: bool,
}

impl Update<'_> {
    /// Replaces an object by what `make` makes of it. What comes back is the object after that, though it may be gone.
    fn run(
        &self,
        transaction: &mut Transaction<'_>,
        make: impl FnOnce(&Value) -> Result<Made, Failure>,
    ) -> Result<(Arc<Value>, Vec<String>), Failure> {
        let target = self.target;
        let key = target.key(self.name);
        let stored = transaction
            .get(target.bucket(), &key)
            .ok_or_else(|| Failure::not_found(&target.resource, self.name))?;
        let old = present(target, &stored);
        let Made {
            object: mut new,
            warnings,
            tracked,
        } = make(&old)?;
        rules::same_object(target, &old, &mut new, self.name, self.is_patch)?;
        rules::keep_what_is_not_written(target, &old, &mut new);
        if !tracked {
            let schema = target.version().schema.schema();
            let api_version = target.api_version();
            let writer = writer(target, &self.options.manager, &api_version);
            patch::track_update(Some(&old), &mut new, schema, &writer);
        }
        let mut wrong = rules::before_update(target, &old, &mut new);
        wrong.extend(body::validate(target, &new));
        if !wrong.is_empty() {
            let kind = new.get("kind").and_then(Value::as_str).unwrap_or_default();
            return Err(Failure::invalid(
                &target.resource.group,
                kind,
                self.name,
                wrong,
            ));
        }
        body::to_stored(target, &mut new, core_events(target).as_deref());
        object::set_meta(
            &mut new,
            "resourceVersion",
            object::revision(&stored).to_string(),
        );
        if self.options.dry_run {
            return Ok((Arc::new(new), warnings));
        }
        if rules::is_finished(target, &new) {
            transaction.remove(target.bucket(), &key);
            return Ok((Arc::new(new), warnings));
        }
        Ok((transaction.put(target.bucket(), key, new), warnings))
    }
}

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
    let form = Form::of(asked)?;
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
    let schema = target.version().schema.schema();
    let make = |old: &Value| {
        let patched = match kind {
            PatchKind::Json => patch::json_patch(old, &asked.body).map_err(refused)?,
            PatchKind::Merge => patch::merge_patch(old, &patch),
            PatchKind::Strategic => {
                patch::strategic_merge_patch(old, &patch, schema).map_err(refused)?
            }
            PatchKind::Apply => apply(target, &options, Some(old), patch, force)?,
        };
        make(target, &options, patched, kind == PatchKind::Apply)
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
    Ok(response::warn(
        response::json(code, &form.object(target, &object)),
        &warnings,
    ))
}

/// Brings what a patch made into the form of its schema.
fn make(
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
    let made = make(target, options, object, true)?;
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
