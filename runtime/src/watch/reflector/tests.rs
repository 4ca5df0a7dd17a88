//! One watch takes over from another, and one that says nothing is given up.

use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::future::BoxFuture;
use http::header::ACCEPT;
use http::{Request, Response};
use http_body::Frame;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::client::Body;
use serde_json::json;
use tokio::sync::mpsc;

use super::*;
use crate::watch::{Change, Kept, Observer, Selector};

/// Lists one more change of `a` each time that it is asked, and never ends a watch.
#[derive(Clone)]
struct Server {
    lists: Arc<Mutex<u32>>,
    asked: mpsc::UnboundedSender<String>,
}

impl tower_service::Service<Request<Body>> for Server {
    type Response = Response<Body>;
    type Error = std::io::Error;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let metadata = request.headers().get(ACCEPT).is_some_and(|accept| {
            accept
                .to_str()
                .is_ok_and(|accept| accept.contains("PartialObjectMetadata"))
        });
        let query = request.uri().query().unwrap_or_default();
        let watches = query.contains("watch=true");
        let verb = if watches { "watch" } else { "list" };
        let what = if metadata { "metadata" } else { "everything" };
        let _ = self.asked.send(format!("{verb} {what}"));
        if watches {
            return Box::pin(std::future::pending());
        }
        let mut lists = self.lists.lock().unwrap_or_else(PoisonError::into_inner);
        *lists += 1;
        let item = |name: &str, version: u32| {
            let version = version.to_string();
            json!({"metadata": {"name": name, "namespace": "shop", "uid": name, "resourceVersion": version}})
        };
        let list = json!({
            "metadata": {"resourceVersion": "9"},
            "items": [item("a", *lists), item("b", 1)],
        });
        let body = Body::from(list.to_string().into_bytes());
        Box::pin(std::future::ready(Ok(Response::new(body))))
    }
}

/// Says so much and then nothing, for ever.
struct Says(Option<Bytes>, bool);

impl http_body::Body for Says {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        match self.0.take() {
            Some(bytes) => Poll::Ready(Some(Ok(Frame::data(bytes)))),
            None if self.1 => Poll::Ready(None),
            None => Poll::Pending,
        }
    }
}

/// Answers a watch and never says anything in it.
#[derive(Clone)]
struct Hung(mpsc::UnboundedSender<String>);

impl tower_service::Service<Request<Body>> for Hung {
    type Response = Response<Says>;
    type Error = std::io::Error;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let query = request.uri().query().unwrap_or_default();
        let body = match query.contains("watch=true") {
            true => {
                let version = query.rsplit("resourceVersion=").next();
                let _ = self
                    .0
                    .send(format!("watch from {}", version.unwrap_or_default()));
                Says(None, false)
            }
            false => {
                let _ = self.0.send("list".into());
                let list = r#"{"metadata":{"resourceVersion":"9"},"items":[]}"#;
                Says(Some(Bytes::from_static(list.as_bytes())), true)
            }
        };
        Box::pin(std::future::ready(Ok(Response::new(body))))
    }
}

struct Silent;

impl Report for Silent {
    fn failed(&self, _: &Subject, _: Verb, _: &Failure) {}
    fn works(&self, _: &Subject) {}
    fn misfit(&self, _: &Subject, _: &ObjectKey, _: &str) {}
}

struct Tape(mpsc::UnboundedSender<String>);

impl Observer for Tape {
    fn changed(&self, change: &Change<'_>) {
        let word = if change.before.is_none() {
            "new"
        } else {
            "changed"
        };
        let name = change.after.and_then(|after| after.metadata().name.clone());
        let _ = self.0.send(format!("{word} {}", name.unwrap_or_default()));
    }
}

#[tokio::test(start_paused = true)]
async fn a_watch_of_everything_takes_over_from_one_of_metadata_and_loses_nothing() {
    let (asked, mut asks) = mpsc::unbounded_channel();
    let server = Server {
        lists: Arc::default(),
        asked,
    };
    let feed = Arc::new(Feed::new(Kept::WhatIsRead));
    let (tape, mut told) = mpsc::unbounded_channel();
    let metadata = feed.join_for_metadata();
    metadata.observe(Arc::new(Tape(tape)));
    let reflector = Reflector {
        feed: Arc::clone(&feed),
        client: Client::new(server, "default"),
        subject: Subject {
            kind: kube::api::ApiResource::erase::<ConfigMap>(&()),
            selector: Selector::default(),
        },
        engaging: Arc::new(Semaphore::new(1)),
        report: Arc::new(Silent),
    };
    let running = tokio::spawn(reflector.run());
    for expected in ["list metadata", "watch metadata"] {
        assert_eq!(asks.recv().await.as_deref(), Some(expected));
    }
    let whole = feed.join::<ConfigMap>();
    for expected in ["list everything", "watch everything"] {
        assert_eq!(asks.recv().await.as_deref(), Some(expected));
    }
    assert_eq!(whole.list().len(), 2);
    let mut seen = Vec::new();
    while let Ok(word) = told.try_recv() {
        seen.push(word);
    }
    assert_eq!(
        seen,
        ["new a", "new b", "changed a"],
        "what came in between is told, and nothing twice"
    );
    let again = feed.join_for_metadata();
    assert!(Arc::ptr_eq(&again, &metadata), "there is one already");
    assert!(asks.try_recv().is_err(), "and so it asks for nothing");
    running.abort();
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_hangs_is_given_up_and_goes_on_from_where_it_was() {
    let (asked, mut asks) = mpsc::unbounded_channel();
    let feed = Arc::new(Feed::new(Kept::WhatIsRead));
    let cache = feed.join::<ConfigMap>();
    let source: Arc<dyn crate::watch::Source> = cache;
    let reflector = Reflector {
        feed,
        client: Client::new(Hung(asked), "default"),
        subject: Subject {
            kind: kube::api::ApiResource::erase::<ConfigMap>(&()),
            selector: Selector::default(),
        },
        engaging: Arc::new(Semaphore::new(1)),
        report: Arc::new(Silent),
    };
    let running = tokio::spawn(reflector.run());
    assert_eq!(asks.recv().await.as_deref(), Some("list"));
    assert_eq!(asks.recv().await.as_deref(), Some("watch from 9"));
    for _ in 0..3 {
        let began = tokio::time::Instant::now();
        assert_eq!(
            asks.recv().await.as_deref(),
            Some("watch from 9"),
            "and not a list"
        );
        let waited = began.elapsed();
        assert!(
            waited >= WATCH_SILENCE && waited < WATCH_SILENCE * 2,
            "{waited:?}"
        );
        assert!(
            !source.is_current(),
            "it is not believed until it works again"
        );
    }
    running.abort();
}
