//! Kubeconfigs that somebody else has written.

use kube::Config;
use kube::config::{Kubeconfig, KubeconfigError};

use crate::{Error, Result, ResultExt as _};

/// What the current context of a kubeconfig leads to, or its only one. What names commands or files is refused, unless
/// its author is `trusted`: they would be those of this process.
pub(super) fn config(text: &[u8], trusted: bool) -> Result<Config> {
    let text = std::str::from_utf8(text).context("the kubeconfig is no text")?;
    let kubeconfig = Kubeconfig::from_yaml(text).map_err(told)?;
    config_of(kubeconfig, trusted)
}

/// Why a text is no kubeconfig, by the place alone: an excerpt would bring its secrets into the log.
pub(super) fn told(error: KubeconfigError) -> Error {
    let place = match error {
        KubeconfigError::Parse(error) => error.location(),
        error => return Error::terminal(error),
    };
    let place = place.map(|place| format!(": line {}, column {}", place.line(), place.column()));
    let place = place.unwrap_or_default();
    Error::terminal(format!("it cannot be read as a kubeconfig{place}"))
}

pub(super) fn config_of(mut kubeconfig: Kubeconfig, trusted: bool) -> Result<Config> {
    if let ([only], None) = (kubeconfig.contexts.as_slice(), &kubeconfig.current_context) {
        kubeconfig.current_context = Some(only.name.clone());
    }
    if !trusted {
        refuse_what_is_ours(&kubeconfig)?;
    }
    refuse_a_missing_user(&kubeconfig)?;
    Config::try_from(kubeconfig).context("reading the kubeconfig")
}

/// kube would be nobody then, as it would by a file of which the users have yet to be written.
fn refuse_a_missing_user(kubeconfig: &Kubeconfig) -> Result<()> {
    let current = kubeconfig.current_context.as_ref();
    let mut contexts = kubeconfig.contexts.iter();
    let context = contexts.find(|named| Some(&named.name) == current);
    let user = context.and_then(|named| named.context.as_ref()?.user.as_ref());
    let mut users = kubeconfig.auth_infos.iter();
    match user {
        Some(user) if !user.is_empty() && users.all(|named| named.name != *user) => {
            Err(Error::terminal(format!("there is no user {user:?}")))
        }
        _ => Ok(()),
    }
}

fn refuse_what_is_ours(kubeconfig: &Kubeconfig) -> Result<()> {
    let clusters = kubeconfig.clusters.iter();
    let clusters = clusters.filter_map(|named| named.cluster.as_ref());
    let mut authorities = clusters.filter_map(|cluster| cluster.certificate_authority.as_ref());
    let users = kubeconfig.auth_infos.iter();
    let mut users = users.filter_map(|named| named.auth_info.as_ref());
    let runs_or_reads = users.any(|user| {
        user.exec.is_some()
            || user.auth_provider.is_some()
            || user.token_file.is_some()
            || user.client_certificate.is_some()
            || user.client_key.is_some()
    });
    match runs_or_reads || authorities.next().is_some() {
        true => Err(Error::terminal(
            "the kubeconfig names commands or files, which would be those of the operator: it has to hold its data \
             itself (`certificate-authority-data`, `token`, ..), or its authors are to be `trusted`",
        )),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kubeconfig(cluster: &str, user: &str) -> String {
        format!(
            "{{apiVersion: v1, kind: Config, \
             clusters: [{{name: c, cluster: {{server: 'https://red.example.com'{cluster}}}}}], \
             users: [{{name: u, user: {{{user}}}}}], \
             contexts: [{{name: x, context: {{cluster: c, user: u}}}}]}}"
        )
    }

    #[test]
    fn its_only_context_is_meant_where_none_is_current() {
        let text = kubeconfig("", "token: secret");
        let read = config(text.as_bytes(), false).unwrap();
        assert_eq!(read.cluster_url.to_string(), "https://red.example.com/");
        assert!(config(b"{}", false).is_err());
        assert!(config(b"\xff", false).is_err());
    }

    #[test]
    fn nobody_is_taken_for_a_user_who_is_not_there() {
        let text = kubeconfig("", "token: secret");
        let absent = text.replace("name: u,", "name: other,");
        let error = config(absent.as_bytes(), true).unwrap_err();
        assert_eq!(error.to_string(), "there is no user \"u\"");
        let anonymous = text.replace("user: u}", "user: ''}");
        assert!(config(anonymous.as_bytes(), true).is_ok());
    }

    #[test]
    fn what_is_wrong_is_told_without_the_secrets() {
        let text = kubeconfig("", "token: hidden");
        for bad in [
            text.replace("contexts: [", "contexts: "),
            text.replace(", ", "\n"),
            text.replace("users: [", "users: {"),
            text.replace("token: hidden", "token: [hidden]"),
            text.replace("token: hidden", "as-groups: hidden"),
            "users:\n- name: u\n  user:\n    token: hidden\n   bad".to_owned(),
        ] {
            let error = format!("{:#}", config(bad.as_bytes(), false).unwrap_err());
            assert!(!error.contains("hidden"), "{bad}: {error}");
        }
    }

    #[test]
    fn commands_and_files_of_others_are_refused() {
        let exec = "exec: {apiVersion: client.authentication.k8s.io/v1, command: sh, interactiveMode: Never}";
        for (cluster, user) in [
            ("", exec),
            ("", "tokenFile: /var/run/secrets/token"),
            ("", "client-certificate: /etc/cert"),
            ("", "client-key: /etc/key"),
            ("", "auth-provider: {name: gcp, config: {}}"),
            (", certificate-authority: /etc/ca", "token: secret"),
        ] {
            let text = kubeconfig(cluster, user);
            let error = config(text.as_bytes(), false).unwrap_err();
            assert!(
                error.to_string().contains("commands or files"),
                "{text}: {error}"
            );
        }
        let text = kubeconfig("", exec);
        assert!(
            config(text.as_bytes(), true)
                .unwrap()
                .auth_info
                .exec
                .is_some()
        );
    }
}
