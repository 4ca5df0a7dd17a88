//! Deletes everything in a control plane, as Milo does before it lets go of a project.

use std::collections::BTreeSet;

use futures::{StreamExt, TryStreamExt, stream};
use http::Request;
use kube::api::{
    Api, DeleteParams, DynamicObject, ListParams, PartialObjectMeta, Patch, PatchParams,
};
use kube::core::ApiResource;
use kube::{Client, ResourceExt};
use serde_json::{Value, json};

/// Groups that hold what belongs to the server, or what all projects share.
const LEFT_ALONE: [&str; 12] = [
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "apiregistration.k8s.io",
    "authentication.k8s.io",
    "authorization.k8s.io",
    "certificates.k8s.io",
    // The same objects as the core group's events.
    "events.k8s.io",
    "flowcontrol.apiserver.k8s.io",
    "internal.apiserver.k8s.io",
    "rbac.authorization.k8s.io",
    "scheduling.k8s.io",
    "storage.k8s.io",
];

/// What servers other than Milo's put into every cluster by themselves.
const ALWAYS_THERE: [(&str, &str); 7] = [
    ("configmaps", "kube-root-ca.crt"),
    ("endpoints", "kubernetes"),
    ("endpointslices", "kubernetes"),
    ("namespaces", "default"),
    ("serviceaccounts", "default"),
    ("servicecidrs", "kubernetes"),
    ("services", "kubernetes"),
];

struct Kind {
    resource: ApiResource,
    namespaced: bool,
    in_collections: bool,
}

type Remaining = PartialObjectMeta<DynamicObject>;

/// How thoroughly a control plane is emptied.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Purge {
    /// Lets go of empty namespaces that terminate, where no namespace controller does.
    pub(crate) finalize_namespaces: bool,
    /// Takes away the finalizers of what is to go, whosever they are.
    pub(crate) strip_finalizers: bool,
}

impl Purge {
    /// Deletes what is there, once; whether nothing is left.
    pub(crate) async fn pass(self, client: &Client) -> kube::Result<bool> {
        let (namespaces, others): (Vec<Kind>, Vec<Kind>) =
            kinds(client).await?.into_iter().partition(|kind| {
                kind.resource.plural == "namespaces" && kind.resource.group.is_empty()
            });
        // A handful at a time, for the sake of the others.
        let left: Vec<Vec<Remaining>> = stream::iter(others)
            .map(|kind| async move { self.kind(client, &kind).await })
            .buffer_unordered(4)
            .try_collect()
            .await?;
        let occupied: BTreeSet<String> = left
            .iter()
            .flatten()
            .filter_map(ResourceExt::namespace)
            .collect();
        let mut empty = left.iter().all(Vec::is_empty);
        for kind in &namespaces {
            for namespace in self.kind(client, kind).await? {
                empty = false;
                let name = namespace.name_any();
                if self.finalize_namespaces && !occupied.contains(&name) {
                    finalize(client, &name).await?;
                }
            }
        }
        Ok(empty)
    }

    /// Deletes all objects of a kind; those that are still there, or were until now.
    async fn kind(self, client: &Client, kind: &Kind) -> kube::Result<Vec<Remaining>> {
        let api: Api<DynamicObject> = Api::all_with(client.clone(), &kind.resource);
        let list = match api.list_metadata(&ListParams::default()).await {
            Err(kube::Error::Api(status)) if matches!(status.code, 404 | 405) => {
                return Ok(Vec::new());
            }
            list => list?,
        };
        let mut left = list.items;
        left.retain(|object| !is_always_there(&kind.resource.plural, object));
        let stays = left
            .iter()
            .filter(|object| object.metadata.deletion_timestamp.is_none());
        if kind.namespaced && kind.in_collections {
            for namespace in stays
                .filter_map(ResourceExt::namespace)
                .collect::<BTreeSet<_>>()
            {
                let api: Api<DynamicObject> =
                    Api::namespaced_with(client.clone(), &namespace, &kind.resource);
                gone_is_fine(
                    api.delete_collection(&DeleteParams::background(), &ListParams::default())
                        .await,
                )?;
            }
        } else {
            for object in stays {
                let api = kind.api_of(client, object);
                gone_is_fine(
                    api.delete(&object.name_any(), &DeleteParams::background())
                        .await,
                )?;
            }
        }
        if self.strip_finalizers {
            let nothing = Patch::Merge(json!({"metadata": {"finalizers": null}}));
            for object in left.iter().filter(|object| !object.finalizers().is_empty()) {
                let api = kind.api_of(client, object);
                gone_is_fine(
                    api.patch_metadata(&object.name_any(), &PatchParams::default(), &nothing)
                        .await,
                )?;
            }
        }
        // Events come and go by themselves, not least those about this deletion: nobody waits for them.
        Ok(if kind.resource.plural == "events" {
            Vec::new()
        } else {
            left
        })
    }
}

impl Kind {
    fn api_of(&self, client: &Client, object: &Remaining) -> Api<DynamicObject> {
        match object.namespace() {
            Some(namespace) => Api::namespaced_with(client.clone(), &namespace, &self.resource),
            None => Api::all_with(client.clone(), &self.resource),
        }
    }
}

/// What can be listed and deleted, by discovery; of a group the version that the server prefers.
async fn kinds(client: &Client) -> kube::Result<Vec<Kind>> {
    let mut lists = vec![client.list_core_api_resources("v1").await?];
    for group in client.list_api_groups().await?.groups {
        let preferred = group.preferred_version.as_ref().or(group.versions.first());
        if let Some(version) = preferred.filter(|_| !LEFT_ALONE.contains(&group.name.as_str())) {
            match client
                .list_api_group_resources(&version.group_version)
                .await
            {
                // Its last CRD has just been deleted.
                Err(kube::Error::Api(status)) if status.code == 404 => {}
                list => lists.push(list?),
            }
        }
    }
    let kinds = lists.into_iter().flat_map(|list| {
        let (group, version) = match list.group_version.split_once('/') {
            Some((group, version)) => (group.to_owned(), version.to_owned()),
            None => (String::new(), list.group_version.clone()),
        };
        list.resources.into_iter().filter_map(move |resource| {
            let can = |verb: &str| resource.verbs.iter().any(|has| has == verb);
            (!resource.name.contains('/') && can("list") && can("delete")).then(|| Kind {
                namespaced: resource.namespaced,
                in_collections: can("deletecollection"),
                resource: ApiResource {
                    group: group.clone(),
                    version: version.clone(),
                    api_version: list.group_version.clone(),
                    kind: resource.kind.clone(),
                    plural: resource.name.clone(),
                },
            })
        })
    });
    Ok(kinds.collect())
}

fn is_always_there(plural: &str, object: &Remaining) -> bool {
    let name = object.name_any();
    let of_the_system = |namespace: &str| namespace.starts_with("kube-");
    let namespace = if plural == "namespaces" {
        Some(name.clone())
    } else {
        object.namespace()
    };
    namespace.is_some_and(|namespace| of_the_system(&namespace))
        || ALWAYS_THERE.contains(&(plural, name.as_str()))
        || (plural == "ipaddresses" && object.namespace().is_none())
}

fn gone_is_fine<T>(result: kube::Result<T>) -> kube::Result<()> {
    match result {
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
        other => other.map(|_| ()),
    }
}

/// What a namespace controller does once nothing is left in a namespace.
async fn finalize(client: &Client, name: &str) -> kube::Result<()> {
    let body = json!({
        "apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}, "spec": {"finalizers": []},
    });
    let request = Request::put(format!("/api/v1/namespaces/{name}/finalize"))
        .header("content-type", "application/json")
        .body(body.to_string().into_bytes())
        .map_err(kube::Error::HttpError)?;
    gone_is_fine(client.request::<Value>(request).await)
}
