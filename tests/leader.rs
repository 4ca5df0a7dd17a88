//! Several replicas of an operator: one of them works.

use std::time::Duration;

use http::HeaderValue;
use http::header::USER_AGENT;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::api::rbac::v1::{Role, RoleBinding};
use kommodore::{Builder, LeaderElection, LeadershipLost, Manager, Milo};
use kommodore_control_plane::{Mark, RequestRecord};
use kommodore_tests::{Fleet, NAMESPACE, Operator, Point, Sites, eventually, on_both_servers, run};
use kube::Config;
use kube::api::{Api, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

/// Longer than any case takes.
const LONG: Duration = Duration::from_secs(600);
const LEASE: &str = "sites-operator";

/// One whose Lease does not end by itself during a case.
fn election(identity: &str) -> LeaderElection {
    LeaderElection::new(LEASE)
        .namespace(NAMESPACE)
        .identity(identity)
        .lease(LONG)
        .renew_deadline(LONG / 2)
        .retry(Duration::from_millis(100))
}

/// How a replica reaches the root: its requests are told from those of the others.
fn config(fleet: &Fleet, identity: &str) -> Config {
    let mut config = fleet.config();
    let agent = HeaderValue::from_str(identity).unwrap();
    config.headers.push((USER_AGENT, agent));
    config
}

/// A replica without its election.
fn replica(fleet: &Fleet, identity: &str, sites: &Sites) -> Builder {
    Manager::builder(config(fleet, identity))
        .provider(Milo::external())
        .controller(sites.clone())
        .grace(LONG)
}

fn start(fleet: &Fleet, identity: &str) -> (Sites, Operator) {
    let sites = Sites::default();
    let manager = replica(fleet, identity, &sites).leader_election(election(identity));
    (sites, Operator::start(manager))
}

/// What a replica sent since `mark`, such as `Update leases`.
fn sent(fleet: &Fleet, identity: &str, mark: Mark) -> Vec<String> {
    let requests = fleet.requests().since(mark);
    let of_it = |request: &&RequestRecord| request.user_agent.as_deref() == Some(identity);
    let requests = requests.iter().filter(of_it);
    requests
        .map(|request| format!("{:?} {}", request.verb, request.plural()))
        .collect()
}

/// Waits until a replica has sent `what` so often.
async fn sends(fleet: &Fleet, identity: &str, mark: Mark, what: &str, count: usize) {
    let why = format!("{identity} sends {what} {count} times");
    eventually(&why, async || {
        let sent = sent(fleet, identity, mark);
        match sent.iter().filter(|sent| *sent == what).count() {
            seen if seen >= count => Ok(()),
            _ => Err(sent),
        }
    })
    .await;
}

fn leases(fleet: &Fleet) -> Api<Lease> {
    Api::namespaced(fleet.client(), NAMESPACE)
}

async fn lease(fleet: &Fleet) -> LeaseSpec {
    leases(fleet).get(LEASE).await.unwrap().spec.unwrap()
}

async fn held_by(fleet: &Fleet, identity: &str) -> LeaseSpec {
    eventually(&format!("{identity} holds the Lease"), async || {
        let found = leases(fleet).get(LEASE).await;
        let spec = found.map_err(|error| error.to_string())?.spec.unwrap();
        match spec.holder_identity.as_deref() == Some(identity) {
            true => Ok(spec),
            false => Err(format!("{spec:?}")),
        }
    })
    .await
}

async fn hand_to(fleet: &Fleet, holder: &str) {
    let spec = json!({"spec": {"holderIdentity": holder, "leaseDurationSeconds": LONG.as_secs()}});
    let edit = Patch::Merge(spec);
    leases(fleet)
        .patch(LEASE, &PatchParams::default(), &edit)
        .await
        .unwrap();
}

/// The namespace of the Lease, and a project with the namespace of the websites.
async fn ground(fleet: &Fleet) {
    create_namespace(fleet).await;
    fleet.create_shop("red").await;
}

/// The namespace of the Lease, at the root.
async fn create_namespace(fleet: &Fleet) {
    let namespaces: Api<Namespace> = Api::all(fleet.client());
    let mut namespace = Namespace::default();
    namespace.metadata.name = Some(NAMESPACE.into());
    eventually("the namespace of the Lease is there", async || {
        let created = namespaces.create(&PostParams::default(), &namespace).await;
        created.is_ok()
            || namespaces
                .get(NAMESPACE)
                .await
                .is_ok_and(|found| found.metadata.deletion_timestamp.is_none())
    })
    .await;
}

async fn create<K>(fleet: &Fleet, object: Value)
where
    K: kube::Resource<DynamicType = (), Scope = k8s_openapi::NamespaceResourceScope>
        + Clone
        + std::fmt::Debug
        + serde::Serialize
        + serde::de::DeserializeOwned,
{
    let object: K = serde_json::from_value(object).unwrap();
    let api: Api<K> = Api::namespaced(fleet.client(), NAMESPACE);
    api.create(&PostParams::default(), &object).await.unwrap();
}

on_both_servers! {
    async fn one_works_and_the_other_looks_at_the_lease_alone(fleet: &Fleet) {
        ground(fleet).await;
        let mark = fleet.requests().mark();
        let (first, _first) = start(fleet, "first");
        let spec = held_by(fleet, "first").await;
        assert_eq!((spec.lease_duration_seconds, spec.lease_transitions), (Some(600), Some(0)));
        let (second, _second) = start(fleet, "second");
        sends(fleet, "second", mark, "Get leases", 3).await;
        fleet.create_website("red", "one").await;
        fleet.website_ready("red", "one").await;
        sends(fleet, "second", mark, "Get leases", 6).await;
        assert_eq!(first.probe.count(Point::Begin, "one"), 1);
        assert_eq!(second.probe.visits(), []);
        let others = sent(fleet, "second", mark);
        assert!(others.iter().all(|sent| sent == "Get leases"), "{others:?}");
        // Before it had the Lease the first one did nothing else either.
        assert_eq!(sent(fleet, "first", mark)[..2], ["Get leases", "Create leases"]);
        sends(fleet, "first", mark, "Update leases", 3).await;
        let renewed = lease(fleet).await;
        assert!(renewed.renew_time.as_ref().unwrap().0 > spec.renew_time.as_ref().unwrap().0);
        assert_eq!(LeaseSpec { renew_time: None, ..renewed }, LeaseSpec { renew_time: None, ..spec });
    }

    async fn the_next_takes_over_at_once_when_all_work_of_the_first_has_ended(fleet: &Fleet) {
        ground(fleet).await;
        let mark = fleet.requests().mark();
        let (first, mut stopped) = start(fleet, "first");
        held_by(fleet, "first").await;
        let (second, _second) = start(fleet, "second");
        let held = first.probe.hold(Point::Begin, "one");
        fleet.create_website("red", "one").await;
        held.reached().await;
        stopped.interrupt();
        // As long as one reconcile runs, the Lease is kept and renewed.
        let since = fleet.requests().mark();
        sends(fleet, "first", since, "Update leases", 3).await;
        sends(fleet, "second", since, "Get leases", 3).await;
        assert_eq!(lease(fleet).await.holder_identity.as_deref(), Some("first"));
        assert!(!stopped.has_ended());
        held.release();
        stopped.stop().await.unwrap();
        assert_eq!(first.probe.count(Point::Applied, "one"), 1);
        let said = sent(fleet, "first", mark);
        assert_eq!(said.last().map(String::as_str), Some("Update leases"), "it is released after all else");
        let ended = fleet.requests().mark();
        let spec = held_by(fleet, "second").await;
        assert_eq!((spec.lease_duration_seconds, spec.lease_transitions), (Some(600), Some(1)));
        second.probe.comes(Point::Begin, "one", 1).await;
        fleet.create_website("red", "two").await;
        fleet.website_ready("red", "two").await;
        assert_eq!(sent(fleet, "first", ended), [""; 0]);
    }

    async fn the_second_takes_over_after_the_lease_when_the_first_vanishes(fleet: &Fleet) {
        ground(fleet).await;
        let term = Duration::from_secs(6);
        let first = Sites::default();
        let short = election("first").lease(term).renew_deadline(term / 2);
        let running = tokio::spawn(
            replica(fleet, "first", &first).leader_election(short).run_until(std::future::pending()),
        );
        held_by(fleet, "first").await;
        let held = first.probe.hold(Point::Begin, "one");
        fleet.create_website("red", "one").await;
        held.reached().await;
        let (second, _second) = start(fleet, "second");
        let mark = fleet.requests().mark();
        sends(fleet, "second", mark, "Get leases", 1).await;
        running.abort();
        assert!(running.await.unwrap_err().is_cancelled());
        let left = lease(fleet).await;
        assert_eq!(left.holder_identity.as_deref(), Some("first"));
        let spec = held_by(fleet, "second").await;
        let waited = spec.acquire_time.unwrap().0.duration_since(left.renew_time.unwrap().0);
        assert!(waited.as_millis() >= term.as_millis() as i128, "{waited:?}");
        assert_eq!(spec.lease_transitions, Some(1));
        let mark = fleet.requests().mark();
        held.release();
        fleet.website_ready("red", "one").await;
        assert_eq!(second.probe.count(Point::Applied, "one"), 1);
        assert_eq!(first.probe.count(Point::Applied, "one"), 0, "it does not go on");
        assert_eq!(sent(fleet, "first", mark), [""; 0]);
    }

    async fn one_that_is_not_renewed_is_not_taken_before_its_time(fleet: &Fleet) {
        ground(fleet).await;
        let seconds = 3;
        create::<Lease>(fleet, json!({
            "apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": LEASE},
            "spec": {
                "holderIdentity": "somebody", "leaseDurationSeconds": seconds, "leaseTransitions": 4,
                "renewTime": "2001-01-01T00:00:00.000000Z",
            },
        }))
        .await;
        let begun = jiff::Timestamp::now();
        let (_, _operator) = start(fleet, "first");
        let spec = held_by(fleet, "first").await;
        // What it says of the time is long ago, and counts for nothing.
        let acquired = spec.acquire_time.unwrap().0;
        assert!(acquired.duration_since(begun).as_secs() >= seconds, "{acquired} after {begun}");
        assert_eq!(spec.lease_transitions, Some(5));
    }

    async fn one_that_loses_the_lease_stops_at_once_and_says_so(fleet: &Fleet) {
        ground(fleet).await;
        let first = Sites::default();
        let manager = replica(fleet, "first", &first).leader_election(election("first"));
        let running = tokio::spawn(manager.run_until(std::future::pending()));
        held_by(fleet, "first").await;
        let held = first.probe.hold(Point::Begin, "one");
        fleet.create_website("red", "one").await;
        held.reached().await;
        hand_to(fleet, "somebody").await;
        // The grace is for an orderly end, and much longer than the case.
        let mut running = Box::pin(running);
        let ended = eventually("it ends", async || match futures::poll!(&mut running) {
            std::task::Poll::Ready(ended) => Some(ended),
            std::task::Poll::Pending => None,
        })
        .await;
        let error = ended.unwrap().unwrap_err();
        assert!(error.find::<LeadershipLost>().is_some(), "{error:?}");
        let said = format!("{error:#}");
        for words in ["leadership is lost", "shop/sites-operator", "\"somebody\"", "start the process anew"] {
            assert!(said.contains(words), "{said}");
        }
        let mark = fleet.requests().mark();
        assert_eq!(lease(fleet).await.holder_identity.as_deref(), Some("somebody"));
        held.release();
        // All that it could have done is done by the next one.
        hand_to(fleet, "").await;
        let (second, _second) = start(fleet, "second");
        fleet.website_ready("red", "one").await;
        fleet.create_website("red", "two").await;
        fleet.website_ready("red", "two").await;
        assert_eq!(second.probe.count(Point::Applied, "one"), 1);
        assert_eq!(first.probe.count(Point::Applied, "one"), 0);
        assert_eq!(sent(fleet, "first", mark), [""; 0]);
    }

    async fn one_that_waits_can_be_stopped(fleet: &Fleet) {
        ground(fleet).await;
        create::<Lease>(fleet, json!({
            "apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": LEASE},
            "spec": {"holderIdentity": "somebody", "leaseDurationSeconds": LONG.as_secs()},
        }))
        .await;
        let mark = fleet.requests().mark();
        let (sites, waiting) = start(fleet, "first");
        sends(fleet, "first", mark, "Get leases", 2).await;
        waiting.stop().await.unwrap();
        let said = sent(fleet, "first", mark);
        assert!(said.iter().all(|sent| sent == "Get leases"), "{said:?}");
        assert_eq!(sites.probe.visits(), []);
        let spec = lease(fleet).await;
        assert_eq!((spec.holder_identity.as_deref(), spec.renew_time), (Some("somebody"), None));
    }

    async fn the_namespace_may_come_from_the_configuration_and_later_than_the_replica(fleet: &Fleet) {
        let mut config = config(fleet, "first");
        config.default_namespace = NAMESPACE.into();
        let election = LeaderElection::new(LEASE).retry(Duration::from_millis(100));
        let manager = Manager::builder(config).controller(Sites::default()).leader_election(election);
        let mark = fleet.requests().mark();
        let operator = Operator::start(manager);
        sends(fleet, "first", mark, "Create leases", 2).await;
        create_namespace(fleet).await;
        let holder = eventually("the Lease is held", async || {
            leases(fleet).get(LEASE).await.ok()?.spec?.holder_identity
        })
        .await;
        assert!(holder.contains('_'), "{holder}");
        operator.stop().await.unwrap();
        assert_eq!(lease(fleet).await.holder_identity.as_deref(), Some(""));
    }

    async fn what_an_election_meets_at_the_server_is_as_it_should_be(fleet: &Fleet) {
        create_namespace(fleet).await;
        let client = fleet.client();
        let send = async |method: &str, name: &str, metadata: Value, spec: Value| {
            let path = format!("/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases{name}");
            let mut lease = json!({
                "apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "one"}, "spec": spec,
            });
            lease["metadata"].as_object_mut().unwrap().extend(metadata.as_object().unwrap().clone());
            let request = http::Request::builder().method(method).uri(path).header("content-type", "application/json");
            match client.request::<Value>(request.body(lease.to_string().into_bytes()).unwrap()).await {
                Ok(lease) => Ok(lease["spec"].clone()),
                Err(kube::Error::Api(status)) => Err((status.code, status.message)),
                Err(error) => panic!("{error}"),
            }
        };
        let invalid = |why: &str| Err((422, format!("Lease.coordination.k8s.io \"one\" is invalid: {why}")));
        let unread = |why: &str| Err((400, format!("Lease in version \"v1\" cannot be handled as a Lease: {why}")));
        let time = "parsing time \"2026-01-01T00:00:00";
        let layout = "as \"2006-01-02T15:04:05.000000Z07:00\": cannot parse";
        for (spec, answer) in [
            (json!({"leaseDurationSeconds": 0}), invalid("spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0")),
            (
                json!({"leaseTransitions": -1}),
                invalid("spec.leaseTransitions: Invalid value: -1: must be greater than or equal to 0"),
            ),
            (
                json!({"leaseDurationSeconds": 3_000_000_000_u64}),
                unread(
                    "json: cannot unmarshal number 3000000000 into Go struct field \
                     LeaseSpec.spec.leaseDurationSeconds of type int32",
                ),
            ),
            (
                json!({"renewTime": "2026-01-01T00:00:00.1Z"}),
                unread(&format!("{time}.1Z\" {layout} \".1Z\" as \".000000\"")),
            ),
            (
                json!({"renewTime": "2026-01-01T00:00:00.1234567Z"}),
                unread(&format!("{time}.1234567Z\" {layout} \"7Z\" as \"Z07:00\"")),
            ),
        ] {
            assert_eq!(send("POST", "", json!({}), spec).await, answer);
        }
        // An update of a Lease that is not there creates it, unless it is said to be a certain one.
        let version = json!({"resourceVersion": "1"});
        let other = json!({"uid": "4b6dcab5-6bc1-46ad-a3d9-4b1ad0e1f5a1"});
        let spec = json!({"holderIdentity": ""});
        let (code, _) = send("PUT", "/one", other.clone(), spec.clone()).await.unwrap_err();
        assert_eq!(code, 409);
        // What belongs to another manner of election is dropped.
        let more = json!({"holderIdentity": "", "strategy": "OldestEmulationVersion", "preferredHolder": "me"});
        assert_eq!(send("PUT", "/one", version.clone(), more).await, Ok(spec.clone()));
        for outrun in [version, other] {
            let (code, _) = send("PUT", "/one", outrun, spec.clone()).await.unwrap_err();
            assert_eq!(code, 409);
        }
        let (code, why) = send("POST", "", json!({}), spec).await.unwrap_err();
        assert_eq!((code, why.as_str()), (409, "leases.coordination.k8s.io \"one\" already exists"));
    }

    async fn an_election_that_cannot_work_is_refused_at_the_start(fleet: &Fleet) {
        let mark = fleet.requests().mark();
        for (election, words) in [
            (LeaderElection::new("Sites"), "\"Sites\" cannot be the name of a Lease"),
            (election("first").namespace("../x"), "\"../x\" cannot be a namespace"),
            (election("first").lease(Duration::from_secs(1)), "has to be longer than the renew deadline"),
        ] {
            let manager = replica(fleet, "first", &Sites::default()).leader_election(election);
            let error = manager.run_until(std::future::pending()).await.unwrap_err();
            let said = format!("{error:#}");
            assert!(said.contains("the leader election cannot work") && said.contains(words), "{said}");
        }
        assert_eq!(fleet.requests().since(mark).len(), 0);
    }
}

/// What RBAC allows is known to a real server alone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_verbs_on_leases_are_all_that_it_needs() {
    let Some(fleet) = run::real("three_verbs_on_leases_are_all_that_it_needs").await else {
        return;
    };
    ground(&fleet).await;
    let mut config = config(&fleet, "first");
    config.auth_info.impersonate = Some("stranger".into());
    let manager = Manager::builder(config).controller(Sites::default());
    let mark = fleet.requests().mark();
    let operator = Operator::start(manager.leader_election(election("first")));
    sends(&fleet, "first", mark, "Get leases", 3).await;
    let said = sent(&fleet, "first", mark);
    assert!(said.iter().all(|sent| sent == "Get leases"), "{said:?}");
    create::<Role>(
        &fleet,
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "election"},
            "rules": [{
                "apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["get", "create", "update"],
            }],
        }),
    )
    .await;
    create::<RoleBinding>(
        &fleet,
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "election"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "election"},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "stranger"}],
        }),
    )
    .await;
    held_by(&fleet, "first").await;
    sends(&fleet, "first", mark, "Update leases", 2).await;
    operator.stop().await.unwrap();
    assert_eq!(lease(&fleet).await.holder_identity.as_deref(), Some(""));
}
