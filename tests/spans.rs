//! The span around a request says whose request it is.

#![cfg(feature = "tracing")]
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt;
use std::future::{Future, Ready, ready};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use evenkeel::{BalanceLayer, Balancer, BoxError, Endpoint, Key, Target};
use parking_lot::Mutex;
use tokio::time::sleep;
use tower::{Layer as _, Service, ServiceExt, service_fn};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::subscriber::DefaultGuard;
use tracing::{Event, Subscriber, info};
use tracing_subscriber::layer::{Context as LayerContext, SubscriberExt};
use tracing_subscriber::registry::{LookupSpan, Scope};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, registry};

type Fields = BTreeMap<String, String>;

/// An event: what it said, and the spans it was in from the root on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Seen {
    message: String,
    spans: Vec<(String, Fields)>,
}

/// Writes down events and the spans they are in.
#[derive(Clone, Default)]
struct Recorder {
    events: Arc<Mutex<Vec<Seen>>>,
    opened: Arc<Mutex<Vec<String>>>,
}

impl Recorder {
    /// Records what this thread does, until the guard is dropped.
    fn record(&self) -> DefaultGuard {
        registry().with(self.clone()).set_default()
    }

    fn seen(&self) -> Vec<Seen> {
        self.events.lock().clone()
    }
}

#[derive(Default)]
struct Reading(Fields);

impl Visit for Reading {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}"));
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Recorder {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, cx: LayerContext<'_, S>) {
        let mut fields = Reading::default();
        attributes.record(&mut fields);
        let span = cx.span(id).unwrap();
        span.extensions_mut().insert(fields.0);
        self.opened.lock().push(span.name().to_owned());
    }

    fn on_event(&self, event: &Event<'_>, cx: LayerContext<'_, S>) {
        let mut fields = Reading::default();
        event.record(&mut fields);
        let scope = cx.event_scope(event).into_iter().flat_map(Scope::from_root);
        let spans = scope.map(|span| {
            let fields = span.extensions().get::<Fields>().cloned().unwrap_or_default();
            (span.name().to_owned(), fields)
        });
        let message = fields.0.remove("message").unwrap_or_default();
        self.events.lock().push(Seen { message, spans: spans.collect() });
    }
}

fn seen(message: &str, balancer: &str, endpoint: &str) -> Seen {
    attempt("1", message, balancer, endpoint)
}

/// Something that was said at this attempt, by the strategy that is chosen where nothing is said.
fn attempt(number: &str, message: &str, balancer: &str, endpoint: &str) -> Seen {
    let fields = [
        ("balancer", balancer),
        ("endpoint", endpoint),
        ("attempt", number),
        ("strategy", "least_request"),
        ("version", "1.1"),
    ];
    let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned()));
    Seen { message: message.to_owned(), spans: vec![("evenkeel".to_owned(), fields.into())] }
}

/// Says so when it is called, and at each poll of its future.
#[derive(Clone)]
struct Talkative {
    fails: bool,
}

impl<Req> Service<Req> for Talkative {
    type Response = &'static str;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<&'static str, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Req) -> Self::Future {
        info!("called");
        let fails = self.fails;
        Box::pin(async move {
            info!("polled");
            sleep(Duration::from_millis(10)).await;
            info!("woken");
            if fails { Err("no".into()) } else { Ok("hello") }
        })
    }
}

fn talkative<const N: usize>(names: [&str; N]) -> Balancer<Talkative> {
    let endpoints = names.map(|name| Endpoint::new(name, Talkative { fails: false }));
    Balancer::builder().name("checkout").endpoints(endpoints).seed(1).build().unwrap()
}

/// One inner client, and addresses that are written into requests.
struct Address(&'static str);

impl Target<String> for Address {
    fn direct(&self, _: String) -> Result<String, BoxError> {
        Ok(self.0.to_owned())
    }
}

#[tokio::test(start_paused = true)]
async fn call_and_response_are_within_a_span_that_names_balancer_and_endpoint() {
    let recorder = Recorder::default();
    let _recording = recorder.record();
    talkative(["a"]).service().oneshot(()).await.unwrap();
    let expected = ["called", "polled", "woken"].map(|said| seen(said, "checkout", "a"));
    assert_eq!(recorder.seen(), expected);
    assert_eq!(*recorder.opened.lock(), ["evenkeel"], "one span for one request");
}

#[tokio::test(start_paused = true)]
async fn a_layer_opens_the_same_span() {
    let recorder = Recorder::default();
    let _recording = recorder.record();
    let endpoint = Endpoint::new("b", Address("10.0.0.1"));
    let balancer = Balancer::builder().name("search").endpoint(endpoint).build().unwrap();
    let service = BalanceLayer::new(balancer.clone()).layer(Talkative { fails: false });
    service.oneshot(String::new()).await.unwrap();
    let expected = ["called", "polled", "woken"].map(|said| seen(said, "search", "b"));
    assert_eq!(recorder.seen(), expected);
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_within_the_span_too() {
    let recorder = Recorder::default();
    let _recording = recorder.record();
    let endpoint = Endpoint::new("a", Talkative { fails: true });
    let balancer = Balancer::builder().endpoint(endpoint).build().unwrap();
    balancer.service().oneshot(()).await.unwrap_err();
    let expected = ["called", "polled", "woken"].map(|said| seen(said, "default", "a"));
    assert_eq!(recorder.seen(), expected, "an unnamed balancer is called `default`");
}

#[tokio::test(start_paused = true)]
async fn the_span_says_which_attempt_it_is_by_which_strategy_and_version() {
    let recorder = Recorder::default();
    let _recording = recorder.record();
    let balancer = talkative(["a", "b", "c"]);
    let key = Key::none().excluding(&"a".into()).excluding(&"c".into());
    balancer.service().key_by(move |_: &()| key.clone()).oneshot(()).await.unwrap();
    let expected = ["called", "polled", "woken"].map(|said| attempt("3", said, "checkout", "b"));
    assert_eq!(recorder.seen(), expected);

    balancer.set_weight(&"a".into(), 0).unwrap();
    balancer.insert(Endpoint::new("d", Talkative { fails: false })).unwrap();
    recorder.events.lock().clear();
    balancer.service().oneshot(()).await.unwrap();
    for event in recorder.seen() {
        assert_eq!(event.spans[0].1["version"], "2.2");
        assert_eq!(event.spans[0].1["attempt"], "1");
    }
    assert_eq!(recorder.seen().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn endpoints_that_were_not_ready_count_as_attempts() {
    /// Never ready, or always.
    #[derive(Clone)]
    struct Maybe(bool);

    impl Service<()> for Maybe {
        type Response = ();
        type Error = BoxError;
        type Future = Ready<Result<(), BoxError>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
            if self.0 { Poll::Ready(Ok(())) } else { Poll::Pending }
        }

        fn call(&mut self, _: ()) -> Self::Future {
            info!("called");
            ready(Ok(()))
        }
    }

    let recorder = Recorder::default();
    let _recording = recorder.record();
    let endpoints = [("a", false), ("b", true)].map(|(id, ready)| Endpoint::new(id, Maybe(ready)));
    let balancer = Balancer::builder().endpoints(endpoints).seed(1).build().unwrap();
    for _ in 0..8 {
        balancer.service().oneshot(()).await.unwrap();
    }
    let attempts = recorder.seen().into_iter().map(|event| {
        assert_eq!(event.spans[0].1["endpoint"], "b");
        event.spans[0].1["attempt"].clone()
    });
    let attempts: std::collections::BTreeSet<_> = attempts.collect();
    assert_eq!(attempts, ["1", "2"].map(str::to_owned).into(), "at once, or after `a`");
}

#[tokio::test(start_paused = true)]
async fn a_request_outlives_its_balancer_and_still_has_a_span() {
    let recorder = Recorder::default();
    let _recording = recorder.record();
    let mut service = talkative(["a"]).service();
    let response = service.call(());
    drop(service);
    response.await.unwrap();
    let spans = &recorder.seen()[0].spans;
    assert_eq!(spans[0].1["endpoint"], "a");
    assert!(!spans[0].1.contains_key("version"), "nobody serves it any more");
}

#[tokio::test(start_paused = true)]
async fn requests_that_are_under_way_together_keep_their_spans_apart() {
    let recorder = Recorder::default();
    let _recording = recorder.record();
    let balancer = talkative(["a", "b"]);
    let only = |name: &'static str| {
        let other = if name == "a" { "b" } else { "a" };
        let key = Key::none().excluding(&other.into());
        balancer.service().key_by(move |_: &()| key.clone()).oneshot(())
    };
    let (a, b) = tokio::join!(only("a"), only("b"));
    a.unwrap();
    b.unwrap();
    // Both wake at the same instant, so their order is left open.
    let mut found = recorder.seen();
    found.sort();
    let expected = ["called", "polled", "woken"]
        .map(|said| ["a", "b"].map(|endpoint| attempt("2", said, "checkout", endpoint)));
    assert_eq!(found, expected.concat());
    assert_eq!(*recorder.opened.lock(), ["evenkeel"; 2]);
}

#[tokio::test(start_paused = true)]
async fn the_caller_is_never_left_inside_the_span() {
    let recorder = Recorder::default();
    let _recording = recorder.record();
    let mut service = talkative(["a"]).service();
    let outside = |message: &str| Seen { message: message.to_owned(), spans: Vec::new() };
    let mut response = Box::pin(service.call(()));
    info!("before");
    let pending = futures_util::poll!(response.as_mut());
    assert!(pending.is_pending());
    info!("between");
    response.await.unwrap();
    info!("after");
    let events = recorder.seen();
    for said in ["before", "between", "after"] {
        assert!(events.contains(&outside(said)), "{said}: {events:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_span_is_a_child_of_the_callers() {
    let recorder = Recorder::default();
    let _recording = recorder.record();
    let mut service = talkative(["a"]).service();
    let span = tracing::info_span!("checkout-page", user = "ann");
    let mut response = {
        let _entered = span.enter();
        let mut response = Box::pin(service.call(()));
        assert!(futures_util::poll!(response.as_mut()).is_pending());
        response
    };
    response.as_mut().await.unwrap();
    for event in recorder.seen() {
        let names: Vec<_> = event.spans.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["checkout-page", "evenkeel"], "{event:?}");
    }
    assert_eq!(recorder.seen().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_opens_no_span() {
    let recorder = Recorder::default();
    let _recording = recorder.record();
    talkative([]).service().oneshot(()).await.unwrap_err();
    assert_eq!(*recorder.opened.lock(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn without_a_subscriber_nothing_breaks() {
    let balancer = talkative(["a", "b", "c"]);
    for _ in 0..20 {
        assert_eq!(balancer.service().oneshot(()).await.unwrap(), "hello");
    }
    let client =
        service_fn(|address: String| -> Ready<Result<String, Infallible>> { ready(Ok(address)) });
    let endpoint = Endpoint::new("b", Address("10.0.0.1"));
    let balancer = Balancer::builder().endpoint(endpoint).build().unwrap();
    let service = BalanceLayer::new(balancer).layer(client);
    assert_eq!(service.oneshot(String::new()).await.unwrap(), "10.0.0.1");
}
