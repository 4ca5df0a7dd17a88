//! The phases, the same for every contender.

use std::time::{Duration, Instant};

use super::run::{MIB, Result, Run, Used};
use super::talk::{Answer, Ask, Change, Sites};

/// The websites of the quiet project beside the hot one.
const QUIET: usize = 1_000_000;
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
        self.stop();
        let to = self.size.projects;
        self.progress(&format!("{to} projects are created"));
        self.ask(Ask::Projects { from: 1, to })?;
        let projects = self.size.observed;
        self.ask(Ask::Observe { projects })?;
        Ok(())
    }

    pub(crate) fn engage(&mut self) -> Result<()> {
        self.begin(None)?;
        let projects = self.size.projects;
        let seconds = self.engaged(projects)?;
        let settled = self.settle()?;
        let cpu = self.operator().cpu();
        let sockets = self.operator().sockets() as f64;
        self.progress(&format!("engaged in {seconds:.2} s"));
        let each = 1.0 / projects as f64;
        let requests = (settled.requests.reads + settled.requests.writes) as f64;
        self.report.begin("engage");
        self.report.add("wall time", "s", seconds);
        self.report.add("CPU a project", "ms", cpu * each);
        self.report.add("requests a project", "", requests * each);
        self.report.add("sockets", "", sockets);
        Ok(())
    }

    pub(crate) fn idle(&mut self) -> Result<()> {
        let seconds = self.size.idle;
        let used = self.measure(|_| {
            std::thread::sleep(Duration::from_secs_f64(seconds));
            Ok(Answer::default())
        })?;
        self.empty = self.operator().memory();
        let each = (self.empty - self.alone) / (self.size.projects - 1) as f64 / 1024.0;
        let requests = used.requests.reads + used.requests.writes;
        self.report.begin("idle");
        self.report.add("memory", "MiB", self.empty / MIB);
        self.report.add("memory a project", "KiB", each);
        self.report.add("CPU a second", "ms", used.cpu / seconds);
        self.report.add("requests", "", requests as f64);
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
        if rate.is_none() {
            self.report.add("wall time", "s", used.seconds);
        }
        self.add_used(&used, count);
        self.add_latencies(&used.latencies);
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

    fn add_used(&mut self, used: &Used, count: usize) {
        let each = 1.0 / count as f64;
        let requests = &used.requests;
        self.report.add("CPU of each", "ms", used.cpu * each);
        self.report
            .add("reconciles of each", "", used.reconciles * each);
        self.report
            .add("writes of each", "", requests.writes as f64 * each);
        self.report
            .add("refused writes of each", "", requests.refused as f64 * each);
        self.report
            .add("reads of each", "", requests.reads as f64 * each);
        self.report.requests(requests);
    }

    fn add_latencies(&mut self, latencies: &[f64]) {
        self.report
            .add("latency, p50", "ms", quantile(latencies, 0.5));
        self.report
            .add("latency, p99", "ms", quantile(latencies, 0.99));
    }

    /// Restarts the operator on a fleet that is as it should be.
    pub(crate) fn restart(&mut self) -> Result<()> {
        self.stop();
        self.begin(None)?;
        let projects = self.size.projects;
        let seconds = self.engaged(projects)?;
        let settled = self.settle()?;
        let (cpu, reconciles) = (self.operator().cpu(), self.reconciles());
        let memory = self.operator().memory();
        self.progress(&format!("restarted in {seconds:.2} s"));
        let count = self.size.objects;
        self.report.begin("restart");
        self.report.add("wall time until engaged", "s", seconds);
        self.report.add("CPU", "ms", cpu);
        self.report
            .add("reconciles of each", "", reconciles / count as f64);
        self.report
            .add("writes", "", settled.requests.writes as f64);
        self.report.add("memory", "MiB", memory / MIB);
        let each = (memory - self.empty) / count as f64 / 1024.0;
        self.report.add("memory an object", "KiB", each);
        self.report.requests(&settled.requests);
        let changes = settled.changes as f64;
        self.report.add("changes", "", changes);
        self.report.check("changes", changes, 0);
        Ok(())
    }

    /// Looks at every object again, as it would do now and then.
    pub(crate) fn resync(&mut self) -> Result<()> {
        self.stop();
        let (period, count) = (self.size.resync, self.size.objects);
        self.begin(Some(period))?;
        let projects = self.size.projects;
        self.engaged(projects)?;
        // The first round is that of the start.
        let began = Instant::now();
        let (mut before, mut since) = (-1.0, Instant::now());
        while before < count as f64 || since.elapsed() < Duration::from_secs(1) {
            std::thread::sleep(Duration::from_millis(100));
            let reconciles = self.reconciles();
            if reconciles != before {
                (before, since) = (reconciles, Instant::now());
            }
            self.check_limits(began.elapsed().as_secs_f64(), "the first round is not over")?;
        }
        self.ask(Ask::Begin)?;
        let (cpu, reconciles) = (self.operator().cpu(), self.reconciles());
        std::thread::sleep(Duration::from_secs(period));
        let answer = self.ask(Ask::Settle { limit: 0.0 })?;
        let used = Used {
            seconds: period as f64,
            cpu: self.operator().cpu() - cpu,
            reconciles: self.reconciles() - reconciles,
            requests: answer.requests,
            latencies: Vec::new(),
        };
        let changes = answer.changes as f64;
        self.progress(&format!("resync: {} reconciles", used.reconciles));
        self.report.begin("resync");
        self.add_used(&used, count);
        self.report.check("changes", changes, 0);
        self.stop();
        self.begin(None)?;
        self.engaged(projects)?;
        self.settle()?;
        Ok(())
    }

    /// One project is hot; a quiet one beside it is looked at.
    pub(crate) fn hot(&mut self) -> Result<()> {
        let (seconds, rate) = (self.size.hot, 10.0);
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
        let used = self.measure(|run| {
            run.ask(Ask::Hot {
                rate: 1_000.0,
                websites: 200,
                seconds,
            })?;
            let answer = run.ask(work(Change::Edit, Some(rate)))?;
            run.ask(Ask::Cool)?;
            Ok(answer)
        })?;
        self.report.begin("quiet beside hot");
        self.add_latencies(&used.latencies);
        self.report.add("CPU", "ms", used.cpu);
        self.report.add("writes", "", used.requests.writes as f64);
        let p99 = quantile(&used.latencies, 0.99);
        self.progress(&format!("beside a hot project: p99 {p99:.1} ms"));
        self.ask(work(Change::Delete, None))?;
        self.settle()?;
        Ok(())
    }

    /// A tenth of the projects never answers.
    pub(crate) fn dead(&mut self) -> Result<()> {
        self.stop();
        let projects = self.size.projects;
        let alive = projects - projects / 10;
        self.ask(Ask::Silence {
            from: alive,
            to: projects,
        })?;
        self.begin(None)?;
        let seconds = self.engaged(alive)?;
        let latencies = self.troubled(alive, 0)?;
        self.progress(&format!("a tenth is dead: engaged in {seconds:.2} s"));
        self.report.begin("a tenth is dead");
        self.report
            .add("wall time until the others are engaged", "s", seconds);
        self.add_latencies(&latencies);
        self.stop();
        self.ask(Ask::Silence { from: 0, to: 0 })?;
        Ok(())
    }

    /// Every answer takes 20 ms.
    pub(crate) fn latency(&mut self) -> Result<()> {
        self.ask(Ask::Latency { ms: 20 })?;
        self.begin(None)?;
        let projects = self.size.projects;
        let seconds = self.engaged(projects)?;
        self.settle()?;
        let latencies = self.troubled(projects, 1)?;
        self.progress(&format!("20 ms of latency: engaged in {seconds:.2} s"));
        self.report.begin("20 ms of latency");
        self.report.add("wall time until engaged", "s", seconds);
        self.add_latencies(&latencies);
        self.ask(Ask::Latency { ms: 0 })?;
        Ok(())
    }

    /// Creates websites in the first projects, a tenth of all.
    fn troubled(&mut self, projects: usize, turn: usize) -> Result<Vec<f64>> {
        let count = self.size.objects / 10;
        let from = TROUBLED + turn * count;
        let sites = Sites {
            from,
            to: from + count,
            projects: (0, projects.min(self.size.observed)),
        };
        let answer = self.ask(Ask::Work {
            change: Change::Create,
            sites,
            rate: Some(self.size.rate),
            limit: self.size.limit,
        })?;
        match answer.missing {
            0 => Ok(answer.latencies),
            missing => Err(format!("{missing} were not done in time")),
        }
    }
}

/// Of sorted values.
fn quantile(sorted: &[f64], part: f64) -> f64 {
    let place = (sorted.len().saturating_sub(1) as f64 * part).round() as usize;
    sorted.get(place).copied().unwrap_or(f64::NAN)
}
