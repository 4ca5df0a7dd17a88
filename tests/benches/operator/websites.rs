//! Idle websites, and the life of one.

use std::collections::BTreeMap;
use std::io::BufRead as _;
use std::path::Path;
use std::sync::Arc;

use k8s_openapi::api::core::v1::ConfigMap;
use kommodore_tests::Website;
use kube::Client;
use kube::api::{Api, ListParams};

use super::process::config_of;
use super::project::Project;
use super::row;

/// What websites take that are as they should be.
pub(crate) async fn idle(count: usize) {
    let project = Project::start().await;
    let (without, nothing) = (project.idle_memory().await, project.held_memory());
    let operator = project.operator().await;
    project.create(count).await;
    project.quiet().await;
    project.has(count).await;
    let worked = operator.memory();
    operator.stop().unwrap();
    let (with, objects) = (project.idle_memory().await, project.held_memory());
    let each = |bytes: f64| bytes / count as f64 / 1024.0;
    let objects = each(objects - nothing);
    let kib = |bytes: f64| format!("{:.2} KiB", each(bytes) - objects);
    row(
        &format!("memory of an idle website besides the objects ({count} in one project)"),
        "< 2 KiB",
        &kib(with - without),
    );
    row(
        "the same in the process that has created them all",
        "",
        &kib(worked - without),
    );
    row(
        "memory of the objects: the website, and the metadata of its page",
        "",
        &format!("{objects:.2} KiB"),
    );
}

/// What a create and a delete take.
pub(crate) async fn life(count: usize) {
    let project = Project::start().await;
    let operator = project.operator().await;
    // Once to warm up.
    let mut cost = BTreeMap::new();
    for turn in ["first", "second"] {
        let before = operator.cpu();
        project.create(count).await;
        project.quiet().await;
        project.has(count).await;
        let created = operator.cpu();
        project.delete(count).await;
        project.quiet().await;
        project.has(0).await;
        let deleted = operator.cpu();
        let each = |ms: f64| ms / count as f64;
        cost.insert(turn, (each(created - before), each(deleted - created)));
    }
    operator.stop().unwrap();
    let (create, delete) = cost["second"];
    row(
        "CPU for one create of the website",
        "< 0.4 ms",
        &format!("{create:.2} ms"),
    );
    row("CPU for one delete", "< 0.2 ms", &format!("{delete:.2} ms"));
}

/// Nothing but the objects that the operator has: websites, and the metadata of their pages.
pub(crate) async fn hold(kubeconfig: &Path) {
    let config = config_of(kubeconfig).await;
    let client = Client::try_from(config).unwrap();
    let websites: Api<Website> = Api::all(client.clone());
    let pages: Api<ConfigMap> = Api::all(client);
    let (mut sites, mut metadata) = (Vec::new(), Vec::new());
    let mut params = ListParams::default().limit(500);
    loop {
        let page = websites.list(&params).await.unwrap();
        for mut site in page.items {
            site.metadata.managed_fields = None;
            sites.push(Arc::new(site));
        }
        match page.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => params.continue_token = Some(token),
            None => break,
        }
    }
    params.continue_token = None;
    loop {
        let page = pages.list_metadata(&params).await.unwrap();
        for mut page in page.items {
            page.metadata.managed_fields = None;
            metadata.push(Arc::new(page));
        }
        match page.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => params.continue_token = Some(token),
            None => break,
        }
    }
    println!("ready");
    until_told().await;
    drop((sites, metadata));
}

/// Ends when nobody has anything more to say to this process.
async fn until_told() {
    let line = || std::io::stdin().lock().read_line(&mut String::new());
    let _ = tokio::task::spawn_blocking(line).await;
}
