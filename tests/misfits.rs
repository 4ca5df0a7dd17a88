//! Objects and kinds of somebody else, which do not quite fit the Rust types that they are read into.

use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kommodore::{Action, Builder, ConditionEntry, Context, Reconcile, Result, controller};
use kommodore_tests::{Fleet, NAMESPACE, Operator, Point, Probe, eventually, on_both_servers};
use kube::api::{
    Api, ApiResource, DeleteParams, DynamicObject, Patch, PatchParams, PostParams, TypeMeta,
};
use kube::core::GroupVersionKind;
use kube::{CustomResource, ResourceExt};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Needs a host, which the CRD does not.
#[derive(CustomResource, Clone, Debug, Serialize, Deserialize)]
#[kube(
    group = "misfits.dev",
    version = "v1",
    kind = "Note",
    namespaced,
    status = "NoteStatus",
    schema = "disabled"
)]
struct NoteSpec {
    host: String,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct NoteStatus {
    #[serde(default)]
    conditions: Vec<Condition>,
}

/// Has conditions as those of a Deployment or a Job: without `observedGeneration`.
#[derive(CustomResource, Clone, Debug, Serialize, Deserialize)]
#[kube(
    group = "misfits.dev",
    version = "v1",
    kind = "Plain",
    namespaced,
    status = "PlainStatus",
    schema = "disabled"
)]
struct PlainSpec {
    host: String,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct PlainStatus {
    #[serde(default)]
    conditions: Vec<PlainCondition>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PlainCondition {
    r#type: String,
    status: String,
    reason: Option<String>,
    message: Option<String>,
    last_transition_time: Option<String>,
}

impl ConditionEntry for PlainCondition {}

#[controller(for = Note, conditions)]
struct Notes {
    probe: Probe,
}

impl Reconcile for Notes {
    async fn reconcile(&self, _: &Note, cx: &Context<Self>) -> Result<Action> {
        self.probe.end(Point::Begin, cx).await
    }
}

#[controller(for = Plain, conditions)]
struct Plains {
    probe: Probe,
}

impl Reconcile for Plains {
    async fn reconcile(&self, _: &Plain, cx: &Context<Self>) -> Result<Action> {
        self.probe.end(Point::Begin, cx).await
    }
}

/// Remembers which notes its cluster had at each run.
#[controller(for = Note)]
#[derive(Clone, Default)]
struct Lister {
    lists: Arc<Mutex<Vec<Vec<String>>>>,
}

impl Reconcile for Lister {
    async fn reconcile(&self, _: &Note, cx: &Context<Self>) -> Result<Action> {
        let names = cx.cluster().list::<Note>().map(|note| note.name_any());
        let names = names.collect();
        self.lists.lock().unwrap().push(names);
        Ok(Action::done())
    }
}

impl Lister {
    /// The first list that has this one.
    fn with(&self, name: &str) -> Option<Vec<String>> {
        let lists = self.lists.lock().unwrap();
        lists
            .iter()
            .find(|list| list.iter().any(|found| found == name))
            .cloned()
    }
}

/// A CRD that asks for nothing, and whose conditions have `fields` besides the usual ones.
fn crd(kind: &str, fields: Value) -> Value {
    let text = json!({"type": "string"});
    let mut all = json!({"type": text, "status": text, "reason": text, "message": text, "lastTransitionTime": text});
    for (name, schema) in fields.as_object().unwrap() {
        all[name] = schema.clone();
    }
    let one = kind.to_lowercase();
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{one}s.misfits.dev")},
        "spec": {
            "group": "misfits.dev", "scope": "Namespaced",
            "names": {"kind": kind, "plural": format!("{one}s"), "singular": one, "listKind": format!("{kind}List")},
            "versions": [{
                "name": "v1", "served": true, "storage": true, "subresources": {"status": {}},
                "schema": {"openAPIV3Schema": {"type": "object", "properties": {
                    "spec": {"type": "object", "properties": {"host": text}},
                    "status": {"type": "object", "properties": {
                        "conditions": {"type": "array", "items": {"type": "object", "properties": all}},
                    }},
                }}},
            }],
        },
    })
}

/// The objects of one kind in the project red, as the server has them.
#[derive(Clone)]
struct Raw {
    kind: &'static str,
    api: Api<DynamicObject>,
}

impl Raw {
    async fn create(&self, name: &str, spec: Value) {
        let mut object = DynamicObject::new(name, &self.resource());
        object.types = Some(TypeMeta {
            api_version: "misfits.dev/v1".into(),
            kind: self.kind.into(),
        });
        object.data = json!({"spec": spec});
        self.api
            .create(&PostParams::default(), &object)
            .await
            .unwrap();
    }

    async fn change(&self, name: &str, patch: Value) {
        let patch = Patch::Merge(patch);
        self.api
            .patch(name, &PatchParams::default(), &patch)
            .await
            .unwrap();
    }

    /// The conditions, once there are `count` of them.
    async fn conditions(&self, name: &str, count: usize) -> Vec<Value> {
        eventually(&format!("{name} has {count} conditions"), async || {
            let object = self
                .api
                .get(name)
                .await
                .map_err(|error| error.to_string())?;
            match object.data["status"]["conditions"].as_array() {
                Some(conditions) if conditions.len() == count => Ok(conditions.clone()),
                _ => Err(object.data.to_string()),
            }
        })
        .await
    }

    fn resource(&self) -> ApiResource {
        resource(self.kind)
    }
}

fn resource(kind: &str) -> ApiResource {
    ApiResource::from_gvk(&GroupVersionKind::gvk("misfits.dev", "v1", kind))
}

/// The project red, which serves a kind.
async fn serving(fleet: &Fleet, kind: &'static str, fields: Value) -> Raw {
    fleet.install(crd(kind, fields)).await;
    fleet.create_shop("red").await;
    let api = Api::namespaced_with(fleet.project_client("red"), NAMESPACE, &resource(kind));
    eventually("the kind is served", async || {
        api.list(&Default::default()).await
    })
    .await;
    Raw { kind, api }
}

async fn notes(fleet: &Fleet) -> Raw {
    let fields = json!({"severity": {"type": "string"}, "observedGeneration": {"type": "integer"}});
    serving(fleet, "Note", fields).await
}

async fn is_listed_and_does_not_fit(fleet: &Fleet, manager: Builder) {
    let notes = notes(fleet).await;
    notes.create("bad", json!({})).await;
    notes.create("good", json!({"host": "x"})).await;
    let probe = Probe::default();
    let controller = Notes {
        probe: probe.clone(),
    };
    let _operator = Operator::start(manager.controller(controller));
    probe.comes(Point::Begin, "good", 1).await;
    assert_eq!(probe.count(Point::Begin, "bad"), 0);
    // Once it fits it is worked on as any other.
    notes.change("bad", json!({"spec": {"host": "y"}})).await;
    probe.comes(Point::Begin, "bad", 1).await;
}

on_both_servers! {
    async fn one_that_does_not_fit_its_type_and_is_listed_costs_no_other(fleet: &Fleet) {
        is_listed_and_does_not_fit(fleet, fleet.manager()).await;
    }

    async fn one_that_does_not_fit_its_type_and_comes_in_a_page_costs_no_other(fleet: &Fleet) {
        is_listed_and_does_not_fit(fleet, fleet.manager_of_pages().await).await;
    }

    async fn one_that_does_not_fit_its_type_and_comes_later_costs_no_other(fleet: &Fleet) {
        let notes = notes(fleet).await;
        let probe = Probe::default();
        let _operator = Operator::start(fleet.manager().controller(Notes { probe: probe.clone() }));
        fleet.engaged("red", &["notes"]).await;
        notes.create("first", json!({"host": "x"})).await;
        probe.comes(Point::Begin, "first", 1).await;
        notes.create("bad", json!({})).await;
        notes.create("good", json!({"host": "x"})).await;
        probe.comes(Point::Begin, "good", 1).await;
        assert_eq!(probe.count(Point::Begin, "bad"), 0);
    }

    async fn one_that_ceases_to_fit_and_is_deleted_is_gone_from_the_lists(fleet: &Fleet) {
        let notes = notes(fleet).await;
        let lister = Lister::default();
        let _operator = Operator::start(fleet.manager().controller(lister.clone()));
        fleet.engaged("red", &["notes"]).await;
        notes.create("one", json!({"host": "x"})).await;
        eventually("it is listed", async || lister.with("one")).await;
        notes.change("one", json!({"spec": {"host": null}})).await;
        notes.api.delete("one", &DeleteParams::default()).await.unwrap();
        notes.create("two", json!({"host": "x"})).await;
        assert_eq!(eventually("the other is listed", async || lister.with("two")).await, ["two"]);
    }

    async fn a_condition_of_somebody_else_keeps_the_fields_that_its_type_does_not_know(fleet: &Fleet) {
        let notes = notes(fleet).await;
        notes.create("one", json!({"host": "x"})).await;
        let foreign = json!({
            "type": "Backup", "status": "False", "reason": "Late", "message": "it is late",
            "lastTransitionTime": "2026-01-01T00:00:00Z", "severity": "Warning",
        });
        let patch = Patch::Merge(json!({"status": {"conditions": [foreign]}}));
        notes.api.patch_status("one", &PatchParams::default(), &patch).await.unwrap();
        let _operator = Operator::start(fleet.manager().controller(Notes { probe: Probe::default() }));
        assert_eq!(notes.conditions("one", 2).await[0], foreign);
    }

    async fn conditions_without_a_generation_are_not_written_anew_when_nothing_changes(fleet: &Fleet) {
        let plains = serving(fleet, "Plain", json!({})).await;
        let probe = Probe::default();
        let _operator = Operator::start(fleet.manager().controller(Plains { probe: probe.clone() }));
        fleet.engaged("red", &["plains"]).await;
        let mark = fleet.requests().mark();
        plains.create("one", json!({"host": "x"})).await;
        plains.conditions("one", 1).await;
        // A run begins when the one before has written. The times have whole seconds.
        for turn in 2..5 {
            let second = Timestamp::now().as_second();
            eventually("another second", async || Timestamp::now().as_second() > second).await;
            plains.change("one", json!({"metadata": {"labels": {"turn": turn.to_string()}}})).await;
            probe.comes(Point::Begin, "one", turn).await;
        }
        assert_eq!(fleet.wrote("red", mark), ["patch plains/one/status"]);
    }
}
