//! Deletes what an owner has left behind, and nothing that has changed hands.

use kube::api::{ApiResource, ObjectMeta};
use serde_json::Value;

use super::applied::Child;
use super::apply::look;
use super::mark::Marker;
use super::ownership::controller_of;
use super::remote::{Remote, deleted};
use super::scope::Desk;
use crate::controller::{Declaration, Kind};
use crate::fleet::{Cluster, Known};
use crate::transport::Failure;
use crate::{Error, Result};

/// How often we read an object again because somebody changed it between our look and our delete.
const TRIES: usize = 5;
const HTTP_CONFLICT: u16 = 409;
const HTTP_NOT_FOUND: u16 = 404;

/// Deletes an object for as long as it is `ours`, and exactly as it was seen then. Returns what the server returned,
/// `None` where there was nothing to be deleted.
pub(super) async fn remove(
    cluster: &Cluster,
    remote: &Remote,
    ours: impl Fn(&ObjectMeta) -> bool,
) -> Result<Option<Value>, Failure> {
    let mut seen = match cluster.known_metadata(remote.kind(), remote.key()) {
        Known::There(object) => Some(object.metadata().clone()),
        // A cache may have yet to hear of it.
        Known::Missing | Known::Unknown => look(remote).await?,
    };
    let mut tries = 1;
    loop {
        let Some(meta) = seen.filter(|meta| meta.deletion_timestamp.is_none() && ours(meta)) else {
            return Ok(None);
        };
        match remote.delete_exactly(&meta).await {
            Ok(answer) => {
                cluster.deleted(remote.kind(), remote.key(), &answer);
                return Ok(Some(answer));
            }
            Err(failure) => match failure.code() {
                Some(HTTP_NOT_FOUND) if failure.names_an_object() => return Ok(None),
                Some(HTTP_CONFLICT) if tries < TRIES => {
                    tries += 1;
                    seen = look(remote).await?;
                }
                _ => return Err(failure),
            },
        }
    }
}

/// Deletes those of the objects that an owner has marked that are `meant`, in all clusters that are engaged, and
/// returns what was deleted. What lies in others is found when they come back.
pub(crate) async fn remove_marked(
    declaration: &Declaration,
    desk: &Desk,
    home: Option<&Cluster>,
    owner: &Marker,
    meant: impl Fn(&Child) -> bool,
) -> Result<Vec<(String, String)>> {
    let mut gone = Vec::new();
    for child in desk.marked.of(owner).into_iter().filter(meant) {
        let found = match home {
            Some(home) if *home.name() == child.cluster => Some(home.clone()),
            _ => desk.roster.find(&child.cluster),
        };
        // A kind that is not owned has been refused.
        let kind = owned_kind(declaration, &child);
        let (Some(cluster), Some(kind)) = (found, kind) else {
            desk.marked.note(child, None);
            continue;
        };
        let what = format!("deleting {} {}", kind.kind, child.key);
        let remote = Remote::new(&cluster, &kind, child.key.clone());
        let by = declaration.name;
        let ours = |meta: &ObjectMeta| Marker::of(meta, by).as_ref() == Some(owner);
        let removing = remove(&cluster, &remote, ours);
        let removed = match home {
            Some(home) if *home.name() != child.cluster => cluster.visit(removing).await,
            _ => Some(removing.await),
        };
        match removed {
            Some(Ok(answer)) => gone.extend(answer.as_ref().and_then(deleted)),
            Some(Err(failure)) => {
                let what = format!("{what} in {}", child.cluster);
                return Err(Error::new(failure).context(what));
            }
            // It has been left this moment.
            None => {}
        }
        desk.marked.note(child, None);
    }
    Ok(gone)
}

/// Deletes those of the children that the cluster of their owner has, held by owner references, that are `meant`.
pub(super) async fn remove_owned(
    declaration: &Declaration,
    cluster: &Cluster,
    uid: &str,
    meant: impl Fn(&Child) -> bool,
) -> Result<Vec<(String, String)>> {
    let mut gone = Vec::new();
    let ours = |meta: &ObjectMeta| controller_of(meta).is_some_and(|owner| owner.uid == uid);
    for kind in declaration.owns.iter().map(Kind::resource) {
        for key in cluster.known_owned_by(&kind, uid) {
            if !meant(&Child::new(cluster.name(), &kind, key.clone())) {
                continue;
            }
            let remote = Remote::new(cluster, &kind, key);
            let what = || format!("deleting {} {}", remote.kind().kind, remote.key());
            let removed = remove(cluster, &remote, ours).await;
            let answer = removed.map_err(|failure| Error::new(failure).context(what()))?;
            gone.extend(answer.as_ref().and_then(deleted));
        }
    }
    Ok(gone)
}

fn owned_kind(declaration: &Declaration, child: &Child) -> Option<ApiResource> {
    let kinds = declaration.owns.iter().map(Kind::resource);
    let mut kinds = kinds.filter(|kind| kind.plural == child.plural);
    kinds.find(|kind| kind.api_version == child.api_version)
}
