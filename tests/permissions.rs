//! What an operator has to be allowed: it works with exactly that, and says what is missing where a part of it is.
//!
//! What RBAC allows is known to real servers alone.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SubjectAccessReview, SubjectAccessReviewSpec,
};
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::api::events::v1::Event;
use k8s_openapi::api::rbac::v1::{
    ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding, RoleRef, Subject,
};
use kommodore::{Builder, LeaderElection, LeadershipLost, Manager, Milo, Permissions};
use kommodore_tests::{
    Fleet, NAMESPACE, Operator, Sites, condition, eventually, run, status_of, website,
};
use kube::api::{Api, ListParams, Patch, PatchParams, PostParams};
use kube::config::KubeConfigOptions;
use kube::{Client, Config, Resource};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use tokio::sync::watch;
use tracing_subscriber::util::SubscriberInitExt as _;

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

/// What a manager says that it has to be allowed.
fn of_a_manager(manager: &Builder) -> Permit {
    let permissions = manager.permissions();
    let (namespace, election) = permissions.lease.unwrap();
    assert_eq!(namespace, OF_LEASES);
    let all = |permissions: &Permissions| {
        let rules = permissions.rules();
        let rules = rules
            .iter()
            .map(|one| rule(&one.group, &one.resource, &one.verbs));
        single(&rules.collect::<Vec<_>>())
    };
    Permit {
        members: all(&permissions.member),
        host: all(&permissions.host),
        election: all(&election),
    }
}

/// The user of [`Fleet::operator_kubeconfig`].
const USER: &str = "operator";
/// Where the Leases are.
const OF_LEASES: &str = "default";

fn rule(group: &str, resource: &str, verbs: &[&str]) -> PolicyRule {
    PolicyRule {
        api_groups: Some(vec![group.into()]),
        resources: Some(vec![resource.into()]),
        verbs: verbs.iter().map(ToString::to_string).collect(),
        ..PolicyRule::default()
    }
}

/// One verb on one resource.
#[derive(Clone, Debug, PartialEq)]
struct Permission {
    group: String,
    resource: String,
    verb: String,
}

/// All that some rules allow, one by one.
fn single(rules: &[PolicyRule]) -> Vec<Permission> {
    let mut all = Vec::new();
    for rule in rules {
        for group in rule.api_groups.iter().flatten() {
            for resource in rule.resources.iter().flatten() {
                all.extend(rule.verbs.iter().map(|verb| Permission {
                    group: group.clone(),
                    resource: resource.clone(),
                    verb: verb.clone(),
                }));
            }
        }
    }
    all
}

impl Permission {
    /// What is said where it is missing: the words of the API server, but for `finalizers`.
    fn missed(&self) -> String {
        let (verb, resource, group) = (&self.verb, &self.resource, &self.group);
        format!("cannot {verb} resource \"{resource}\" in API group \"{group}\"")
    }

    /// Whether a control plane allows it, everywhere or in a namespace.
    async fn is_given(&self, client: &Client, namespace: Option<&str>) -> bool {
        let (resource, subresource) = match self.resource.split_once('/') {
            Some((resource, subresource)) => (resource, Some(subresource)),
            None => (self.resource.as_str(), None),
        };
        let review = SubjectAccessReview {
            spec: SubjectAccessReviewSpec {
                user: Some(USER.into()),
                resource_attributes: Some(ResourceAttributes {
                    group: Some(self.group.clone()),
                    resource: Some(resource.into()),
                    subresource: subresource.map(Into::into),
                    verb: Some(self.verb.clone()),
                    namespace: namespace.map(Into::into),
                    ..ResourceAttributes::default()
                }),
                ..SubjectAccessReviewSpec::default()
            },
            ..SubjectAccessReview::default()
        };
        let reviews = Api::all(client.clone());
        let answer = reviews.create(&PostParams::default(), &review).await;
        answer.unwrap().status.unwrap().allowed
    }
}

/// What an operator is allowed.
#[derive(Clone)]
struct Permit {
    /// In the control plane of each project.
    members: Vec<Permission>,
    /// In the root.
    host: Vec<Permission>,
    /// In the namespace of its Lease, in the root.
    election: Vec<Permission>,
}

impl Permit {
    fn all(&self) -> Vec<Permission> {
        [&self.members[..], &self.host, &self.election].concat()
    }

    fn without(&self, missing: &Permission) -> Self {
        let mut permit = self.clone();
        for part in [&mut permit.members, &mut permit.host, &mut permit.election] {
            part.retain(|permission| permission != missing);
        }
        permit
    }

    /// Allows the operator this, of `full`, and nothing more.
    async fn grant(&self, fleet: &Fleet, full: &Self) {
        let (root, member) = (fleet.client(), fleet.project_client("red"));
        for (client, may) in [(&root, &self.host), (&member, &self.members)] {
            let mut role = ClusterRole {
                rules: Some(rules(may)),
                ..ClusterRole::default()
            };
            role.metadata.name = Some(USER.into());
            put(Api::all(client.clone()), &role).await;
            let mut binding = ClusterRoleBinding {
                role_ref: role_ref("ClusterRole"),
                subjects: Some(vec![subject()]),
                ..ClusterRoleBinding::default()
            };
            binding.metadata.name = Some(USER.into());
            put(Api::all(client.clone()), &binding).await;
        }
        let mut role = Role {
            rules: Some(rules(&self.election)),
            ..Role::default()
        };
        role.metadata.name = Some(USER.into());
        put(Api::namespaced(root.clone(), OF_LEASES), &role).await;
        let mut binding = RoleBinding {
            role_ref: role_ref("Role"),
            subjects: Some(vec![subject()]),
            ..RoleBinding::default()
        };
        binding.metadata.name = Some(USER.into());
        put(Api::namespaced(root.clone(), OF_LEASES), &binding).await;
        for (client, namespace, all, may) in [
            (&member, None, &full.members, &self.members),
            (&root, None, &full.host, &self.host),
            (&root, Some(OF_LEASES), &full.election, &self.election),
        ] {
            eventually("the rules are in force", async || {
                for permission in all {
                    let given = permission.is_given(client, namespace).await;
                    if given != may.contains(permission) {
                        return Err(format!("{permission:?} is given: {given}"));
                    }
                }
                Ok(())
            })
            .await;
        }
    }
}

fn rules(permissions: &[Permission]) -> Vec<PolicyRule> {
    let rule_of = |one: &Permission| rule(&one.group, &one.resource, &[&one.verb]);
    permissions.iter().map(rule_of).collect()
}

fn role_ref(kind: &str) -> RoleRef {
    RoleRef {
        api_group: Some("rbac.authorization.k8s.io".into()),
        kind: kind.into(),
        name: USER.into(),
    }
}

fn subject() -> Subject {
    Subject {
        api_group: Some("rbac.authorization.k8s.io".into()),
        kind: "User".into(),
        name: USER.into(),
        ..Subject::default()
    }
}

async fn put<K>(api: Api<K>, object: &K)
where
    K: Resource<DynamicType = ()> + Clone + std::fmt::Debug + Serialize + DeserializeOwned,
{
    let name = object.meta().name.clone().unwrap();
    let params = PatchParams::apply("permissions").force();
    api.patch(&name, &params, &Patch::Apply(object))
        .await
        .unwrap();
}

/// What an operator has logged. Clones are one log.
#[derive(Clone, Default)]
struct Log(Arc<watch::Sender<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.borrow()).into_owned()
    }

    /// Waits until these words are there.
    async fn says(&self, words: &str) {
        eventually(&format!("{words:?} is logged"), async || {
            let text = self.text();
            match text.contains(words) {
                true => Ok(()),
                false => Err(text),
            }
        })
        .await;
    }

    /// The same for as long as somebody else has patience.
    async fn ever_says(&self, words: &str) {
        let mut log = self.0.subscribe();
        let says = |log: &Vec<u8>| String::from_utf8_lossy(log).contains(words);
        log.wait_for(says).await.unwrap();
    }

    /// The lines that tell of something that is not allowed.
    fn refusals(&self) -> Vec<String> {
        let text = self.text();
        let lines = text.lines().filter(|line| line.contains("403 Forbidden"));
        lines.map(Into::into).collect()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.send_modify(|log| log.extend(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A shell stands guard over the operator, and kills it when the pipe from us closes, in whatever way we end.
const GUARD: &str = r#"
exec 3<&0
"$@" </dev/null 3<&- &
operator=$!
{ cat <&3 >/dev/null; kill -9 "$operator"; } 2>/dev/null &
exec 3<&-
wait
"#;

/// The website example as a process of its own, which ends when this is dropped.
struct Example {
    guard: Child,
    log: Log,
}

impl Example {
    fn start(program: &Path, kubeconfig: &Path) -> Self {
        let mut guard = Command::new("sh")
            .args(["-c", GUARD, "guard"])
            .arg(program)
            .arg("--kubeconfig")
            .arg(kubeconfig)
            .env_remove("RUST_LOG")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = Log::default();
        let (mut from, mut to) = (guard.stderr.take().unwrap(), log.clone());
        std::thread::spawn(move || io::copy(&mut from, &mut to));
        Self { guard, log }
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        // Only so that it does nothing more when the next one begins; the guard does its work in any case.
        let _ = self.guard.wait();
        if std::thread::panicking() {
            eprintln!("the log of the operator:\n{}", self.log.text());
        }
    }
}

/// The program of the example, as new as its sources.
fn example() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let folder = own.parent().and_then(Path::parent).unwrap();
    let program = folder.join("examples").join("website");
    if !is_fresh(&program) {
        let profile = match folder.file_name().unwrap().to_str().unwrap() {
            "debug" => "dev",
            other => other,
        };
        let arguments = ["build", "-p", "kommodore-examples", "--example", "website"];
        let mut build = Command::new(env!("CARGO"));
        build.args(arguments).args(["--profile", profile]);
        build.current_dir(env!("CARGO_MANIFEST_DIR"));
        // What cargo tells a test of its package would make it build dependencies anew that look at it.
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
                build.env_remove(&name);
            }
        }
        assert!(build.status().unwrap().success(), "the example is built");
    }
    assert!(program.is_file(), "{} is there", program.display());
    program
}

/// Whether nothing has changed since it was built, of what the compiler says it was built of.
fn is_fresh(program: &Path) -> bool {
    let modified = |path: &Path| fs::metadata(path).and_then(|found| found.modified());
    let (Ok(built), Ok(sources)) = (
        modified(program),
        fs::read_to_string(program.with_extension("d")),
    ) else {
        return false;
    };
    let mut sources = sources.split_whitespace().skip(1).map(Path::new);
    sources.all(|source| modified(source).is_ok_and(|changed| changed <= built))
}

/// A kubeconfig in a file, which is removed when this is dropped.
struct File(PathBuf);

impl File {
    fn write(fleet: &Fleet, case: &str) -> Self {
        let name = format!("{case}-{}.kubeconfig", std::process::id());
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        let file = options.open(&path);
        let kubeconfig = fleet.operator_kubeconfig().unwrap();
        serde_json::to_writer(file.unwrap(), &kubeconfig).unwrap();
        Self(path)
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_website_works_under_its_rules_and_names_each_that_is_missing() {
    let case = "the_website_works_under_its_rules_and_names_each_that_is_missing";
    let Some(fleet) = run::real(case).await else {
        return;
    };
    let program = example();
    let kubeconfig = File::write(&fleet, case);
    fleet.create_shop("red").await;
    let full = of_the_website(&program);
    assert_eq!(full.all().len(), 18, "{:?}", full.all());
    let start = async |name: &str, permit: Permit| {
        permit.grant(&fleet, &full).await;
        let example = Example::start(&program, &kubeconfig.0);
        let work = Work {
            fleet: &fleet,
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

    for (number, missing) in full.all().into_iter().enumerate() {
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
#[tokio::test]
async fn an_election_works_under_its_rules_and_names_each_that_is_missing() {
    let case = "an_election_works_under_its_rules_and_names_each_that_is_missing";
    let Some(fleet) = run::real(case).await else {
        return;
    };
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

    let full = of_a_manager(&manager("full"));
    full.grant(&fleet, &full).await;
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
        full.without(&missing).grant(&fleet, &full).await;
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

/// What is logged on this thread goes to `log`, until the guard is dropped.
fn logs_into(log: &Log) -> impl Drop + use<> {
    let log = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(move || log.clone())
        .finish();
    subscriber.set_default()
}
