//! A Milo of our own, with projects and websites.

use kommodore::Result;
use kommodore_control_plane::ControlPlane;
use serde::Serialize;

use crate::user::User;

/// The projects at the beginning.
pub(crate) const PROJECTS: [&str; 3] = ["alpha", "beta", "gamma"];
/// The websites of each project at the beginning.
pub(crate) const WEBSITES: [&str; 2] = ["blog", "shop"];

/// Starts the control plane, and creates what is there at the beginning.
pub(crate) async fn start(crd: &impl Serialize) -> Result<User> {
    let plane = ControlPlane::builder().crd(crd).milo().start().await?;
    let user = User::new(plane)?;
    for project in PROJECTS {
        user.create_project(project).await?;
    }
    for project in PROJECTS {
        user.project_is_ready(project).await?;
        user.create_namespace(project).await?;
        for website in WEBSITES {
            user.create_website(project, website).await?;
        }
    }
    Ok(user)
}
