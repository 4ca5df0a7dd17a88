//! Watches by WebSocket, which some clients ask for first.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures::{SinkExt, StreamExt};
use http::header::{
    CONNECTION, CONTENT_TYPE, HeaderName, ORIGIN, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::{HeaderValue, Method, Request, Response, StatusCode, Uri};
use http_body_util::BodyExt;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role};
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

use super::events::{self, Framing};
use super::paths::{ResourcePath, project_and_path};
use super::token::{asks_for_websocket, websocket_protocols};
use super::{Body, Verb, bearer_token, full};

/// What a key is told with, to show that it was understood.
const UNDERSTOOD: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

type Talk = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What follows on a connection once it is no HTTP any more.
#[derive(Clone, Default)]
pub(super) struct Next(Arc<Mutex<Option<Talk>>>);

impl Next {
    pub(super) fn take(&self) -> Option<Talk> {
        let mut next = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        next.take()
    }

    fn set(&self, talk: Talk) {
        let mut next = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *next = Some(talk);
    }
}

/// A watch that is to be told by WebSocket.
pub(super) struct Handshake {
    key: HeaderValue,
    protocol: Option<HeaderValue>,
    wrong: Option<Wrong>,
    upgrade: OnUpgrade,
}

/// Why none is opened.
enum Wrong {
    Key,
    Version,
    /// Where it is from has to be said.
    Origin,
    Protocol,
}

impl Handshake {
    pub(super) fn of<B>(request: &mut Request<B>) -> Option<Self> {
        let headers = request.headers();
        let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
        let is_asked_for = request.method() == Method::GET && asks_for_websocket(headers);
        // Nearly nobody asks for one, and every request comes by.
        if !is_asked_for || !is_watch(request.uri()) {
            return None;
        }
        let has_origin = text(ORIGIN)
            .is_some_and(|origin| origin != "null" && origin.parse::<http::Uri>().is_ok());
        let (spoken, tokens) = websocket_protocols(headers);
        // A token among them has been read where there is no other.
        let is_token_read = bearer_token(headers).is_none() && !tokens.is_empty();
        let protocol = if is_token_read {
            HeaderValue::from_str(&spoken.join(",")).ok()
        } else {
            headers.get(SEC_WEBSOCKET_PROTOCOL).cloned()
        };
        let is_one = |of: &HeaderValue| !of.as_bytes().contains(&b',');
        let wrong = match () {
            () if text(SEC_WEBSOCKET_KEY).is_none() => Some(Wrong::Key),
            () if text(SEC_WEBSOCKET_VERSION) != Some("13") => Some(Wrong::Version),
            () if !has_origin => Some(Wrong::Origin),
            () if !protocol.as_ref().is_none_or(is_one) => Some(Wrong::Protocol),
            () => None,
        };
        let key = headers.get(SEC_WEBSOCKET_KEY).cloned();
        Some(Self {
            key: key.unwrap_or_else(|| HeaderValue::from_static("")),
            protocol,
            wrong,
            upgrade: hyper::upgrade::on(request),
        })
    }

    /// Tells the events of an answer by WebSocket; a refusal is told as ever.
    pub(super) fn answer(self, answer: Response<Body>, next: &Next) -> Response<Body> {
        if answer.status() != StatusCode::OK {
            return answer;
        }
        if let Some(wrong) = self.wrong {
            return wrong.answer();
        }
        let mut switching = Response::new(full(""));
        *switching.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = switching.headers_mut();
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        let told = [
            (SEC_WEBSOCKET_ACCEPT, understood(&self.key)),
            (SEC_WEBSOCKET_PROTOCOL, self.protocol),
        ];
        for (name, value) in told {
            headers.extend(value.map(|value| (name, value)));
        }
        next.set(Box::pin(talk(self.upgrade, answer)));
        switching
    }
}

fn is_watch(uri: &Uri) -> bool {
    let (_, path) = project_and_path(uri.path());
    let (query, resource) = (uri.query().unwrap_or_default(), ResourcePath::of_sent(path));
    Verb::of(&Method::GET, path, query, resource.as_ref()) == Verb::Watch
}

impl Wrong {
    fn answer(self) -> Response<Body> {
        let (status, why) = match self {
            Self::Key => (StatusCode::BAD_REQUEST, "mismatch challenge/response"),
            Self::Version => (StatusCode::BAD_REQUEST, "missing or bad WebSocket Version"),
            Self::Origin => (StatusCode::FORBIDDEN, ""),
            Self::Protocol => (StatusCode::BAD_REQUEST, ""),
        };
        let mut refused = Response::new(full(why));
        *refused.status_mut() = status;
        let headers = refused.headers_mut();
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
        if matches!(self, Self::Version) {
            headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        }
        refused
    }
}

fn understood(key: &HeaderValue) -> Option<HeaderValue> {
    let told = [key.as_bytes(), UNDERSTOOD.as_bytes()].concat();
    let digest = ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, &told);
    HeaderValue::from_str(&STANDARD.encode(digest)).ok()
}

async fn talk(upgrade: OnUpgrade, answer: Response<Body>) {
    let Ok(upgraded) = upgrade.await else {
        return;
    };
    let media = answer.headers().get(CONTENT_TYPE);
    let is_text = media.is_none_or(|media| media.as_bytes().starts_with(b"application/json"));
    let framing = Framing::of(answer.headers());
    let mut body = answer.into_body();
    let io = TokioIo::new(upgraded);
    let mut socket = WebSocketStream::from_raw_socket(io, Role::Server, None).await;
    loop {
        let told = tokio::select! {
            frame = body.frame() => match frame {
                Some(Ok(frame)) => frame.into_data().unwrap_or_default(),
                // It ends as it ends otherwise.
                Some(Err(_)) => return,
                None => break,
            },
            // Pings are answered on the way.
            said = socket.next() => match said {
                Some(Ok(Message::Close(_)) | Err(_)) | None => break,
                Some(Ok(_)) => continue,
            },
        };
        let each = match framing {
            Framing::Json if is_text => told.split_inclusive(|byte| *byte == b'\n').collect(),
            Framing::Json => vec![&told[..]],
            Framing::Protobuf => events::without_lengths(&told),
        };
        for event in each {
            let message = match std::str::from_utf8(event) {
                Ok(text) if is_text => Message::text(text),
                _ => Message::binary(event.to_vec()),
            };
            if socket.send(message).await.is_err() {
                return;
            }
        }
    }
    let end = CloseFrame {
        code: CloseCode::Normal,
        reason: Utf8Bytes::default(),
    };
    if let Err(error) = socket.close(Some(end)).await {
        tracing::debug!(%error, "a WebSocket was not closed");
    }
}
