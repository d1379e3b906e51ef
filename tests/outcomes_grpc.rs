//! What a gRPC answer says about its endpoint: every status, wherever it stands.

#![cfg(all(feature = "config", feature = "http"))]
#![allow(clippy::unwrap_used)]

mod support;

use std::collections::VecDeque;
use std::future::ready;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use evenkeel::{
    BalanceLayer, Balancer, ByGrpcStatus, ChosenEndpoint, Classify, Endpoint, EndpointStatus,
    FailureKind, Outcome,
};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, Uri};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use tower::util::BoxCloneSyncService;
use tower::{Layer, ServiceExt, service_fn};

use crate::support::{id, status};

const OTHER: Outcome = Outcome::Failure(FailureKind::Other);
const GATEWAY: Outcome = Outcome::Failure(FailureKind::Gateway);
const LOCAL: Outcome = Outcome::Failure(FailureKind::Local);
const TIMEOUT: Outcome = Outcome::Failure(FailureKind::Timeout);

/// `grpc-status` and what it means, without a pushback.
const STATUSES: [(&str, Outcome); 17] = [
    ("0", Outcome::Success),
    ("1", Outcome::Ignore),
    ("2", OTHER),
    ("3", Outcome::Success),
    ("4", TIMEOUT),
    ("5", Outcome::Success),
    ("6", Outcome::Success),
    ("7", Outcome::Success),
    ("8", Outcome::overloaded(None)),
    ("9", Outcome::Success),
    ("10", Outcome::Success),
    ("11", Outcome::Success),
    ("12", Outcome::Success),
    ("13", OTHER),
    ("14", GATEWAY),
    ("15", OTHER),
    ("16", Outcome::Success),
];

/// Numbers nobody has given a meaning, and no numbers.
const UNKNOWN: [&str; 9] = ["17", "99", "4294967295", "4294967296", "-1", "", "OK", "1.0", "0x0"];

/// `grpc-retry-pushback-ms` and the time it asks for; a negative number forbids retries.
const PUSHBACKS: [(&str, Option<Duration>); 8] = [
    ("0", Some(Duration::ZERO)),
    ("250", Some(Duration::from_millis(250))),
    ("60000", Some(Duration::from_mins(1))),
    ("18446744073709551615", Some(Duration::from_millis(u64::MAX))),
    ("-1", None),
    ("-9223372036854775808", None),
    ("soon", None),
    ("", None),
];

/// Every way to write a status and a pushback, and the outcome.
fn every_status() -> Vec<(Vec<(&'static str, &'static str)>, Outcome)> {
    let unknown = UNKNOWN.map(|status| (status, OTHER));
    let mut cases = Vec::new();
    for (status, outcome) in STATUSES.into_iter().chain(unknown) {
        cases.push((vec![("grpc-status", status)], outcome));
        for (pushback, wish) in PUSHBACKS {
            let outcome = match status {
                "8" => Outcome::overloaded(wish),
                "14" if wish.is_some() => Outcome::overloaded(wish),
                _ => outcome,
            };
            cases.push((
                vec![("grpc-status", status), ("grpc-retry-pushback-ms", pushback)],
                outcome,
            ));
        }
    }
    cases
}

fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
    let header = |&(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value));
    pairs.iter().map(header).collect()
}

/// A body that gives the frames it was given.
#[derive(Default)]
struct Scripted {
    frames: VecDeque<io::Result<Frame<Bytes>>>,
    /// Whether it knows of its end before it is asked for one frame more.
    knows_its_end: bool,
}

impl Scripted {
    fn message(mut self) -> Self {
        self.frames.push_back(Ok(Frame::data(Bytes::from_static(b"\0\0\0\0\x01x"))));
        self
    }

    fn trailers(mut self, pairs: &[(&'static str, &'static str)]) -> Self {
        self.frames.push_back(Ok(Frame::trailers(headers(pairs))));
        self
    }

    fn error(mut self) -> Self {
        self.frames.push_back(Err(io::ErrorKind::ConnectionReset.into()));
        self
    }

    fn knowing(self, knows_its_end: bool) -> Self {
        Self { knows_its_end, ..self }
    }
}

impl Body for Scripted {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        Poll::Ready(self.frames.pop_front())
    }

    fn is_end_stream(&self) -> bool {
        self.knows_its_end && self.frames.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}

type Answer = Response<Scripted>;
type Server = BoxCloneSyncService<Answer, Answer, io::Error>;

fn answer(code: u16, head: &[(&'static str, &'static str)], body: Scripted) -> Answer {
    let mut answer = Response::new(body);
    *answer.status_mut() = http::StatusCode::from_u16(code).unwrap();
    *answer.headers_mut() = headers(head);
    answer
}

fn judged(answer: &Answer) -> Outcome {
    Classify::<Answer, io::Error>::classify(&ByGrpcStatus, Ok(answer))
}

/// One endpoint that answers with its request.
fn balancer() -> Balancer<Server> {
    let echo: Server = BoxCloneSyncService::new(service_fn(|answer: Answer| ready(Ok(answer))));
    Balancer::builder().endpoint(Endpoint::new(id(0), echo)).seed(0).build().unwrap()
}

/// What an endpoint has been found to be by one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Counted {
    Success,
    Failure,
    Overloaded,
    Ignored,
}

impl From<Outcome> for Counted {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Success => Self::Success,
            Outcome::Failure(_) => Self::Failure,
            Outcome::Overloaded { .. } => Self::Overloaded,
            _ => Self::Ignored,
        }
    }
}

/// What the only request so far was counted as.
fn counted(status: &EndpointStatus) -> Counted {
    assert_eq!((status.picks, status.in_flight), (1, 0), "one request, and it is over: {status:?}");
    match (status.successes, status.failures, status.overloaded) {
        (1, 0, 0) => Counted::Success,
        (0, 1, 0) => Counted::Failure,
        (0, 0, 1) => Counted::Overloaded,
        (0, 0, 0) => Counted::Ignored,
        more => unreachable!("one request, counted as {more:?}"),
    }
}

/// Sends `answer` through a balance that does not follow, and drops it unread.
async fn at_the_head(answer: Answer) -> Counted {
    let balancer = balancer();
    let answer = balancer.service().classify(ByGrpcStatus).oneshot(answer).await.unwrap();
    assert_eq!(answer.extensions().get(), Some(&ChosenEndpoint(id(0))));
    counted(&status(&balancer, &id(0)))
}

/// Sends `answer` through a balance that follows, and reads it to its end.
async fn at_the_end(answer: Answer) -> Counted {
    let balancer = balancer();
    let service = balancer.service().classify(ByGrpcStatus).follow_body();
    let mut answer = service.oneshot(answer).await.unwrap();
    assert_eq!(answer.extensions().get(), Some(&ChosenEndpoint(id(0))));
    while let Some(frame) = answer.body_mut().frame().await {
        if frame.is_err() {
            break;
        }
    }
    counted(&status(&balancer, &id(0)))
}

#[test]
fn every_status_in_the_head_has_its_outcome() {
    for (head, expected) in every_status() {
        assert_eq!(judged(&answer(200, &head, Scripted::default())), expected, "{head:?}");
    }
}

/// A proxy that answers in a server's stead says so by its HTTP status; where both speak, gRPC's
/// word counts.
#[test]
fn a_grpc_status_goes_before_the_http_status() {
    for code in [200, 404, 429, 500, 503] {
        for (head, expected) in every_status() {
            let found = judged(&answer(code, &head, Scripted::default()));
            assert_eq!(found, expected, "{code}, {head:?}");
        }
    }
}

#[test]
fn every_status_in_trailers_has_its_outcome() {
    for (trailers, expected) in every_status() {
        let trailers_map = headers(&trailers);
        let found = Classify::<Answer, io::Error>::end(
            &ByGrpcStatus,
            Outcome::Success,
            Some(&trailers_map),
        );
        assert_eq!(found, expected, "{trailers:?}");
    }
}

#[test]
fn trailers_do_not_mend_what_the_head_has_said() {
    let ok = headers(&[("grpc-status", "0")]);
    for head in [OTHER, GATEWAY, TIMEOUT, Outcome::overloaded(None), Outcome::Ignore] {
        for trailers in [None, Some(&ok)] {
            let end = Classify::<Answer, io::Error>::end(&ByGrpcStatus, head, trailers);
            assert_eq!(end, head);
        }
    }
}

#[test]
fn trailers_without_a_status_and_no_trailers_are_a_failure() {
    for trailers in [None, Some(&HeaderMap::new()), Some(&headers(&[("x-trace", "0")]))] {
        let end = Classify::<Answer, io::Error>::end(&ByGrpcStatus, Outcome::Success, trailers);
        assert_eq!(end, OTHER, "{trailers:?}");
    }
}

#[test]
fn an_error_instead_of_an_answer_is_a_local_failure() {
    let error = io::Error::from(io::ErrorKind::ConnectionRefused);
    assert_eq!(Classify::<Answer, _>::classify(&ByGrpcStatus, Err(&error)), LOCAL);
}

const BY_HTTP: [(u16, &str, Outcome); 14] = [
    (204, "", Outcome::Success),
    (302, "", Outcome::Success),
    (400, "", Outcome::Success),
    (401, "", Outcome::Success),
    (404, "", Outcome::Success),
    (415, "", Outcome::Success),
    (429, "", Outcome::overloaded(None)),
    (429, "5", Outcome::overloaded(Some(Duration::from_secs(5)))),
    (500, "", OTHER),
    (501, "", OTHER),
    (502, "", GATEWAY),
    (503, "", GATEWAY),
    (503, "5", Outcome::overloaded(Some(Duration::from_secs(5)))),
    (504, "", GATEWAY),
];

fn by_http(code: u16, wish: &'static str, body: Scripted) -> Answer {
    let wish = [("retry-after", wish)];
    answer(code, if wish[0].1.is_empty() { &[] } else { &wish }, body)
}

#[test]
fn without_a_grpc_status_an_answer_that_is_not_200_is_judged_by_http() {
    for (code, wish, expected) in BY_HTTP {
        let found = judged(&by_http(code, wish, Scripted::default()));
        assert_eq!(found, expected, "{code}, {wish:?}");
    }
}

// --- Through a balance ---------------------------------------------------------------------------

#[tokio::test(start_paused = true)]
async fn an_answer_of_trailers_only_is_judged_by_its_head() {
    for (head, expected) in every_status() {
        let expected = Counted::from(expected);
        let found = at_the_head(answer(200, &head, Scripted::default().knowing(true))).await;
        assert_eq!(found, expected, "not followed, {head:?}");
        for knows in [false, true] {
            let body = Scripted::default().knowing(knows);
            let found = at_the_end(answer(200, &head, body)).await;
            assert_eq!(found, expected, "followed, knows its end: {knows}, {head:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_followed_is_judged_by_its_trailers() {
    for (trailers, expected) in every_status() {
        for messages in 0..3 {
            for knows in [false, true] {
                let body = (0..messages).fold(Scripted::default(), |body, _| body.message());
                let body = body.trailers(&trailers).knowing(knows);
                let found = at_the_end(answer(200, &[], body)).await;
                let case = format!("{messages} messages, knows its end: {knows}, {trailers:?}");
                assert_eq!(found, Counted::from(expected), "{case}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn trailers_of_a_body_that_is_not_followed_are_not_seen() {
    for (trailers, _) in every_status() {
        let body = Scripted::default().message().trailers(&trailers);
        assert_eq!(at_the_head(answer(200, &[], body)).await, Counted::Success, "{trailers:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_ends_without_a_status_has_failed() {
    for knows in [false, true] {
        for (what, body) in [
            ("one message", Scripted::default().message()),
            ("two messages", Scripted::default().message().message()),
            ("other trailers", Scripted::default().message().trailers(&[("x-trace", "0")])),
            ("empty trailers", Scripted::default().message().trailers(&[])),
        ] {
            let found = at_the_end(answer(200, &[], body.knowing(knows))).await;
            assert_eq!(found, Counted::Failure, "{what}, knows its end: {knows}");
        }
    }
}

/// `ByGrpcStatus`: "A body that ends without a status has failed." One that ends at once has ended.
#[tokio::test(start_paused = true)]
async fn a_body_that_ends_at_once_without_a_status_has_failed() {
    for knows in [false, true] {
        let found = at_the_end(answer(200, &[], Scripted::default().knowing(knows))).await;
        assert_eq!(found, Counted::Failure, "knows its end: {knows}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_breaks_has_failed_whatever_came_before() {
    for messages in 0..3 {
        let body = (0..messages).fold(Scripted::default(), |body, _| body.message()).error();
        let found = at_the_end(answer(200, &[], body)).await;
        assert_eq!(found, Counted::Failure, "after {messages} messages");
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_not_200_is_judged_by_http_where_nobody_follows() {
    for (code, wish, expected) in BY_HTTP {
        let found = at_the_head(by_http(code, wish, Scripted::default().message())).await;
        assert_eq!(found, Counted::from(expected), "{code}, {wish:?}");
    }
}

/// `ByGrpcStatus`: "A response that is not 200 and carries no status never came from a gRPC server:
/// it is judged as `ByStatus` does." Nobody has to wait for trailers then.
#[tokio::test(start_paused = true)]
async fn an_answer_that_is_not_200_is_judged_by_http_where_somebody_follows() {
    for (code, wish, expected) in BY_HTTP {
        for messages in 0..2 {
            for knows in [false, true] {
                let body = (0..messages).fold(Scripted::default(), |body, _| body.message());
                let found = at_the_end(by_http(code, wish, body.knowing(knows))).await;
                let case = format!("{code}, {wish:?}, {messages} messages, knows: {knows}");
                assert_eq!(found, Counted::from(expected), "{case}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_followed_body_holds_its_endpoint_until_the_trailers() {
    let balancer = balancer();
    let service = balancer.service().classify(ByGrpcStatus).follow_body();
    let body = Scripted::default().message().message().trailers(&[("grpc-status", "13")]);
    let mut answer = service.oneshot(answer(200, &[], body)).await.unwrap();
    for _ in 0..2 {
        let found = status(&balancer, &id(0));
        assert_eq!((found.in_flight, found.successes, found.failures), (1, 0, 0));
        assert!(answer.body_mut().frame().await.unwrap().unwrap().is_data());
    }
    assert!(answer.body_mut().frame().await.unwrap().unwrap().is_trailers());
    assert_eq!(counted(&status(&balancer, &id(0))), Counted::Failure, "before the body is dropped");
    assert!(answer.body_mut().frame().await.is_none());
    drop(answer);
    assert_eq!(counted(&status(&balancer, &id(0))), Counted::Failure, "and only once");
}

#[tokio::test(start_paused = true)]
async fn a_followed_body_that_is_dropped_releases_and_judges_nothing() {
    let balancer = balancer();
    let service = balancer.service().classify(ByGrpcStatus).follow_body();
    let body = Scripted::default().message().trailers(&[("grpc-status", "13")]);
    let answer = service.oneshot(answer(200, &[], body)).await.unwrap();
    assert_eq!(status(&balancer, &id(0)).in_flight, 1);
    drop(answer);
    assert_eq!(counted(&status(&balancer, &id(0))), Counted::Ignored);
}

#[tokio::test(start_paused = true)]
async fn a_layer_follows_and_judges_alike() {
    for (trailers, expected) in every_status() {
        let uri = Uri::from_static("http://10.0.0.1");
        let balancer = Balancer::builder().endpoint(Endpoint::new(id(0), uri)).build().unwrap();
        let client = service_fn(|request: Request<Scripted>| {
            ready(Ok::<_, io::Error>(answer(200, &[], request.into_body())))
        });
        let layer = BalanceLayer::new(balancer.clone()).classify(ByGrpcStatus).follow_body();
        let request = Request::new(Scripted::default().message().trailers(&trailers));
        let answer = layer.layer(client).oneshot(request).await.unwrap();
        assert_eq!(answer.extensions().get(), Some(&ChosenEndpoint(id(0))));
        assert_eq!(status(&balancer, &id(0)).in_flight, 1);
        let all = answer.into_body().collect().await.unwrap();
        assert_eq!(all.trailers(), Some(&headers(&trailers)), "the caller gets them too");
        let found = counted(&status(&balancer, &id(0)));
        assert_eq!(found, Counted::from(expected), "{trailers:?}");
    }
}
