//! How a control plane is put together.

use serde::Serialize;
use serde_json::Value;

use crate::control_plane::{ControlPlane, Error};
use crate::milo;
use crate::plane::Options;

/// Puts a [`ControlPlane`] together.
#[derive(Debug, Default)]
#[must_use = "nothing is started before `start`"]
pub struct Builder {
    crds: Vec<Result<Value, String>>,
    milo: bool,
    options: Options,
}

impl Builder {
    /// Installs a CustomResourceDefinition at the root; every project serves it too.
    pub fn crd(mut self, crd: &impl Serialize) -> Self {
        self.crds
            .push(serde_json::to_value(crd).map_err(|error| error.to_string()));
        self
    }

    /// Plays Milo: installs its `Project` and `ProjectControlPlane`, and takes projects into service and away.
    pub fn milo(mut self) -> Self {
        self.milo = true;
        self
    }

    /// Projects serve everything that the root serves, not only what Milo serves there.
    pub fn all_kinds_in_projects(mut self) -> Self {
        self.options.all_kinds_in_projects = true;
        self
    }

    /// Answers the first list or watch of a kind in a project with 429 and `Retry-After: 1`, as Milo does while it
    /// sets up the kind's storage.
    pub fn storage_initializes(mut self) -> Self {
        self.options.storage_initializes = true;
        self
    }

    /// Listens on this port of loopback. Without it, or with 0, on one that is free.
    pub fn port(mut self, port: u16) -> Self {
        self.options.port = port;
        self
    }

    /// Opens no port: the server is called inside of the process alone, by [`ControlPlane::client`] and what is built on
    /// [`ControlPlane::service`].
    pub fn without_socket(mut self) -> Self {
        self.options.without_socket = true;
        self
    }

    /// Lets a seed decide all that the server makes up: uids, generated names, jitter, and the day on which its clock
    /// begins, which goes with tokio's. On a runtime of one thread with a paused clock the same requests have the same
    /// answers, byte by byte.
    pub fn seed(mut self, seed: u64) -> Self {
        self.options.seed = Some(seed);
        self
    }

    /// Starts it on the current runtime.
    pub async fn start(self) -> Result<ControlPlane, Error> {
        let mut crds = Vec::new();
        if self.milo {
            crds.extend(milo::crds());
        }
        for crd in self.crds {
            crds.push(crd.map_err(|why| Error::Refused {
                what: "a CRD".to_owned(),
                why,
            })?);
        }
        ControlPlane::start(self.options, crds, self.milo).await
    }
}
