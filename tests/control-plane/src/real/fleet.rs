//! The root, two projects and the router in front of them.

use std::collections::BTreeMap;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::Request;
use hyper::body::Incoming;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{Api, DeleteParams, ListParams};
use kube::config::{
    AuthInfo, Cluster, Context, Kubeconfig, NamedAuthInfo, NamedCluster, NamedContext,
};
use kube::{Client, Config, ResourceExt};
use serde_json::Value;
use tokio::runtime::Handle;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::mirror::{Mirror, is_milos};
use super::plane::{OPERATOR, Plane, base_folder, random};
use super::router::{Access, Router};
use super::{Assets, RealError};
use crate::milo::{self, Controller, played};
use crate::serve::{Authority, Door, Fault, Injected, Listener, ListenerOptions, RequestLog};

/// How the root is called in a kubeconfig.
const ROOT: &str = "root";

/// A fleet of real API servers. All that was started ends when the last clone is dropped, or this process ends.
#[derive(Clone)]
pub struct RealFleet {
    inner: Arc<Inner>,
}

/// In the order in which it is to end.
struct Inner {
    directs: tokio::sync::Mutex<BTreeMap<String, Listener>>,
    _controller: Controller,
    _mirroring: JoinSet<()>,
    mirror: Arc<Mirror>,
    listener: Listener,
    router: Arc<Router>,
    planes: [Plane; 3],
    authority: Authority,
    token: String,
    operator_token: String,
    /// The CRDs that stay.
    permanent: Vec<Value>,
    has_controllers: bool,
    runtime: Handle,
}

impl RealFleet {
    /// Starts everything on the current runtime, with `crds` installed for good. The garbage collector knows these
    /// from the start, and of all others half a minute late.
    pub async fn start(assets: &Assets, crds: &[Value]) -> Result<Self, RealError> {
        let authority = Authority::new()?;
        let base = base_folder()?;
        let operator_token = random();
        let start = |name| Plane::start(name, &base, assets, &authority, &operator_token, &[]);
        let (mut root, mut one, mut two) =
            futures::try_join!(start(ROOT), start("one"), start("two"))?;
        let milos = milo::crds();
        let of_the_root = || async {
            install(&root, &milos).await?;
            install(&root, crds).await
        };
        futures::try_join!(of_the_root(), install(&one, crds), install(&two, crds))?;
        let controller_manager = assets.controller_manager();
        if let Some(program) = &controller_manager {
            for plane in [&mut root, &mut one, &mut two] {
                plane.start_controllers(program, &authority)?;
            }
        }

        let token = random();
        let projects = [one.client().clone(), two.client().clone()];
        let admin = Access {
            token: token.clone(),
            root: root.client().clone(),
            projects: projects.clone(),
        };
        let operator = Access {
            token: operator_token.clone(),
            root: root.operator().clone(),
            projects: [one.operator().clone(), two.operator().clone()],
        };
        let router = Arc::new(Router::new(admin, operator));
        let listener = listen(&authority, &router, None).await?;
        let mirror = Arc::new(Mirror::new(root.client().clone(), projects));
        let mut mirroring = JoinSet::new();
        let mirrored = mirror.clone();
        mirroring.spawn(async move { mirrored.run().await });
        let options = milo::Options {
            asks_first: true,
            finalize_namespaces: true,
            ..Default::default()
        };
        let address = listener.address();
        let config = config(address, "", &authority, &token)?;
        let to_project = played(config.clone());
        let root_client = Client::try_from(played(config)).map_err(RealError::api("a client"))?;
        let controller = Controller::start(
            root_client,
            move |name| {
                let mut config = to_project.clone();
                let url = format!("https://{address}{}", path_of(name));
                config.cluster_url = url.parse().map_err(|error: http::uri::InvalidUri| {
                    kube::Error::HttpError(http::Error::from(error))
                })?;
                Client::try_from(config)
            },
            options,
        );
        Ok(Self {
            inner: Arc::new(Inner {
                directs: tokio::sync::Mutex::default(),
                _controller: controller,
                _mirroring: mirroring,
                mirror,
                listener,
                router,
                planes: [root, one, two],
                authority,
                token,
                operator_token,
                permanent: crds.to_vec(),
                has_controllers: controller_manager.is_some(),
                runtime: Handle::current(),
            }),
        })
    }

    /// How to reach the root.
    pub fn config(&self) -> Result<Config, RealError> {
        self.config_at(self.inner.listener.address(), "")
    }

    /// How to reach a project's control plane, at Milo's path.
    pub fn project_config(&self, name: &str) -> Result<Config, RealError> {
        self.config_at(self.inner.listener.address(), &path_of(name))
    }

    /// How the user `operator` reaches the root. No control plane allows that user anything but what its roles do.
    pub fn operator_kubeconfig(&self) -> Kubeconfig {
        let authority = base64::Engine::encode(
            &base64::engine::general_purpose::STANDARD,
            self.inner.authority.pem(),
        );
        let user = AuthInfo {
            token: Some(self.inner.operator_token.clone().into()),
            ..AuthInfo::default()
        };
        let root = Cluster {
            server: Some(format!("https://{}", self.inner.listener.address())),
            certificate_authority_data: Some(authority),
            ..Cluster::default()
        };
        let operator_at_root = Context {
            cluster: ROOT.to_owned(),
            user: Some(OPERATOR.to_owned()),
            ..Context::default()
        };
        Kubeconfig {
            api_version: Some("v1".to_owned()),
            kind: Some("Config".to_owned()),
            current_context: Some(ROOT.to_owned()),
            clusters: vec![NamedCluster {
                name: ROOT.to_owned(),
                cluster: Some(root),
                ..NamedCluster::default()
            }],
            auth_infos: vec![NamedAuthInfo {
                name: OPERATOR.to_owned(),
                auth_info: Some(user),
                ..NamedAuthInfo::default()
            }],
            contexts: vec![NamedContext {
                name: ROOT.to_owned(),
                context: Some(operator_at_root),
                ..NamedContext::default()
            }],
            ..Kubeconfig::default()
        }
    }

    /// An address that serves this project's control plane alone, at the root path, as Milo's internal one does.
    pub async fn direct(&self, name: &str) -> Result<SocketAddr, RealError> {
        let name = name.to_owned();
        self.run(|inner| async move {
            let mut directs = inner.directs.lock().await;
            if let Some(listener) = directs.get(&name) {
                return Ok(listener.address());
            }
            let listener = listen(&inner.authority, &inner.router, Some(name.clone())).await?;
            let address = listener.address();
            directs.insert(name, listener);
            Ok(address)
        })
        .await
    }

    /// Installs a CRD at the root and waits until all projects serve it.
    pub async fn install(&self, crd: Value) -> Result<(), RealError> {
        self.run(|inner| async move {
            for plane in &inner.planes {
                plane.install(&crd).await?;
            }
            Ok(())
        })
        .await
    }

    /// A project's control plane stops to serve a CRD of the root.
    pub async fn hide(&self, project: &str, crd: &str) -> Result<(), RealError> {
        let (project, crd) = (project.to_owned(), crd.to_owned());
        self.run(|inner| async move {
            let at = inner.router.place_of(&project).await?;
            inner
                .mirror
                .hide(at, &crd)
                .await
                .map_err(RealError::api(format!("hiding {crd}")))
        })
        .await
    }

    /// A project's control plane serves a CRD of the root again.
    pub async fn show(&self, project: &str, crd: &str) -> Result<(), RealError> {
        let (project, crd) = (project.to_owned(), crd.to_owned());
        self.run(|inner| async move {
            let at = inner.router.place_of(&project).await?;
            inner
                .mirror
                .show(at, &crd)
                .await
                .map_err(RealError::api(format!("showing {crd}")))
        })
        .await
    }

    /// Every request.
    pub fn requests(&self) -> &RequestLog {
        &self.inner.router.edge.log
    }

    /// Lets something go wrong, until what is returned is dropped. Reads are never stale here, and storages are ready.
    pub fn inject(&self, fault: Fault) -> Injected {
        self.inner.router.edge.faults.inject(fault)
    }

    /// From now on the project answers nothing.
    pub fn silence(&self, project: &str) {
        self.inner.router.edge.faults.silence(project);
    }

    /// The project answers again.
    pub fn unsilence(&self, project: &str) {
        self.inner.router.edge.faults.unsilence(project);
    }

    /// Cuts all watches of a project, or of the root.
    pub fn drop_watches(&self, project: Option<&str>) {
        self.inner.router.edge.faults.drop_watches(project);
    }

    /// Whether garbage is collected and namespaces end.
    pub fn has_controllers(&self) -> bool {
        self.inner.has_controllers
    }

    /// Back to how it was at the start: no projects, no objects, no CRDs but the permanent ones.
    pub async fn reset(&self) -> Result<(), RealError> {
        self.run(|inner| async move {
            for plane in &inner.planes {
                plane.check()?;
            }
            inner.directs.lock().await.clear();
            inner.router.reset().await?;
            inner.delete_crds().await?;
            if inner.mirror.hide_nothing() {
                for plane in &inner.planes[1..] {
                    install(plane, &inner.permanent).await?;
                }
            }
            Ok(())
        })
        .await
    }

    /// On the fleet's own runtime: connections that are opened belong to it.
    async fn run<T, F>(&self, work: impl FnOnce(Arc<Inner>) -> F) -> Result<T, RealError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, RealError>> + Send + 'static,
    {
        let done = self.inner.runtime.spawn(work(self.inner.clone())).await;
        done.unwrap_or_else(|error| Err(RealError::Server(error.to_string())))
    }

    fn config_at(&self, address: SocketAddr, path: &str) -> Result<Config, RealError> {
        config(address, path, &self.inner.authority, &self.inner.token)
    }
}

impl Inner {
    /// Deletes all but the permanent CRDs, and waits until no API server has them.
    async fn delete_crds(&self) -> Result<(), RealError> {
        let started = Instant::now();
        loop {
            let mut left = Vec::new();
            for plane in &self.planes {
                let api: Api<CustomResourceDefinition> = Api::all(plane.client().clone());
                let list = api
                    .list(&ListParams::default())
                    .await
                    .map_err(RealError::api("the CRDs"))?;
                for crd in list.items {
                    let name = crd.name_any();
                    if is_milos(&name)
                        || self
                            .permanent
                            .iter()
                            .any(|crd| crd["metadata"]["name"] == *name)
                    {
                        continue;
                    }
                    if crd.metadata.deletion_timestamp.is_none() {
                        // Gone in the meantime is as good.
                        let _ = api.delete(&name, &DeleteParams::default()).await;
                    }
                    left.push(name);
                }
            }
            if left.is_empty() {
                return Ok(());
            }
            if started.elapsed() > Duration::from_secs(30) {
                return Err(RealError::Server(format!(
                    "CRDs that do not go: {}",
                    left.join(", ")
                )));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// Installs CRDs and waits until the kinds are served.
async fn install(plane: &Plane, crds: &[Value]) -> Result<(), RealError> {
    futures::future::try_join_all(crds.iter().map(|crd| plane.install(crd)))
        .await
        .map(|_| ())
}

async fn listen(
    authority: &Authority,
    router: &Arc<Router>,
    direct: Option<String>,
) -> Result<Listener, RealError> {
    let door = Door::new(&router.edge.faults, direct.clone());
    let router = router.clone();
    let handler = move |request: Request<Incoming>| {
        let (router, direct) = (router.clone(), direct.clone());
        async move { router.answer(request, direct.as_deref()).await }
    };
    let listener = Listener::start(
        authority.server_tls()?,
        ListenerOptions {
            door,
            ..ListenerOptions::default()
        },
        handler,
    )
    .await;
    listener.map_err(RealError::io("the router's port"))
}

fn config(
    address: SocketAddr,
    path: &str,
    authority: &Authority,
    token: &str,
) -> Result<Config, RealError> {
    let url = format!("https://{address}{path}");
    let mut config = Config::new(
        url.parse()
            .map_err(|error| RealError::Server(format!("{url}: {error}")))?,
    );
    config.root_cert = Some(vec![authority.der().to_vec()]);
    config.auth_info.token = Some(token.to_owned().into());
    Ok(config)
}

fn path_of(project: &str) -> String {
    format!("/apis/resourcemanager.miloapis.com/v1alpha1/projects/{project}/control-plane")
}
