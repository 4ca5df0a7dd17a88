//! `update`, and what patches have in common with it.

use http::{Response, StatusCode};
use serde_json::Value;

use super::body::{self, Shaped};
use super::create::{Creation, Sent, core_events, writer};
use super::delete::take_away;
use super::established::establish;
use super::options::WriteOptions;
use super::target::Target;
use super::unreadable::readable;
use super::view::{Form, present};
use super::{
    Asked, admission, odd_namespaces, owned, response, rules, service_addresses, too_large,
};
use crate::auth;
use crate::failure::Failure;
use crate::kinds::crd_bucket;
use crate::object;
use crate::patch;
use crate::schema::{Empties, Fractions, Pruned};
use crate::serve::Body;
use crate::store::Transaction;

pub(crate) fn update(
    target: &Target,
    name: &str,
    asked: &Asked,
) -> Result<Response<Body>, Failure> {
    let form = Form::of(target, asked)?;
    let (options, mut object, shaped) = body::written(target, asked, "UpdateOptions")?;
    let update = Update {
        target,
        name,
        options: &options,
        is_patch: false,
    };
    let Shaped {
        mut warnings,
        empties,
        ..
    } = shaped;
    let write = |transaction: &mut Transaction<'_>| {
        rules::is_of_path(target, &object, name)?;
        let is_there = transaction
            .get(target.bucket(), &target.key(name))
            .is_some();
        if rules::is_created_by_update(target) && !is_there {
            if let Some(uid) = object::meta(&object, "uid") {
                return Err(rules::other_object(
                    target,
                    name,
                    options.dry_run,
                    ("UID", uid),
                    "",
                ));
            }
            object::metadata_mut(&mut object).remove("resourceVersion");
            let manager = Some(options.manager.as_str());
            let sent = Sent {
                object,
                has_labels: true,
                empties,
                pruned: Pruned::default(),
            };
            let created = Creation::new(target, sent, manager)?;
            let (stored, warned) = created.store(transaction, options.dry_run)?;
            return Ok((StatusCode::CREATED, stored, warned));
        }
        odd_namespaces::check(target, Some(name))?;
        let made = |_: &Value| {
            Ok(Made {
                object,
                warnings: Vec::new(),
                empties,
                tracked: false,
                pruned: Pruned::default(),
            })
        };
        let (stored, warned) = update.run(transaction, made)?;
        Ok((StatusCode::OK, stored, warned))
    };
    let written = target.world.transact(&target.plane, write);
    // What is told of the body is told whatever becomes of it.
    let (code, stored, warned) = written.map_err(|failure| failure.warned(warnings.clone()))?;
    warnings.extend(warned);
    Ok(response::warn(
        response::written(code, form.of_one(target)?.text(target, &stored)),
        &warnings,
    ))
}

/// What is to be stored in the place of an object.
pub(super) struct Made {
    pub(super) object: Value,
    pub(super) warnings: Vec<String>,
    pub(super) empties: Empties,
    /// The object says who owns its fields.
    pub(super) tracked: bool,
    /// What an apply has said besides that is not kept: it was a change, though the rest may be as it was.
    pub(super) pruned: Pruned,
}

pub(super) struct Update<'a> {
    pub(super) target: &'a Target,
    pub(super) name: &'a str,
    pub(super) options: &'a WriteOptions,
    pub(super) is_patch: bool,
}

impl Update<'_> {
    /// Replaces an object by what `make` makes of it. What comes back is the object after that, though it may be gone.
    pub(super) fn run(
        &self,
        transaction: &mut Transaction<'_>,
        make: impl FnOnce(&Value) -> Result<Made, Failure>,
    ) -> Result<(Value, Vec<String>), Failure> {
        let target = self.target;
        let key = target.key(self.name);
        let stored = transaction
            .kept(target.bucket(), &key)
            .ok_or_else(|| Failure::not_found(&target.resource, self.name))?;
        let stored = readable(&target.resource, stored)?.value();
        let as_asked = present(target, &stored);
        let mut made = make(&as_asked)?;
        let mut warnings = std::mem::take(&mut made.warnings);
        match self.put(transaction, (&stored, &as_asked), made) {
            Ok((stored, warned)) => {
                warnings.extend(warned);
                Ok((stored, warnings))
            }
            Err(failure) => Err(failure.warned(warnings)),
        }
    }

    /// Stores an object in the place of another, which comes as it is stored and as it was asked for.
    fn put(
        &self,
        transaction: &mut Transaction<'_>,
        (stored, as_asked): (&Value, &Value),
        made: Made,
    ) -> Result<(Value, Vec<String>), Failure> {
        let target = self.target;
        let mut old = as_asked;
        let Made {
            object: mut new,
            empties,
            tracked,
            pruned,
            ..
        } = made;
        let dry_run = self.options.dry_run;
        let fractions = Fractions::take(&mut new);
        let grants_the_same = auth::grants_the_same(target, old, &new);
        let fixed = rules::same_object(target, old, &mut new, self.name, dry_run, self.is_patch)?;
        if !tracked {
            let schema = target.version().schema.schema();
            let api_version = target.api_version();
            let writer = writer(target, &self.options.manager, &api_version);
            let owners = patch::owners(Some(old), &new, &writer);
            let is_comparable =
                |object| owned::incomparable(target, owners.versions(), object).is_none();
            if is_comparable(old) && is_comparable(&new) {
                patch::track(Some(old), &mut new, owners, schema, &writer);
            } else {
                // Who owns what is not known any more, and the update goes on.
                object::metadata_mut(&mut new).remove("managedFields");
            }
        }
        rules::keep_what_is_not_written(target, old, &mut new);
        if !grants_the_same {
            auth::check_escalation(target, transaction, Some(old), &new)?;
        }
        let as_stored = target.as_stored();
        let rules_of = as_stored.as_ref().unwrap_or(target);
        rules_of.convert(&mut new);
        let as_kept;
        if as_stored.is_some() {
            as_kept = present(rules_of, stored);
            old = &as_kept;
            // The older version may have left out what it does not know.
            rules::keep_what_is_not_written(rules_of, old, &mut new);
        }
        rules::namespace_of(target)?;
        admission::change(target, self.name, Some(old), &mut new)?;
        rules::allocate(target, transaction, Some(old), &mut new, dry_run)?;
        empties.put_back(&mut new);
        let of_rules = rules::before_update(rules_of, old, &mut new, &fixed);
        let verb = if self.is_patch { "patch" } else { "update" };
        let mut wrong = auth::check_claim(target, verb, old, &new);
        wrong.extend(of_rules);
        if !empties.is_none() {
            Empties::take(rules_of.version().schema.schema(), &mut new);
        }
        let has_status = rules_of.version().status;
        let said_otherwise =
            !pruned.is_none() || target.resource.is_crd() && fractions.are_in_the_rest(has_status);
        rules::move_generation(rules_of, old, &mut new, &empties, said_otherwise);
        wrong.extend(body::validate(
            rules_of,
            &fractions.put_back(&pruned.put_back(&new)),
            Some(old),
        ));
        if wrong.is_empty() {
            wrong.extend(auth::check_parameters(target, Some(old), &new));
        }
        if !wrong.is_empty() {
            let kind = new.get("kind").and_then(Value::as_str).unwrap_or_default();
            let group = &target.resource.bucket.group;
            return Err(Failure::invalid(group, kind, self.name, wrong));
        }
        let mut warnings = rules::advice(target, Some(old), &new);
        rules::check_certificates(target, Some(old), &new)?;
        rules::check_growth(target, transaction, old, &new)?;
        auth::check_owners(target, Some(old), &new)?;
        let warned = admission::check(target, self.name, transaction, Some(old), &new, dry_run)
            .map_err(|failure| failure.warned(warnings.clone()))?;
        warnings.extend(warned);
        warnings.extend(rules::not_done(target, &new));
        if target.subresource.is_some() && !object::has_labels(&new) {
            rules::share_labels(target, &mut new);
        }
        body::to_stored(target, &mut new, core_events(target).as_deref());
        object::set_meta(
            &mut new,
            "resourceVersion",
            object::revision(stored).to_string(),
        );
        patch::keep_times(stored, &mut new);
        if dry_run {
            return Ok((new, warnings));
        }
        if rules::is_finished(&target.resource, &new) {
            take_away(transaction, target.bucket(), &target.key(self.name));
            return Ok((new, warnings));
        }
        too_large::check(&mut new, tracked)?;
        service_addresses::take(target, transaction, Some(old), &new)?;
        let key = target.key(self.name);
        let stored = match pruned.is_none() {
            // What is told of it is as it was, and what was said is not.
            false => transaction.renew(target.bucket(), key.clone(), new),
            true => transaction.put(target.bucket(), key.clone(), new),
        };
        if *target.bucket() == crd_bucket() {
            establish(transaction, &key);
        }
        service_addresses::give_back(transaction, target.bucket(), old, Some(&stored));
        Ok((stored, warnings))
    }
}
