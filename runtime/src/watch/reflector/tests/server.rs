//! A server that answers lists and watches in every odd way.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use http::header::ACCEPT;
use http::{Request, Response};
use http_body::Frame;
use kube::client::Body;
use serde_json::json;
use tokio::sync::mpsc;

use super::super::WATCH_SECONDS;
use crate::watch::listing::LIST_SILENCE;

/// What a server makes of a watch that is to begin with a list.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Stream {
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
pub(super) struct Server {
    pub(super) stream: Stream,
    /// The code that comes with a list.
    pub(super) list: u16,
    /// What comes of a watch: nothing for ever, the end at once (200), in its time and without a word (204), the same
    /// after two bookmarks of which the second is late (206), the end after a bookmark (207), after what is known already
    /// (208) or after both and an error (209), or this code.
    pub(super) watch: Option<u16>,
    pub(super) lists: Arc<Mutex<u32>>,
    pub(super) asked: mpsc::UnboundedSender<String>,
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
pub(super) struct Says {
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
