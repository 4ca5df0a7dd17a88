//! The edge, seen by a client: kube's, over both protocols.

use std::time::Duration;

use http::{Request, StatusCode};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Incoming;
use kube::client::ConfigExt;
use kube::{Client, Config};
use tokio::sync::mpsc;

use super::{Authority, Body, Edge, Listener, ListenerOptions, bearer_token, full, unauthorized};

/// Answers `/echo` with what it was asked, and `/stream` with what `lines` says.
async fn start(edge: &Edge) -> (Listener, Config, mpsc::UnboundedSender<&'static str>) {
    let authority = Authority::new().unwrap();
    let (lines, received) = mpsc::unbounded_channel();
    let received = std::sync::Arc::new(std::sync::Mutex::new(Some(received)));
    let edge = edge.clone();
    let handler = move |request: Request<Incoming>| {
        let (edge, received) = (edge.clone(), received.clone());
        async move {
            edge.handle(
                request,
                None,
                async |project: Option<String>, request: Request<super::Peeked<Incoming>>| {
                    if bearer_token(request.headers()) != Some("secret") {
                        return unauthorized();
                    }
                    let body: Body = if request.uri().query() == Some("watch=true") {
                        let mut received: mpsc::UnboundedReceiver<&str> =
                            received.lock().unwrap().take().expect("one watch");
                        StreamBody::new(futures::stream::poll_fn(move |cx| {
                            received.poll_recv(cx).map(|line| {
                                line.map(|line| Ok(http_body::Frame::data(line.into())))
                            })
                        }))
                        .boxed()
                    } else {
                        full(format!(
                            "{:?} {} {:?}",
                            project,
                            request.uri(),
                            request.version()
                        ))
                    };
                    http::Response::new(body)
                },
            )
            .await
        }
    };
    let tls = authority.server_tls().unwrap();
    let listener = Listener::start(tls, ListenerOptions::default(), handler)
        .await
        .unwrap();
    let mut config = Config::new(format!("https://{}", listener.address()).parse().unwrap());
    config.root_cert = Some(vec![authority.der().to_vec()]);
    config.auth_info.token = Some(String::from("secret").into());
    (listener, config, lines)
}

fn get(path: &str) -> Request<Vec<u8>> {
    Request::get(path).body(Vec::new()).unwrap()
}

#[tokio::test]
async fn a_request_comes_through_and_the_project_is_split_off() {
    let edge = Edge::default();
    let (listener, config, _lines) = start(&edge).await;
    let client = Client::try_from(config.clone()).unwrap();
    let text = client
        .request_text(get("/projects/red/control-plane/api/v1/secrets?limit=1"))
        .await
        .unwrap();
    assert_eq!(text, "Some(\"red\") /api/v1/secrets?limit=1 HTTP/1.1");
    let record = &edge.log.entries()[0];
    assert_eq!(
        (record.project.as_deref(), record.status),
        (Some("red"), Some(StatusCode::OK))
    );

    let mut stranger = config.clone();
    stranger.auth_info = kube::config::AuthInfo::default();
    let refused = Client::try_from(stranger)
        .unwrap()
        .request_text(get("/version"))
        .await
        .unwrap_err();
    assert!(
        matches!(&refused, kube::Error::Api(status) if status.code == 401),
        "{refused}"
    );

    let address = listener.address();
    listener.shutdown(Duration::from_secs(5)).await;
    assert!(
        tokio::net::TcpStream::connect(address).await.is_err(),
        "the port is still open"
    );
}

#[tokio::test]
async fn a_silent_project_answers_nothing_and_then_goes_on() {
    let edge = Edge::default();
    let (_listener, config, _lines) = start(&edge).await;
    let client = Client::try_from(config).unwrap();
    edge.faults.silence("red");
    let asked = client.clone();
    let mut pending = tokio::spawn(async move {
        asked
            .request_text(get("/projects/red/control-plane/version"))
            .await
    });
    // The others are not held up; and once this one is answered, that one has been sent.
    client.request_text(get("/version")).await.unwrap();
    assert!(
        tokio::time::timeout(Duration::from_millis(100), &mut pending)
            .await
            .is_err()
    );
    assert!(
        edge.log
            .entries()
            .iter()
            .any(|record| record.project.is_some() && record.status.is_none())
    );
    edge.faults.unsilence("red");
    pending.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_watch_goes_silent_and_can_be_cut() {
    use futures::AsyncBufReadExt;

    let edge = Edge::default();
    let (_listener, config, lines) = start(&edge).await;
    let client = Client::try_from(config).unwrap();
    let stream = client
        .request_stream(get("/api/v1/secrets?watch=true"))
        .await
        .unwrap();
    let mut stream = std::pin::pin!(stream.lines());
    lines.send("one\n").unwrap();
    assert_eq!(next(&mut stream).await.unwrap().unwrap(), "one");

    edge.faults.silence(None);
    lines.send("two\n").unwrap();
    assert!(
        tokio::time::timeout(Duration::from_millis(100), next(&mut stream))
            .await
            .is_err()
    );
    edge.faults.unsilence(None);
    assert_eq!(next(&mut stream).await.unwrap().unwrap(), "two");

    edge.faults.drop_watches(None);
    assert!(
        next(&mut stream).await.unwrap().is_err(),
        "a cut is no clean end"
    );
}

async fn next<S: futures::Stream + Unpin>(stream: &mut S) -> Option<S::Item> {
    futures::StreamExt::next(stream).await
}

#[tokio::test]
async fn http_2_is_offered() {
    let edge = Edge::default();
    let (listener, config, _lines) = start(&edge).await;
    let mut tls = config.rustls_client_config().unwrap();
    tls.alpn_protocols = vec![b"h2".to_vec()];
    let stream = tokio::net::TcpStream::connect(listener.address())
        .await
        .unwrap();
    let name = rustls::pki_types::ServerName::try_from("localhost").unwrap();
    let stream = tokio_rustls::TlsConnector::from(std::sync::Arc::new(tls))
        .connect(name, stream)
        .await
        .unwrap();
    let io = hyper_util::rt::TokioIo::new(stream);
    let executor = hyper_util::rt::TokioExecutor::new();
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake::<_, _, http_body_util::Empty<bytes::Bytes>>(
            executor, io,
        )
        .await
        .unwrap();
    let driver = tokio::spawn(connection);
    let request = Request::get("https://localhost/api").header("authorization", "Bearer secret");
    let answer = sender
        .send_request(request.body(http_body_util::Empty::new()).unwrap())
        .await
        .unwrap();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(body, "None /api HTTP/2.0");
    let request = Request::head("https://localhost/api").header("authorization", "Bearer secret");
    let answer = sender
        .send_request(request.body(http_body_util::Empty::new()).unwrap())
        .await
        .unwrap();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    assert!(body.is_empty(), "the answer to HEAD has a body");
    driver.abort();
}
