//! The operator, in a process of its own.

use std::io::{BufRead as _, Write as _};
use std::path::Path;

use k8s_openapi::api::core::v1::ConfigMap;
use kommodore::{
    Action, Cleanup, ClusterState, ConditionType, Context, Kubeconfig, Manager, Milo, Reconcile,
    Result, controller,
};
use kommodore_tests::{Website, page};
use serde::{Deserialize, Serialize};

use super::process::{Other, config_of};

#[derive(ConditionType)]
enum SiteCondition {
    PageServed,
}

/// The website of the table in README.md: a finalizer, an owned ConfigMap and a condition.
#[controller(
    for = Website,
    owns(ConfigMap),
    finalizer = "demo.kommodore.dev/measured",
    conditions = SiteCondition,
)]
struct Measured;

impl Reconcile for Measured {
    async fn reconcile(&self, site: &Website, cx: &Context<Self>) -> Result<Action> {
        cx.apply(page(site)).await?;
        cx.set(SiteCondition::PageServed.is_true("Applied", "the page is there"));
        Ok(Action::done())
    }
}

impl Cleanup for Measured {
    async fn cleanup(&self, _: &Website, _: &Context<Self>) -> Result<Action> {
        Ok(Action::done())
    }
}

/// How the operator says that it is.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
pub(crate) struct Telling {
    /// Projects that are engaged.
    pub(crate) engaged: usize,
    /// Their watches, and those of others.
    pub(crate) watches: usize,
    /// Tasks of its runtime.
    pub(crate) tasks: usize,
}

/// Serves the projects that a selector of labels chooses, and the contexts of another kubeconfig, and says how it is
/// whenever it is asked.
pub(crate) async fn run(kubeconfig: &Path, labels: &str, others: Option<&Path>) {
    let milo = match labels {
        "" => Milo::external(),
        labels => Milo::external().labels(labels),
    };
    let mut builder = Manager::builder(config_of(kubeconfig).await).provider(milo);
    if let Some(others) = others {
        builder = builder.provider(Kubeconfig::new(others));
    }
    let manager = builder.controller(Measured);
    let (fleet, runtime) = (manager.fleet(), tokio::runtime::Handle::current());
    let tell = move || {
        let clusters = fleet.clusters();
        let engaged = clusters
            .iter()
            .filter(|it| it.state == ClusterState::Engaged);
        Telling {
            engaged: engaged.count(),
            watches: clusters.iter().map(|it| it.watches).sum(),
            tasks: runtime.metrics().num_alive_tasks(),
        }
    };
    let talk = move || {
        let mut out = std::io::stdout().lock();
        writeln!(out, "ready").unwrap();
        for line in std::io::stdin().lock().lines() {
            line.unwrap();
            writeln!(out, "{}", serde_json::to_string(&tell()).unwrap()).unwrap();
        }
    };
    let told = async { tokio::task::spawn_blocking(talk).await.unwrap() };
    manager.run_until(told).await.unwrap();
}

impl Other {
    /// Asks the operator how it is.
    pub(crate) fn ask(&mut self) -> Telling {
        writeln!(self.told.as_mut().unwrap()).unwrap();
        serde_json::from_str(&self.line()).unwrap()
    }

    /// File descriptors, of whatever kind.
    pub(crate) fn files(&self) -> usize {
        let open = std::fs::read_dir(format!("/proc/{}/fd", self.child.id()));
        open.unwrap().count()
    }
}
