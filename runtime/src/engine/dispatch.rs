//! Takes keys from the queue and runs them, in every cluster where the controllers work.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};

use futures::FutureExt as _;
use tokio_util::sync::CancellationToken;

use super::queue::{Job, Lane, Queue};
use super::{Again, Handler, Outcome, Waker};
use crate::fleet::{Cluster, ClusterName, Crew};

/// Every controller of a manager, and the queue that they share.
pub(crate) struct Engine {
    queue: Arc<Queue>,
    crew: Vec<Registered>,
    lanes: Mutex<BTreeMap<Lane, Post>>,
}

struct Registered {
    handler: Arc<dyn Handler>,
    controller: usize,
    cluster_concurrency: usize,
}

/// A controller at work in a cluster.
#[derive(Clone)]
struct Post {
    handler: Arc<dyn Handler>,
    cluster: Cluster,
}

impl Engine {
    /// `concurrency` bounds the reconciles of one controller that run at once, in all clusters
    /// together; `cluster_concurrency` those in one cluster.
    pub(crate) fn new(
        handlers: Vec<Arc<dyn Handler>>,
        concurrency: usize,
        cluster_concurrency: usize,
    ) -> Arc<Self> {
        let queue = Queue::new();
        let crew = handlers
            .into_iter()
            .map(|handler| Registered {
                handler,
                controller: queue.add_controller(concurrency),
                cluster_concurrency,
            })
            .collect();
        Arc::new(Self {
            queue,
            crew,
            lanes: Mutex::default(),
        })
    }

    /// Runs keys until `stop`.
    pub(crate) async fn run(self: Arc<Self>, stop: CancellationToken) {
        loop {
            let job = tokio::select! {
                biased;
                () = stop.cancelled() => return,
                job = self.queue.next() => job,
            };
            // Under the lock, so that a cluster that is left at this moment either waits for this
            // reconcile or never begins it.
            let lanes = self.lock();
            // Without a post the lane has been closed since.
            if let Some(post) = lanes.get(&job.lane) {
                self.start(post.clone(), job);
            }
        }
    }

    fn start(&self, post: Post, job: Job) {
        let queue = Arc::clone(&self.queue);
        let cluster = post.cluster.clone();
        cluster.spawn(async move {
            let handler = Arc::clone(&post.handler);
            let reconcile = handler.reconcile(post.cluster, job.key.clone(), job.trouble);
            // User code is caught closer to where it runs; what is left is code of the kind, such as a
            // `Serialize` that panics. A key that nobody takes back would never run again.
            let outcome = AssertUnwindSafe(reconcile).catch_unwind().await;
            let outcome = outcome.unwrap_or_else(|_panic| {
                tracing::error!(controller = post.handler.name(), key = %job.key, "panicked; trying again");
                Outcome {
                    again: Again::Backoff,
                    ..Outcome::default()
                }
            });
            queue.finish(job, outcome);
        });
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<Lane, Post>> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Crew for Engine {
    fn board(&self, cluster: &Cluster) {
        for Registered {
            handler,
            controller,
            cluster_concurrency,
        } in &self.crew
        {
            let lane = self.queue.add_lane(*controller, *cluster_concurrency);
            self.lock().insert(
                lane,
                Post {
                    handler: Arc::clone(handler),
                    cluster: cluster.clone(),
                },
            );
            let sources =
                Arc::clone(handler).watch(cluster, Waker::new(Arc::clone(&self.queue), lane));
            let queue = Arc::clone(&self.queue);
            let cluster = cluster.clone();
            // Reconciling begins when everything that it looks at is there; a kind that is missing
            // holds up only the controllers that need it.
            cluster.clone().spawn(async move {
                let all = futures::future::join_all(sources.iter().map(|source| source.synced()));
                tokio::select! {
                    biased;
                    () = cluster.stopped() => {}
                    _ = all => queue.open(lane),
                }
            });
        }
    }

    fn leave(&self, cluster: &Cluster) {
        let name: &ClusterName = cluster.name();
        let mut lanes = self.lock();
        let left: Vec<Lane> = lanes
            .iter()
            .filter(|(_, post)| post.cluster.name() == name)
            .map(|(lane, _)| *lane)
            .collect();
        for lane in left {
            lanes.remove(&lane);
            self.queue.close(lane);
        }
    }
}
