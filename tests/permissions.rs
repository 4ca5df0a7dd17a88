//! What an operator has to be allowed: it works with exactly that, and says what is missing where a part of it is.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use k8s_openapi::api::events::v1::Event;
use k8s_openapi::api::rbac::v1::ClusterRole;
use kommodore::{
    Action, Context, LeaderElection, LeadershipLost, Manager, Milo, Reconcile, Result, controller,
};
use kommodore_tests::{
    Example, Fault, Fleet, KubeconfigFile, Log, NAMESPACE, OF_LEASES, Operator, Permission, Permit,
    Sites, Website, built, condition, eventually, logs_into, no_streams, run, single, status_of,
    website,
};
use kube::Config;
use kube::ResourceExt;
use kube::api::{Api, ListParams, Patch, PatchParams, PostParams};
use kube::config::KubeConfigOptions;
use serde_json::json;

/// What the website example says that it has to be allowed: the roles that it prints.
fn of_the_website(program: &Path) -> Permit {
    let output = Command::new(program).arg("--roles").output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let roles: Vec<ClusterRole> =
        serde_saphyr::from_multiple(std::str::from_utf8(&output.stdout).unwrap()).unwrap();
    let names = roles.iter().map(|role| role.metadata.name.as_deref());
    let names: Vec<_> = names.collect();
    assert_eq!(
        names,
        [Some("website-operator"), Some("website-operator-host")]
    );
    let rules = |role: &ClusterRole| single(role.rules.as_deref().unwrap());
    Permit {
        members: rules(&roles[0]),
        host: rules(&roles[1]),
        election: Vec::new(),
    }
}

/// An operator at work in the project red, and a website there.
struct Work<'a> {
    fleet: &'a Fleet,
    /// What it needs, and what of that it has.
    full: &'a Permit,
    permit: Permit,
    log: Log,
    /// The website, its page and its certificate.
    name: String,
}

impl Work<'_> {
    /// All that the life of a website with a certificate can ask of the operator.
    async fn live(&self) {
        self.log.says("engaged cluster=red").await;
        self.create_website().await;
        // What it says a second time, it counts.
        self.miss_certificate_again().await;
        self.create_certificate().await;
        self.fleet.edit_page("red", &self.name).await;
        self.serves(&format!("{}.example.com", self.name)).await;
        // Before it writes conditions it reads those of others.
        self.add_condition("Audited").await;
        self.set_host("audited.example.com").await;
        let site = self.fleet.website_ready("red", &self.name).await;
        assert!(condition(&site, "Audited").is_some(), "it stays");
        // What it cannot watch it reads.
        self.lose_watches().await;
        self.set_host("unwatched.example.com").await;
        self.fleet.delete_website("red", &self.name).await;
        self.fleet.website_gone("red", &self.name).await;
    }

    async fn create_website(&self) {
        let mut site = website(&self.name);
        site.spec.certificate = Some(self.name.clone());
        let websites = self.fleet.websites("red");
        let created = websites.create(&PostParams::default(), &site).await;
        created.unwrap();
        let what = "its certificate is missing";
        self.fleet
            .website_is("red", &self.name, what, |site| {
                status_of(site, "Degraded") == Some(("True", "NoCertificate"))
            })
            .await;
    }

    async fn miss_certificate_again(&self) {
        let events: Api<Event> = Api::namespaced(self.fleet.project_client("red"), NAMESPACE);
        let mine = ListParams::default().fields(&format!("regarding.name={}", self.name));
        let counted = async || {
            let all = events
                .list(&mine)
                .await
                .map_err(|error| error.to_string())?;
            let event = all.items.into_iter().next();
            let event = event.ok_or("it has said nothing")?;
            assert_eq!(event.reason.as_deref(), Some("NoCertificate"));
            Ok::<i32, String>(event.series.map_or(1, |series| series.count))
        };
        let once = eventually("it says that its certificate is missing", &counted).await;
        let label = json!({"metadata": {"labels": {"again": "yes"}}});
        self.fleet.change_website("red", &self.name, label).await;
        eventually("it counts that", async || match counted().await {
            Ok(count) if count > once => Ok(()),
            other => Err(other),
        })
        .await;
    }

    async fn create_certificate(&self) {
        let mut secret = Secret::default();
        secret.metadata.name = Some(self.name.clone());
        let secrets: Api<Secret> = Api::namespaced(self.fleet.project_client("red"), NAMESPACE);
        let created = secrets.create(&PostParams::default(), &secret).await;
        created.unwrap();
        self.fleet.website_ready("red", &self.name).await;
    }

    async fn add_condition(&self, name: &str) {
        let site = self.fleet.website_ready("red", &self.name).await;
        let mut conditions = site.status.unwrap().conditions;
        let mut foreign = conditions[0].clone();
        foreign.type_ = name.into();
        conditions.push(foreign);
        let patch = Patch::Merge(json!({"status": {"conditions": conditions}}));
        let websites = self.fleet.websites("red");
        let params = PatchParams::default();
        let patched = websites.patch_status(&self.name, &params, &patch).await;
        patched.unwrap();
    }

    /// Of all kinds but websites.
    async fn lose_watches(&self) {
        let mut taken = self.permit.members.clone();
        taken.retain(|permission| permission.verb == "watch" && permission.resource != "websites");
        let fewer = taken
            .iter()
            .fold(self.permit.clone(), |permit, permission| {
                permit.without(permission)
            });
        fewer.grant(self.fleet, self.full).await;
        self.fleet.drop_watches("red");
        for permission in &taken {
            self.log.says(&permission.missed()).await;
        }
    }

    async fn set_host(&self, host: &str) {
        self.fleet.set_host("red", &self.name, host).await;
        self.serves(host).await;
        self.fleet.website_ready("red", &self.name).await;
    }

    async fn serves(&self, host: &str) {
        let page = format!("<h1>{host}</h1>");
        self.fleet.page_shows("red", &self.name, &page).await;
    }

    /// Removes the website, which nobody works on any more.
    async fn clear(&self) {
        let websites = self.fleet.websites("red");
        if websites.get_opt(&self.name).await.unwrap().is_none() {
            return;
        }
        self.fleet.delete_website("red", &self.name).await;
        if websites.get_opt(&self.name).await.unwrap().is_some() {
            let released = json!({"metadata": {"finalizers": null}});
            self.fleet.change_website("red", &self.name, released).await;
        }
        self.fleet.website_gone("red", &self.name).await;
    }
}

async fn the_website_works_under_its_rules_and_names_each_that_is_missing(
    fleet: &Fleet,
    server: &str,
) {
    let program = built("website");
    let access = fleet.operator_kubeconfig().unwrap();
    let kubeconfig = KubeconfigFile::write(&access, &format!("under_its_rules_{server}"));
    fleet.create_shop("red").await;
    let full = of_the_website(&program);
    assert_eq!(full.all().len(), 18, "{:?}", full.all());
    let start = async |name: &str, permit: Permit| {
        permit.grant(fleet, &full).await;
        let example = Example::start(&program, &kubeconfig.0);
        let work = Work {
            fleet,
            full: &full,
            permit,
            log: example.log.clone(),
            name: name.into(),
        };
        (example, work)
    };

    let (example, work) = start("full", full.clone()).await;
    work.live().await;
    let mut refusals = work.log.refusals();
    // The watches that were taken from it.
    refusals.retain(|line| !line.contains("cannot watch resource"));
    assert_eq!(refusals, [""; 0], "nothing else is refused");
    drop(example);

    // Lists are only asked for where the server does not stream them.
    let needed = full.all().into_iter();
    let needed = needed.filter(|permission| permission.verb != "list");
    for (number, missing) in needed.enumerate() {
        let (example, work) = start(&format!("without-{number}"), full.without(&missing)).await;
        let words = missing.missed();
        tokio::select! {
            biased;
            () = work.log.ever_says(&words) => {}
            () = work.live() => panic!("nobody misses {missing:?}"),
        }
        let refusals = work.log.refusals();
        let because = refusals.iter().find(|line| line.contains(&words)).unwrap();
        // Who looks at the website sees it too, where it is about the website and the status can be written.
        if because.contains("failed; trying again") {
            let what = format!("it is not Ready, and says {words:?}");
            fleet
                .website_is("red", &work.name, &what, |site| {
                    condition(site, "Ready").is_some_and(|ready| {
                        ready.status == "False" && ready.message.contains(&words)
                    })
                })
                .await;
        }
        drop(example);
        work.clear().await;
    }
}

/// On one thread, whose log is then that of the operator.
async fn an_election_works_under_its_rules_and_names_each_that_is_missing(fleet: &Fleet) {
    fleet.create_shop("red").await;
    let kubeconfig = fleet.operator_kubeconfig().unwrap();
    let root = KubeConfigOptions::default();
    let config = Config::from_custom_kubeconfig(kubeconfig, &root).await;
    let config = config.unwrap();
    let manager = |lease: &str| {
        let election = LeaderElection::new(lease)
            .namespace(OF_LEASES)
            .identity("first")
            .lease(Duration::from_secs(4))
            .renew_deadline(Duration::from_secs(2))
            .retry(Duration::from_millis(100));
        Manager::builder(config.clone())
            .provider(Milo::external())
            .controller(Sites::default())
            .leader_election(election)
    };

    let full = Permit::of(&manager("full").permissions());
    full.grant(fleet, &full).await;
    let log = Log::default();
    let logged = logs_into(&log);
    let operator = Operator::start(manager("full"));
    fleet.create_website("red", "one").await;
    fleet.website_ready("red", "one").await;
    operator.stop().await.unwrap();
    drop(logged);
    let leases: Api<Lease> = Api::namespaced(fleet.client(), OF_LEASES);
    let lease = leases.get("full").await.unwrap().spec.unwrap();
    assert_eq!(lease.holder_identity.as_deref(), Some(""), "it is released");
    assert_eq!(log.refusals(), [""; 0]);

    for missing in full.election.clone() {
        full.without(&missing).grant(fleet, &full).await;
        let log = Log::default();
        let _logged = logs_into(&log);
        let operator = Operator::start(manager(&format!("without-{}", missing.verb)));
        log.says(&missing.missed()).await;
        if missing.verb == "update" {
            eventually("it ends", async || operator.has_ended()).await;
            let error = operator.stop().await.unwrap_err();
            assert!(error.find::<LeadershipLost>().is_some(), "{error:?}");
            let said = format!("{error:#}");
            assert!(said.contains(&missing.missed()), "{said}");
        } else {
            operator.stop().await.unwrap();
            let text = log.text();
            assert!(!text.contains("this process is the leader"), "{text}");
        }
    }
}

/// On one thread, whose log is then that of the operator.
async fn a_list_that_is_not_allowed_is_missed_where_nothing_is_streamed(fleet: &Fleet) {
    fleet.create_shop("red").await;
    let full = Permit::of(&fleet.manager().controller(Sites::default()).permissions());
    let is_the_one =
        |permission: &&Permission| permission.verb == "list" && permission.resource == "websites";
    let missed = full.members.iter().find(is_the_one).unwrap().missed();
    let message = missed.clone();
    let manager = fleet.manager_behind(move |asked| match asked {
        asked if asked.streams() => no_streams(),
        asked if asked.is_of("websites") && !asked.watches("websites") => {
            Fault::Refusal(403, "Forbidden", message.clone())
        }
        _ => Fault::None,
    });
    let manager = manager.await.controller(Sites::default());
    let log = Log::default();
    let _logged = logs_into(&log);
    let _operator = Operator::start(manager);
    log.says(&missed).await;
}

/// Deletes the page of every website, which nothing but its own words would allow.
#[controller(for = Website, conditions, rbac(ConfigMap(verbs = "delete")))]
struct Sweeper;

impl Reconcile for Sweeper {
    async fn reconcile(&self, site: &Website, cx: &Context<Self>) -> Result<Action> {
        cx.delete::<ConfigMap>(site.name_any()).await?;
        Ok(Action::done())
    }
}

async fn what_a_controller_asks_for_it_is_allowed(fleet: &Fleet) {
    fleet.create_shop("red").await;
    let kubeconfig = fleet.operator_kubeconfig().unwrap();
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await;
    let manager = Manager::builder(config.unwrap())
        .provider(Milo::external())
        .controller(Sweeper);
    let full = Permit::of(&manager.permissions());
    let is_the_one = |permission: &&Permission| permission.verb == "delete";
    let delete = full.members.iter().find(is_the_one).unwrap().clone();
    full.without(&delete).grant(fleet, &full).await;
    let operator = Operator::start(manager);
    let page = fleet.pages("red");
    page.create(
        &PostParams::default(),
        &kommodore_tests::page(&website("one")),
    )
    .await
    .unwrap();
    fleet.create_website("red", "one").await;
    fleet
        .website_is("red", "one", "it says what is missing", |site| {
            condition(site, "Ready").is_some_and(|ready| ready.message.contains(&delete.missed()))
        })
        .await;
    full.grant(fleet, &full).await;
    fleet.website_ready("red", "one").await;
    assert_eq!(page.get_opt("one").await.unwrap(), None);
    operator.stop().await.unwrap();
}

mod embedded {
    use super::run;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn the_website_works_under_its_rules_and_names_each_that_is_missing() {
        let fleet = run::embedded_with_roles().await;
        let case = super::the_website_works_under_its_rules_and_names_each_that_is_missing;
        case(&fleet, "embedded").await;
    }

    #[tokio::test]
    async fn an_election_works_under_its_rules_and_names_each_that_is_missing() {
        let fleet = run::embedded_with_roles().await;
        super::an_election_works_under_its_rules_and_names_each_that_is_missing(&fleet).await;
    }

    #[tokio::test]
    async fn a_list_that_is_not_allowed_is_missed_where_nothing_is_streamed() {
        let fleet = run::embedded_with_roles().await;
        super::a_list_that_is_not_allowed_is_missed_where_nothing_is_streamed(&fleet).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn what_a_controller_asks_for_it_is_allowed() {
        let fleet = run::embedded_with_roles().await;
        super::what_a_controller_asks_for_it_is_allowed(&fleet).await;
    }
}

mod real {
    use super::run;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn the_website_works_under_its_rules_and_names_each_that_is_missing() {
        let name = "the_website_works_under_its_rules_and_names_each_that_is_missing";
        if let Some(fleet) = run::real(name).await {
            let case = super::the_website_works_under_its_rules_and_names_each_that_is_missing;
            case(&fleet, "real").await;
        }
    }

    #[tokio::test]
    async fn an_election_works_under_its_rules_and_names_each_that_is_missing() {
        let name = "an_election_works_under_its_rules_and_names_each_that_is_missing";
        if let Some(fleet) = run::real(name).await {
            let case = super::an_election_works_under_its_rules_and_names_each_that_is_missing;
            case(&fleet).await;
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn what_a_controller_asks_for_it_is_allowed() {
        if let Some(fleet) = run::real("what_a_controller_asks_for_it_is_allowed").await {
            super::what_a_controller_asks_for_it_is_allowed(&fleet).await;
        }
    }
}
