//! The process of the server: the fleet, its user, and the judge of what an operator does.

use std::io::{BufRead as _, Write as _};
use std::ops::Range;
use std::time::{Duration, Instant};

use futures::stream::{self, StreamExt as _};
use http::header::{HeaderValue, USER_AGENT};
use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
use kommodore_control_plane::{ControlPlane, Fault, InProcess, Injected};
use kommodore_tests::{KubeconfigFile, NAMESPACE, Website, crds, website};
use kube::Client;
use kube::api::{
    Api, ApiResource, DeleteParams, DynamicObject, GroupVersionKind, ListParams, Patch,
    PatchParams, PostParams,
};
use serde_json::json;
use tokio::task::JoinHandle;
use tower_service::Service;

use super::board::{Board, Until};
use super::judge::Judge;
use super::talk::{Answer, Ask, Change, Sites, project_name, site_name};

/// So many changes are under way at once, if there is no rate.
const AT_ONCE: usize = 16;

/// The service of those who are no operator: they are not written down, and nothing goes wrong for them.
#[derive(Clone)]
struct Apart(InProcess);

impl Service<http::Request<kube::client::Body>> for Apart {
    type Response = <InProcess as Service<http::Request<kube::client::Body>>>::Response;
    type Error = <InProcess as Service<http::Request<kube::client::Body>>>::Error;
    type Future = <InProcess as Service<http::Request<kube::client::Body>>>::Future;

    fn poll_ready(
        &mut self,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Result<(), Self::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, mut request: http::Request<kube::client::Body>) -> Self::Future {
        let agent = HeaderValue::from_static("kommodore-control-plane-bench");
        request.headers_mut().insert(USER_AGENT, agent);
        self.0.call(request)
    }
}

/// Serves, and answers questions until there are no more.
pub(crate) async fn serve() {
    let builder = ControlPlane::builder().milo();
    let builder = crds().iter().fold(builder, |builder, crd| builder.crd(crd));
    let plane = builder.start().await.unwrap();
    // It goes with this process.
    let kubeconfig = KubeconfigFile::write(&plane.kubeconfig(), "bench-fleet");
    let mut server = Server {
        judge: Judge::start(plane.requests().clone()),
        plane,
        board: Board::default(),
        clients: Vec::new(),
        observed: 0,
        silent: 0..0,
        latency: None,
        round: 0,
        changes: 0,
        busy: None,
    };
    println!("{}", kubeconfig.0.display());
    let (sender, mut asked) = tokio::sync::mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines() {
            let _ = sender.send(line.unwrap());
        }
    });
    while let Some(line) = asked.recv().await {
        let began = Instant::now();
        let mut answer = server.answer(serde_json::from_str(&line).unwrap()).await;
        if answer.seconds == 0.0 {
            answer.seconds = began.elapsed().as_secs_f64();
        }
        answer.requests = server.judge.requests();
        server.changes += server.board.changes();
        answer.changes = server.changes;
        let mut out = std::io::stdout().lock();
        writeln!(out, "{}", serde_json::to_string(&answer).unwrap()).unwrap();
    }
}

struct Server {
    plane: ControlPlane,
    judge: Judge,
    board: Board,
    /// Of each project.
    clients: Vec<Client>,
    observed: usize,
    silent: Range<usize>,
    latency: Option<Injected>,
    /// Makes the hosts of a change new ones.
    round: usize,
    /// How many were seen.
    changes: usize,
    /// What keeps a project busy.
    busy: Option<JoinHandle<(usize, f64)>>,
}

impl Server {
    async fn answer(&mut self, ask: Ask) -> Answer {
        match ask {
            Ask::Projects { from, to } => self.create_projects(from, to).await,
            Ask::Observe { projects } => {
                for number in self.observed..projects {
                    self.board.observe(number, &self.clients[number]);
                }
                self.observed = self.observed.max(projects);
            }
            Ask::Begin => {
                self.judge.begin();
                self.board.changes();
                self.changes = 0;
            }
            Ask::Engaged { projects, limit } => {
                return Answer {
                    missing: self.judge.engaged(projects, seconds(limit)).await,
                    ..Answer::default()
                };
            }
            Ask::Settle { limit } => {
                let settled = self.judge.settled(seconds(limit)).await;
                return Answer {
                    missing: usize::from(!settled),
                    quiet: self.judge.quiet(),
                    ..Answer::default()
                };
            }
            Ask::Work {
                change,
                sites,
                rate,
                limit,
            } => return self.work(change, &sites, rate, seconds(limit)).await,
            Ask::Hot {
                rate,
                websites,
                seconds,
            } => self.keep_busy(rate, websites, seconds),
            Ask::Cool => {
                if let Some(busy) = self.busy.take() {
                    let (made, seconds) = busy.await.unwrap();
                    return Answer {
                        made,
                        seconds,
                        ..Answer::default()
                    };
                }
            }
            Ask::Clear { websites } => {
                let client = &self.clients[0];
                let delete = async |nth: usize| {
                    make(Change::Delete, client, &format!("hot-{nth}"), "").await;
                };
                let deletes = stream::iter(0..websites).map(delete);
                deletes.buffer_unordered(AT_ONCE).collect::<Vec<()>>().await;
            }
            Ask::Silence { from, to } => {
                for number in self.silent.clone() {
                    self.plane.unsilence(&project_name(number));
                }
                self.silent = from..to;
                for number in self.silent.clone() {
                    self.plane.silence(&project_name(number));
                }
                let names = self.silent.clone().map(project_name);
                self.judge.ignore(names);
            }
            Ask::Latency { ms } => {
                let fault = || Fault::latency(Duration::from_millis(ms));
                self.latency = (ms > 0).then(|| self.plane.inject(fault()));
            }
        }
        Answer::default()
    }

    async fn create_projects(&mut self, from: usize, to: usize) {
        let root = Client::new(Apart(self.plane.service()), "default");
        let gvk = GroupVersionKind::gvk("resourcemanager.miloapis.com", "v1alpha1", "Project");
        let kind = ApiResource::from_gvk(&gvk);
        let projects: Api<DynamicObject> = Api::all_with(root, &kind);
        for number in from..to {
            let service = self.plane.project(project_name(number)).service();
            self.clients.push(Client::new(Apart(service), NAMESPACE));
        }
        let create = async |number: usize| {
            let spec = json!({"spec": {"ownerRef": {"kind": "Organization", "name": "o"}}});
            let project = DynamicObject::new(&project_name(number), &kind).data(spec);
            let post = PostParams::default();
            projects.create(&post, &project).await.unwrap();
            let mut shop = Namespace::default();
            shop.metadata.name = Some(NAMESPACE.into());
            let namespaces: Api<Namespace> = Api::all(self.clients[number].clone());
            namespaces.create(&post, &shop).await.unwrap();
        };
        let creates = stream::iter(from..to).map(create);
        creates.buffer_unordered(AT_ONCE).collect::<Vec<()>>().await;
        let is_ready = |project: &DynamicObject| {
            let conditions = project.data["status"]["conditions"].as_array();
            let mut conditions = conditions.into_iter().flatten();
            conditions.any(|it| it["type"] == "Ready" && it["status"] == "True")
        };
        loop {
            let all = projects.list(&ListParams::default()).await.unwrap();
            if all.items.iter().filter(|it| is_ready(it)).count() >= to {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn work(
        &mut self,
        change: Change,
        sites: &Sites,
        rate: Option<f64>,
        limit: Duration,
    ) -> Answer {
        self.round += 1;
        let round = self.round;
        let began = Instant::now();
        let board = &self.board;
        let one = |(project, number): (usize, usize)| {
            let (board, client) = (board.clone(), self.clients[project].clone());
            async move {
                let name = site_name(number);
                let host = format!("{name}.r{round}.example.com");
                let until = match change {
                    Change::Create | Change::Edit => Until::Ready(host.clone()),
                    Change::Drift => Until::Page,
                    Change::Delete => Until::Gone,
                };
                board.expect(project, &name, until);
                make(change, &client, &name, &host).await;
                board.accepted(project, &name);
            }
        };
        match rate {
            None => {
                let all = stream::iter(sites.all()).map(one);
                all.buffer_unordered(AT_ONCE).collect::<Vec<()>>().await;
            }
            Some(rate) => {
                let mut all = Vec::with_capacity(sites.count());
                for (nth, site) in sites.all().enumerate() {
                    tokio::time::sleep_until((began + seconds(nth as f64 / rate)).into()).await;
                    all.push(tokio::spawn(one(site)));
                }
                for one in all {
                    one.await.unwrap();
                }
            }
        }
        let (latencies, missing) = board.done(limit).await;
        Answer {
            seconds: began.elapsed().as_secs_f64(),
            latencies,
            missing,
            ..Answer::default()
        }
    }

    /// Changes websites of the first project, one after the other, until the time is over.
    fn keep_busy(&mut self, rate: f64, websites: usize, seconds: f64) {
        let client = self.clients[0].clone();
        let busy = async move {
            let began = Instant::now();
            let clock = tokio::time::interval(Duration::from_millis(1));
            tokio::pin!(clock);
            let mut made = 0;
            while began.elapsed().as_secs_f64() < seconds {
                clock.tick().await;
                let due = (began.elapsed().as_secs_f64() * rate) as usize;
                for nth in made..due {
                    let name = format!("hot-{}", nth % websites);
                    let change = if nth < websites {
                        Change::Create
                    } else {
                        Change::Edit
                    };
                    make(change, &client, &name, &format!("h{nth}.example.com")).await;
                }
                made = due;
            }
            (made, began.elapsed().as_secs_f64())
        };
        self.busy = Some(tokio::spawn(busy));
    }
}

/// What a user does.
async fn make(change: Change, client: &Client, name: &str, host: &str) {
    let sites: Api<Website> = Api::namespaced(client.clone(), NAMESPACE);
    match change {
        Change::Create => {
            let mut site = website(name);
            site.spec.host = host.to_owned();
            sites.create(&PostParams::default(), &site).await.unwrap();
        }
        Change::Edit => {
            let patch = Patch::Merge(json!({"spec": {"host": host}}));
            let params = PatchParams::default();
            sites.patch(name, &params, &patch).await.unwrap();
        }
        Change::Drift => {
            let pages: Api<ConfigMap> = Api::namespaced(client.clone(), NAMESPACE);
            pages.delete(name, &DeleteParams::default()).await.unwrap();
        }
        Change::Delete => {
            sites.delete(name, &DeleteParams::default()).await.unwrap();
        }
    }
}

fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}
