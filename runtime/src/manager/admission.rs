//! Which controllers get along in one manager.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use kube::api::ApiResource;

use super::release::Held;
use crate::controller::Start;
use crate::engine::{Handled, Handler, Settings};
use crate::{Error, Result};

/// Makes a controller ready once it is known how the manager runs.
pub(super) type Register = Box<dyn FnOnce(Settings) -> Result<Registered> + Send>;

/// A controller, and the conditions that it writes, each with its kind.
pub(super) struct Registered {
    handler: Arc<dyn Handler>,
    conditions: Vec<(String, &'static str)>,
    /// Its finalizer, with the kind that it is put on.
    finalizer: Option<(ApiResource, String)>,
}

pub(super) fn register<C: Start>(controller: C) -> Register {
    Box::new(|settings| {
        let handled = Handled::new(controller, settings)?;
        let conditions = match handled.writes_conditions() {
            Some((kind, names)) => {
                let kind = format!("{} ({})", kind.kind, kind.api_version);
                names.into_iter().map(|name| (kind.clone(), name)).collect()
            }
            None => Vec::new(),
        };
        let finalizer = handled.finalizes();
        let finalizer = finalizer.map(|(kind, name)| (kind.clone(), name.to_owned()));
        Ok(Registered {
            handler: Arc::new(handled),
            conditions,
            finalizer,
        })
    })
}

/// Lets controllers in, and refuses those that would fight one that is there.
pub(super) struct Admission {
    settings: Settings,
    /// There is no provider.
    alone: bool,
    names: BTreeSet<String>,
    /// Who writes each condition of a kind.
    writers: BTreeMap<(String, &'static str), String>,
    /// Whose each finalizer of a kind is.
    finalizers: BTreeMap<(String, String), String>,
}

impl Admission {
    pub(super) fn new(settings: Settings, alone: bool) -> Self {
        Self {
            settings,
            alone,
            names: BTreeSet::new(),
            writers: BTreeMap::new(),
            finalizers: BTreeMap::new(),
        }
    }

    /// The controller, and the finalizer that it puts on objects. One that is refused leaves nothing behind.
    pub(super) fn admit(&mut self, register: Register) -> Result<(Arc<dyn Handler>, Option<Held>)> {
        let Registered {
            handler,
            conditions,
            finalizer,
        } = register(self.settings)?;
        let name = handler.name().to_owned();
        let engages = handler.declaration().engages();
        if self.alone && !engages.local && engages.said {
            return Err(Error::terminal(format!(
                "the controller `{name}` works in the clusters of providers alone, as its `engage(provider)` says, and the \
                 manager has no provider: add one with `.provider(..)`"
            )));
        }
        if self.names.contains(&name) {
            return Err(Error::terminal(format!(
                "two controllers are named `{name}`, and would take each other's writes for their own: give one \
                 another name with `#[controller(name = \"..\")]`"
            )));
        }
        let finalizer = finalizer.map(|(resource, finalizer)| {
            let kind = format!("{} ({})", resource.kind, resource.api_version);
            (resource, (kind, finalizer))
        });
        if let Some((_, of_kind)) = &finalizer
            && let Some(other) = self.finalizers.get(of_kind)
        {
            let (kind, finalizer) = of_kind;
            return Err(Error::terminal(format!(
                "the controllers `{other}` and `{name}` have one finalizer `{finalizer}` for {kind}, and the first to be done \
                 would let it go for both: give it another name in one of them"
            )));
        }
        for of_kind in &conditions {
            if let Some(other) = self.writers.get(of_kind) {
                let (kind, condition) = of_kind;
                return Err(Error::terminal(format!(
                    "the controllers `{other}` and `{name}` would both write the condition {condition} of {kind}: give \
                     it another name in one of them (with `ready = \"..\"`, if it is the summary), or leave it to one"
                )));
            }
        }
        let written = conditions.into_iter().map(|it| (it, name.clone()));
        self.writers.extend(written);
        let held = finalizer.map(|(kind, of_kind)| {
            let finalizer = of_kind.1.clone();
            self.finalizers.insert(of_kind, name.clone());
            Held {
                kind,
                finalizer,
                controller: name.clone(),
            }
        });
        self.names.insert(name);
        Ok((handler, held))
    }
}
