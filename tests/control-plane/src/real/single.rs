//! One real control plane by itself.

use kube::Config;

use super::plane::{Plane, base_folder, random};
use super::{Assets, RealError};
use crate::serve::Authority;

/// A real API server, with garbage collector and namespace controller where there is a controller manager. All that
/// was started ends when it is dropped, or this process ends.
pub struct RealControlPlane {
    plane: Plane,
    authority: Authority,
    operator: String,
    has_controllers: bool,
}

impl RealControlPlane {
    /// Starts everything on the current runtime.
    pub async fn start(assets: &Assets) -> Result<Self, RealError> {
        Self::start_with(assets, &[]).await
    }

    /// The same, with some more flags of kube-apiserver, such as `--goaway-chance=0.02`.
    pub async fn start_with(assets: &Assets, flags: &[&str]) -> Result<Self, RealError> {
        let authority = Authority::new()?;
        let base = base_folder()?;
        let operator = random();
        let mut plane = Plane::start("single", &base, assets, &authority, &operator, flags).await?;
        let controller_manager = assets.controller_manager();
        if let Some(program) = &controller_manager {
            plane.start_controllers(program, &authority)?;
        }
        Ok(Self {
            plane,
            authority,
            operator,
            has_controllers: controller_manager.is_some(),
        })
    }

    /// How to reach it, with all rights.
    pub fn config(&self) -> Result<Config, RealError> {
        self.plane.check()?;
        self.plane.config(&self.authority)
    }

    /// How the user `operator` reaches it, who may do what roles allow that user, and nothing else.
    pub fn operator_config(&self) -> Result<Config, RealError> {
        let mut config = self.config()?;
        config.auth_info.token = Some(self.operator.clone().into());
        Ok(config)
    }

    /// How a user with this name reaches it, by a certificate and no token. Each call makes a new certificate.
    pub fn config_with_certificate(&self, user: &str) -> Result<Config, RealError> {
        let mut config = self.config()?;
        config.auth_info = self.authority.client_auth(user)?.0;
        Ok(config)
    }

    /// Whether garbage is collected and namespaces end.
    pub fn has_controllers(&self) -> bool {
        self.has_controllers
    }
}
