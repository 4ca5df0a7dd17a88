//! The credentials of a configuration, where a program gives them: what a kubeconfig has under `exec`.
//!
//! kube runs such programs too, but in a thread that waits for as long as the program likes, and it cannot be left.

use std::io::{ErrorKind, IsTerminal as _, stdin};
use std::process::{Output, Stdio};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use kube::Config;
use kube::client::AuthError;
use kube::config::{ExecConfig, ExecInteractiveMode};
use serde::Deserialize;
use serde_json::json;
use tokio::process::Command;
use tokio::sync::Semaphore;

/// How long a program may take: somebody may have to log in.
const DEADLINE: Duration = Duration::from_secs(300);
/// How many programs run at once: one may take more memory than a thousand clusters, and a whole fleet asks for its
/// credentials together.
const AT_ONCE: usize = 16;
/// How long a program has a place among them: those that hang are not to hold up the others.
const PLACE: Duration = Duration::from_secs(2);
/// How much is told of what a program says of its failure.
const MOST_SAID: usize = 500;

static PLACES: Semaphore = Semaphore::const_new(AT_ONCE);

/// What a client shows to a server.
pub(super) struct Credentials {
    /// The configuration, with what the program has given in its place.
    pub(super) config: Config,
    /// Until when they are good, if the program has said so.
    pub(super) until: Option<Timestamp>,
    /// The program has given a certificate.
    pub(super) are_certificate: bool,
}

/// What a program prints: an `ExecCredential`, as JSON or YAML.
#[derive(Deserialize)]
struct Credential {
    status: Option<Status>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    expiration_timestamp: Option<String>,
    token: Option<String>,
    client_certificate_data: Option<String>,
    client_key_data: Option<String>,
}

/// The program that gives the credentials of a configuration, unless there are others, which come first for kube too.
pub(super) fn program_of(config: &Config) -> Option<&ExecConfig> {
    let info = &config.auth_info;
    let has_others = info.auth_provider.is_some()
        || info.username.is_some() && info.password.is_some()
        || info.token.is_some()
        || info.token_file.is_some();
    info.exec.as_ref().filter(|_| !has_others)
}

impl Credentials {
    /// Runs the program, if there is one. It is ended when nobody waits for it any more.
    pub(super) async fn of(config: &Config) -> Result<Self, kube::Error> {
        let mut these = Self {
            config: config.clone(),
            until: None,
            are_certificate: false,
        };
        if let Some(program) = program_of(config) {
            let status = run(program).await.map_err(kube::Error::Auth)?;
            these.show(status).map_err(kube::Error::Auth)?;
        }
        Ok(these)
    }

    fn show(&mut self, status: Status) -> Result<(), AuthError> {
        let until = status.expiration_timestamp.map(|until| until.parse());
        self.until = until
            .transpose()
            .map_err(AuthError::MalformedTokenExpirationDate)?;
        let info = &mut self.config.auth_info;
        info.exec = None;
        let certificate = status.client_certificate_data.zip(status.client_key_data);
        if certificate.is_none() && status.token.is_none() {
            return Err(AuthError::AuthExec(
                "the program has given neither a token nor a certificate with its key".into(),
            ));
        }
        info.token = status.token.map(Into::into);
        if let Some((certificate, key)) = certificate {
            self.are_certificate = true;
            info.client_certificate_data = Some(STANDARD.encode(certificate));
            info.client_key_data = Some(STANDARD.encode(key).into());
        }
        Ok(())
    }
}

async fn run(program: &ExecConfig) -> Result<Status, AuthError> {
    let name = program
        .command
        .as_deref()
        .ok_or(AuthError::MissingCommand)?;
    let failed = |why: String| AuthError::AuthExec(format!("the program `{name}` {why}"));
    let mut command = command(name, program)?;
    // They are there as long as the process is.
    let place = PLACES.acquire().await.ok();
    let mut output = Box::pin(tokio::time::timeout(DEADLINE, command.output()));
    let quick = tokio::time::timeout(PLACE, &mut output).await;
    drop(place);
    let output = match quick {
        Ok(output) => output,
        Err(_slow) => output.await,
    };
    let output = output.map_err(|_elapsed| failed(format!("has not ended within {DEADLINE:?}")))?;
    let output = output.map_err(|error| {
        let hint = match (error.kind(), &program.install_hint) {
            (ErrorKind::NotFound, Some(hint)) => format!(". {hint}"),
            _ => String::new(),
        };
        failed(format!("cannot be run: {error}{hint}"))
    })?;
    if !output.status.success() {
        return Err(failed(format!("has failed: {}", complaint(&output))));
    }
    // What it says instead may be a secret.
    let credential = serde_saphyr::from_slice::<Credential>(&output.stdout).ok();
    let status = credential.and_then(|credential| credential.status);
    status.ok_or_else(|| failed("has given no ExecCredential with a status".into()))
}

fn command(name: &str, program: &ExecConfig) -> Result<Command, AuthError> {
    let mut command = Command::new(name);
    command.kill_on_drop(true);
    command.args(program.args.iter().flatten());
    for variable in program.env.iter().flatten() {
        if let (Some(name), Some(value)) = (variable.get("name"), variable.get("value")) {
            command.env(name, value);
        }
    }
    let interactive = match program.interactive_mode {
        Some(ExecInteractiveMode::Never) => false,
        Some(ExecInteractiveMode::Always) => true,
        Some(ExecInteractiveMode::IfAvailable) | None => stdin().is_terminal(),
    };
    if interactive {
        command.stdin(Stdio::inherit()).stderr(Stdio::inherit());
    } else {
        command.stdin(Stdio::null());
    }
    let mut spec = json!({"interactive": interactive});
    if program.provide_cluster_info {
        let cluster = program.cluster.as_ref();
        spec["cluster"] = json!(cluster.ok_or(AuthError::ExecMissingClusterInfo)?);
    }
    let asked = json!({
        "apiVersion": program.api_version,
        "kind": "ExecCredential",
        "spec": spec,
    });
    command.env("KUBERNETES_EXEC_INFO", asked.to_string());
    for variable in program.drop_env.iter().flatten() {
        command.env_remove(variable);
    }
    Ok(command)
}

/// How a program has ended, and what it says of that.
fn complaint(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    let said: String = said.trim().chars().take(MOST_SAID).collect();
    match said.is_empty() {
        true => output.status.to_string(),
        false => format!("{}: {said}", output.status),
    }
}
