//! The tour: what happens in a fleet, step by step, each seen at the API server.

use std::time::{Duration, Instant};

use kommodore::kube::Config;
use kommodore::{Error, Result, ResultExt as _};
use serde::Serialize;
use tokio::sync::oneshot;

use crate::fleet::{PROJECTS, WEBSITES, start};
use crate::table::print_table;
use crate::user::{PATIENCE, User, eventually, host};
use crate::{Dns, Operator, Projects};

/// How long a project may be not ready here; a real fleet gives it longer.
const GRACE: Duration = Duration::from_secs(1);

/// Plays the tour, with the operator that `operator` makes.
pub(crate) async fn play<O: Operator>(
    crd: &impl Serialize,
    dns: Dns,
    operator: impl FnOnce(Config, Projects) -> O,
) -> Result<()> {
    let user = start(crd)
        .await
        .context("the step \"the fleet starts\" has failed")?;
    let plane = &user.plane;
    println!(
        "A control plane with {} projects answers at {}.",
        PROJECTS.len(),
        plane.config().cluster_url
    );
    let projects = Projects {
        grace: Some(GRACE),
        ..Projects::default()
    };
    let operator = operator(plane.config(), projects);
    let (stop, stopped) = oneshot::channel::<()>();
    let mut running = tokio::spawn(operator.run_until(async {
        let _ = stopped.await;
    }));
    let tour = Tour {
        user: &user,
        dns: &dns,
    };
    let played = tokio::select! {
        biased;
        // It is not to end before it is told to.
        ended = &mut running => return ended.map_err(Error::new)?.context("the operator has ended"),
        played = tour.play() => played,
    };
    let _ = stop.send(());
    let ended = running.await.map_err(Error::new)?;
    if played.is_ok() {
        print_table(&user).await?;
    }
    user.plane.shutdown().await;
    played.and(ended)
}

struct Tour<'a> {
    user: &'a User,
    dns: &'a Dns,
}

impl Tour<'_> {
    async fn play(&self) -> Result<()> {
        self.step(
            "every website becomes Ready in every project",
            self.all_ready(),
        )
        .await?;
        self.step(
            "a fourth project appears, becomes ready and is engaged",
            self.fourth_project(),
        )
        .await?;
        self.step(
            "a website's host changes, and its ConfigMap follows",
            self.host_changes(),
        )
        .await?;
        self.step(
            "somebody deletes an owned ConfigMap, and it comes back",
            self.page_comes_back(),
        )
        .await?;
        self.step(
            "a website is deleted: its cleanup runs and it is gone",
            self.website_goes(),
        )
        .await?;
        self.step(
            "a project is not ready: it is disengaged, and the others go on",
            self.not_ready(),
        )
        .await?;
        self.step(
            "a project is deleted: cleanup runs in it before it goes",
            self.project_goes(),
        )
        .await
    }

    async fn step(&self, name: &str, step: impl Future<Output = Result<()>>) -> Result<()> {
        let started = Instant::now();
        match tokio::time::timeout(PATIENCE, step).await {
            Ok(seen) => seen.context(format!("the step \"{name}\" has failed"))?,
            Err(_elapsed) => {
                let late = PATIENCE.as_secs();
                return Err(Error::new(format!(
                    "the step \"{name}\" has not happened after {late} s"
                )));
            }
        }
        println!("  {name} ({:.1} s)", started.elapsed().as_secs_f32());
        Ok(())
    }

    async fn all_ready(&self) -> Result<()> {
        for project in PROJECTS {
            for website in WEBSITES {
                self.ready(project, website).await?;
            }
        }
        Ok(())
    }

    async fn fourth_project(&self) -> Result<()> {
        self.user.create_project("delta").await?;
        self.user.project_is_ready("delta").await?;
        self.user.create_namespace("delta").await?;
        self.user.create_website("delta", "shop").await?;
        self.ready("delta", "shop").await
    }

    async fn host_changes(&self) -> Result<()> {
        self.user
            .set_host("alpha", "blog", "news.alpha.example.com")
            .await?;
        self.page_shows("alpha", "blog", "news.alpha.example.com")
            .await?;
        self.ready("alpha", "blog").await
    }

    async fn page_comes_back(&self) -> Result<()> {
        let lost = self.user.page("beta", "shop").await?;
        self.user.delete_page("beta", "shop").await?;
        eventually("the ConfigMap beta/shop comes back", async || {
            let page = self.user.page("beta", "shop").await?;
            Ok((page.is_some() && page != lost).then_some(()))
        })
        .await
    }

    async fn website_goes(&self) -> Result<()> {
        self.user.delete_website("beta", "blog").await?;
        eventually(
            "the website beta/blog is gone, with its ConfigMap and its DNS record",
            async || {
                let gone = self.user.website("beta", "blog").await?.is_none()
                    && self.user.page("beta", "blog").await?.is_none()
                    && !self.dns.hosts("beta").contains(&host("beta", "blog"));
                Ok(gone.then_some(()))
            },
        )
        .await
    }

    async fn not_ready(&self) -> Result<()> {
        let before = Instant::now();
        self.user.set_not_ready("beta").await?;
        eventually("nobody watches beta any more", async || {
            Ok((!self.user.is_watched("beta")).then_some(()))
        })
        .await?;
        if before.elapsed() < GRACE {
            return Err(Error::new("beta was disengaged before its grace was over"));
        }
        self.user
            .set_host("beta", "shop", "unseen.beta.example.com")
            .await?;
        self.user
            .set_host("gamma", "shop", "store.gamma.example.com")
            .await?;
        self.page_shows("gamma", "shop", "store.gamma.example.com")
            .await?;
        match self.user.website("beta", "shop").await? {
            Some(shop) if shop.observed < Some(shop.generation) => Ok(()),
            _ => Err(Error::new(
                "beta/shop was reconciled after beta had been disengaged",
            )),
        }
    }

    async fn project_goes(&self) -> Result<()> {
        self.user.delete_project("gamma").await?;
        eventually("the project gamma is gone", async || {
            Ok((!self.user.project_exists("gamma").await?).then_some(()))
        })
        .await?;
        match self.dns.hosts("gamma").as_slice() {
            [] => Ok(()),
            left => Err(Error::new(format!(
                "gamma went, and its DNS records {left:?} are still there"
            ))),
        }
    }

    async fn ready(&self, project: &str, website: &str) -> Result<()> {
        let what = format!("the website {project}/{website} becomes Ready");
        eventually(&what, async || {
            let seen = self.user.website(project, website).await?;
            Ok(seen.is_some_and(|website| website.is_ready()).then_some(()))
        })
        .await
    }

    async fn page_shows(&self, project: &str, website: &str, host: &str) -> Result<()> {
        let what = format!("the page of {project}/{website} shows {host}");
        eventually(&what, async || {
            let page = self.user.page(project, website).await?;
            Ok(page
                .is_some_and(|(html, _)| html.contains(host))
                .then_some(()))
        })
        .await
    }
}
