//! One watch takes over from another, and one that says nothing is given up.

mod server;

use k8s_openapi::api::core::v1::ConfigMap;
use kube::Client;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use server::{Server, Stream};

use super::*;
use crate::controller::ObjectKey;
use crate::watch::listing::LIST_SILENCE;
use crate::watch::{Cache, Change, Common, Kept, Lists, Observer, Selector, Source};

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
