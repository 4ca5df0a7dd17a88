//! Server-side apply.

use std::collections::BTreeMap;

use serde_json::Value;

use super::fields::{Set, combine, compare, field_set, remove, untyped, untyped_live};
use super::managers::{Entry, Id, Managers, Operation, take};
use super::track::{Writer, after_update, never_owned, settle};
use super::{ApplyError, Conflict, last_applied};
use crate::object;
use crate::schema::{Schema, empty};

/// Who owns what was there before the first apply.
pub(super) const BEFORE_FIRST_APPLY: &str = "before-first-apply";

/// The object after an apply, with its `managedFields`. When the apply changes nothing it is the live object.
pub(crate) fn server_side_apply(
    live: Option<&Value>,
    applied: &Value,
    schema: &Schema,
    writer: &Writer<'_>,
    force: bool,
) -> Result<Value, ApplyError> {
    if !applied["metadata"]["managedFields"].is_null() {
        let why = "metadata.managedFields must be nil";
        return Err(ApplyError::BadRequest(why.into()));
    }
    let managers = Managers::decode(live.and_then(|live| live.pointer("/metadata/managedFields")))
        .map_err(ApplyError::BadRequest)?;
    let unreadable = live.and_then(|live| untyped_live(live, schema));
    if let Some(why) = unreadable.as_ref().filter(|_| managers.is_empty()) {
        return Err(ApplyError::Untypable(format!(
            "failed to create manager for existing fields: failed to convert new object ({}) to smd typed: {why}",
            called(live.unwrap_or(applied)),
        )));
    }
    check(applied, schema, writer)?;
    if let (Some(why), Some(live)) = (unreadable, live) {
        return Err(ApplyError::Untypable(format!(
            "failed to create typed live object ({}): {why}",
            called(live)
        )));
    }
    let mut before = live.cloned().unwrap_or_else(|| empty(schema));
    take(&mut before);
    let managers = match live {
        Some(_) if managers.is_empty() => {
            let first = Writer {
                manager: BEFORE_FIRST_APPLY,
                ..*writer
            };
            after_update(&empty(schema), &before, managers, schema, &first)
        }
        _ => managers,
    };
    let mut managers = managers;
    writer.adjust(&mut managers, schema);
    let merge = |force| merge(&before, applied, managers.clone(), schema, writer, force);
    let outcome = match merge(force) {
        Err(Refusal::Conflicts(conflicts)) => {
            match last_applied::not_excused(&conflicts, &before, schema, writer) {
                conflicts if conflicts.is_empty() => merge(true),
                conflicts => Err(Refusal::Conflicts(conflicts)),
            }
        }
        outcome => outcome,
    };
    let Outcome {
        mut object,
        managers,
    } = outcome.map_err(|Refusal::Conflicts(conflicts)| name(&conflicts))?;
    last_applied::keep_up(&before, &mut object, applied, writer);
    settle(live, &mut object, &managers);
    Ok(object)
}

/// Why a merge is refused: who else owns what it would change.
enum Refusal {
    Conflicts(Vec<(Id, Set)>),
}

fn in_messages(id: &Id) -> impl Ord + '_ {
    let Id {
        manager,
        operation,
        api_version,
        subresource,
    } = id;
    let is_whole = subresource.is_empty();
    (manager, operation, api_version, is_whole, subresource)
}

fn name(conflicts: &[(Id, Set)]) -> ApplyError {
    let named = |(id, set): &(Id, Set)| -> Vec<Conflict> {
        let manager = id.describe();
        let conflict = |field| Conflict {
            manager: manager.clone(),
            field,
        };
        set.paths().into_iter().map(conflict).collect()
    };
    ApplyError::Conflicts(conflicts.iter().flat_map(named).collect())
}

struct Outcome {
    object: Value,
    managers: Managers,
}

fn check(applied: &Value, schema: &Schema, writer: &Writer<'_>) -> Result<(), ApplyError> {
    let version = applied
        .get("apiVersion")
        .and_then(Value::as_str)
        .unwrap_or_default();
    if version != writer.api_version {
        let kind = kind_of(applied);
        return Err(ApplyError::BadRequest(format!(
            "invalid object type: {kind}"
        )));
    }
    let Some(wrong) = untyped(applied, schema) else {
        return Ok(());
    };
    let called = called(applied);
    Err(ApplyError::Untypable(format!(
        "failed to create typed patch object ({called}): {wrong}"
    )))
}

/// What an object is called in an error.
fn called(object: &Value) -> String {
    let (namespace, name) = (object::namespace(object), object::name(object));
    format!("{namespace}/{name}; {}", kind_of(object))
}

fn kind_of(object: &Value) -> String {
    let text = |field: &str| object[field].as_str().unwrap_or_default();
    format!(
        "{}, Kind={}",
        version_text(text("apiVersion")),
        text("kind")
    )
}

fn version_text(version: &str) -> String {
    if version.contains('/') {
        version.to_owned()
    } else {
        format!("/{version}")
    }
}

fn merge(
    before: &Value,
    applied: &Value,
    mut managers: Managers,
    schema: &Schema,
    writer: &Writer<'_>,
    force: bool,
) -> Result<Outcome, Refusal> {
    let id = writer.id(Operation::Apply);
    let last = managers.0.get(&id).cloned();
    let mine = field_set(applied, schema).without_trees(&writer.reset());
    let entry = Entry {
        api_version: writer.api_version.to_owned(),
        time: last.as_ref().and_then(|last| last.time.clone()),
        set: mine,
    };
    managers.0.insert(id.clone(), entry);
    let merged = combine(before, applied, schema);
    let object = prune(merged, &managers, last.as_ref(), schema, writer);

    let changes = compare(before, &object, schema).without(&writer.reset());
    // In the fields of the version that somebody owns them in.
    let changes_for = |entry: &Entry| {
        let elsewhere = writer.changes_in(&entry.api_version, before, &object, schema);
        elsewhere.unwrap_or_else(|| changes.clone())
    };
    let mut conflicts: Vec<(Id, Set)> = managers
        .0
        .iter()
        .filter(|(other, _)| **other != id)
        .map(|(other, entry)| {
            (
                other.clone(),
                entry.set.intersection(&changes_for(entry).taken()),
            )
        })
        .filter(|(_, set)| !set.is_empty())
        .collect();
    if !conflicts.is_empty() && !force {
        // Of one manager those of subresources come first.
        conflicts.sort_by(|(one, _), (other, _)| in_messages(one).cmp(&in_messages(other)));
        return Err(Refusal::Conflicts(conflicts));
    }
    for (other, set) in &conflicts {
        if let Some(entry) = managers.0.get_mut(other) {
            entry.set = entry.set.difference(set);
        }
    }
    for (other, entry) in &mut managers.0 {
        if *other != id {
            entry.set = entry.set.difference(&changes_for(entry).removed);
        }
    }
    if object != *before
        && let Some(entry) = managers.0.get_mut(&id)
    {
        entry.time = Some(writer.time());
    }
    if let Some(entry) = managers.0.get_mut(&id) {
        entry.set = entry.set.difference(&never_owned());
    }
    managers.drop_empty();
    Ok(Outcome { object, managers })
}

/// Takes out what the applier has given up and nobody else owns. It looks in each version at what is owned there, first
/// in the one that was applied last.
fn prune(
    merged: Value,
    managers: &Managers,
    last: Option<&Entry>,
    own: &Schema,
    writer: &Writer<'_>,
) -> Value {
    let Some(last) = last.filter(|last| !last.set.is_empty()) else {
        return merged;
    };
    let mut owned: BTreeMap<&str, Set> = BTreeMap::new();
    for entry in managers.0.values() {
        let set = owned.entry(&entry.api_version).or_default();
        *set = set.union(&entry.set);
    }
    let first = owned.remove_entry(&*last.api_version);
    let schema = &*writer.schema_in(&last.api_version, own);
    let named = last.set.with_named_fields(Some(schema));
    let merged = writer.object_in(&last.api_version, &merged);
    let all = field_set(&merged, schema).with_named_fields(Some(schema));
    // Without all that it had applied, but with what anybody owns now.
    let mut pruned = remove(&merged, &named, schema);
    for (api_version, owned) in first.into_iter().chain(owned) {
        let schema = &*writer.schema_in(api_version, own);
        let named = |set: &Set| set.with_named_fields(Some(schema));
        let [merged, without] =
            [&merged, &pruned].map(|object| writer.object_in(api_version, object));
        let kept = named(&field_set(&without, schema)).union(&named(&owned));
        let all = named(&field_set(&merged, schema));
        pruned = remove(&merged, &all.difference(&kept), schema);
    }
    // What went along with it, but was never applied, comes back.
    let pruned = writer.object_in(&last.api_version, &pruned);
    let kept = field_set(&pruned, schema).with_named_fields(Some(schema));
    let pruned = remove(&merged, &all.difference(&kept).intersection(&named), schema);
    writer.object_in(writer.api_version, &pruned).into_owned()
}
