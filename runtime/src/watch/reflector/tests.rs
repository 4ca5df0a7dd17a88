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
use kube::Client;
use kube::client::Body;
use serde_json::json;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::*;
use crate::controller::ObjectKey;
use crate::watch::listing::LIST_SILENCE;
use crate::watch::{Cache, Change, Common, Kept, Lists, Observer, Selector, Source};

/// What a server makes of a watch that is to begin with a list.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stream {
    /// What was asked for.
    Whole,
    /// The same, and then the end.
    Ends,
    /// It ends before all has been told.
    BreaksOff,
    /// It cannot be read.
    Garbage,
    /// It is refused with this code, of which 422 means that the server does not know what was asked for.
    Refused(u16),
    /// As a watch without a version: everything, and no word that it was all.
    Endless,
    /// Not even that.
    Nothing,
    /// The first of it again and again, and never all.
    Trickles,
}

/// Lists one more change of `a` each time that it is asked, and says nothing in a watch.
#[derive(Clone)]
struct Server {
    stream: Stream,
    /// The code that comes with a list.
    list: u16,
    /// What comes of a watch: nothing for ever, the end at once (200), in its time and without a word (204), the same
    /// after two bookmarks of which the second is late (206), the end after a bookmark (207), after what is known already
    /// (208) or after both and an error (209), or this code.
    watch: Option<u16>,
    lists: Arc<Mutex<u32>>,
    asked: mpsc::UnboundedSender<String>,
}

impl Server {
    fn answer(&self, verb: &str) -> Response<Says> {
        if verb == "watch" {
            return match self.watch {
                None => Response::new(Says::and_waits(String::new())),
                Some(200) => Response::new(Says::and_ends(String::new())),
                Some(204) => Response::new(Says::and_ends_in_time(String::new())),
                Some(206) => {
                    let bookmarks = ["12", "10"].map(|version| {
                        let bookmark = json!({"metadata": {"resourceVersion": version}});
                        format!("{}\n", json!({"type": "BOOKMARK", "object": bookmark}))
                    });
                    Response::new(Says::and_ends_in_time(bookmarks.concat()))
                }
                Some(207) => Response::new(Says::and_ends(BOOKMARK.into())),
                Some(208) => Response::new(Says::and_ends(KNOWN.into())),
                Some(209) => Response::new(Says::and_ends(format!("{KNOWN}{BOOKMARK}{ERROR}"))),
                Some(code) => refusal(code),
            };
        }
        let mut lists = self.lists.lock().unwrap_or_else(PoisonError::into_inner);
        *lists += 1;
        let item = |name: &str, version: u32| {
            let version = version.to_string();
            json!({"metadata": {"name": name, "namespace": "shop", "uid": name, "resourceVersion": version}})
        };
        let items = [item("a", *lists), item("b", 1)];
        if verb == "list" && self.list != 200 {
            return refusal(self.list);
        }
        if verb == "list" {
            let list = json!({"metadata": {"resourceVersion": "9"}, "items": items});
            return Response::new(Says::and_ends(list.to_string()));
        }
        let line = |word: &str, object: &serde_json::Value| {
            format!("{}\n", json!({"type": word, "object": object}))
        };
        let all: String = items.iter().map(|item| line("ADDED", item)).collect();
        let end = json!({"metadata": {"resourceVersion": "9", "annotations": {"k8s.io/initial-events-end": "true"}}});
        match self.stream {
            Stream::Whole => Response::new(Says::and_waits(all + &line("BOOKMARK", &end))),
            Stream::Ends => Response::new(Says::and_ends(all + &line("BOOKMARK", &end))),
            Stream::BreaksOff => Response::new(Says::and_ends(all)),
            Stream::Garbage => Response::new(Says::and_waits("{]\n".into())),
            Stream::Refused(code) => refusal(code),
            Stream::Endless => Response::new(Says::and_waits(all)),
            Stream::Nothing => Response::new(Says::and_waits(String::new())),
            Stream::Trickles => Response::new(Says::again_and_again(line("ADDED", &items[0]))),
        }
    }
}

const BOOKMARK: &str =
    "{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{\"resourceVersion\":\"12\"}}}\n";
const KNOWN: &str = "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":\"b\",\"namespace\":\"shop\",\"uid\":\"b\",\"resourceVersion\":\"1\"}}}\n";
const ERROR: &str =
    "{\"type\":\"ERROR\",\"object\":{\"status\":\"Failure\",\"code\":500,\"message\":\"no\"}}\n";

fn refusal(code: u16) -> Response<Says> {
    let status = json!({"status": "Failure", "code": code, "message": "no", "reason": "No"});
    let mut answer = Response::new(Says::and_ends(status.to_string()));
    *answer.status_mut() = code.try_into().unwrap();
    answer
}

impl tower_service::Service<Request<Body>> for Server {
    type Response = Response<Says>;
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
        let verb = match query.contains("watch=true") {
            true if query.contains("sendInitialEvents=true") => "stream",
            true => "watch",
            false => "list",
        };
        let what = if metadata { "metadata" } else { "everything" };
        let version = query.rsplit("resourceVersion=").next();
        let from = match (verb, version) {
            ("watch", Some(version)) => format!(" from {version}"),
            _ => String::new(),
        };
        let _ = self.asked.send(format!("{verb} {what}{from}"));
        Box::pin(std::future::ready(Ok(self.answer(verb))))
    }
}

/// Says so much, and then ends or says nothing for ever.
struct Says {
    text: Option<Bytes>,
    ends: bool,
    /// What comes before its end.
    life: Option<Pin<Box<tokio::time::Sleep>>>,
    /// What it says again each time.
    refrain: Option<(tokio::time::Interval, Bytes)>,
}

impl Says {
    fn and_ends(text: String) -> Self {
        let text = Some(Bytes::from(text));
        Self {
            text,
            ends: true,
            life: None,
            refrain: None,
        }
    }

    fn and_ends_in_time(text: String) -> Self {
        let life = tokio::time::sleep(Duration::from_secs(WATCH_SECONDS.into()));
        Self {
            life: Some(Box::pin(life)),
            ..Self::and_ends(text)
        }
    }

    fn again_and_again(text: String) -> Self {
        let often = tokio::time::interval(LIST_SILENCE * 9 / 10);
        Self {
            refrain: Some((often, text.into())),
            ..Self::and_waits(String::new())
        }
    }

    fn and_waits(text: String) -> Self {
        Self {
            ends: false,
            ..Self::and_ends(text)
        }
    }
}

impl http_body::Body for Says {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if let Some(bytes) = self.text.take().filter(|text| !text.is_empty()) {
            return Poll::Ready(Some(Ok(Frame::data(bytes))));
        }
        if let Some((often, text)) = &mut self.refrain
            && often.poll_tick(cx).is_ready()
        {
            return Poll::Ready(Some(Ok(Frame::data(text.clone()))));
        }
        let lives = |life: &mut Pin<Box<tokio::time::Sleep>>| life.as_mut().poll(cx).is_pending();
        match self.life.as_mut().is_some_and(lives) {
            true => Poll::Pending,
            false if self.ends => Poll::Ready(None),
            false => Poll::Pending,
        }
    }
}

/// A reflector at work, and what it asks its server.
struct Work {
    feed: Arc<Feed>,
    asks: mpsc::UnboundedReceiver<String>,
    running: JoinHandle<()>,
}

impl Work {
    fn begin(feed: &Arc<Feed>, stream: Stream, list: u16, watch: Option<u16>) -> Self {
        let (asked, asks) = mpsc::unbounded_channel();
        let server = Server {
            stream,
            list,
            watch,
            lists: Arc::default(),
            asked,
        };
        let ground = Silent {
            line: Client::new(server, "default").into(),
            lists: Lists::default(),
            common: Common::new(1, Kept::WhatIsRead),
        };
        let reflector = Reflector {
            feed: Arc::clone(feed),
            ground: Arc::new(ground),
        };
        Self {
            feed: Arc::clone(feed),
            asks,
            running: tokio::spawn(async move { reflector.run().await }),
        }
    }

    /// Waits until all of this was asked, and nothing else before or in between.
    async fn asks(&mut self, all: &[&str]) {
        for expected in all {
            assert_eq!(self.asks.recv().await.as_deref(), Some(*expected));
        }
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        self.running.abort();
    }
}

fn empty_feed() -> Arc<Feed> {
    let subject = Subject {
        kind: kube::api::ApiResource::erase::<ConfigMap>(&()),
        selector: Selector::default(),
    };
    Arc::new(Feed::new(Arc::new(subject), Kept::WhatIsRead))
}

fn feed() -> (Arc<Feed>, Arc<Cache<ConfigMap>>) {
    let feed = empty_feed();
    let cache = feed.join();
    (feed, cache)
}

/// A cluster that tells nobody how it fares.
struct Silent {
    line: Line,
    lists: Lists,
    common: Common,
}

impl Ground for Silent {
    fn line(&self) -> Line {
        self.line.clone()
    }
    fn lists(&self) -> &Lists {
        &self.lists
    }
    fn common(&self) -> &Common {
        &self.common
    }
    fn failed(&self, _: &Arc<Subject>, _: Verb, _: &Failure) {}
    fn works(&self, _: &Arc<Subject>) {}
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

async fn takes_over(stream: Stream, metadata_only: &[&str], everything: &[&str]) {
    let feed = empty_feed();
    let (tape, mut told) = mpsc::unbounded_channel();
    let metadata = feed.join_for_metadata();
    metadata.observe(Arc::new(Tape(tape)));
    let mut work = Work::begin(&feed, stream, 200, None);
    work.asks(metadata_only).await;
    metadata.synced().await;
    let whole = work.feed.join::<ConfigMap>();
    work.asks(everything).await;
    whole.synced().await;
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
    assert!(work.asks.try_recv().is_err(), "and so it asks for nothing");
}

#[tokio::test(start_paused = true)]
async fn a_watch_of_everything_takes_over_from_one_of_metadata_and_loses_nothing() {
    takes_over(Stream::Whole, &["stream metadata"], &["stream everything"]).await;
    takes_over(
        Stream::Refused(422),
        &["stream metadata", "list metadata", "watch metadata from 9"],
        &["list everything", "watch everything from 9"],
    )
    .await;
}

async fn is_given_up(stream: Stream, begin: &[&str]) {
    let (feed, cache) = feed();
    let mut work = Work::begin(&feed, stream, 200, None);
    work.asks(begin).await;
    let mut began = Instant::now();
    for _ in 0..3 {
        // And no list.
        work.asks(&["watch everything from 9"]).await;
        let waited = began.elapsed();
        assert!(
            waited >= WATCH_SILENCE && waited < WATCH_SILENCE * 2,
            "{waited:?}"
        );
        assert!(
            !cache.is_current(),
            "it is not believed until it works again"
        );
        began = Instant::now();
    }
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_hangs_is_given_up_and_goes_on_from_where_it_was() {
    is_given_up(Stream::Whole, &["stream everything"]).await;
    let paged = [
        "stream everything",
        "list everything",
        "watch everything from 9",
    ];
    is_given_up(Stream::Refused(422), &paged).await;
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_ends_in_time_and_has_said_nothing_is_followed_by_a_list() {
    let (list, watch) = ("list everything", "watch everything from 9");
    let (feed, _cache) = feed();
    let mut work = Work::begin(&feed, Stream::Refused(422), 200, Some(204));
    work.asks(&["stream everything", list, watch, list, watch])
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_watch_goes_on_from_its_newest_bookmark_also_when_an_older_one_comes_after_it() {
    let (feed, _cache) = feed();
    let mut work = Work::begin(&feed, Stream::Refused(422), 200, Some(206));
    work.asks(&[
        "stream everything",
        "list everything",
        "watch everything from 9",
        "watch everything from 12",
        "watch everything from 12",
    ])
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_know_streams_is_asked_for_one_once() {
    for stream in [Stream::Refused(422), Stream::Endless, Stream::Nothing] {
        let (feed, cache) = feed();
        let mut work = Work::begin(&feed, stream, 200, None);
        let began = Instant::now();
        work.asks(&[
            "stream everything",
            "list everything",
            "watch everything from 9",
        ])
        .await;
        cache.synced().await;
        assert!(
            began.elapsed() <= Duration::from_secs(10),
            "it does not wait for ever"
        );
        feed.join::<DynamicObject>();
        work.asks(&["list everything", "watch everything from 9"])
            .await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_streams_nothing_in_its_trouble_is_asked_for_a_stream_again() {
    let (feed, cache) = feed();
    let mut work = Work::begin(&feed, Stream::Nothing, 503, None);
    for _ in 0..3 {
        work.asks(&["stream everything", "list everything"]).await;
    }
    assert!(!cache.is_current());
}

#[tokio::test(start_paused = true)]
async fn a_list_that_trickles_is_asked_for_in_pages() {
    let (feed, cache) = feed();
    let mut work = Work::begin(&feed, Stream::Trickles, 200, None);
    let began = Instant::now();
    let asks = work.asks(&[
        "stream everything",
        "list everything",
        "watch everything from 9",
    ]);
    let in_time = tokio::time::timeout(WATCH_SILENCE * 2, asks).await;
    in_time.expect("it is given up");
    cache.synced().await;
    assert!(began.elapsed() >= LIST_SILENCE * 2, "it has time");
}

/// The trouble goes on for an hour: how often the server is asked.
async fn asked_in_an_hour(stream: Stream, list: u16, watch: Option<u16>) -> usize {
    let (feed, _cache) = feed();
    let mut work = Work::begin(&feed, stream, list, watch);
    tokio::time::sleep(Duration::from_secs(3_600)).await;
    let mut count = 0;
    while work.asks.try_recv().is_ok() {
        count += 1;
    }
    count
}

#[tokio::test(start_paused = true)]
async fn no_trouble_is_a_busy_loop_and_none_is_given_up() {
    let unknown = Stream::Refused(422);
    for (what, stream, list, watch) in [
        ("the kind is gone", Stream::Refused(404), 404, None),
        ("the kind is gone, with pages", unknown, 404, None),
        ("it may not be read", Stream::Refused(403), 403, None),
        (
            "it may be listed alone",
            Stream::Refused(403),
            200,
            Some(403),
        ),
        ("the history is gone", Stream::Ends, 200, Some(410)),
        ("the history is gone, with pages", unknown, 200, Some(410)),
        ("all watches end at once", Stream::Ends, 200, Some(200)),
        (
            "all watches end at once, with pages",
            unknown,
            200,
            Some(200),
        ),
        (
            "all watches say where they are, and end",
            unknown,
            200,
            Some(207),
        ),
        (
            "all watches tell what is known, and end",
            unknown,
            200,
            Some(208),
        ),
        ("all watches end with an error", unknown, 200, Some(209)),
        ("the list breaks off", Stream::BreaksOff, 200, None),
        ("the list cannot be read", Stream::Garbage, 200, None),
        ("the server is in trouble", Stream::Refused(503), 503, None),
        ("the server is in trouble, with pages", unknown, 503, None),
    ] {
        let count = asked_in_an_hour(stream, list, watch).await;
        // Once in a quarter of a minute in the end, by at most three requests.
        assert!((100..1_000).contains(&count), "{what}: {count}");
    }
}
