//! What comes between a client and a project that has stopped answering.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::Response;
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::BodyExt;
use tokio::sync::watch;

use super::{Body, BoxError};

/// Silences control planes, and cuts their watches. Clones are one gate.
///
/// The root is `None`, a project `Some(name)`; both kinds can be given as they are.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gate {
    planes: Arc<Mutex<BTreeMap<Option<String>, watch::Sender<State>>>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct State {
    silent: bool,
    /// How often the watches were cut.
    cuts: u64,
}

impl Gate {
    /// From now on no request gets an answer, and streams that are open say nothing more, though no connection ends.
    pub(crate) fn silence<'a>(&self, project: impl Into<Option<&'a str>>) {
        self.change(project.into(), |state| state.silent = true);
    }

    /// What was silenced goes on where it was.
    pub(crate) fn unsilence<'a>(&self, project: impl Into<Option<&'a str>>) {
        self.change(project.into(), |state| state.silent = false);
    }

    /// Ends every open watch as a broken connection does.
    pub(crate) fn drop_watches<'a>(&self, project: impl Into<Option<&'a str>>) {
        self.change(project.into(), |state| state.cuts += 1);
    }

    /// Nothing is silent any more.
    pub(crate) fn reset(&self) {
        for plane in self.lock().values() {
            plane.send_modify(|state| state.silent = false);
        }
    }

    /// Lets a request through to `answer` and its answer back, each once the control plane is not silent.
    pub(crate) async fn pass<F>(
        &self,
        project: Option<&str>,
        is_watch: bool,
        answer: F,
    ) -> Response<Body>
    where
        F: Future<Output = Response<Body>>,
    {
        let mut state = self.subscribe(project);
        let cuts = state.borrow().cuts;
        speaking(&mut state).await;
        let response = answer.await;
        speaking(&mut state).await;
        let now = *state.borrow();
        response.map(|body| {
            Gated {
                body,
                cuts: is_watch.then_some(cuts),
                now,
                changed: Some(change(state)),
            }
            .boxed()
        })
    }

    fn change(&self, project: Option<&str>, change: impl FnOnce(&mut State)) {
        self.lock()
            .entry(project.map(String::from))
            .or_default()
            .send_modify(change);
    }

    fn subscribe(&self, project: Option<&str>) -> watch::Receiver<State> {
        self.lock()
            .entry(project.map(String::from))
            .or_default()
            .subscribe()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Option<String>, watch::Sender<State>>> {
        self.planes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn speaking(state: &mut watch::Receiver<State>) {
    // An error means that the gate is gone, and with it whoever could have silenced anything.
    let _ = state.wait_for(|state| !state.silent).await;
}

type Change = Pin<Box<dyn Future<Output = Option<watch::Receiver<State>>> + Send + Sync>>;

fn change(mut state: watch::Receiver<State>) -> Change {
    Box::pin(async move { state.changed().await.ok().map(|()| state) })
}

/// A body that goes silent with its control plane and, if it is a watch's, can be cut.
struct Gated {
    body: Body,
    /// The cuts before this body began; none for what is no watch.
    cuts: Option<u64>,
    now: State,
    /// The next change; none once the gate is gone.
    changed: Option<Change>,
}

impl HttpBody for Gated {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.get_mut();
        loop {
            if this.cuts.is_some_and(|cuts| cuts < this.now.cuts) {
                return Poll::Ready(Some(Err("the watch was cut".into())));
            }
            let Some(changed) = this.changed.as_mut() else {
                break;
            };
            match changed.as_mut().poll(cx) {
                Poll::Ready(Some(state)) => {
                    this.now = *state.borrow();
                    this.changed = Some(change(state));
                }
                Poll::Ready(None) => this.changed = None,
                Poll::Pending if this.now.silent => return Poll::Pending,
                Poll::Pending => break,
            }
        }
        let frame = ready!(Pin::new(&mut this.body).poll_frame(cx));
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        !self.now.silent && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
