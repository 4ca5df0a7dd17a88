//! Programs that give credentials, and what they do wrong.

use std::fs;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::ConfigMap;
use kommodore::{Action, ClusterState, Context, Manager, Reconcile, Result, controller};
use kommodore_control_plane::ControlPlane;
use kommodore_tests::{Clusters, Folder, Log, Operator, Told, eventually, logs_into, stands};
use kube::Config;
use kube::api::{Api, ListParams};
use kube::config::{ExecAuthCluster, ExecConfig};

#[controller(for = ConfigMap)]
struct Idle;

impl Reconcile for Idle {
    async fn reconcile(&self, _: &ConfigMap, _: &Context<Self>) -> Result<Action> {
        Ok(Action::done())
    }
}

/// A script that runs in a folder.
fn script(folder: &Folder, script: &str) -> ExecConfig {
    let script = format!("cd '{}' || exit 1\n{script}", folder.path().display());
    let program = serde_json::json!({
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": "sh",
        "args": ["-c", script],
        "interactiveMode": "Never",
    });
    serde_json::from_value(program).unwrap()
}

/// What a program says that gives the token of a configuration.
fn credential(of: &Config, until: Option<Timestamp>) -> String {
    let info = serde_json::to_value(&of.auth_info).unwrap();
    let credential = serde_json::json!({
        "apiVersion": "client.authentication.k8s.io/v1",
        "kind": "ExecCredential",
        "status": {"token": info["token"], "expirationTimestamp": until},
    });
    credential.to_string()
}

#[tokio::test]
async fn one_that_hangs_when_it_is_asked_again_is_one_process_and_ends_with_the_manager() {
    let server = ControlPlane::builder().user("operator", [""; 0]);
    let server = server.start().await.unwrap();
    let folder = Folder::new("hangs");
    // What it gives at first is over at once.
    let over = Timestamp::now() - Duration::from_secs(1);
    let first = server.config_as("operator").unwrap();
    folder.file("credential", &credential(&first, Some(over)));
    let mut config = server.config_anonymous();
    config.auth_info.exec = Some(script(
        &folder,
        "[ -e asked ] || exec cat credential > /dev/stdout 3> asked
         echo $$ >> hung
         while [ -d . ] && [ ! -e next ]; do sleep 0.05; done
         exec cat next",
    ));
    let (clusters, mut engaged) = Clusters::new([("red", config.clone())]);
    let manager = Manager::builder(config).provider(clusters);
    let mut operator = Operator::start(manager.controller(Idle));
    let pages: Api<ConfigMap> = Api::all(engaged.client().await);
    let list = async || pages.list(&ListParams::default()).await;
    eventually("it is asked again", async || {
        // Whoever waits may go.
        let _ = tokio::time::timeout(Duration::from_millis(50), list()).await;
        match folder.lines("hung").len() {
            0 => Err("not yet"),
            _ => Ok(()),
        }
    })
    .await;
    for _ in 0..20 {
        let waits = tokio::time::timeout(Duration::from_millis(50), list()).await;
        assert!(waits.is_err(), "it waits for the same");
    }
    assert_eq!(folder.lines("hung").len(), 1, "it runs once");
    let second = server.config_as("operator").unwrap();
    folder.file("next", &credential(&second, Some(over)));
    eventually("what it gives in the end is shown", list).await;

    fs::remove_file(folder.place_of("next")).unwrap();
    eventually("it hangs again", async || {
        let _ = tokio::time::timeout(Duration::from_millis(50), list()).await;
        match folder.lines("hung").len() {
            2 => Ok(()),
            _ => Err("not yet"),
        }
    })
    .await;
    let process = format!("/proc/{}", folder.lines("hung")[1]);
    assert!(fs::exists(&process).unwrap());
    operator.interrupt();
    drop(pages);
    eventually("it has ended", async || match operator.has_ended() {
        true => Ok(()),
        false => Err("it runs"),
    })
    .await;
    drop((operator, engaged));
    eventually("so has the program", async || {
        match fs::read_to_string(format!("{process}/stat")) {
            Ok(stat) if !stat.contains(") Z ") => Err(stat),
            _ => Ok(()),
        }
    })
    .await;
}

#[tokio::test]
async fn a_fleet_does_not_run_all_its_programs_at_once_and_waits_for_none_that_hangs() {
    let server = ControlPlane::builder().start().await.unwrap();
    let folder = Folder::new("many");
    folder.file("credential", &credential(&server.config(), None));
    let with = |number: usize, program: &str| {
        // Each is another identity.
        let program = script(&folder, &format!(": {number}\n{program}"));
        let mut config = server.config_anonymous();
        config.auth_info.exec = Some(program);
        config
    };
    let hangs = "while [ -d . ]; do sleep 0.1; done";
    let counts =
        "mkdir run-$$; ls -d run-* | wc -l >> seen; sleep 0.3; rmdir run-$$; exec cat credential";
    let names: Vec<String> = (0..60).map(|number| format!("c{number:02}")).collect();
    let clusters = names.iter().enumerate().map(|(number, name)| {
        let program = if number < 20 { hangs } else { counts };
        (name.as_str(), with(number, program))
    });
    let (clusters, _) = Clusters::new(clusters);
    let manager = Manager::builder(server.config()).provider(clusters);
    let manager = manager.controller(Idle);
    let status = manager.fleet();
    let _operator = Operator::start(manager);
    for name in &names[20..] {
        stands(&status, name, ClusterState::Engaged).await;
    }
    let at_once = folder.lines("seen").into_iter();
    let most = at_once.map(|count| count.trim().parse::<usize>().unwrap());
    let most = most.max().unwrap();
    assert!(most <= 16, "{most} at once");
}

#[tokio::test]
async fn the_fleet_says_what_is_wrong_with_one_and_no_secret() {
    let server = ControlPlane::builder().start().await.unwrap();
    let folder = Folder::new("wrong");
    let broken = script(&folder, "echo secret; echo no login >&2; exit 3");
    let odd = script(&folder, "echo '{\"status\": secret'");
    let empty = script(&folder, "echo '{\"status\": {}}'");
    let mut absent = script(&folder, "");
    absent.command = Some("kommodore-is-not-a-program".into());
    absent.install_hint = Some("Get it from the shop.".into());
    let with = |program: ExecConfig| {
        let mut config = server.config_anonymous();
        config.auth_info.exec = Some(program);
        config
    };
    let (clusters, _) = Clusters::new([
        ("broken", with(broken)),
        ("odd", with(odd)),
        ("empty", with(empty)),
        ("absent", with(absent)),
        ("plain", server.config()),
    ]);
    let manager = Manager::builder(server.config()).provider(clusters);
    let manager = manager.controller(Idle);
    let status = manager.fleet();
    let _operator = Operator::start(manager);
    stands(&status, "plain", ClusterState::Engaged).await;
    for (name, why) in [
        (
            "broken",
            "the program `sh` has failed: exit status: 3: no login",
        ),
        (
            "odd",
            "the program `sh` has given no ExecCredential with a status",
        ),
        ("empty", "has given neither a token nor a certificate"),
        (
            "absent",
            "the program `kommodore-is-not-a-program` cannot be run",
        ),
        ("absent", "Get it from the shop."),
    ] {
        let error = eventually(why, async || {
            let cluster = stands(&status, name, ClusterState::Connecting).await;
            cluster.last_error.ok_or("nothing is said")
        })
        .await;
        assert!(error.contains(why), "{name}: {error}");
        assert!(!error.contains("secret"), "{name}: {error}");
    }
}

#[tokio::test]
async fn one_that_fails_at_first_is_run_again_also_for_another_connection_and_that_is_said_once() {
    let server = ControlPlane::builder().start().await.unwrap();
    let log = Log::default();
    let _logs = logs_into(&log);
    let folder = Folder::new("again");
    folder.file("credential", &credential(&server.config(), None));
    let with = |runs: &str| {
        let fails_twice = format!(
            "echo $$ >> {runs}
             [ $(wc -l < {runs}) -gt 2 ] || {{ echo try $$ >&2; exit 1; }}
             exec cat credential"
        );
        let mut config = server.config_anonymous();
        config.auth_info.exec = Some(script(&folder, &fails_twice));
        config
    };
    let (told, teller) = Told::new("told");
    let manager = Manager::builder(server.config()).provider(told);
    let manager = manager.controller(Idle);
    let status = manager.fleet();
    let _operator = Operator::start(manager);
    teller.engage("red", with("first"));
    stands(&status, "red", ClusterState::Engaged).await;
    teller.engage("red", with("second"));
    log.says("the cluster keeps the connection that it has")
        .await;
    log.says("the connection is another one").await;
    stands(&status, "red", ClusterState::Engaged).await;
    for runs in ["first", "second"] {
        assert_eq!(folder.lines(runs).len(), 3, "{runs}");
    }
    let text = log.text();
    let said = |words: &str| text.lines().filter(|line| line.contains(words)).count();
    assert_eq!(said("cannot make a client for the cluster"), 1, "{text}");
    assert_eq!(said("the cluster keeps the connection"), 1, "{text}");
}

#[tokio::test]
async fn each_is_told_of_its_own_cluster_and_run_again_when_that_changes() {
    let server = ControlPlane::builder().start().await.unwrap();
    let folder = Folder::new("told");
    folder.file("credential", &credential(&server.config(), None));
    let of = |member: &str| {
        let tells = "echo \"$KUBERNETES_EXEC_INFO\" >> told; exec cat credential";
        let mut program = script(&folder, tells);
        program.provide_cluster_info = true;
        program.cluster = Some(ExecAuthCluster {
            config: Some(serde_json::json!({"member": member})),
            ..ExecAuthCluster::default()
        });
        let mut config = server.config_anonymous();
        config.auth_info.exec = Some(program);
        config
    };
    let (told, teller) = Told::new("told");
    let manager = Manager::builder(server.config()).provider(told);
    let manager = manager.controller(Idle);
    let status = manager.fleet();
    let _operator = Operator::start(manager);
    for member in ["red", "blue"] {
        teller.engage(member, of(member));
        stands(&status, member, ClusterState::Engaged).await;
    }
    teller.engage("red", of("green"));
    eventually("each is told of its own", async || {
        let told = folder.lines("told").into_iter();
        let told = told.map(|info| serde_json::from_str::<serde_json::Value>(&info).unwrap());
        let members: Vec<String> = told
            .map(|info| info["spec"]["cluster"]["config"]["member"].to_string())
            .collect();
        match members == ["\"red\"", "\"blue\"", "\"green\""] {
            true => Ok(()),
            false => Err(format!("{members:?}")),
        }
    })
    .await;
}

#[tokio::test]
async fn one_that_fails_when_it_is_asked_again_is_told_of_once_in_whatever_words() {
    let server = ControlPlane::builder().user("operator", [""; 0]);
    let server = server.start().await.unwrap();
    let log = Log::default();
    let _logs = logs_into(&log);
    let folder = Folder::new("fails");
    let over = Timestamp::now() - Duration::from_secs(1);
    let first = server.config_as("operator").unwrap();
    folder.file("credential", &credential(&first, Some(over)));
    let mut config = server.config_anonymous();
    config.auth_info.exec = Some(script(
        &folder,
        "echo $$ >> runs
         [ $(wc -l < runs) -gt 1 ] && { echo try $$ >&2; exit 1; }
         exec cat credential",
    ));
    let (clusters, mut engaged) = Clusters::new([("red", config.clone())]);
    let manager = Manager::builder(config).provider(clusters);
    let _operator = Operator::start(manager.controller(Idle));
    let pages: Api<ConfigMap> = Api::all(engaged.client().await);
    eventually("it is asked again and again", async || {
        // What it gave at first is shown.
        pages.list(&ListParams::default()).await.unwrap();
        match folder.lines("runs").len() {
            0..4 => Err("not yet"),
            _ => Ok(()),
        }
    })
    .await;
    let text = log.text();
    let said = text
        .lines()
        .filter(|line| line.contains("there are no others"));
    assert_eq!(said.count(), 1, "{text}");
}
