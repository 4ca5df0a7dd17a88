//! Serves a control plane to whoever has its kubeconfig: see `kommodore-control-plane --help`.

mod program;

use std::io::Write;
use std::process::ExitCode;

use program::{Command, HELP};
use tokio::runtime::Runtime;

fn main() -> ExitCode {
    let runtime = match Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            complain(&format!("cannot start: {error}"));
            return ExitCode::FAILURE;
        }
    };
    let code = runtime.block_on(run());
    // Who is at work on something long is not waited for.
    runtime.shutdown_background();
    code
}

async fn run() -> ExitCode {
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
