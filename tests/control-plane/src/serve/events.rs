//! What a fault says, and leaves out, among the events of a watch.

use bytes::Bytes;
use http::HeaderMap;
use http::header::CONTENT_TYPE;

use crate::api::events_in_protobuf;

const GONE: &[u8] = br#"{"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"too old resource version","reason":"Expired","code":410}}
"#;

/// How the events are written one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// A line each.
    Json,
    /// Each behind its length in four bytes.
    Protobuf,
}

impl Framing {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let kind = headers.get(CONTENT_TYPE);
        match kind.is_some_and(|kind| {
            kind.as_bytes()
                .starts_with(b"application/vnd.kubernetes.protobuf")
        }) {
            true => Self::Protobuf,
            false => Self::Json,
        }
    }

    /// That the history is gone.
    pub(super) fn gone(self) -> Bytes {
        match self {
            Self::Json => Bytes::from_static(GONE),
            Self::Protobuf => events_in_protobuf(GONE),
        }
    }

    /// The events, each of which is whole, but for the bookmarks.
    pub(super) fn without_bookmarks(self, events: &Bytes) -> Bytes {
        self.parted(events, |_| true).0
    }

    /// The events, and apart from them the bookmarks, but for that at the end of a list.
    pub(super) fn bookmarks_apart(self, events: &Bytes) -> (Bytes, Bytes) {
        const ENDS_LIST: &[u8] = b"initial-events-end";
        self.parted(events, |bookmark| {
            !bookmark
                .windows(ENDS_LIST.len())
                .any(|part| part == ENDS_LIST)
        })
    }

    /// The events, and apart from them the bookmarks that are `meant`.
    fn parted(self, events: &Bytes, meant: impl Fn(&[u8]) -> bool) -> (Bytes, Bytes) {
        let (mut kept, mut apart) = (Vec::new(), Vec::new());
        let mut part = |event: &[u8], is_bookmark: bool| match is_bookmark && meant(event) {
            true => apart.extend_from_slice(event),
            false => kept.extend_from_slice(event),
        };
        match self {
            Self::Json => {
                for line in events.split_inclusive(|byte| *byte == b'\n') {
                    part(line, line.starts_with(br#"{"type":"BOOKMARK""#));
                }
            }
            Self::Protobuf => {
                let mut rest = &events[..];
                while let Some((frame, after)) = frame(rest) {
                    // The first field of an event is its type.
                    part(frame, frame[4..].starts_with(b"\x0a\x08BOOKMARK"));
                    rest = after;
                }
                part(rest, false);
            }
        }
        (kept.into(), apart.into())
    }
}

/// Each event of protobuf by itself.
pub(super) fn without_lengths(events: &[u8]) -> Vec<&[u8]> {
    let (mut each, mut rest) = (Vec::new(), events);
    while let Some((frame, after)) = frame(rest) {
        each.push(&frame[4..]);
        rest = after;
    }
    each
}

/// The first frame with its length, and what follows.
fn frame(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let length: [u8; 4] = bytes.get(..4)?.try_into().ok()?;
    bytes.split_at_checked(4 + usize::try_from(u32::from_be_bytes(length)).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bookmarks_go_and_the_rest_stays() {
        let event = |kind: &str| {
            let object = r#"{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"a","resourceVersion":"7"}}"#;
            format!("{{\"type\":\"{kind}\",\"object\":{object}}}\n")
        };
        let kept = event("ADDED") + &event("MODIFIED");
        let told = event("BOOKMARK") + &event("ADDED") + &event("BOOKMARK") + &event("MODIFIED");
        let (kept, told) = (Bytes::from(kept), Bytes::from(told));
        assert_eq!(Framing::Json.without_bookmarks(&told), kept);
        let end = Bytes::from(event("BOOKMARK").replace(
            "\"7\"",
            "\"7\",\"annotations\":{\"k8s.io/initial-events-end\":\"true\"}",
        ));
        assert_eq!(
            Framing::Json.bookmarks_apart(&end),
            (end.clone(), Bytes::new())
        );
        let bookmarks = Bytes::from(event("BOOKMARK").repeat(2));
        assert_eq!(
            Framing::Json.bookmarks_apart(&told),
            (kept.clone(), bookmarks)
        );
        let (kept, told) = (events_in_protobuf(&kept), events_in_protobuf(&told));
        assert!(told.len() > kept.len() && !kept.is_empty());
        assert_eq!(Framing::Protobuf.without_bookmarks(&told), kept);
    }
}
