//! The controller of most cases, and what a user does to its websites.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kommodore::{Action, Cleanup, ConditionType, Context, Reconcile, Result, controller};
use kube::ResourceExt;
use kube::api::{Api, DeleteParams, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use super::eventually::eventually;
use super::fleet::Fleet;
use super::kinds::{Website, WebsiteSpec};
use super::probe::{Point, Probe};

/// The namespace of every website.
pub const NAMESPACE: &str = "shop";
/// The finalizer of [`Sites`].
pub const FINALIZER: &str = "demo.kommodore.dev/sites";
/// What [`Sites`] watches.
pub const WATCHED: [&str; 2] = ["websites", "configmaps"];

/// What [`Sites`] says of a website.
#[derive(ConditionType)]
pub enum SiteCondition {
    /// Its page is served.
    PageServed,
    /// Something is not as it should be.
    #[condition(negative)]
    Degraded,
}

/// Keeps a ConfigMap with a page for every website.
#[controller(
    for = Website,
    name = "sites",
    owns(ConfigMap),
    finalizer = "demo.kommodore.dev/sites",
    conditions = SiteCondition,
)]
#[derive(Clone, Default)]
pub struct Sites {
    /// Looks into it.
    pub probe: Probe,
}

impl Reconcile for Sites {
    async fn reconcile(&self, site: &Website, cx: &Context<Self>) -> Result<Action> {
        self.probe.at(Point::Begin, cx).await?;
        cx.apply(page(site)).await?;
        let action = self.probe.end(Point::Applied, cx).await?;
        cx.set(SiteCondition::PageServed.is_true("Applied", "the page is there"));
        cx.set(SiteCondition::Degraded.is_false("AsExpected", "nothing is missing"));
        cx.status(|status| status.url = Some(format!("http://{}", site.spec.host)));
        Ok(action)
    }
}

impl Cleanup for Sites {
    async fn cleanup(&self, _: &Website, cx: &Context<Self>) -> Result<Action> {
        self.probe.end(Point::Cleanup, cx).await
    }
}

/// The page of a website.
pub fn page(site: &Website) -> ConfigMap {
    let mut page = ConfigMap {
        data: Some(BTreeMap::from([(
            "index.html".into(),
            site.spec.host.clone(),
        )])),
        ..ConfigMap::default()
    };
    page.metadata.name = Some(site.name_any());
    page
}

/// A website, as a user writes it.
pub fn website(name: &str) -> Website {
    let mut website = Website::new(
        name,
        WebsiteSpec {
            host: format!("{name}.example.com"),
            certificate: None,
        },
    );
    website.metadata.namespace = Some(NAMESPACE.into());
    website
}

/// A condition of a website.
pub fn condition<'a>(website: &'a Website, name: &str) -> Option<&'a Condition> {
    website
        .status
        .as_ref()?
        .conditions
        .iter()
        .find(|condition| condition.type_ == name)
}

/// A condition's status and reason.
pub fn status_of<'a>(website: &'a Website, name: &str) -> Option<(&'a str, &'a str)> {
    condition(website, name).map(|condition| (condition.status.as_str(), condition.reason.as_str()))
}

impl Fleet {
    /// The websites of a project.
    pub fn websites(&self, project: &str) -> Api<Website> {
        Api::namespaced(self.project_client(project), NAMESPACE)
    }

    /// Their pages.
    pub fn pages(&self, project: &str) -> Api<ConfigMap> {
        Api::namespaced(self.project_client(project), NAMESPACE)
    }

    /// A ready project with the namespace of the websites.
    pub async fn create_shop(&self, project: &str) {
        self.create_project(project).await;
        self.ensure_namespace(project, NAMESPACE).await;
    }

    /// Creates a website.
    pub async fn create_website(&self, project: &str, name: &str) -> Website {
        self.websites(project)
            .create(&PostParams::default(), &website(name))
            .await
            .unwrap_or_else(|error| panic!("{project}/{name} is created: {error}"))
    }

    /// Changes a website by merge patch.
    pub async fn change_website(&self, project: &str, name: &str, patch: Value) -> Website {
        self.websites(project)
            .patch(name, &PatchParams::default(), &Patch::Merge(patch))
            .await
            .unwrap_or_else(|error| panic!("{project}/{name} is changed: {error}"))
    }

    /// Gives a website another host.
    pub async fn set_host(&self, project: &str, name: &str, host: &str) -> Website {
        self.change_website(project, name, json!({"spec": {"host": host}}))
            .await
    }

    /// Asks for the deletion of a website.
    pub async fn delete_website(&self, project: &str, name: &str) {
        self.websites(project)
            .delete(name, &DeleteParams::default())
            .await
            .unwrap_or_else(|error| panic!("{project}/{name} is deleted: {error}"));
    }

    /// Waits until a website is as `is` wants it.
    pub async fn website_is(
        &self,
        project: &str,
        name: &str,
        what: &str,
        is: impl Fn(&Website) -> bool,
    ) -> Website {
        let websites = self.websites(project);
        eventually(
            &format!("{project}/{name}: {what}"),
            async || match websites.get(name).await {
                Ok(website) if is(&website) => Ok(website),
                other => Err(other),
            },
        )
        .await
    }

    /// Waits until a website is Ready, and that for its newest generation.
    pub async fn website_ready(&self, project: &str, name: &str) -> Website {
        self.website_is(project, name, "it is Ready", |website| {
            condition(website, "Ready").is_some_and(|ready| {
                ready.status == "True" && ready.observed_generation == website.metadata.generation
            })
        })
        .await
    }

    /// Waits until a website is gone.
    pub async fn website_gone(&self, project: &str, name: &str) {
        let websites = self.websites(project);
        eventually(
            &format!("{project}/{name} is gone"),
            async || match websites.get_opt(name).await {
                Ok(None) => Ok(()),
                other => Err(other),
            },
        )
        .await;
    }

    /// Waits until the page of a website shows a host.
    pub async fn page_shows(&self, project: &str, name: &str, host: &str) -> ConfigMap {
        let pages = self.pages(project);
        eventually(
            &format!("the page of {project}/{name} shows {host}"),
            async || match pages.get_opt(name).await {
                Ok(Some(page))
                    if page
                        .data
                        .as_ref()
                        .is_some_and(|data| data["index.html"] == host) =>
                {
                    Ok(page)
                }
                other => Err(other),
            },
        )
        .await
    }
}

impl Fleet {
    /// Somebody writes another page into the ConfigMap of a website.
    pub async fn edit_page(&self, project: &str, name: &str) {
        let edit = Patch::Merge(json!({"data": {"index.html": "somebody was here"}}));
        self.pages(project)
            .patch(name, &PatchParams::default(), &edit)
            .await
            .expect("the page is edited");
    }
}
