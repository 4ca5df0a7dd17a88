//! Follows the projects, and tells the fleet what to do about each.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use kube::Config;
use kube::api::{DynamicObject, ObjectMeta};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::{Milo, ProjectName};
use crate::Result;
use crate::fleet::{Fleet, Reason};
use crate::watch::{Change, Observer, Source, Watched};

/// What a change of a project comes to.
enum News {
    There {
        name: String,
        ready: bool,
        deleting: bool,
    },
    Gone {
        name: String,
        deleted: bool,
    },
}

/// Tells the follower of every change.
struct Tell {
    sender: mpsc::UnboundedSender<News>,
    condition: &'static str,
}

impl Observer for Tell {
    fn changed(&self, change: &Change<'_>) {
        let deleting = |meta: &ObjectMeta| meta.deletion_timestamp.is_some();
        let news = match (change.before, change.after) {
            (_, Some(project)) => News::There {
                name: project.metadata().name.clone().unwrap_or_default(),
                ready: is_true(&**project, self.condition),
                deleting: deleting(project.metadata()),
            },
            (Some(project), None) => News::Gone {
                name: project.metadata().name.clone().unwrap_or_default(),
                deleted: deleting(project.metadata()),
            },
            (None, None) => return,
        };
        // It fails only when the manager is shutting down.
        let _ = self.sender.send(news);
    }
}

fn is_true(project: &dyn Watched, condition: &str) -> bool {
    let Some(project) = project.as_any().downcast_ref::<DynamicObject>() else {
        return false;
    };
    let conditions = project
        .data
        .pointer("/status/conditions")
        .and_then(serde_json::Value::as_array);
    conditions.into_iter().flatten().any(|found| {
        found.get("type").is_some_and(|name| name == condition)
            && found.get("status").is_some_and(|status| status == "True")
    })
}

/// A project that has been seen.
struct Project {
    name: ProjectName,
    engaged: bool,
    deleting: bool,
    /// When it is disengaged, if nothing changes.
    deadline: Option<Instant>,
}

pub(super) struct Follower {
    milo: Milo,
    base: Config,
    fleet: Fleet,
    projects: BTreeMap<String, Project>,
    /// Projects that are left out.
    refused: BTreeSet<String>,
}

impl Follower {
    pub(super) fn new(milo: Milo, base: Config, fleet: Fleet) -> Self {
        Self {
            milo,
            base,
            fleet,
            projects: BTreeMap::new(),
            refused: BTreeSet::new(),
        }
    }

    /// Follows `projects`, in which `condition` says whether one is ready.
    pub(super) async fn follow(
        mut self,
        projects: &dyn Source,
        condition: &'static str,
    ) -> Result<()> {
        let (sender, mut changes) = mpsc::unbounded_channel();
        projects.observe(Arc::new(Tell { sender, condition }));
        let mut named_all = false;
        loop {
            let next = self
                .projects
                .values()
                .filter_map(|project| project.deadline)
                .min();
            let timer = async {
                match next {
                    Some(at) => tokio::time::sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                news = changes.recv() => match news {
                    Some(News::There { name, ready, deleting }) => self.there(&name, ready, deleting),
                    Some(News::Gone { name, deleted }) => self.gone(&name, deleted),
                    None => return Ok(()),
                },
                // Behind the news of the first list.
                () = projects.synced(), if !named_all => {
                    named_all = true;
                    self.fleet.named_all();
                }
                () = timer => self.expire(Instant::now()),
            }
        }
    }

    fn there(&mut self, name: &str, ready: bool, deleting: bool) {
        if self.refused.contains(name) {
            return;
        }
        let valid = match ProjectName::new(name) {
            Ok(valid) => valid,
            Err(error) => return self.refuse(name, &error),
        };
        let config = match self.milo.connection(&self.base, &valid) {
            Ok(config) => config,
            Err(error) => return self.refuse(name, &error),
        };
        let project = self.projects.entry(name.to_owned()).or_insert(Project {
            name: valid,
            engaged: false,
            deleting: false,
            deadline: None,
        });
        if project.deleting && !deleting {
            // Another project of the same name, created before we saw the end of the first.
            project.deleting = false;
            project.deadline = None;
        }
        match (deleting, ready) {
            // Once it is being deleted, only its end or the deadline disengages it.
            (true, _) if project.deleting => {}
            (true, _) => {
                project.deleting = true;
                project.engaged = true;
                project.deadline = Instant::now().checked_add(self.milo.cleanup_deadline);
                self.fleet.retire(&project.name, config);
            }
            (false, true) => {
                project.engaged = true;
                project.deadline = None;
                self.fleet.engage(&project.name, config);
            }
            (false, false) => {
                if project.engaged && project.deadline.is_none() {
                    tracing::info!(cluster = %project.name, "the project is not ready");
                    project.deadline = Instant::now().checked_add(self.milo.grace);
                }
            }
        }
    }

    /// Leaves a project out, and says so once.
    fn refuse(&mut self, name: &str, error: &dyn std::error::Error) {
        tracing::warn!(project = ?name, %error, "the project is left out");
        self.refused.insert(name.to_owned());
    }

    fn gone(&mut self, name: &str, deleted: bool) {
        self.refused.remove(name);
        if let Some(project) = self.projects.remove(name) {
            self.fleet.disengage(
                &project.name,
                if deleted {
                    Reason::Gone
                } else {
                    Reason::Deselected
                },
            );
        }
    }

    fn expire(&mut self, now: Instant) {
        for project in self.projects.values_mut() {
            if project.deadline.is_some_and(|deadline| deadline <= now) {
                project.deadline = None;
                project.engaged = false;
                if project.deleting {
                    tracing::warn!(cluster = %project.name, "the project is still being deleted at the deadline: its cleanup is given up");
                }
                self.fleet.disengage(&project.name, Reason::NotReady);
            }
        }
    }
}
