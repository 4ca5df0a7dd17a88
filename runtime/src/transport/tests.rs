//! What a client makes of what a server of HTTP/2 does.

mod server;

use std::time::Duration;

use http::{Request, Response};
use http_body::Body as _;
use kube::client::Body;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tower::ServiceExt as _;

use self::server::Server;
use super::BoxError;
use super::client::{CALL_DEADLINE, CONNECT_DEADLINE};
use super::dial::Dial;
use super::exchange::Endpoint;
use super::failure::NoAnswer;
use super::received::Received;

const CALL: &str = "http://server/api/v1/secrets";
const WATCH: &str = "http://server/api/v1/secrets?watch=true";

type Answer = Result<Response<Received>, BoxError>;

fn endpoint(streams: u32) -> (Server, Endpoint) {
    let (server, dial) = Server::new(streams);
    (server, Endpoint::over(dial, CONNECT_DEADLINE))
}

fn ask(endpoint: &Endpoint, uri: &str) -> JoinHandle<Answer> {
    let request = Request::get(uri).body(Body::empty()).unwrap();
    tokio::spawn(endpoint.clone().oneshot(request))
}

fn write(endpoint: &Endpoint, what: &'static str) -> JoinHandle<Answer> {
    let body = Body::from(what.as_bytes().to_vec());
    let request = Request::post(CALL).body(body).unwrap();
    tokio::spawn(endpoint.clone().oneshot(request))
}

/// The next of a body; `None` at the end.
async fn next(body: &mut Received) -> Option<Result<String, BoxError>> {
    let frame = std::future::poll_fn(|cx| std::pin::Pin::new(&mut *body).poll_frame(cx)).await?;
    Some(frame.map(|frame| String::from_utf8(frame.into_data().unwrap().to_vec()).unwrap()))
}

#[tokio::test(start_paused = true)]
async fn connections_are_opened_for_what_does_not_fit_and_filled_anew_when_the_limit_changes() {
    let (mut server, endpoint) = endpoint(2);
    let first: Vec<_> = (0..3).map(|_| ask(&endpoint, WATCH)).collect();
    let mut one = server.accept().await;
    assert_eq!((one.asked().await, one.asked().await), (1, 3));
    let mut two = server.accept().await;
    assert_eq!(two.asked().await, 1);
    // What is free is taken before anything is opened.
    let fourth = ask(&endpoint, WATCH);
    assert_eq!(two.asked().await, 3);
    // A higher limit is used at once, also by who waits.
    one.allow(3);
    let fifth = ask(&endpoint, WATCH);
    assert_eq!(one.asked().await, 5);
    // After a lower one nothing is added, and nothing is cut that is there.
    one.allow(1);
    one.begin(1);
    one.begin(3);
    one.tell(1, "still there");
    let mut first = first.into_iter();
    let mut body = first.next().unwrap().await.unwrap().unwrap().into_body();
    assert_eq!(next(&mut body).await.unwrap().unwrap(), "still there");
    drop(body);
    let sixth = ask(&endpoint, WATCH);
    let mut three = server.accept().await;
    assert_eq!(three.asked().await, 1);
    assert!(server.has_no_more());
    drop((first, fourth, fifth, sixth));
}

#[tokio::test(start_paused = true)]
async fn a_watch_goes_elsewhere_when_the_limit_falls_before_it_is_sent() {
    let (mut server, endpoint) = endpoint(3);
    let first = [ask(&endpoint, WATCH), ask(&endpoint, WATCH)];
    let mut one = server.accept().await;
    assert_eq!((one.asked().await, one.asked().await), (1, 3));
    one.allow(1);
    // It has its place before the client has read that.
    let third = ask(&endpoint, WATCH);
    let soon = tokio::time::timeout(CALL_DEADLINE / 10, server.accept());
    let mut two = soon.await.expect("another connection");
    two.begin_next().await;
    assert!(third.await.unwrap().is_ok());
    // Nor is the connection left by those who are on it, or taken by more than it may have.
    let fourth = ask(&endpoint, WATCH);
    two.begin_next().await;
    one.begin(1);
    one.begin(3);
    for watch in first {
        assert!(watch.await.unwrap().is_ok());
    }
    drop(fourth);
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_for_a_connection_has_a_turn_on_it_though_few_have_it_at_once() {
    let (mut server, endpoint) = endpoint(100);
    let mut watches: Vec<_> = (0..100).map(|_| ask(&endpoint, WATCH)).collect();
    tokio::task::yield_now().await;
    // Some go before they have it, or while they have.
    for watch in watches.drain(..50) {
        watch.abort();
    }
    let mut one = server.accept().await;
    for watch in watches.drain(40..) {
        watch.abort();
    }
    for _ in &watches {
        one.asked().await;
    }
    let another = ask(&endpoint, WATCH);
    one.asked().await;
    assert!(server.has_no_more());
    drop((watches, another));
}

#[tokio::test(start_paused = true)]
async fn no_call_waits_behind_watches() {
    let (mut server, endpoint) = endpoint(1);
    let watch = ask(&endpoint, WATCH);
    let mut watches = server.accept().await;
    watches.begin_next().await;
    let call = ask(&endpoint, CALL);
    let mut calls = server.accept().await;
    calls.answer_next().await;
    assert!(call.await.unwrap().is_ok());
    drop(watch);
}

#[tokio::test(start_paused = true)]
async fn what_a_server_has_not_begun_with_is_sent_again() {
    let (mut server, endpoint) = endpoint(100);
    let calls: Vec<_> = (0..3).map(|_| write(&endpoint, "a body")).collect();
    let mut one = server.accept().await;
    for stream in [1, 3, 5] {
        assert_eq!(one.asked().await, stream);
    }
    one.go_away(1);
    let mut two = server.accept().await;
    assert_eq!((two.asked().await, two.asked().await), (1, 3));
    two.refuse(1);
    assert_eq!(two.asked().await, 5);
    one.answer(1);
    two.answer(3);
    two.answer(5);
    for call in calls {
        assert!(call.await.unwrap().is_ok());
    }
    assert_eq!(two.heard(), "a body".repeat(3));
    // What the server has begun with, it may have done: that is nobody's to repeat.
    let call = ask(&endpoint, CALL);
    two.asked().await;
    drop(two);
    assert!(call.await.unwrap().is_err());
    assert!(server.has_no_more());
}

#[tokio::test(start_paused = true)]
async fn a_server_that_never_begins_is_given_up() {
    let (mut server, endpoint) = endpoint(100);
    let call = ask(&endpoint, CALL);
    let mut one = server.accept().await;
    let refuses = async {
        loop {
            one.refuse_next().await;
        }
    };
    tokio::select! {
        biased;
        answer = call => assert!(answer.unwrap().is_err()),
        () = refuses => {}
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_is_silent_is_left_within_seconds_and_one_that_answers_is_not() {
    let (mut server, endpoint) = endpoint(100);
    let watch = ask(&endpoint, WATCH);
    let mut one = server.accept().await;
    one.begin_next().await;
    let mut body = watch.await.unwrap().unwrap().into_body();
    let quiet = tokio::time::timeout(Duration::from_secs(600), next(&mut body));
    assert!(quiet.await.is_err());
    one.mute();
    let began = Instant::now();
    let ended = next(&mut body).await.unwrap().err().unwrap();
    let ended = ended.downcast::<std::io::Error>().unwrap();
    assert_eq!(ended.kind(), std::io::ErrorKind::UnexpectedEof);
    assert!(began.elapsed() <= Duration::from_secs(11));
    assert!(next(&mut body).await.is_none());
    let _again = ask(&endpoint, WATCH);
    server.accept().await.asked().await;
}

#[tokio::test(start_paused = true)]
async fn watches_hear_of_a_lost_connection_one_after_the_other() {
    let (mut server, endpoint) = endpoint(100);
    let watches: Vec<_> = (0..100).map(|_| ask(&endpoint, WATCH)).collect();
    let mut one = server.accept().await;
    for _ in 0..100 {
        one.begin_next().await;
    }
    let mut bodies = Vec::new();
    for watch in watches {
        bodies.push(watch.await.unwrap().unwrap().into_body());
    }
    drop(one);
    let began = Instant::now();
    let ends = bodies.into_iter().map(async |mut body| {
        assert!(next(&mut body).await.unwrap().is_err());
        began.elapsed()
    });
    let mut ends = futures::future::join_all(ends).await;
    ends.sort();
    ends.dedup();
    assert!(ends.len() > 50, "{ends:?}");
    assert!(ends[ends.len() - 1] <= Duration::from_secs(1), "{ends:?}");
}

#[tokio::test(start_paused = true)]
async fn a_call_has_a_deadline_whatever_comes_of_it() {
    let (mut server, endpoint) = endpoint(100);
    // No answer at all.
    let began = Instant::now();
    let call = ask(&endpoint, CALL);
    let mut one = server.accept().await;
    one.asked().await;
    assert!(call.await.unwrap().err().unwrap().is::<NoAnswer>());
    assert_eq!(began.elapsed(), CALL_DEADLINE);
    // One that trickles.
    let began = Instant::now();
    let call = ask(&endpoint, CALL);
    let stream = one.asked().await;
    one.begin(stream);
    let mut body = call.await.unwrap().unwrap().into_body();
    let trickle = async {
        loop {
            one.tell(stream, "-");
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    };
    let read = async {
        loop {
            if let Err(error) = next(&mut body).await.unwrap() {
                return error;
            }
        }
    };
    tokio::select! {
        biased;
        error = read => assert!(error.is::<NoAnswer>()),
        () = trickle => {}
    }
    assert_eq!(began.elapsed(), CALL_DEADLINE);
    // A server that takes connections and says nothing.
    let (client, _server) = tokio::io::duplex(1 << 20);
    let client = std::sync::Mutex::new(Some(client));
    let dial = Dial::over(move || Some(Box::new(client.lock().unwrap().take()?)));
    let silent = Endpoint::over(dial, CONNECT_DEADLINE);
    let began = Instant::now();
    assert!(ask(&silent, CALL).await.unwrap().is_err());
    assert_eq!(began.elapsed(), CONNECT_DEADLINE);
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_a_server_that_is_not_there_fails_together_and_the_next_tries_again() {
    let dials = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let dialed = std::sync::Arc::clone(&dials);
    let dial = Dial::over(move || {
        dialed.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        None
    });
    let endpoint = Endpoint::over(dial, CONNECT_DEADLINE);
    for round in 1..3 {
        let calls: Vec<_> = (0..50).map(|_| ask(&endpoint, CALL)).collect();
        for call in calls {
            let error = call.await.unwrap().err().unwrap();
            assert_eq!(error.source().unwrap().to_string(), "refused");
        }
        assert_eq!(dials.load(std::sync::atomic::Ordering::Relaxed), round);
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_nobody_uses_is_closed() {
    let (mut server, endpoint) = endpoint(100);
    let call = ask(&endpoint, CALL);
    let mut one = server.accept().await;
    one.answer_next().await;
    drop(call.await);
    let began = Instant::now();
    one.closed().await;
    assert!(began.elapsed() <= Duration::from_secs(60));
    // And one that nobody can use any more is closed sooner.
    let call = ask(&endpoint, CALL);
    let mut two = server.accept().await;
    two.answer_next().await;
    drop((call.await, endpoint));
    let began = Instant::now();
    two.closed().await;
    assert!(began.elapsed() <= Duration::from_secs(6));
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_has_been_left_is_closed_once_nobody_uses_it() {
    let (mut server, dial) = Server::new(100);
    let endpoint = Endpoint::over(dial.renewing(), CONNECT_DEADLINE);
    let first = ask(&endpoint, WATCH);
    let mut one = server.accept().await;
    one.begin_next().await;
    let first = first.await.unwrap().unwrap();
    // Its certificate is not taken any more.
    let second = ask(&endpoint, WATCH);
    one.turn_away_next().await;
    assert!(second.await.unwrap().unwrap().status().is_client_error());
    let third = ask(&endpoint, WATCH);
    let mut two = server.accept().await;
    two.begin_next().await;
    let third = third.await.unwrap().unwrap();
    // Not even what it allows brings anybody back.
    one.allow(200);
    let stays = tokio::time::timeout(Duration::from_secs(600), one.closed());
    assert!(stays.await.is_err(), "it is used");
    let _fourth = ask(&endpoint, WATCH);
    two.begin_next().await;
    drop(first);
    let began = Instant::now();
    one.closed().await;
    assert!(began.elapsed() <= Duration::from_secs(60));
    drop(third);
}

#[tokio::test(start_paused = true)]
async fn a_peer_whose_answer_comes_behind_much_else_on_a_slow_way_is_not_left() {
    const WATCHES: usize = 8;
    const EACH: usize = 1 << 20;
    let (accept, mut wires) = tokio::sync::mpsc::unbounded_channel();
    let dial = Dial::over(move || {
        let (client, mut near) = tokio::io::duplex(1 << 10);
        let (mut far, server) = tokio::io::duplex(1 << 20);
        accept.send(server).ok()?;
        tokio::spawn(async move {
            let (mut from_client, mut to_client) = tokio::io::split(&mut near);
            let (mut from_server, mut to_server) = tokio::io::split(&mut far);
            let slowly = async {
                let mut some = vec![0; 16 << 10];
                loop {
                    let length = from_server.read(&mut some).await?;
                    if length == 0 {
                        return std::io::Result::Ok(());
                    }
                    tokio::time::sleep(Duration::from_millis(250)).await;
                    to_client.write_all(&some[..length]).await?;
                }
            };
            let asked = tokio::io::copy(&mut from_client, &mut to_server);
            let _ = tokio::try_join!(slowly, asked);
        });
        Some(Box::new(client))
    });
    let endpoint = Endpoint::over(dial, CONNECT_DEADLINE);
    let watches: Vec<_> = (0..WATCHES).map(|_| ask(&endpoint, WATCH)).collect();
    let wire = wires.recv().await.unwrap();
    tokio::spawn(tells(wire, EACH));
    let read = watches.into_iter().map(async |watch| {
        let mut body = watch.await.unwrap().unwrap().into_body();
        let mut read = 0;
        while read < EACH {
            read += next(&mut body).await.unwrap().unwrap().len();
        }
    });
    futures::future::join_all(read).await;
    assert!(wires.try_recv().is_err(), "one connection");
}

/// A server that tells so much in each watch, and then nothing.
async fn tells(wire: tokio::io::DuplexStream, each: usize) {
    let mut builder = h2::server::Builder::new();
    builder.max_concurrent_streams(100);
    let mut connection = builder.handshake(wire).await.unwrap();
    while let Some(Ok((_, mut respond))) = connection.accept().await {
        tokio::spawn(async move {
            let mut body = respond.send_response(Response::new(()), false).unwrap();
            let mut left = each;
            while left > 0 {
                body.reserve_capacity(left);
                let room = std::future::poll_fn(|cx| body.poll_capacity(cx)).await;
                let Some(Ok(room)) = room else { return };
                body.send_data(bytes::Bytes::from(vec![b'-'; room]), false)
                    .unwrap();
                left -= room;
            }
            std::future::pending::<()>().await;
        });
    }
}

/// Opens a hundred watches on one connection, of which only some are read; all of these get everything.
async fn readers_are_not_held_up(paused: usize) {
    const WATCHES: usize = 100;
    const EACH: usize = 1 << 20;
    let (accept, mut wires) = tokio::sync::mpsc::unbounded_channel();
    let dial = Dial::over(move || {
        let (client, server) = tokio::io::duplex(1 << 20);
        accept.send(server).ok()?;
        Some(Box::new(client))
    });
    let endpoint = Endpoint::over(dial, CONNECT_DEADLINE);
    let watches: Vec<_> = (0..WATCHES).map(|_| ask(&endpoint, WATCH)).collect();
    tokio::spawn(tells(wires.recv().await.unwrap(), EACH));
    let mut bodies = Vec::new();
    for watch in watches {
        bodies.push(watch.await.unwrap().unwrap().into_body());
    }
    let read = bodies.iter_mut().skip(paused).map(async |body| {
        let mut read = 0;
        while read < EACH {
            read += next(body).await.unwrap().unwrap().len();
        }
    });
    let all = futures::future::join_all(read);
    let all = tokio::time::timeout(Duration::from_secs(60), all).await;
    assert!(all.is_ok(), "{paused} that are paused hold the others up");
    assert!(wires.try_recv().is_err(), "one connection");
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_is_not_read_holds_none_up_on_its_connection() {
    readers_are_not_held_up(1).await;
}

#[tokio::test(start_paused = true)]
async fn many_watches_that_are_not_read_hold_none_up_on_their_connection() {
    readers_are_not_held_up(99).await;
}
