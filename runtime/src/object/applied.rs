//! What a controller has applied in a cluster, so that what would change nothing is not sent again.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use kube::api::{ApiResource, ObjectMeta};
use serde::{Deserialize as _, Serialize, Serializer};
use serde_json::{Map, Value};
use tokio::time::Instant;

use super::scope::Owner;
use crate::controller::ObjectKey;
use crate::fleet::ClusterName;
use crate::watch::{Fingerprint, Kept};

/// Of children that are larger it is only remembered that they are there, and they are sent each time.
const LARGEST: usize = 16 * 1024;

/// How often a child may get lost within [`SPELL`] before we ask ourselves whether its owner is there.
const LOSSES: u32 = 3;
const SPELL: Duration = Duration::from_secs(60);

/// What has been applied last, by owner. It is known within the process alone.
pub(crate) struct Applied {
    kept: Kept,
    owners: Mutex<BTreeMap<ObjectKey, Children>>,
}

/// Where a child is: the cluster, the version and the plural of its kind, and its key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Child {
    pub(crate) cluster: ClusterName,
    pub(crate) api_version: String,
    pub(crate) plural: String,
    pub(crate) key: ObjectKey,
}

impl Child {
    pub(crate) fn new(cluster: &ClusterName, kind: &ApiResource, key: ObjectKey) -> Self {
        Self {
            cluster: cluster.clone(),
            api_version: kind.api_version.clone(),
            plural: kind.plural.clone(),
            key,
        }
    }

    /// The same whichever version of its kind it is read in.
    pub(super) fn in_any_version(&self) -> Self {
        let group = self
            .api_version
            .rsplit_once('/')
            .map_or("", |(group, _)| group);
        Self {
            api_version: group.to_owned(),
            ..self.clone()
        }
    }

    /// The one before all others of a cluster.
    pub(super) fn first_in(cluster: &ClusterName) -> Self {
        Self {
            cluster: cluster.clone(),
            api_version: String::new(),
            plural: String::new(),
            key: ObjectKey::cluster_scoped(""),
        }
    }
}

struct Children {
    owner_uid: Box<str>,
    /// In order. Most owners have one, and a map has room for eleven from the first on.
    last: Vec<(Child, Last)>,
}

/// From so many children on there is room for more.
const FEW: usize = 4;

impl Children {
    fn get_mut(&mut self, child: &Child) -> Option<&mut Last> {
        let place = self.place(child).ok()?;
        self.last.get_mut(place).map(|(_, last)| last)
    }

    fn insert(&mut self, child: Child, last: Last) {
        match self.place(&child) {
            Ok(place) => self.last[place].1 = last,
            Err(place) => {
                if self.last.len() < FEW {
                    self.last.reserve_exact(1);
                }
                self.last.insert(place, (child, last));
            }
        }
    }

    fn remove(&mut self, child: &Child) -> Option<Last> {
        let place = self.place(child).ok()?;
        Some(self.last.remove(place).1)
    }

    fn place(&self, child: &Child) -> Result<usize, usize> {
        self.last.binary_search_by(|(other, _)| other.cmp(child))
    }
}

/// The last apply of a child.
struct Last {
    content: u64,
    /// What the child was after it.
    after: Fingerprint,
    version: Option<String>,
    /// The child as JSON, all but its metadata, which whoever looks for it has. Empty for one that is too large.
    rest: Box<str>,
    lost: Option<Box<Losses>>,
}

impl Last {
    /// The child with its metadata.
    fn child(&self, meta: &ObjectMeta) -> serde_json::Result<Value> {
        let mut child: Map<String, Value> = serde_json::from_str(&self.rest)?;
        child.insert("metadata".into(), serde_json::to_value(meta)?);
        Ok(child.into())
    }
}

/// An object without its metadata.
struct Rest<'a>(&'a Value);

impl Serialize for Rest<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let fields = self.0.as_object().into_iter().flatten();
        serializer.collect_map(fields.filter(|(name, _)| *name != "metadata"))
    }
}

/// How often a child has been missing that had been applied.
struct Losses {
    since: Instant,
    times: u32,
}

/// What is known of an apply before it is sent.
pub(super) enum Outcome {
    /// It would change nothing, and the child is this.
    Unchanged(Value),
    /// It would change nothing of what is applied, and the rest of the child has changed.
    ElseChanged,
    Unknown,
}

impl Applied {
    /// For a cluster whose caches keep so much.
    pub(crate) fn new(kept: Kept) -> Self {
        Self {
            kept,
            owners: Mutex::default(),
        }
    }

    /// What `content` would make of a child that is `live`.
    pub(super) fn outcome(
        &self,
        owner: &Owner,
        child: &Child,
        content: u64,
        live: &ObjectMeta,
    ) -> Outcome {
        let mut owners = self.lock();
        let last = last(&mut owners, owner, child);
        match last {
            Some(last)
                if last.content == content
                    && !last.rest.is_empty()
                    && last.after == self.fingerprint(live) =>
            {
                if last.version != live.resource_version {
                    return Outcome::ElseChanged;
                }
                last.child(live)
                    .map_or(Outcome::Unknown, Outcome::Unchanged)
            }
            _ => Outcome::Unknown,
        }
    }

    /// What counts of metadata that may be the server's own.
    fn fingerprint(&self, meta: &ObjectMeta) -> Fingerprint {
        Fingerprint::of(&self.kept.of_meta(meta))
    }

    /// Remembers what an apply of `content` returned.
    pub(super) fn remember(&self, owner: &Owner, child: Child, content: u64, returned: &Value) {
        let mut owners = self.lock();
        let children = owners.entry(owner.key.clone());
        let children = children.or_insert_with(|| Children {
            owner_uid: owner.uid.as_str().into(),
            last: Vec::new(),
        });
        if *children.owner_uid != *owner.uid {
            children.owner_uid = owner.uid.as_str().into();
            children.last.clear();
        }
        let rest = serde_json::to_string(&Rest(returned));
        let meta = returned.get("metadata").map(ObjectMeta::deserialize);
        match (meta, rest) {
            (Some(Ok(meta)), Ok(rest)) => {
                let before = children.remove(&child);
                let last = Last {
                    content,
                    after: self.fingerprint(&meta),
                    version: meta.resource_version,
                    rest: if rest.len() <= LARGEST { &*rest } else { "" }.into(),
                    lost: before.and_then(|before| before.lost),
                };
                children.insert(child, last);
            }
            _ => {
                children.remove(&child);
            }
        }
    }

    /// Takes in that a child is missing. Returns whether that is so again and again, as it is when the garbage collector
    /// deletes what we create for an owner that is gone.
    pub(super) fn is_lost_again(&self, owner: &Owner, child: &Child) -> bool {
        let mut owners = self.lock();
        let Some(last) = last(&mut owners, owner, child) else {
            return false;
        };
        let now = Instant::now();
        let lost = last.lost.get_or_insert_with(|| {
            Box::new(Losses {
                since: now,
                times: 0,
            })
        });
        if now.duration_since(lost.since) >= SPELL {
            **lost = Losses {
                since: now,
                times: 0,
            };
        }
        lost.times += 1;
        lost.times > LOSSES
    }

    /// Forgets the children of an owner that are not among `now`.
    pub(crate) fn keep(&self, owner: &ObjectKey, now: &BTreeSet<Child>) {
        let mut owners = self.lock();
        if let Some(children) = owners.get_mut(owner) {
            children.last.retain(|(child, _)| now.contains(child));
            if children.last.is_empty() {
                owners.remove(owner);
            }
        }
    }

    /// Forgets an owner that is gone.
    pub(crate) fn forget(&self, owner: &ObjectKey) {
        self.lock().remove(owner);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<ObjectKey, Children>> {
        self.owners.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The last apply of a child of an owner, if it is still the same owner.
fn last<'a>(
    owners: &'a mut BTreeMap<ObjectKey, Children>,
    owner: &Owner,
    child: &Child,
) -> Option<&'a mut Last> {
    let children = owners.get_mut(&owner.key)?;
    if *children.owner_uid != *owner.uid {
        return None;
    }
    children.get_mut(child)
}

/// A number for what is applied, and how.
pub(super) fn content(object: &Value, force: bool) -> u64 {
    let mut hasher = DefaultHasher::new();
    // Its maps are in order.
    object.to_string().hash(&mut hasher);
    force.hash(&mut hasher);
    hasher.finish()
}
