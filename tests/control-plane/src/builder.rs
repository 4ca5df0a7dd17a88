//! How a control plane is put together.

use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use crate::control_plane::{Beginning, ControlPlane, Error};
use crate::milo;
use crate::plane::Options;
use crate::serve::Fault;
use crate::users::Known;

/// Puts a [`ControlPlane`] together.
#[derive(Debug, Default)]
#[must_use = "nothing is started before `start`"]
pub struct Builder {
    crds: Vec<Result<Value, String>>,
    milo: bool,
    options: Options,
    users: Vec<Known>,
    faults: Vec<Fault>,
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

    /// Lets something go wrong from the beginning, and for as long as the server lives.
    pub fn fault(mut self, fault: Fault) -> Self {
        self.faults.push(fault);
        self
    }

    /// Answers the first list or watch of a kind in a project as Milo does while it sets up the kind's storage: short for
    /// [`Fault::storage_initializes`].
    pub fn storage_initializes(self) -> Self {
        self.fault(Fault::storage_initializes())
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

    /// Knows a user by a bearer token, which [`ControlPlane::config_as`] shows. Besides these groups the user is in
    /// `system:authenticated`, and one that is called `system:serviceaccount:NAMESPACE:NAME` in the groups of service
    /// accounts. `admin`, in `system:masters`, is always there.
    ///
    /// A request may also be on behalf of somebody else: `kube::Config` and kubectl call that impersonation.
    pub fn user(
        mut self,
        name: impl Into<String>,
        groups: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        self.users.push(Known::new(name, groups));
        self
    }

    /// Knows a user by this token. It is to be one that nobody else has.
    pub fn user_with_token(
        mut self,
        name: impl Into<String>,
        groups: impl IntoIterator<Item = impl Into<String>>,
        token: impl Into<String>,
    ) -> Self {
        self.users.push(Known {
            token: Some(token.into()),
            ..Known::new(name, groups)
        });
        self
    }

    /// Puts all into the root that a real server has from the start, and not only the namespaces, the priority classes and the
    /// service `kubernetes`: cluster roles and roles, API services, flow control, and what the server says of itself. The
    /// program does so. It makes the start some 20 ms longer.
    pub fn furnished(mut self) -> Self {
        self.options.furnished = true;
        self
    }

    /// Lets users do what Role, ClusterRole and their bindings allow, and nothing else; `admin` may do everything.
    /// Each control plane, the root and every project, has roles of its own, and begins with the cluster roles of a
    /// real server. CRDs are the root's wherever they are asked for: who changes them has to be allowed it there, too.
    /// Who shows no token is `system:anonymous`. Without this everybody who is known may do everything.
    pub fn rbac(mut self) -> Self {
        self.options.rbac = true;
        self
    }

    /// Refuses owner references of who may not delete the object, and those that block the deletion of an owner of who may
    /// not `update` its `finalizers`: the admission plugin `OwnerReferencesPermissionEnforcement`, which a kube-apiserver
    /// has as well and leaves off. It has an effect with [`rbac`](Builder::rbac) alone.
    /// <https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#ownerreferencespermissionenforcement>
    pub fn owner_references_permission_enforcement(mut self) -> Self {
        self.options.owners_need_leave = true;
        self
    }

    /// Gives every namespace of the root the service account `default`, soon after it is there and anew when it is deleted,
    /// as the controller manager's `serviceaccount-controller` does. The program `kommodore-control-plane` does so always.
    pub fn default_service_accounts(mut self) -> Self {
        self.options.service_accounts = true;
        self
    }

    /// Waits so long before a deleted namespace begins to end, where it would begin at once: the controller manager's
    /// `namespace-controller` takes 5 s. Whoever has deleted one can still `finalize` it meanwhile. The program
    /// `kommodore-control-plane` waits 1 s.
    pub fn namespaces_end_after(mut self, delay: Duration) -> Self {
        self.options.namespaces_end_after = Some(delay);
        self
    }

    /// Allows so many requests at once on one HTTP/2 connection and not 100: kube-apiserver's
    /// `--http2-max-streams-per-connection`.
    pub fn http2_max_streams_per_connection(mut self, streams: u32) -> Self {
        self.options.max_streams = Some(streams);
        self
    }

    /// Speaks HTTP/1.1 alone: kube-apiserver's `--disable-http2-serving`.
    pub fn disable_http2_serving(mut self) -> Self {
        self.options.without_http_2 = true;
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
        let beginning = Beginning {
            users: self.users,
            crds,
            faults: self.faults,
            plays_milo: self.milo,
        };
        ControlPlane::start(self.options, beginning).await
    }
}
