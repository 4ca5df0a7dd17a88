//! A manager from start to shutdown.

use std::sync::Arc;

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::admission::Admission;
use super::builder::Parts;
use super::controllers::Controllers;
use super::leader::Leadership;
use crate::engine::Engine;
use crate::fleet::{Cluster, ClusterName, Crew, Fleet};
use crate::providers::Provider;
use crate::{Error, Result, ResultExt as _};

/// What there is when the work begins.
pub(super) struct Begun<'a> {
    pub(super) fleet: &'a Fleet,
    /// The host cluster, where it is none of the fleet.
    pub(super) host: Option<&'a Cluster>,
    pub(super) stop: CancellationToken,
}

pub(super) async fn run(
    mut parts: Parts,
    admission: Admission,
    late: &Controllers,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<()> {
    let alone = parts.providers.is_empty();
    let engine = Engine::new(std::mem::take(&mut parts.handlers), alone);
    let _running = late.run(admission, &engine);
    let crew = Arc::clone(&engine);
    let late = late.clone();
    let begin = move |begun: Begun<'_>| {
        late.begin(&begun);
        engine.run(begun.stop)
    };
    manage(parts, crew, shutdown, begin).await
}

/// Lets `crew` work in the clusters until the `shutdown`, or until what `begin` makes has come to its end.
pub(super) async fn manage<F>(
    parts: Parts,
    crew: Arc<dyn Crew>,
    shutdown: impl Future<Output = ()> + Send,
    begin: impl FnOnce(Begun<'_>) -> F,
) -> Result<()>
where
    F: Future<Output = ()> + Send + 'static,
{
    let Parts {
        config,
        providers,
        handlers: _,
        held: _,
        election,
        grace,
        connect,
        common,
        status,
    } = parts;
    let what = format!("connecting to {}", config.cluster_url);
    let mut shutdown = std::pin::pin!(shutdown);
    let host_line = tokio::select! {
        biased;
        () = &mut shutdown => return Ok(()),
        line = connect(config.clone()) => line.context(what)?,
    };
    let leadership = match election {
        Some(election) => match election.won(host_line.client(), &mut shutdown).await {
            Some(leadership) => Some(leadership),
            None => return Ok(()),
        },
        None => None,
    };
    let fleet = Fleet::new(Arc::clone(&crew), providers.len(), grace, connect, common);
    status.begin(&fleet);
    let stop = CancellationToken::new();
    let host = Cluster::new(
        ClusterName::LOCAL,
        config.clone().into(),
        host_line,
        fleet.common(),
    );
    let _work = Work {
        fleet: fleet.clone(),
        host: host.clone(),
        stop: stop.clone(),
    };
    host.begin();
    // Before anybody asks which clusters there are.
    if providers.is_empty() {
        fleet.engage_host(config.clone().into());
    }
    let workers = TaskTracker::new();
    workers.spawn(begin(Begun {
        fleet: &fleet,
        host: Some(&host).filter(|_| !providers.is_empty()),
        stop: stop.clone(),
    }));
    workers.close();
    tracing::info!(host = %config.cluster_url, "running");
    let names = tell_apart(&providers);
    let mut running: FuturesUnordered<_> = providers
        .into_iter()
        .zip(names)
        .map(|(provider, name)| {
            let what = format!("the provider {name}");
            let run = provider.run(host.clone(), config.clone(), fleet.of_provider(&name));
            async move { run.await.context(what) }
        })
        .collect();
    let outcome = tokio::select! {
        biased;
        () = &mut shutdown => Ok(()),
        () = lost(leadership.as_ref()) => Ok(()),
        Err(error) = first_error(&mut running) => Err(error),
        () = workers.wait() => Ok(()),
    };
    tracing::info!("shutting down");
    drop(running);
    stop.cancel();
    let mut ended = std::pin::pin!(async {
        fleet.close().await;
        crew.leave(&host);
        host.end(grace).await;
    });
    tokio::select! {
        biased;
        () = lost(leadership.as_ref()) => {
            // Somebody else may begin to work any moment: nothing may finish.
            fleet.abandon();
            host.kill();
            ended.await;
        }
        () = &mut ended => {}
    }
    workers.wait().await;
    // The next one may begin only when nothing of ours runs any more.
    let released = match leadership {
        Some(leadership) => leadership.end().await.map_err(Error::terminal),
        None => Ok(()),
    };
    tracing::info!("ended");
    outcome.and(released)
}

/// The names of the providers, with a number where two have one.
fn tell_apart(providers: &[Box<dyn Provider>]) -> Vec<String> {
    let names: Vec<&str> = providers.iter().map(|provider| provider.name()).collect();
    let told_apart = names.iter().enumerate().map(|(place, name)| {
        let before = names.iter().take(place).filter(|other| *other == name);
        match (
            before.count(),
            names.iter().filter(|other| *other == name).count(),
        ) {
            (_, 1) => (*name).to_owned(),
            (before, _) => format!("{name} #{}", before + 1),
        }
    });
    told_apart.collect()
}

/// What does not outlive the manager, not even when its future is dropped in the middle.
struct Work {
    fleet: Fleet,
    host: Cluster,
    stop: CancellationToken,
}

impl Drop for Work {
    fn drop(&mut self) {
        self.stop.cancel();
        self.host.stop();
        self.host.kill();
        self.fleet.abandon();
    }
}

/// Resolves when the leadership is lost; never where there is no election.
async fn lost(leadership: Option<&Leadership>) {
    match leadership {
        Some(leadership) => leadership.lost().await,
        None => std::future::pending().await,
    }
}

/// Resolves when a provider gives up; never if all of them run or end well.
async fn first_error<F>(running: &mut FuturesUnordered<F>) -> Result<()>
where
    F: Future<Output = Result<()>>,
{
    while let Some(ended) = running.next().await {
        ended?;
    }
    std::future::pending().await
}
