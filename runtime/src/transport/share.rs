//! Connections of one kind of use: as few as the server's limit of streams allows.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use h2::client::SendRequest;
use tokio::sync::oneshot;

use super::BoxError;
use super::connection::Open;
use super::dial::{Dial, Protocol, Unreachable};

/// How many streams a connection is expected to carry before there has been one; 100 is common.
const USUAL_STREAMS: usize = 100;
/// How many connections are opened at once where many requests wait.
const DIALS_AT_ONCE: usize = 4;
/// How many are let on a connection before it sends: h2 keeps the room that all of these requests took together.
const LET_ON: usize = 8;

/// The connections that watches have to themselves, or those of calls.
pub(super) struct Share {
    dial: Arc<Dial>,
    deadline: Duration,
    state: Mutex<State>,
}

struct State {
    connections: BTreeMap<u64, Member>,
    waiting: VecDeque<oneshot::Sender<Granted>>,
    dialing: usize,
    dialed: u64,
    /// How many streams the last connection has been allowed.
    usual: usize,
}

struct Member {
    requests: SendRequest<Bytes>,
    limit: usize,
    /// It takes no request any more.
    is_left: bool,
    load: Arc<Load>,
}

/// What is on a connection. Changed under the lock of the share alone.
#[derive(Default)]
struct Load {
    used: AtomicUsize,
    /// Of these, those who may have yet to be sent: who is sent or goes wakes the connection, or is followed by another.
    unsent: AtomicUsize,
}

impl Load {
    fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    fn unsent(&self) -> usize {
        self.unsent.load(Ordering::Relaxed)
    }

    fn add(&self) {
        self.used.fetch_add(1, Ordering::Relaxed);
        self.unsent.fetch_add(1, Ordering::Relaxed);
    }

    fn remove(&self) {
        self.used.fetch_sub(1, Ordering::Relaxed);
        let unsent = self.unsent().saturating_sub(1);
        self.unsent.store(unsent, Ordering::Relaxed);
    }
}

impl Member {
    fn free(&self) -> usize {
        match self.is_left {
            true => 0,
            false => self.limit.saturating_sub(self.load.used()),
        }
    }
}

type Granted = Result<(Place, SendRequest<Bytes>), NoPlace>;

/// Why a request has no connection.
#[derive(Debug, Clone)]
pub(super) enum NoPlace {
    /// The server speaks HTTP/1.1 alone.
    Http1,
    Unreachable(Unreachable),
}

/// The place of one stream on a connection. It is free again when this is dropped.
pub(super) struct Place {
    share: Arc<Share>,
    connection: u64,
    load: Arc<Load>,
}

impl Share {
    /// `deadline` is for opening a connection.
    pub(super) fn new(dial: Arc<Dial>, deadline: Duration) -> Self {
        Self {
            dial,
            deadline,
            state: Mutex::new(State {
                connections: BTreeMap::new(),
                waiting: VecDeque::new(),
                dialing: 0,
                dialed: 0,
                usual: USUAL_STREAMS,
            }),
        }
    }

    /// A place on a connection, which is opened if all others are full.
    pub(super) async fn place(self: &Arc<Self>) -> Granted {
        let granted = {
            let mut state = self.lock();
            if let Some(granted) = self.take(&mut state) {
                return Ok(granted);
            }
            let (grant, granted) = oneshot::channel();
            state.waiting.push_back(grant);
            self.dial_for_waiting(&mut state);
            granted
        };
        granted.await.unwrap_or_else(|_| {
            let error: BoxError = "the connection pool has ended".into();
            Err(NoPlace::Unreachable(error.into()))
        })
    }

    /// On the fullest connection that has one, so that others may become empty and be closed.
    fn take(self: &Arc<Self>, state: &mut State) -> Option<(Place, SendRequest<Bytes>)> {
        let members = state.connections.iter();
        let (number, member) = members
            .filter(|(_, member)| member.free() > 0 && member.load.unsent() < LET_ON)
            .max_by_key(|(_, member)| member.load.used())?;
        member.load.add();
        let place = Place {
            share: Arc::clone(self),
            connection: *number,
            load: Arc::clone(&member.load),
        };
        Some((place, member.requests.clone()))
    }

    /// Gives what is free to those who wait, and opens connections for whom nothing is. Returns to how many.
    fn serve(self: &Arc<Self>, mut state: MutexGuard<'_, State>) -> usize {
        let (mut served, mut refused) = (0, Vec::new());
        while let Some(grant) = state.waiting.pop_front() {
            if grant.is_closed() {
                continue;
            }
            let Some(granted) = self.take(&mut state) else {
                state.waiting.push_front(grant);
                break;
            };
            match grant.send(Ok(granted)) {
                Ok(()) => served += 1,
                Err(granted) => refused.push(granted),
            }
        }
        self.dial_for_waiting(&mut state);
        // Places are given back under the lock.
        drop(state);
        drop(refused);
        served
    }

    /// A connection has sent what there was: the next ones of those who wait may be let on. Returns whether some are.
    pub(super) fn let_on(self: &Arc<Self>, connection: u64) -> bool {
        let state = self.lock();
        if let Some(member) = state.connections.get(&connection) {
            member.load.unsent.store(0, Ordering::Relaxed);
        }
        !state.waiting.is_empty() && self.serve(state) > 0
    }

    fn dial_for_waiting(self: &Arc<Self>, state: &mut State) {
        let free: usize = state.connections.values().map(Member::free).sum();
        loop {
            let expected = free + state.dialing * state.usual;
            if state.waiting.len() <= expected || state.dialing >= DIALS_AT_ONCE {
                return;
            }
            state.waiting.retain(|grant| !grant.is_closed());
            if state.waiting.len() <= expected {
                return;
            }
            state.dialing += 1;
            // In a task of its own, since it is for all who wait, whoever of them goes away.
            tokio::spawn(Arc::clone(self).dial());
        }
    }

    async fn dial(self: Arc<Self>) {
        // In boxes, as the connection needs no room any more for what it took to open it.
        let opened = Box::pin(async {
            match self.dial.open().await? {
                (wire, Protocol::Http2) => Ok(Some(Box::new(Open::new(wire).await?))),
                (_, Protocol::Http1) => Ok::<_, BoxError>(None),
            }
        });
        let why = match tokio::time::timeout(self.deadline, opened).await {
            Ok(Ok(Some(open))) => {
                let (number, share) = (self.admit(&open), Arc::downgrade(&self));
                drop(self);
                return open.drive(number, share).await;
            }
            Ok(Ok(None)) => NoPlace::Http1,
            Ok(Err(error)) => NoPlace::Unreachable(error.into()),
            Err(elapsed) => NoPlace::Unreachable(BoxError::from(elapsed).into()),
        };
        let mut state = self.lock();
        state.dialing -= 1;
        if state.dialing > 0 {
            return;
        }
        for grant in std::mem::take(&mut state.waiting) {
            // Who does not wait any more has no use for it.
            let _ = grant.send(Err(why.clone()));
        }
    }

    fn admit(&self, open: &Open) -> u64 {
        let mut state = self.lock();
        state.dialing -= 1;
        state.dialed += 1;
        state.usual = open.limit;
        let number = state.dialed;
        let member = Member {
            requests: open.requests.clone(),
            limit: open.limit,
            is_left: false,
            load: Arc::default(),
        };
        state.connections.insert(number, member);
        number
    }

    /// The server allows another number of streams from now on.
    pub(super) fn learn(&self, connection: u64, limit: usize) {
        if let Some(member) = self.lock().connections.get_mut(&connection) {
            member.limit = limit;
        }
    }

    /// The connection takes no request any more; those that it has may end in good order, and then it is not used.
    pub(super) fn leave(self: &Arc<Self>, connection: u64) {
        let mut state = self.lock();
        if let Some(member) = state.connections.get_mut(&connection) {
            member.is_left = true;
        }
        self.serve(state);
    }

    /// The connection has ended.
    pub(super) fn forget(self: &Arc<Self>, connection: u64) {
        let mut state = self.lock();
        let ended = state.connections.remove(&connection);
        self.serve(state);
        drop(ended);
    }

    pub(super) fn is_unused(&self, connection: u64) -> bool {
        let state = self.lock();
        let member = state.connections.get(&connection);
        member.is_some_and(|member| member.load.used() == 0)
    }

    /// Gives a connection up that is not used; says whether it is.
    pub(super) fn retire(&self, connection: u64) -> bool {
        let mut state = self.lock();
        let used = |member: &Member| member.load.used() > 0;
        if state.connections.get(&connection).is_some_and(used) {
            return false;
        }
        let left = state.connections.remove(&connection);
        drop(state);
        drop(left);
        true
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// The connection takes no request any more.
    pub(super) fn leave_connection(&self) {
        self.share.leave(self.connection);
    }

    /// How many streams the connection carries, this one included.
    pub(super) fn crowd(&self) -> usize {
        self.load.used()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let state = self.share.lock();
        self.load.remove();
        if !state.waiting.is_empty() {
            self.share.serve(state);
        }
    }
}
