//! What happens by itself after a write: the garbage collector, the end of namespaces and of CRDs, the roles that are
//! made of others, the service account of every namespace, the API services of CRDs and how those of others are, whether flow schemas have their levels, and what is always there.
//!
//! One task does it for all control planes, one change after the other, as the controllers of a real cluster do:
//! behind the writer's back, and soon.

mod accounts;
mod always;
mod availability;
mod definitions;
mod ending;
mod flows;
mod garbage;
mod namespaces;
mod services;
mod strangers;

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::mpsc;

use crate::auth::rbac::aggregate;
use crate::clock;
use crate::kinds::{crd_bucket, namespace_bucket};
use crate::plane::{Plane, World};
use crate::store::{Bucket, Change, What};

/// Whether something of a server hangs on a change of this bucket.
pub(crate) fn hangs_on(bucket: &Bucket) -> bool {
    availability::looks_at(bucket) || flows::looks_at(bucket)
}

/// A change that something may follow from.
pub(crate) struct Work {
    pub(crate) plane: Arc<Plane>,
    pub(crate) bucket: Bucket,
    pub(crate) change: Arc<Change>,
}

/// Works until the world ends.
pub(crate) async fn run(world: Weak<World>, mut work: mpsc::UnboundedReceiver<Work>) {
    while let Some(Work {
        plane,
        bucket,
        change,
    }) = work.recv().await
    {
        let Some(world) = world.upgrade() else { return };
        clock::within(world.clock, || {
            garbage::after(&world, &plane, &bucket, &change);
            strangers::after(&world, &plane, &bucket, &change);
            accounts::after(&world, &plane, &bucket, &change);
            if begins_to_go(&bucket, &namespace_bucket(), &change)
                && let Some(delay) = world.options.namespaces_end_after
            {
                end_later(&world, &plane, change.clone(), delay);
            } else {
                namespaces::after(&world, &plane, &bucket, &change);
            }
            definitions::after(&world, &plane, &bucket, &change);
            services::after(&world, &plane, &bucket, &change);
            availability::after(&world, &plane, &bucket, &change);
            flows::after(&world, &plane, &bucket, &change);
            always::after(&world, &plane, &bucket, &change);
            aggregate::after(&world, &plane, &bucket);
        });
        // So that a flood of work leaves room for requests.
        tokio::task::yield_now().await;
    }
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
