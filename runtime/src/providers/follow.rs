//! Follows the records of clusters that lie in the host cluster, and tells the fleet what to do about each.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures::future::{BoxFuture, join_all};
use kube::api::ObjectMeta;
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::Result;
use crate::controller::ObjectKey;
use crate::fleet::{ClusterName, Connection, Fleet, Reason};
use crate::watch::{Change, Observer, Source};

/// Records of clusters: what there is, and what each says.
pub(super) trait Records: Send + Sync {
    /// What is to be followed: the records, and what else they are made of.
    fn parts(&self) -> Vec<Part>;

    /// What the record with this key says now; `None` where there is none.
    fn read(&self, key: &ObjectKey) -> Option<Reading>;

    /// Resolves when all of them may say something else than before, though none of the parts has changed.
    fn changed(&self) -> BoxFuture<'static, ()> {
        Box::pin(std::future::pending())
    }
}

/// Some of the objects that records are made of.
pub(super) struct Part {
    pub(super) source: Arc<dyn Source>,
    pub(super) role: Role,
}

/// What an object is to a record.
#[derive(Clone, Copy)]
pub(super) enum Role {
    /// The record itself, with which its cluster ends. Where only some are `selected`, one that is lost may be there all the
    /// same, unless it was being deleted.
    Cluster { selected: bool },
    /// The record itself. Without it nobody knows of the cluster, which may be there all the same.
    Mention,
    /// Something of the record whose key this finds.
    Detail(fn(&ObjectMeta) -> Option<ObjectKey>),
}

/// What a record says.
pub(super) struct Reading {
    /// How its cluster is called.
    pub(super) name: String,
    /// Whether the cluster is being deleted.
    pub(super) deleting: bool,
    /// How it is reached. `None` as long as it is not ready.
    pub(super) connection: Result<Option<Connection>>,
}

/// What has become of a record.
struct News {
    key: ObjectKey,
    /// It was there, and is not any more.
    lost: Option<Reason>,
}

/// Tells the follower of every change.
struct Tell {
    sender: mpsc::UnboundedSender<News>,
    role: Role,
}

impl Observer for Tell {
    fn changed(&self, change: &Change<'_>) {
        let Some(meta) = change
            .after
            .or(change.before)
            .map(|object| object.metadata())
        else {
            return;
        };
        let lost = match (self.role, change.after) {
            (Role::Cluster { selected }, None)
                if !selected || meta.deletion_timestamp.is_some() =>
            {
                Some(Reason::Gone)
            }
            // The watch has not told of the end of the one before.
            (Role::Cluster { .. }, Some(_)) if change.is_another() => Some(Reason::Gone),
            (Role::Cluster { .. } | Role::Mention, None) => Some(Reason::Deselected),
            _ => None,
        };
        let key = match self.role {
            Role::Detail(key) => key(meta),
            Role::Cluster { .. } | Role::Mention => Some(ObjectKey::of_meta(meta)),
        };
        if let Some(key) = key {
            // It fails only when the manager is shutting down.
            let _ = self.sender.send(News { key, lost });
        }
    }
}

/// A cluster that has been seen.
struct Member {
    /// If it is not the record's.
    name: Option<Box<str>>,
    engaged: bool,
    deleting: bool,
    /// When it is disengaged, if nothing changes.
    deadline: Option<Instant>,
}

impl Member {
    fn name<'a>(&'a self, key: &'a ObjectKey) -> &'a str {
        self.name.as_deref().unwrap_or(&key.name)
    }
}

/// How long the follower waits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// For one that is not ready.
    pub(super) grace: Duration,
    /// For one that is being deleted.
    pub(super) cleanup: Duration,
}

pub(super) struct Follower<R> {
    records: R,
    patience: Patience,
    fleet: Fleet,
    members: BTreeMap<ObjectKey, Member>,
    /// Those of the members, the next one first.
    deadlines: BTreeSet<(Instant, ObjectKey)>,
    /// What is wrong with records, as it has been said.
    refused: BTreeMap<ObjectKey, String>,
}

impl<R: Records> Follower<R> {
    pub(super) fn new(records: R, patience: Patience, fleet: Fleet) -> Self {
        Self {
            records,
            patience,
            fleet,
            members: BTreeMap::new(),
            deadlines: BTreeSet::new(),
            refused: BTreeMap::new(),
        }
    }

    pub(super) async fn follow(mut self) -> Result<()> {
        let (sender, mut changes) = mpsc::unbounded_channel();
        let parts = self.records.parts();
        for Part { source, role } in &parts {
            let sender = sender.clone();
            let role = *role;
            source.observe(Arc::new(Tell { sender, role }));
        }
        let mut synced = std::pin::pin!(join_all(parts.iter().map(|part| part.source.synced())));
        let mut named_all = false;
        let mut changed = self.records.changed();
        loop {
            let next = self.deadlines.first().map(|(at, _)| *at);
            let timer = async {
                match next {
                    Some(at) => tokio::time::sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                news = changes.recv() => match news {
                    Some(News { key, lost }) => self.take_in(&key, lost),
                    None => return Ok(()),
                },
                // Behind the news of the first lists.
                _ = &mut synced, if !named_all => {
                    named_all = true;
                    // A map that was filled one by one and in order keeps half of its places empty.
                    self.members = std::mem::take(&mut self.members).into_iter().collect();
                    self.fleet.named_all();
                }
                () = &mut changed => {
                    self.read_again();
                    changed = self.records.changed();
                }
                () = timer => self.expire(Instant::now()),
            }
        }
    }

    fn take_in(&mut self, key: &ObjectKey, lost: Option<Reason>) {
        if let Some(reason) = lost {
            self.lose(key, reason);
        }
        // There may be another one of that name already.
        if let Some(reading) = self.records.read(key) {
            self.there(key, reading);
        }
    }

    fn read_again(&mut self) {
        let known = self.members.keys().chain(self.refused.keys());
        let known: BTreeSet<ObjectKey> = known.cloned().collect();
        for key in known {
            self.take_in(&key, None);
        }
    }

    fn there(&mut self, key: &ObjectKey, reading: Reading) {
        let Reading {
            name,
            deleting,
            connection,
        } = reading;
        let connection = match connection {
            Ok(connection) => {
                self.refused.remove(key);
                connection
            }
            Err(error) => {
                self.refuse(key, &format!("{error:#}"));
                if !(deleting && self.members.contains_key(key)) {
                    return;
                }
                // It ends all the same, and is reached as before until then.
                None
            }
        };
        if self
            .members
            .get(key)
            .is_some_and(|member| member.name(key) != name)
        {
            self.lose(key, Reason::Deselected);
        }
        let fleet = self.fleet_of(key);
        let Patience { grace, cleanup } = self.patience;
        let member = self.members.entry(key.clone()).or_insert_with(|| Member {
            name: (name != key.name).then(|| name.into()),
            engaged: false,
            deleting: false,
            deadline: None,
        });
        let before = member.deadline;
        if member.deleting && !deleting {
            // Another one of the same name, created before we saw the end of the first.
            member.deleting = false;
            member.deadline = None;
        }
        match (deleting, connection) {
            // Once it is being deleted, only its end or the deadline disengages it.
            (true, connection) if member.deleting => {
                // It may have been seen before that by which it is reached.
                let has_time = member.engaged || member.deadline.is_some();
                if let Some(connection) = connection.filter(|_| has_time) {
                    member.engaged = true;
                    fleet.retire(member.name(key), connection);
                }
            }
            (true, connection) => {
                member.deleting = true;
                member.deadline = Instant::now().checked_add(cleanup);
                match connection {
                    Some(connection) => {
                        member.engaged = true;
                        fleet.retire(member.name(key), connection);
                    }
                    // It is reached as before.
                    None if member.engaged => fleet.retire_as_it_is(member.name(key)),
                    None => fleet.discover(member.name(key)),
                }
            }
            (false, Some(connection)) => {
                member.engaged = true;
                member.deadline = None;
                fleet.engage(member.name(key), connection);
            }
            (false, None) if !member.engaged => fleet.discover(member.name(key)),
            (false, None) => {
                if member.deadline.is_none() {
                    tracing::info!(cluster = %member.name(key), "the cluster is not ready");
                    member.deadline = Instant::now().checked_add(grace);
                }
            }
        }
        let after = member.deadline;
        if before != after {
            self.set_deadline(key, before, after);
        }
    }

    fn set_deadline(&mut self, key: &ObjectKey, before: Option<Instant>, after: Option<Instant>) {
        if let Some(before) = before {
            self.deadlines.remove(&(before, key.clone()));
        }
        if let Some(after) = after {
            self.deadlines.insert((after, key.clone()));
        }
    }

    /// Leaves a record out, or lets its cluster be as it is, and says so once.
    fn refuse(&mut self, key: &ObjectKey, error: &str) {
        if self.refused.get(key).is_some_and(|said| said == error) {
            return;
        }
        match self.members.get(key) {
            Some(member) => {
                let name = member.name(key);
                tracing::warn!(%name, record = %key, error, "the cluster stays as it is");
            }
            None => tracing::warn!(record = %key, error, "the cluster is left out"),
        }
        self.refused.insert(key.clone(), error.to_owned());
    }

    fn lose(&mut self, key: &ObjectKey, reason: Reason) {
        self.refused.remove(key);
        if let Some(member) = self.members.remove(key) {
            self.set_deadline(key, member.deadline, None);
            self.fleet_of(key).disengage(member.name(key), reason);
        }
    }

    fn expire(&mut self, now: Instant) {
        while let Some((at, key)) = self.deadlines.pop_first() {
            if at > now {
                self.deadlines.insert((at, key));
                return;
            }
            let fleet = self.fleet_of(&key);
            if let Some(member) = self.members.get_mut(&key) {
                member.deadline = None;
                member.engaged = false;
                if member.deleting {
                    tracing::warn!(cluster = %member.name(&key), "the cluster is still being deleted at the deadline: its cleanup is given up");
                }
                fleet.disengage(member.name(&key), Reason::NotReady);
                if !member.deleting {
                    fleet.discover(member.name(&key));
                }
            }
        }
    }

    /// The fleet, told of where the cluster has been found, should two have one name.
    fn fleet_of(&self, key: &ObjectKey) -> Fleet {
        match key.namespace {
            Some(_) => self.fleet.found_in(key),
            None => self.fleet.clone(),
        }
    }
}

/// Whether a name can be that of a cluster, for who builds more from it.
pub(super) fn valid(name: &str) -> Result<ClusterName> {
    Ok(ClusterName::new(name)?)
}
