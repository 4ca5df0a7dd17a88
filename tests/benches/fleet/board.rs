//! What is waited for, and when it came.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures::StreamExt as _;
use k8s_openapi::api::core::v1::ConfigMap;
use kommodore_tests::{Website, status_of};
use kube::api::{Api, PartialObjectMeta};
use kube::runtime::{WatchStreamExt as _, watcher};
use kube::{Client, ResourceExt as _};
use tokio::sync::Notify;

/// What becomes of a website.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Until {
    /// It is Ready with this host.
    Ready(String),
    /// Its page is written.
    Page,
    /// It is gone.
    Gone,
}

#[derive(Debug)]
struct Expected {
    until: Until,
    /// When the server had accepted the change.
    accepted: Option<Instant>,
    seen: Option<Instant>,
}

/// A project and a website in it.
type Key = (usize, String);

#[derive(Clone, Default)]
pub(crate) struct Board {
    inner: Arc<Mutex<Inner>>,
    changed: Arc<Notify>,
}

#[derive(Default)]
struct Inner {
    expected: HashMap<Key, Expected>,
    latencies: Vec<f64>,
    /// How many changes of websites and pages were seen.
    changes: usize,
}

impl Board {
    /// Says what is to come, before it is asked for.
    pub(crate) fn expect(&self, project: usize, name: &str, until: Until) {
        let expected = Expected {
            until,
            accepted: None,
            seen: None,
        };
        let mut inner = self.inner.lock().unwrap();
        inner.expected.insert((project, name.to_owned()), expected);
    }

    /// The server has accepted it.
    pub(crate) fn accepted(&self, project: usize, name: &str) {
        self.update(project, name, |expected| {
            expected.accepted = Some(Instant::now());
        });
    }

    /// How many changes of websites and pages were seen since it was asked for the last time.
    pub(crate) fn changes(&self) -> usize {
        std::mem::take(&mut self.inner.lock().unwrap().changes)
    }

    fn saw(&self, project: usize, name: &str, came: impl Fn(&Until) -> bool) {
        self.inner.lock().unwrap().changes += 1;
        self.update(project, name, |expected| {
            if expected.seen.is_none() && came(&expected.until) {
                expected.seen = Some(Instant::now());
            }
        });
    }

    fn update(&self, project: usize, name: &str, update: impl FnOnce(&mut Expected)) {
        let key = (project, name.to_owned());
        let mut inner = self.inner.lock().unwrap();
        let Some(expected) = inner.expected.get_mut(&key) else {
            return;
        };
        update(expected);
        if let (Some(accepted), Some(seen)) = (expected.accepted, expected.seen) {
            let latency = seen.saturating_duration_since(accepted);
            inner.latencies.push(latency.as_secs_f64() * 1_000.0);
            inner.expected.remove(&key);
            if inner.expected.is_empty() {
                self.changed.notify_one();
            }
        }
    }

    /// Waits until all that was expected has come, and forgets it: the latencies, sorted, and how many are missing.
    pub(crate) async fn done(&self, limit: Duration) -> (Vec<f64>, usize) {
        let all = async {
            while !self.inner.lock().unwrap().expected.is_empty() {
                self.changed.notified().await;
            }
        };
        let _ = tokio::time::timeout(limit, all).await;
        let mut inner = self.inner.lock().unwrap();
        let missing = inner.expected.len();
        inner.expected.clear();
        let mut latencies = std::mem::take(&mut inner.latencies);
        latencies.sort_by(f64::total_cmp);
        (latencies, missing)
    }

    /// Looks at the websites and pages of a project from now on.
    pub(crate) fn observe(&self, project: usize, client: &Client) {
        let sites: Api<Website> = Api::all(client.clone());
        let board = self.clone();
        tokio::spawn(async move {
            let mut events = watcher(sites, watcher::Config::default())
                .default_backoff()
                .boxed();
            while let Some(event) = events.next().await {
                match event {
                    Ok(watcher::Event::Apply(site)) => board.saw_site(project, &site),
                    Ok(watcher::Event::Delete(site)) => {
                        board.saw(project, &site.name_any(), |until| *until == Until::Gone);
                    }
                    _ => {}
                }
            }
        });
        let pages: Api<PartialObjectMeta<ConfigMap>> = Api::all(client.clone());
        let board = self.clone();
        tokio::spawn(async move {
            let mut events = watcher(pages, watcher::Config::default())
                .default_backoff()
                .boxed();
            while let Some(event) = events.next().await {
                if let Ok(watcher::Event::Apply(page)) = event {
                    board.saw(project, &page.name_any(), |until| *until == Until::Page);
                }
            }
        });
    }

    fn saw_site(&self, project: usize, site: &Website) {
        let is_ready = status_of(site, "Ready").is_some_and(|(status, _)| status == "True");
        let observed = site.status.as_ref().and_then(|it| it.observed_generation);
        if is_ready && observed == site.metadata.generation {
            self.saw(
                project,
                &site.name_any(),
                |until| matches!(until, Until::Ready(host) if *host == site.spec.host),
            );
        }
    }
}
