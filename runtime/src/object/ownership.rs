//! Whose object it is.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::api::{ApiResource, ObjectMeta};
use serde_json::{Map, Value, json};

use super::mark::{MARK, Marker, marked_by};
use super::scope::{Owner, Scope};
use crate::controller::ObjectKey;
use crate::fleet::Cluster;

/// Why an object may not be applied as a child of the reconciled one.
#[derive(Debug, thiserror::Error)]
pub enum NotOwned {
    /// It lies in another namespace than its owner.
    #[error(
        "{kind} {child} cannot be owned by {owner}: an owner reference does not reach into another namespace, and the \
         garbage collector would delete the {kind}; `cx.apply(..).marked()` marks it instead"
    )]
    OtherNamespace {
        /// The kind of the child.
        kind: String,
        /// The child.
        child: ObjectKey,
        /// The reconciled object.
        owner: String,
    },
    /// It is cluster-scoped and its owner is not.
    #[error(
        "{kind} {child} cannot be owned by {owner}: a cluster-scoped object cannot have an owner in a namespace, and the \
         garbage collector would delete the {kind}; `cx.apply(..).marked()` marks it instead"
    )]
    ClusterScoped {
        /// The kind of the child.
        kind: String,
        /// The child.
        child: ObjectKey,
        /// The reconciled object.
        owner: String,
    },
    /// It exists, and somebody else controls it.
    #[error("{kind} {child} is controlled by {controller}: it is left alone")]
    Controlled {
        /// The kind of the child.
        kind: String,
        /// The child.
        child: ObjectKey,
        /// Its controller.
        controller: String,
    },
    /// It exists, and nobody controls it.
    #[error(
        "{kind} {child} exists and is controlled by nobody: it is left alone; `cx.apply(..).adopt()` takes such objects over"
    )]
    Foreign {
        /// The kind of the child.
        kind: String,
        /// The child.
        child: ObjectKey,
    },
    /// It has been deleted again and again, because the reconciled object is gone, which its watch has yet to say.
    #[error("{owner} does not exist any more: {kind} {child} is not created again")]
    OwnerGone {
        /// The kind of the child.
        kind: String,
        /// The child.
        child: ObjectKey,
        /// What was the reconciled object.
        owner: String,
    },
    /// It is to be marked, and nothing would ever delete it.
    #[error(
        "{kind} {child} cannot be marked as that of {owner} by a controller without a finalizer, as nobody would delete it: \
         declare `finalizer = \"your.domain/name\"` and `impl Cleanup`"
    )]
    NoFinalizer {
        /// The kind of the child.
        kind: String,
        /// The child.
        child: ObjectKey,
        /// The reconciled object.
        owner: String,
    },
    /// It is to be marked, and would not be found again.
    #[error(
        "{kind} {child} cannot be marked, as it would not be found again: add its kind to `owns(..)` of the controller"
    )]
    NotDeclared {
        /// The kind of the child.
        kind: String,
        /// The child.
        child: ObjectKey,
    },
    /// It is to be marked in a cluster where the controller does not work, and so would not find it again.
    #[error(
        "{kind} {child} cannot be marked in the cluster {cluster}, as the controller does not work there and would not find it \
         again"
    )]
    NotWatched {
        /// The kind of the child.
        kind: String,
        /// The child.
        child: ObjectKey,
        /// The cluster.
        cluster: String,
    },
    /// It is marked, and what is selected of its kind does not contain it.
    #[error(
        "{kind} {child} in {cluster} is marked and would not be found again: what `owns({kind}(..))` selects has to \
         contain it"
    )]
    NotSelected {
        /// The kind of the child.
        kind: String,
        /// The child.
        child: ObjectKey,
        /// The cluster.
        cluster: String,
    },
    /// It has no name.
    #[error(
        "a {kind} without `metadata.name` cannot be applied: server-side apply does not know `generateName`"
    )]
    Nameless {
        /// The kind of the child.
        kind: String,
    },
    /// It does not say its kind.
    #[error("{child} has no `types`, with which an object without a Rust type says its kind")]
    Kindless {
        /// The child.
        child: ObjectKey,
    },
}

/// Refuses a child that an owner reference to `owner` cannot hold.
pub(super) fn check_reach(
    owner: &Owner,
    kind: &ApiResource,
    namespaced: bool,
    child: &ObjectKey,
) -> Result<(), NotOwned> {
    let refused = (kind.kind.clone(), child.clone(), owner.to_string());
    match &owner.key.namespace {
        Some(_) if !namespaced => {
            let (kind, child, owner) = refused;
            Err(NotOwned::ClusterScoped { kind, child, owner })
        }
        Some(_) if child.namespace != owner.key.namespace => {
            let (kind, child, owner) = refused;
            Err(NotOwned::OtherNamespace { kind, child, owner })
        }
        _ => Ok(()),
    }
}

/// How an owner holds a child.
pub(super) enum Hold {
    /// By a controller owner reference.
    Reference,
    Mark(Marker),
}

/// Refuses a mark that nobody would clean up after.
pub(super) fn check_mark(
    scope: &Scope,
    cluster: &Cluster,
    kind: &ApiResource,
    child: &ObjectKey,
) -> Result<(), NotOwned> {
    let declaration = scope.declaration();
    let (name, child) = (kind.kind.clone(), child.clone());
    if declaration.finalizer.is_none() {
        return Err(NotOwned::NoFinalizer {
            kind: name,
            child,
            owner: scope.owner().to_string(),
        });
    }
    let same = |owned: ApiResource| {
        (&owned.api_version, &owned.plural) == (&kind.api_version, &kind.plural)
    };
    let mut owned = declaration
        .owns
        .iter()
        .filter(|kind| same(kind.resource()))
        .peekable();
    if owned.peek().is_none() {
        return Err(NotOwned::NotDeclared { kind: name, child });
    }
    let desk = scope.desk();
    let is_home = cluster.name() == scope.cluster().name();
    let kept = owned.any(|kind| declaration.keeps_in(kind, cluster.name(), desk.alone));
    if !kept || !(is_home || desk.roster.is_engaged(cluster.name())) {
        return Err(NotOwned::NotWatched {
            kind: name,
            child,
            cluster: cluster.name().to_string(),
        });
    }
    Ok(())
}

/// The owner that controls an object: the API server admits one at most.
pub(crate) fn controller_of(meta: &ObjectMeta) -> Option<&OwnerReference> {
    let mut owners = meta.owner_references.iter().flatten();
    owners.find(|owner| owner.controller == Some(true))
}

/// Refuses an existing object that is not the owner's: never taken from another controller, and from
/// nobody only to `adopt`.
pub(super) fn check_ours(
    scope: &Scope,
    kind: &ApiResource,
    child: &ObjectKey,
    existing: &ObjectMeta,
    adopt: bool,
) -> Result<(), NotOwned> {
    let controlled = |controller| {
        Err(NotOwned::Controlled {
            kind: kind.kind.clone(),
            child: child.clone(),
            controller,
        })
    };
    match controller_of(existing) {
        Some(controller) if controller.uid == scope.owner().uid => return Ok(()),
        Some(controller) => return controlled(format!("{} {}", controller.kind, controller.name)),
        None if Marker::of(existing, scope.manager()) == Some(scope.marker()) => return Ok(()),
        None => {}
    }
    match marked_by(existing) {
        Some(owner) => controlled(owner),
        None if adopt => Ok(()),
        None => Err(NotOwned::Foreign {
            kind: kind.kind.clone(),
            child: child.clone(),
        }),
    }
}

/// Removes what the server owns, and adds the kind and what holds the child.
pub(super) fn prepare(
    object: &mut Map<String, Value>,
    kind: &ApiResource,
    scope: &Scope,
    child: &ObjectKey,
    hold: &Hold,
) {
    let owner = scope.owner();
    object.remove("status");
    object.insert("apiVersion".into(), json!(kind.api_version));
    object.insert("kind".into(), json!(kind.kind));
    let metadata = object.entry("metadata").or_insert_with(|| json!({}));
    let Value::Object(metadata) = metadata else {
        return;
    };
    for of_the_server in [
        "managedFields",
        "resourceVersion",
        "uid",
        "creationTimestamp",
        "generation",
        "deletionTimestamp",
    ] {
        metadata.remove(of_the_server);
    }
    if let Some(namespace) = &child.namespace {
        metadata.insert("namespace".into(), json!(namespace));
    }
    // What was read may have one of the other sort.
    for sort in ["labels", "annotations"] {
        if let Some(Value::Object(texts)) = metadata.get_mut(sort) {
            texts.remove(MARK);
        }
    }
    if let Some(Value::Array(references)) = metadata.get_mut("ownerReferences") {
        references
            .retain(|reference| reference.get("uid").and_then(Value::as_str) != Some(&owner.uid));
    }
    match hold {
        Hold::Mark(marker) => marker.put_on(metadata, owner, scope.manager()),
        Hold::Reference => {
            let references = metadata
                .entry("ownerReferences")
                .or_insert_with(|| json!([]));
            if let Value::Array(references) = references {
                references.push(json!({
                    "apiVersion": owner.kind.api_version,
                    "kind": owner.kind.kind,
                    "name": owner.key.name,
                    "uid": owner.uid,
                    "controller": true,
                    "blockOwnerDeletion": true,
                }));
            }
        }
    }
}
