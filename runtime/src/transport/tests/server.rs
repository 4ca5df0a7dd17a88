//! A server of HTTP/2 that does what a test says, frame by frame.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, ReadHalf};
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};

use crate::transport::dial::{Dial, Wire};

const PREFACE: usize = 24;
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RESET: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GO_AWAY: u8 = 7;
const ACK: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
/// `:status: 200`, from the static table.
const OK: [u8; 1] = [0x88];
/// `:status: 401`, of which the name is in the static table.
const UNAUTHORIZED: [u8; 5] = [0x08, 3, b'4', b'0', b'1'];
const MAX_CONCURRENT_STREAMS: u16 = 3;
const REFUSED_STREAM: u32 = 7;

/// Where connections come in.
pub(super) struct Server {
    connections: mpsc::UnboundedReceiver<Connection>,
}

/// One connection, as the server has it. It is cut when it is dropped.
pub(super) struct Connection {
    out: mpsc::UnboundedSender<Vec<u8>>,
    asked: mpsc::UnboundedReceiver<u32>,
    mute: Arc<AtomicBool>,
    heard: Arc<Mutex<Vec<u8>>>,
    tasks: AbortHandle,
}

impl Server {
    /// A server that allows so many streams at first, and the way to it.
    pub(super) fn new(streams: u32) -> (Self, Dial) {
        let (accept, connections) = mpsc::unbounded_channel();
        let dial = Dial::over(move || {
            let (client, server) = tokio::io::duplex(1 << 20);
            accept.send(Connection::new(server, streams)).ok()?;
            let client: Box<dyn Wire> = Box::new(client);
            Some(client)
        });
        (Self { connections }, dial)
    }

    /// The next connection.
    pub(super) async fn accept(&mut self) -> Connection {
        self.connections.recv().await.expect("a connection")
    }

    pub(super) fn has_no_more(&mut self) -> bool {
        self.connections.try_recv().is_err()
    }
}

impl Connection {
    fn new(wire: DuplexStream, streams: u32) -> Self {
        let (read, mut write) = tokio::io::split(wire);
        let (out, mut frames) = mpsc::unbounded_channel::<Vec<u8>>();
        let (ask, asked) = mpsc::unbounded_channel();
        let mute = Arc::new(AtomicBool::new(false));
        let heard = Arc::new(Mutex::new(Vec::new()));
        let mut halves = JoinSet::new();
        halves.spawn(async move {
            while let Some(frame) = frames.recv().await {
                if write.write_all(&frame).await.is_err() {
                    return;
                }
            }
        });
        let says = Says {
            out: out.clone(),
            ask,
            mute: Arc::clone(&mute),
            heard: Arc::clone(&heard),
        };
        halves.spawn(hear(read, says));
        let tasks = tokio::spawn(async move {
            halves.join_next().await;
        });
        let connection = Self {
            out,
            asked,
            mute,
            heard,
            tasks: tasks.abort_handle(),
        };
        connection.allow(streams);
        connection
    }

    /// The stream of the next request.
    pub(super) async fn asked(&mut self) -> u32 {
        self.asked.recv().await.expect("a request")
    }

    /// The bodies of all requests, one after the other.
    pub(super) fn heard(&self) -> String {
        let heard = self.heard.lock().expect("no panic");
        String::from_utf8_lossy(&heard).into_owned()
    }

    /// Resolves when the client has closed the connection.
    pub(super) async fn closed(&mut self) {
        assert_eq!(self.asked.recv().await, None);
    }

    /// Allows so many streams from now on.
    pub(super) fn allow(&self, streams: u32) {
        let mut setting = MAX_CONCURRENT_STREAMS.to_be_bytes().to_vec();
        setting.extend(streams.to_be_bytes());
        self.send(SETTINGS, 0, 0, &setting);
    }

    /// Answers with an empty body.
    pub(super) fn answer(&self, stream: u32) {
        self.send(HEADERS, END_HEADERS | END_STREAM, stream, &OK);
    }

    pub(super) async fn answer_next(&mut self) {
        let stream = self.asked().await;
        self.answer(stream);
    }

    /// Answers that it does not know who asks.
    pub(super) async fn turn_away_next(&mut self) {
        let stream = self.asked().await;
        self.send(HEADERS, END_HEADERS | END_STREAM, stream, &UNAUTHORIZED);
    }

    /// Answers with a body that goes on.
    pub(super) fn begin(&self, stream: u32) {
        self.send(HEADERS, END_HEADERS, stream, &OK);
    }

    pub(super) async fn begin_next(&mut self) {
        let stream = self.asked().await;
        self.begin(stream);
    }

    pub(super) fn tell(&self, stream: u32, what: &str) {
        self.send(DATA, 0, stream, what.as_bytes());
    }

    /// Refuses to begin with a request.
    pub(super) fn refuse(&self, stream: u32) {
        self.send(RESET, 0, stream, &REFUSED_STREAM.to_be_bytes());
    }

    pub(super) async fn refuse_next(&mut self) {
        let stream = self.asked().await;
        self.refuse(stream);
    }

    /// Takes no streams after this one.
    pub(super) fn go_away(&self, last: u32) {
        let mut says = last.to_be_bytes().to_vec();
        says.extend(0_u32.to_be_bytes());
        self.send(GO_AWAY, 0, 0, &says);
    }

    /// Does not answer PINGs any more.
    pub(super) fn mute(&self) {
        self.mute.store(true, Ordering::Relaxed);
    }

    fn send(&self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        // It fails when the client is gone.
        let _ = self.out.send(frame(kind, flags, stream, payload));
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.tasks.abort();
    }
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a short frame");
    let mut frame = length.to_be_bytes()[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// What comes of what a client says.
struct Says {
    out: mpsc::UnboundedSender<Vec<u8>>,
    ask: mpsc::UnboundedSender<u32>,
    mute: Arc<AtomicBool>,
    heard: Arc<Mutex<Vec<u8>>>,
}

/// Tells of requests, and answers what a server has to.
async fn hear(mut wire: ReadHalf<DuplexStream>, says: Says) {
    let mut preface = [0; PREFACE];
    if wire.read_exact(&mut preface).await.is_err() {
        return;
    }
    let mut head = [0; 9];
    while wire.read_exact(&mut head).await.is_ok() {
        let [a, b, c, kind, flags, stream @ ..] = head;
        let mut payload = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
        if wire.read_exact(&mut payload).await.is_err() {
            return;
        }
        let answer = match (kind, flags & ACK) {
            (HEADERS, _) => {
                let _ = says.ask.send(u32::from_be_bytes(stream));
                continue;
            }
            (DATA, _) => {
                says.heard.lock().expect("no panic").extend(&payload);
                continue;
            }
            (SETTINGS, 0) => frame(SETTINGS, ACK, 0, &[]),
            (PING, 0) if !says.mute.load(Ordering::Relaxed) => frame(PING, ACK, 0, &payload),
            _ => continue,
        };
        if says.out.send(answer).is_err() {
            return;
        }
    }
}
