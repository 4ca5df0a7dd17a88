//! The phases, the same for every contender.

use std::time::{Duration, Instant};

use super::report::{Per, quantile};
use super::run::{KIB, Result, Run};
use super::talk::{Answer, Ask, Change, Sites};

/// The websites of the quiet project beside the hot one.
const QUIET: usize = 1_000_000;
/// How many are hot.
const HOT: usize = 200;
/// Those of the phases with trouble.
const TROUBLED: usize = 2_000_000;

impl Run<'_> {
    /// The memory of an operator with one project.
    pub(crate) fn alone(&mut self) -> Result<()> {
        self.ask(Ask::Projects { from: 0, to: 1 })?;
        self.begin(None)?;
        self.engaged(1)?;
        self.settle()?;
        self.alone = self.operator().memory();
        self.stop()?;
        let to = self.size.projects;
        self.progress(&format!("{to} projects are created"));
        self.ask(Ask::Projects { from: 1, to })?;
        let projects = self.size.observed;
        self.ask(Ask::Observe { projects })?;
        Ok(())
    }

    pub(crate) fn engage(&mut self) -> Result<()> {
        let projects = self.size.projects;
        let used = self.measure_start(projects)?;
        self.progress(&format!("engaged in {:.2} s", used.seconds));
        self.report.begin("engage");
        self.report.used(&used, Per::Project(projects));
        Ok(())
    }

    pub(crate) fn idle(&mut self) -> Result<()> {
        let (seconds, projects) = (self.size.idle, self.size.projects);
        let before = self.before()?;
        std::thread::sleep(Duration::from_secs_f64(seconds));
        let answer = self.ask(Ask::Settle { limit: 0.0 })?;
        let used = self.since(&before, Answer { seconds, ..answer })?;
        self.empty = used.memory;
        self.report.begin("idle");
        let each = (used.memory - self.alone) / (projects - 1) as f64 / KIB;
        self.report.add("memory a project", "KiB", each);
        self.report.add("CPU a second", "ms", used.cpu / seconds);
        self.report.used(&used, Per::Phase);
        Ok(())
    }

    fn sites(&self) -> Sites {
        Sites {
            from: 0,
            to: self.size.objects,
            projects: (0, self.size.observed),
        }
    }

    pub(crate) fn work(&mut self, name: &str, change: Change, rate: Option<f64>) -> Result<()> {
        let (sites, limit) = (self.sites(), self.size.limit);
        let count = sites.count();
        let used = self.measure(|run| {
            run.ask(Ask::Work {
                change,
                sites,
                rate,
                limit,
            })
        })?;
        self.progress(&format!("{name}: {count} in {:.2} s", used.seconds));
        self.report.begin(name);
        self.report.used(&used, Per::Object(count));
        let writes = match change {
            Change::Create => 3,
            Change::Edit => 2,
            Change::Drift | Change::Delete => 1,
        };
        self.report.check("reconciles", used.reconciles, count);
        let made = used.requests.writes as f64;
        self.report.check("writes", made, writes * count);
        Ok(())
    }

    /// Restarts the operator on a fleet that is as it should be.
    pub(crate) fn restart(&mut self) -> Result<()> {
        self.stop()?;
        let (projects, count) = (self.size.projects, self.size.objects);
        let mut used = self.measure_start(projects)?;
        used.growth = used.memory - self.empty;
        self.progress(&format!("restarted in {:.2} s", used.seconds));
        self.report.begin("restart");
        self.report.used(&used, Per::Object(count));
        let changes = used.changes as f64;
        self.report.add("changes", "", changes);
        self.report.check("changes", changes, 0);
        Ok(())
    }

    /// Looks at every object again, as it would do now and then.
    pub(crate) fn resync(&mut self) -> Result<()> {
        self.stop()?;
        let (period, count) = (self.size.resync, self.size.objects);
        self.begin(Some(period))?;
        let projects = self.size.projects;
        self.engaged(projects)?;
        // The first round is that of the start. Who took longer for that than a round has no pause between the two.
        let began = Instant::now();
        let (mut last, mut since) = (-1.0, Instant::now());
        let pauses = |since: Instant| {
            since.elapsed() >= Duration::from_secs(1) || began.elapsed().as_secs() >= period
        };
        while last < count as f64 || !pauses(since) {
            std::thread::sleep(Duration::from_millis(100));
            let reconciles = self.reconciles()?;
            if reconciles != last {
                (last, since) = (reconciles, Instant::now());
            }
            self.check_limits(began.elapsed().as_secs_f64(), "the first round is not over")?;
        }
        let before = self.before()?;
        std::thread::sleep(Duration::from_secs(period));
        let answer = self.ask(Ask::Settle { limit: 0.0 })?;
        let seconds = period as f64;
        let used = self.since(&before, Answer { seconds, ..answer })?;
        self.progress(&format!("resync: {} reconciles", used.reconciles));
        self.report.begin("resync");
        self.report.used(&used, Per::Object(count));
        self.report.check("changes", used.changes as f64, 0);
        self.stop()?;
        self.begin(None)?;
        self.engaged(projects)?;
        self.settle()?;
        Ok(())
    }

    /// One project is hot; a quiet one beside it is looked at.
    pub(crate) fn hot(&mut self) -> Result<()> {
        let (seconds, rate) = (self.size.hot, 20.0);
        let sites = Sites {
            from: QUIET,
            to: QUIET + (rate * seconds) as usize,
            projects: (1, 2),
        };
        let limit = self.size.limit;
        let work = |change, rate| Ask::Work {
            change,
            sites: sites.clone(),
            rate,
            limit,
        };
        self.ask(work(Change::Create, None))?;
        self.settle()?;
        let mut heat = Answer::default();
        let used = self.measure(|run| {
            run.ask(Ask::Hot {
                rate: 1_000.0,
                websites: HOT,
                seconds,
            })?;
            let answer = run.ask(work(Change::Edit, Some(rate)))?;
            heat = run.ask(Ask::Cool)?;
            Ok(answer)
        })?;
        self.report.begin("quiet beside hot");
        self.report.used(&used, Per::Phase);
        let hot = heat.made as f64 / heat.seconds;
        self.report.add("hot changes a second", "", hot);
        self.report
            .add("quiet changes", "", used.latencies.len() as f64);
        let p99 = quantile(&used.latencies, 0.99);
        self.progress(&format!("beside a hot project: p99 {p99:.1} ms"));
        self.ask(work(Change::Delete, None))?;
        // A slow machine may not have come to all of them.
        let websites = heat.made.min(HOT);
        self.ask(Ask::Clear { websites })?;
        self.settle()?;
        Ok(())
    }

    /// Every answer takes 20 ms.
    pub(crate) fn latency(&mut self) -> Result<()> {
        self.stop()?;
        self.ask(Ask::Latency { ms: 20 })?;
        self.troubled(self.size.projects, "20 ms of latency", 0)?;
        self.ask(Ask::Latency { ms: 0 })?;
        Ok(())
    }

    /// A tenth of the projects never answers.
    pub(crate) fn dead(&mut self) -> Result<()> {
        self.stop()?;
        let projects = self.size.projects;
        let alive = projects - projects / 10;
        self.ask(Ask::Silence {
            from: alive,
            to: projects,
        })?;
        self.troubled(alive, "a tenth dead", 1)?;
        self.ask(Ask::Silence { from: 0, to: 0 })?;
        Ok(())
    }

    /// Starts the operator, of which so many projects can be engaged, and creates websites in the first of them, a
    /// tenth of all.
    fn troubled(&mut self, projects: usize, trouble: &str, turn: usize) -> Result<()> {
        let used = self.measure_start(projects)?;
        self.progress(&format!("{trouble}: engaged in {:.2} s", used.seconds));
        self.report.begin(&format!("engage, {trouble}"));
        self.report.used(&used, Per::Project(projects));
        let count = self.size.objects / 10;
        let from = TROUBLED + turn * count;
        let sites = Sites {
            from,
            to: from + count,
            projects: (0, projects.min(self.size.observed)),
        };
        let (rate, limit) = (Some(self.size.rate), self.size.limit);
        let of_it = sites.clone();
        let used = self.measure(|run| {
            run.ask(Ask::Work {
                change: Change::Create,
                sites,
                rate,
                limit,
            })
        })?;
        self.report.begin(&format!("create, {trouble}"));
        self.report.used(&used, Per::Object(count));
        // The next start finds none of them.
        self.measure(|run| {
            run.ask(Ask::Work {
                change: Change::Delete,
                sites: of_it,
                rate: None,
                limit,
            })
        })?;
        Ok(())
    }
}
