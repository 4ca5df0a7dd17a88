//! An operator is uninstalled: its finalizers go, and everything else stays.

use std::time::Duration;

use kommodore::Manager;
use kommodore_tests::{FINALIZER, Fleet, Operator, Point, Sites, WATCHED, on_both_servers};
use kube::ResourceExt;
use serde_json::json;
use tokio::sync::oneshot;

const OTHER: &str = "demo.kommodore.dev/other";

/// Websites in both projects that an operator has been at work on, which has ended.
async fn installed(fleet: &Fleet) {
    for project in ["red", "blue"] {
        fleet.create_shop(project).await;
    }
    let operator = Operator::start(fleet.manager().controller(Sites::default()));
    for project in ["red", "blue"] {
        fleet.engaged(project, &WATCHED).await;
        for name in ["one", "two"] {
            fleet.create_website(project, name).await;
            fleet.website_ready(project, name).await;
        }
    }
    let both = json!({"metadata": {"finalizers": [OTHER, FINALIZER]}});
    fleet.change_website("red", "one", both).await;
    operator.stop().await.unwrap();
}

async fn finalizers(fleet: &Fleet, project: &str, name: &str) -> Vec<String> {
    let site = fleet.websites(project).get(name).await.unwrap();
    site.finalizers().to_vec()
}

on_both_servers! {
    async fn the_finalizers_go_everywhere_and_nothing_is_cleaned_up(fleet: &Fleet) {
        installed(fleet).await;
        // One of them is on its way out already, and goes.
        fleet.delete_website("blue", "two").await;
        let mark = fleet.requests().mark();
        let sites = Sites::default();
        let manager = fleet.manager().controller(sites.clone());
        let released = manager.release_finalizers_until(std::future::pending()).await.unwrap();
        assert_eq!(released, 4);
        assert_eq!(finalizers(fleet, "red", "one").await, [OTHER]);
        assert_eq!(finalizers(fleet, "red", "two").await, [""; 0]);
        assert_eq!(finalizers(fleet, "blue", "one").await, [""; 0]);
        fleet.website_gone("blue", "two").await;
        assert_eq!(sites.probe.visits(), []);
        let said = ["list websites", "patch websites/one", "patch websites/two"];
        assert_eq!((fleet.said("red", mark), fleet.said("blue", mark)), (said.map(Into::into).to_vec(), said.map(Into::into).to_vec()));
        assert!(fleet.pages("red").get("one").await.is_ok());
        fleet.website_ready("red", "one").await;
        // There is nothing left to be done.
        let manager = fleet.manager().controller(sites.clone());
        assert_eq!(manager.release_finalizers_until(std::future::pending()).await.unwrap(), 0);
        let free = json!({"metadata": {"finalizers": null}});
        fleet.change_website("red", "one", free).await;
    }

    async fn who_ends_it_before_hears_what_is_left(fleet: &Fleet) {
        installed(fleet).await;
        fleet.silence("blue");
        let (end, ended) = oneshot::channel::<()>();
        let manager = fleet.manager().grace(Duration::ZERO).controller(Sites::default());
        let release = tokio::spawn(manager.release_finalizers_until(async { ended.await.unwrap() }));
        for name in ["one", "two"] {
            fleet.website_is("red", name, "it is released", |site| {
                !site.finalizers().contains(&FINALIZER.to_owned())
            }).await;
        }
        end.send(()).unwrap();
        let error = format!("{:#}", release.await.unwrap().unwrap_err());
        assert!(error.contains("in these clusters: blue"), "{error}");
        fleet.unsilence("blue");
        let manager = fleet.manager().controller(Sites::default());
        assert_eq!(manager.release_finalizers_until(std::future::pending()).await.unwrap(), 2);
        let free = json!({"metadata": {"finalizers": null}});
        fleet.change_website("red", "one", free).await;
    }

    async fn without_a_provider_it_is_the_one_cluster(fleet: &Fleet) {
        installed(fleet).await;
        let mut config = fleet.project_config("red");
        config.headers = fleet.operator_config().headers;
        let sites = Sites::default();
        let manager = Manager::builder(config).controller(sites.clone());
        assert_eq!(manager.release_finalizers_until(std::future::pending()).await.unwrap(), 2);
        assert_eq!(finalizers(fleet, "blue", "one").await, [FINALIZER]);
        assert_eq!(sites.probe.count(Point::Cleanup, "one"), 0);
        let free = json!({"metadata": {"finalizers": null}});
        fleet.change_website("red", "one", free).await;
        fleet.manager().controller(sites).release_finalizers_until(std::future::pending()).await.unwrap();
    }
}
