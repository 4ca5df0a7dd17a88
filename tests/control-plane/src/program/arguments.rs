//! The command line.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::PathBuf;

/// What `--help` prints.
pub(crate) const HELP: &str = "\
A Kubernetes API server in one process, for tests and for playing. Objects live in memory and are gone when it ends.

usage: kommodore-control-plane [--port PORT] [--kubeconfig FILE] [--crds DIR] [--projects NAME,NAME..]
                               [--rbac] [--user NAME[=GROUP,GROUP..]]..

  --port PORT          listen on this port of loopback (default: 0, one that is free)
  --kubeconfig FILE    write a kubeconfig, readable by you alone: the context `root`, which is the current one, and one
                       for each project. Without it no file is written, and the flags for kubectl are printed instead
  --crds DIR           install the CustomResourceDefinitions of all *.yaml, *.yml and *.json files in this folder
  --projects NAME,..   play Milo, and create these projects
  --rbac               let roles count: users may do what Role, ClusterRole and their bindings allow, and nothing
                       else. Without it everybody may do everything; `admin`, whose the contexts are, always may
  --user NAME[=GROUP,..]
                       know one more user, in these groups; may be given more than once. Its token is in the
                       kubeconfig, for `kubectl --user NAME`. Who has no token can still be played: `kubectl --as NAME`
  --help               print this
  --version            print the version

An option is also understood as --option=VALUE. One line is printed once everything can be used:

  ready: https://127.0.0.1:PORT KUBECONFIG=FILE

or, without --kubeconfig, followed by the flags:

  ready: https://127.0.0.1:PORT --server=.. --token=.. --insecure-skip-tls-verify

It ends with code 0 on SIGTERM and SIGINT, with 2 if it does not understand its arguments, with 1 if anything else
goes wrong.";

/// What the program is asked to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Help,
    Version,
    Serve(Options),
}

/// What is to be served.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Options {
    /// 0 takes a free port.
    pub(crate) port: u16,
    pub(crate) kubeconfig: Option<PathBuf>,
    pub(crate) crds: Option<PathBuf>,
    pub(crate) projects: Vec<String>,
    pub(crate) rbac: bool,
    pub(crate) users: Vec<User>,
}

/// A user that is to be known.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct User {
    pub(crate) name: String,
    pub(crate) groups: Vec<String>,
}

/// What is wrong with the arguments.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Misunderstood {
    #[error("the argument {0:?} is unknown")]
    Unknown(OsString),
    #[error("{0} needs a value")]
    NoValue(&'static str),
    #[error("{0} is given twice")]
    Twice(&'static str),
    #[error("--port: {0:?} is no port, which is a number from 0 to 65535")]
    Port(OsString),
    #[error("--projects: {0:?} is no list of names with commas between")]
    Projects(OsString),
    #[error("--projects: {0} is named twice")]
    ProjectTwice(String),
    #[error("{0} takes no value")]
    Value(&'static str),
    #[error(
        "--user: {0:?} is no user: a name, or a name, an equals sign and groups with commas between"
    )]
    User(OsString),
    #[error("--user: {0} is named twice")]
    UserTwice(String),
    #[error("--user: admin is always there")]
    Admin,
    #[error("--user needs --kubeconfig, which tells the token of the user")]
    NoKubeconfig,
}

/// Reads the arguments behind the program's name.
pub(crate) fn read(
    arguments: impl IntoIterator<Item = OsString>,
) -> Result<Command, Misunderstood> {
    let mut arguments = arguments.into_iter();
    let mut options = Options::default();
    let mut given = BTreeSet::new();
    while let Some(argument) = arguments.next() {
        let (name, attached) = split(&argument);
        let name = match name.as_deref() {
            Some("--help" | "-h") if attached.is_none() => return Ok(Command::Help),
            Some("--version" | "-V") if attached.is_none() => return Ok(Command::Version),
            Some("--port") => "--port",
            Some("--kubeconfig") => "--kubeconfig",
            Some("--crds") => "--crds",
            Some("--projects") => "--projects",
            Some("--user") => "--user",
            Some("--rbac") if attached.is_some() => return Err(Misunderstood::Value("--rbac")),
            Some("--rbac") if !given.insert("--rbac") => {
                return Err(Misunderstood::Twice("--rbac"));
            }
            Some("--rbac") => {
                options.rbac = true;
                continue;
            }
            _ => return Err(Misunderstood::Unknown(argument)),
        };
        let value = attached
            .or_else(|| arguments.next())
            .filter(|value| !value.is_empty())
            .ok_or(Misunderstood::NoValue(name))?;
        if !given.insert(name) && name != "--user" {
            return Err(Misunderstood::Twice(name));
        }
        match name {
            "--port" => options.port = port(value)?,
            "--kubeconfig" => options.kubeconfig = Some(value.into()),
            "--crds" => options.crds = Some(value.into()),
            "--user" => options.users.push(user(value, &options.users)?),
            _ => options.projects = projects(value)?,
        }
    }
    if !options.users.is_empty() && options.kubeconfig.is_none() {
        return Err(Misunderstood::NoKubeconfig);
    }
    Ok(Command::Serve(options))
}

/// A name, and groups behind an equals sign.
fn user(value: OsString, others: &[User]) -> Result<User, Misunderstood> {
    let text = value.to_str().unwrap_or_default();
    let (name, groups) = match text.split_once('=') {
        Some((name, groups)) => (name, groups.split(',').map(str::to_owned).collect()),
        None => (text, Vec::new()),
    };
    if name.is_empty() || groups.iter().any(String::is_empty) {
        return Err(Misunderstood::User(value));
    }
    if name == "admin" {
        return Err(Misunderstood::Admin);
    }
    if others.iter().any(|other| other.name == name) {
        return Err(Misunderstood::UserTwice(name.to_owned()));
    }
    Ok(User {
        name: name.to_owned(),
        groups,
    })
}

/// `--option=VALUE` is an option and its value. Only a path may be something else than UTF-8.
fn split(argument: &OsString) -> (Option<String>, Option<OsString>) {
    use std::os::unix::ffi::{OsStrExt, OsStringExt};
    let bytes = argument.as_bytes();
    let equals = bytes.iter().position(|byte| *byte == b'=');
    let (name, value) = match equals {
        Some(at) => (&bytes[..at], Some(&bytes[at + 1..])),
        None => (bytes, None),
    };
    let value = value.map(|value| OsString::from_vec(value.to_vec()));
    (std::str::from_utf8(name).ok().map(str::to_owned), value)
}

fn port(value: OsString) -> Result<u16, Misunderstood> {
    let number = value.to_str().and_then(|text| text.parse().ok());
    number.ok_or(Misunderstood::Port(value))
}

fn projects(value: OsString) -> Result<Vec<String>, Misunderstood> {
    let names: Vec<String> = value
        .to_str()
        .unwrap_or_default()
        .split(',')
        .map(str::to_owned)
        .collect();
    if names.iter().any(String::is_empty) {
        return Err(Misunderstood::Projects(value));
    }
    let mut seen = BTreeSet::new();
    match names.iter().find(|name| !seen.insert(name.as_str())) {
        Some(twice) => Err(Misunderstood::ProjectTwice(twice.clone())),
        None => Ok(names),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Command, String> {
        read(line.split_whitespace().map(OsString::from)).map_err(|error| error.to_string())
    }

    #[test]
    fn every_option_has_a_default() {
        assert_eq!(parse(""), Ok(Command::Serve(Options::default())));
    }

    #[test]
    fn values_stand_behind_their_options_or_are_attached() {
        let options = Options {
            port: 8443,
            kubeconfig: Some("a=b".into()),
            crds: Some("c".into()),
            projects: vec!["red".into(), "blue".into()],
            rbac: true,
            users: vec![
                User {
                    name: "alice".into(),
                    groups: vec!["devs".into(), "ops".into()],
                },
                User {
                    name: "system:serviceaccount:shop:robot".into(),
                    groups: vec![],
                },
            ],
        };
        assert_eq!(
            parse(
                "--port 8443 --kubeconfig=a=b --crds c --projects=red,blue --rbac --user alice=devs,ops \
                 --user=system:serviceaccount:shop:robot"
            ),
            Ok(Command::Serve(options))
        );
        assert_eq!(parse("--port 1 --help"), Ok(Command::Help));
        assert_eq!(parse("--version"), Ok(Command::Version));
    }

    #[test]
    fn what_is_not_understood_is_named() {
        for (line, says) in [
            ("--ports 1", "the argument \"--ports\" is unknown"),
            ("serve", "the argument \"serve\" is unknown"),
            ("--help=yes", "the argument \"--help=yes\" is unknown"),
            ("--crds", "--crds needs a value"),
            ("--crds=", "--crds needs a value"),
            ("--port 1 --port 2", "--port is given twice"),
            (
                "--port 70000",
                "--port: \"70000\" is no port, which is a number from 0 to 65535",
            ),
            (
                "--projects red,",
                "--projects: \"red,\" is no list of names with commas between",
            ),
            ("--projects red,red", "--projects: red is named twice"),
            ("--rbac=yes", "--rbac takes no value"),
            ("--rbac --rbac", "--rbac is given twice"),
            ("--user admin", "--user: admin is always there"),
            ("--user a --user a=b", "--user: a is named twice"),
            (
                "--user a",
                "--user needs --kubeconfig, which tells the token of the user",
            ),
            (
                "--user a=b,",
                "--user: \"a=b,\" is no user: a name, or a name, an equals sign and groups with commas between",
            ),
        ] {
            assert_eq!(parse(line), Err(says.to_owned()), "{line}");
        }
    }
}
