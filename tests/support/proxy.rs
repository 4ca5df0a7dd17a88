//! A proxy in front of an embedded root, which answers wrongly, late or never.

use std::convert::Infallible;
use std::error::Error as StdError;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use http::{Method, Request, Response, header};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyDataStream, BodyExt, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use kommodore::{Builder, Manager, Milo};
use kube::client::Body;
use kube::core::Status;
use kube::{Client, Config};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::fleet::Fleet;

type Error = Box<dyn StdError + Send + Sync>;
type Answer = Response<UnsyncBoxBody<Bytes, Error>>;
type Rule = Arc<dyn Fn(&Asked<'_>) -> Fault + Send + Sync>;

/// A request, as far as a rule needs to know it.
pub struct Asked<'a> {
    method: &'a Method,
    path: &'a str,
    query: &'a str,
}

impl Asked<'_> {
    /// Whether it is a watch of a collection that is called so.
    pub fn watches(&self, plural: &str) -> bool {
        self.query.contains("watch=true") && self.is_of(plural)
    }

    /// Whether it is a watch that is to begin with a list.
    pub fn streams(&self) -> bool {
        self.query.contains("sendInitialEvents=true")
    }

    /// Whether it is a list that goes on where a page of it ended.
    pub fn continues(&self) -> bool {
        self.query.contains("continue=")
    }

    /// Whether it is a list or a watch of a collection that is called so.
    pub fn is_of(&self, plural: &str) -> bool {
        self.path.rsplit('/').next() == Some(plural)
    }

    /// Whether it writes the object at this end of a path, such as `websites/one`; its status is another.
    pub fn patches(&self, object: &str) -> bool {
        self.method == Method::PATCH && self.path.ends_with(&format!("/{object}"))
    }

    /// Whether it is for a project whose name begins so.
    pub fn is_in(&self, project: &str) -> bool {
        self.path.contains(&format!("/projects/{project}"))
    }
}

/// What becomes of a request.
pub enum Fault {
    /// It is answered as it should be.
    None,
    /// It is refused.
    Refusal(u16, &'static str, String),
    /// It is never answered.
    Silence,
    /// What is answered comes through only while this is false.
    Lag(watch::Receiver<bool>),
    /// What is answered comes through until this is true, and the rest is lost.
    Cut(watch::Receiver<bool>),
}

/// The way to some watches, which can be cut; what happens meanwhile comes in a new list. Clones share everything.
#[derive(Clone, Default)]
pub struct Outage {
    down: watch::Sender<bool>,
    expired: Arc<AtomicBool>,
}

impl Outage {
    /// What becomes of a watch.
    pub fn of_watch(&self) -> Fault {
        if *self.down.borrow() {
            Fault::Refusal(503, "ServiceUnavailable", "it is cut".into())
        } else if self.expired.swap(false, Ordering::Relaxed) {
            Fault::Refusal(410, "Expired", "too old resource version".into())
        } else {
            Fault::Cut(self.down.subscribe())
        }
    }

    /// Ends the watches, and refuses new ones.
    pub fn begin(&self) {
        self.down.send_replace(true);
    }

    /// Lets watches through again, but tells the first that the history which it needs is gone.
    pub fn end(&self) {
        self.expired.store(true, Ordering::Relaxed);
        self.down.send_replace(false);
    }
}

/// What a server says to a watch that is to begin with a list, if it is too old to know what that is.
pub fn no_streams() -> Fault {
    let message =
        "sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled";
    Fault::Refusal(422, "Invalid", message.into())
}

impl Fleet {
    /// A manager for all projects whose servers have no streamed lists.
    pub async fn manager_of_pages(&self) -> Builder {
        self.manager_behind(|asked| match asked.streams() {
            true => no_streams(),
            false => Fault::None,
        })
        .await
    }

    /// A manager for all projects that reaches them through a proxy, which does to each request as `rule` says.
    pub async fn manager_behind(
        &self,
        rule: impl Fn(&Asked<'_>) -> Fault + Send + Sync + 'static,
    ) -> Builder {
        Manager::builder(self.config_behind(rule).await).provider(Milo::external())
    }

    /// How an operator reaches the root through a proxy, which does to each request as `rule` says.
    pub async fn config_behind(
        &self,
        rule: impl Fn(&Asked<'_>) -> Fault + Send + Sync + 'static,
    ) -> Config {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("its address");
        let (client, rule): (_, Rule) = (self.client(), Arc::new(rule));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, client.clone(), Arc::clone(&rule)));
            }
        });
        let mut config = self.operator_config();
        config.cluster_url = format!("http://{address}/").parse().expect("an address");
        config
    }
}

async fn serve(stream: TcpStream, client: Client, rule: Rule) {
    let service = service_fn(|request| {
        let (client, rule) = (client.clone(), Arc::clone(&rule));
        async move {
            // A request that the manager gives up ends its connection.
            let answer = answer(request, client, &rule).await;
            Ok::<_, Infallible>(
                answer.unwrap_or_else(|error| refusal(502, "BadGateway", &error.to_string())),
            )
        }
    });
    let _ = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn answer(request: Request<Incoming>, client: Client, rule: &Rule) -> Result<Answer, Error> {
    let fault = rule(&Asked {
        method: request.method(),
        path: request.uri().path(),
        query: request.uri().query().unwrap_or_default(),
    });
    let (lag, cut) = match fault {
        Fault::None => (None, None),
        Fault::Refusal(code, reason, message) => return Ok(refusal(code, reason, &message)),
        Fault::Silence => std::future::pending().await,
        Fault::Lag(lag) => (Some(lag), None),
        Fault::Cut(cut) => (None, Some(cut)),
    };
    let (mut parts, body) = request.into_parts();
    parts.headers.remove(header::HOST);
    parts.headers.remove(header::ACCEPT_ENCODING);
    let body = Body::from(body.collect().await?.to_bytes());
    let answer = client.send(Request::from_parts(parts, body)).await?;
    Ok(answer.map(|body| {
        if let Some(mut cut) = cut {
            let cut = async move { cut.wait_for(|is| *is).await.is_ok() };
            let frames = BodyDataStream::new(body)
                .map_ok(Frame::data)
                .map_err(Error::from);
            return StreamBody::new(frames.take_until(cut)).boxed_unsync();
        }
        let Some(lag) = lag else {
            return body.map_err(Error::from).boxed_unsync();
        };
        let frames = futures::stream::unfold((body, lag), |(mut body, mut lag)| async move {
            let frame = body.frame().await?.map_err(Error::from);
            let _ = lag.wait_for(|lags| !*lags).await;
            Some((frame, (body, lag)))
        });
        StreamBody::new(frames).boxed_unsync()
    }))
}

fn refusal(code: u16, reason: &str, message: &str) -> Answer {
    let mut status = Status::failure(message, reason);
    status.code = code;
    let body = serde_json::to_vec(&status).expect("a status is JSON");
    let mut answer = Response::new(Body::from(body).map_err(Error::from).boxed_unsync());
    *answer.status_mut() = code.try_into().expect("a status code");
    let json = header::HeaderValue::from_static("application/json");
    answer.headers_mut().insert(header::CONTENT_TYPE, json);
    answer
}
