//! Every rule on what a reconcile says of its object, and on its finalizer, one a row; with what a reader makes of it
//! that knows nothing of us: kstatus, which kubectl-like tools, Argo CD and Flux read objects by.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use kommodore::{
    Action, Cleanup, ConditionType, Context, Error, Reconcile, Result, State, controller,
};
use kommodore_tests::{
    Fleet, Operator, Point, Probe, Website, condition, eventually, on_both_servers, website,
};
use kube::ResourceExt;
use kube::api::PostParams;
use kube::core::Status;
use serde_json::{Value, json};

const FINALIZER: &str = "demo.kommodore.dev/table";
/// The label by which something happens to an object.
const POKED: &str = "poked";
const LONG: Duration = Duration::from_secs(3600);

#[derive(ConditionType)]
enum Said {
    Served,
    #[condition(negative)]
    Degraded,
    #[condition(summary = false)]
    Noted,
}

/// How a run ends.
enum Ends {
    With(Result<Action>),
    Never,
}

/// What a run does.
type Does = fn(&Context<Table>) -> Ends;

/// Does what the row that an object is named after has in the place that its host names.
#[controller(
    for = Website,
    name = "table",
    finalizer = "demo.kommodore.dev/table",
    conditions = Said,
    backoff("20ms", "100ms"),
)]
#[derive(Clone, Default)]
struct Table {
    probe: Probe,
    poked: Arc<Mutex<BTreeMap<(Point, String), String>>>,
}

impl Table {
    fn sees(&self, point: Point, site: &Website) {
        if let Some(poked) = site.labels().get(POKED) {
            let mut seen = self.poked.lock().unwrap();
            seen.insert((point, site.name_any()), poked.clone());
        }
    }
}

impl Reconcile for Table {
    async fn reconcile(&self, site: &Website, cx: &Context<Self>) -> Result<Action> {
        assert!(
            site.finalizers().contains(&FINALIZER.to_owned()),
            "it is there before the first run"
        );
        assert!(
            site.metadata.deletion_timestamp.is_none(),
            "what is being deleted is not reconciled"
        );
        self.sees(Point::Begin, site);
        self.probe.at(Point::Begin, cx).await?;
        let row = ROWS.iter().find(|row| row.name == site.name_any());
        let step = row.and_then(|row| row.steps.get(site.spec.host.parse::<usize>().ok()?));
        let does = step.map_or(well as Does, |step| step.does);
        match does(cx) {
            Ends::With(ended) => ended,
            Ends::Never => std::future::pending().await,
        }
    }
}

impl Cleanup for Table {
    async fn cleanup(&self, site: &Website, cx: &Context<Self>) -> Result<Action> {
        self.sees(Point::Cleanup, site);
        self.probe.at(Point::Cleanup, cx).await?;
        let ending = ENDINGS.iter().find(|ending| ending.name == site.name_any());
        match ending.map(|ending| (ending.cleanup)(cx)) {
            None => Ok(Action::done()),
            Some(Ends::With(ended)) => ended,
            Some(Ends::Never) => std::future::pending().await,
        }
    }
}

/// Status, reason and message of `Ready`; `None` where the status is left alone.
type SaidOfReady = Option<(&'static str, &'static str, &'static str)>;

/// One rule: some generations of one object.
struct Row {
    name: &'static str,
    steps: &'static [Step],
}

/// One generation.
struct Step {
    does: Does,
    ready: SaidOfReady,
    /// `Served`, `Degraded` and `Noted`: a letter of their status each, small where it is that of an older generation.
    others: &'static str,
    /// What is stalled has failed for kstatus, and nothing else has.
    kstatus: &'static str,
}

/// What each generation does, what is said of it, and how it reads.
macro_rules! rows {
    ($($name:literal { $($does:expr => $ready:expr, $others:literal, $kstatus:literal;)+ })+) => {
        static ROWS: &[Row] = &[$(Row {
            name: $name,
            steps: &[$(Step { does: $does, ready: $ready, others: $others, kstatus: $kstatus }),+],
        }),+];
    };
}

fn set(cx: &Context<Table>, served: State, degraded: State) {
    cx.set(match served {
        State::True => Said::Served.is_true("Served", "it is served"),
        State::False => Said::Served.is_false("Broken", "it is broken"),
        State::Unknown => Said::Served.is_unknown("Unclear", "nobody knows"),
    });
    cx.set(match degraded {
        State::True => Said::Degraded.is_true("Slow", "it is slow"),
        State::False => Said::Degraded.is_false("AsExpected", "all is well"),
        State::Unknown => Said::Degraded.is_unknown("NotMeasured", "nobody looked"),
    });
    cx.set(Said::Noted.is_false("NotNoted", "it does not matter"));
}

fn well(cx: &Context<Table>) -> Ends {
    set(cx, State::True, State::False);
    Ends::With(Ok(Action::done()))
}

fn nothing(_: &Context<Table>) -> Ends {
    Ends::With(Ok(Action::done()))
}

fn fails(cx: &Context<Table>) -> Ends {
    set(cx, State::True, State::False);
    Ends::With(Err(
        Error::new("the disk is on fire").context("writing the page")
    ))
}

fn gives_up(cx: &Context<Table>) -> Ends {
    set(cx, State::True, State::False);
    Ends::With(Err(Error::terminal("no such host")))
}

fn unavailable() -> kube::Error {
    let mut status = Status::failure("etcd is down", "ServiceUnavailable");
    status.code = 503;
    kube::Error::Api(Box::new(status))
}

const READY: SaidOfReady = Some(("True", "ReconcileSucceeded", ""));
const FAILED: SaidOfReady = failed("writing the page: the disk is on fire");
const GAVE_UP: SaidOfReady = failed("no such host");
const AWAY: SaidOfReady = Some((
    "Unknown",
    "ServerUnavailable",
    "calls to the API server fail: it is overloaded, in trouble or out of reach",
));
const SILENT: SaidOfReady = None;

const fn failed(message: &'static str) -> SaidOfReady {
    Some(("False", "ReconcileFailed", message))
}

fn done(cx: &Context<Table>, served: State, degraded: State) -> Ends {
    set(cx, served, degraded);
    Ends::With(Ok(Action::done()))
}

fn away_for_long(_: &Context<Table>) -> Ends {
    Ends::With(Err(Error::retry_in(LONG, unavailable())))
}

fn away(_: &Context<Table>) -> Ends {
    Ends::With(Err(unavailable().into()))
}

fn panics(_: &Context<Table>) -> Ends {
    panic!("who would have thought")
}

rows! {
    "all-is-well" { well => READY, "TFF", "Current"; }
    "a-positive-one-that-is-false-decides" {
        |cx| done(cx, State::False, State::Unknown) => Some(("False", "Broken", "Served: it is broken")), "FUF", "InProgress";
    }
    "a-negative-one-that-is-true-decides" {
        |cx| done(cx, State::Unknown, State::True) => Some(("False", "Slow", "Degraded: it is slow")), "UTF", "InProgress";
    }
    "what-is-unknown-makes-it-unknown" {
        |cx| done(cx, State::True, State::Unknown) => Some(("Unknown", "NotMeasured", "Degraded: nobody looked")), "TUF", "InProgress";
    }
    "what-was-never-set-is-unknown" {
        nothing => Some(("Unknown", "Pending", "Served: not known yet")), "UUU", "InProgress";
    }
    "what-is-not-set-again-stays-and-is-not-believed" {
        well => READY, "TFF", "Current";
        nothing => Some(("Unknown", "Served", "Served: it is served")), "tff", "InProgress";
        |cx| {
            cx.set(Said::Degraded.is_true("Slow", "it is slow"));
            nothing(cx)
        } => Some(("False", "Slow", "Degraded: it is slow")), "tTf", "InProgress";
        well => READY, "TFF", "Current";
    }
    "what-does-not-count-is-kept-all-the-same" {
        |cx| {
            set(cx, State::True, State::False);
            cx.set(Said::Noted.is_unknown("Unclear", ""));
            nothing(cx)
        } => READY, "TFU", "Current";
    }
    "the-last-word-on-a-condition-counts" {
        |cx| {
            set(cx, State::False, State::True);
            well(cx)
        } => READY, "TFF", "Current";
    }
    "who-wants-to-be-called-again-has-succeeded" {
        |cx| {
            set(cx, State::True, State::False);
            Ends::With(Ok(Action::requeue(LONG)))
        } => READY, "TFF", "Current";
    }
    "the-author-may-say-that-it-is-ready" {
        |cx| {
            cx.ready("GoodEnough", "it will do");
            done(cx, State::False, State::True)
        } => Some(("True", "GoodEnough", "it will do")), "FTF", "Current";
    }
    "the-author-may-say-that-it-is-not" {
        |cx| {
            cx.not_ready("Waiting", "for the DNS");
            well(cx)
        } => Some(("False", "Waiting", "for the DNS")), "TFF", "InProgress";
    }
    "an-error-is-stronger-than-the-author" {
        |cx| {
            cx.ready("GoodEnough", "it will do");
            fails(cx)
        } => FAILED, "TFF", "InProgress";
    }
    "an-error-makes-it-false-until-a-success" {
        fails => FAILED, "TFF", "InProgress";
        well => READY, "TFF", "Current";
    }
    "an-error-leaves-what-was-not-set-as-it-was" {
        well => READY, "TFF", "Current";
        |_| Ends::With(Err(Error::new("too early"))) => failed("too early"), "tff", "InProgress";
    }
    "an-error-may-name-its-delay" {
        |_| Ends::With(Err(Error::retry_in(LONG, "come back later"))) => failed("come back later"), "UUU", "InProgress";
    }
    "a-terminal-error-stalls-it-until-a-success" {
        gives_up => GAVE_UP, "TFF", "Failed";
        // That it is another error now does not show that it will be mended.
        fails => FAILED, "TFF", "Failed";
        well => READY, "TFF", "Current";
    }
    "a-panic-is-an-error" { panics => failed("it panicked: who would have thought"), "UUU", "InProgress"; }
    "what-does-not-end-is-an-error" { |_| Ends::Never => failed("it did not finish within 0.5 s"), "UUU", "InProgress"; }
    "a-server-in-trouble-changes-nothing-at-first" {
        well => READY, "TFF", "Current";
        away_for_long => SILENT, "tff", "InProgress";
    }
    "a-server-that-stays-in-trouble-makes-it-unknown" {
        well => READY, "TFF", "Current";
        away => AWAY, "tff", "InProgress";
        well => READY, "TFF", "Current";
    }
    "a-server-in-trouble-does-not-say-that-it-is-not-stalled" {
        gives_up => GAVE_UP, "TFF", "Failed";
        away => AWAY, "tff", "Failed";
    }
}

/// How an object goes.
struct Ending {
    name: &'static str,
    /// The finalizers of others, before ours and behind it.
    held_by: (&'static [&'static str], &'static [&'static str]),
    cleanup: Does,
    left: Left,
    /// What that costs: writes of the object, and of its `status`.
    writes: &'static [&'static str],
}

/// What is left of an object, and what it says of `Ready`.
enum Left {
    Nothing,
    /// Without our finalizer.
    Free(SaidOfReady),
    Held(SaidOfReady),
    /// The same, and stalled.
    Stalled(SaidOfReady),
}

/// Who holds it, what its cleanup does, what is left then and what was written.
macro_rules! endings {
    ($($name:literal, $before:expr, $after:expr, $does:expr => $left:expr, $writes:expr;)+) => {
        static ENDINGS: &[Ending] = &[$(Ending {
            name: $name,
            held_by: (&$before, &$after),
            cleanup: $does,
            left: $left,
            writes: &$writes,
        }),+];
    };
}

const fn cleanup_failed(message: &'static str) -> SaidOfReady {
    Some(("False", "CleanupFailed", message))
}

endings! {
    "done", [], [], nothing => Left::Nothing, ["object"];
    "done-among-others", ["other/first"], ["other/last"], nothing => Left::Free(READY), ["object"];
    "a-server-in-trouble", [], [], away_for_long => Left::Held(READY), [];
    "waits", [], ["other/last"], |_| Ends::With(Ok(Action::requeue(LONG))) => Left::Held(Some((
        "False", "CleaningUp", "the object is being deleted, and its cleanup has not finished",
    ))), ["status"];
    "waits-in-its-own-words", [], [], |cx| {
        cx.not_ready("Draining", "3 left");
        Ends::With(Ok(Action::requeue(LONG)))
    } => Left::Held(Some(("False", "Draining", "3 left"))), ["status"];
    "fails", [], [], fails => Left::Held(cleanup_failed("writing the page: the disk is on fire")), ["status"];
    "gives-up", [], [], gives_up => Left::Stalled(cleanup_failed("no such host")), ["status"];
    "panics", [], [], panics => Left::Held(cleanup_failed("it panicked: who would have thought")), ["status"];
}

/// What kstatus reads in an object, by its generic rules.
/// <https://github.com/kubernetes-sigs/cli-utils/blob/master/pkg/kstatus/status/generic.go> (`checkGenericProperties`),
/// and `checkReadyCondition` beside it.
fn kstatus(object: &Value) -> &'static str {
    let at = |path: &str| object.pointer(path).filter(|value| !value.is_null());
    if at("/metadata/deletionTimestamp").is_some() {
        return "Terminating";
    }
    if let Some(observed) = at("/status/observedGeneration")
        && at("/metadata/generation") != Some(observed)
    {
        return "InProgress";
    }
    let conditions = at("/status/conditions").and_then(Value::as_array);
    let is = |name: &str| {
        let mut found = conditions.into_iter().flatten();
        found
            .find(|one| one["type"] == name)
            .map(|one| one["status"].as_str().unwrap_or_default())
    };
    match (is("Reconciling"), is("Stalled"), is("Ready")) {
        (Some("True"), ..) => "InProgress",
        (_, Some("True"), _) => "Failed",
        (.., Some("True") | None) => "Current",
        (.., Some(_)) => "InProgress",
    }
}

fn read(site: &Website) -> &'static str {
    kstatus(&serde_json::to_value(site).unwrap())
}

fn ready(site: &Website) -> Option<(&str, &str, &str)> {
    condition(site, "Ready").map(|ready| {
        (
            ready.status.as_str(),
            ready.reason.as_str(),
            ready.message.as_str(),
        )
    })
}

fn is_stalled(site: &Website) -> bool {
    condition(site, "Stalled").is_some_and(|stalled| stalled.status == "True")
}

/// The letters of a step.
fn others(site: &Website) -> String {
    let letter = |name: &str| {
        let found = condition(site, name)?;
        let letter = found.status.chars().next()?;
        Some(
            match found.observed_generation == site.metadata.generation {
                true => letter,
                false => letter.to_ascii_lowercase(),
            },
        )
    };
    ["Served", "Degraded", "Noted"]
        .into_iter()
        .map(|name| letter(name).unwrap_or('-'))
        .collect()
}

impl Table {
    /// Something happens to an object, so often: whatever came of the run before has been written when the next begins.
    async fn passes(&self, fleet: &Fleet, point: Point, name: &str, times: usize) {
        for _ in 0..times {
            let poke = format!("at-{}", fleet.requests().entries().len());
            let poked = json!({"metadata": {"labels": {POKED: poke}}});
            fleet.change_website("red", name, poked).await;
            let key = (point, name.to_owned());
            eventually("a run sees it", async || {
                self.poked.lock().unwrap().get(&key) == Some(&poke)
            })
            .await;
        }
    }
}

async fn at_work(fleet: &Fleet) -> (Table, Operator) {
    let table = Table::default();
    let manager = fleet
        .manager()
        .reconcile_timeout(Duration::from_millis(500));
    let operator = Operator::start(manager.controller(table.clone()));
    fleet.engaged("red", &["websites"]).await;
    (table, operator)
}

async fn create(fleet: &Fleet, name: &str) {
    let mut site = website(name);
    site.spec.host = "0".into();
    let created = fleet
        .websites("red")
        .create(&PostParams::default(), &site)
        .await;
    created.unwrap();
}

on_both_servers! {
    async fn every_row_says_what_it_is_to_say_once(fleet: &Fleet) {
        fleet.create_shop("red").await;
        let (table, _operator) = at_work(fleet).await;
        for Row { name, steps } in ROWS {
            for (nth, Step { ready: said, others: letters, kstatus, .. }) in steps.iter().enumerate() {
                let mark = fleet.requests().mark();
                match nth {
                    0 => create(fleet, name).await,
                    _ => drop(fleet.set_host("red", name, &nth.to_string()).await),
                }
                let generation = i64::try_from(nth).unwrap() + 1;
                if said.is_some() {
                    fleet.website_is("red", name, "its step has been taken", |site| {
                        let observed = condition(site, "Ready").and_then(|ready| ready.observed_generation);
                        ready(site) == *said && observed == Some(generation)
                    }).await;
                }
                // A third run in a row would not be silent.
                table.passes(fleet, Point::Begin, name, if said.is_some() { 2 } else { 1 }).await;
                let site = fleet.websites("red").get(name).await.unwrap();
                let about = format!("{name}, step {nth}: {:#?}", site.status);
                let was = if said.is_some() { generation } else { generation - 1 };
                assert_eq!(site.status.as_ref().unwrap().observed_generation, Some(was), "{about}");
                assert_eq!(others(&site), *letters, "{about}");
                assert_eq!(is_stalled(&site), *kstatus == "Failed", "{about}");
                assert_eq!(read(&site), *kstatus, "{about}");
                let status = format!("patch websites/{name}/status");
                let mut wrote = fleet.wrote("red", mark);
                wrote.retain(|wrote| *wrote == status);
                assert_eq!(wrote.len(), usize::from(said.is_some()), "{about}");
            }
        }
    }

    async fn every_ending_keeps_or_removes_our_finalizer_and_no_other(fleet: &Fleet) {
        fleet.create_shop("red").await;
        let (table, _operator) = at_work(fleet).await;
        let websites = fleet.websites("red");
        for Ending { name, held_by: (before, behind), left, writes, .. } in ENDINGS {
            let mut site = website(name);
            site.metadata.finalizers = Some(before.iter().map(ToString::to_string).collect());
            websites.create(&PostParams::default(), &site).await.unwrap();
            fleet.website_is("red", name, "it has our finalizer", |site| site.finalizers().len() > before.len()).await;
            let held: Vec<&str> = [before, &[FINALIZER][..], behind].concat();
            fleet.change_website("red", name, json!({"metadata": {"finalizers": held}})).await;
            table.passes(fleet, Point::Begin, name, 2).await;
            let mark = fleet.requests().mark();
            fleet.delete_website("red", name).await;
            table.probe.comes(Point::Cleanup, name, 1).await;
            let (finalizers, said, stalled) = match left {
                Left::Nothing => (None, SILENT, false),
                Left::Free(said) => (Some([*before, *behind].concat()), *said, false),
                Left::Held(said) => (Some(held.clone()), *said, false),
                Left::Stalled(said) => (Some(held.clone()), *said, true),
            };
            match finalizers {
                None => fleet.website_gone("red", name).await,
                Some(finalizers) => {
                    fleet.website_is("red", name, "it has come to its ending", |site| {
                        site.finalizers() == finalizers && ready(site) == said
                    }).await;
                    if finalizers == held {
                        table.passes(fleet, Point::Cleanup, name, 1).await;
                    }
                    let site = websites.get(name).await.unwrap();
                    assert_eq!((ready(&site), is_stalled(&site), read(&site)), (said, stalled, "Terminating"), "{name}");
                }
            }
            let mut wrote = fleet.wrote("red", mark);
            wrote.retain(|wrote| wrote.contains(&format!("/{name}")));
            let path = |write: &&str| match *write {
                "status" => format!("patch websites/{name}/status"),
                _ => format!("patch websites/{name}"),
            };
            assert_eq!(wrote, writes.iter().map(path).collect::<Vec<_>>(), "{name}");
        }
    }

    async fn what_is_being_deleted_without_our_finalizer_is_none_of_our_business(fleet: &Fleet) {
        fleet.create_shop("red").await;
        let mut site = website("leaving");
        site.metadata.finalizers = Some(vec!["other/first".into()]);
        fleet.websites("red").create(&PostParams::default(), &site).await.unwrap();
        fleet.delete_website("red", "leaving").await;
        let (table, _operator) = at_work(fleet).await;
        let mark = fleet.requests().mark();
        fleet.change_website("red", "leaving", json!({"metadata": {"labels": {"a": "b"}}})).await;
        create(fleet, "all-is-well").await;
        table.probe.comes(Point::Begin, "all-is-well", 1).await;
        table.passes(fleet, Point::Begin, "all-is-well", 1).await;
        assert!(!fleet.wrote("red", mark).iter().any(|wrote| wrote.contains("leaving")));
        let visits = table.probe.visits();
        assert!(visits.iter().all(|visit| visit.name != "leaving"), "{visits:?}");
        let free = json!({"metadata": {"finalizers": null}});
        fleet.change_website("red", "leaving", free).await;
        fleet.website_gone("red", "leaving").await;
    }
}
