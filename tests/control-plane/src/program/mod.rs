//! The program: a control plane that runs until it is told to stop.

mod arguments;
mod definitions;
mod kubeconfig;
mod projects;

use std::future::Future;
use std::path::PathBuf;
use std::time::Duration;

use kommodore_control_plane::ControlPlane;
use tokio::signal::unix::{Signal, SignalKind, signal};

pub(crate) use arguments::{Command, HELP, Options, read};

/// For clients that delete a namespace and then finalize it themselves.
const NAMESPACES_END_AFTER: Duration = Duration::from_secs(1);

/// How long it may take to end in good order.
const LONGEST_END: Duration = Duration::from_secs(5);

/// Why the program could not do its work.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("the control plane could not be started on port {port} (--port): {source}")]
    Start {
        port: u16,
        source: kommodore_control_plane::Error,
    },
    #[error("no client of the control plane could be made: {0}")]
    Client(kommodore_control_plane::Error),
    #[error("--crds: {path}: {source}", path = path.display())]
    Read {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("--crds: {path}: {why}", path = path.display())]
    Definition { path: PathBuf, why: String },
    #[error("--projects: the project {name} {why}")]
    Project { name: String, why: String },
    #[error("--kubeconfig: {path}: {source}", path = path.display())]
    Kubeconfig {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("signals cannot be listened for: {0}")]
    Signals(std::io::Error),
    #[error("standard output: {0}")]
    Stdout(std::io::Error),
}

/// Serves until SIGTERM or SIGINT; `say` is given one line once everything can be used, and `warn` what is not done of
/// what was asked for.
pub(crate) async fn serve(
    options: Options,
    say: impl Fn(&str) -> Result<(), Error>,
    warn: impl Fn(&str),
) -> Result<(), Error> {
    // Before anything else, so that a signal during the start ends in good order too.
    let mut stop = Stop::listen().map_err(Error::Signals)?;
    // Whatever is wrong with a file is known before a port is opened.
    let definitions = match &options.crds {
        Some(folder) => definitions::read_folder(folder)?,
        None => Vec::new(),
    };
    let mut builder = ControlPlane::builder()
        .furnished()
        .port(options.port)
        .default_service_accounts()
        .namespaces_end_after(NAMESPACES_END_AFTER);
    if !options.projects.is_empty() {
        builder = builder.milo();
    }
    if options.rbac {
        builder = builder.rbac();
    }
    for user in &options.users {
        builder = builder.user(&user.name, &user.groups);
    }
    let plane = builder.start().await.map_err(|source| Error::Start {
        port: options.port,
        source,
    })?;
    let prepared = stop
        .or(async {
            for warning in prepare(&plane, &options, definitions).await? {
                warn(&warning);
            }
            say(&ready(&plane, &options)?)
        })
        .await;
    let done = match prepared {
        Some(Ok(())) => {
            stop.signal().await;
            Ok(())
        }
        Some(Err(error)) => Err(error),
        None => Ok(()),
    };
    // What is at work on something long ends with the process.
    let _ = tokio::time::timeout(LONGEST_END, plane.shutdown()).await;
    done
}

/// Everything that there is to be, besides the server itself, and what the server warned of.
async fn prepare(
    plane: &ControlPlane,
    options: &Options,
    definitions: Vec<definitions::Definition>,
) -> Result<Vec<String>, Error> {
    let client = plane.client().map_err(Error::Client)?;
    let warnings = definitions::install(&client, definitions).await?;
    projects::create(&client, &options.projects).await?;
    Ok(warnings)
}

/// The line that says how to get in. The kubeconfig is written here, when all contexts are known.
fn ready(plane: &ControlPlane, options: &Options) -> Result<String, Error> {
    let config = plane.kubeconfig();
    let (url, token) = kubeconfig::way_in(&config);
    match &options.kubeconfig {
        Some(path) => {
            let path = kubeconfig::write(&config, path)?;
            Ok(format!("ready: {url} KUBECONFIG={}", path.display()))
        }
        None => Ok(format!(
            "ready: {url} --server={url} --token={token} --insecure-skip-tls-verify"
        )),
    }
}

/// The signals that end the program.
struct Stop {
    terminate: Signal,
    interrupt: Signal,
}

impl Stop {
    fn listen() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn signal(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    /// Does the work; nothing if a signal came first.
    async fn or<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            () = self.signal() => None,
            done = work => Some(done),
        }
    }
}

/// What the server said, without the rest of its Status.
fn in_words(error: kube::Error) -> String {
    match error {
        kube::Error::Api(status) => status.message.clone(),
        error => error.to_string(),
    }
}
