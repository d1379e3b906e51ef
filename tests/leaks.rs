//! However a request ends, its endpoint is released: a thousand ends of each kind leave nothing in
//! flight, every one is counted once, and nothing outlives the balancer and its requests.

#![cfg(all(feature = "config", feature = "http"))]
#![allow(clippy::unwrap_used)]

mod support;

use std::collections::VecDeque;
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::pin::{Pin, pin};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use evenkeel::{
    BalanceLayer, Balancer, BoxError, ByGrpcStatus, Classify, Endpoint, EndpointError,
    EndpointErrorReason, EndpointStatus, FollowedBody, Key, Outcome, Target, find_cause,
};
use futures_util::FutureExt;
use futures_util::future::join_all;
use http::{HeaderMap, Response};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use http_body_util::combinators::UnsyncBoxBody;
use tower::timeout::Timeout;
use tower::timeout::error::Elapsed;
use tower::util::BoxCloneSyncService;
use tower::{Layer, Service, ServiceExt, service_fn};

use crate::support::{config, id, strategy};

const REQUESTS: u64 = 1_000;
const ENDPOINTS: u64 = 3;

const KINDS: [&str; 4] =
    ["kind = 'round_robin'", "kind = 'random'", "kind = 'least_request'", "kind = 'peak_ewma'"];

// --- A service that goes wrong where it is told --------------------------------------------------

/// Where a request goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wrong {
    Nowhere,
    ReadyPends,
    ReadyFails,
    ReadyPanics,
    CallPanics,
    FuturePends,
    FutureFails,
    FuturePanics,
    KeyPanics,
    DirectFails,
    DirectPanics,
    ClassifyPanics,
    MarkPanics,
    IsFinalPanics,
    EndPanics,
}

/// A panic that the hook does not print.
fn panics() -> ! {
    resume_unwind(Box::new("as the test wants it"))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Failed;

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("failed")
    }
}

impl Error for Failed {}

#[derive(Debug)]
struct Ask;

/// Answers with the scripted body, unless it goes wrong before.
#[derive(Clone)]
struct Scripted {
    wrong: Wrong,
    script: &'static [Step],
    hints: bool,
    ready: bool,
    _probe: Arc<()>,
}

impl Service<Ask> for Scripted {
    type Response = Response<ScriptedBody>;
    type Error = Failed;
    type Future = Answering;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Failed>> {
        match self.wrong {
            Wrong::ReadyPends => Poll::Pending,
            Wrong::ReadyFails => Poll::Ready(Err(Failed)),
            Wrong::ReadyPanics => panics(),
            _ => {
                self.ready = true;
                Poll::Ready(Ok(()))
            }
        }
    }

    fn call(&mut self, _: Ask) -> Answering {
        assert!(std::mem::take(&mut self.ready), "called and was not ready");
        if self.wrong == Wrong::CallPanics {
            panics();
        }
        Answering(self.clone())
    }
}

struct Answering(Scripted);

impl Future for Answering {
    type Output = Result<Response<ScriptedBody>, Failed>;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        let Scripted { wrong, script, hints, .. } = self.0;
        match wrong {
            Wrong::FuturePends => Poll::Pending,
            Wrong::FutureFails => Poll::Ready(Err(Failed)),
            Wrong::FuturePanics => panics(),
            _ => Poll::Ready(Ok(Response::new(ScriptedBody {
                steps: script.iter().copied().collect(),
                hints,
            }))),
        }
    }
}

/// What a body does when it is asked for a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Data(&'static [u8]),
    /// Trailers with this `grpc-status`.
    Trailers(&'static str),
    Pends,
    Fails,
    Panics,
}

use Step::{Data, Fails, Panics, Pends, Trailers};

/// A body that follows a script; one that `hints` says when nothing more will come.
struct ScriptedBody {
    steps: VecDeque<Step>,
    hints: bool,
}

impl Body for ScriptedBody {
    type Data = Bytes;
    type Error = Failed;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Failed>>> {
        match self.steps.front() {
            Some(Pends) => return Poll::Pending,
            Some(Panics) => panics(),
            _ => {}
        }
        Poll::Ready(match self.steps.pop_front() {
            Some(Data(bytes)) => Some(Ok(Frame::data(Bytes::from_static(bytes)))),
            Some(Trailers(status)) => {
                let mut trailers = HeaderMap::new();
                trailers.insert("grpc-status", status.parse().unwrap());
                Some(Ok(Frame::trailers(trailers)))
            }
            Some(_) => Some(Err(Failed)),
            None => None,
        })
    }

    fn is_end_stream(&self) -> bool {
        self.hints && self.steps.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.steps.len() as u64)
    }
}

/// An address that directs nothing, or goes wrong.
struct Address {
    wrong: Wrong,
    _probe: Arc<()>,
}

impl Target<Ask> for Address {
    fn direct(&self, request: Ask) -> Result<Ask, BoxError> {
        match self.wrong {
            Wrong::DirectFails => Err(Failed.into()),
            Wrong::DirectPanics => panics(),
            _ => Ok(request),
        }
    }
}

/// By `Ok`, `Err` and trailers, unless it goes wrong.
#[derive(Clone, Copy)]
struct Judge(Wrong);

impl Judge {
    fn panics_at(self, place: Wrong) {
        if self.0 == place {
            panics();
        }
    }
}

impl Classify<Response<ScriptedBody>, Failed> for Judge {
    fn classify(&self, result: Result<&Response<ScriptedBody>, &Failed>) -> Outcome {
        self.panics_at(Wrong::ClassifyPanics);
        if result.is_ok() { Outcome::Success } else { Outcome::failure() }
    }

    fn mark(&self, _: &mut Response<ScriptedBody>, _: &evenkeel::EndpointId) {
        self.panics_at(Wrong::MarkPanics);
    }

    fn is_final(&self, _: &Response<ScriptedBody>) -> bool {
        self.panics_at(Wrong::IsFinalPanics);
        false
    }

    fn end(&self, head: Outcome, trailers: Option<&HeaderMap>) -> Outcome {
        self.panics_at(Wrong::EndPanics);
        match trailers {
            Some(_) => Classify::<Response<()>, Failed>::end(&ByGrpcStatus, head, trailers),
            None => head,
        }
    }
}

fn key_of(wrong: Wrong) -> impl Fn(&Ask) -> Key + Clone {
    move |_: &Ask| if wrong == Wrong::KeyPanics { panics() } else { Key::none() }
}

// --- The four stacks -----------------------------------------------------------------------------

type AnyBody = UnsyncBoxBody<Bytes, Failed>;
type AnyService = BoxCloneSyncService<Ask, Response<AnyBody>, BoxError>;

/// What a scenario wants of the stacks it runs on.
#[derive(Clone, Copy)]
struct Wanted {
    wrong: Wrong,
    script: &'static [Step],
    hints: bool,
    settings: &'static str,
}

const PLAIN: Wanted =
    Wanted { wrong: Wrong::Nowhere, script: &[Data(b"a"), Data(b"b")], hints: false, settings: "" };

/// One of the services over a seeded balancer, made alike on the outside.
struct Stack {
    what: String,
    service: AnyService,
    status: Box<dyn Fn() -> Vec<EndpointStatus>>,
    targets: Vec<Weak<()>>,
    layered: bool,
    follows: bool,
}

/// The sums over all endpoints.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Sums {
    picks: u64,
    successes: u64,
    failures: u64,
    overloaded: u64,
    /// The rest: requests that say nothing about their endpoint.
    ignored: u64,
}

const NOTHING: Sums = Sums { picks: 0, successes: 0, failures: 0, overloaded: 0, ignored: 0 };
const ALL_WELL: Sums = Sums { picks: REQUESTS, successes: REQUESTS, ..NOTHING };
const ALL_FAILED: Sums = Sums { picks: REQUESTS, failures: REQUESTS, ..NOTHING };
const ALL_IGNORED: Sums = Sums { picks: REQUESTS, ignored: REQUESTS, ..NOTHING };

impl Stack {
    fn new<S, T, B>(
        what: String,
        service: S,
        balancer: &Balancer<T>,
        targets: Vec<Weak<()>>,
        [layered, follows]: [bool; 2],
    ) -> Self
    where
        S: Service<Ask, Response = Response<B>, Error = BoxError> + Clone + Send + Sync + 'static,
        S::Future: Send + 'static,
        B: Body<Data = Bytes, Error = Failed> + Send + 'static,
        T: Send + Sync + 'static,
    {
        let unified =
            service.map_response(|response: Response<B>| response.map(BodyExt::boxed_unsync));
        let service = BoxCloneSyncService::new(unified);
        let balancer = balancer.clone();
        let status = Box::new(move || balancer.status().endpoints);
        Self { what, service, status, targets, layered, follows }
    }

    /// `Balance` and `BalanceLayer`, until the head and until the end of the body, on `kind`.
    fn all_on(kind: &'static str, wanted: Wanted) -> Vec<Self> {
        let Wanted { wrong, script, hints, settings } = wanted;
        // Whatever fails here goes on being asked.
        let settings = config(&format!("{}\n{settings}", strategy(kind)));
        let outlier = settings.outlier().cloned().unwrap_or_default();
        let settings = settings.with_outlier(Some(outlier.with_consecutive_failures(None)));
        let probes = || (0..ENDPOINTS).map(|_| Arc::new(()));
        let mut stacks = Vec::new();
        for follows in [false, true] {
            let what = |name| format!("{name}, follows: {follows}, {kind}, {wrong:?}");

            let mut targets = Vec::new();
            let endpoints = probes().enumerate().map(|(n, probe)| {
                targets.push(Arc::downgrade(&probe));
                let target = Scripted { wrong, script, hints, ready: false, _probe: probe };
                Endpoint::new(id(n), target)
            });
            let builder = Balancer::builder().config(settings.clone()).seed(3);
            let balancer = builder.endpoints(endpoints).build().unwrap();
            let service = balancer.service().key_by(key_of(wrong)).classify(Judge(wrong));
            let name = what("Balance");
            stacks.push(if follows {
                Self::new(name, service.follow_body(), &balancer, targets, [false, follows])
            } else {
                Self::new(name, service, &balancer, targets, [false, follows])
            });

            let mut targets = Vec::new();
            let endpoints = probes().enumerate().map(|(n, probe)| {
                targets.push(Arc::downgrade(&probe));
                Endpoint::new(id(n), Address { wrong, _probe: probe })
            });
            let builder = Balancer::builder().config(settings.clone()).seed(3);
            let balancer = builder.endpoints(endpoints).build().unwrap();
            let layer = BalanceLayer::new(balancer.clone());
            let layer = layer.key_by(key_of(wrong)).classify(Judge(wrong));
            let client = Scripted { wrong, script, hints, ready: false, _probe: Arc::new(()) };
            let name = what("BalanceLayer");
            stacks.push(if follows {
                let service = layer.follow_body().layer(client);
                Self::new(name, service, &balancer, targets, [true, follows])
            } else {
                Self::new(name, layer.layer(client), &balancer, targets, [true, follows])
            });
        }
        stacks
    }

    fn all(wanted: Wanted) -> impl Iterator<Item = Self> {
        KINDS.into_iter().flat_map(move |kind| Self::all_on(kind, wanted))
    }

    /// A request that was called and not yet polled.
    fn call(&self) -> impl Future<Output = Result<Response<AnyBody>, BoxError>> + use<> {
        let mut service = self.service.clone();
        let readied = service.ready().now_or_never();
        assert!(matches!(readied, Some(Ok(_))), "{}: always ready", self.what);
        service.call(Ask)
    }

    /// The answer of a request that is answered at once.
    fn answer(&self) -> Result<Response<AnyBody>, BoxError> {
        self.call().now_or_never().expect("answered at once")
    }

    fn bodies(&self) -> Vec<Pin<Box<AnyBody>>> {
        (0..REQUESTS).map(|_| Box::pin(self.answer().unwrap().into_body())).collect()
    }

    fn in_flight(&self) -> u64 {
        (self.status)().iter().map(|endpoint| endpoint.in_flight).sum()
    }

    fn sums(&self) -> Sums {
        let mut sums = NOTHING;
        for endpoint in (self.status)() {
            let EndpointStatus { picks, successes, failures, overloaded, .. } = endpoint;
            sums.picks += picks;
            sums.successes += successes;
            sums.failures += failures;
            sums.overloaded += overloaded;
            let judged = successes + failures + overloaded;
            let rest = picks.checked_sub(judged).expect("more outcomes than picks");
            sums.ignored += rest - endpoint.in_flight;
        }
        sums
    }

    /// Nothing is in flight anywhere, the sums are these, and nothing is left once it is gone.
    fn ends(self, expected: Sums) {
        for endpoint in (self.status)() {
            assert_eq!(endpoint.in_flight, 0, "{}: {endpoint:?}", self.what);
        }
        assert_eq!(self.sums(), expected, "{}", self.what);
        self.vanishes();
    }

    fn vanishes(self) {
        let Self { what, service, status, targets, .. } = self;
        assert!(targets.iter().all(|target| target.strong_count() > 0), "{what}");
        drop((service, status));
        for target in targets {
            assert_eq!(target.strong_count(), 0, "{what}: a target outlives its balancer");
        }
    }
}

fn frame(body: &mut Pin<Box<AnyBody>>) -> Poll<Option<Result<Frame<Bytes>, Failed>>> {
    body.as_mut().poll_frame(&mut Context::from_waker(Waker::noop()))
}

fn data(body: &mut Pin<Box<AnyBody>>) {
    let frame = frame(body);
    assert!(matches!(frame, Poll::Ready(Some(Ok(frame))) if frame.is_data()));
}

/// Whether `act` panics.
fn unwinds<R>(act: impl FnOnce() -> R) -> bool {
    std::panic::catch_unwind(AssertUnwindSafe(act)).is_err()
}

// --- Callers who go away -------------------------------------------------------------------------

#[tokio::test(start_paused = true)]
async fn dropped_before_the_first_poll() {
    for stack in Stack::all(PLAIN) {
        let requests: Vec<_> = (0..REQUESTS).map(|_| stack.call()).collect();
        assert_eq!(stack.in_flight(), REQUESTS, "{}", stack.what);
        drop(requests);
        // What was never sent was never counted.
        stack.ends(NOTHING);
    }
}

/// Nothing was sent to those that were asked whether they are ready: they are not judged.
#[tokio::test(start_paused = true)]
async fn dropped_while_nobody_is_ready() {
    for stack in Stack::all(Wanted { wrong: Wrong::ReadyPends, ..PLAIN }) {
        let mut requests: Vec<_> = (0..REQUESTS).map(|_| Box::pin(stack.call())).collect();
        for request in &mut requests {
            assert!(request.now_or_never().is_none(), "{}", stack.what);
        }
        // A layer asks its client for one endpoint; a `Balance` asks all endpoints.
        let asked = if stack.layered { REQUESTS } else { REQUESTS * ENDPOINTS };
        assert_eq!(stack.in_flight(), asked, "{}", stack.what);
        drop(requests);
        assert_eq!(stack.in_flight(), 0, "{}", stack.what);
        let sums = stack.sums();
        assert_eq!((sums.successes, sums.failures, sums.overloaded), (0, 0, 0), "{}", stack.what);
        stack.vanishes();
    }
}

#[tokio::test(start_paused = true)]
async fn dropped_mid_call() {
    for stack in Stack::all(Wanted { wrong: Wrong::FuturePends, ..PLAIN }) {
        let mut requests: Vec<_> = (0..REQUESTS).map(|_| Box::pin(stack.call())).collect();
        for request in &mut requests {
            assert!(request.now_or_never().is_none(), "{}", stack.what);
        }
        assert_eq!(stack.in_flight(), REQUESTS, "{}", stack.what);
        drop(requests);
        stack.ends(ALL_IGNORED);
    }
}

/// A caller who goes away after a time speaks against an endpoint that has not begun to answer,
/// and not against one that has.
#[tokio::test(start_paused = true)]
async fn dropped_after_a_long_time() {
    let settings = "[outlier]\nabandoned_after = '10s'";
    let wanted = Wanted { wrong: Wrong::FuturePends, settings, ..PLAIN };
    for (waits, expected) in [(9, ALL_IGNORED), (11, ALL_FAILED)] {
        for stack in Stack::all(wanted) {
            let mut requests: Vec<_> = (0..REQUESTS).map(|_| Box::pin(stack.call())).collect();
            for request in &mut requests {
                assert!(request.now_or_never().is_none(), "{}", stack.what);
            }
            tokio::time::advance(Duration::from_secs(waits)).await;
            drop(requests);
            stack.ends(expected);
        }
    }
    for stack in Stack::all(Wanted { settings, ..PLAIN }) {
        let mut bodies = stack.bodies();
        bodies.iter_mut().for_each(data);
        tokio::time::advance(Duration::from_secs(60)).await;
        drop(bodies);
        let expected = if stack.follows { ALL_IGNORED } else { ALL_WELL };
        stack.ends(expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_timeout_outside() {
    for stack in Stack::all(Wanted { wrong: Wrong::FuturePends, ..PLAIN }) {
        let service = Timeout::new(stack.service.clone(), Duration::from_secs(1));
        let requests = (0..REQUESTS).map(|_| service.clone().oneshot(Ask));
        for answer in join_all(requests).await {
            assert!(answer.unwrap_err().is::<Elapsed>(), "{}", stack.what);
        }
        drop(service);
        stack.ends(ALL_IGNORED);
    }
}

// --- Endpoints that fail -------------------------------------------------------------------------

#[tokio::test(start_paused = true)]
async fn the_time_of_an_attempt_is_over() {
    let settings = "[limits]\nattempt_timeout = '1s'";
    for wrong in [Wrong::FuturePends, Wrong::ReadyPends] {
        for stack in Stack::all(Wanted { wrong, settings, ..PLAIN }) {
            let requests = join_all((0..REQUESTS).map(|_| stack.call()));
            let answers = tokio::time::timeout(Duration::from_secs(60), requests).await;
            for answer in answers.expect("no attempt takes that long") {
                let error = answer.unwrap_err();
                let error = find_cause::<EndpointError>(&*error).unwrap();
                assert!(error.is_timeout(), "{}", stack.what);
            }
            // A client that is not ready is no fault of the endpoint, which saw nothing. Where no
            // endpoint is ready, the one that was chosen answers for it.
            let blamed = wrong == Wrong::FuturePends || !stack.layered;
            stack.ends(if blamed { ALL_FAILED } else { NOTHING });
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_call_fails() {
    for stack in Stack::all(Wanted { wrong: Wrong::FutureFails, ..PLAIN }) {
        for _ in 0..REQUESTS {
            let error = stack.answer().err().unwrap();
            assert_eq!(find_cause::<Failed>(&*error), Some(&Failed), "{}", stack.what);
        }
        stack.ends(ALL_FAILED);
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_gets_ready() {
    for stack in Stack::all(Wanted { wrong: Wrong::ReadyFails, ..PLAIN }) {
        for _ in 0..REQUESTS {
            let error = stack.answer().err().unwrap();
            let error = find_cause::<EndpointError>(&*error).unwrap();
            assert_eq!(error.reason(), EndpointErrorReason::NotReady, "{}", stack.what);
        }
        // The client of a layer is no endpoint. Endpoints that break are each asked once.
        let failures = if stack.layered { 0 } else { REQUESTS * ENDPOINTS };
        stack.ends(Sums { picks: failures, failures, ..NOTHING });
    }
}

#[tokio::test(start_paused = true)]
async fn the_request_cannot_be_directed() {
    for stack in Stack::all(Wanted { wrong: Wrong::DirectFails, ..PLAIN }) {
        if !stack.layered {
            continue;
        }
        for _ in 0..REQUESTS {
            let error = stack.answer().err().unwrap();
            let error = find_cause::<EndpointError>(&*error).unwrap();
            assert_eq!(error.reason(), EndpointErrorReason::Undirected, "{}", stack.what);
        }
        stack.ends(NOTHING);
    }
}

// --- Bodies --------------------------------------------------------------------------------------

#[tokio::test(start_paused = true)]
async fn dropped_after_the_head() {
    for stack in Stack::all(PLAIN) {
        let answers: Vec<_> = (0..REQUESTS).map(|_| stack.answer().unwrap()).collect();
        let (open, expected) = if stack.follows { (REQUESTS, ALL_IGNORED) } else { (0, ALL_WELL) };
        assert_eq!(stack.in_flight(), open, "{}", stack.what);
        drop(answers);
        stack.ends(expected);
    }
}

#[tokio::test(start_paused = true)]
async fn dropped_mid_body() {
    let script = &[Data(b"a"), Pends];
    for stack in Stack::all(Wanted { script, ..PLAIN }) {
        let mut bodies = stack.bodies();
        for body in &mut bodies {
            data(body);
            assert!(frame(body).is_pending(), "{}", stack.what);
        }
        let (open, expected) = if stack.follows { (REQUESTS, ALL_IGNORED) } else { (0, ALL_WELL) };
        assert_eq!(stack.in_flight(), open, "{}", stack.what);
        drop(bodies);
        stack.ends(expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_ends() {
    for stack in Stack::all(PLAIN) {
        let mut bodies = stack.bodies();
        for body in &mut bodies {
            data(body);
            data(body);
        }
        let open = if stack.follows { REQUESTS } else { 0 };
        assert_eq!(stack.in_flight(), open, "{}: no body has said that it is over", stack.what);
        for body in &mut bodies {
            assert!(matches!(frame(body), Poll::Ready(None)), "{}", stack.what);
        }
        // Released although nobody has dropped them yet, and once only.
        assert_eq!(stack.in_flight(), 0, "{}", stack.what);
        for body in &mut bodies {
            assert!(matches!(frame(body), Poll::Ready(None)), "{}", stack.what);
        }
        assert_eq!(stack.sums(), ALL_WELL, "{}", stack.what);
        drop(bodies);
        stack.ends(ALL_WELL);
    }
}

/// As hyper does: it asks `is_end_stream` after each frame and never polls a body that is over.
#[tokio::test(start_paused = true)]
async fn a_body_that_says_so_with_its_last_frame_and_is_not_polled_again() {
    for stack in Stack::all(Wanted { hints: true, ..PLAIN }) {
        let mut bodies = stack.bodies();
        bodies.iter_mut().for_each(data);
        let open = if stack.follows { REQUESTS } else { 0 };
        assert_eq!(stack.in_flight(), open, "{}", stack.what);
        for body in &mut bodies {
            assert_eq!((body.is_end_stream(), body.size_hint().exact()), (false, Some(1)));
            data(body);
            assert!(body.is_end_stream(), "{}", stack.what);
        }
        assert_eq!(stack.in_flight(), 0, "{}", stack.what);
        drop(bodies);
        stack.ends(ALL_WELL);
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_over_at_once() {
    for stack in Stack::all(Wanted { script: &[], hints: true, ..PLAIN }) {
        let bodies = stack.bodies();
        assert_eq!(stack.in_flight(), 0, "{}: nobody will poll an empty body", stack.what);
        assert!(bodies.iter().all(Body::is_end_stream));
        drop(bodies);
        stack.ends(ALL_WELL);
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_ends_with_trailers() {
    const GOOD: &[Step] = &[Data(b"a"), Trailers("0")];
    const BAD: &[Step] = &[Trailers("13")];
    const BUSY: &[Step] = &[Data(b"a"), Trailers("8")];
    let busy = Sums { picks: REQUESTS, overloaded: REQUESTS, ..NOTHING };
    for (script, told) in [(GOOD, ALL_WELL), (BAD, ALL_FAILED), (BUSY, busy)] {
        for hints in [false, true] {
            for stack in Stack::all(Wanted { script, hints, ..PLAIN }) {
                let mut bodies = stack.bodies();
                for body in &mut bodies {
                    for step in script {
                        let Poll::Ready(Some(Ok(frame))) = frame(body) else {
                            unreachable!("{}: a frame is there", stack.what)
                        };
                        assert_eq!(frame.is_trailers(), matches!(step, Trailers(_)));
                    }
                }
                // Nothing can follow trailers.
                assert_eq!(stack.in_flight(), 0, "{}", stack.what);
                drop(bodies);
                let expected = if stack.follows { told } else { ALL_WELL };
                stack.ends(expected);
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_fails() {
    let script = &[Data(b"a"), Fails];
    for stack in Stack::all(Wanted { script, ..PLAIN }) {
        let mut bodies = stack.bodies();
        for body in &mut bodies {
            data(body);
            assert!(matches!(frame(body), Poll::Ready(Some(Err(Failed)))), "{}", stack.what);
        }
        assert_eq!(stack.in_flight(), 0, "{}: before the bodies are dropped", stack.what);
        drop(bodies);
        let expected = if stack.follows { ALL_FAILED } else { ALL_WELL };
        stack.ends(expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_panics() {
    let script = &[Data(b"a"), Panics];
    for stack in Stack::all(Wanted { script, ..PLAIN }) {
        for mut body in stack.bodies() {
            data(&mut body);
            assert!(unwinds(|| frame(&mut body)), "{}", stack.what);
        }
        let expected = if stack.follows { ALL_IGNORED } else { ALL_WELL };
        stack.ends(expected);
    }
}

// --- Panics --------------------------------------------------------------------------------------

#[tokio::test(start_paused = true)]
async fn a_panic_on_the_way_to_the_head() {
    for wrong in [
        Wrong::ReadyPanics,
        Wrong::CallPanics,
        Wrong::FuturePanics,
        Wrong::ClassifyPanics,
        Wrong::MarkPanics,
    ] {
        for stack in Stack::all(Wanted { wrong, ..PLAIN }) {
            for _ in 0..REQUESTS {
                let request = AssertUnwindSafe(stack.call()).catch_unwind();
                assert!(request.now_or_never().unwrap().is_err(), "{}", stack.what);
            }
            stack.ends(if wrong == Wrong::ReadyPanics { NOTHING } else { ALL_IGNORED });
        }
    }
}

/// Spawned, as requests are in a server: the panic ends the task and nothing else.
#[tokio::test(start_paused = true)]
async fn a_panic_in_a_task_of_its_own() {
    for wrong in [Wrong::ReadyPanics, Wrong::CallPanics, Wrong::FuturePanics] {
        for stack in Stack::all(Wanted { wrong, ..PLAIN }) {
            let service = stack.service.clone();
            let requests = (0..REQUESTS).map(|_| tokio::spawn(service.clone().oneshot(Ask)));
            for ended in join_all(requests).await {
                assert!(ended.unwrap_err().is_panic(), "{}", stack.what);
            }
            drop(service);
            stack.ends(if wrong == Wrong::ReadyPanics { NOTHING } else { ALL_IGNORED });
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_before_there_is_a_request() {
    // Before the choice, and after it: nothing was sent, so nothing was picked.
    for (wrong, layered) in [(Wrong::KeyPanics, false), (Wrong::DirectPanics, true)] {
        for stack in Stack::all(Wanted { wrong, ..PLAIN }).filter(|it| it.layered || !layered) {
            for _ in 0..REQUESTS {
                assert!(unwinds(|| drop(stack.call())), "{}", stack.what);
            }
            stack.ends(NOTHING);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_of_the_classifier_where_the_body_is_followed() {
    for stack in Stack::all(Wanted { wrong: Wrong::IsFinalPanics, ..PLAIN }) {
        for _ in 0..REQUESTS {
            assert_eq!(unwinds(|| drop(stack.answer())), stack.follows, "{}", stack.what);
        }
        let expected = if stack.follows { ALL_IGNORED } else { ALL_WELL };
        stack.ends(expected);
    }
    for stack in Stack::all(Wanted { wrong: Wrong::EndPanics, hints: true, ..PLAIN }) {
        let mut bodies = stack.bodies();
        for body in &mut bodies {
            data(body);
            assert_eq!(unwinds(|| frame(body)), stack.follows, "{}", stack.what);
        }
        assert_eq!(stack.in_flight(), 0, "{}", stack.what);
        drop(bodies);
        let expected = if stack.follows { ALL_IGNORED } else { ALL_WELL };
        stack.ends(expected);
    }
}

// --- What outlives what --------------------------------------------------------------------------

/// A target lives as long as the last of the balancer, its requests and their bodies.
#[tokio::test(start_paused = true)]
async fn requests_outlive_the_balancer_and_take_their_target_along() {
    for stack in Stack::all(PLAIN) {
        let (request, unpolled) = (stack.call(), stack.call());
        let body = stack.answer().unwrap().into_body();
        let (what, follows, targets) = (stack.what, stack.follows, stack.targets);
        let alive = || targets.iter().filter(|target| target.strong_count() > 0).count();
        drop((stack.service, stack.status));
        assert!(alive() > 0, "{what}: two requests are out");
        drop(unpolled);
        let answer = request.now_or_never().unwrap().unwrap().into_body();
        assert_eq!(alive() > 0, follows, "{what}");
        let mut body = pin!(body);
        let collected = body.as_mut().collect().now_or_never().unwrap().unwrap();
        assert_eq!(collected.to_bytes(), "ab");
        drop(answer);
        assert_eq!(alive(), 0, "{what}");
    }
}

/// An endpoint that leaves while requests are out is released by them all the same.
#[tokio::test(start_paused = true)]
async fn endpoints_that_are_removed_go_with_their_last_request() {
    for kind in KINDS {
        let probe = Arc::new(());
        let held = Arc::downgrade(&probe);
        let answers = move |_: Ask| {
            let _held = Arc::clone(&probe);
            let body = ScriptedBody { steps: VecDeque::from([Data(b"a")]), hints: false };
            std::future::ready(Ok::<_, Failed>(Response::new(body)))
        };
        let endpoint = |n| Endpoint::new(id(n), service_fn(answers.clone()));
        let builder = Balancer::builder().config(config(&strategy(kind))).endpoint(endpoint(0));
        let balancer = builder.build().unwrap();
        drop(answers);
        let mut service = balancer.service().follow_body();
        let bodies: Vec<FollowedBody<_, _, _>> = (0..REQUESTS)
            .map(|_| service.call(Ask).now_or_never().unwrap().unwrap().into_body())
            .collect();
        assert_eq!(balancer.status().endpoints[0].in_flight, REQUESTS, "{kind}");
        balancer.replace_unchecked([]).unwrap();
        assert!(held.strong_count() > 0, "{kind}: its bodies are still being read");
        drop(bodies);
        assert_eq!(held.strong_count(), 0, "{kind}: an idle clone keeps what was removed");
        drop((service, balancer));
    }
}
