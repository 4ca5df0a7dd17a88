//! Serves a control plane with Milo's projects until Ctrl-C: `cargo run --example serve -- KUBECONFIG [PROJECT..]`.

use std::error::Error;

use kommodore_control_plane::ControlPlane;
use kube::api::{Api, DynamicObject, PostParams};
use kube::core::{ApiResource, GroupVersionKind};
use serde_json::json;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let file = arguments
        .next()
        .ok_or("usage: serve KUBECONFIG [PROJECT..]")?;
    let plane = ControlPlane::builder().milo().start().await?;
    let kind = ApiResource::from_gvk(&GroupVersionKind::gvk(
        "resourcemanager.miloapis.com",
        "v1alpha1",
        "Project",
    ));
    let projects: Api<DynamicObject> = Api::all_with(plane.client()?, &kind);
    for name in arguments {
        let project = DynamicObject::new(&name, &kind)
            .data(json!({"spec": {"ownerRef": {"kind": "Organization", "name": "example"}}}));
        projects.create(&PostParams::default(), &project).await?;
    }
    std::fs::write(&file, serde_saphyr::to_string(&plane.kubeconfig())?)?;
    println!("kubectl --kubeconfig {file} --context root get projects");
    tokio::signal::ctrl_c().await?;
    plane.shutdown().await;
    Ok(())
}
