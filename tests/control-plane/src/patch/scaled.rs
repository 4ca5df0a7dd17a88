//! Who owns the number of replicas of an object, where that is written as a Scale.

use std::collections::BTreeSet;

use serde_json::Value;

use super::apply::BEFORE_FIRST_APPLY;
use super::fields::Set;
use super::managers::{Entry, Id, Managers, Operation, encode, put};
use super::track::Writer;

/// Where a version of a kind has the number of replicas.
pub(crate) enum Place {
    /// Where these names lead.
    At(Vec<String>),
    Nowhere,
    /// There is no such version.
    Unknown,
}

/// The places in all versions.
pub(crate) struct Places<'a> {
    /// The apiVersion in which the number is written.
    own: String,
    of: Box<dyn Fn(&str) -> Place + 'a>,
}

impl<'a> Places<'a> {
    /// Where there is a number in a version, by its apiVersion; `own` is the one in which it is written.
    pub(crate) fn new(own: &str, of: impl Fn(&str) -> Place + 'a) -> Self {
        Self {
            own: own.to_owned(),
            of: Box::new(of),
        }
    }

    /// The number in the fields of a version that has one.
    fn number_in(&self, api_version: &str) -> Option<Set> {
        match (self.of)(api_version) {
            Place::At(path) => {
                let path: Vec<&str> = path.iter().map(String::as_str).collect();
                Some(Set::default().with(&path))
            }
            Place::Nowhere | Place::Unknown => None,
        }
    }

    fn owns_number(&self, entry: &Entry) -> bool {
        let number = self.number_in(&entry.api_version);
        number.is_some_and(|number| !entry.set.intersection(&number).is_empty())
    }

    /// The entry of who owns the number alone.
    fn number_entry(&self) -> Entry {
        Entry {
            api_version: self.own.clone(),
            time: None,
            set: self.number_in(&self.own).unwrap_or_default(),
        }
    }
}

/// Sets `metadata.managedFields` of an object whose number is updated from one to another.
///
/// A Scale does not say a number of 0, so that nobody owns that; and while nobody owns the number, no updater becomes
/// its owner either.
pub(crate) fn track_scale(
    object: &mut Value,
    places: &Places<'_>,
    (before, after): (i64, i64),
    writer: &Writer<'_>,
) {
    let Some((mut others, mut owners)) = apart(object, places) else {
        return;
    };
    if before == after {
        keep_appliers(object, places, &mut others, &mut owners);
    } else if !owners.is_empty() {
        owners.clear();
        if after != 0 {
            owners.push((writer.id(Operation::Update), places.number_entry()));
        }
    }
    join(object, others, owners);
}

/// Where an object has a number that nobody owns, it was there before the first apply of a number.
pub(crate) fn own_scale_before_apply(object: &mut Value, places: &Places<'_>, writer: &Writer<'_>) {
    let Some((mut others, owners)) = apart(object, places) else {
        return;
    };
    if !owners.is_empty() {
        return;
    }
    let first = Writer {
        manager: BEFORE_FIRST_APPLY,
        ..*writer
    };
    let entry = places.number_entry();
    others.0.insert(first.id(Operation::Update), entry);
    join(object, others, owners);
}

/// Gives who owns the number of an object an entry for it alone, in which it is not written down since when; who has
/// applied it to the live one already keeps the entry that there is.
pub(crate) fn set_scale_apart(live: &Value, object: &mut Value, places: &Places<'_>) {
    if let Some((mut others, mut owners)) = apart(object, places) {
        keep_appliers(live, places, &mut others, &mut owners);
        join(object, others, owners);
    }
}

/// Gives the owners that are appliers in an object already their entries back.
fn keep_appliers(
    object: &Value,
    places: &Places<'_>,
    others: &mut Managers,
    owners: &mut Vec<(Id, Entry)>,
) {
    let known = Managers::decode(object.pointer("/metadata/managedFields")).unwrap_or_default();
    owners.retain(|(id, _)| {
        let known = known.0.get(id);
        let known =
            known.filter(|known| id.operation == Operation::Apply && places.owns_number(known));
        if let Some(known) = known {
            others.0.insert(id.clone(), known.clone());
        }
        known.is_none()
    });
}

/// The entries of who owns the number of an object, as a Scale of this version has them.
pub(crate) fn scale_owners(object: &Value, places: &Places<'_>, api_version: &str) -> Vec<Value> {
    let known = Managers::decode(object.pointer("/metadata/managedFields")).unwrap_or_default();
    let owners = known
        .0
        .iter()
        .filter(|(_, entry)| places.owns_number(entry));
    let entries = owners.map(|(id, entry)| {
        let entry = Entry {
            api_version: api_version.to_owned(),
            time: entry.time.clone(),
            set: Set::default().with(&["spec", "replicas"]),
        };
        (id.clone(), entry)
    });
    Managers(entries.collect()).encode()
}

/// Whether anybody owns the number of an object.
pub(crate) fn is_scale_owned(object: &Value, places: &Places<'_>) -> bool {
    apart(object, places).is_some_and(|(_, owners)| !owners.is_empty())
}

/// Gives who has applied the number to the live object the entry back that it has there.
pub(crate) fn keep_scale_applied(
    live: &Value,
    object: &mut Value,
    places: &Places<'_>,
    writer: &Writer<'_>,
) {
    let (Some((mut others, owners)), Some((_, owned))) =
        (apart(object, places), apart(live, places))
    else {
        return;
    };
    let applier = writer.id(Operation::Apply);
    let known = Managers::decode(live.pointer("/metadata/managedFields")).unwrap_or_default();
    if let Some(known) = known
        .0
        .get(&applier)
        .filter(|_| owned.iter().any(|(id, _)| *id == applier))
    {
        others.0.insert(applier, known.clone());
        join(object, others, owners);
    }
}

/// The entries without the number, and those of its owners, in the version in which it is written; nothing where the entries
/// cannot be read.
fn apart(object: &Value, places: &Places<'_>) -> Option<(Managers, Vec<(Id, Entry)>)> {
    let mut managers = Managers::decode(object.pointer("/metadata/managedFields")).ok()?;
    // As a real server does it where a number is scaled: who owns fields in a version that is gone owns nothing any more.
    managers
        .0
        .retain(|_, entry| !matches!((places.of)(&entry.api_version), Place::Unknown));
    let (mut known, mut owners) = (BTreeSet::new(), Vec::new());
    for (id, entry) in &mut managers.0 {
        let Some(number) = places.number_in(&entry.api_version) else {
            continue;
        };
        if !entry.set.intersection(&number).is_empty() {
            entry.set = entry.set.difference(&number);
            let mut id = id.clone();
            if id.operation == Operation::Update {
                id.api_version.clone_from(&places.own);
            }
            if known.insert(id.clone()) {
                owners.push((id, places.number_entry()));
            }
        }
    }
    managers.drop_empty();
    Some((managers, owners))
}

fn join(object: &mut Value, others: Managers, owners: Vec<(Id, Entry)>) {
    let owners = owners.iter().map(|(id, entry)| (id, entry));
    put(object, encode(others.0.iter().chain(owners).collect()));
}
