//! What is going wrong now.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::fault::{Fault, Staleness, What};
use super::paths::ResourcePath;
use super::record::Verb;
use crate::signal::{Ear, Signal};

/// A fault that is happening. It ends when this is dropped.
#[must_use = "the fault ends when this is dropped"]
#[derive(Debug)]
pub struct Injected {
    faults: Faults,
    id: u64,
}

impl Injected {
    /// How often it has happened.
    pub fn hits(&self) -> usize {
        let state = self.faults.lock();
        let active = state.active.iter().find(|active| active.id == self.id);
        active.map_or(0, |active| active.hits)
    }
}

impl Drop for Injected {
    fn drop(&mut self) {
        self.faults.end(self.id);
    }
}

/// A request, as far as a fault needs to know it.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) project: Option<String>,
    pub(super) verb: Verb,
    pub(super) resource: Option<ResourcePath>,
    /// That of a new object, too.
    pub(super) name: Option<String>,
}

/// What goes wrong in the answer itself, and so is told to who answers, in the extensions of the request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Distortion {
    pub(crate) stale: Option<Staleness>,
    pub(crate) initializing: Vec<Initializing>,
}

/// A storage that is to be set up at the first read.
#[derive(Clone, Debug)]
pub(crate) struct Initializing {
    pub(crate) id: u64,
    faults: Faults,
}

impl Initializing {
    /// That it happened, unless it has happened often enough.
    pub(crate) fn happens(&self) -> bool {
        let mut state = self.faults.lock();
        let mut active = state.active.iter_mut();
        let ours = active.find(|active| active.id == self.id && active.fault.times != Some(0));
        ours.map(Active::happens).is_some()
    }
}

/// The faults of a server. Clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Faults {
    state: Arc<Mutex<State>>,
    /// For streams that are open.
    changes: Signal,
}

#[derive(Debug, Default)]
struct State {
    /// Numbers faults and cuts.
    next: u64,
    active: Vec<Active>,
    /// The partitions that are to be ended by the name of their control plane.
    silences: BTreeMap<Option<String>, u64>,
    /// When the watches of a control plane were cut last.
    cuts: BTreeMap<Option<String>, u64>,
    /// Whoever asks is refused, whatever else goes wrong.
    is_shut: bool,
    /// How often that began.
    shuts: u64,
}

impl State {
    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }
}

#[derive(Debug)]
struct Active {
    id: u64,
    fault: Fault,
    hits: usize,
}

impl Active {
    fn happens(&mut self) -> What {
        self.hits += 1;
        if let Some(times) = &mut self.fault.times {
            *times = times.saturating_sub(1);
        }
        self.fault.what.clone()
    }
}

impl Faults {
    pub(crate) fn inject(&self, fault: Fault) -> Injected {
        let id = self.begin(fault);
        Injected {
            faults: self.clone(),
            id,
        }
    }

    /// Separates a control plane, the root or a project, until it is [joined](Self::unsilence) again.
    pub(crate) fn silence<'a>(&self, project: impl Into<Option<&'a str>>) {
        let project = project.into();
        self.unsilence(project);
        let fault = Fault::partition();
        let id = self.begin(match project {
            Some(project) => fault.in_project(project),
            None => fault.at_root(),
        });
        self.lock().silences.insert(project.map(String::from), id);
    }

    pub(crate) fn unsilence<'a>(&self, project: impl Into<Option<&'a str>>) {
        let project = project.into().map(String::from);
        let silence = self.lock().silences.remove(&project);
        if let Some(id) = silence {
            self.end(id);
        }
    }

    /// Nothing is silent any more.
    pub(crate) fn unsilence_all(&self) {
        let silences = std::mem::take(&mut self.lock().silences);
        for id in silences.into_values() {
            self.end(id);
        }
    }

    /// Ends the watches of a control plane that are open now, as a broken connection does.
    pub(crate) fn drop_watches<'a>(&self, project: impl Into<Option<&'a str>>) {
        let project = project.into().map(String::from);
        self.change(|state| {
            let number = state.number();
            state.cuts.insert(project, number);
        });
    }

    /// Now, for a [cut](Self::is_cut).
    pub(super) fn now(&self) -> u64 {
        self.lock().next
    }

    /// Whether a watch was cut since it began.
    pub(super) fn is_cut(&self, project: &Option<String>, began: u64) -> bool {
        let state = self.lock();
        state.cuts.get(project).is_some_and(|cut| *cut > began)
    }

    /// Refuses whoever asks, and ends what waits for an answer, or does not any more.
    pub(crate) fn shut(&self, is_shut: bool) {
        self.change(|state| {
            state.is_shut = is_shut;
            state.shuts += u64::from(is_shut);
        });
    }

    /// How often it was shut so far.
    pub(super) fn shuts(&self) -> u64 {
        self.lock().shuts
    }

    /// Whether it is shut, or was since it had been so often.
    pub(super) fn was_shut(&self, shuts: u64) -> bool {
        let state = self.lock();
        state.is_shut || state.shuts > shuts
    }

    /// What happens to a request, in the order in which it was injected, up to what ends it.
    pub(super) fn of_request(&self, asked: &Asked) -> Vec<What> {
        let mut state = self.lock();
        if state.is_shut {
            return vec![What::PortClosed];
        }
        let mut happening = Vec::new();
        for active in &mut state.active {
            let what = &active.fault.what;
            if !what.is_of_requests()
                || matches!(what, What::Initializing)
                || !active.fault.fits(asked)
            {
                continue;
            }
            let what = active.happens();
            let is_last = what.ends_the_request();
            happening.push(what);
            if is_last {
                break;
            }
        }
        happening
    }

    /// Whether some of what goes wrong does so for objects of one name alone.
    pub(super) fn look_at_names(&self) -> bool {
        let state = self.lock();
        state.active.iter().any(|active| active.fault.has_name())
    }

    /// The storages that are still to be set up for this request.
    pub(super) fn initializing(&self, asked: &Asked) -> Vec<Initializing> {
        let state = self.lock();
        let fitting = state.active.iter().filter(|active| {
            matches!(active.fault.what, What::Initializing) && active.fault.fits(asked)
        });
        let found = fitting.map(|active| Initializing {
            id: active.id,
            faults: self.clone(),
        });
        found.collect()
    }

    /// What happens for as long as it lasts, of what is `relevant`. Each counts once: `known` are those that did.
    pub(super) fn lasting(
        &self,
        asked: &Asked,
        known: &mut BTreeSet<u64>,
        relevant: impl Fn(&What) -> bool,
    ) -> Vec<What> {
        let mut state = self.lock();
        let mut happening = Vec::new();
        for active in &mut state.active {
            if !relevant(&active.fault.what) {
                continue;
            }
            if known.contains(&active.id) {
                happening.push(active.fault.what.clone());
            } else if active.fault.fits(asked) {
                known.insert(active.id);
                happening.push(active.happens());
            }
        }
        happening
    }

    pub(super) fn changes(&self) -> Ear {
        self.changes.subscribe()
    }

    /// Lets a fault happen until it is [ended](Self::end), or for as long as the server lives.
    pub(crate) fn begin(&self, fault: Fault) -> u64 {
        self.change(|state| {
            let id = state.number();
            state.active.push(Active { id, fault, hits: 0 });
            id
        })
    }

    fn end(&self, id: u64) {
        self.change(|state| state.active.retain(|active| active.id != id));
    }

    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let changed = change(&mut self.lock());
        self.changes.send();
        changed
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
