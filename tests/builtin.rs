//! A controller for a kind that comes with Kubernetes, which has no generation and no status.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kommodore::{Action, Cleanup, Context, Reconcile, Result, controller};
use kommodore_tests::{Fleet, NAMESPACE, Operator, Point, Probe, eventually, on_both_servers};
use kube::ResourceExt;
use kube::api::{Api, DeleteParams, Patch, PatchParams, PostParams};
use serde_json::json;

const FINALIZER: &str = "demo.kommodore.dev/vault";

/// Copies every ConfigMap that is on into a Secret.
#[controller(for = ConfigMap, owns(Secret), finalizer = "demo.kommodore.dev/vault")]
struct Vault {
    probe: Probe,
}

impl Reconcile for Vault {
    async fn reconcile(&self, map: &ConfigMap, cx: &Context<Self>) -> Result<Action> {
        self.probe.at(Point::Begin, cx).await?;
        let name = map.name_any();
        let data = map.data.clone().unwrap_or_default();
        if data.get("on").is_some_and(|on| on == "no") {
            // The second time there is nothing to delete any more.
            cx.delete::<Secret>(&name).await?;
            assert!(!cx.delete::<Secret>(&name).await?);
        } else {
            let mut copy = Secret {
                string_data: Some(data),
                ..Secret::default()
            };
            copy.metadata.name = Some(name);
            cx.apply(copy).await?;
        }
        self.probe.end(Point::Applied, cx).await
    }
}

impl Cleanup for Vault {
    async fn cleanup(&self, _: &ConfigMap, cx: &Context<Self>) -> Result<Action> {
        self.probe.end(Point::Cleanup, cx).await
    }
}

fn config_map(name: &str) -> ConfigMap {
    let mut map = ConfigMap {
        data: Some(BTreeMap::from([("on".into(), "yes".into())])),
        ..ConfigMap::default()
    };
    map.metadata.name = Some(name.into());
    map
}

fn api<K>(fleet: &Fleet) -> Api<K>
where
    K: kube::Resource<DynamicType = (), Scope = k8s_openapi::NamespaceResourceScope>,
{
    Api::namespaced(fleet.project_client("red"), NAMESPACE)
}

async fn at_work(fleet: &Fleet) -> (Probe, Operator) {
    fleet.create_shop("red").await;
    let probe = Probe::default();
    let operator = Operator::start(fleet.manager().controller(Vault {
        probe: probe.clone(),
    }));
    fleet.engaged("red", &["configmaps", "secrets"]).await;
    (probe, operator)
}

/// What others write into the namespace by themselves is reconciled as well, and is no part of a case.
fn about(name: &str, said: Vec<String>) -> Vec<String> {
    said.into_iter()
        .filter(|said| said.ends_with(&format!("/{name}")))
        .collect()
}

on_both_servers! {
    async fn our_own_writes_wake_nothing_there_either(fleet: &Fleet) {
        let (probe, _operator) = at_work(fleet).await;
        let maps = api::<ConfigMap>(fleet);
        let mark = fleet.requests().mark();
        maps.create(&PostParams::default(), &config_map("one")).await.unwrap();
        probe.comes(Point::Applied, "one", 1).await;
        // The next one comes and changes after the echoes of this one.
        for turn in ["a", "b"] {
            maps.create(&PostParams::default(), &config_map(turn)).await.unwrap();
            probe.comes(Point::Applied, turn, 1).await;
            let change = Patch::Merge(json!({"data": {"turn": turn}}));
            maps.patch(turn, &PatchParams::default(), &change).await.unwrap();
            probe.comes(Point::Applied, turn, 2).await;
        }
        assert_eq!(about("one", fleet.said("red", mark)), ["patch configmaps/one", "patch secrets/one"]);
        assert_eq!(probe.count(Point::Begin, "one"), 1);
        assert_eq!(maps.get("one").await.unwrap().finalizers(), [FINALIZER]);
    }

    async fn any_change_counts_and_a_delete_is_cleaned_up(fleet: &Fleet) {
        let (probe, _operator) = at_work(fleet).await;
        let (maps, secrets) = (api::<ConfigMap>(fleet), api::<Secret>(fleet));
        maps.create(&PostParams::default(), &config_map("one")).await.unwrap();
        let copied = async |key: &str, value: &str| {
            eventually(&format!("the Secret has {key}={value}"), async || match secrets.get("one").await {
                Ok(secret) if secret.data.as_ref().and_then(|data| data.get(key)).is_some_and(|found| found.0 == value.as_bytes()) => Ok(()),
                other => Err(other),
            })
            .await;
        };
        copied("on", "yes").await;
        let change = Patch::Merge(json!({"data": {"more": "words"}}));
        maps.patch("one", &PatchParams::default(), &change).await.unwrap();
        copied("more", "words").await;

        let off = Patch::Merge(json!({"data": {"on": "no"}}));
        maps.patch("one", &PatchParams::default(), &off).await.unwrap();
        eventually("the Secret is deleted", async || matches!(secrets.get_opt("one").await, Ok(None))).await;
        maps.delete("one", &DeleteParams::default()).await.unwrap();
        eventually("the ConfigMap is gone", async || matches!(maps.get_opt("one").await, Ok(None))).await;
        assert_eq!(probe.count(Point::Cleanup, "one"), 1);
    }
}
