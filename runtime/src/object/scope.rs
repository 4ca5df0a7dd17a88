//! What a reconcile can do, without the types of its controller.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use futures::future::BoxFuture;
use kube::Client;
use kube::api::ApiResource;
use kube::core::{DynamicObject, GroupVersionKind};
use serde_json::Value;

use super::applied::{Applied, Child};
use super::apply::Apply;
use super::event::Event;
use super::left::Left;
use super::list::list;
use super::mark::Marker;
use super::marked::Marked;
use super::recorder::Recorder;
use super::remote::{DELETED, Remote, deleted, version};
use crate::controller::{Declaration, Kind, Object, ObjectKey};
use crate::fleet::{Cluster, ClusterName, Known, Moment, Roster};
use crate::watch::{Kept, Lookup};
use crate::{Error, Result};

/// The reconciled object, as its children refer to it.
#[derive(Debug, Clone)]
pub(crate) struct Owner {
    pub(crate) kind: ApiResource,
    pub(crate) key: ObjectKey,
    pub(crate) uid: String,
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind.kind, self.key)
    }
}

/// What a controller keeps in a cluster from one reconcile to the next.
#[derive(Clone)]
pub(crate) struct Desk {
    pub(crate) notes: Arc<Notes>,
    /// What it has marked in all clusters.
    pub(crate) marked: Arc<Marked>,
    /// Where else it, and the other controllers, can go.
    pub(crate) roster: Arc<Roster>,
    /// There is no provider.
    pub(crate) alone: bool,
}

/// What is of one controller in one cluster alone.
pub(crate) struct Notes {
    /// Made when there is a first event.
    recorder: OnceLock<Arc<Recorder>>,
    pub(crate) applied: Applied,
    pub(crate) left: Left,
}

impl Notes {
    pub(crate) fn new(kept: Kept) -> Arc<Self> {
        Arc::new(Self {
            recorder: OnceLock::new(),
            applied: Applied::new(kept),
            left: Left::default(),
        })
    }
}

/// The part of a [`Context`](crate::Context) that does not depend on the controller: the cluster, and
/// the objects in it. Helper functions take a `&Scope`.
pub struct Scope {
    cluster: Cluster,
    owner: Owner,
    declaration: &'static Declaration,
    desk: Desk,
    /// When the reconcile began.
    pub(super) begun: Moment,
    /// The children that this reconcile has applied.
    pub(super) children: Mutex<BTreeSet<Child>>,
    written: Mutex<Vec<(String, String)>>,
}

impl Scope {
    pub(crate) fn new(
        cluster: Cluster,
        owner: Owner,
        declaration: &'static Declaration,
        desk: Desk,
    ) -> Self {
        Self {
            begun: desk.roster.now(),
            cluster,
            owner,
            declaration,
            desk,
            children: Mutex::default(),
            written: Mutex::default(),
        }
    }

    /// The cluster in which the object lives.
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// kube's client for the cluster; short for `cluster().client()`.
    pub fn client(&self) -> Client {
        self.cluster.client()
    }

    /// Another cluster of the fleet, if it is engaged now; [`ClusterName::LOCAL`] is the host cluster. Children are
    /// applied there with [`.to(&cluster)`](Apply::to).
    pub fn find_cluster(&self, name: &ClusterName) -> Option<Cluster> {
        if name == self.cluster.name() {
            return Some(self.cluster.clone());
        }
        self.desk.roster.find(name)
    }

    /// The clusters of the fleet that are engaged now and are to stay, by name; the host cluster is not among them.
    ///
    /// A controller that owns a kind `in = provider` reconciles its objects anew when another cluster is engaged.
    pub fn clusters(&self) -> Vec<Cluster> {
        self.desk.roster.fleet()
    }

    /// The key of the object that is reconciled.
    pub fn key(&self) -> &ObjectKey {
        &self.owner.key
    }

    /// Creates or changes a child of the reconciled object by server-side apply. Await it as it is, or
    /// with [`.unforced()`](Apply::unforced), [`.adopt()`](Apply::adopt), [`.marked()`](Apply::marked) or
    /// [`.to(&cluster)`](Apply::to) first; it returns the child as the server has it now.
    ///
    /// The controller's name is the field manager, and a controller owner reference to the reconciled
    /// object is added, so that the child goes when its owner goes. A child of a namespaced owner lies
    /// in the owner's namespace, which is filled in where it is missing. Only the fields that are set
    /// are owned, and drift in them is put right (the apply is forced). What the server owns, and
    /// `status`, is not sent.
    ///
    /// What is known to change nothing is not sent at all: the same content as this process applied last, to
    /// a child that is as it was after that.
    ///
    /// # Errors
    /// When the child exists and is not ours ([`NotOwned`](crate::NotOwned)), when an owner reference
    /// cannot hold it (another namespace; cluster-scoped under a namespaced owner), or when the
    /// server refuses it.
    pub fn apply<K: Object>(&self, child: K) -> Apply<'_, K> {
        Apply::new(self, child)
    }

    /// The same for a child of a kind without a Rust type: it is told by the `types` of the object. Its plural
    /// name is that of a `Dynamic(..)` of this kind among the controller's `owns`, else it follows from the kind.
    ///
    /// ```
    /// # use kommodore::{Result, Scope};
    /// use kommodore::kube::core::{ApiResource, DynamicObject, GroupVersionKind};
    ///
    /// async fn publish(scope: &Scope) -> Result<()> {
    ///     let page = ApiResource::from_gvk(&GroupVersionKind::gvk("example.org", "v1", "Page"));
    ///     let page = DynamicObject::new("home", &page).data(serde_json::json!({"spec": {"title": "Home"}}));
    ///     scope.apply_dynamic(page).await?;
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    /// As [`apply`](Scope::apply), and when the object does not say its kind. A cluster-scoped child under a
    /// namespaced owner is not recognised before the server says that there is no such resource.
    pub fn apply_dynamic(&self, child: DynamicObject) -> Apply<'_, DynamicObject> {
        let kind = child.types.as_ref().map_or_else(
            || GroupVersionKind::gvk("", "", ""),
            |types| {
                let version = types.api_version.as_str();
                let (group, version) = version.rsplit_once('/').unwrap_or(("", version));
                GroupVersionKind::gvk(group, version, &types.kind)
            },
        );
        let owned = self.declaration.owns.iter().map(Kind::resource);
        let declared = owned
            .into_iter()
            .find(|owned| (&owned.group, &owned.kind) == (&kind.group, &kind.kind));
        let resource = match declared {
            Some(declared) => ApiResource::from_gvk_with_plural(&kind, &declared.plural),
            None => ApiResource::from_gvk(&kind),
        };
        Apply::dynamic(self, child, resource)
    }

    /// An object of the same cluster, `None` when there is none.
    ///
    /// Kinds that a controller is `for` or `watches`, or owns as `full`, come from the cache, others from the server, and so does what
    /// the controller's selection of the kind leaves out. A bare
    /// name (`"page"`) means the namespace of the reconciled object, where the kind has namespaces.
    ///
    /// # Errors
    /// When the server refuses or does not answer.
    pub fn get<K: Object>(
        &self,
        key: impl Into<ObjectKey>,
    ) -> BoxFuture<'_, Result<Option<Arc<K>>>> {
        let key = self.complete::<K>(key.into());
        let kind = ApiResource::erase::<K>(&());
        let known = match self.cluster.known::<K>(&kind, &key) {
            Known::There(object) => Some(Some(object)),
            Known::Missing => Some(None),
            Known::Unknown => None,
        };
        if let Some(known) = known {
            return Box::pin(std::future::ready(Ok(known)));
        }
        let remote = Remote::new(&self.cluster, &kind, key);
        Box::pin(async move {
            let what = || format!("reading {} {}", remote.kind().kind, remote.key());
            match remote
                .get()
                .await
                .map_err(|failure| Error::new(failure).context(what()))?
            {
                Some(object) => Ok(Some(Arc::new(serde_json::from_value(object)?))),
                None => Ok(None),
            }
        })
    }

    /// The objects of a kind that a lookup finds, by name: those in the namespace of the reconciled object, or all
    /// where either has none. `Selector::default()` finds all; see [`Lookup`] for the others.
    ///
    /// They come from the cache where a controller is `for` or `watches` all of them, or owns them as `full`, and from
    /// the server where not, which needs the permission to `list` them: `rbac(Kind(verbs = "list"))`. The server
    /// selects by labels; of an owner or an index all objects are read from it, and looked through here.
    ///
    /// ```
    /// use kommodore::{Lookup, Result, Scope};
    /// use kommodore::k8s_openapi::api::core::v1::ConfigMap;
    /// use kommodore::kube::core::Expression;
    ///
    /// async fn pages(scope: &Scope, owner: &ConfigMap) -> Result<usize> {
    ///     let pages = Expression::Equal("app".into(), "pages".into());
    ///     let labelled = scope.list::<ConfigMap>(pages).await?;
    ///     let owned = scope.list::<ConfigMap>(Lookup::owned_by(owner)).await?;
    ///     Ok(labelled.len() + owned.len())
    /// }
    /// ```
    ///
    /// # Errors
    /// When the server refuses or does not answer.
    pub fn list<K: Object>(
        &self,
        lookup: impl Into<Lookup<K>>,
    ) -> BoxFuture<'_, Result<Vec<Arc<K>>>> {
        let lookup = lookup.into();
        let namespace = self
            .owner
            .key
            .namespace
            .as_deref()
            .or(self.cluster.namespace())
            .filter(|_| K::namespaced());
        if let Some(known) = self.cluster.known_list::<K>(namespace, &lookup) {
            return Box::pin(std::future::ready(Ok(known)));
        }
        Box::pin(async move {
            let labels = lookup.labels().map(ToString::to_string).unwrap_or_default();
            let listed = list(&self.cluster.line(), namespace, &labels).await;
            let mut listed: Vec<Arc<K>> = listed.map_err(|failure| {
                let kind = K::kind(&());
                Error::new(failure).context(format!("listing objects of the kind {kind}"))
            })?;
            if lookup.index().is_some() {
                listed.retain(|object| lookup.has(object));
            }
            Ok(listed)
        })
    }

    /// Deletes an object of the same cluster, and in the background what it owns. Returns whether there
    /// was one. A bare name means the namespace of the reconciled object, as in [`get`](Scope::get).
    ///
    /// # Errors
    /// When the server refuses or does not answer.
    pub fn delete<K: Object>(&self, key: impl Into<ObjectKey>) -> BoxFuture<'_, Result<bool>> {
        let remote = Remote::new(
            &self.cluster,
            &ApiResource::erase::<K>(&()),
            self.complete::<K>(key.into()),
        );
        Box::pin(async move {
            let what = || format!("deleting {} {}", remote.kind().kind, remote.key());
            let answer = remote.delete().await;
            let answer = answer.map_err(|failure| Error::new(failure).context(what()))?;
            if let Some(answer) = &answer {
                self.cluster.deleted(remote.kind(), remote.key(), answer);
                // The end of the reconciled object itself is news: its cleanup is to come.
                if !self.is_owner(&remote) {
                    self.wrote(answer);
                    self.remember(deleted(answer));
                }
            }
            Ok(answer.is_some())
        })
    }

    /// Tells people about the reconciled object. It returns at once, and whatever becomes of the event, the reconcile
    /// goes on.
    ///
    /// The same event about the same object (type, reason and action; the note of the first one stays) is one
    /// event with a count for as long as it comes again within six minutes; the count is written at most every 30
    /// seconds. Of different events about one object 25 are sent at once and one more in every five minutes, as
    /// client-go has it; more are dropped. An event is in the namespace of its object, one about a cluster-scoped
    /// object in `default`; where that namespace is not there, or events may not be written, they are dropped. What is
    /// dropped is logged once.
    ///
    /// ```
    /// # use kommodore::{Event, Scope};
    /// fn tell(scope: &Scope) {
    ///     scope.event(Event::warning("NoCertificate", "the Secret is missing"));
    /// }
    /// ```
    pub fn event(&self, event: Event) {
        let make = || Recorder::new(self.cluster.clone(), self.declaration.name);
        let recorder = self.desk.notes.recorder.get_or_init(make);
        recorder.record(&self.owner, event);
    }

    /// Fills in the namespace of the reconciled object, where the kind has namespaces.
    pub(super) fn complete<K: Object>(&self, mut key: ObjectKey) -> ObjectKey {
        if !K::namespaced() {
            key.namespace = None;
        } else if key.namespace.is_none() {
            key.namespace = self.owner.key.namespace.clone();
        }
        key
    }

    pub(crate) fn owner(&self) -> &Owner {
        &self.owner
    }

    pub(crate) fn manager(&self) -> &str {
        self.declaration.name
    }

    pub(super) fn declaration(&self) -> &'static Declaration {
        self.declaration
    }

    pub(super) fn desk(&self) -> &Desk {
        &self.desk
    }

    /// The mark of the reconciled object.
    pub(super) fn marker(&self) -> Marker {
        Marker {
            cluster: self.cluster.name().clone(),
            key: self.owner.key.clone(),
        }
    }

    /// Whether this is the reconciled object.
    fn is_owner(&self, remote: &Remote) -> bool {
        let (kind, owner) = (remote.kind(), &self.owner);
        (&kind.group, &kind.plural) == (&owner.kind.group, &owner.kind.plural)
            && *remote.key() == owner.key
    }

    /// Remembers a write of ours, whose echo is to wake nothing.
    pub(crate) fn wrote(&self, returned: &Value) {
        self.remember(version(returned));
    }

    /// The reconciled object needs nobody any more who looks for those that have left.
    pub(crate) fn settle(&self) {
        self.desk.notes.left.settle(&self.owner.key);
    }

    /// Remembers that the reconciled object is gone by what we wrote.
    pub(crate) fn ended(&self) {
        self.remember([(self.owner.uid.clone(), DELETED.to_owned())]);
    }

    pub(super) fn remember(&self, written: impl IntoIterator<Item = (String, String)>) {
        self.written
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend(written);
    }

    pub(super) fn applied(&self) -> &Applied {
        &self.desk.notes.applied
    }

    pub(super) fn has_child(&self, child: Child) {
        self.children
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(child);
    }

    /// Forgets the children that this reconcile, which has come to its end, has not applied.
    pub(crate) fn forget_other_children(&self) {
        let children = self.children.lock().unwrap_or_else(PoisonError::into_inner);
        self.desk.notes.applied.keep(&self.owner.key, &children);
    }

    pub(crate) fn take_written(&self) -> Vec<(String, String)> {
        std::mem::take(&mut *self.written.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
