//! What happens by itself after a write: the garbage collector, the end of namespaces and of CRDs, the roles that are
//! made of others, the service account of every namespace, the API services of CRDs and how those of others are, whether
//! flow schemas have their levels, and what is always there.
//!
//! One task does it for each control plane, one change after the other, as the controllers of a real cluster do: behind
//! the writer's back, and soon.

mod accounts;
mod always;
mod availability;
mod chores;
mod definitions;
mod ending;
mod flows;
mod garbage;
mod namespaces;
mod owners;
mod services;
mod strangers;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::auth::rbac::aggregate;
use crate::clock;
use crate::kinds::{crd_bucket, namespace_bucket};
use crate::long;
use crate::plane::{Plane, World};
use crate::store::{Bucket, Change, What};
pub(crate) use chores::{Chore, Chores};
pub(crate) use owners::Owners;

/// Whether something of a server hangs on a change of this bucket.
pub(crate) fn hangs_on(bucket: &Bucket) -> bool {
    availability::looks_at(bucket) || flows::looks_at(bucket)
}

/// How long after a change something goes because of it. Who collects garbage on a real server hears of the change and
/// asks once more, and clients see for so long what is about to go.
const BEFORE_IT_GOES: Duration = Duration::from_millis(10);

/// A change that is longer than this takes a while to look at, in bytes.
const LONG: usize = 32 * 1024;

/// Has the work of each control plane done, until the world ends. None waits for that of another.
pub(crate) async fn run(world: Weak<World>, mut called: mpsc::UnboundedReceiver<Arc<Plane>>) {
    let mut workers = JoinSet::new();
    loop {
        tokio::select! {
            biased;
            plane = called.recv() => match plane {
                Some(plane) => drop(workers.spawn(work_off(world.clone(), plane))),
                None => return,
            },
            Some(_) = workers.join_next() => {}
        }
    }
}

/// Does what is to be done in a control plane, one thing after the other.
async fn work_off(world: Weak<World>, plane: Arc<Plane>) {
    while let Some(chore) = plane.chores.next() {
        if chore.takes_away() {
            tokio::time::sleep_until(chore.since + BEFORE_IT_GOES).await;
        }
        let Some(world) = world.upgrade() else { return };
        let Chore { bucket, change, .. } = &chore;
        // What ends may take much along.
        let is_long = change.object.text().len() > LONG
            || change.what == What::Deleted
            || change.object.is_deleting
            || is_definition(bucket);
        let work = || clock::within(world.clock, || follow(&world, &plane, &chore));
        // Whatever is wrong with one object, the others are seen to.
        let done = catch_unwind(AssertUnwindSafe(|| long::beside_others(is_long, work)));
        if done.is_err() {
            let (key, resource) = (chore.change.key(), &chore.bucket.plural);
            tracing::error!(%resource, name = key.name, namespace = key.namespace, "the janitor panicked");
        }
        // So that a flood of work leaves room for requests.
        tokio::task::yield_now().await;
    }
}

fn follow(world: &Arc<World>, plane: &Arc<Plane>, chore: &Chore) {
    let Chore { bucket, change, .. } = chore;
    garbage::after(world, plane, bucket, change);
    strangers::after(world, plane, bucket, change);
    accounts::after(world, plane, bucket, change);
    if begins_to_go(bucket, &namespace_bucket(), change)
        && let Some(delay) = world.options.namespaces_end_after
    {
        end_later(world, plane, change.clone(), delay);
    } else {
        namespaces::after(world, plane, bucket, change);
    }
    definitions::after(world, plane, bucket, change);
    services::after(world, plane, bucket, change);
    availability::after(world, plane, bucket, change);
    flows::after(world, plane, bucket, change);
    always::after(world, plane, bucket, change);
    aggregate::after(world, plane, bucket);
}

/// Ends a namespace after a while, if there is still a server then.
fn end_later(world: &Arc<World>, plane: &Arc<Plane>, change: Arc<Change>, delay: Duration) {
    let (world, plane) = (Arc::downgrade(world), plane.clone());
    tokio::spawn(async move {
        tokio::time::sleep(delay).await;
        if let Some(world) = world.upgrade() {
            clock::within(world.clock, || {
                namespaces::after(&world, &plane, &namespace_bucket(), &change);
            });
        }
    });
}

/// Whether the change is that the deletion of an object of this bucket has begun.
fn begins_to_go(bucket: &Bucket, wanted: &Bucket, change: &Change) -> bool {
    bucket == wanted && change.what != What::Deleted && change.object.is_deleting
}

fn is_namespace(bucket: &Bucket) -> bool {
    *bucket == namespace_bucket()
}

fn is_definition(bucket: &Bucket) -> bool {
    *bucket == crd_bucket()
}
