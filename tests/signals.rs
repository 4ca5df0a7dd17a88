//! An operator that is a process, and the signals that end it.
#![cfg(unix)]

use std::io::Read as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::api::events::v1::Event as Told;
use kommodore::{Action, Context, Event, Manager, Milo, Reconcile, Result, controller};
use kommodore_tests::{
    Fleet, KubeconfigFile, NAMESPACE, WATCHED, Website, eventually, page, run, status_of, website,
};
use kube::Config;
use kube::api::{Api, PostParams};
use kube::config::KubeConfigOptions;

/// Where the operator's process finds the fleet.
const KUBECONFIG: &str = "KOMMODORE_TESTS_KUBECONFIG";

/// Holds up its runs until somebody creates `go`, or for ever and with the whole thread.
#[controller(for = Website, owns(ConfigMap), conditions)]
struct Slow;

impl Reconcile for Slow {
    async fn reconcile(&self, site: &Website, cx: &Context<Self>) -> Result<Action> {
        cx.apply(page(site)).await?;
        if site.spec.host == "blocks" {
            loop {
                std::thread::park();
            }
        }
        // Each look is a request, so that this does not turn in a circle.
        while cx.get::<ConfigMap>("go").await?.is_none() {}
        cx.event(Event::normal("Went", "somebody said go"));
        Ok(Action::done())
    }
}

/// The process of the other tests.
#[test]
#[ignore = "the other tests run it as a process of its own"]
fn operator() {
    let path = std::env::var(KUBECONFIG).expect("a kubeconfig");
    // However the test ends, this does not outlive it.
    std::thread::spawn(|| {
        let _ = std::io::stdin().read(&mut [0]);
        std::process::exit(1);
    });
    // One thread, which a run can block.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let ended = runtime.unwrap().block_on(async {
        let kubeconfig = kube::config::Kubeconfig::read_from(path).unwrap();
        let options = KubeConfigOptions::default();
        let config = Config::from_custom_kubeconfig(kubeconfig, &options).await;
        let manager = Manager::builder(config.unwrap()).provider(Milo::external());
        manager
            .grace(Duration::from_secs(600))
            .reconcile_timeout(Duration::from_secs(600))
            .controller(Slow)
            .run()
            .await
    });
    ended.unwrap();
}

/// An operator's process, which does not outlive its test.
struct Process {
    child: Child,
    _kubeconfig: KubeconfigFile,
}

impl Process {
    async fn start(fleet: &Fleet, case: &str) -> Self {
        let kubeconfig = fleet.kubeconfig().expect("an embedded fleet");
        let kubeconfig = KubeconfigFile::write(&kubeconfig, case);
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "operator"])
            .env(KUBECONFIG, &kubeconfig.0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn();
        let process = Self {
            child: child.unwrap(),
            _kubeconfig: kubeconfig,
        };
        watches(fleet, true).await;
        process
    }

    fn signal(&self, name: &str) {
        let kill = Command::new("kill")
            .args([format!("-{name}"), self.child.id().to_string()])
            .status();
        assert!(kill.unwrap().success());
    }

    async fn ends(&mut self) -> ExitStatus {
        eventually("the process ends", async || self.child.try_wait().unwrap()).await
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until all of the kinds are watched in red, or none.
async fn watches(fleet: &Fleet, wanted: bool) {
    let what = format!("that it watches is {wanted}");
    eventually(&what, async || {
        let mut open = fleet.requests().open_watches();
        open.retain(|watch| watch.project.as_deref() == Some("red"));
        let watched = |kind: &&str| open.iter().any(|watch| watch.plural() == *kind);
        match wanted {
            true => WATCHED.iter().all(watched),
            false => open.is_empty(),
        }
    })
    .await;
}

/// An operator that is at work on the website `one`, and will not end that by itself.
async fn at_work(case: &str, host: &str) -> (Fleet, Process) {
    let fleet = run::embedded().await;
    fleet.create_shop("red").await;
    let process = Process::start(&fleet, case).await;
    let mut one = website("one");
    one.spec.host = host.into();
    let websites = fleet.websites("red");
    websites.create(&PostParams::default(), &one).await.unwrap();
    fleet.page_shows("red", "one", host).await;
    (fleet, process)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_the_first_signal_it_takes_nothing_new_finishes_and_says_what_there_is_to_say() {
    for signal in ["INT", "TERM"] {
        let (fleet, mut process) = at_work(&format!("first-{signal}"), "waits").await;
        process.signal(signal);
        watches(&fleet, false).await;
        fleet.create_website("red", "two").await;
        assert!(process.child.try_wait().unwrap().is_none(), "it waits");
        let mut go = ConfigMap::default();
        go.metadata.name = Some("go".into());
        let pages = fleet.pages("red");
        pages.create(&PostParams::default(), &go).await.unwrap();
        assert_eq!(process.ends().await.code(), Some(0));
        let one = fleet.websites("red").get("one").await.unwrap();
        assert_eq!(
            status_of(&one, "Ready"),
            Some(("True", "ReconcileSucceeded"))
        );
        let told: Api<Told> = Api::namespaced(fleet.project_client("red"), NAMESPACE);
        let told = told.list(&Default::default()).await.unwrap();
        let reasons: Vec<_> = told.iter().map(|told| told.reason.as_deref()).collect();
        assert_eq!(reasons, [Some("Went")]);
        assert_eq!(fleet.pages("red").get_opt("two").await.unwrap(), None);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_the_second_signal_it_ends_at_once() {
    for (second, code) in [("INT", 130), ("TERM", 143)] {
        let (fleet, mut process) = at_work(&format!("second-{second}"), "waits").await;
        process.signal("INT");
        watches(&fleet, false).await;
        process.signal(second);
        let since = Instant::now();
        assert_eq!(process.ends().await.code(), Some(code));
        assert!(since.elapsed() < Duration::from_secs(10));
        let one = fleet.websites("red").get("one").await.unwrap();
        assert_eq!(one.status, None, "it has not finished");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_blocks_its_thread_does_not_keep_it_from_ending() {
    let (_fleet, mut process) = at_work("blocked", "blocks").await;
    // Nobody can tell when it has taken notice of the first.
    eventually("it ends", async || {
        process.signal("INT");
        process.child.try_wait().unwrap()
    })
    .await;
    assert_eq!(process.ends().await.code(), Some(130));
}
