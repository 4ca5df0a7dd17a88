//! Takes keys from the queue and runs them, in every cluster where the controllers work.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};

use futures::FutureExt as _;
use tokio_util::sync::CancellationToken;

use super::queue::{Job, Lane, Queue};
use super::wake::{LaneOf, Lanes};
use super::{Again, Handler, Outcome, Waker};
use crate::fleet::{Cluster, ClusterName, Crew, Roster};
use crate::object::{Desk, Marked, Notes};

/// Every controller of a manager, and the queue that they share.
pub(crate) struct Engine {
    queue: Arc<Queue>,
    /// Read while a cluster comes or goes, so that a controller that is added finds each cluster once.
    crew: RwLock<Vec<Registered>>,
    lanes: Mutex<BTreeMap<Lane, Arc<Post>>>,
    roster: Arc<Roster>,
    /// There is no provider.
    alone: bool,
}

struct Registered {
    handler: Arc<dyn Handler>,
    controller: usize,
    lanes: Arc<Lanes>,
    marked: Arc<Marked>,
}

impl Registered {
    fn new(handler: Arc<dyn Handler>, queue: &Queue) -> Self {
        Self {
            controller: queue.add_controller(handler.pace()),
            handler,
            lanes: Arc::default(),
            marked: Arc::default(),
        }
    }

    fn is_in_host(&self) -> bool {
        self.handler.declaration().is_in_host()
    }
}

/// A controller at work in a cluster.
struct Post {
    handler: Arc<dyn Handler>,
    cluster: Cluster,
    desk: Desk,
}

impl Engine {
    /// The engine of a manager that is `alone`, without a provider, or not.
    pub(crate) fn new(handlers: Vec<Arc<dyn Handler>>, alone: bool) -> Arc<Self> {
        let queue = Queue::new();
        let crew: Vec<Registered> = handlers
            .into_iter()
            .map(|handler| Registered::new(handler, &queue))
            .collect();
        Arc::new(Self {
            queue,
            crew: RwLock::new(crew),
            lanes: Mutex::default(),
            roster: Arc::default(),
            alone,
        })
    }

    /// The cluster of the manager itself, where it is none of the fleet. Whoever has something to do there begins; returns
    /// whether somebody has.
    pub(crate) fn set_host(&self, host: &Cluster) -> bool {
        self.roster.enter_as_host(host);
        let crew = self.crew();
        let is_worked_on = crew.iter().any(Registered::is_in_host);
        if is_worked_on {
            self.board_with(&crew, host);
        }
        is_worked_on
    }

    /// Adds a controller, which begins in every cluster that is there. Returns whether it is the first that has something to
    /// do in a host cluster that is none of the fleet.
    pub(crate) fn add(&self, handler: Arc<dyn Handler>) -> bool {
        let mut crew = self.crew.write().unwrap_or_else(PoisonError::into_inner);
        let added = Registered::new(handler, &self.queue);
        let mut begins_in_host = false;
        for (cluster, is_worked_on) in self.roster.all() {
            if is_worked_on || added.is_in_host() {
                added.handler.open(&cluster, self.alone);
                if !is_worked_on {
                    begins_in_host = true;
                    self.roster.enter(&cluster);
                }
                self.post(&added, &cluster);
            }
        }
        crew.push(added);
        begins_in_host
    }

    fn crew(&self) -> RwLockReadGuard<'_, Vec<Registered>> {
        self.crew.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs keys until `stop`.
    pub(crate) async fn run(self: Arc<Self>, stop: CancellationToken) {
        loop {
            let job = tokio::select! {
                biased;
                () = stop.cancelled() => return,
                job = self.queue.next() => job,
            };
            let place = Place {
                queue: Arc::clone(&self.queue),
                job: Some(job),
            };
            self.start(place);
        }
    }

    fn board_with(&self, crew: &[Registered], cluster: &Cluster) {
        // First what has everything: who needs metadata only shares it.
        for Registered { handler, .. } in crew {
            handler.open(cluster, self.alone);
        }
        self.roster.enter(cluster);
        for registered in crew {
            self.post(registered, cluster);
        }
    }

    /// Lets a controller work in a cluster, if it has something to do there.
    fn post(&self, registered: &Registered, cluster: &Cluster) {
        let Registered {
            handler,
            controller,
            lanes,
            marked,
        } = registered;
        let declared = handler.declaration();
        let works = declared.works_in(cluster.name(), self.alone);
        let mut owns = declared.owns.iter();
        let keeps = owns.any(|kind| declared.keeps_in(kind, cluster.name(), self.alone));
        if !works && !keeps {
            return;
        }
        let lane = self.queue.add_lane(*controller);
        let of_it = LaneOf { lane, works };
        lanes.lock().insert(cluster.name().clone(), of_it);
        marked.set_there(cluster.name());
        let desk = Desk {
            notes: Notes::new(cluster.kept()),
            marked: Arc::clone(marked),
            roster: Arc::clone(&self.roster),
            alone: self.alone,
        };
        let post = Arc::new(Post {
            handler: Arc::clone(handler),
            cluster: cluster.clone(),
            desk,
        });
        self.lock().insert(lane, Arc::clone(&post));
        let waker = Waker::new(Arc::clone(&self.queue), lane, Arc::clone(lanes));
        let host = self.roster.find(&ClusterName::LOCAL);
        let host = host.as_ref().unwrap_or(cluster).clone();
        let sources = Arc::clone(handler).watch(cluster, &host, waker.clone(), &post.desk);
        let queue = Arc::clone(&self.queue);
        cluster.spawn(async move {
            // Reconciling begins when everything that it looks at is there; a kind that is missing
            // holds up only the controllers that need it.
            let all = async {
                for source in &sources {
                    source.synced().await;
                }
            };
            tokio::select! {
                biased;
                () = post.cluster.stopped() => return,
                () = all => {}
            }
            // Whole fleets wait for that at once: what comes then takes its room when it begins.
            Box::pin(post.begin(lane, &queue, &host, waker)).await;
        });
    }

    fn start(&self, place: Place) {
        let Some(Job {
            lane, key, trouble, ..
        }) = &place.job
        else {
            return;
        };
        // Locked to the end, so that a cluster that is left at this moment either waits for this
        // reconcile or never begins it.
        let lanes = self.lock();
        // Without a post the lane has been closed since.
        let Some(post) = lanes.get(lane) else {
            return;
        };
        let Post {
            handler,
            cluster,
            desk,
        } = &**post;
        let name = Arc::clone(handler);
        let key = key.clone();
        let reconcile =
            Arc::clone(handler).reconcile(cluster.clone(), desk.clone(), key.clone(), *trouble);
        cluster.spawn(async move {
            // User code is caught closer to where it runs; what is left is code of the kind, such as a
            // `Serialize` that panics.
            let outcome = AssertUnwindSafe(reconcile).catch_unwind().await;
            place.give_back(outcome.unwrap_or_else(|_panic| {
                tracing::error!(controller = name.name(), %key, "panicked; trying again");
                Outcome {
                    again: Again::Backoff,
                    ..Outcome::default()
                }
            }));
        });
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<Lane, Arc<Post>>> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Post {
    /// Begins, once everything has been seen.
    async fn begin(&self, lane: Lane, queue: &Queue, host: &Cluster, waker: Waker) {
        let Self {
            handler,
            cluster,
            desk,
        } = self;
        // What is spread over the fleet belongs here too.
        if handler.declaration().spreads() && *cluster.name() != ClusterName::LOCAL {
            waker.wake_in(&ClusterName::LOCAL, handler.keys(host));
        }
        // Also of objects that are gone: there may be some that have left something.
        waker.wake_first(desk.marked.owners_in(cluster.name()));
        queue.open(lane);
        tokio::select! {
            biased;
            () = cluster.stopped() => return,
            () = Arc::clone(handler).find_left(cluster.clone(), desk.clone(), waker) => {}
        }
        for gone in desk.marked.gone_of(cluster.name()) {
            clear(handler, cluster, desk, gone);
        }
    }
}

/// A key that runs. It is given back also when its reconcile is cancelled: a key that nobody gives back
/// would never run again, and its place would be lost.
struct Place {
    queue: Arc<Queue>,
    job: Option<Job>,
}

impl Place {
    fn give_back(mut self, outcome: Outcome) {
        if let Some(job) = self.job.take() {
            self.queue.finish(job, outcome);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(job) = self.job.take() {
            self.queue.finish(job, Outcome::default());
        }
    }
}

impl Crew for Engine {
    fn board(&self, cluster: &Cluster) {
        self.board_with(&self.crew(), cluster);
    }

    fn leave(&self, cluster: &Cluster) {
        let name: &ClusterName = cluster.name();
        for Registered { lanes, marked, .. } in self.crew().iter() {
            let left = lanes.lock().remove(name);
            if let Some(LaneOf { lane, .. }) = left {
                let mut posts = self.lock();
                posts.remove(&lane);
                self.queue.close(lane);
            }
            marked.leave(name);
        }
        self.roster.leave(name);
    }

    fn keys(&self) -> BTreeMap<ClusterName, usize> {
        let mut keys = BTreeMap::new();
        for (lane, post) in self.lock().iter() {
            *keys.entry(post.cluster.name().clone()).or_default() += self.queue.pending(*lane);
        }
        keys
    }

    fn gone(&self, name: &ClusterName) {
        for Registered { marked, lanes, .. } in self.crew().iter() {
            marked.set_gone(name);
            for reached in marked.reached_from(name) {
                let lane = lanes.lock().get(&reached).copied();
                let post = lane.and_then(|of_it| self.lock().get(&of_it.lane).cloned());
                if let Some(post) = post {
                    clear(&post.handler, &post.cluster, &post.desk, name.clone());
                }
            }
        }
    }
}

/// Deletes in `cluster` what the objects of one that is gone have marked there.
fn clear(handler: &Arc<dyn Handler>, cluster: &Cluster, desk: &Desk, gone: ClusterName) {
    let clearing = Arc::clone(handler).clear(cluster.clone(), desk.clone(), gone);
    let home = cluster.clone();
    cluster.spawn(async move {
        tokio::select! {
            biased;
            () = home.stopped() => {}
            () = clearing => {}
        }
    });
}
