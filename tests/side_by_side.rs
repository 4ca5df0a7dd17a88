//! The example operator and its twin, which is written by hand on kube-rs: the one is a fraction of the other, and both
//! do the same.

use std::process::Stdio;
use std::time::Duration;

use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use k8s_openapi::api::events::v1::Event;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::Timestamp;
use kommodore_tests::{
    Fleet, KubeconfigFile, NAMESPACE, Website, WebsiteSpec, WebsiteStatus, built, condition,
    eventually, status_of,
};
use kube::api::{Api, PostParams};
use kube::{Resource, ResourceExt};
use serde_json::json;
use tokio::process::{Child, Command};

const WEBSITE: &str = include_str!("../examples/website.rs");
const BY_HAND: &str = include_str!("../examples/website_by_hand.rs");

/// How much of the code by hand the operator may be at most.
const PERCENT: usize = 40;

/// The part that both share, and the lines of code of the operator itself.
fn parts(source: &str) -> (&str, usize) {
    let (_, rest) = source
        .split_once("\n// The kind, ")
        .expect("the mark of the kind");
    let (kind, operator) = rest
        .split_once("\n// The operator.\n")
        .expect("the mark of the operator");
    let lines = operator.lines().map(str::trim);
    let is_code =
        |line: &&str| !line.is_empty() && !line.starts_with("//") && !line.starts_with("use ");
    (kind, lines.filter(is_code).count())
}

#[test]
fn it_takes_a_fraction_of_the_code() {
    let (kind, website) = parts(WEBSITE);
    let (same_kind, by_hand) = parts(BY_HAND);
    assert_eq!(kind, same_kind, "the kind is the same in both");
    println!(
        "lines of code: {website} in website.rs, {by_hand} in website_by_hand.rs: {:.1} %",
        website as f64 * 100.0 / by_hand as f64
    );
    assert!(
        website * 100 <= by_hand * PERCENT,
        "{website} of {by_hand} lines are more than {PERCENT} %"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_do_the_same() {
    let with_kommodore = play("website").await;
    let by_hand = play("website_by_hand").await;
    assert_eq!(with_kommodore, by_hand);
}

/// What is to be seen at the API server, but for uids, times and managers of fields.
#[derive(Debug, PartialEq)]
struct Outcome {
    spec: WebsiteSpec,
    finalizers: Vec<String>,
    status: Option<WebsiteStatus>,
    page: ConfigMap,
    /// Type, reason, action and note of each event.
    events: Vec<[Option<String>; 4]>,
}

/// The outcomes of the steps of a website's life, with an example as the operator.
async fn play(example: &str) -> Vec<Outcome> {
    let fleet = Fleet::embedded().await;
    fleet.create_shop("red").await;
    let operator = Running::start(example, &fleet);
    let mut outcomes = Vec::new();

    fleet.create_website("red", "one").await;
    fleet.website_ready("red", "one").await;
    outcomes.push(outcome(&fleet).await);

    fleet.edit_page("red", "one").await;
    fleet
        .page_shows("red", "one", "<h1>one.example.com</h1>")
        .await;
    outcomes.push(outcome(&fleet).await);

    fleet.set_host("red", "one", "new.example.com").await;
    fleet.website_ready("red", "one").await;
    outcomes.push(outcome(&fleet).await);

    fleet
        .change_website("red", "one", json!({"spec": {"certificate": "tls"}}))
        .await;
    is_degraded(&fleet, "True").await;
    let events: Api<Event> = Api::namespaced(fleet.project_client("red"), NAMESPACE);
    eventually("it is told", async || {
        let told = events.list(&Default::default()).await.expect("the events");
        (told.items.len() == 1).then_some(())
    })
    .await;
    outcomes.push(outcome(&fleet).await);

    let mut secret = Secret::default();
    secret.metadata.name = Some("tls".into());
    let secrets: Api<Secret> = Api::namespaced(fleet.project_client("red"), NAMESPACE);
    secrets
        .create(&PostParams::default(), &secret)
        .await
        .expect("the Secret is created");
    is_degraded(&fleet, "False").await;
    fleet.website_ready("red", "one").await;
    outcomes.push(outcome(&fleet).await);

    refuses_the_page_of_another(&fleet).await;
    fleet.delete_website("red", "one").await;
    fleet.website_gone("red", "one").await;
    let pages = fleet.pages("red");
    eventually("the page goes with its website", async || {
        matches!(pages.get_opt("one").await, Ok(None))
    })
    .await;
    operator.stop().await;
    outcomes
}

async fn is_degraded(fleet: &Fleet, status: &str) {
    fleet
        .website_is("red", "one", &format!("Degraded is {status}"), |website| {
            condition(website, "Degraded").is_some_and(|known| {
                known.status == status && known.observed_generation == website.metadata.generation
            })
        })
        .await;
}

/// A page that another website controls is left alone, and that is said.
async fn refuses_the_page_of_another(fleet: &Fleet) {
    let one = fleet.website_ready("red", "one").await;
    let mut other = ConfigMap::default();
    other.metadata.name = Some("two".into());
    other.metadata.owner_references = Some(one.controller_owner_ref(&()).into_iter().collect());
    let other = fleet
        .pages("red")
        .create(&PostParams::default(), &other)
        .await
        .expect("it is created");
    fleet.create_website("red", "two").await;
    let two = fleet
        .website_is("red", "two", "its Ready is False", |website| {
            condition(website, "Ready").is_some_and(|ready| ready.status == "False")
        })
        .await;
    assert_eq!(status_of(&two, "Ready"), Some(("False", "ReconcileFailed")));
    assert_eq!(
        status_of(&two, "DnsConfigured"),
        Some(("Unknown", "Pending"))
    );
    fleet.delete_website("red", "two").await;
    fleet.website_gone("red", "two").await;
    assert_eq!(
        fleet
            .pages("red")
            .get("two")
            .await
            .expect("it is still there"),
        other
    );
}

async fn outcome(fleet: &Fleet) -> Outcome {
    let website: Website = fleet.websites("red").get("one").await.expect("the website");
    let mut status = website.status.clone();
    for condition in status.iter_mut().flat_map(|status| &mut status.conditions) {
        condition.last_transition_time = Time(Timestamp::UNIX_EPOCH);
    }
    let mut page = fleet.pages("red").get("one").await.expect("its page");
    for owner in page.owner_references_mut() {
        assert_eq!(Some(std::mem::take(&mut owner.uid)), website.metadata.uid);
    }
    page.metadata.uid = None;
    page.metadata.resource_version = None;
    page.metadata.creation_timestamp = None;
    page.metadata.managed_fields = None;
    let events: Api<Event> = Api::namespaced(fleet.project_client("red"), NAMESPACE);
    let told = |event: Event| [event.type_, event.reason, event.action, event.note];
    let events = events.list(&Default::default()).await.expect("the events");
    Outcome {
        events: events.items.into_iter().map(told).collect(),
        finalizers: website.finalizers().to_vec(),
        spec: website.spec,
        status,
        page,
    }
}

/// An example that works in a fleet.
struct Running {
    process: Child,
    /// Removed when it has ended.
    _kubeconfig: KubeconfigFile,
}

impl Running {
    fn start(example: &str, fleet: &Fleet) -> Self {
        let access = fleet.kubeconfig().expect("an embedded fleet");
        let kubeconfig = KubeconfigFile::write(&access, example);
        let process = Command::new(built(example))
            .arg("--kubeconfig")
            .arg(&kubeconfig.0)
            .env("RUST_LOG", "error,kube_client=off")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("the example starts");
        Self {
            process,
            _kubeconfig: kubeconfig,
        }
    }

    /// Asks it to end, and waits until it has done so in good order.
    async fn stop(mut self) {
        let id = self.process.id().expect("it is still running").to_string();
        let asked = Command::new("kill").args(["-TERM", &id]).status().await;
        assert!(asked.expect("`kill` is there").success());
        let ended = tokio::time::timeout(Duration::from_secs(30), self.process.wait()).await;
        let status = ended
            .expect("it ends when it is asked to")
            .expect("it has a status");
        assert!(status.success(), "{status}");
    }
}
