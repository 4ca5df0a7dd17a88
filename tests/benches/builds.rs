//! What cargo takes: for the macros alone, and for a project before and after its first controller.

use std::path::Path;

use crate::project::{Cost, Project, ROOT, cargo, folder};

/// How often everything is built. An odd number, of which the median is shown.
const ROUNDS: usize = 3;
/// How many controllers are added to a first one, to see what each of them takes.
const MORE: usize = 50;

pub(crate) fn measure() {
    println!("| Build | crates | s | s of CPU |\n|---|--:|--:|--:|");
    let (kube, kommodore) = (Project::with_kube(), Project::with_kommodore());
    let [macros, before, after] = ["macros", "before", "after"].map(folder);
    let build =
        |project: &Project, target: &Path| cargo(&project.folder, target, &["build", "-j2"], true);
    let without = kube.write(&[0]);
    let with = kommodore.write(&[1]);
    // In turns, so that what else the machine does touches all of them alike.
    let [alone, cold_before, cold_after, on_top] = rounds(|_| {
        for target in [&macros, &before, &after] {
            let _ = std::fs::remove_dir_all(target);
        }
        let alone = ["build", "-j2", "-p", "kommodore-macros"];
        [
            cargo(Path::new(ROOT), &macros, &alone, true),
            build(&kube, &before),
            build(&kommodore, &after),
            build(&kommodore, &before),
        ]
    });
    row("the macros alone, from nothing", &alone);
    row("a project with kube and a kind, from nothing", &cold_before);
    row(
        "the same with Kommodore and a first controller, from nothing",
        &cold_after,
    );
    row("**the difference**", &cold_after.minus(&cold_before));
    row(
        "Kommodore and a first controller, on top of what was built without",
        &on_top,
    );

    let changed = |project: &Project, target: &Path, source: &str, mark: &str, round: usize| {
        assert!(source.contains(mark));
        let change = format!("println!(\"change {round}\"); {mark}");
        project.write_source(&source.replacen(mark, &change, 1));
        build(project, target)
    };
    let [again_before, again_after] = rounds(|round| {
        [
            changed(&kube, &before, &without, "for site in ", round),
            changed(&kommodore, &after, &with, "cx.apply(page(site))", round),
        ]
    });
    row(
        "the project without a controller, after a change of its code",
        &again_before,
    );
    row(
        "the project with a controller, after a change of `reconcile`",
        &again_after,
    );

    // They take gigabytes.
    for target in [macros, before, after] {
        std::fs::remove_dir_all(target).unwrap();
    }

    let check = |controllers| {
        kommodore.write(&[controllers]);
        cargo(&kommodore.folder, &folder("warm"), &["check"], false)
    };
    check(0);
    let [none, one, many] = rounds(|_| [0, 1, 1 + MORE].map(check));
    row(
        "`cargo check` of the project alone, without a controller",
        &none,
    );
    row("the same with one", &one);
    row(&format!("the same with {}", 1 + MORE), &many);
    let each = many.minus(&one);
    println!(
        "| **what each of these adds** | | {:.3} | {:.3} |\n",
        each.seconds / MORE as f64,
        each.cpu / MORE as f64
    );
}

pub(crate) fn row(what: &str, cost: &Cost) {
    println!(
        "| {what} | {} | {:.2} | {:.2} |",
        cost.crates, cost.seconds, cost.cpu
    );
}

/// The medians of what is measured in so many rounds.
pub(crate) fn rounds<const N: usize>(measure: impl FnMut(usize) -> [Cost; N]) -> [Cost; N] {
    let all: Vec<[Cost; N]> = (0..ROUNDS).map(measure).collect();
    std::array::from_fn(|place| {
        let median = |of: fn(&Cost) -> f64| {
            let mut values: Vec<f64> = all.iter().map(|costs| of(&costs[place])).collect();
            values.sort_by(f64::total_cmp);
            values[ROUNDS / 2]
        };
        Cost {
            seconds: median(|cost| cost.seconds),
            cpu: median(|cost| cost.cpu),
            ..all[0][place]
        }
    })
}
