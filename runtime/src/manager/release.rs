//! Takes the finalizers of a manager's controllers off all objects, for who uninstalls it.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use kube::api::{ApiResource, ObjectMeta};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::builder::Parts;
use super::run::{Begun, manage};
use crate::controller::ObjectKey;
use crate::fleet::{Cluster, ClusterName, Crew, Fleet};
use crate::object::{Finalizer, Remote, holds, list_metadata};
use crate::transport::{Backoff, Failure};
use crate::{Error, Result};

const FIRST_BACKOFF: Duration = Duration::from_secs(1);
const LONGEST_BACKOFF: Duration = Duration::from_secs(60);
/// How often it is looked whether a cluster has left that was waited for.
const INTERVAL: Duration = Duration::from_millis(500);
const HTTP_NOT_FOUND: u16 = 404;

/// A finalizer of a controller, and the kind that it is put on.
pub(super) struct Held {
    pub(super) kind: ApiResource,
    pub(super) finalizer: String,
    pub(super) controller: String,
}

/// Who works on the clusters: each is left alone once nothing in it is held any more.
#[derive(Clone)]
struct Release(Arc<Shared>);

struct Shared {
    held: Vec<Held>,
    state: Mutex<State>,
    news: Notify,
}

#[derive(Default)]
struct State {
    done: BTreeSet<ClusterName>,
    removed: usize,
    /// Nothing is held any more in any cluster.
    complete: bool,
    /// The clusters that are not done, as they were when somebody looked.
    left: Vec<ClusterName>,
}

/// Takes the finalizers off in every cluster that the controllers work in, and returns how many there were.
pub(super) async fn release(
    mut parts: Parts,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<usize> {
    let release = Release(Arc::new(Shared {
        held: std::mem::take(&mut parts.held),
        state: Mutex::default(),
        news: Notify::new(),
    }));
    let watched = release.clone();
    let mut handlers = parts.handlers.iter();
    let in_host = handlers.any(|handler| handler.declaration().engages().local);
    let begin = move |begun: Begun<'_>| {
        let fleet = begun.fleet.clone();
        let host = begun.host.filter(|_| in_host);
        if let Some(host) = host {
            watched.board(host);
        }
        let host = host.map(|host| host.name().clone());
        async move { watched.watch(&fleet, host.as_ref(), &begun.stop).await }
    };
    manage(parts, Arc::new(release.clone()), shutdown, begin).await?;
    let state = release.lock();
    if state.complete {
        return Ok(state.removed);
    }
    let left: Vec<&str> = state.left.iter().map(ClusterName::as_str).collect();
    Err(Error::terminal(match left.as_slice() {
        [] => {
            "ended before all clusters were known: there may be objects with finalizers".to_owned()
        }
        left => format!(
            "ended before the finalizers were off in these clusters: {}",
            left.join(", ")
        ),
    }))
}

impl Release {
    /// Resolves when all clusters are known and done, and `host` with them, or at the `stop`.
    async fn watch(&self, fleet: &Fleet, host: Option<&ClusterName>, stop: &CancellationToken) {
        loop {
            // Before the clusters: whoever says that these are all has named them.
            let known = fleet.is_complete();
            let clusters = fleet.clusters();
            // After the clusters: they leave once it has been said, and whoever has left is not thereby done.
            if stop.is_cancelled() {
                return;
            }
            let names = clusters.into_iter().map(|(name, _)| name);
            let names = names.chain(host.cloned());
            {
                let mut state = self.lock();
                state.left = names.filter(|name| !state.done.contains(name)).collect();
                state.complete = known && state.left.is_empty();
                if state.complete {
                    return;
                }
            }
            let news = tokio::time::timeout(INTERVAL, self.0.news.notified());
            let _ = stop.run_until_cancelled(news).await;
        }
    }

    async fn work(&self, cluster: &Cluster) {
        for held in &self.0.held {
            let mut backoff = Backoff::new(FIRST_BACKOFF, LONGEST_BACKOFF);
            while let Err(failure) = self.release(cluster, held).await {
                tracing::warn!(
                    cluster = %cluster.name(), kind = %held.kind.kind, finalizer = held.finalizer, error = %failure,
                    "cannot take the finalizers off; trying again"
                );
                tokio::time::sleep(backoff.next()).await;
            }
        }
        tracing::info!(cluster = %cluster.name(), "nothing is held any more");
        self.lock().done.insert(cluster.name().clone());
        self.0.news.notify_one();
    }

    /// Takes one finalizer off all objects of its kind, selected or not.
    async fn release(&self, cluster: &Cluster, held: &Held) -> Result<(), Failure> {
        let has_it = |meta: &ObjectMeta| holds(meta, &held.finalizer);
        let listed = list_metadata(&cluster.line(), &held.kind, cluster.namespace(), has_it).await;
        let objects = match listed {
            // There is no such kind in this cluster.
            Err(failure) if failure.code() == Some(HTTP_NOT_FOUND) => return Ok(()),
            listed => listed?,
        };
        for meta in objects {
            let key = ObjectKey::of_meta(&meta);
            let remote = Remote::new(cluster, &held.kind, key);
            let finalizer = Finalizer {
                name: &held.finalizer,
                manager: &held.controller,
                remote: &remote,
            };
            finalizer.remove(&meta).await?;
            self.lock().removed += 1;
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Crew for Release {
    fn board(&self, cluster: &Cluster) {
        let (release, home) = (self.clone(), cluster.clone());
        cluster.spawn(async move {
            tokio::select! {
                biased;
                () = home.stopped() => {}
                () = release.work(&home) => {}
            }
        });
    }

    fn leave(&self, cluster: &Cluster) {
        // Under this name there may be another one next.
        self.lock().done.remove(cluster.name());
        self.0.news.notify_one();
    }

    fn gone(&self, _: &ClusterName) {}
}

#[cfg(test)]
mod tests {
    use std::future::ready;
    use std::pin::pin;

    use futures::poll;
    use kube::{Client, Config};

    use super::*;
    use crate::fleet::State as Engagement;
    use crate::transport::Connect;
    use crate::watch::{Common, Kept};

    #[tokio::test(start_paused = true)]
    async fn clusters_that_leave_because_it_ends_are_not_done() {
        let release = Release(Arc::new(Shared {
            held: vec![Held {
                kind: ApiResource::erase::<k8s_openapi::api::core::v1::ConfigMap>(&()),
                finalizer: "demo.kommodore.dev/one".to_owned(),
                controller: "one".to_owned(),
            }],
            state: Mutex::default(),
            news: Notify::new(),
        }));
        let connect: Connect =
            Arc::new(|config| Box::pin(ready(Client::try_from(config).map(Into::into))));
        let common = Common::new(64, Kept::default());
        let fleet = Fleet::new(
            Arc::new(release.clone()),
            0,
            Duration::ZERO,
            connect,
            common,
        );
        fleet.engage("blue", Config::new("http://127.0.0.1:1".parse().unwrap()));
        while !fleet
            .clusters()
            .iter()
            .any(|(_, state)| *state == Engagement::Engaged)
        {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let stop = CancellationToken::new();
        let mut watch = pin!(release.watch(&fleet, None, &stop));
        assert!(poll!(&mut watch).is_pending());
        stop.cancel();
        fleet.close().await;
        assert!(fleet.clusters().is_empty());
        watch.await;
        assert!(!release.lock().complete);
        assert_eq!(release.lock().left, [ClusterName::new("blue").unwrap()]);
    }
}
