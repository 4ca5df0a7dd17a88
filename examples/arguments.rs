//! The command line.

use std::path::PathBuf;

use kommodore::{Error, Result};

pub(crate) const HELP: &str = "\
(no arguments)               plays a fleet and a user, and needs no cluster
--serve                      plays a fleet, and stays for kubectl
--kubeconfig FILE            works on the Milo that FILE points to
--kubeconfig FILE --internal the same, from inside Milo's infrastructure cluster
--roles                      prints the roles that the operator needs";

pub(crate) struct Arguments {
    pub(crate) mode: Mode,
}

pub(crate) enum Mode {
    Help,
    Tour,
    Serve,
    Roles,
    Operate { kubeconfig: PathBuf, internal: bool },
}

impl Arguments {
    pub(crate) fn read(mut words: impl Iterator<Item = String>) -> Result<Self> {
        let (mut serve, mut internal, mut kubeconfig) = (false, false, None);
        while let Some(word) = words.next() {
            match word.as_str() {
                "--help" | "-h" => return Ok(Self { mode: Mode::Help }),
                "--roles" => return Ok(Self { mode: Mode::Roles }),
                "--serve" => serve = true,
                "--internal" => internal = true,
                "--kubeconfig" => match words.next() {
                    Some(file) => kubeconfig = Some(PathBuf::from(file)),
                    None => return Err(refuse("--kubeconfig needs a FILE")),
                },
                unknown => return Err(refuse(&format!("unknown argument {unknown:?}"))),
            }
        }
        let mode = match (kubeconfig, serve, internal) {
            (Some(kubeconfig), false, internal) => Mode::Operate {
                kubeconfig,
                internal,
            },
            (Some(_), true, _) => {
                return Err(refuse("--serve and --kubeconfig exclude each other"));
            }
            (None, _, true) => return Err(refuse("--internal needs --kubeconfig FILE")),
            (None, true, false) => Mode::Serve,
            (None, false, false) => Mode::Tour,
        };
        Ok(Self { mode })
    }
}

fn refuse(why: &str) -> Error {
    Error::new(format!("{why}; the command line is one of\n{HELP}"))
}
