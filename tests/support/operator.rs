//! A manager that runs beside a case.

use http::HeaderValue;
use http::header::USER_AGENT;
use kommodore::{
    Builder, ClusterState, ClusterStatus, FleetStatus, Manager, Milo, Provider, Result,
};
use kommodore_control_plane::{Mark, RequestRecord, Verb};
use kube::Config;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::eventually::eventually;
use super::fleet::Fleet;

/// The `User-Agent` of every operator, which tells its requests from those of the case.
const AGENT: &str = "operator";

/// A manager that runs until it is stopped or dropped.
#[must_use = "it is stopped when it is dropped"]
pub struct Operator {
    stop: Option<oneshot::Sender<()>>,
    running: JoinHandle<Result<()>>,
}

impl Operator {
    /// Runs what `builder` made.
    pub fn start(builder: Builder) -> Self {
        let (stop, stopped) = oneshot::channel::<()>();
        // A sender that is dropped stops it too.
        let shutdown = async {
            let _ = stopped.await;
        };
        Self {
            stop: Some(stop),
            running: tokio::spawn(builder.run_until(shutdown)),
        }
    }

    /// Tells it to stop, and does not wait.
    pub fn interrupt(&mut self) {
        self.stop = None;
    }

    /// Whether it has ended.
    pub fn has_ended(&self) -> bool {
        self.running.is_finished()
    }

    /// Stops it, and says how it ended.
    pub async fn stop(mut self) -> Result<()> {
        self.interrupt();
        (&mut self.running)
            .await
            .expect("the manager does not panic")
    }
}

impl Fleet {
    /// How an operator reaches the root.
    pub fn operator_config(&self) -> Config {
        let mut config = self.config();
        config
            .headers
            .push((USER_AGENT, HeaderValue::from_static(AGENT)));
        config
    }

    /// How an operator reaches a project, at Milo's path.
    pub fn operator_config_of(&self, project: &str) -> Config {
        let mut config = self.project_config(project);
        config
            .headers
            .push((USER_AGENT, HeaderValue::from_static(AGENT)));
        config
    }

    /// A manager for all projects, without a controller yet.
    pub fn manager(&self) -> Builder {
        self.manager_of(Milo::external())
    }

    /// A manager for the clusters of a provider, without a controller yet.
    pub fn manager_of(&self, provider: impl Provider) -> Builder {
        Manager::builder(self.operator_config()).provider(provider)
    }

    /// What operators asked a project since `mark`.
    pub fn asked(&self, project: &str, mark: Mark) -> Vec<RequestRecord> {
        let mut requests = self.requests().since(mark);
        requests.retain(|request| {
            is_an_operators(request) && request.project.as_deref() == Some(project)
        });
        requests
    }

    /// The same, in words: `patch websites/one/status`.
    pub fn said(&self, project: &str, mark: Mark) -> Vec<String> {
        self.asked(project, mark).iter().map(in_words).collect()
    }

    /// What operators wrote in a project since `mark`, in words.
    pub fn wrote(&self, project: &str, mark: Mark) -> Vec<String> {
        let mut requests = self.asked(project, mark);
        requests.retain(|request| !request.verb.reads());
        requests.iter().map(in_words).collect()
    }

    /// The kinds of which operators got a list in a project since `mark`, streamed or in pages.
    pub fn listed(&self, project: &str, mark: Mark) -> Vec<String> {
        let mut requests = self.asked(project, mark);
        requests.retain(|request| {
            (request.verb == Verb::List || is_streamed(request))
                && request.status.is_some_and(|status| status.is_success())
        });
        let plurals = requests.iter().map(|request| request.plural().to_owned());
        let mut plurals: Vec<String> = plurals.collect();
        plurals.sort();
        plurals
    }

    /// The kinds that an operator watches in a project now.
    pub fn watched(&self, project: &str) -> Vec<String> {
        let watches = self.requests().open_watches();
        watches
            .iter()
            .filter(|watch| is_an_operators(watch) && watch.project.as_deref() == Some(project))
            .filter(|watch| watch.status.is_some_and(|status| status.is_success()))
            .map(|watch| watch.plural().to_owned())
            .collect()
    }

    /// Waits until an operator watches all of `kinds` in a project.
    pub async fn engaged(&self, project: &str, kinds: &[&str]) {
        eventually(&format!("{kinds:?} are watched in {project}"), async || {
            let watched = self.watched(project);
            match kinds
                .iter()
                .all(|kind| watched.iter().any(|found| found == kind))
            {
                true => Ok(()),
                false => Err(watched),
            }
        })
        .await;
    }

    /// Waits until no operator watches anything in a project.
    pub async fn disengaged(&self, project: &str) {
        eventually(&format!("nothing is watched in {project}"), async || {
            let watched = self.watched(project);
            if watched.is_empty() {
                Ok(())
            } else {
                Err(watched)
            }
        })
        .await;
    }
}

/// Waits until a cluster stands somewhere, and returns how it is.
pub async fn stands(fleet: &FleetStatus, cluster: &str, state: ClusterState) -> ClusterStatus {
    eventually(&format!("{cluster} is {state:?}"), async || {
        match fleet.cluster(cluster) {
            Some(found) if found.state == state => Ok(found),
            other => Err(other),
        }
    })
    .await
}

fn is_an_operators(request: &RequestRecord) -> bool {
    request.user_agent.as_deref() == Some(AGENT)
}

fn is_streamed(request: &RequestRecord) -> bool {
    request.query.contains("sendInitialEvents=true")
}

fn in_words(request: &RequestRecord) -> String {
    let verb = match request.verb {
        Verb::Get => "get",
        Verb::List => "list",
        Verb::Watch if is_streamed(request) => "stream",
        Verb::Watch => "watch",
        Verb::Create => "create",
        Verb::Update => "update",
        Verb::Patch => "patch",
        Verb::Delete => "delete",
        Verb::DeleteCollection => "delete all",
        Verb::Other => "other",
    };
    let parts = [
        Some(request.plural()),
        request.name(),
        request.subresource(),
    ];
    let parts: Vec<&str> = parts.into_iter().flatten().collect();
    format!("{verb} {}", parts.join("/"))
}
