//! The same operator on a fleet of projects, written in each of the ways that people use: what it costs, side by side.
//!
//! ```sh
//! cargo bench -p kommodore-tests --bench fleet -- quick                  # 100 projects, 1,000 objects
//! cargo bench -p kommodore-tests --bench fleet -- standard               # 1,000 and 10,000
//! cargo bench -p kommodore-tests --bench fleet -- large --projects 50000 # idle, and a trickle of changes
//! cargo bench -p kommodore-tests --bench fleet -- quick --only kommodore,go
//! ```
//!
//! The server and the operator are processes of their own. The request log of the server says what an operator did, and
//! the system what it took.

#[path = "fleet/asked.rs"]
mod asked;
#[path = "fleet/board.rs"]
mod board;
#[path = "fleet/contender.rs"]
mod contender;
#[path = "fleet/judge.rs"]
mod judge;
mod machine;
mod peers;
#[path = "fleet/phases.rs"]
mod phases;
mod process;
#[path = "fleet/report.rs"]
mod report;
#[path = "fleet/run.rs"]
mod run;
#[path = "fleet/server.rs"]
mod server;
#[path = "fleet/size.rs"]
mod size;
#[path = "fleet/svg.rs"]
mod svg;
#[path = "fleet/talk.rs"]
mod talk;

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use contender::{Contender, NAMES};
use report::Report;
use run::Run;
use size::Size;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["serve"] => block_on(server::serve()),
        ["operate", contender, kubeconfig, resync @ ..] => {
            let resync = resync.first().map(|it| it.parse().unwrap());
            operate(
                contender,
                Path::new(kubeconfig),
                resync.map(Duration::from_secs),
            );
        }
        words => return compare(words),
    }
    ExitCode::SUCCESS
}

fn block_on<T>(task: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(task)
}

fn operate(contender: &str, kubeconfig: &Path, resync: Option<Duration>) {
    match contender {
        "kommodore" => block_on(peers::kommodore::run(kubeconfig, resync)),
        "kube-rs" => block_on(peers::kube_rs::run(kubeconfig, resync)),
        _ => panic!("no contender is called {contender}"),
    }
}

fn compare(words: &[&str]) -> ExitCode {
    let (size, only) = match read(words) {
        Ok(read) => read,
        Err(why) => {
            eprintln!("{why}");
            return ExitCode::FAILURE;
        }
    };
    let mut report = Report::new(&size);
    println!("{}\n", report.heading());
    for contender in Contender::all(&only) {
        report.of(contender.name);
        let run = Run::start(&size, &contender, &mut report);
        if let Err(why) = run.all() {
            report.failed(why);
        }
    }
    report.finish()
}

/// The size, and the contenders that are wanted, if not the usual ones.
fn read(words: &[&str]) -> Result<(Size, Vec<String>), String> {
    let mut size = Size::quick();
    let (mut projects, mut objects, mut only) = (None, None, Vec::new());
    let mut words = words.iter().copied();
    let number = |after: &str, word: Option<&str>| match word.and_then(|word| word.parse().ok()) {
        Some(number) if number >= 10 => Ok(number),
        _ => Err(format!("`{after}` needs a number of 10 or more")),
    };
    while let Some(word) = words.next() {
        match word {
            "--bench" => {}
            "quick" => size = Size::quick(),
            "standard" => size = Size::standard(),
            "large" => size = Size::large(10_000),
            "--projects" => projects = Some(number(word, words.next())?),
            "--objects" => objects = Some(number(word, words.next())?),
            "--only" => {
                let names = words.next().unwrap_or_default().split(',');
                only = names.map(str::to_owned).collect();
                if let Some(unknown) = only.iter().find(|name| !NAMES.contains(&name.as_str())) {
                    return Err(format!("there is no contender {unknown:?}, only {NAMES:?}"));
                }
            }
            _ => {
                return Err(format!(
                    "{word:?} is none of quick, standard, large, --projects, --objects and --only"
                ));
            }
        }
    }
    if let Some(projects) = projects {
        size.projects = projects;
        size.observed = size.observed.min(projects);
    }
    size.objects = objects.unwrap_or(size.objects);
    Ok((size, only))
}
