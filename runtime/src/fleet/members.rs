//! The clusters that providers have named, and to whom each belongs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

use super::damping::{Damping, Departed};
use super::seat::Seat;
use super::status::ClusterStatus;
use super::{ClusterName, Reason, Recent, State, Wish};
use crate::transport::now;

#[derive(Default)]
pub(super) struct Members {
    by_name: BTreeMap<ClusterName, Member>,
    departed: Departed,
    /// Those that are there and not ready, by whom, and since when that is known.
    discovered: BTreeMap<ClusterName, (Arc<str>, Timestamp)>,
    /// Names that cannot be, and who named them.
    refused: BTreeSet<(String, Arc<str>)>,
    closing: bool,
    pub(super) configs: Recent,
}

struct Member {
    /// Who has named it.
    source: Arc<str>,
    seat: Arc<Seat>,
    /// Who has named it as well, later, and waits: until it is let go, or for the end of the one that is gone.
    others: BTreeMap<Arc<str>, Wish>,
}

/// What comes of a wish.
pub(super) enum Wished {
    /// Whoever works on the cluster sees to it.
    Known,
    /// The cluster belongs to somebody else.
    Taken(Arc<str>),
    /// Somebody has to begin to work on it.
    New(Arc<Seat>, Damping),
}

impl Members {
    pub(super) fn wish(&mut self, name: &ClusterName, source: &Arc<str>, wish: Wish) -> Wished {
        self.lose_sight(name, source);
        let Some(member) = self.by_name.get_mut(name) else {
            let seat = Arc::new(Seat::new(wish));
            let member = Member {
                source: Arc::clone(source),
                seat: Arc::clone(&seat),
                others: BTreeMap::new(),
            };
            self.by_name.insert(name.clone(), member);
            return Wished::New(seat, self.departed.take(name));
        };
        let left = member.seat.left();
        if left == Some(Reason::Gone) {
            // Another one of its name, which begins once everything has been told of the end of the first.
            member.others.insert(Arc::clone(source), wish);
            return Wished::Known;
        }
        let is_free = left.is_some();
        if is_free && member.source != *source {
            member.source = Arc::clone(source);
        }
        if member.source != *source {
            return match member.others.insert(Arc::clone(source), wish) {
                Some(_) => Wished::Known,
                None => Wished::Taken(Arc::clone(&member.source)),
            };
        }
        member.others.remove(source);
        member.seat.ask(wish);
        Wished::Known
    }

    /// A cluster is being deleted that is reached as before.
    pub(super) fn retire(&mut self, name: &ClusterName, source: &Arc<str>) {
        let Some(member) = self.by_name.get_mut(name) else {
            return;
        };
        let retire = |wish: &mut Wish| match wish {
            Wish::Engaged { retiring, .. } => !std::mem::replace(retiring, true),
            Wish::Disengaged(_) => false,
        };
        if let Some(waiting) = member.others.get_mut(source) {
            retire(waiting);
        }
        if member.source == *source {
            member.seat.ask_if(retire);
        }
    }

    /// Returns whether there is such a cluster.
    pub(super) fn disengage(
        &mut self,
        name: &ClusterName,
        source: &Arc<str>,
        reason: Reason,
    ) -> bool {
        self.lose_sight(name, source);
        let Some(member) = self.by_name.get_mut(name) else {
            return false;
        };
        member.others.remove(source);
        if member.source == *source {
            member.disengage(reason);
        }
        true
    }

    /// Takes a cluster that has come to its end out of the fleet, unless somebody wishes for it. Returns why it has
    /// been left, and whether it is out.
    pub(super) fn forget(
        &mut self,
        name: &ClusterName,
        damping: &Damping,
    ) -> (Option<Reason>, bool) {
        let Some(member) = self.by_name.get_mut(name) else {
            return (None, true);
        };
        let Some(reason) = member.seat.left() else {
            return (None, false);
        };
        if !self.closing
            && let Some((source, wish)) = member.others.pop_first()
        {
            if member.source != source {
                tracing::info!(cluster = %name, provider = %source, "the cluster is somebody else's now");
                member.source = source;
            }
            member.seat.ask(wish);
            return (Some(reason), false);
        }
        if let Some(member) = self.by_name.remove(name)
            && !self.closing
        {
            self.departed
                .add(name.clone(), damping.clone(), reason, member.source);
        }
        (Some(reason), true)
    }

    /// Takes in that a cluster is there and not ready.
    pub(super) fn discover(&mut self, name: ClusterName, source: &Arc<str>) {
        let seen = || (Arc::clone(source), now());
        self.discovered.entry(name).or_insert_with(seen);
    }

    fn lose_sight(&mut self, name: &ClusterName, source: &Arc<str>) {
        let seen_by = self.discovered.get(name).map(|(seen_by, _)| seen_by);
        if seen_by.is_some_and(|seen_by| seen_by == source) {
            self.discovered.remove(name);
        }
    }

    /// From now on nothing is engaged.
    pub(super) fn close(&mut self) {
        self.closing = true;
        for member in self.by_name.values_mut() {
            member.disengage(Reason::Shutdown);
        }
    }

    #[cfg(test)]
    pub(super) fn seat_of(&self, name: &str) -> Option<Arc<Seat>> {
        let member = self.by_name.get(&ClusterName::new(name).ok()?);
        member.map(|member| Arc::clone(&member.seat))
    }

    /// Ends the reconciles in all clusters.
    pub(super) fn kill(&self) {
        for member in self.by_name.values() {
            if let Some(cluster) = member.seat.standing().cluster() {
                cluster.kill();
            }
        }
    }

    /// Returns whether the name is new among those that cannot be.
    pub(super) fn refuse(&mut self, name: &str, source: &Arc<str>) -> bool {
        self.refused.insert((name.to_owned(), Arc::clone(source)))
    }

    pub(super) fn forget_refused(&mut self, name: &str, source: &Arc<str>) {
        self.refused.remove(&(name.to_owned(), Arc::clone(source)));
    }

    pub(super) fn states(&self) -> Vec<(ClusterName, State)> {
        let states = self
            .by_name
            .iter()
            .map(|(name, member)| (name.clone(), member.seat.standing().state()));
        states.collect()
    }

    /// How all of them are, and those that have gone lately. Nobody here knows of keys.
    pub(super) fn status(&self) -> Vec<ClusterStatus> {
        let here = self.by_name.iter().map(|(name, member)| {
            let standing = member.seat.standing();
            let others = member.others.keys();
            let others = others.filter(|other| **other != member.source);
            standing.status(name.clone(), &member.source, others)
        });
        let gone = self.departed.iter().map(|(name, departure)| ClusterStatus {
            left: Some(departure.reason),
            ..ClusterStatus::idle(name, &departure.source, State::Gone, departure.since)
        });
        let discovered = self.discovered.iter().map(|(name, (source, since))| {
            ClusterStatus::idle(name, source, State::Discovered, *since)
        });
        let mut all: BTreeMap<ClusterName, ClusterStatus> = BTreeMap::new();
        for status in here.chain(gone).chain(discovered) {
            all.entry(status.name.clone()).or_insert(status);
        }
        all.into_values().collect()
    }
}

impl Member {
    fn disengage(&mut self, reason: Reason) {
        self.seat.ask_if(|wish| match wish {
            Wish::Engaged { .. } => {
                *wish = Wish::Disengaged(reason);
                true
            }
            // While it is being left for another reason, it may come to its end as well.
            Wish::Disengaged(was) if reason == Reason::Gone => {
                *was = reason;
                false
            }
            Wish::Disengaged(_) => false,
        });
    }
}

impl Wish {
    pub(super) fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (
                Self::Engaged {
                    connection: one,
                    retiring: is,
                },
                Self::Engaged {
                    connection: other,
                    retiring: was,
                },
            ) => is == was && one.is(other),
            _ => false,
        }
    }
}
