//! Milo's projects as an operator sees them from outside, and from inside.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use kommodore::{Endpoint, Milo};
use kube::api::{Api, DeleteParams, DynamicObject, Patch, PatchParams};
use serde_json::json;

use super::eventually::eventually;
use super::fleet::Fleet;
use super::sites::NAMESPACE;

/// Makes four tests of each case: `outside::` and `inside::`, each on both servers. One invocation a file.
#[macro_export]
macro_rules! from_both_sides {
    ($($(#[$meta:meta])* async fn $name:ident($fleet:ident: &$type:ty, $projects:ident: &$seen:ty) $body:block)+) => {
        $($(#[$meta])* async fn $name($fleet: &$type, $projects: &$seen) $body)+

        mod outside {
            $crate::on_both_servers! {
                $(async fn $name(fleet: &$crate::Fleet) {
                    super::$name(fleet, &$crate::Projects::outside(fleet)).await;
                })+
            }
        }

        mod inside {
            $crate::on_both_servers! {
                $(async fn $name(fleet: &$crate::Fleet) {
                    super::$name(fleet, &$crate::Projects::inside(fleet)).await;
                })+
            }
        }
    };
}

/// The projects of a fleet as one side has them.
pub struct Projects<'a> {
    fleet: &'a Fleet,
    side: Side,
}

enum Side {
    /// As `Project`s, at paths of the root.
    Outside,
    /// As `ProjectControlPlane`s, each at an address of its own.
    Inside(Arc<Mutex<BTreeMap<String, SocketAddr>>>),
}

impl<'a> Projects<'a> {
    /// What `Milo::external` sees.
    pub fn outside(fleet: &'a Fleet) -> Self {
        let side = Side::Outside;
        Self { fleet, side }
    }

    /// What `Milo::internal` sees.
    pub fn inside(fleet: &'a Fleet) -> Self {
        let side = Side::Inside(Arc::default());
        Self { fleet, side }
    }

    /// The provider of this side.
    pub fn provider(&self) -> Milo {
        let Side::Inside(addresses) = &self.side else {
            return Milo::external();
        };
        let addresses = Arc::clone(addresses);
        Milo::internal().resolver(move |project| {
            let addresses = addresses.lock().unwrap_or_else(PoisonError::into_inner);
            let address = addresses[project.as_str()];
            Endpoint {
                host: address.ip().to_string(),
                port: address.port(),
            }
        })
    }

    /// The kind that stands for a project.
    pub fn api(&self) -> Api<DynamicObject> {
        match self.side {
            Side::Outside => self.fleet.projects(),
            Side::Inside(_) => self.fleet.project_control_planes(),
        }
    }

    /// How a list of them is called in a path.
    pub fn plural(&self) -> &'static str {
        match self.side {
            Side::Outside => "projects",
            Side::Inside(_) => "projectcontrolplanes",
        }
    }

    /// Creates a project that is ready, with the namespace of the websites.
    pub async fn create_shop(&self, project: &str) {
        match &self.side {
            Side::Outside => self.fleet.create_project(project).await,
            Side::Inside(addresses) => {
                self.find(addresses, project).await;
                self.fleet.create_project_control_plane(project).await;
            }
        }
        self.fleet.ensure_namespace(project, NAMESPACE).await;
    }

    /// Creates a project that nobody makes ready but [`Projects::set_ready`].
    pub async fn create_unready(&self, project: &str) {
        match &self.side {
            Side::Outside => self.fleet.create_project_unready(project).await,
            Side::Inside(addresses) => {
                self.find(addresses, project).await;
                self.fleet
                    .create_project_control_plane_unready(project)
                    .await;
            }
        }
    }

    /// Before there is a project, as who sees it asks at once where it is.
    async fn find(&self, addresses: &Mutex<BTreeMap<String, SocketAddr>>, project: &str) {
        let address = self.fleet.direct(project).await;
        let mut addresses = addresses.lock().unwrap_or_else(PoisonError::into_inner);
        addresses.insert(project.to_owned(), address);
    }

    /// Says that a project is ready, or that it is not.
    pub async fn set_ready(&self, project: &str, ready: bool) {
        match self.side {
            Side::Outside => self.fleet.set_project_ready(project, ready).await,
            Side::Inside(_) => {
                self.fleet
                    .set_project_control_plane_ready(project, ready)
                    .await;
            }
        }
    }

    /// Sets the label `tier` of a project, or (`None`) takes it away.
    pub async fn set_tier(&self, project: &str, tier: Option<&str>) {
        let patch = Patch::Merge(json!({"metadata": {"labels": {"tier": tier}}}));
        let params = PatchParams::default();
        let labelled = self.api().patch(project, &params, &patch).await;
        labelled.expect("the project is labelled");
    }

    /// Asks for the deletion of a project. It goes when its control plane is empty.
    pub async fn delete(&self, project: &str) {
        let deleted = self.api().delete(project, &DeleteParams::default()).await;
        deleted.expect("the project is deleted");
    }

    /// Waits until a project is gone.
    pub async fn gone(&self, project: &str) {
        eventually(
            &format!("the project {project} is gone"),
            async || match self.api().get_opt(project).await {
                Ok(None) => Ok(()),
                Ok(Some(project)) => Err(format!("it is still there: {:?}", project.metadata)),
                Err(error) => Err(error.to_string()),
            },
        )
        .await;
    }
}
