//! All objects of a kind: streamed by a watch that begins with them, or in pages where the server cannot do that.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use kube::api::ListParams;
use tokio::time::Instant;

use super::Verb;
use super::reflector::{HTTP_GONE, Opened, Round, WATCH_SILENCE};
use super::wire::{Bookmark, Event, Page};
use crate::transport::{Failure, PAGE, within};

/// A streamed list that says nothing for so long before its end is none: the server does not know what it was
/// asked for, or something on the way keeps it back.
pub(super) const LIST_SILENCE: Duration = Duration::from_secs(10);

/// How a cluster is asked for lists.
#[derive(Default)]
pub(crate) struct Lists {
    /// It has given pages where it gave no stream.
    paged: AtomicBool,
}

impl Lists {
    /// Takes in that it may be another server.
    pub(crate) fn forget(&self) {
        self.paged.store(false, Ordering::Relaxed);
    }
}

/// A list that has come to its end.
pub(super) struct Listed {
    /// From where to watch.
    pub(super) version: Box<str>,
    /// The watch that goes on from there, if the list was the beginning of one.
    pub(super) watch: Option<Opened>,
}

/// What came of asking for a stream.
enum Streamed {
    Listed(Listed),
    /// The server cannot do that.
    Unknown,
    /// It may not be watched. What is listed all the same is better than nothing.
    Forbidden,
}

impl Round<'_> {
    /// Fills the caches with everything there is. What they have meanwhile is replaced one by one, so that no object
    /// is kept twice.
    pub(super) async fn everything(&self) -> Result<Listed, (Verb, Failure)> {
        let lists = self.reflector.ground.lists();
        let streamed = match lists.paged.load(Ordering::Relaxed) {
            true => Streamed::Unknown,
            false => self
                .stream()
                .await
                .map_err(|failure| (Verb::Watch, failure))?,
        };
        if let Streamed::Listed(listed) = streamed {
            return Ok(listed);
        }
        let version = self
            .pages()
            .await
            .map_err(|failure| (Verb::List, failure))?;
        // Only now is it known that the server is not just in trouble.
        if matches!(streamed, Streamed::Unknown) {
            lists.paged.store(true, Ordering::Relaxed);
        }
        Ok(Listed {
            version: version.into(),
            watch: None,
        })
    }

    /// The list as the beginning of the watch, without any version: that is the newest state.
    /// <https://kubernetes.io/docs/reference/using-api/api-concepts/#streaming-lists>
    async fn stream(&self) -> Result<Streamed, Failure> {
        let mut events = match self.open(&self.watch_params().initial_events(), "").await {
            Ok(events) => events,
            Err(failure) => match failure.code() {
                // Old, or with its feature gate off.
                Some(400 | 422) => return Ok(Streamed::Unknown),
                Some(403 | 405) => return Ok(Streamed::Forbidden),
                _ => return Err(failure),
            },
        };
        for reader in &self.readers {
            reader.begin_list();
        }
        // The server would have ended a watch by then, however much it has to tell.
        let end = Instant::now() + WATCH_SILENCE;
        loop {
            let patience = end.min(Instant::now() + LIST_SILENCE);
            let event = match tokio::time::timeout_at(patience, events.next()).await {
                Ok(event) => event?,
                Err(_silent) => return Ok(Streamed::Unknown),
            };
            match event {
                Some(Event::Put(item)) => {
                    for reader in &self.readers {
                        self.fit(&**reader, &item, reader.list_item(item.text));
                    }
                }
                Some(Event::Deleted(item)) => {
                    for reader in &self.readers {
                        reader.remove(&item.key);
                    }
                }
                Some(Event::Bookmark(Bookmark {
                    version: Some(version),
                    ends_list: true,
                })) => {
                    for reader in &self.readers {
                        reader.end_list(&version);
                    }
                    return Ok(Streamed::Listed(Listed {
                        version: version.into(),
                        watch: Some(events),
                    }));
                }
                // Of a watch that is past its beginning, and has not said where that ended.
                Some(Event::Bookmark(Bookmark {
                    version: Some(_), ..
                })) => return Ok(Streamed::Unknown),
                // An event of a kind that nobody knows yet.
                Some(Event::Bookmark(_)) => {}
                Some(Event::Refused(status)) => return Err(Failure::Refused(status)),
                None => return Err(broke_off()),
            }
        }
    }

    /// The list in pages. Returns the version from which to watch.
    async fn pages(&self) -> Result<String, Failure> {
        let selector = &self.subject().selector;
        let mut params = ListParams {
            label_selector: selector.labels.as_deref().map(Into::into),
            field_selector: selector.fields.as_deref().map(Into::into),
            ..ListParams::default()
        }
        .limit(PAGE);
        for reader in &self.readers {
            reader.begin_list();
        }
        loop {
            let request = match self.metadata_only() {
                true => self.request().list_metadata(&params),
                false => self.request().list(&params),
            };
            let request = request.map_err(kube::Error::BuildRequest)?;
            let text = match within(Box::pin(self.line.request_text(request))).await {
                // The next page was not asked for in time: what changes so fast comes in one piece.
                Err(failure) if params.continue_token.is_some() && is_gone(&failure) => {
                    params.continue_token = None;
                    params.limit = None;
                    for reader in &self.readers {
                        reader.begin_list();
                    }
                    continue;
                }
                text => text?,
            };
            let page = Page::read(&text)?;
            for item in &page.items {
                for reader in &self.readers {
                    self.fit(&**reader, item, reader.list_item(item.text));
                }
            }
            match page.rest {
                Some(token) => params.continue_token = Some(token),
                None => {
                    for reader in &self.readers {
                        reader.end_list(&page.version);
                    }
                    return Ok(page.version);
                }
            }
        }
    }
}

fn is_gone(failure: &Failure) -> bool {
    failure.code() == Some(HTTP_GONE)
}

fn broke_off() -> Failure {
    let error = std::io::Error::new(
        std::io::ErrorKind::UnexpectedEof,
        "the list broke off before its end",
    );
    kube::Error::ReadEvents(error).into()
}
