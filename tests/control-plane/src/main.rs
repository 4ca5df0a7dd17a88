//! Serves a control plane to whoever has its kubeconfig: see `kommodore-control-plane --help`.

mod program;

use std::io::Write;
use std::process::ExitCode;

use program::{Command, HELP};

#[tokio::main]
async fn main() -> ExitCode {
    let command = match program::read(std::env::args_os().skip(1)) {
        Ok(command) => command,
        Err(error) => {
            complain(&error.to_string());
            complain("see kommodore-control-plane --help");
            return ExitCode::from(2);
        }
    };
    let done = match command {
        Command::Help => say(HELP),
        Command::Version => say(concat!(
            "kommodore-control-plane ",
            env!("CARGO_PKG_VERSION")
        )),
        Command::Serve(options) => program::serve(options, say, complain).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error.to_string());
            ExitCode::FAILURE
        }
    }
}

fn say(line: &str) -> Result<(), program::Error> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", line.trim_end())
        .and_then(|()| out.flush())
        .map_err(program::Error::Stdout)
}

fn complain(what: &str) {
    // Whoever has closed standard error does not want to know.
    let _ = writeln!(std::io::stderr(), "kommodore-control-plane: {what}");
}
