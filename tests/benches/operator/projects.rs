//! Idle projects, how they are engaged, and that nothing of them stays.

use std::time::{Duration, Instant};

use kommodore_control_plane::{Fault, Injected};

use super::process::Other;
use super::project::{Project, until};
use super::row;

const KIB: f64 = 1024.0;
/// So many kinds are watched in a project.
const KINDS: usize = 2;
/// What fits on one connection to the server.
const STREAMS: usize = 100;
/// So long an idle operator is looked at.
const IDLE: Duration = Duration::from_secs(20);
/// Within so long unused connections are closed.
const CLOSED: Duration = Duration::from_secs(180);
/// So often all projects come and go.
const ROUNDS: usize = 100;
/// So many projects that have left are remembered, and have to wait if they come and go all the time.
const REMEMBERED: usize = 1_000;

/// What idle projects take.
pub(crate) async fn idle(count: usize) {
    let project = Project::start().await;
    let operator = project.operator().await;
    let (alone, began) = (operator.memory(), operator.cpu());
    operator.stop().unwrap();
    project.add_projects(count).await;
    project.quiet().await;
    let mut operator = project.operator().await;
    // Before it is asked, as what it says has to be made up.
    let (memory, engaged) = (operator.memory(), operator.cpu());
    all_engaged(&mut operator, count + 1).await;
    let each = |all: f64| all / count as f64;
    row(
        &format!("memory of an idle project with two watches ({count})"),
        "≤ 8 KiB",
        &format!("{:.2} KiB", each(memory - alone) / KIB),
    );
    row(
        "CPU to engage one",
        "≤ 0.3 ms",
        &format!("{:.2} ms", each(engaged - began)),
    );
    // The watch of the projects is one of them.
    let fewest = (KINDS * (count + 1) + 1).div_ceil(STREAMS);
    let sockets = operator.sockets();
    row(
        "sockets",
        &format!("≤ {}", fewest + 2),
        &sockets.to_string(),
    );
    let began = operator.cpu();
    tokio::time::sleep(IDLE).await;
    let percent = (operator.cpu() - began) / IDLE.as_secs_f64() / 10.0;
    let goal = if count <= 1_000 { "< 0.5 %" } else { "" };
    row(
        "CPU of all while idle, of a core",
        goal,
        &format!("{percent:.2} %"),
    );
    operator.stop().unwrap();
}

/// How long it takes until all are engaged, with nothing and with something in the way.
pub(crate) async fn engagement(count: usize) {
    let project = Project::start().await;
    project.add_projects(count).await;
    let inject = |fault: Fault| project.plane.inject(fault);
    let seconds = async |trouble: Option<Injected>| {
        project.quiet().await;
        let began = Instant::now();
        let mut operator = project.operator_of("");
        all_engaged(&mut operator, count + 1).await;
        let seconds = began.elapsed().as_secs_f64();
        operator.stop().unwrap();
        drop(trouble);
        format!("{seconds:.2} s")
    };
    let what = |how: &str| format!("{count} projects are engaged {how}");
    row(&what("at once"), "", &seconds(None).await);
    let late = inject(Fault::latency(Duration::from_millis(20)));
    row(
        &what("with 20 ms of latency"),
        "≤ 2 s",
        &seconds(Some(late)).await,
    );
    let initializing = inject(Fault::storage_initializes());
    row(
        &what("while the first lists answer 429, in a second again"),
        "≤ 5 s",
        &seconds(Some(initializing)).await,
    );
}

/// All projects come and go, in turns with as many others as make them forgotten.
pub(crate) async fn rounds(count: usize) {
    let project = Project::start().await;
    let turns = 1 + REMEMBERED.div_ceil(count);
    project.add_projects(turns * count).await;
    let mut operator = project.operator_of("served=yes");
    project.quiet().await;
    let first = Held::by(&mut operator);
    let mut memory = Vec::new();
    for round in 1..=ROUNDS {
        let is_looked_at = round == 2 || round == ROUNDS;
        let start = round % turns * count;
        let numbers = start..start + count;
        project.serve(numbers.clone(), true).await;
        all_engaged(&mut operator, count).await;
        if is_looked_at {
            project.quiet().await;
        }
        let full = operator.memory();
        project.serve(numbers, false).await;
        until(&mut operator, |it| it.engaged == 0 && it.watches == 0).await;
        if is_looked_at {
            project.quiet().await;
            memory.push((full, operator.memory()));
        }
    }
    // Connections that nobody uses are closed after a while.
    let ended = Instant::now();
    while operator.sockets() > first.sockets && ended.elapsed() < CLOSED {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let last = Held::by(&mut operator);
    operator.stop().unwrap();
    let what = |what: &str| {
        format!("{what} after {ROUNDS} rounds of engaging and leaving {count} projects")
    };
    let (second, end) = (memory[0], memory[1]);
    for (name, before, after) in [
        ("memory with all", second.0, end.0),
        ("memory with none", second.1, end.1),
    ] {
        let percent = (after / before - 1.0) * 100.0;
        let mib = after / KIB / KIB;
        row(
            &what(name),
            "≤ 5 % more than after 2",
            &format!("{percent:+.1} % ({mib:.1} MiB)"),
        );
    }
    for (name, before, after) in [
        ("tasks", first.tasks, last.tasks),
        ("sockets", first.sockets, last.sockets),
        ("open files", first.files, last.files),
    ] {
        let goal = format!("{before}, as before the first");
        row(&what(name), &goal, &after.to_string());
    }
}

/// What an operator holds besides memory.
struct Held {
    tasks: usize,
    sockets: usize,
    files: usize,
}

impl Held {
    fn by(operator: &mut Other) -> Self {
        Self {
            tasks: operator.ask().tasks,
            sockets: operator.sockets(),
            files: operator.files(),
        }
    }
}

async fn all_engaged(operator: &mut Other, count: usize) {
    let watches = KINDS * count;
    until(operator, |it| it.engaged >= count && it.watches >= watches).await;
}
