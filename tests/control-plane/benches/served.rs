//! What the control plane costs, served to another process over HTTPS and HTTP/2.
//!
//! `cargo bench -p kommodore-control-plane --bench served`; `-- creates` and so on measures one thing, and `--projects
//! 50000` serves so many projects with two watches each. Rates are those of a second of the server's CPU, which has one
//! thread for them: one core.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "it measures, or it ends"
)]

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::stream::{FuturesUnordered, StreamExt};
use http::{Method, Request};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http2::SendRequest;
use hyper_util::rt::{TokioExecutor, TokioIo};
use kommodore_control_plane::ControlPlane;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde_json::{Value, json};

const PROGRAM: &str = env!("CARGO_BIN_EXE_kommodore-control-plane");
const MAPS: &str = "/api/v1/namespaces/default/configmaps";
/// So many requests a connection has open at once; the server allows 100.
const STREAMS: usize = 100;

/// How many projects are asked for; nothing if that is no number.
fn projects(arguments: &[String]) -> Option<usize> {
    let mut arguments = arguments.iter().map(String::as_str);
    match arguments
        .by_ref()
        .find(|argument| *argument == "--projects")
    {
        Some(_) => arguments.next()?.parse().ok(),
        None => Some(1_000),
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let Some(projects) = projects(&arguments) else {
        eprintln!("--projects takes a number");
        std::process::exit(2);
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    println!("| | goal | measured |\n|---|--:|--:|");
    let wanted = |name: &str| {
        let mut named = arguments
            .iter()
            .skip(1)
            .filter(|argument| argument.chars().all(char::is_alphabetic))
            .peekable();
        named.peek().is_none() || named.any(|argument| argument == name)
    };
    runtime.block_on(async {
        if wanted("ready") {
            ready().await;
        }
        if wanted("creates") {
            creates().await;
        }
        if wanted("events") {
            events().await;
        }
        if wanted("objects") {
            objects_and_lists().await;
        }
        if wanted("watches") {
            watches().await;
        }
        if wanted("neighbours") {
            neighbours().await;
        }
        if wanted("projects") {
            fleet(projects).await;
        }
    });
}

fn row(what: &str, goal: &str, measured: String) {
    println!("| {what} | {goal} | {measured} |");
}

/// The program, and a way to it.
struct Server {
    child: Child,
    address: String,
    token: String,
    tls: Arc<rustls::ClientConfig>,
    folder: std::path::PathBuf,
}

impl Server {
    fn start(more: &[&str]) -> Self {
        Self::run(Command::new(PROGRAM).args(more))
    }

    fn start_on_one_core() -> Self {
        Self::run(Command::new(PROGRAM).env("TOKIO_WORKER_THREADS", "1"))
    }

    fn run(command: &mut Command) -> Self {
        let folder = std::env::temp_dir().join(format!("kommodore-served-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join("kubeconfig");
        let mut child = command
            .args(["--port", "0", "--kubeconfig"])
            .arg(&file)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let config = std::fs::read_to_string(&file).unwrap();
        let config: Value = serde_saphyr::from_str(&config).unwrap();
        let cluster = &config["clusters"][0]["cluster"];
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let authority = base64::Engine::decode(
            &base64::engine::general_purpose::STANDARD,
            text(&cluster["certificate-authority-data"]),
        );
        let mut roots = rustls::RootCertStore::empty();
        roots
            .add(CertificateDer::from_pem_slice(&authority.unwrap()).unwrap())
            .unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        tls.alpn_protocols = vec![b"h2".to_vec()];
        Self {
            child,
            address: text(&cluster["server"])
                .trim_start_matches("https://")
                .to_owned(),
            token: text(&config["users"][0]["user"]["token"]),
            tls: Arc::new(tls),
            folder,
        }
    }

    async fn connect(&self) -> SendRequest<Full<Bytes>> {
        let stream = tokio::net::TcpStream::connect(&self.address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let name = rustls::pki_types::ServerName::try_from("127.0.0.1").unwrap();
        let stream = tokio_rustls::TlsConnector::from(self.tls.clone())
            .connect(name, stream)
            .await
            .unwrap();
        let (sender, connection) = hyper::client::conn::http2::Builder::new(TokioExecutor::new())
            .initial_connection_window_size(16 * 1024 * 1024)
            .initial_stream_window_size(1024 * 1024)
            .handshake(TokioIo::new(stream))
            .await
            .unwrap();
        tokio::spawn(connection);
        sender
    }

    fn request(&self, method: Method, path: &str, body: impl Into<Bytes>) -> Request<Full<Bytes>> {
        Request::builder()
            .method(method)
            .uri(format!("https://{}{path}", self.address))
            .header("authorization", format!("Bearer {}", self.token))
            .header("content-type", "application/json")
            .body(Full::new(body.into()))
            .unwrap()
    }

    /// Seconds of CPU so far.
    fn cpu(&self) -> f64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let fields: Vec<&str> = stat
            .rsplit(')')
            .next()
            .unwrap()
            .split_whitespace()
            .collect();
        let ticks = |at: usize| fields[at].parse::<f64>().unwrap();
        (ticks(11) + ticks(12)) / 100.0
    }

    /// Resident bytes.
    fn memory(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status
            .lines()
            .find(|line| line.starts_with("VmRSS"))
            .unwrap();
        line.split_whitespace()
            .nth(1)
            .unwrap()
            .parse::<f64>()
            .unwrap()
            * 1024.0
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

async fn whole(
    sender: &mut SendRequest<Full<Bytes>>,
    request: Request<Full<Bytes>>,
) -> (u16, Bytes) {
    let answer = sender.send_request(request).await.unwrap();
    (
        answer.status().as_u16(),
        answer.into_body().collect().await.unwrap().to_bytes(),
    )
}

/// A ConfigMap of about 1 KiB.
fn map(number: usize) -> Vec<u8> {
    json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": format!("map-{number}")},
        "data": {"text": "x".repeat(800)},
    })
    .to_string()
    .into_bytes()
}

async fn create(
    server: &Server,
    connections: &mut [SendRequest<Full<Bytes>>],
    from: usize,
    count: usize,
) {
    let mut open = FuturesUnordered::new();
    for number in from..from + count {
        if open.len() >= STREAMS * connections.len() {
            open.next().await;
        }
        let at = number % connections.len();
        let sent = connections[at].send_request(server.request(Method::POST, MAPS, map(number)));
        open.push(async move {
            let answer = sent.await.unwrap();
            assert_eq!(answer.status(), 201);
            answer.into_body().collect().await.unwrap();
        });
    }
    while open.next().await.is_some() {}
}

async fn ready() {
    let mut times = Vec::new();
    for _ in 0..50 {
        let begun = Instant::now();
        let plane = ControlPlane::builder().milo().start().await.unwrap();
        times.push(begun.elapsed());
        drop(plane);
    }
    times.sort();
    row(
        "ready, in the process (median of 50)",
        "< 50 ms",
        format!("{:.1} ms", times[25].as_secs_f64() * 1e3),
    );
}

async fn creates() {
    const COUNT: usize = 20_000;
    let server = Server::start_on_one_core();
    let mut connections = vec![server.connect().await];
    create(&server, &mut connections, 0, 1_000).await;
    let before = server.cpu();
    create(&server, &mut connections, 1_000, COUNT).await;
    let rate = COUNT as f64 / (server.cpu() - before);
    row(
        "creates of 1 KiB, a second on one core",
        "≥ 10,000",
        format!("{rate:.0}"),
    );
}

async fn events() {
    const WATCHERS: usize = 100;
    const COUNT: usize = 2_000;
    let server = Server::start_on_one_core();
    let mut connection = server.connect().await;
    let mut watchers = Vec::new();
    for at in 0..WATCHERS {
        if at % 50 == 0 {
            connection = server.connect().await;
        }
        let path = format!("{MAPS}?watch=true&resourceVersion=0");
        let answer = connection
            .send_request(server.request(Method::GET, &path, Bytes::new()))
            .await
            .unwrap();
        watchers.push(tokio::spawn(count_events(answer.into_body(), COUNT)));
    }
    let mut connections = vec![server.connect().await];
    let before = server.cpu();
    create(&server, &mut connections, 0, COUNT).await;
    for watcher in watchers {
        watcher.await.unwrap();
    }
    let spent = server.cpu() - before;
    let rate = (WATCHERS * COUNT) as f64 / spent;
    row(
        "events of 1 KiB to 100 watchers, a second on one core, creates included",
        "≥ 200,000",
        format!("{rate:.0}"),
    );
}

async fn count_events(mut body: Incoming, wanted: usize) {
    let mut seen = 0;
    while seen < wanted {
        let frame = body.frame().await.unwrap().unwrap();
        seen += frame
            .data_ref()
            .map_or(0, |data| data.iter().filter(|byte| **byte == b'\n').count());
    }
}

async fn objects_and_lists() {
    const COUNT: usize = 100_000;
    const LISTED: usize = 10_000;
    let server = Server::start(&[]);
    let mut connections = vec![server.connect().await];
    create(&server, &mut connections, 0, LISTED).await;
    let mut sender = server.connect().await;
    let mut times = Vec::new();
    let mut list = Bytes::new();
    for _ in 0..10 {
        let begun = Instant::now();
        (_, list) = whole(&mut sender, server.request(Method::GET, MAPS, Bytes::new())).await;
        times.push(begun.elapsed());
    }
    times.sort();
    let value: Value = serde_json::from_slice(&list).unwrap();
    assert_eq!(value["items"].as_array().unwrap().len(), LISTED);
    let mut alone = Vec::new();
    for _ in 0..10 {
        let begun = Instant::now();
        std::hint::black_box(serde_json::to_vec(&value).unwrap());
        alone.push(begun.elapsed());
    }
    alone.sort();
    let ratio = times[5].as_secs_f64() / alone[5].as_secs_f64();
    row(
        "list of 10,000 objects, against serializing them once",
        "≤ 2",
        format!(
            "{ratio:.1} ({:.0} ms, {:.0} ms)",
            times[5].as_secs_f64() * 1e3,
            alone[5].as_secs_f64() * 1e3
        ),
    );
    let before = server.memory();
    create(&server, &mut connections, LISTED, COUNT - LISTED).await;
    let each = (server.memory() - before) / (COUNT - LISTED) as f64 / 1024.0;
    row(
        "memory of a ConfigMap of 1 KiB (100,000)",
        "< 3 KiB",
        format!("{each:.2} KiB"),
    );
}

/// Opens watches that have nothing to say, and keeps them.
async fn open(
    server: &Server,
    paths: impl Iterator<Item = String>,
) -> Vec<(SendRequest<Full<Bytes>>, Vec<Incoming>)> {
    let mut open: Vec<(SendRequest<Full<Bytes>>, Vec<Incoming>)> = Vec::new();
    for path in paths {
        if open
            .last()
            .is_none_or(|(_, bodies)| bodies.len() == STREAMS)
        {
            open.push((server.connect().await, Vec::new()));
        }
        let (sender, bodies) = open.last_mut().unwrap();
        let answer = sender
            .send_request(server.request(Method::GET, &path, Bytes::new()))
            .await
            .unwrap();
        assert_eq!(answer.status(), 200);
        bodies.push(answer.into_body());
    }
    open
}

async fn watches() {
    const COUNT: usize = 10_000;
    let server = Server::start(&[]);
    let mut sender = server.connect().await;
    let (_, list) = whole(&mut sender, server.request(Method::GET, MAPS, Bytes::new())).await;
    let list: Value = serde_json::from_slice(&list).unwrap();
    let newest = list["metadata"]["resourceVersion"].as_str().unwrap();
    let path = || format!("{MAPS}?watch=true&allowWatchBookmarks=true&resourceVersion={newest}");
    let first = open(&server, (0..STREAMS).map(|_| path())).await;
    let before = server.memory();
    let rest = open(&server, (0..COUNT).map(|_| path())).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    let each = (server.memory() - before) / COUNT as f64 / 1024.0;
    row(
        "memory of an idle watch, over HTTP/2 (10,000)",
        "< 4 KiB",
        format!("{each:.2} KiB"),
    );
    // Each of them is open still.
    create(&server, &mut [server.connect().await], 0, 1).await;
    let mut kept = Vec::new();
    for (connection, bodies) in first.into_iter().chain(rest) {
        kept.push(connection);
        for body in bodies {
            count_events(body, 1).await;
        }
    }
}

/// What somebody does at the root for as long as it is asked.
struct Load {
    what: &'static str,
    requests: Vec<(Method, String, String)>,
}

impl Load {
    /// Sends one request after the other, and the same again. Who does it is named in them.
    async fn go_on(&self, server: &Server, who: usize) {
        let mut sender = server.connect().await;
        let named = |text: &String| text.replace("WHO", &who.to_string());
        loop {
            for (method, path, body) in &self.requests {
                let mut request = server.request(method.clone(), &named(path), named(body));
                if method == Method::PATCH {
                    let patch = http::HeaderValue::from_static("application/json-patch+json");
                    request.headers_mut().insert("content-type", patch);
                }
                let (code, answer) = whole(&mut sender, request).await;
                let answer = String::from_utf8_lossy(&answer[..answer.len().min(300)]);
                // A definition that goes is in the way of the next for a moment, and is then gone.
                let is_taken = code < 300 || [404, 409].contains(&code);
                assert!(is_taken, "{method} {path}: {code} {answer}");
            }
        }
    }
}

/// How long each request to a project took, one after the other.
fn ask_a_project(server: &Server, lasts: Duration) -> Vec<Duration> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut sender = server.connect().await;
        let mut times = Vec::new();
        let begun = Instant::now();
        while begun.elapsed() < lasts {
            let path = "/projects/first/control-plane/api/v1/namespaces";
            let request = server.request(Method::GET, path, Bytes::new());
            let asked = Instant::now();
            assert_eq!(whole(&mut sender, request).await.0, 200);
            times.push(asked.elapsed());
        }
        times
    })
}

/// How long those at the root keep a request to a project waiting.
async fn neighbours() {
    const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    const LASTS: Duration = Duration::from_secs(4);
    let server = Arc::new(Server::start(&["--projects", "first"]));
    let mut connections = vec![server.connect().await];
    create(&server, &mut connections, 0, 10_000).await;
    let definition = |number: &str| {
        let text = json!({"type": "string", "description": "x".repeat(100)});
        let fields: serde_json::Map<String, Value> = (0..250)
            .map(|at| (format!("f{at}"), text.clone()))
            .collect();
        let schema = json!({"openAPIV3Schema": {"type": "object", "properties": {"spec": {"type": "object", "properties": fields}}}});
        json!({
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": format!("odd{number}s.example.com")},
            "spec": {
                "group": "example.com", "scope": "Namespaced", "names": {"kind": format!("Odd{number}"), "singular": format!("odd{number}"), "plural": format!("odd{number}s")},
                "versions": [{"name": "v1", "served": true, "storage": true, "schema": schema}],
            },
        }).to_string()
    };
    for number in 0..60 {
        let request = server.request(Method::POST, DEFINITIONS, definition(&number.to_string()));
        assert_eq!(whole(&mut connections[0], request).await.0, 201);
    }
    let large = json!({"metadata": {"name": "large", "annotations": {"a": "x".repeat(200_000)}}, "data": {"a": "x".repeat(500_000)}}).to_string();
    let request = server.request(Method::POST, MAPS, large.clone());
    assert_eq!(whole(&mut connections[0], request).await.0, 201);
    let ask = |method: Method, path: &str, body: &str| (method, path.to_owned(), body.to_owned());
    let copies = json!([
        {"op": "copy", "from": "/data/a", "path": "/data/b"}, {"op": "remove", "path": "/data/b"},
        {"op": "copy", "from": "/data/a", "path": "/data/c"}, {"op": "remove", "path": "/data/c"},
    ])
    .to_string();
    let selected = format!("{MAPS}?labelSelector=a=b");
    let one = format!("{MAPS}/large");
    let (more, its_name) = (definition("WHO-more"), "oddWHO-mores.example.com");
    let loads = [
        Load {
            what: "lists of 10,000 objects",
            requests: vec![ask(Method::GET, MAPS, "")],
        },
        Load {
            what: "lists and deletions that select none of them",
            requests: vec![
                ask(Method::GET, &selected, ""),
                ask(Method::DELETE, &selected, ""),
            ],
        },
        Load {
            what: "definitions of 35 KB, beside sixty, that come and go",
            requests: vec![
                ask(Method::POST, DEFINITIONS, &more),
                ask(Method::DELETE, &format!("{DEFINITIONS}/{its_name}"), ""),
            ],
        },
        Load {
            what: "writes of an object of 700 KB",
            requests: vec![
                ask(Method::PATCH, &format!("{one}?dryRun=All"), &copies),
                ask(Method::PUT, &one, &large),
            ],
        },
    ];
    for load in loads {
        let mut others: FuturesUnordered<_> = (0..8).map(|who| load.go_on(&server, who)).collect();
        // On a thread of its own, which has nothing to do with the others' answers.
        let (tell, told) = tokio::sync::oneshot::channel();
        let asked = server.clone();
        std::thread::spawn(move || tell.send(ask_a_project(&asked, LASTS)));
        let mut times = tokio::select! {
            times = told => times.unwrap(),
            _ = others.next() => unreachable!("they go on for ever"),
        };
        times.sort();
        let [half, worst] =
            [times.len() / 2, times.len() - 1].map(|at| times[at].as_secs_f64() * 1e3);
        row(
            &format!("a request to a project, beside {}: the worst", load.what),
            "",
            format!("{worst:.0} ms (median {half:.1} ms, of {})", times.len()),
        );
    }
}

async fn fleet(count: usize) {
    const PROJECTS: &str = "/apis/resourcemanager.miloapis.com/v1alpha1/projects";
    let server = Server::start(&["--projects", "first"]);
    let mut sender = server.connect().await;
    let before = server.memory();
    let begun = Instant::now();
    let mut open_requests = FuturesUnordered::new();
    for number in 0..count {
        if open_requests.len() >= STREAMS {
            open_requests.next().await;
        }
        let project = json!({
            "apiVersion": "resourcemanager.miloapis.com/v1alpha1", "kind": "Project",
            "metadata": {"name": format!("project-{number}")}, "spec": {"ownerRef": {"kind": "Organization", "name": "o"}},
        });
        let sent = sender.send_request(server.request(Method::POST, PROJECTS, project.to_string()));
        open_requests.push(async move {
            let answer = sent.await.unwrap();
            assert_eq!(answer.status(), 201);
            answer.into_body().collect().await.unwrap();
        });
    }
    while open_requests.next().await.is_some() {}
    loop {
        let path = format!("{PROJECTS}/project-{}", count - 1);
        let (_, body) = whole(
            &mut sender,
            server.request(Method::GET, &path, Bytes::new()),
        )
        .await;
        let project: Value = serde_json::from_slice(&body).unwrap();
        let conditions = project["status"]["conditions"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        if conditions
            .iter()
            .any(|condition| condition["type"] == "Ready" && condition["status"] == "True")
        {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let took = begun.elapsed().as_secs_f64();
    let each = (server.memory() - before) / count as f64 / 1024.0;
    row(
        &format!("memory of an untouched project, its object included ({count})"),
        "< 4 KiB",
        format!("{each:.2} KiB, ready in {took:.1} s"),
    );
    let before = server.memory();
    let paths = (0..count).flat_map(|number| {
        ["configmaps", "secrets"].map(|plural| {
            format!("{PROJECTS}/project-{number}/control-plane/api/v1/{plural}?watch=true&resourceVersion=0")
        })
    });
    let kept = open(&server, paths).await;
    let each = (server.memory() - before) / (count * 2) as f64 / 1024.0;
    row(
        &format!(
            "memory of a project's idle watch, its control plane included ({} watches)",
            count * 2
        ),
        "",
        format!(
            "{each:.2} KiB; {:.0} MiB in all",
            server.memory() / 1024.0 / 1024.0
        ),
    );
    drop(kept);
}
