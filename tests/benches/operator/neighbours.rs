//! How soon a quiet project's change is seen to, beside projects that are in trouble.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures::TryStreamExt as _;
use kommodore_control_plane::{Fault, Injected};
use kommodore_tests::Website;
use kube::api::{Api, Patch, PatchParams};
use kube::runtime::{WatchStreamExt as _, watcher};
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use super::project::{Project, beside, create, until};
use super::row;

/// The websites that are changed, and those of the hot project.
const WEBSITES: usize = 20;
const HOT: usize = 200;
/// So many changes are made of each, and so many a second.
const CHANGES: usize = 1_000;
const RATE: u32 = 20;
const HOT_RATE: u32 = 1_000;
/// The hot project's changes go out in groups, as timers are no finer.
const GROUPS: u32 = 100;
const GROUP: usize = (HOT_RATE / GROUPS) as usize;
/// Something is wrong if a change takes so long.
const LIMIT: Duration = Duration::from_secs(60);

/// Measures a quiet project alone, beside a hot one, and while a tenth of all is dead.
pub(crate) async fn neighbours(count: usize) {
    let project = Project::start().await;
    project.add_projects(count).await;
    let dead = count / 10;
    let hot = project.websites_beside(dead).await;
    let mut operator = project.operator_of("");
    until(&mut operator, |it| it.engaged > count).await;
    project.create(WEBSITES).await;
    create(&hot, HOT).await;
    project.quiet().await;
    let alone = p99(&project, "alone").await;
    row(
        "p99 of a quiet project's change, all idle",
        "",
        &format!("{alone:.1} ms"),
    );
    let tell = |what: &str, goal: &str, p99: f64| {
        let measured = format!("{:.2} times ({p99:.1} ms)", p99 / alone);
        row(&format!("the same {what}"), goal, &measured);
    };
    let heat = tokio::spawn(heat(hot));
    let beside_hot = p99(&project, "beside-hot").await;
    heat.abort();
    tell(
        "beside 1,000 events a second in another",
        "≤ 2 times",
        beside_hot,
    );
    operator.stop().unwrap();
    project.quiet().await;
    let deaths: Vec<Injected> = (0..dead)
        .map(|number| {
            let fault = match number % 4 {
                0 => Fault::silence(),
                1 => Fault::partition(),
                2 => Fault::reset(),
                _ => Fault::status(500),
            };
            project.plane.inject(fault.in_project(beside(number)))
        })
        .collect();
    let mut operator = project.operator_of("");
    until(&mut operator, |it| it.engaged > count - dead).await;
    let beside_dead = p99(&project, "beside-dead").await;
    tell("while a tenth is dead", "≤ 1.1 times", beside_dead);
    operator.stop().unwrap();
    drop(deaths);
}

/// Changes websites evenly; in ms, from the moment of each change until it is seen to be Ready for it.
async fn p99(project: &Project, when: &str) -> f64 {
    let websites = project.websites();
    let asked: Arc<Mutex<BTreeMap<String, Instant>>> = Arc::default();
    let latencies: Arc<Mutex<Vec<f64>>> = Arc::default();
    let events = watcher(websites.clone(), watcher::Config::default()).default_backoff();
    let watching = tokio::spawn({
        let (asked, latencies) = (Arc::clone(&asked), Arc::clone(&latencies));
        async move {
            let seen = |site: Website| {
                let ready = site.status.as_ref().and_then(|status| {
                    let mut conditions = status.conditions.iter();
                    conditions.find(|one| one.type_ == "Ready")
                });
                let is_done = ready.is_some_and(|ready| {
                    ready.status == "True" && ready.observed_generation == site.metadata.generation
                });
                let began = is_done.then(|| asked.lock().unwrap().remove(&site.spec.host));
                if let Some(began) = began.flatten() {
                    let ms = began.elapsed().as_secs_f64() * 1_000.0;
                    latencies.lock().unwrap().push(ms);
                }
                async { Ok(()) }
            };
            events.applied_objects().try_for_each(seen).await.unwrap();
        }
    });
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / RATE);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    for change in 0..CHANGES {
        ticks.tick().await;
        let host = format!("{when}{change}");
        asked.lock().unwrap().insert(host.clone(), Instant::now());
        set_host(&websites, change % WEBSITES, &host).await;
    }
    let ended = Instant::now();
    while !asked.lock().unwrap().is_empty() {
        assert!(
            ended.elapsed() < LIMIT,
            "{when}: some changes were not seen to"
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    watching.abort();
    let mut latencies = std::mem::take(&mut *latencies.lock().unwrap());
    latencies.sort_by(f64::total_cmp);
    latencies[latencies.len() * 99 / 100]
}

/// Changes the websites of a project without an end.
async fn heat(websites: Api<Website>) {
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / GROUPS);
    let mut changes = JoinSet::new();
    for change in 0.. {
        ticks.tick().await;
        for number in 0..GROUP {
            let (websites, host) = (websites.clone(), format!("hot{change}x{number}"));
            let site = (change * GROUP + number) % HOT;
            changes.spawn(async move { set_host(&websites, site, &host).await });
        }
        while changes.try_join_next().is_some() {}
    }
}

async fn set_host(websites: &Api<Website>, site: usize, host: &str) {
    let patch = Patch::Merge(json!({"spec": {"host": host}}));
    let name = format!("site-{site}");
    let params = PatchParams::default();
    websites.patch(&name, &params, &patch).await.unwrap();
}
