//! What plays the user of the example operators: the part that no author of an operator writes.
//!
//! [`main`] runs an operator in one of three ways: on a fleet of its own with a played user, on a fleet
//! of its own that stays for kubectl, or on the Milo that a kubeconfig points to.

mod arguments;
mod dns;
mod fleet;
mod operator;
mod serve;
mod steps;
mod table;
mod user;

use std::io::IsTerminal as _;

use kommodore::kube::Config;
use kommodore::kube::config::{KubeConfigOptions, Kubeconfig};
use kommodore::{Result, ResultExt as _};
use serde::Serialize;
use tracing_subscriber::EnvFilter;

use arguments::{Arguments, Mode};

pub use dns::Dns;
pub use operator::{Operator, Projects};

/// What is logged, unless `RUST_LOG` says otherwise. kube's client reports each failed call as an error
/// of its own, and Kommodore says once what is wrong with a cluster.
const LOGGED: &str = "info,kommodore=debug,kommodore_control_plane=info,kube_client=off,rustls_platform_verifier=off";

/// Runs the operator that `operator` makes for a Milo and its projects, in the way that the command line
/// asks for. `crd` is the definition of its kind, `dns` what it works on outside of Kubernetes.
///
/// # Errors
/// When the command line makes no sense, the operator ends with an error, or a step of the tour has
/// not happened in time.
pub async fn main<O: Operator>(
    crd: impl Serialize,
    dns: Dns,
    operator: impl FnOnce(Config, Projects) -> O,
) -> Result<()> {
    let arguments = Arguments::read(std::env::args().skip(1))?;
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_unset| EnvFilter::new(LOGGED));
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_env_filter(filter)
        .init();
    match arguments.mode {
        Mode::Help => {
            println!("{}", arguments::HELP);
            Ok(())
        }
        Mode::Roles => {
            // Nothing is asked of it.
            let nowhere = Config::new("https://localhost".parse()?);
            match operator(nowhere, Projects::default()).roles() {
                Some(roles) => print!("{roles}"),
                None => eprintln!("this operator does not know the roles that it needs"),
            }
            Ok(())
        }
        Mode::Tour => steps::play(&crd, dns, operator).await,
        Mode::Serve => serve::serve(&crd, operator).await,
        Mode::Operate {
            kubeconfig,
            internal,
        } => {
            let what = || format!("reading the kubeconfig {}", kubeconfig.display());
            let file = Kubeconfig::read_from(&kubeconfig).context(what())?;
            let config = Config::from_custom_kubeconfig(file, &KubeConfigOptions::default()).await;
            let projects = Projects {
                internal,
                ..Projects::default()
            };
            operator(config.context(what())?, projects).run().await
        }
    }
}
