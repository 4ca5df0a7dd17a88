//! One contender, from the first phase to the last.

use std::time::{Duration, Instant};

use super::contender::Contender;
use super::report::Report;
use super::size::Size;
use super::talk::{Answer, Ask, Change, Requests};
use crate::process::{Other, PATIENCE};

/// Why a contender is given up.
pub(crate) type Result<T> = std::result::Result<T, String>;

/// How long an operator may take for an answer. The server waits for other things.
const OPERATOR: Duration = Duration::from_secs(60);

/// How often it is told how far a start is, in seconds.
const TELL: f64 = 10.0;

pub(crate) const KIB: f64 = 1024.0;
pub(crate) const MIB: f64 = 1024.0 * KIB;

pub(crate) struct Run<'a> {
    pub(crate) size: &'a Size,
    pub(crate) contender: &'a Contender,
    pub(crate) report: &'a mut Report,
    pub(crate) server: Other,
    pub(crate) kubeconfig: String,
    pub(crate) operator: Option<Other>,
    /// Of an operator that has only one project.
    pub(crate) alone: f64,
    /// Of one that has all, without objects.
    pub(crate) empty: f64,
}

/// What an operator has used in a phase.
pub(crate) struct Used {
    /// Until what was waited for was there.
    pub(crate) seconds: f64,
    /// In milliseconds, until all was quiet.
    pub(crate) cpu: f64,
    /// In bytes, at the end, and how much more that is than at the beginning.
    pub(crate) memory: f64,
    pub(crate) growth: f64,
    pub(crate) sockets: usize,
    pub(crate) reconciles: f64,
    pub(crate) requests: Requests,
    /// Of the changes that were made, if there were any.
    pub(crate) latencies: Vec<f64>,
    /// Of websites and pages, whoever made them.
    pub(crate) changes: usize,
    /// In seconds, from the start of an operator to the last that it asked for.
    pub(crate) busy: f64,
}

/// What an operator had used when a phase began.
pub(crate) struct Before {
    cpu: f64,
    memory: f64,
    reconciles: f64,
}

impl<'a> Run<'a> {
    pub(crate) fn start(size: &'a Size, contender: &'a Contender, report: &'a mut Report) -> Self {
        let mut server = Other::of_this(&["serve"]);
        let kubeconfig = server.line();
        Self {
            size,
            contender,
            report,
            server,
            kubeconfig,
            operator: None,
            alone: 0.0,
            empty: 0.0,
        }
    }

    pub(crate) fn all(mut self) -> Result<()> {
        self.alone()?;
        self.engage()?;
        self.idle()?;
        self.work("create", Change::Create, None)?;
        self.work("change", Change::Edit, Some(self.size.rate))?;
        self.work("drift", Change::Drift, Some(self.size.rate))?;
        self.restart()?;
        if self.size.is_whole {
            self.resync()?;
            self.hot()?;
        }
        self.work("delete", Change::Delete, None)?;
        if self.size.is_whole {
            self.latency()?;
            self.dead()?;
        }
        self.stop()?;
        let stopped = self.server.stop();
        stopped.map_err(|why| format!("the server {why}"))
    }

    pub(crate) fn progress(&self, what: &str) {
        println!("  {}: {what}", self.contender.name);
    }

    pub(crate) fn ask(&mut self, ask: Ask) -> Result<Answer> {
        let question = serde_json::to_string(&ask).unwrap();
        let answer = self.server.ask(&question, PATIENCE);
        serde_json::from_str(&answer).map_err(|error| format!("the server has ended: {error}"))
    }

    pub(crate) fn operator(&mut self) -> &mut Other {
        self.operator.as_mut().expect("it was started")
    }

    pub(crate) fn begin(&mut self, resync: Option<u64>) -> Result<()> {
        self.ask(Ask::Begin)?;
        self.operator = Some(self.contender.start(&self.kubeconfig, resync)?);
        Ok(())
    }

    pub(crate) fn stop(&mut self) -> Result<()> {
        self.operator.take().map_or(Ok(()), Other::stop)
    }

    /// Waits until all is engaged, and looks at the memory meanwhile.
    pub(crate) fn engaged(&mut self, projects: usize) -> Result<f64> {
        let began = Instant::now();
        let mut told = 0.0;
        loop {
            let answer = self.ask(Ask::Engaged {
                projects,
                limit: 2.0,
            })?;
            let seconds = began.elapsed().as_secs_f64();
            if answer.missing == 0 {
                return Ok(seconds);
            }
            let what = format!("{} watches are missing", answer.missing);
            if seconds > told + TELL {
                told = seconds;
                self.progress(&format!("after {seconds:.0} s {what}"));
            }
            self.check_limits(seconds, &what)?;
        }
    }

    pub(crate) fn check_limits(&mut self, seconds: f64, what: &str) -> Result<()> {
        if self.operator().has_ended() {
            return Err(format!("has ended by itself: {what}"));
        }
        let memory = self.operator().memory();
        if memory > self.size.memory_limit {
            return Err(format!(
                "takes {:.0} MiB after {seconds:.0} s: {what}",
                memory / MIB
            ));
        }
        if seconds > self.size.limit {
            return Err(format!(
                "after {seconds:.0} s {what}, at {:.0} MiB",
                memory / MIB
            ));
        }
        Ok(())
    }

    pub(crate) fn settle(&mut self) -> Result<Answer> {
        let limit = self.size.limit;
        let answer = self.ask(Ask::Settle { limit })?;
        match answer.missing {
            0 => Ok(answer),
            _ => Err(format!(
                "asks for something all the time, {limit:.0} s long"
            )),
        }
    }

    pub(crate) fn reconciles(&mut self) -> Result<f64> {
        let answer = self.operator().ask("reconciles", OPERATOR);
        let silent = |_| "does not say how much it has done: has it ended, or does it hang?";
        answer.parse().map_err(silent).map_err(str::to_owned)
    }

    /// How it stands before a phase.
    pub(crate) fn before(&mut self) -> Result<Before> {
        self.ask(Ask::Begin)?;
        Ok(Before {
            cpu: self.operator().cpu(),
            memory: self.operator().memory(),
            reconciles: self.reconciles()?,
        })
    }

    /// What was used since then, and what has happened, as the server says.
    pub(crate) fn since(&mut self, before: &Before, answer: Answer) -> Result<Used> {
        let reconciles = self.reconciles()? - before.reconciles;
        let memory = self.operator().memory();
        Ok(Used {
            seconds: answer.seconds,
            cpu: self.operator().cpu() - before.cpu,
            memory,
            growth: memory - before.memory,
            sockets: self.operator().sockets(),
            reconciles,
            requests: answer.requests,
            latencies: answer.latencies,
            changes: answer.changes,
            busy: answer.busy,
        })
    }

    /// Does something, and says what the operator used for it until all was quiet.
    pub(crate) fn measure(
        &mut self,
        what: impl FnOnce(&mut Self) -> Result<Answer>,
    ) -> Result<Used> {
        let before = self.before()?;
        let answer = what(self)?;
        if answer.missing > 0 {
            return Err(format!("{} were not done in time", answer.missing));
        }
        let settled = self.settle()?;
        let (seconds, latencies) = (answer.seconds, answer.latencies);
        let answer = Answer {
            seconds,
            latencies,
            ..settled
        };
        self.since(&before, answer)
    }

    /// Starts the operator, and says what it used until so many projects were engaged and all was quiet. Its memory is
    /// compared to that of one that has a single project.
    pub(crate) fn measure_start(&mut self, projects: usize) -> Result<Used> {
        self.begin(None)?;
        let before = Before {
            cpu: 0.0,
            memory: self.alone,
            reconciles: 0.0,
        };
        let began = Instant::now();
        let seconds = self.engaged(projects)?;
        let answer = self.settle()?;
        let busy = began.elapsed().as_secs_f64() - answer.quiet;
        let answer = Answer {
            seconds,
            busy,
            ..answer
        };
        self.since(&before, answer)
    }
}
