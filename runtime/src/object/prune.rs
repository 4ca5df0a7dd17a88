//! What a reconcile deletes of its children.

use std::collections::BTreeSet;
use std::sync::PoisonError;

use futures::future::BoxFuture;

use super::applied::Child;
use super::removal::{remove_marked, remove_owned};
use super::scope::Scope;
use crate::Result;

impl Scope {
    /// Deletes the children of the reconciled object that this reconcile has not applied until now, and returns how
    /// many these were: what the object controls by an owner reference or has [marked](crate::Apply::marked), of the kinds
    /// among the controller's `owns`, where a selection there holds them.
    ///
    /// An object that somebody changes or takes over in this moment is looked at again, and one that is not the
    /// reconciled object's any more stays. The option `prune` does the same at the end of each `reconcile` that is
    /// [done](crate::Action::done). It needs a permission that the declaration does not show without that option:
    /// `rbac(Child(verbs = "delete"))`.
    ///
    /// ```
    /// # use kommodore::{Result, Scope};
    /// # use kommodore::k8s_openapi::api::core::v1::ConfigMap;
    /// async fn publish(scope: &Scope, pages: Vec<ConfigMap>) -> Result<()> {
    ///     for page in pages {
    ///         scope.apply(page).await?;
    ///     }
    ///     scope.prune().await?; // those of yesterday
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    /// When a server refuses or does not answer.
    pub fn prune(&self) -> BoxFuture<'_, Result<usize>> {
        Box::pin(self.remove_others())
    }

    /// Deletes all that is held by owner references, as the reconciled object stays and nobody else would.
    pub(crate) async fn remove_owned(&self) -> Result<()> {
        let all = |_: &Child| true;
        let uid = &self.owner().uid;
        let gone = remove_owned(self.declaration(), self.cluster(), uid, all).await?;
        self.remember(gone);
        Ok(())
    }

    /// Deletes all that is marked as the reconciled object's.
    pub(crate) async fn remove_marked(&self) -> Result<()> {
        let owner = self.marker();
        let home = Some(self.cluster());
        let all = |_: &Child| true;
        let gone = remove_marked(self.declaration(), self.desk(), home, &owner, all).await?;
        self.remember(gone);
        Ok(())
    }

    /// Deletes the children that this reconcile has not applied.
    pub(crate) async fn remove_others(&self) -> Result<usize> {
        let applied: BTreeSet<Child> = {
            let children = self.children.lock().unwrap_or_else(PoisonError::into_inner);
            children.iter().map(Child::in_any_version).collect()
        };
        let meant = |child: &Child| {
            // Of a cluster that was not there all the time the reconcile may have known nothing.
            let seen = child.cluster == *self.cluster().name()
                || self
                    .desk()
                    .roster
                    .has_been_there(&child.cluster, self.begun);
            seen && !applied.contains(&child.in_any_version())
        };
        let (declaration, cluster) = (self.declaration(), self.cluster());
        let owned = remove_owned(declaration, cluster, &self.owner().uid, meant).await;
        let mut gone = owned.map_err(|error| error.context("pruning"))?;
        let owner = self.marker();
        let marked = remove_marked(declaration, self.desk(), Some(cluster), &owner, meant).await;
        gone.extend(marked.map_err(|error| error.context("pruning"))?);
        let count = gone.len();
        self.remember(gone);
        Ok(count)
    }
}
