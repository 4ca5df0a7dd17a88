//! `create`.

use std::sync::Arc;

use http::{Response, StatusCode};
use serde_json::Value;

use super::body::{self, Shaped};
use super::established::establish;
use super::target::Target;
use super::view::Form;
use super::{Asked, admission, owned, response, rules, service_addresses, too_large};
use crate::auth;
use crate::failure::Failure;
use crate::kinds::{Resource, crd_bucket};
use crate::object;
use crate::patch::{self, Versions, Writer};
use crate::schema::{Empties, Fractions, Pruned};
use crate::serve::Body;
use crate::store::Transaction;

pub(crate) fn create(target: &Target, asked: &Asked) -> Result<Response<Body>, Failure> {
    let form = Form::of(target, asked)?;
    let (options, mut object) = body::sent(target, asked, "CreateOptions")?;
    let has_labels = object::has_labels(&object);
    let Shaped {
        mut warnings,
        empties,
        ..
    } = body::shape_sent(target, asked, &options, &mut object)?;
    let manager = Some(options.manager.as_str());
    let sent = Sent {
        object,
        has_labels,
        empties,
        pruned: Pruned::default(),
    };
    let created = Creation::new(target, sent, manager).and_then(|created| {
        target.world.transact(&target.plane, |transaction| {
            created.store(transaction, options.dry_run)
        })
    });
    // What is told of the body is told whatever becomes of it.
    let (created, warned) = created.map_err(|failure| failure.warned(warnings.clone()))?;
    warnings.extend(warned);
    Ok(response::warn(
        response::written(
            StatusCode::CREATED,
            form.of_one(target)?.text(target, &created),
        ),
        &warnings,
    ))
}

/// How many names are made up for an object before it is said that there is none.
const NAMES_TRIED: usize = 8;

/// A name that begins so.
fn generated(target: &Target, prefix: &str) -> String {
    let prefix: String = prefix.chars().take(58).collect();
    prefix + &target.world.ids.suffix()
}

/// An object in its shape, and what it had when it was sent.
pub(super) struct Sent {
    pub(super) object: Value,
    pub(super) has_labels: bool,
    pub(super) empties: Empties,
    pub(super) pruned: Pruned,
}

/// An object that is fit to be stored, if it is not there yet.
pub(super) struct Creation<'a> {
    target: &'a Target,
    object: Value,
    /// How it was called before it had the rest of its name.
    called: String,
    /// What was said of a name that was not said whole.
    prefix: Option<String>,
    /// It was sent with labels.
    has_labels: bool,
    empties: Empties,
    pruned: Pruned,
    is_applied: bool,
    fractions: Fractions,
    /// The version that it was sent with, though it can have none yet.
    version: Option<String>,
}

impl<'a> Creation<'a> {
    /// `manager` owns the fields from now on; without one the object says itself who does.
    pub(super) fn new(
        target: &'a Target,
        sent: Sent,
        manager: Option<&str>,
    ) -> Result<Self, Failure> {
        let Sent {
            mut object,
            has_labels,
            empties,
            pruned,
        } = sent;
        rules::place(target, &mut object)?;
        let fractions = Fractions::take(&mut object);
        let version = object::meta(&object, "resourceVersion").map(str::to_owned);
        let said = |field| object::meta(&object, field).map(str::to_owned);
        let (name, prefix) = (said("name"), said("generateName"));
        let called = name.clone().or(prefix.clone());
        let prefix = prefix.filter(|_| name.is_none());
        if let Some(prefix) = &prefix {
            object::set_meta(&mut object, "name", generated(target, prefix));
        }
        if target.resource.is("", "limitranges") && object::name(&object).is_empty() {
            object::set_meta(&mut object, "name", target.world.ids.uid());
        }
        let metadata = object::metadata_mut(&mut object);
        for field in [
            "deletionTimestamp",
            "deletionGracePeriodSeconds",
            "selfLink",
            "resourceVersion",
        ] {
            metadata.remove(field);
        }
        if let Some(manager) = manager {
            let schema = target.version().schema.schema();
            let api_version = target.api_version();
            let writer = writer(target, manager, &api_version);
            let owners = patch::owners(None, &object, &writer);
            if owned::incomparable(target, owners.versions(), &object).is_none() {
                patch::track(None, &mut object, owners, schema, &writer);
            } else {
                object::metadata_mut(&mut object).remove("managedFields");
            }
        }
        let metadata = object::metadata_mut(&mut object);
        metadata.insert("uid".to_owned(), target.world.ids.uid().into());
        metadata.insert("creationTimestamp".to_owned(), object::now().into());
        Ok(Self {
            target,
            object,
            called: called.unwrap_or_else(|| "Unknown".to_owned()),
            prefix,
            has_labels,
            empties,
            pruned,
            is_applied: manager.is_none(),
            fractions,
            version,
        })
    }

    /// What is stored, and what is warned of.
    pub(super) fn store(
        mut self,
        transaction: &mut Transaction<'_>,
        dry_run: bool,
    ) -> Result<(Value, Vec<String>), Failure> {
        let target = self.target;
        let prefix = self.prefix.as_deref();
        if let Some(prefix) = prefix {
            let is_taken = |object: &Value| {
                let key = target.key(object::name(object));
                transaction.kept(target.bucket(), &key).is_some()
            };
            for _ in 1..NAMES_TRIED {
                if !is_taken(&self.object) {
                    break;
                }
                object::set_meta(&mut self.object, "name", generated(target, prefix));
            }
        }
        let name = object::name(&self.object).to_owned();
        check_served(target, prefix.map_or(&*name, |_| ""))?;
        let called = prefix.unwrap_or(&name);
        let called = if called.is_empty() { "Unknown" } else { called };
        rules::namespace_takes_content(target, called)?;
        let as_stored = target.as_stored();
        let rules_of = as_stored.as_ref().unwrap_or(target);
        rules_of.convert(&mut self.object);
        admission::change(target, &self.called, None, &mut self.object)?;
        self.empties.put_back(&mut self.object);
        rules::allocate(target, transaction, None, &mut self.object, dry_run)?;
        let mut warnings = rules::early_advice(target, &self.object);
        let mut wrong = rules::before_create(rules_of, &mut self.object);
        if !self.empties.is_none() {
            Empties::take(rules_of.version().schema.schema(), &mut self.object);
        }
        if !self.has_labels {
            rules::share_labels(target, &mut self.object);
        }
        let whole = self.pruned.put_back(&self.object);
        let written = self.fractions.put_back(&whole);
        wrong.extend(body::validate(rules_of, &written, None));
        if wrong.is_empty() {
            wrong.extend(auth::check_parameters(target, None, &self.object));
        }
        auth::check_escalation(target, transaction, None, &self.object)?;
        if !wrong.is_empty() {
            let kind = self
                .object
                .get("kind")
                .and_then(Value::as_str)
                .unwrap_or_default();
            return Err(
                Failure::invalid(&target.resource.bucket.group, kind, &name, wrong)
                    .warned(warnings),
            );
        }
        auth::check_creation(target)?;
        rules::check_certificates(target, None, &self.object)?;
        auth::check_owners(target, None, &self.object)?;
        warnings.extend(rules::advice(target, None, &self.object));
        let warned = admission::check(target, &name, transaction, None, &self.object, dry_run)
            .map_err(|failure| failure.warned(warnings.clone()))?;
        warnings.extend(warned);
        warnings.extend(rules::not_done(target, &self.object));
        let is_number = |version: &String| version.parse::<u64>().is_ok_and(|number| number > 0);
        if !dry_run && self.version.as_ref().is_some_and(is_number) {
            let message = "resourceVersion should not be set on objects to be created";
            return Err(Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "", message));
        }
        let key = target.key(&name);
        if let Some(found) = transaction.kept(target.bucket(), &key) {
            let failure = match found.is_deleting {
                true => Failure::still_exists(&target.resource, &name),
                false => Failure::already_exists(&target.resource, &name),
            };
            let was_generated = object::meta(&self.object, "generateName").is_some();
            let failure = match was_generated {
                true => failure.of_generated_name(),
                false => failure,
            };
            return Err(failure.warned(warnings));
        }
        body::to_stored(target, &mut self.object, core_events(target).as_deref());
        let created = if dry_run {
            if let Some(version) = self.version {
                object::set_meta(&mut self.object, "resourceVersion", version);
            }
            self.object
        } else {
            too_large::check(&mut self.object, self.is_applied)?;
            service_addresses::take(target, transaction, None, &self.object)?;
            let stored = transaction.put(target.bucket(), key.clone(), self.object);
            if *target.bucket() == crd_bucket() {
                establish(transaction, &key);
            }
            stored
        };
        Ok((created, warnings))
    }
}

/// Whether what is of a definition may still come. It is asked while nobody else writes: who deletes all that is of the
/// definition finds what was written before.
fn check_served(target: &Target, name: &str) -> Result<(), Failure> {
    let resource = &target.resource;
    if !resource.is_crd() {
        return Ok(());
    }
    let now = target.world.registry.get(&resource.group, &resource.plural);
    match now.filter(|now| now.is_crd() && now.namespaced == resource.namespaced) {
        None => Err(Failure::page_not_found()),
        Some(now) if now.is_terminating() => {
            let why = "create not allowed while custom resource definition is terminating";
            Err(Failure::forbidden(resource, name, why))
        }
        Some(_) => Ok(()),
    }
}

/// The core group's events, where the target is the other group's.
pub(super) fn core_events(target: &Target) -> Option<Arc<Resource>> {
    let other = target.resource.is("events.k8s.io", "events");
    if other {
        target.world.registry.get("", "events")
    } else {
        None
    }
}

/// Who owns what the request writes.
pub(super) fn writer<'a>(target: &'a Target, manager: &'a str, api_version: &'a str) -> Writer<'a> {
    Writer {
        manager,
        subresource: target.subresource.as_deref(),
        now: crate::clock::now(),
        api_version,
        status_is_subresource: target.version().status,
        custom_resource: target.resource.is_crd(),
        kept_by_status: rules::kept_by_status(&target.resource),
        not_owned: rules::not_owned(&target.resource, target.subresource.as_deref()),
        versions: versions(&target.resource),
    }
}

fn versions(resource: &Resource) -> Versions<'_> {
    match resource {
        resource if resource.is_autoscaler() || resource.is_crd() => Versions::Differ(resource),
        // Those of the two groups are the same events, and no versions of one kind.
        resource if resource.kind == "Event" => Versions::Apart,
        resource => Versions::Served(resource),
    }
}

/// The server itself, which writes down in a status what it has counted.
pub(super) fn server_writer(api_version: &str) -> Writer<'_> {
    Writer {
        manager: "kube-apiserver",
        subresource: Some("status"),
        now: crate::clock::now(),
        api_version,
        status_is_subresource: true,
        custom_resource: false,
        kept_by_status: &[],
        not_owned: &[],
        versions: Versions::Alike,
    }
}
