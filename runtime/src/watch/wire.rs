//! What a list or a watch brings, before anybody has read it into a type.

use std::borrow::Cow;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use kube::api::ObjectMeta;
use kube::core::Status;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::skim::Cursor;
use crate::controller::ObjectKey;
use crate::transport::Failure;

/// What the last bookmark of a list says of itself.
/// <https://kubernetes.io/docs/reference/using-api/api-concepts/#streaming-lists>
const ENDS_LIST: &str = "k8s.io/initial-events-end";

/// The longest event that is read, as in client-go (16 MiB, its `streaming.NewDecoder`).
const LONGEST: usize = 16 << 20;

/// An object as its text, and the few words of it that everybody needs.
pub(super) struct Item<'a> {
    pub(super) key: ObjectKey,
    pub(super) version: Option<String>,
    pub(super) text: &'a str,
}

impl<'a> Item<'a> {
    fn of(text: &'a str) -> Result<Self, Failure> {
        #[derive(Deserialize)]
        struct Head {
            metadata: HeadOfMeta,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct HeadOfMeta {
            name: Option<String>,
            namespace: Option<String>,
            resource_version: Option<String>,
        }
        if let Some(item) = Self::skim(text) {
            return Ok(item);
        }
        let Head { metadata } = read(text)?;
        Ok(Self {
            key: ObjectKey {
                namespace: metadata.namespace,
                name: metadata.name.unwrap_or_default(),
            },
            version: metadata.resource_version,
            text,
        })
    }

    /// The same without reading the rest, where that is possible.
    fn skim(text: &'a str) -> Option<Self> {
        let mut cursor = Cursor::new(text);
        cursor.enter_object()?;
        while cursor.name()? != "metadata" {
            cursor.value()?;
        }
        cursor.enter_object()?;
        let mut key = ObjectKey::cluster_scoped("");
        let mut version = None;
        loop {
            match cursor.name()? {
                "" => break,
                "name" => key.name = cursor.string()?.to_owned(),
                "namespace" => key.namespace = Some(cursor.string()?.to_owned()),
                "resourceVersion" => version = Some(cursor.string()?.to_owned()),
                _ => {
                    cursor.value()?;
                }
            }
        }
        Some(Self { key, version, text })
    }
}

/// One page of a list.
pub(super) struct Page<'a> {
    pub(super) items: Vec<Item<'a>>,
    pub(super) version: String,
    /// Where the next page begins.
    pub(super) rest: Option<String>,
}

impl<'a> Page<'a> {
    pub(super) fn read(text: &'a str) -> Result<Self, Failure> {
        #[derive(Deserialize)]
        struct Listed<'a> {
            metadata: HeadOfList,
            #[serde(borrow)]
            items: Option<Vec<&'a RawValue>>,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct HeadOfList {
            resource_version: Option<String>,
            r#continue: Option<String>,
        }
        let Listed { metadata, items } = read(text)?;
        let items = items.into_iter().flatten();
        let items = items.map(|item| Item::of(item.get()));
        Ok(Self {
            items: items.collect::<Result<_, _>>()?,
            version: metadata.resource_version.unwrap_or_default(),
            rest: metadata.r#continue.filter(|token| !token.is_empty()),
        })
    }
}

/// Up to where a watch has told everything.
#[derive(Default)]
pub(super) struct Bookmark {
    pub(super) version: Option<String>,
    /// It ends the list with which a watch begins that was asked for one.
    pub(super) ends_list: bool,
}

impl Bookmark {
    fn of(text: &str) -> Result<Self, Failure> {
        #[derive(Deserialize)]
        struct Head {
            metadata: ObjectMeta,
        }
        let Head { metadata } = read(text)?;
        let ends_list = metadata
            .annotations
            .is_some_and(|found| found.get(ENDS_LIST).is_some_and(|is| is == "true"));
        Ok(Self {
            version: metadata.resource_version,
            ends_list,
        })
    }
}

/// One event of a watch.
pub(super) enum Event<'a> {
    Put(Item<'a>),
    Deleted(Item<'a>),
    /// So far nothing else has happened.
    Bookmark(Bookmark),
    Refused(Box<Status>),
}

impl<'a> Event<'a> {
    /// `None` is an event of a kind that we do not know.
    fn read(line: &'a [u8]) -> Result<Option<Self>, Failure> {
        #[derive(Deserialize)]
        struct Told<'a> {
            #[serde(borrow)]
            r#type: Cow<'a, str>,
            #[serde(borrow)]
            object: &'a RawValue,
        }
        if let Some((r#type, object)) = Self::skim(line) {
            return Self::of(r#type, object);
        }
        let Told { r#type, object } = serde_json::from_slice(line).map_err(unreadable)?;
        Self::of(&r#type, object.get())
    }

    /// The words of an event without reading the object, where that is possible.
    fn skim(line: &'a [u8]) -> Option<(&'a str, &'a str)> {
        let line = std::str::from_utf8(line).ok()?;
        let mut cursor = Cursor::new(line);
        cursor.enter_object()?;
        let (mut r#type, mut object) = (None, None);
        loop {
            match cursor.name()? {
                "" => return Some((r#type?, line.get(object?)?)),
                "type" => r#type = Some(cursor.string()?),
                "object" => object = Some(cursor.value()?),
                _ => {
                    cursor.value()?;
                }
            }
        }
    }

    fn of(r#type: &str, object: &'a str) -> Result<Option<Self>, Failure> {
        Ok(Some(match r#type {
            "ADDED" | "MODIFIED" => Self::Put(Item::of(object)?),
            "DELETED" => Self::Deleted(Item::of(object)?),
            "BOOKMARK" => Self::Bookmark(Bookmark::of(object)?),
            "ERROR" => Self::Refused(read(object)?),
            _ => return Ok(None),
        }))
    }
}

/// The events of an open watch.
pub(super) struct Events<R> {
    body: R,
    line: Vec<u8>,
}

impl<R: futures::AsyncBufRead + Unpin> Events<R> {
    pub(super) fn new(body: R) -> Self {
        Self {
            body,
            line: Vec::new(),
        }
    }

    /// The next event, `None` at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Event<'_>>, Failure> {
        match self.line().await? {
            true => self.event().map(Some),
            false => Ok(None),
        }
    }

    /// Waits for the next [event](Self::event); false at the end. It may be dropped while it waits: what has come of a line
    /// is kept. An async function takes more room than this, and there are as many as watches.
    pub(super) fn line(&mut self) -> impl Future<Output = Result<bool, Failure>> {
        poll_fn(|cx| self.poll_line(cx))
    }

    fn poll_line(&mut self, cx: &mut Context<'_>) -> Poll<Result<bool, Failure>> {
        loop {
            if self.line.last() == Some(&b'\n') {
                self.line.clear();
            }
            let Poll::Ready(read) = Pin::new(&mut self.body).poll_fill_buf(cx) else {
                // A watch that has nothing to say keeps no room for it.
                if self.line.is_empty() {
                    self.line = Vec::new();
                }
                return Poll::Pending;
            };
            let come = match read {
                // Also the end in the middle of a line is an end.
                Ok([]) => return Poll::Ready(Ok(false)),
                Ok(come) => come,
                Err(error) if is_end(&error) => return Poll::Ready(Ok(false)),
                Err(error) => return Poll::Ready(Err(kube::Error::ReadEvents(error).into())),
            };
            let end = memchr::memchr(b'\n', come);
            let taken = end.map_or(come.len(), |at| at + 1);
            if self.line.len() + taken > LONGEST {
                let error = format!("an event of the watch is longer than {LONGEST} bytes");
                let error = std::io::Error::new(std::io::ErrorKind::InvalidData, error);
                return Poll::Ready(Err(kube::Error::ReadEvents(error).into()));
            }
            self.line.extend_from_slice(&come[..taken]);
            Pin::new(&mut self.body).consume(taken);
            if end.is_some() && !self.line.iter().all(u8::is_ascii_whitespace) {
                return Poll::Ready(Ok(true));
            }
        }
    }

    /// What the line says that has come.
    pub(super) fn event(&self) -> Result<Event<'_>, Failure> {
        let event = Event::read(&self.line)?;
        Ok(event.unwrap_or_else(|| Event::Bookmark(Bookmark::default())))
    }
}

/// Whether the server, or something on the way, has only stopped to send.
fn is_end(error: &std::io::Error) -> bool {
    let mut next: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(cause) = next {
        let io = cause.downcast_ref::<std::io::Error>();
        // hyper says it in words alone.
        if io.is_some_and(|io| io.kind() == std::io::ErrorKind::UnexpectedEof)
            || cause.to_string().contains("unexpected EOF during chunk")
        {
            return true;
        }
        next = match io.and_then(std::io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => cause.source(),
        };
    }
    false
}

fn read<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Failure> {
    serde_json::from_str(text).map_err(unreadable)
}

fn unreadable(error: serde_json::Error) -> Failure {
    kube::Error::SerdeError(error).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_watch_is_read_line_by_line_and_in_any_order_of_its_words() {
        let told = concat!(
            r#"{"type":"ADDED","object":{"metadata":{"name":"a","namespace":"shop","resourceVersion":"7"}}}"#,
            "\n\n",
            r#"{"object":{"metadata":{"name":"b","resourceVersion":"8"}},"type":"DELETED"}"#,
            "\n",
            r#"{"type":"FUTURE","object":{}}"#,
            "\n",
            r#"{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"9"}}}"#,
            "\n",
            r#"{"type":"BOOKMARK","object":{"metadata":{"annotations":{"k8s.io/initial-events-end":"true"}}}}"#,
            "\n",
            r#"{"type":"ERROR","object":{"status":"Failure","code":410,"reason":"Expired"}}"#,
            "\n",
            r#"{"type":"ADDED","object":{"meta"#,
        );
        let mut events = Events::new(told.as_bytes());
        let mut seen = Vec::new();
        while let Some(event) = events.next().await.unwrap() {
            seen.push(match event {
                Event::Put(item) => format!("put {} {:?}", item.key, item.version),
                Event::Deleted(item) => format!("deleted {} {:?}", item.key, item.version),
                Event::Bookmark(Bookmark { version, ends_list }) => {
                    format!("bookmark {version:?} {ends_list}")
                }
                Event::Refused(status) => format!("refused {}", status.code),
            });
        }
        let expected = [
            r#"put shop/a Some("7")"#,
            r#"deleted b Some("8")"#,
            "bookmark None false",
            r#"bookmark Some("9") false"#,
            "bookmark None true",
            "refused 410",
        ];
        assert_eq!(seen, expected);
    }

    #[tokio::test]
    async fn a_line_without_an_end_is_given_up() {
        let endless = futures::io::BufReader::new(futures::io::repeat(b'x'));
        let mut events = Events::new(endless);
        let error = events.next().await.err().unwrap().to_string();
        assert!(error.contains("longer than 16777216 bytes"), "{error}");
    }

    #[test]
    fn a_list_without_items_is_empty_and_a_list_without_metadata_is_none() {
        let page = Page::read(r#"{"metadata":{"resourceVersion":"9","continue":""},"items":null}"#);
        let page = page.unwrap();
        assert!(page.items.is_empty() && page.rest.is_none());
        assert_eq!(page.version, "9");
        assert!(Page::read(r#"{"items":[]}"#).is_err());
    }
}
