//! What a run has written is known to the next, however late the watch is that tells of it; and what others do to it in the
//! meantime is not overwritten.

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::api::core::v1::ConfigMap;
use kommodore::kube::core::Selector;
use kommodore::{Action, Builder, ClusterState, Context, Reconcile, Result, controller};
use kommodore_control_plane::Fault as Trouble;
use kommodore_tests::{
    Asked, Fault, Fleet, Operator, Point, Probe, Quiet, Sites, Website, condition, eventually,
    on_both_servers, page, stands, status_of,
};
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use serde_json::json;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

/// Keeps a page, and says what it sees after that: whether it is there, and how many there are.
#[controller(for = Website, owns(ConfigMap(full)), conditions)]
#[derive(Clone, Default)]
struct Seeing {
    probe: Probe,
}

/// Takes the page away and makes another one of the same content, each time.
#[controller(for = Website, owns(ConfigMap(full)), conditions)]
#[derive(Clone, Default)]
struct Anew {
    probe: Probe,
}

impl Reconcile for Seeing {
    async fn reconcile(&self, site: &Website, cx: &Context<Self>) -> Result<Action> {
        cx.apply(page(site)).await?;
        let there = cx.get::<ConfigMap>(cx.key().name.as_str()).await?;
        let all = cx.list::<ConfigMap>(Selector::default()).await?;
        let ours = all
            .iter()
            .filter(|page| page.metadata.owner_references.is_some());
        let seen = format!("{} {}", there.is_some(), ours.count());
        cx.status(|status| status.url = Some(seen));
        self.probe.end(Point::Applied, cx).await
    }
}

impl Reconcile for Anew {
    async fn reconcile(&self, site: &Website, cx: &Context<Self>) -> Result<Action> {
        let name = cx.key().name.as_str();
        cx.delete::<ConfigMap>(name).await?;
        let left = cx.get::<ConfigMap>(name).await?;
        cx.apply(page(site)).await?;
        cx.status(|status| status.url = Some(format!("left {}", left.is_some())));
        self.probe.end(Point::Applied, cx).await
    }
}

/// Looks again every now and then, and says what it sees after a word of its own.
#[controller(for = Website, conditions)]
struct Looking {
    word: watch::Receiver<&'static str>,
}

impl Reconcile for Looking {
    async fn reconcile(&self, site: &Website, cx: &Context<Self>) -> Result<Action> {
        let seen = format!("{} {}", *self.word.borrow(), site.spec.host);
        cx.status(|status| status.url = Some(seen));
        Ok(Action::requeue(Duration::from_secs(10)))
    }
}

/// A manager to which the watches of pages tell nothing while the switch is on.
async fn late(fleet: &Fleet) -> (watch::Sender<bool>, Builder) {
    let (switch, lags) = watch::channel(false);
    let rule = move |asked: &Asked<'_>| match asked.watches("configmaps") {
        true => Fault::Lag(lags.clone()),
        false => Fault::None,
    };
    fleet.create_shop("red").await;
    (switch, fleet.manager_behind(rule).await)
}

/// Lets a manager work, once it has listed everything.
async fn at_work(manager: Builder) -> Operator {
    let status = manager.fleet();
    let operator = Operator::start(manager);
    stands(&status, "red", ClusterState::Engaged).await;
    operator
}

/// Lets it run once more for `one`.
async fn run_again(fleet: &Fleet, probe: &Probe) {
    let runs = probe.count(Point::Applied, "one");
    let label = json!({"metadata": {"labels": {"run": format!("{runs}")}}});
    fleet.change_website("red", "one", label).await;
    probe.comes(Point::Applied, "one", runs + 1).await;
}

async fn says(fleet: &Fleet, url: &str) {
    let says = |one: &Website| {
        let status = one.status.as_ref();
        status.is_some_and(|status| status.url.as_deref() == Some(url))
    };
    fleet.website_is("red", "one", url, says).await;
}

on_both_servers! {
    async fn what_has_just_been_made_is_seen_and_not_made_again(fleet: &Fleet) {
        let (late, manager) = late(fleet).await;
        let seeing = Seeing::default();
        let _operator = at_work(manager.controller(seeing.clone())).await;
        late.send_replace(true);
        let mark = fleet.requests().mark();
        fleet.create_website("red", "one").await;
        says(fleet, "true 1").await;
        run_again(fleet, &seeing.probe).await;
        run_again(fleet, &seeing.probe).await;
        let mut wrote = fleet.wrote("red", mark);
        wrote.retain(|words| words.contains("configmaps"));
        assert_eq!(wrote, ["patch configmaps/one"]);
        late.send_replace(false);
        run_again(fleet, &seeing.probe).await;
        says(fleet, "true 1").await;
    }

    async fn what_has_just_been_deleted_is_not_seen_and_made_again(fleet: &Fleet) {
        let (late, manager) = late(fleet).await;
        let anew = Anew::default();
        let _operator = at_work(manager.controller(anew.clone())).await;
        fleet.create_website("red", "one").await;
        fleet.page_shows("red", "one", "one.example.com").await;
        says(fleet, "left false").await;
        for lags in [false, true] {
            late.send_replace(lags);
            let before = fleet.pages("red").get("one").await.unwrap();
            run_again(fleet, &anew.probe).await;
            let after = fleet.pages("red").get("one").await.unwrap();
            assert_ne!(before.metadata.uid, after.metadata.uid, "lags: {lags}");
            says(fleet, "left false").await;
        }
    }

    async fn what_has_come_in_the_place_of_a_child_is_left_alone(fleet: &Fleet) {
        let (late, manager) = late(fleet).await;
        let _operator = at_work(manager.controller(Sites::default())).await;
        fleet.create_website("red", "one").await;
        fleet.website_ready("red", "one").await;
        late.send_replace(true);
        let pages = fleet.pages("red");
        pages.delete("one", &DeleteParams::default()).await.unwrap();
        let mut precious = ConfigMap {
            data: Some(BTreeMap::from([("index.html".into(), "precious".into())])),
            ..ConfigMap::default()
        };
        precious.metadata.name = Some("one".into());
        pages.create(&PostParams::default(), &precious).await.unwrap();
        fleet.set_host("red", "one", "new.example.com").await;
        let failed = |one: &Website| status_of(one, "Ready") == Some(("False", "ReconcileFailed"));
        let one = fleet.website_is("red", "one", "it is refused", failed).await;
        let message = &condition(&one, "Ready").unwrap().message;
        assert!(message.contains("controlled by nobody"), "{message}");
        let page = pages.get("one").await.unwrap();
        assert_eq!(page.data.unwrap()["index.html"], "precious");
        assert_eq!(page.metadata.owner_references, None);
        // Nobody is there any more, and the watch still says that it is the first one.
        pages.delete("one", &DeleteParams::default()).await.unwrap();
        fleet.page_shows("red", "one", "new.example.com").await;
    }
}

/// Less than it takes until a watch that says nothing is given up.
const SOON: Duration = Duration::from_secs(60);

#[tokio::test(start_paused = true)]
async fn what_we_wrote_in_a_child_is_read_anew_when_its_watch_is_far_behind() {
    let quiet = Quiet::new(["red"]).await;
    quiet.create("red").await;
    let _operator = Operator::start(quiet.manager().controller(Sites::default()));
    quiet.shows("red", "http://one.example.com").await;
    let hung = Trouble::hung_watch().of("configmaps");
    let _hung = quiet.plane().inject(hung);
    quiet.change("red", json!({"spec": {"host": "new"}})).await;
    quiet.shows("red", "http://new").await;
    // Somebody puts something else into it, of which nobody hears.
    let (params, pages) = (PatchParams::default(), quiet.pages("red"));
    let wrong = Patch::Merge(json!({"data": {"index.html": "wrong"}}));
    pages.patch("one", &params, &wrong).await.unwrap();
    let began = Instant::now();
    sleep(Duration::from_secs(6)).await;
    let label = json!({"metadata": {"labels": {"a": "b"}}});
    quiet.change("red", label).await;
    eventually("it is put right", async || {
        let page = pages.get("one").await.unwrap();
        page.data.unwrap()["index.html"] == "new"
    })
    .await;
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn the_object_itself_is_read_anew_when_its_watch_is_far_behind() {
    let quiet = Quiet::new(["red"]).await;
    quiet.create("red").await;
    let (words, word) = watch::channel("first");
    let _operator = Operator::start(quiet.manager().controller(Looking { word }));
    quiet.shows("red", "first one.example.com").await;
    let _hung = quiet.plane().inject(Trouble::hung_watch().of("websites"));
    // So that we write what no watch tells of.
    words.send_replace("then");
    quiet.shows("red", "then one.example.com").await;
    quiet.change("red", json!({"spec": {"host": "new"}})).await;
    let began = Instant::now();
    quiet.shows("red", "then new").await;
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_started_again_costs_no_write() {
    let mut quiet = Quiet::new(["red"]).await;
    quiet.create("red").await;
    let sites = Sites::default();
    let _operator = Operator::start(quiet.manager().controller(sites.clone()));
    quiet.shows("red", "http://one.example.com").await;
    for times in 1..=3 {
        // It ends with what has just been written on its way to nobody.
        let host = format!("{times}.example.com");
        quiet.change("red", json!({"spec": {"host": host}})).await;
        quiet.shows("red", &format!("http://{host}")).await;
        let (mark, runs) = (
            quiet.plane().requests().mark(),
            sites.probe.count(Point::Begin, "one"),
        );
        quiet.restart().await;
        sleep(SOON).await;
        let writes = quiet.plane().requests().writes(mark);
        assert!(writes.is_empty(), "{writes:?}");
        let label = json!({"metadata": {"labels": {"times": host}}});
        quiet.change("red", label).await;
        sites.probe.comes(Point::Applied, "one", runs + 1).await;
        sleep(SOON).await;
        let writes = quiet.plane().requests().writes(mark);
        assert_eq!(writes.len(), 1, "the label: {writes:?}");
    }
}
