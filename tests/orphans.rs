//! Nothing is left behind and nothing is lost: an operator that spreads its children over a fleet, under a paused clock,
//! while users create, move and delete, clusters flap, servers are in trouble, and the operator itself is killed.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::future::{join, join_all};
use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
use kommodore::{
    Action, Cleanup, ClusterName, Context, Error, Manager, Milo, Reconcile, Result, controller,
};
use kommodore_control_plane::{ControlPlane, Fault, Injected, Verb};
use kommodore_tests::{NAMESPACE, Operator, Website, crds, page, status_of, website};
use kube::api::{Api, ApiResource, DeleteParams, DynamicObject, ListParams};
use kube::api::{Patch, PatchParams, PostParams};
use kube::{Client, ResourceExt};
use serde_json::{Value, json};
use tokio::time::sleep;

const PROJECTS: [&str; 3] = ["red", "green", "hub"];
const SITES: u64 = 3;
const MINUTE: Duration = Duration::from_secs(60);

/// Puts the page of a website into the hub or beside it, and takes it away from where it was.
#[controller(
    for = Website,
    name = "spread",
    owns(ConfigMap),
    finalizer = "demo.kommodore.dev/spread",
    conditions,
    prune,
)]
struct Spread;

impl Reconcile for Spread {
    async fn reconcile(&self, site: &Website, cx: &Context<Self>) -> Result<Action> {
        let mut page = page(site);
        page.metadata.name = Some(format!("{}-{}", cx.cluster().name(), site.name_any()));
        if site.spec.host.starts_with("far") {
            let hub = cx.find_cluster(&ClusterName::new("hub")?);
            let away = || Error::retry_in(Duration::from_secs(5), "the hub is away");
            cx.apply(page).to(&hub.ok_or_else(away)?).await?;
        } else {
            cx.apply(page).await?;
        }
        Ok(Action::done())
    }
}

impl Cleanup for Spread {
    async fn cleanup(&self, _: &Website, _: &Context<Self>) -> Result<Action> {
        Ok(Action::done())
    }
}

/// Draws what a seed decides (SplitMix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let bits = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (bits ^ (bits >> 31)) % limit
    }

    fn seconds(&mut self, limit: u64) -> Duration {
        Duration::from_millis(self.below(limit * 1_000))
    }
}

/// What a user wants, until it is done, or has been.
async fn insist<T>(code: u16, mut wish: impl AsyncFnMut() -> kube::Result<T>) {
    loop {
        match wish().await {
            Ok(_) => return,
            Err(kube::Error::Api(status)) if status.code == code => return,
            Err(_) => sleep(Duration::from_secs(3)).await,
        }
    }
}

fn kind() -> ApiResource {
    ApiResource {
        group: "resourcemanager.miloapis.com".into(),
        version: "v1alpha1".into(),
        api_version: "resourcemanager.miloapis.com/v1alpha1".into(),
        kind: "Project".into(),
        plural: "projects".into(),
    }
}

fn projects(root: Client) -> Api<DynamicObject> {
    Api::all_with(root, &kind())
}

/// A user of one project.
async fn use_it(client: Client, mut dice: Dice) {
    let namespaces: Api<Namespace> = Api::all(client.clone());
    let mut shop = Namespace::default();
    shop.metadata.name = Some(NAMESPACE.into());
    let params = PostParams::default();
    insist(409, async || namespaces.create(&params, &shop).await).await;
    let websites: Api<Website> = Api::namespaced(client, NAMESPACE);
    for _ in 0..14 {
        let name = format!("site-{}", dice.below(SITES));
        let place = ["far", "near"][usize::from(dice.below(2) == 0)];
        let host = format!("{place}-{}", dice.below(1_000));
        let patch = |patch: Value| {
            let (websites, name) = (websites.clone(), name.clone());
            async move {
                let params = PatchParams::default();
                let patch = Patch::Merge(patch);
                insist(404, async || websites.patch(&name, &params, &patch).await).await;
            }
        };
        match dice.below(8) {
            0..=2 => {
                let mut site = website(&name);
                site.spec.host = host;
                insist(409, async || websites.create(&params, &site).await).await;
            }
            3..=5 => patch(json!({"spec": {"host": host}})).await,
            by_force => {
                let params = DeleteParams::default();
                insist(404, async || websites.delete(&name, &params).await).await;
                if by_force == 7 {
                    patch(json!({"metadata": {"finalizers": null}})).await;
                }
            }
        }
        sleep(dice.seconds(40)).await;
    }
}

/// What goes wrong in a project.
fn trouble(dice: &mut Dice, project: &str) -> Fault {
    let fault = match dice.below(7) {
        0 => Fault::status(503),
        1 => Fault::status(429).retry_after(3),
        2 => Fault::dropped_watch(),
        3 => Fault::expired_watch(),
        4 => Fault::partition(),
        5 => Fault::lost_answer().verb(Verb::Patch).times(2),
        _ => Fault::lost_answer().verb(Verb::Delete).times(2),
    };
    fault.in_project(project)
}

async fn set_ready(root: Client, project: &str, ready: bool) {
    let status = if ready { "True" } else { "False" };
    let patch = Patch::Merge(json!({"status": {"conditions": [{
        "type": "Ready", "status": status, "reason": "Flaps", "message": "", "lastTransitionTime": "2020-02-02T02:02:02Z",
    }]}}));
    let (projects, params) = (projects(root), PatchParams::default());
    insist(404, async || {
        projects.patch_status(project, &params, &patch).await
    })
    .await;
}

/// Lets things go wrong, each for a while, and clusters flap.
async fn meddle(plane: &ControlPlane, mut dice: Dice) {
    let mut faults = Vec::<Injected>::new();
    for _ in 0..10 {
        let project = PROJECTS[usize::try_from(dice.below(3)).unwrap()];
        if dice.below(3) == 0 {
            set_ready(plane.client().unwrap(), project, false).await;
            sleep(dice.seconds(60)).await;
            set_ready(plane.client().unwrap(), project, true).await;
        } else {
            faults.push(plane.inject(trouble(&mut dice, project)));
            sleep(dice.seconds(60)).await;
            if faults.len() > 2 {
                drop(faults.remove(0));
            }
        }
    }
}

/// Runs operators one after the other, each of which is killed in the middle of what it does.
async fn operate(plane: &ControlPlane, seed: u64, mut dice: Dice) -> Operator {
    for _ in 0..3 {
        let operator = operator(plane, seed);
        sleep(MINUTE + dice.seconds(120)).await;
        operator.stop().await.unwrap();
        sleep(dice.seconds(30)).await;
    }
    operator(plane, seed)
}

/// What is there and what should be, by project and name; what is not Ready is not as it should be.
async fn pages(plane: &ControlPlane) -> (BTreeMap<String, String>, BTreeMap<String, String>) {
    let (mut there, mut wanted) = (BTreeMap::new(), BTreeMap::new());
    for project in PROJECTS {
        let client = plane.project(project).client().unwrap();
        let websites: Api<Website> = Api::namespaced(client.clone(), NAMESPACE);
        for site in websites.list(&ListParams::default()).await.unwrap() {
            let (name, host) = (site.name_any(), site.spec.host.clone());
            let place = if host.starts_with("far") {
                "hub"
            } else {
                project
            };
            let ready = status_of(&site, "Ready") == Some(("True", "ReconcileSucceeded"));
            let content = if ready {
                host
            } else {
                format!("{:?}", site.status)
            };
            wanted.insert(format!("{place}/{project}-{name}"), content);
        }
        let pages: Api<ConfigMap> = Api::namespaced(client, NAMESPACE);
        for page in pages.list(&ListParams::default()).await.unwrap() {
            let content = page.data.clone().unwrap_or_default().remove("index.html");
            there.insert(
                format!("{project}/{}", page.name_any()),
                content.unwrap_or_default(),
            );
        }
    }
    (there, wanted)
}

/// A control plane with its projects.
async fn plane(seed: u64) -> ControlPlane {
    let builder = ControlPlane::builder().milo();
    let builder = crds().iter().fold(builder, |builder, crd| builder.crd(crd));
    let plane = builder.seed(seed).without_socket().start().await.unwrap();
    for project in PROJECTS {
        let spec = json!({"spec": {"ownerRef": {"kind": "Organization", "name": "o"}}});
        let root = projects(plane.client().unwrap());
        let created = DynamicObject::new(project, &kind()).data(spec);
        root.create(&PostParams::default(), &created).await.unwrap();
    }
    plane
}

fn operator(plane: &ControlPlane, seed: u64) -> Operator {
    let manager = Manager::builder(plane.config()).connect(plane.connector());
    let manager = manager
        .seed(seed)
        .grace(Duration::ZERO)
        .provider(Milo::external());
    Operator::start(manager.controller(Spread))
}

/// One story, which ends well.
async fn story(seed: u64) -> usize {
    let plane = plane(seed).await;
    let mut dice = Dice(seed);
    let mut users = Vec::new();
    for project in PROJECTS {
        let client = plane.project(project).client().unwrap();
        users.push(use_it(client, Dice(dice.below(u64::MAX))));
    }
    let meddling = meddle(&plane, Dice(dice.below(u64::MAX)));
    let operating = operate(&plane, seed, Dice(dice.below(u64::MAX)));
    let (operator, _) = join(operating, join(meddling, join_all(users))).await;
    let healed = async {
        loop {
            let (there, wanted) = pages(&plane).await;
            if there == wanted {
                return wanted.len();
            }
            sleep(Duration::from_secs(1)).await;
        }
    };
    let healed = tokio::time::timeout(20 * MINUTE, healed).await;
    let Ok(served) = healed else {
        let (there, wanted) = pages(&plane).await;
        panic!("seed {seed}: there is {there:#?}, and wanted is {wanted:#?}");
    };
    operator.stop().await.unwrap();
    served
}

#[tokio::test(start_paused = true)]
async fn every_story_ends_with_what_is_wanted_and_nothing_else() {
    let mut served = 0;
    for seed in 0..100 {
        served += story(seed).await;
    }
    assert!(served > 40, "{served}");
}

#[tokio::test(start_paused = true)]
async fn an_object_that_is_gone_by_force_while_its_watch_hangs_is_given_up() {
    let plane = plane(1).await;
    let client = plane.project("red").client().unwrap();
    let mut shop = Namespace::default();
    shop.metadata.name = Some(NAMESPACE.into());
    let namespaces: Api<Namespace> = Api::all(client.clone());
    let params = PostParams::default();
    namespaces.create(&params, &shop).await.unwrap();
    let websites: Api<Website> = Api::namespaced(client.clone(), NAMESPACE);
    let operator = operator(&plane, 1);
    let mut site = website("site");
    site.spec.host = "near".into();
    websites.create(&params, &site).await.unwrap();
    let served = |there: &BTreeMap<String, String>| there.contains_key("red/red-site");
    while !served(&pages(&plane).await.0) {
        sleep(Duration::from_secs(1)).await;
    }
    let hung = plane.inject(Fault::hung_watch().in_project("red").of("websites"));
    let released = Patch::Merge(json!({"metadata": {"finalizers": null}}));
    let mark = plane.requests().mark();
    websites
        .patch("site", &PatchParams::default(), &released)
        .await
        .unwrap();
    websites
        .delete("site", &DeleteParams::default())
        .await
        .unwrap();
    sleep(10 * MINUTE).await;
    let requests = plane.requests().since(mark);
    let applies = requests
        .iter()
        .filter(|request| request.verb == Verb::Patch && request.name() == Some("red-site"))
        .count();
    assert!((1..=4).contains(&applies), "{applies} applies");
    assert!(!served(&pages(&plane).await.0));
    drop(hung);
    operator.stop().await.unwrap();
}
