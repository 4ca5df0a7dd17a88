//! A project's control plane, as its users see it.

use std::net::SocketAddr;

use kube::{Client, Config};

use crate::control_plane::{ControlPlane, Error};
use crate::in_process::InProcess;
use crate::shared::listen;

/// A project of a [`ControlPlane`].
#[derive(Clone, Debug)]
pub struct Project<'a> {
    pub(crate) plane: &'a ControlPlane,
    pub(crate) name: String,
}

impl Project<'_> {
    /// The project's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How to reach the project's control plane, at Milo's path.
    pub fn config(&self) -> Config {
        self.plane
            .shared
            .config(self.plane.address(), &path_of(&self.name))
    }

    /// A client of the project's control plane.
    pub fn client(&self) -> Result<Client, Error> {
        match self.plane.has_socket() {
            true => Ok(Client::try_from(self.config())?),
            false => Ok(self.service().client()),
        }
    }

    /// The project's control plane as a service, which is called without a socket.
    pub fn service(&self) -> InProcess {
        InProcess::new(self.plane.shared.clone(), path_of(&self.name))
    }

    /// An address that serves this project's control plane alone, at the root path, as Milo's internal one does.
    pub async fn direct(&self) -> Result<SocketAddr, Error> {
        let mut directs = self.plane.directs.lock().await;
        if let Some(listener) = directs.get(&self.name) {
            return Ok(listener.address());
        }
        let listener = listen(&self.plane.shared, Some(self.name.clone()), 0).await?;
        let address = listener.address();
        directs.insert(self.name.clone(), listener);
        Ok(address)
    }

    /// From now on the project does not serve a CRD (`plural.group`), as if it were not installed yet.
    pub fn hide(&self, crd: &str) {
        self.plane.shared.world.hide(&self.name, crd, true);
    }

    /// The project serves a hidden CRD again.
    pub fn show(&self, crd: &str) {
        self.plane.shared.world.hide(&self.name, crd, false);
    }
}

/// Where a project's control plane is, below the root.
pub(crate) fn path_of(project: &str) -> String {
    let name: String = project
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || "-.".contains(*c))
        .collect();
    format!("/apis/resourcemanager.miloapis.com/v1alpha1/projects/{name}/control-plane")
}
