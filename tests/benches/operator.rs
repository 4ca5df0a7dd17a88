//! What an operator costs: projects, websites, and neighbours in trouble, over HTTPS.
//!
//! `cargo bench -p kommodore-tests --bench operator`; `-- idle` or others of [`PARTS`] measures one of them, and `--websites 100`
//! or `--projects 100` takes so many. The operator is a process of its own, as is the measure of its objects; what is measured
//! is all that the system counts for it.

mod machine;
#[path = "operator/neighbours.rs"]
mod neighbours;
#[path = "operator/operate.rs"]
mod operate;
mod process;
#[path = "operator/project.rs"]
mod project;
#[path = "operator/projects.rs"]
mod projects;
#[path = "operator/websites.rs"]
mod websites;

use std::path::Path;

/// What can be measured by itself; everything but the largest fleets is measured unless something is named.
const PARTS: [&str; 7] = [
    "projects",
    "engagement",
    "neighbours",
    "rounds",
    "idle",
    "life",
    "fleets",
];
/// So many projects there are in the largest fleets.
const FLEETS: [usize; 2] = [10_000, 50_000];
/// So many projects there are, if no other number is given.
const PROJECTS: usize = 1_000;
/// So many websites are idle.
const IDLE: usize = 10_000;
/// So many are created and deleted.
const LIVES: usize = 2_000;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["operate", kubeconfig, labels, others @ ..] => {
            let others = others.first().map(Path::new);
            block_on(1, operate::run(Path::new(kubeconfig), labels, others));
        }
        ["hold", kubeconfig] => block_on(1, websites::hold(Path::new(kubeconfig))),
        words => block_on(2, measure(words)),
    }
}

fn block_on(threads: usize, task: impl Future<Output = ()>) {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(threads).enable_all().build();
    runtime.unwrap().block_on(task);
}

async fn measure(words: &[&str]) {
    let count = |of: &str, default: usize| match words.iter().position(|word| *word == of) {
        Some(place) => words[place + 1].parse().unwrap(),
        None => default,
    };
    let named: Vec<&&str> = words.iter().filter(|word| PARTS.contains(word)).collect();
    let is_wanted = |name: &str| named.contains(&&name) || named.is_empty() && name != "fleets";
    let count_projects = count("--projects", PROJECTS);
    println!("{}\n", machine::machine());
    println!("| | goal | measured |\n|---|--:|--:|");
    if is_wanted("projects") {
        projects::idle(count_projects).await;
    }
    if is_wanted("fleets") {
        for count in FLEETS {
            projects::idle(count).await;
        }
    }
    if is_wanted("engagement") {
        projects::engagement(count_projects).await;
    }
    if is_wanted("neighbours") {
        neighbours::neighbours(count_projects).await;
    }
    if is_wanted("rounds") {
        projects::rounds(count_projects).await;
    }
    if is_wanted("idle") {
        websites::idle(count("--websites", IDLE)).await;
    }
    if is_wanted("life") {
        websites::life(count("--websites", LIVES)).await;
    }
}

fn row(what: &str, goal: &str, measured: &str) {
    println!("| {what} | {goal} | {measured} |");
}
