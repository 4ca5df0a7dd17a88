//! What the bench asks the process of the server for, a line of JSON each, and how that answers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What is done to websites.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Change {
    /// They are created; each is done when it is Ready.
    Create,
    /// Their hosts are changed; each is done when it is Ready for that.
    Edit,
    /// Their pages are deleted; each is done when the page is there again.
    Drift,
    /// They are deleted; each is done when it is gone.
    Delete,
}

/// A question or a command.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Ask {
    /// Create the projects of these numbers, with the namespace of the websites, and wait until all are ready.
    Projects { from: usize, to: usize },
    /// Look at the websites and pages of the projects below this number from now on.
    Observe { projects: usize },
    /// Count requests and changes anew.
    Begin,
    /// Wait until the operator watches websites and pages in so many projects, for at most so many seconds.
    Engaged { projects: usize, limit: f64 },
    /// Wait until nobody has asked for anything for a while, for at most so many seconds.
    Settle { limit: f64 },
    /// Do it to the websites of these numbers, `rate` a second or as fast as the server can, and wait for at most so many
    /// seconds until all are done.
    Work {
        change: Change,
        sites: Sites,
        rate: Option<f64>,
        limit: f64,
    },
    /// Keep the first project busy with so many changes a second meanwhile, of so many websites.
    Hot {
        rate: f64,
        websites: usize,
        seconds: f64,
    },
    /// Wait until it is no longer kept busy, and say how many changes there were.
    Cool,
    /// Delete the websites that kept it busy.
    Clear { websites: usize },
    /// From now on the projects of these numbers accept requests and never answer, and no others.
    Silence { from: usize, to: usize },
    /// Every answer takes so many milliseconds.
    Latency { ms: u64 },
}

/// Websites, spread over projects: the one of number n is in the project `n % projects` of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Sites {
    pub(crate) from: usize,
    pub(crate) to: usize,
    /// The projects, from the first to before the last.
    pub(crate) projects: (usize, usize),
}

impl Sites {
    /// Each with its project and its number, which is a part of its name.
    pub(crate) fn all(&self) -> impl Iterator<Item = (usize, usize)> + use<> {
        let (first, end) = self.projects;
        (self.from..self.to).map(move |number| (first + number % (end - first), number))
    }

    pub(crate) fn count(&self) -> usize {
        self.to - self.from
    }
}

/// An answer.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Answer {
    /// How long it took.
    pub(crate) seconds: f64,
    /// From the acceptance of a change until it was done, of each, in milliseconds and sorted.
    pub(crate) latencies: Vec<f64>,
    /// How many changes kept the first project busy.
    pub(crate) made: usize,
    /// For how long nobody has asked for anything, in seconds.
    pub(crate) quiet: f64,
    /// How long an operator was busy, in seconds.
    #[serde(skip)]
    pub(crate) busy: f64,
    /// What was not done when the limit was reached.
    pub(crate) missing: usize,
    /// The changes of websites and pages since `Begin`, whoever made them.
    pub(crate) changes: usize,
    /// The operator's requests since then.
    pub(crate) requests: Requests,
}

/// The requests of an operator.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Requests {
    /// By verb.
    pub(crate) verbs: BTreeMap<String, usize>,
    /// Those that write.
    pub(crate) writes: usize,
    /// Those that read, watches among them.
    pub(crate) reads: usize,
    /// Those of the writes that were refused.
    pub(crate) refused: usize,
}

/// The name of a project.
pub(crate) fn project_name(number: usize) -> String {
    format!("p{number:05}")
}

/// The name of a website.
pub(crate) fn site_name(number: usize) -> String {
    format!("site-{number}")
}
