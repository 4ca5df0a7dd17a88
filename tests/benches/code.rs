//! How much code a controller adds to a project: lines of LLVM IR, as cargo-llvm-lines counts them.

use std::collections::BTreeMap;

use crate::project::{Project, cargo, folder};

/// How many of the largest functions are shown.
const TOP: usize = 10;

/// Whose code a function is, by how its name begins; what is in no row comes last.
const OWNERS: [(&str, &[&str]); 6] = [
    ("drop glue", &["core::ptr::drop_in_place<"]),
    ("the project", &["website::"]),
    ("Kommodore", &["kommodore::"]),
    ("kube", &["kube_", "k8s_openapi::"]),
    ("serde", &["serde"]),
    ("std", &["core::", "alloc::", "std::"]),
];
/// What `#[controller]` and `ConditionType` expand to stands in a constant without a name.
const EXPANDED: &str = "::_::<impl kommodore::";

/// The lines of each function.
type Lines = BTreeMap<String, i64>;

pub(crate) fn measure() {
    let project = Project::with_kommodore();
    let [none, one, two, other_kind, other_controller] =
        [&[0][..], &[1], &[2], &[1, 0], &[1, 1]].map(|kinds| lines(&project, kinds));
    let measured = [
        ("the project with kube and a kind", none.clone()),
        ("what a first controller adds", added(&one, &none)),
        ("what a second one of the same kind adds", added(&two, &one)),
        (
            "what a second one of another kind adds",
            added(&other_controller, &other_kind),
        ),
    ];
    let owners = OWNERS.map(|(owner, _)| owner).join(" | ");
    println!("| Lines of LLVM IR | in all | expanded | {owners} | others |");
    println!("|---|--:|--:{}|--:|", "|--:".repeat(OWNERS.len()));
    for (what, lines) in &measured {
        let mut sums = [0; OWNERS.len() + 2];
        for (function, count) in lines {
            sums[owner(function)] += count;
        }
        let sums = sums.map(|sum| sum.to_string()).join(" | ");
        println!("| {what} | {} | {sums} |", lines.values().sum::<i64>());
    }
    for (what, lines) in &measured[1..] {
        let mut top: Vec<_> = lines.iter().collect();
        top.sort_by_key(|(_, count)| -**count);
        println!("\n| Of {what} | lines |\n|---|--:|");
        for (function, count) in top.iter().take(TOP) {
            println!("| `{function}` | {count} |");
        }
    }
}

/// The place in the table.
fn owner(function: &str) -> usize {
    if function.contains(EXPANDED) {
        return 0;
    }
    // A method belongs to the type that it is of.
    let path = function
        .trim_start_matches(['<', '&', '['])
        .trim_start_matches("mut ");
    let is = |mark: &&str| path.starts_with(*mark);
    let owner = OWNERS.iter().position(|(_, marks)| marks.iter().any(is));
    1 + owner.unwrap_or(OWNERS.len())
}

fn added(after: &Lines, before: &Lines) -> Lines {
    let mut added = after.clone();
    for (function, count) in before {
        *added.entry(function.clone()).or_default() -= count;
    }
    added
}

/// All that the compiler makes in the project's own crate, without optimization.
fn lines(project: &Project, kinds: &[usize]) -> Lines {
    project.write(kinds);
    let file = project.folder.join("code.ll");
    let emit = format!("--emit=llvm-ir={}", file.display());
    let flags = [
        "-Ccodegen-units=1",
        "-Cdebuginfo=0",
        "-Cno-prepopulate-passes",
    ];
    let rustc = [&["rustc", "--", &emit], &flags[..]].concat();
    cargo(&project.folder, &folder("warm"), &rustc, false);
    let code = std::fs::read_to_string(file).unwrap();
    let (mut lines, mut function) = (Lines::new(), None);
    let mut name = "";
    for line in code.lines() {
        match (function, line.strip_prefix("; ")) {
            (None, Some(comment)) if !comment.starts_with("Function Attrs:") => name = comment,
            (None, _) if line.starts_with("define ") => function = Some(name),
            (Some(_), _) if line == "}" => function = None,
            (Some(name), _) if line.starts_with("  ") && !line.starts_with("   ") => {
                *lines.entry(name.to_owned()).or_default() += 1;
            }
            _ => {}
        }
    }
    lines
}
