//! What was measured, of all contenders.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::{Command, ExitCode};

use serde::Serialize;

use super::contender::folder;
use super::run::{KIB, MIB, Used};
use super::size::Size;
use super::svg;
use super::talk::Requests;
use crate::machine::machine;

/// Ours.
pub(crate) const OURS: &str = "kommodore";

#[derive(Serialize)]
pub(crate) struct Report {
    machine: String,
    optimized: bool,
    commit: String,
    size: &'static str,
    projects: usize,
    objects: usize,
    #[serde(skip)]
    contender: &'static str,
    pub(crate) contenders: Vec<&'static str>,
    #[serde(skip)]
    phase: String,
    pub(crate) rows: Vec<Row>,
    /// By contender and phase.
    requests: BTreeMap<String, BTreeMap<String, Requests>>,
    /// Those that were given up: who, in which phase, and why.
    failures: Vec<(String, String, String)>,
    /// What is not as it has to be.
    mistakes: Vec<String>,
}

/// One thing that was measured. Less is better.
#[derive(Serialize)]
pub(crate) struct Row {
    pub(crate) phase: String,
    pub(crate) what: String,
    pub(crate) unit: &'static str,
    pub(crate) values: BTreeMap<&'static str, f64>,
}

/// What is asked of a row: ours is to be at most so many times the best of these others.
struct Goal {
    phase: &'static str,
    what: &'static str,
    factor: f64,
    others: &'static [&'static str],
}

const OTHERS: &[&str] = &["kube-rs", "go"];
const GOALS: &[Goal] = &[
    goal("idle", "memory a project", 1.0 / 12.0, OTHERS),
    goal("create", "CPU of each", 1.0 / 3.0, OTHERS),
    goal("engage, 20 ms of latency", "wall time", 1.0 / 10.0, &["go"]),
    goal("quiet beside hot", "latency, p99", 1.0 / 5.0, OTHERS),
    goal("create", "writes of each", 1.0, OTHERS),
    goal("change", "writes of each", 1.0, OTHERS),
    goal("drift", "writes of each", 1.0, OTHERS),
    goal("restart", "writes of each", 1.0, OTHERS),
    goal("delete", "writes of each", 1.0, OTHERS),
];

const fn goal(
    phase: &'static str,
    what: &'static str,
    factor: f64,
    others: &'static [&'static str],
) -> Goal {
    Goal {
        phase,
        what,
        factor,
        others,
    }
}

/// What operators ask with.
const VERBS: [&str; 7] = [
    "get", "list", "watch", "create", "update", "patch", "delete",
];

/// What the figures of a phase are told for one of.
#[derive(Clone, Copy)]
pub(crate) enum Per {
    Project(usize),
    Object(usize),
    /// Of nothing: they are those of the whole phase.
    Phase,
}

impl Report {
    pub(crate) fn new(size: &Size) -> Self {
        let git = Command::new("git")
            .args(["describe", "--always", "--abbrev=7", "--dirty"])
            .output();
        let commit = git.map(|it| String::from_utf8_lossy(&it.stdout).trim().to_owned());
        Self {
            machine: machine(),
            optimized: !cfg!(debug_assertions),
            commit: commit.unwrap_or_default(),
            size: size.name,
            projects: size.projects,
            objects: size.objects,
            contender: "",
            contenders: Vec::new(),
            phase: String::new(),
            rows: Vec::new(),
            requests: BTreeMap::new(),
            failures: Vec::new(),
            mistakes: Vec::new(),
        }
    }

    pub(crate) fn heading(&self) -> String {
        format!(
            "{} projects, {} objects; commit {}; {}{}",
            self.projects,
            self.objects,
            self.commit,
            self.machine,
            match self.optimized {
                true => "",
                false => "; WITHOUT OPTIMIZATION",
            },
        )
    }

    /// From now on it is about this one.
    pub(crate) fn of(&mut self, contender: &'static str) {
        self.contender = contender;
        self.contenders.push(contender);
        self.phase = "start".to_owned();
    }

    pub(crate) fn begin(&mut self, phase: &str) {
        self.phase = phase.to_owned();
    }

    pub(crate) fn add(&mut self, what: &str, unit: &'static str, value: f64) {
        let place = self
            .rows
            .iter()
            .position(|row| row.phase == self.phase && row.what == what);
        let place = place.unwrap_or_else(|| {
            self.rows.push(Row {
                phase: self.phase.clone(),
                what: what.to_owned(),
                unit,
                values: BTreeMap::new(),
            });
            self.rows.len() - 1
        });
        self.rows[place].values.insert(self.contender, value);
    }

    /// All that the operator used in the phase.
    pub(crate) fn used(&mut self, used: &Used, per: Per) {
        let (suffix, count) = match per {
            Per::Project(count) => (" a project", count),
            Per::Object(count) => (" of each", count),
            Per::Phase => ("", 1),
        };
        let each = |what: &str| format!("{what}{suffix}");
        let count = count as f64;
        let requests = &used.requests;
        self.add("wall time", "s", used.seconds);
        if used.busy > 0.0 {
            self.add("until its last request", "s", used.busy);
        }
        self.add(&each("CPU"), "ms", used.cpu / count);
        self.add("memory", "MiB", used.memory / MIB);
        let growth = used.growth / count / KIB;
        self.add(&each("memory growth"), "KiB", growth);
        self.add("sockets", "", used.sockets as f64);
        self.add(&each("reconciles"), "", used.reconciles / count);
        self.add(&each("writes"), "", requests.writes as f64 / count);
        let refused = requests.refused as f64 / count;
        self.add(&each("refused writes"), "", refused);
        for verb in VERBS {
            let asked = requests.verbs.get(verb).copied().unwrap_or_default();
            self.add(&each(&format!("{verb} requests")), "", asked as f64 / count);
        }
        if !used.latencies.is_empty() {
            self.add("latency, p50", "ms", quantile(&used.latencies, 0.5));
            self.add("latency, p99", "ms", quantile(&used.latencies, 0.99));
        }
        let phases = self.requests.entry(self.contender.to_owned()).or_default();
        phases.insert(self.phase.clone(), requests.clone());
    }

    /// The contender is given up.
    pub(crate) fn failed(&mut self, why: String) {
        println!("  {}: given up after {}: {why}", self.contender, self.phase);
        let failure = (self.contender.to_owned(), self.phase.clone(), why);
        self.failures.push(failure);
    }

    /// Ours is to need exactly so much, and no more, on every machine.
    pub(crate) fn check(&mut self, what: &str, is: f64, wanted: usize) {
        if self.contender == OURS && is != wanted as f64 {
            let phase = &self.phase;
            self.mistakes
                .push(format!("{phase}: {is} {what} and not {wanted}"));
        }
    }

    /// Shows and writes all.
    pub(crate) fn finish(&self) -> ExitCode {
        println!("\n{}\n\n{}", self.heading(), self.table());
        println!("{}", self.goals());
        for (contender, phase, why) in &self.failures {
            println!("{contender} was given up after `{phase}`: {why}");
        }
        let (size, projects) = (self.size, self.projects);
        let name = match size {
            "large" => format!("{size}-{projects}"),
            _ => size.to_owned(),
        };
        let file = |ending: &str| folder().join(format!("{name}.{ending}"));
        std::fs::write(file("json"), serde_json::to_string_pretty(self).unwrap()).unwrap();
        std::fs::write(file("svg"), svg::chart(self)).unwrap();
        println!("{}\n{}", file("json").display(), file("svg").display());
        for mistake in &self.mistakes {
            eprintln!("not as it has to be: {mistake}");
        }
        let ours_failed = self
            .failures
            .iter()
            .any(|(contender, ..)| contender == OURS);
        match self.mistakes.is_empty() && !ours_failed {
            true => ExitCode::SUCCESS,
            false => ExitCode::FAILURE,
        }
    }

    /// Ratios first.
    fn table(&self) -> String {
        let others: Vec<&str> = self
            .contenders
            .iter()
            .copied()
            .filter(|it| *it != OURS)
            .collect();
        let has_ours = self.contenders.contains(&OURS);
        let ratios = if has_ours { others.as_slice() } else { &[] };
        let mut table = "| phase | |".to_owned();
        for other in ratios {
            let _ = write!(table, " {other} / ours |");
        }
        for contender in &self.contenders {
            let _ = write!(table, " {contender} |");
        }
        table.push_str("\n|---|---|");
        table.push_str(&"--:|".repeat(ratios.len() + self.contenders.len()));
        let mut phase = "";
        let says_something = |row: &&Row| row.values.values().any(|value| *value != 0.0);
        for row in self.rows.iter().filter(says_something) {
            let name = if row.phase == phase { "" } else { &row.phase };
            phase = &row.phase;
            let _ = write!(table, "\n| {name} | {} |", row.what);
            for other in ratios {
                let ratio = row.values.get(other).zip(row.values.get(OURS));
                let ratio = ratio.filter(|(_, ours)| **ours > 0.0);
                let text = ratio.map_or("-".to_owned(), |(other, ours)| number(other / ours));
                let _ = write!(table, " {text} |");
            }
            for contender in &self.contenders {
                let text = row.values.get(contender).map(|value| number(*value));
                let unit = if text.is_some() { row.unit } else { "" };
                let text = format!("{} {unit}", text.unwrap_or("-".to_owned()));
                let _ = write!(table, " {} |", text.trim_end());
            }
        }
        table
    }

    /// Which goals are met, where all were measured that they are about.
    fn goals(&self) -> String {
        let mut text = String::new();
        for goal in GOALS {
            let row = |row: &&Row| row.phase == goal.phase && row.what == goal.what;
            let Some(row) = self.rows.iter().find(row) else {
                continue;
            };
            let others = goal.others.iter().filter_map(|name| row.values.get(name));
            let missing: Vec<&str> = goal
                .others
                .iter()
                .copied()
                .filter(|name| !row.values.contains_key(name))
                .collect();
            let Some(best) = others.copied().reduce(f64::min) else {
                continue;
            };
            let Some(ours) = row.values.get(OURS) else {
                continue;
            };
            let word = if *ours <= best * goal.factor {
                "met"
            } else {
                "MISSED"
            };
            let without = match missing.is_empty() {
                true => String::new(),
                false => format!(", without {}", missing.join(" and ")),
            };
            let (limit, unit) = (number(best * goal.factor), row.unit);
            let _ = writeln!(
                text,
                "goal {word}: {}, {}: {} {unit}, at most {limit} {unit}{without}",
                goal.phase,
                goal.what,
                number(*ours)
            );
        }
        text
    }
}

/// Of sorted values.
pub(crate) fn quantile(sorted: &[f64], part: f64) -> f64 {
    let place = (sorted.len().saturating_sub(1) as f64 * part).round() as usize;
    sorted.get(place).copied().unwrap_or(f64::NAN)
}

/// With as many digits as say something.
pub(crate) fn number(value: f64) -> String {
    match value.abs() {
        _ if value.fract() == 0.0 => format!("{value:.0}"),
        large if large >= 100.0 => format!("{value:.0}"),
        middle if middle >= 10.0 => format!("{value:.1}"),
        small if small >= 0.01 => format!("{value:.2}"),
        _ => format!("{value:.4}"),
    }
}
