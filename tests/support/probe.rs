//! Looks into a controller while it runs, and decides how its runs go.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use kommodore::{Action, Result, Scope};
use tokio::sync::watch;

use super::eventually::eventually;

/// A place in a controller's code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Point {
    /// At the beginning of `reconcile`.
    Begin,
    /// After the children were applied.
    Applied,
    /// In `cleanup`.
    Cleanup,
}

/// One that has come to a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visit {
    /// The place.
    pub point: Point,
    /// The cluster.
    pub cluster: String,
    /// The object.
    pub name: String,
}

/// Counts the runs of a controller, and holds them up or lets them fail. Clones share everything.
#[derive(Clone, Default)]
pub struct Probe(Arc<Mutex<State>>);

type Script = Arc<dyn Fn(usize) -> Result<Action> + Send + Sync>;

#[derive(Default)]
struct State {
    visits: Vec<Visit>,
    scripts: BTreeMap<(Point, String), Script>,
    holds: BTreeMap<(Point, String), watch::Sender<Held>>,
}

#[derive(Clone, Copy, Default)]
struct Held {
    reached: usize,
    released: bool,
}

impl Probe {
    /// The controller has come to `point`. Waits while that is held, and fails as its script says.
    pub async fn at(&self, point: Point, scope: &Scope) -> Result<()> {
        self.end(point, scope).await.map(|_| ())
    }

    /// The same at the end of a method, which returns what the script does; done without one.
    pub async fn end(&self, point: Point, scope: &Scope) -> Result<Action> {
        let name = scope.key().name.clone();
        let cluster = scope.cluster().name().to_string();
        let key = (point, name.clone());
        let (hold, script, nth) = {
            let mut state = self.lock();
            state.visits.push(Visit {
                point,
                cluster,
                name,
            });
            let nth = state
                .visits
                .iter()
                .filter(|visit| visit.point == point && visit.name == key.1)
                .count();
            (
                state.holds.get(&key).cloned(),
                state.scripts.get(&key).cloned(),
                nth,
            )
        };
        if let Some(hold) = hold {
            hold.send_modify(|held| held.reached += 1);
            let _ = hold.subscribe().wait_for(|held| held.released).await;
        }
        script.map_or(Ok(Action::done()), |script| script(nth))
    }

    /// From now on every run of `name` that comes to `point` goes as `script` says, which is told how many
    /// have come there.
    pub fn script(
        &self,
        point: Point,
        name: &str,
        script: impl Fn(usize) -> Result<Action> + Send + Sync + 'static,
    ) {
        self.lock()
            .scripts
            .insert((point, name.into()), Arc::new(script));
    }

    /// Holds up every run of `name` that comes to `point`, until it is released or dropped.
    pub fn hold(&self, point: Point, name: &str) -> Hold {
        let hold = watch::Sender::new(Held::default());
        let what = (point, name.to_owned());
        self.lock().holds.insert(what.clone(), hold.clone());
        Hold {
            hold,
            what,
            probe: self.clone(),
        }
    }

    /// Everyone who has come by.
    pub fn visits(&self) -> Vec<Visit> {
        self.lock().visits.clone()
    }

    /// How many runs of `name` have come to `point`, in all clusters.
    pub fn count(&self, point: Point, name: &str) -> usize {
        self.lock()
            .visits
            .iter()
            .filter(|visit| visit.point == point && visit.name == name)
            .count()
    }

    /// The same, in one cluster.
    pub fn count_in(&self, cluster: &str, point: Point, name: &str) -> usize {
        let state = self.lock();
        let of_it =
            |visit: &&Visit| visit.point == point && visit.name == name && visit.cluster == cluster;
        state.visits.iter().filter(of_it).count()
    }

    /// Waits until at least `count` runs of `name` have come to `point`.
    pub async fn comes(&self, point: Point, name: &str, count: usize) {
        eventually(
            &format!("{name} comes to {point:?} {count} times"),
            async || match self.count(point, name) {
                seen if seen >= count => Ok(()),
                seen => Err(seen),
            },
        )
        .await;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Holds up runs at a place.
#[must_use = "nothing is held once it is dropped"]
pub struct Hold {
    hold: watch::Sender<Held>,
    what: (Point, String),
    probe: Probe,
}

impl Hold {
    /// Waits until a run is held up here.
    pub async fn reached(&self) {
        eventually(&format!("{:?} is reached", self.what), async || {
            self.hold.borrow().reached > 0
        })
        .await;
    }

    /// Lets go of all who are held up here, and of those who still come.
    pub fn release(self) {}
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.probe.lock().holds.remove(&self.what);
        self.hold.send_modify(|held| held.released = true);
    }
}
