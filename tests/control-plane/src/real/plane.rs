//! One control plane: etcd, an API server, and a controller manager where there is one.

use std::fs;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{Api, Patch, PatchParams};
use kube::{Client, Config};
use serde_json::Value;
use tokio::time::Instant;

use super::process::{Process, free_ports};
use super::{Assets, RealError};
use crate::serve::Authority;

/// How long a server may take to get ready; they share the machine with everything else that is tested.
const PATIENCE: Duration = Duration::from_secs(120);

/// A user in no group but that of all who are known.
pub(super) const OPERATOR: &str = "operator";

/// A control plane of its own. It ends when this is dropped.
pub(super) struct Plane {
    name: &'static str,
    base: PathBuf,
    url: String,
    token: String,
    client: Client,
    operator: Client,
    // The newest first: an API server that has lost its etcd is slow to go.
    controller_manager: Option<Process>,
    api_server: Process,
    etcd: Process,
}

impl Plane {
    /// Starts etcd and the API server, each in a folder below `base`, and waits until they are ready. The token
    /// `operator` is that of a user who may do nothing but what roles allow. The API server has these flags besides.
    pub(super) async fn start(
        name: &'static str,
        base: &Path,
        assets: &Assets,
        authority: &Authority,
        operator: &str,
        flags: &[&str],
    ) -> Result<Self, RealError> {
        let [client_port, peer_port, port] = free_ports().map_err(RealError::io("free ports"))?;
        let (etcd_url, peer_url) = (
            format!("http://127.0.0.1:{client_port}"),
            format!("http://127.0.0.1:{peer_port}"),
        );
        let folder = own_folder(base, name, "etcd")?;
        let etcd = [
            format!("--data-dir={}", folder.join("data").display()),
            "--unsafe-no-fsync".into(),
            "--log-level=warn".into(),
            format!("--listen-client-urls={etcd_url}"),
            format!("--advertise-client-urls={etcd_url}"),
            format!("--listen-peer-urls={peer_url}"),
            format!("--initial-advertise-peer-urls={peer_url}"),
            format!("--initial-cluster=default={peer_url}"),
        ];
        let etcd = Process::start("etcd", &assets.etcd(), &folder, etcd)?;

        let folder = own_folder(base, name, "kube-apiserver")?;
        let file = |name: &str, content: &str| -> Result<String, RealError> {
            let path = folder.join(name);
            secret_file(&path, content)?;
            Ok(path.display().to_string())
        };
        let token = random();
        let (certificate, key) = authority.server_pem()?;
        let accounts = rcgen::KeyPair::generate().map_err(crate::serve::TlsError::from)?;
        let api_server = [
            format!("--etcd-servers={etcd_url}"),
            "--bind-address=127.0.0.1".into(),
            "--advertise-address=127.0.0.1".into(),
            format!("--secure-port={port}"),
            format!("--tls-cert-file={}", file("tls.crt", &certificate)?),
            format!("--tls-private-key-file={}", file("tls.key", &key)?),
            format!("--client-ca-file={}", file("ca.crt", authority.pem())?),
            "--service-account-issuer=https://kubernetes.default.svc".into(),
            format!(
                "--service-account-signing-key-file={}",
                file("accounts.key", &accounts.serialize_pem())?
            ),
            format!(
                "--service-account-key-file={}",
                file("accounts.pub", &accounts.public_key_pem())?
            ),
            format!(
                "--token-auth-file={}",
                file(
                    "tokens.csv",
                    &format!(
                        "{token},admin,admin,system:masters\n{operator},{OPERATOR},{OPERATOR}\n"
                    )
                )?
            ),
            "--authorization-mode=RBAC".into(),
            "--disable-admission-plugins=ServiceAccount".into(),
            "--enable-admission-plugins=OwnerReferencesPermissionEnforcement".into(),
            "--service-cluster-ip-range=10.0.0.0/16".into(),
            "--endpoint-reconciler-type=none".into(),
            // As everywhere; who may is for policies to say.
            "--allow-privileged=true".into(),
        ];
        let flags = flags.iter().copied().map(String::from);
        let api_server = Process::start(
            "kube-apiserver",
            &assets.api_server(),
            &folder,
            api_server.into_iter().chain(flags),
        )?;

        let url = format!("https://127.0.0.1:{port}");
        let [client, operator] = [&token, operator].map(|token| client(&url, authority, token));
        let plane = Self {
            name,
            base: base.into(),
            url,
            token,
            client: client?,
            operator: operator?,
            controller_manager: None,
            api_server,
            etcd,
        };
        plane.ready().await?;
        Ok(plane)
    }

    async fn ready(&self) -> Result<(), RealError> {
        let started = Instant::now();
        loop {
            let request = http::Request::get("/readyz").body(Vec::new());
            let request = request.map_err(|error| RealError::Server(error.to_string()))?;
            let Err(error) = self.client.request_text(request).await else {
                return Ok(());
            };
            self.etcd.check()?;
            self.api_server.check()?;
            if started.elapsed() > PATIENCE {
                let log = self.api_server.last_words();
                return Err(RealError::Server(format!(
                    "kube-apiserver does not get ready: {error}\n{log}"
                )));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Installs a CRD and waits until the kind is served.
    pub(super) async fn install(&self, crd: &Value) -> Result<(), RealError> {
        let name = crd["metadata"]["name"].as_str().unwrap_or_default();
        let api: Api<CustomResourceDefinition> = Api::all(self.client.clone());
        let apply = PatchParams::apply("kommodore-control-plane").force();
        let failed = || RealError::api(format!("the CRD {name}"));
        api.patch(name, &apply, &Patch::Apply(crd))
            .await
            .map_err(failed())?;
        let started = Instant::now();
        loop {
            let now = api.get(name).await.map_err(failed())?;
            let conditions = now
                .status
                .and_then(|status| status.conditions)
                .unwrap_or_default();
            if conditions
                .iter()
                .any(|condition| condition.type_ == "Established" && condition.status == "True")
            {
                return Ok(());
            }
            if started.elapsed() > PATIENCE {
                return Err(RealError::Server(format!(
                    "the CRD {name} is not established: {conditions:?}"
                )));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Starts the controller manager, with the garbage collector, the namespace controller and the one of
    /// roles that are made of others. The collector learns
    /// of a new kind half a minute late: the CRDs that matter are to be there before.
    pub(super) fn start_controllers(
        &mut self,
        program: &Path,
        authority: &Authority,
    ) -> Result<(), RealError> {
        let folder = own_folder(&self.base, self.name, "kube-controller-manager")?;
        let kubeconfig = folder.join("kubeconfig");
        secret_file(&folder.join("ca.crt"), authority.pem())?;
        secret_file(&kubeconfig, &self.kubeconfig(&folder.join("ca.crt")))?;
        let arguments = [
            format!("--kubeconfig={}", kubeconfig.display()),
            "--leader-elect=false".into(),
            // Serves nothing.
            "--secure-port=0".into(),
            "--use-service-account-credentials=false".into(),
            "--controllers=garbage-collector-controller,namespace-controller,clusterrole-aggregation-controller"
                .into(),
        ];
        self.controller_manager = Some(Process::start(
            "kube-controller-manager",
            program,
            &folder,
            arguments,
        )?);
        Ok(())
    }

    fn kubeconfig(&self, authority: &Path) -> String {
        serde_json::json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "it", "cluster": {
                "server": self.url, "certificate-authority": authority,
            }}],
            "users": [{"name": "it", "user": {"token": self.token}}],
            "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
            "current-context": "it",
        })
        .to_string()
    }

    /// How to reach the API server itself, with all rights.
    pub(super) fn config(&self, authority: &Authority) -> Result<Config, RealError> {
        config(&self.url, authority, &self.token)
    }

    /// A client with all rights, of the API server itself.
    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// The same for the user [`OPERATOR`].
    pub(super) fn operator(&self) -> &Client {
        &self.operator
    }

    /// An error if one of the servers has ended.
    pub(super) fn check(&self) -> Result<(), RealError> {
        self.etcd.check()?;
        self.api_server.check()?;
        self.controller_manager
            .as_ref()
            .map_or(Ok(()), Process::check)
    }
}

fn client(url: &str, authority: &Authority, token: &str) -> Result<Client, RealError> {
    Client::try_from(config(url, authority, token)?).map_err(RealError::api("a client"))
}

fn config(url: &str, authority: &Authority, token: &str) -> Result<Config, RealError> {
    let mut config = Config::new(
        url.parse()
            .map_err(|error| RealError::Server(format!("{url}: {error}")))?,
    );
    config.root_cert = Some(vec![authority.der().to_vec()]);
    config.auth_info.token = Some(token.to_owned().into());
    // What the server answers is what the test is to see.
    config.default_retry = false;
    Ok(config)
}

/// A new folder that only this user can look into, for all servers that are started together.
pub(super) fn base_folder() -> Result<PathBuf, RealError> {
    let base = std::env::temp_dir().join(format!(
        "kommodore-real-{}-{}",
        std::process::id(),
        random()
    ));
    let made = fs::DirBuilder::new().mode(0o700).create(&base);
    made.map_err(RealError::io(base.display().to_string()))?;
    Ok(base)
}

fn own_folder(base: &Path, plane: &str, server: &str) -> Result<PathBuf, RealError> {
    let folder = base.join(format!("{plane}-{server}"));
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&folder)
        .map_err(RealError::io(folder.display().to_string()))?;
    Ok(folder)
}

fn secret_file(path: &Path, content: &str) -> Result<(), RealError> {
    let file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
    file.and_then(|mut file| std::io::Write::write_all(&mut file, content.as_bytes()))
        .map_err(RealError::io(path.display().to_string()))
}

/// 128 bits that nobody guesses on this machine's loopback.
pub(super) fn random() -> String {
    let part = || RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", part(), part())
}
