//! Questions and answers.

use std::fmt::Write as _;
use std::io::Read as _;
use std::time::{Duration, Instant};

use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt;
use kube::client::Body;
use kube::{Client, Config};
use serde_json::{Value, json};

use super::mask::Mask;
use super::order::Order;
use super::protobuf;
use super::raw;
use super::watch::Watch;

/// The headers of an answer that matter to a client.
const HEADERS: [&str; 9] = [
    "content-encoding",
    "content-type",
    "vary",
    "warning",
    "retry-after",
    "location",
    "allow",
    "www-authenticate",
    "audit-id",
];
/// How long the name is that a server gives a request, which is another one each time.
const OWN_AUDIT_ID: usize = 36;
/// How the embedded server ends a warning of what it does not do, and a real one does.
const NOT_DONE: &str = "by this server\"";
const PATIENCE: Duration = Duration::from_secs(180);

/// What a server answered, as it came.
pub(crate) struct Answer {
    pub(crate) body: Value,
    pub(crate) bytes: Vec<u8>,
}

/// How the users who have tokens reach a server.
pub(super) struct Configs {
    pub(super) admin: Config,
    pub(super) operator: Config,
}

/// The token that a config has, which is kept from view unless it is written down.
fn token_of(config: &Config) -> String {
    let info = serde_json::to_value(&config.auth_info).unwrap();
    info["token"].as_str().unwrap().to_owned()
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    /// Who may do everything.
    Admin,
    /// Another one with a token, for what has to be one.
    Operator,
    /// Without a token.
    Nobody,
    /// With a token that nobody has.
    Stranger,
    /// On whose behalf the admin asks.
    User(String),
}

/// One talk with a server.
///
/// In paths and bodies `{ns}` is a namespace, and `{group}` an API group, that this case has for itself.
pub(crate) struct Talk {
    admin: Config,
    client: Client,
    operator: Client,
    nobody: Client,
    stranger: Client,
    who: Who,
    token: String,
    namespace: String,
    has_controllers: bool,
    skipped: bool,
    mask: Mask,
    said: String,
}

impl Talk {
    /// Begins in an empty namespace.
    pub(super) async fn begin(configs: Configs, case: &str, has_controllers: bool) -> Self {
        let mut namespace = case.replace('_', "-");
        namespace.truncate(50);
        let with_token = |token: Option<&str>| {
            let mut config = configs.admin.clone();
            config.auth_info.token = token.map(|token| token.to_owned().into());
            Client::try_from(config).unwrap()
        };
        let token = token_of(&configs.operator);
        let mut mask = Mask::new();
        mask.call(&token, "<the token of operator>");
        let talk = Self {
            nobody: with_token(None),
            stranger: with_token(Some("a-token-that-nobody-has")),
            client: Client::try_from(configs.admin.clone()).unwrap(),
            admin: configs.admin,
            operator: Client::try_from(configs.operator).unwrap(),
            who: Who::Admin,
            token,
            namespace: namespace.trim_matches('-').to_owned(),
            has_controllers,
            skipped: false,
            mask,
            said: String::new(),
        };
        let name = talk.namespace.clone();
        talk.prepare(
            "/api/v1/namespaces",
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}),
        )
        .await;
        talk
    }

    /// All that was said; nothing if the server could not be asked.
    pub(super) fn end(self) -> Option<String> {
        (!self.skipped).then_some(self.said)
    }

    /// Whether garbage is collected and namespaces end, on this server.
    pub(crate) fn has_controllers(&self) -> bool {
        self.has_controllers
    }

    /// From now on somebody asks.
    pub(crate) fn ask_as(&mut self, who: Who) {
        self.who = who;
    }

    /// From now on a user asks who is so called in this case alone, and has no token.
    pub(crate) fn ask_as_user(&mut self, name: &str) {
        self.who = Who::User(self.fill(&format!("{name}.{{ns}}")));
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.send("GET", path, &[], None).await
    }

    pub(crate) async fn post(&mut self, path: &str, body: Value) -> Answer {
        self.send("POST", path, &[], Some(body)).await
    }

    pub(crate) async fn put(&mut self, path: &str, body: Value) -> Answer {
        self.send("PUT", path, &[], Some(body)).await
    }

    pub(crate) async fn delete(&mut self, path: &str) -> Answer {
        self.send("DELETE", path, &[], None).await
    }

    /// A deletion with `DeleteOptions`.
    pub(crate) async fn delete_with(&mut self, path: &str, mut options: Value) -> Answer {
        options["apiVersion"] = "v1".into();
        options["kind"] = "DeleteOptions".into();
        self.send("DELETE", path, &[], Some(options)).await
    }

    /// `kind` is `json`, `merge`, `strategic-merge` or `apply`.
    pub(crate) async fn patch(&mut self, kind: &str, path: &str, body: Value) -> Answer {
        let headers = [("content-type", patch_type(kind))];
        self.send("PATCH", path, &headers, Some(body)).await
    }

    /// A request with headers of its own and a body of JSON.
    pub(crate) async fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Value>,
    ) -> Answer {
        let body = body.map(|body| self.fill(&body.to_string()));
        let mut all = headers.to_vec();
        if body.is_some() && !headers.iter().any(|(name, _)| *name == "content-type") {
            all.push(("content-type", "application/json"));
        }
        self.send_raw(method, path, &all, body.unwrap_or_default().as_bytes())
            .await
    }

    /// A request with any body.
    pub(crate) async fn send_raw(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        let path = self.fill(path);
        let who = self.who.clone();
        let filled: Vec<(&str, String)> = headers
            .iter()
            .map(|(name, value)| (*name, self.fill(value)))
            .collect();
        let mut headers: Vec<(&str, &str)> = filled
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        if let Who::User(name) = &who {
            headers.push(("impersonate-user", name));
        }
        self.write_question(method, &path, &headers, body);
        let client = match &who {
            Who::Admin | Who::User(_) => &self.client,
            Who::Operator => &self.operator,
            Who::Nobody => &self.nobody,
            Who::Stranger => &self.stranger,
        };
        let (code, headers, body) = self
            .exchange_with(client, method, &path, &headers, body)
            .await;
        self.write_answer(code, &headers, &body)
    }

    /// Asks until `is` says yes, and writes down that last answer alone.
    pub(crate) async fn get_until(
        &mut self,
        path: &str,
        is: impl Fn(u16, &Value) -> bool,
    ) -> Answer {
        let path = self.fill(path);
        self.write_question("GET", &path, &[], &[]);
        let begun = Instant::now();
        loop {
            let (code, headers, body) = self.exchange("GET", &path, &[], &[]).await;
            let value = serde_json::from_slice(&body).unwrap_or_default();
            if is(code.as_u16(), &value) {
                return self.write_answer(code, &headers, &body);
            }
            assert!(
                begun.elapsed() < PATIENCE,
                "{path} does not get there: {code} {value:#}\n{}",
                self.said
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Asks until it is gone.
    pub(crate) async fn get_until_gone(&mut self, path: &str) {
        self.get_until(path, |code, _| code == 404).await;
    }

    /// Asks, and writes down only what `pick` picks of the answer: the rest is another on every server.
    pub(crate) async fn get_picked(
        &mut self,
        path: &str,
        headers: &[(&str, &str)],
        pick: impl Fn(&Value) -> Value,
    ) {
        let path = self.fill(path);
        self.write_question("GET", &path, headers, &[]);
        let (code, answered, body) = self.exchange("GET", &path, headers, &[]).await;
        let value =
            serde_json::from_slice(&body).unwrap_or_else(|_| String::from_utf8_lossy(&body).into());
        self.write_answer(code, &answered, pick(&value).to_string().as_bytes());
    }

    /// Asks, and writes down only what `pick` picks of the lines of the answer.
    pub(crate) async fn get_lines(
        &mut self,
        path: &str,
        headers: &[(&str, &str)],
        pick: impl Fn(&str) -> Option<String>,
    ) {
        let path = self.fill(path);
        self.write_question("GET", &path, headers, &[]);
        let (code, answered, body) = self.exchange("GET", &path, headers, &[]).await;
        let text = String::from_utf8(body).unwrap();
        let lines: Vec<String> = text.split('\n').filter_map(pick).collect();
        self.write_answer(code, &answered, lines.join("\n").as_bytes());
    }

    /// Asks, and writes down how long the answer may be kept, and what `pick` picks of it.
    pub(crate) async fn get_kept(&mut self, path: &str, pick: impl Fn(&Value) -> Value) {
        let path = self.fill(path);
        self.write_question("GET", &path, &[], &[]);
        let (code, answered, body) = self.exchange("GET", &path, &[], &[]).await;
        let kept = answered["cache-control"].to_str().unwrap().to_owned();
        let ends = body.ends_with(b"\n");
        let value = serde_json::from_slice(&body).unwrap();
        let picked = json!([kept, ends, pick(&value)]);
        self.write_answer(code, &answered, picked.to_string().as_bytes());
    }

    /// Asks for something long, and writes down only whether it comes packed and is the same when it is unpacked.
    pub(crate) async fn get_packed(&mut self, path: &str, accept: &str, encoding: &str) {
        let path = self.fill(path);
        let headers = [("accept", accept), ("accept-encoding", encoding)];
        self.write_question("GET", &path, &headers, &[]);
        let (_, _, plain) = self.exchange("GET", &path, &headers[..1], &[]).await;
        let (code, answered, body) = self.exchange("GET", &path, &headers, &[]).await;
        let mut unpacked = Vec::new();
        let is_packed = flate2::read::GzDecoder::new(&*body)
            .read_to_end(&mut unpacked)
            .is_ok();
        let is_same = plain == if is_packed { unpacked } else { body };
        self.write_answer(
            code,
            &answered,
            json!([is_packed, is_same]).to_string().as_bytes(),
        );
    }

    /// Asks, and writes down only which fields of the answer come first.
    pub(crate) async fn first_fields(
        &mut self,
        method: &str,
        path: &str,
        accept: &str,
        body: &str,
    ) {
        let (path, body) = (self.fill(path), self.fill(body));
        let headers = [("accept", accept), ("content-type", "application/json")];
        self.write_question(method, &path, &headers, body.as_bytes());
        let (code, answered, body) = self
            .exchange(method, &path, &headers, body.as_bytes())
            .await;
        let body = String::from_utf8(body).unwrap();
        let names = ["kind", "apiVersion", "metadata", "items"]
            .map(|name| (body.find(&format!("\"{name}\":")), name));
        let mut names: Vec<_> = names.into_iter().filter(|(at, _)| at.is_some()).collect();
        names.sort_unstable();
        let names: Vec<&str> = names.into_iter().map(|(_, name)| name).collect();
        self.write_answer(code, &answered, json!(names).to_string().as_bytes());
    }

    /// Sends a request of HTTP/1.1 byte by byte, which asks for the connection to be closed, and writes down what
    /// comes back without its headers.
    pub(crate) async fn send_bytes(&mut self, request: &str) {
        for line in request.lines() {
            writeln!(self.said, "> {line}").unwrap();
        }
        let request = self.fill(request);
        let sent = raw::exchange(&self.admin, request.as_bytes());
        let answer = tokio::time::timeout(PATIENCE, sent).await.unwrap();
        self.write_raw_answer(&answer);
    }

    /// Posts as a user, and lets something else happen when the server has begun to read and has not seen the body yet.
    pub(crate) async fn post_late(
        &mut self,
        user: &str,
        path: &str,
        body: Value,
        meanwhile: impl AsyncFnOnce(&Self),
    ) {
        let (user, path) = (self.fill(&format!("{user}.{{ns}}")), self.fill(path));
        let body = self.fill(&body.to_string());
        self.write_question(
            "POST",
            &path,
            &[("impersonate-user", &user)],
            body.as_bytes(),
        );
        let token = token_of(&self.admin);
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nImpersonate-User: {user}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n",
            body.len()
        );
        let sent = raw::exchange_late(&self.admin, &request, body.as_bytes(), meanwhile(self));
        let answer = tokio::time::timeout(PATIENCE, sent).await.unwrap();
        self.write_raw_answer(&answer);
    }

    fn write_raw_answer(&mut self, answer: &str) {
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((answer, ""));
        writeln!(self.said, "{}", head.lines().next().unwrap_or_default()).unwrap();
        let mut body: Value = serde_json::from_str(body).unwrap_or_else(|_| body.into());
        self.mask.answer(&mut body);
        writeln!(self.said, "{body}\n").unwrap();
    }

    /// Asks until a request falls under a flow schema.
    pub(crate) async fn until_under(&self, path: &str, header: (&str, &str), schema: &str) {
        let (path, value) = (self.fill(path), self.fill(header.1));
        let one = format!("/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas/{schema}");
        let schema = self.unsaid("GET", &one, None).await;
        let begun = Instant::now();
        loop {
            let headers = [(header.0, value.as_str())];
            let (_, answered, _) = self.exchange("GET", &path, &headers, &[]).await;
            let uid = answered.get("x-kubernetes-pf-flowschema-uid");
            if uid.is_some_and(|uid| *uid == *schema["metadata"]["uid"].as_str().unwrap()) {
                return;
            }
            assert!(
                begun.elapsed() < PATIENCE,
                "{path} does not fall under it: {uid:?}"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Asks, and writes down under which flow schema and on which priority level that was.
    pub(crate) async fn flow_of(&mut self, method: &str, path: &str, headers: &[(&str, &str)]) {
        let path = self.fill(path);
        let filled: Vec<(&str, String)> = headers
            .iter()
            .map(|(name, value)| (*name, self.fill(value)))
            .collect();
        let headers: Vec<(&str, &str)> = filled
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        self.write_question(method, &path, &headers, &[]);
        let (code, answered, _) = self.exchange(method, &path, &headers, &[]).await;
        let mut names = Vec::new();
        for (header, plural) in [
            ("flowschema", "flowschemas"),
            ("prioritylevel", "prioritylevelconfigurations"),
        ] {
            let header = format!("x-kubernetes-pf-{header}-uid");
            let Some(uid) = answered.get(&header) else {
                names.push(json!("none"));
                continue;
            };
            let path = format!("/apis/flowcontrol.apiserver.k8s.io/v1/{plural}");
            let list = self.unsaid("GET", &path, None).await;
            let mut items = list["items"].as_array().unwrap().iter();
            let named = items.find(|item| item["metadata"]["uid"] == *uid.to_str().unwrap());
            names.push(
                named.map_or_else(|| json!("unknown"), |item| item["metadata"]["name"].clone()),
            );
        }
        let mut told = Value::Array(names);
        self.mask.answer(&mut told);
        writeln!(self.said, "{code} {told}\n").unwrap();
    }

    /// Asks, and writes down the tag of the answer, and how that ends.
    pub(crate) async fn get_marked(&mut self, path: &str, headers: &[(&str, &str)]) {
        self.write_question("GET", path, headers, &[]);
        let (code, answered, body) = self.exchange("GET", path, headers, &[]).await;
        let tag = answered["etag"].to_str().unwrap();
        let end = String::from_utf8_lossy(&body[body.len() - 4..]).into_owned();
        let told = json!([tag, body.len(), end]);
        self.write_answer(code, &answered, told.to_string().as_bytes());
    }

    /// Asks, and once more as a client that has the answer already. That there is a tag is written down, and not which.
    pub(crate) async fn get_tagged(&mut self, path: &str, accept: &str) {
        let path = self.fill(path);
        self.write_question("GET", &path, &[("accept", accept)], &[]);
        let (code, headers, body) = self
            .exchange("GET", &path, &[("accept", accept)], &[])
            .await;
        let tag = headers["etag"].to_str().unwrap().to_owned();
        let about = |headers: &HeaderMap, body: &[u8]| {
            json!([
                headers["etag"] == *tag,
                headers["cache-control"].to_str().unwrap(),
                body.is_empty()
            ])
        };
        let told = about(&headers, &body);
        self.write_answer(code, &headers, told.to_string().as_bytes());
        for known in [
            tag.clone(),
            format!("W/{tag}, \"another\""),
            "*".to_owned(),
            "\"another\"".to_owned(),
        ] {
            let asked = [("accept", accept), ("if-none-match", known.as_str())];
            self.write_question(
                "GET",
                &path,
                &[("if-none-match", &known.replace(&tag, "<the tag>"))],
                &[],
            );
            let (code, headers, body) = self.exchange("GET", &path, &asked, &[]).await;
            let told = about(&headers, &body);
            self.write_answer(code, &headers, told.to_string().as_bytes());
        }
    }

    /// A request that the case needs, and nobody need read.
    pub(crate) async fn unsaid(&self, method: &str, path: &str, body: Option<Value>) -> Value {
        let body = body
            .map(|body| self.fill(&body.to_string()))
            .unwrap_or_default();
        let headers = [("content-type", "application/json")];
        let (_, _, body) = self
            .exchange(method, &self.fill(path), &headers, body.as_bytes())
            .await;
        serde_json::from_slice(&body).unwrap_or_default()
    }

    /// A patch that nobody need read, which the server takes.
    pub(crate) async fn patch_unsaid(&self, kind: &str, path: &str, body: Value) -> Value {
        let body = self.fill(&body.to_string());
        let headers = [("content-type", patch_type(kind))];
        let (code, _, answer) = self
            .exchange("PATCH", &self.fill(path), &headers, body.as_bytes())
            .await;
        assert!(
            code.is_success(),
            "{path}: {code} {}",
            String::from_utf8_lossy(&answer)
        );
        serde_json::from_slice(&answer).unwrap()
    }

    /// Posts until the server answers with this code, and writes nothing down.
    pub(crate) async fn post_until(&self, path: &str, body: Value, is: impl Fn(u16) -> bool) {
        self.posted(path, body, |code, _| is(code)).await;
    }

    /// Posts until the server answers so, and writes nothing down.
    pub(crate) async fn post_until_answer(
        &self,
        path: &str,
        body: Value,
        is: impl Fn(&Value) -> bool,
    ) {
        self.posted(path, body, |_, answer| is(answer)).await;
    }

    async fn posted(&self, path: &str, body: Value, is: impl Fn(u16, &Value) -> bool) {
        let (path, body) = (self.fill(path), self.fill(&body.to_string()));
        let begun = Instant::now();
        loop {
            let headers = [("content-type", "application/json")];
            let (code, _, answer) = self
                .exchange("POST", &path, &headers, body.as_bytes())
                .await;
            let answer = serde_json::from_slice(&answer).unwrap_or_default();
            if is(code.as_u16(), &answer) {
                return;
            }
            assert!(
                begun.elapsed() < PATIENCE,
                "{path} does not get there: {code}"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until the answer is so, and writes nothing down.
    pub(crate) async fn until(&self, path: &str, is: impl Fn(u16, &Value) -> bool) {
        self.wait(path, &[], is).await;
    }

    /// The same of another representation.
    pub(crate) async fn until_as(&self, path: &str, accept: &str, is: impl Fn(&Value) -> bool) {
        self.wait(path, &[("accept", accept)], |_, value| is(value))
            .await;
    }

    /// Waits until it is gone, and writes nothing down.
    pub(crate) async fn until_gone(&self, path: &str) {
        self.wait(path, &[], |code, _| code == 404).await;
    }

    async fn wait(&self, path: &str, headers: &[(&str, &str)], is: impl Fn(u16, &Value) -> bool) {
        let (path, begun) = (self.fill(path), Instant::now());
        loop {
            let (code, _, body) = self.exchange("GET", &path, headers, &[]).await;
            let value = serde_json::from_slice(&body).unwrap_or_default();
            if is(code.as_u16(), &value) {
                return;
            }
            assert!(
                begun.elapsed() < PATIENCE,
                "{path} does not get there: {code} {value:#}"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Patches until the answer is as wanted, and writes nothing down.
    pub(crate) async fn until_patched(
        &self,
        kind: &str,
        path: &str,
        body: Value,
        is: impl Fn(&Value) -> bool,
    ) {
        let (path, body, begun) = (
            self.fill(path),
            self.fill(&body.to_string()),
            Instant::now(),
        );
        let headers = [("content-type", patch_type(kind))];
        loop {
            let (code, _, answer) = self
                .exchange("PATCH", &path, &headers, body.as_bytes())
                .await;
            let value = serde_json::from_slice(&answer).unwrap_or_default();
            if is(&value) {
                return;
            }
            assert!(
                begun.elapsed() < PATIENCE,
                "{path} does not get there: {code} {value:#}"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// This server cannot be asked.
    pub(crate) fn skip(&mut self) {
        self.skipped = true;
    }

    /// Creates an object that the case needs, and writes nothing down.
    pub(crate) async fn prepare(&self, path: &str, body: Value) -> Value {
        let (path, body) = (self.fill(path), self.fill(&body.to_string()));
        let begun = Instant::now();
        loop {
            let (code, _, answer) = self
                .exchange(
                    "POST",
                    &path,
                    &[("content-type", "application/json")],
                    body.as_bytes(),
                )
                .await;
            if code.is_success() {
                return serde_json::from_slice(&answer).unwrap();
            }
            // A server that has just begun, or a kind.
            assert!(
                begun.elapsed() < PATIENCE,
                "{path}: {code} {}",
                String::from_utf8_lossy(&answer)
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Installs a CRD, waits until it is served, and writes nothing down.
    pub(crate) async fn install(&self, crd: Value) {
        let crd = self
            .prepare(
                "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
                crd,
            )
            .await;
        let (spec, begun) = (&crd["spec"], Instant::now());
        for version in spec["versions"].as_array().unwrap() {
            let path = format!(
                "/apis/{}/{}/{}",
                spec["group"].as_str().unwrap(),
                version["name"].as_str().unwrap(),
                spec["names"]["plural"].as_str().unwrap()
            );
            while version["served"] == true
                && self.exchange("GET", &path, &[], &[]).await.0 != StatusCode::OK
            {
                assert!(begun.elapsed() < PATIENCE, "{path} is not served");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }

    /// A heading, for those who read the recording.
    pub(crate) fn say(&mut self, words: &str) {
        writeln!(self.said, "# {words}\n").unwrap();
    }

    /// Opens a watch; `path` says what of.
    pub(crate) async fn watch(&mut self, path: &str) -> Watch {
        self.watch_as(path, "application/json").await
    }

    /// Opens a watch with another representation.
    pub(crate) async fn watch_as(&mut self, path: &str, accept: &str) -> Watch {
        let path = self.fill(path);
        let headers = match accept {
            "application/json" => vec![],
            other => vec![("accept", other)],
        };
        self.write_question("GET", &path, &headers, &[]);
        let response = self
            .client
            .send(request("GET", &path, &headers, &[]))
            .await
            .unwrap();
        let (head, body) = response.into_parts();
        if !head.status.is_success() {
            let body = body.collect().await.unwrap().to_bytes();
            self.write_answer(head.status, &head.headers, &body);
            return Watch::ended();
        }
        self.write_head(head.status, &head.headers);
        self.said.push('\n');
        Watch::new(body)
    }

    /// Waits for the next events of a watch and writes them down.
    pub(crate) async fn events(&mut self, watch: &mut Watch, count: usize) -> Vec<Value> {
        let mut events = Vec::new();
        for _ in 0..count {
            let event = watch
                .next(PATIENCE)
                .await
                .unwrap_or_else(|end| panic!("{end}; so far:\n{}", self.said));
            events.push(self.write_event(&event));
        }
        events
    }

    /// Waits for the next events of a watch in protobuf and writes them down.
    pub(crate) async fn frames(&mut self, watch: &mut Watch, count: usize) {
        for _ in 0..count {
            let frame = watch
                .next_frame(PATIENCE)
                .await
                .unwrap_or_else(|end| panic!("{end}; so far:\n{}", self.said));
            let event = self.mask.protobuf(&frame);
            writeln!(self.said, "< {event}").unwrap();
        }
    }

    /// Asks in protobuf, and writes down only the message whose first field is `name`.
    pub(crate) async fn get_message(&mut self, path: &str, accept: &str, name: &str) {
        let path = self.fill(path);
        let headers = [("accept", accept)];
        self.write_question("GET", &path, &headers, &[]);
        let (code, answered, body) = self.exchange("GET", &path, &headers, &[]).await;
        self.write_head(code, &answered);
        let message = protobuf::named(&body, &self.fill(name));
        let message = message.unwrap_or_else(|| panic!("{path} has no {name}\n{}", self.said));
        writeln!(self.said, "{message}").unwrap();
    }

    /// Waits for the end of a watch, writes down what comes until then, and that it ended.
    pub(crate) async fn end_of(&mut self, watch: &mut Watch) {
        while let Ok(event) = watch.next(PATIENCE).await {
            self.write_event(&event);
        }
        self.said.push_str("< the end\n\n");
    }

    fn write_event(&mut self, line: &[u8]) -> Value {
        let event: Value = serde_json::from_slice(line).unwrap();
        let mut masked = event.clone();
        if event["type"] == "BOOKMARK" {
            // It is how far the whole server has come, or only the kind.
            for of in ["/object", "/object/rows/0/object"] {
                let version = masked.pointer_mut(&format!("{of}/metadata/resourceVersion"));
                if let Some(version) = version {
                    *version = "<now>".into();
                }
            }
        }
        self.mask.answer(&mut masked["object"]);
        let masked = Order::of(line).write(&masked);
        writeln!(self.said, "< {masked}\n").unwrap();
        event
    }

    pub(crate) fn fill(&self, text: &str) -> String {
        text.replace("{ns}", &self.namespace)
            .replace("{token}", &self.token)
            .replace("{group}", &format!("{}.example.com", self.namespace))
    }

    /// What the admin asks.
    pub(super) async fn exchange(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> (StatusCode, HeaderMap, Vec<u8>) {
        self.exchange_with(&self.client, method, path, headers, body)
            .await
    }

    async fn exchange_with(
        &self,
        client: &Client,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> (StatusCode, HeaderMap, Vec<u8>) {
        let answer = self.ask(client, method, path, headers, body).await;
        if let Some(written) = what_was_written(method, path, &answer.2) {
            self.ask(&self.client, "GET", &written, &[], &[]).await;
        }
        answer
    }

    async fn ask(
        &self,
        client: &Client,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> (StatusCode, HeaderMap, Vec<u8>) {
        let response = client
            .send(request(method, path, headers, body))
            .await
            .unwrap_or_else(|error| panic!("{method} {path}: {error}\n{}", self.said));
        let (head, body) = response.into_parts();
        let body = tokio::time::timeout(PATIENCE, body.collect())
            .await
            .unwrap_or_else(|_| panic!("{method} {path} does not end\n{}", self.said));
        (head.status, head.headers, body.unwrap().to_bytes().to_vec())
    }

    fn write_question(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) {
        let path = self.mask.text(path);
        writeln!(self.said, "> {method} {path}").unwrap();
        match &self.who {
            // Who else it is, the headers say.
            Who::Admin | Who::User(_) => {}
            who => writeln!(self.said, "> (as {who:?})").unwrap(),
        }
        for (name, value) in headers {
            if (*name, *value) != ("content-type", "application/json") {
                let value = self.mask.text(value);
                writeln!(self.said, "> {name}: {value}").unwrap();
            }
        }
        if !body.is_empty() {
            let body = match serde_json::from_slice::<Value>(body) {
                Ok(mut body) => {
                    self.mask.question(&mut body);
                    body.to_string()
                }
                Err(_) if body.len() > 5_000 => format!("({} bytes)", body.len()),
                Err(_) if body.starts_with(protobuf::MAGIC) => self.mask.protobuf(body),
                Err(_) => String::from_utf8_lossy(body).into_owned(),
            };
            let body = match body.len() {
                long if long > 5_000 => format!("({long} bytes)"),
                _ => body,
            };
            for line in body.lines() {
                writeln!(self.said, "> {line}").unwrap();
            }
        }
    }

    fn write_head(&mut self, code: StatusCode, headers: &HeaderMap) {
        writeln!(self.said, "{code}").unwrap();
        for name in HEADERS {
            for value in headers.get_all(name) {
                if name == "audit-id" && value.len() == OWN_AUDIT_ID {
                    continue;
                }
                let value = self.mask.text(&String::from_utf8_lossy(value.as_bytes()));
                let not_done = name == "warning" && value.ends_with(NOT_DONE);
                if (name, value.as_str()) != ("content-type", "application/json") && !not_done {
                    writeln!(self.said, "{name}: {value}").unwrap();
                }
            }
        }
    }

    fn write_answer(&mut self, code: StatusCode, headers: &HeaderMap, body: &[u8]) -> Answer {
        self.write_head(code, headers);
        let value: Value = serde_json::from_slice(body).unwrap_or_default();
        if body.starts_with(protobuf::MAGIC) {
            writeln!(self.said, "{}", self.mask.protobuf(body)).unwrap();
        } else if value.is_null() {
            let text = self.mask.text(&String::from_utf8_lossy(body));
            writeln!(self.said, "{}\n", text.trim_end()).unwrap();
        } else {
            let mut masked = value.clone();
            self.mask.answer(&mut masked);
            writeln!(self.said, "{}\n", Order::of(body).write(&masked)).unwrap();
        }
        Answer {
            body: value,
            bytes: body.to_vec(),
        }
    }
}

fn patch_type(kind: &str) -> &str {
    match kind {
        "json" => "application/json-patch+json",
        "merge" => "application/merge-patch+json",
        "strategic-merge" => "application/strategic-merge-patch+json",
        "apply" => "application/apply-patch+yaml",
        other => other,
    }
}

/// Where what was written is read, once the cache of the server has it.
///
/// The next write begins with what the cache has, and again with what is stored, but the warnings of the first attempt
/// are told as well.
fn what_was_written(method: &str, path: &str, answer: &[u8]) -> Option<String> {
    let (path, _) = path.split_once('?').unwrap_or((path, ""));
    let answer: Value = serde_json::from_slice(answer).ok()?;
    let text = |of: &str| answer.pointer(of).and_then(Value::as_str);
    let version = text("/metadata/resourceVersion")?;
    match method {
        "POST" => {
            let name = text("/metadata/name")?;
            Some(format!("{path}/{name}?resourceVersion={version}"))
        }
        "PUT" | "PATCH" => Some(format!("{path}?resourceVersion={version}")),
        _ => None,
    }
}

fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Request<Body> {
    let mut request = Request::builder()
        .method(Method::from_bytes(method.as_bytes()).unwrap())
        .uri(path);
    // The field manager of who gives none is read off it.
    request = request.header("user-agent", "conformance/1.0");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Body::from(body.to_vec())).unwrap()
}
