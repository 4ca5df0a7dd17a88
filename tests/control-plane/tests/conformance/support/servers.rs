//! The two servers that a case talks with.

use std::sync::Arc;

use kommodore_control_plane::{Assets, ControlPlane, RealControlPlane};

use super::recording::Recording;
use super::talk::{Configs, Talk};

/// Runs a case on an embedded server of its own.
pub(crate) async fn on_embedded(module: &str, case: &str, run: impl AsyncFnOnce(&mut Talk)) {
    // As on the real one; the admin, who asks where a case names nobody else, may do everything.
    let builder = ControlPlane::builder()
        .furnished()
        .rbac()
        .owner_references_permission_enforcement();
    let plane = builder.user("operator", [""; 0]).start().await.unwrap();
    let mut configs = Configs {
        admin: plane.config(),
        operator: plane.config_as("operator").unwrap(),
    };
    // What the server answers is what is written down.
    configs.admin.default_retry = false;
    configs.operator.default_retry = false;
    let recording = Recording::of(module, case);
    let mut talk = Talk::begin(configs, case, true).await;
    run(&mut talk).await;
    if let Some(said) = talk.end() {
        recording.compare(&said);
    }
}

/// The cases whose changes all others would see, and which have a real server for themselves.
const ALONE: [&str; 2] = ["::cluster_defaults::", "::elsewhere::"];

/// Runs a case on the real server, which most cases share.
pub(crate) async fn on_real(module: &str, case: &str, run: impl AsyncFnOnce(&mut Talk)) {
    let Some(assets) = Assets::from_env().unwrap() else {
        eprintln!(
            "skipped: real::{case} needs KUBEBUILDER_ASSETS, a folder with etcd and kube-apiserver"
        );
        return;
    };
    let server = match ALONE.iter().any(|area| module.contains(area)) {
        true => Arc::new(RealControlPlane::start(&assets).await.unwrap()),
        false => RealControlPlane::shared(&assets).await.unwrap(),
    };
    let recording = Recording::of(module, case);
    let configs = Configs {
        admin: server.config().unwrap(),
        operator: server.operator_config().unwrap(),
    };
    let mut talk = Talk::begin(configs, case, server.has_controllers()).await;
    run(&mut talk).await;
    let Some(said) = talk.end() else {
        eprintln!("skipped: real::{case} needs a kube-controller-manager beside kube-apiserver");
        return;
    };
    match std::env::var_os("CONFORMANCE") {
        Some(word) if word == "record" => recording.write(&said),
        _ => recording.compare(&said),
    }
}
