//! A whole fleet in no time: an operator of Milo's projects without a socket, on one thread and under a paused clock,
//! with users who create, change and delete while things go wrong. The same seed does the same again, byte by byte.

use std::fmt::Write as _;
use std::time::Duration;

use futures::future::{join, join_all};
use http::HeaderValue;
use http::header::USER_AGENT;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
use kommodore::{LeaderElection, Manager, Milo};
use kommodore_control_plane::{ControlPlane, Fault, Injected, Verb};
use kommodore_tests::{NAMESPACE, Operator, Point, Sites, Website, crds, page, status_of, website};
use kube::api::{Api, ApiResource, DeleteParams, DynamicObject, ListParams};
use kube::api::{Patch, PatchParams, PostParams};
use kube::{Client, ResourceExt};
use serde_json::json;
use tokio::time::sleep;

const PROJECTS: [&str; 3] = ["red", "green", "blue"];
const SITES: usize = 3;
const MINUTE: Duration = Duration::from_secs(60);

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

/// What a user wants, until it is done.
async fn insist<T>(mut wish: impl AsyncFnMut() -> kube::Result<T>) -> T {
    loop {
        match wish().await {
            Ok(done) => return done,
            Err(_) => sleep(Duration::from_secs(10)).await,
        }
    }
}

/// The same, where it may have been done already.
async fn done<T>(code: u16, mut wish: impl AsyncFnMut() -> kube::Result<T>) {
    insist(async || match wish().await {
        Err(kube::Error::Api(status)) if status.code == code => Ok(()),
        other => other.map(drop),
    })
    .await;
}

async fn create_project(root: Client, name: &str) {
    let kind = ApiResource {
        group: "resourcemanager.miloapis.com".into(),
        version: "v1alpha1".into(),
        api_version: "resourcemanager.miloapis.com/v1alpha1".into(),
        kind: "Project".into(),
        plural: "projects".into(),
    };
    let projects: Api<DynamicObject> = Api::all_with(root, &kind);
    let spec = json!({"spec": {"ownerRef": {"kind": "Organization", "name": "o"}}});
    let project = DynamicObject::new(name, &kind).data(spec);
    done(409, async || {
        projects.create(&PostParams::default(), &project).await
    })
    .await;
}

/// A user of one project: half an hour of work.
async fn use_it(client: Client, mut dice: Dice) {
    let namespaces: Api<Namespace> = Api::all(client.clone());
    let mut shop = Namespace::default();
    shop.metadata.name = Some(NAMESPACE.into());
    done(409, async || {
        namespaces.create(&PostParams::default(), &shop).await
    })
    .await;
    let websites: Api<Website> = Api::namespaced(client, NAMESPACE);
    for number in 0..SITES {
        let name = format!("site-{number}");
        done(409, async || {
            websites
                .create(&PostParams::default(), &website(&name))
                .await
        })
        .await;
        sleep(dice.seconds(120)).await;
        let host = format!("{}.example.com", dice.below(1_000));
        let patch = Patch::Merge(json!({"spec": {"host": host}}));
        insist(async || websites.patch(&name, &PatchParams::default(), &patch).await).await;
        sleep(dice.seconds(300)).await;
        if dice.below(2) == 0 {
            done(404, async || {
                websites.delete(&name, &DeleteParams::default()).await
            })
            .await;
            sleep(dice.seconds(60)).await;
        }
    }
}

/// What goes wrong in a project.
fn trouble(dice: &mut Dice, project: &str) -> Fault {
    let fault = match dice.below(8) {
        0 => Fault::status(503),
        1 => Fault::status(429).retry_after(3).verb(Verb::Patch),
        2 => Fault::dropped_watch(),
        3 => Fault::expired_watch(),
        4 => Fault::partition(),
        5 => Fault::lost_answer().verb(Verb::Patch).times(2),
        6 => Fault::stale_by(4).verb(Verb::List).verb(Verb::Watch),
        _ => Fault::refused_connection(),
    };
    fault.in_project(project)
}

/// Lets things go wrong, each for a while.
async fn meddle(plane: &ControlPlane, mut dice: Dice) -> usize {
    let (mut faults, mut hits) = (Vec::<Injected>::new(), 0);
    for round in 0..12 {
        let project = PROJECTS[round % PROJECTS.len()];
        faults.push(plane.inject(trouble(&mut dice, project)));
        sleep(dice.seconds(60)).await;
        if faults.len() > 3 {
            hits += faults.remove(0).hits();
        }
    }
    hits + faults.iter().map(Injected::hits).sum::<usize>()
}

/// Whether every website that is there is served as it is wished, and nothing else is.
async fn is_served(client: Client) -> Result<usize, String> {
    let websites: Api<Website> = Api::namespaced(client.clone(), NAMESPACE);
    let pages: Api<ConfigMap> = Api::namespaced(client, NAMESPACE);
    let (sites, pages) = (
        websites.list(&ListParams::default()).await.unwrap().items,
        pages.list(&ListParams::default()).await.unwrap().items,
    );
    for site in &sites {
        let (name, wanted) = (site.name_any(), page(site));
        let served = pages.iter().find(|page| page.name_any() == name);
        if served.is_none_or(|served| served.data != wanted.data)
            || status_of(site, "Ready") != Some(("True", "ReconcileSucceeded"))
        {
            return Err(format!("{name} is not served: {:?}", site.status));
        }
    }
    match sites.len() == pages.len() {
        true => Ok(sites.len()),
        false => Err(format!("{} pages of {} sites", pages.len(), sites.len())),
    }
}

/// What has happened: every request with its answer, and every object in the end.
async fn story(seed: u64) -> String {
    let builder = ControlPlane::builder().milo().storage_initializes();
    let builder = crds().iter().fold(builder, |builder, crd| builder.crd(crd));
    let plane = builder.seed(seed).without_socket().start().await.unwrap();
    let mut config = plane.config();
    let agent = HeaderValue::from_static("operator");
    config.headers.push((USER_AGENT, agent));
    let sites = Sites::default();
    let election = LeaderElection::new("sites")
        .namespace("default")
        .lease(2 * MINUTE)
        .renew_deadline(MINUTE)
        .retry(MINUTE / 3);
    let operator = Operator::start(
        Manager::builder(config)
            .connect(plane.connector())
            .seed(seed)
            .provider(Milo::external())
            .leader_election(election)
            .controller(sites.clone()),
    );
    let slow = [(0.5, 5), (0.99, 200), (1.0, 2_000)];
    let slow = slow.map(|(share, ms)| (share, Duration::from_millis(ms)));
    let _slow = plane.inject(Fault::latency_quantiles(slow));
    let mut dice = Dice(seed);
    let mut users = Vec::new();
    for project in PROJECTS {
        create_project(plane.client().unwrap(), project).await;
        let client = plane.project(project).client().unwrap();
        users.push(use_it(client, Dice(dice.below(u64::MAX))));
    }
    let meddling = meddle(&plane, Dice(dice.below(u64::MAX)));
    let (hits, _) = join(meddling, join_all(users)).await;
    assert!(hits > 5, "{hits} things went wrong");

    let mut served = 0;
    for project in PROJECTS {
        let client = plane.project(project).client().unwrap();
        let healed = async {
            loop {
                match is_served(client.clone()).await {
                    Ok(sites) => return sites,
                    Err(_) => sleep(Duration::from_secs(1)).await,
                }
            }
        };
        let healed = tokio::time::timeout(10 * MINUTE, healed).await;
        served += match healed {
            Ok(sites) => sites,
            Err(_) => panic!("{project}: {:?}", is_served(client).await),
        };
    }
    assert!(served > 0 && served < PROJECTS.len() * SITES);
    let cleanups = sites.probe.visits();
    assert!(cleanups.iter().any(|visit| visit.point == Point::Cleanup));
    operator.stop().await.unwrap();

    let mut story = String::new();
    for request in plane.requests().entries() {
        writeln!(story, "{request}").unwrap();
    }
    for project in PROJECTS {
        let client = plane.project(project).client().unwrap();
        let websites: Api<Website> = Api::all(client.clone());
        for site in websites.list(&ListParams::default()).await.unwrap() {
            writeln!(story, "{}", serde_json::to_string(&site).unwrap()).unwrap();
        }
        let pages: Api<ConfigMap> = Api::all(client);
        for page in pages.list(&ListParams::default()).await.unwrap() {
            writeln!(story, "{}", serde_json::to_string(&page).unwrap()).unwrap();
        }
    }
    story
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_tells_the_same_story() {
    let begun = tokio::time::Instant::now();
    let one = story(42).await;
    assert!(begun.elapsed() > 5 * MINUTE, "{:?}", begun.elapsed());
    assert!(one.contains(" -> 429") && one.contains("PATCH /apis/demo.kommodore.dev"));
    let same = story(42).await;
    let mut lines = one.lines().zip(same.lines());
    assert_eq!(lines.find(|(one, same)| one != same), None);
    assert_eq!(one, same);
    assert_ne!(one, story(43).await, "another seed, another story");
}
