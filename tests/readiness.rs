//! The readiness contract of tower: only a clone that said it is ready is called, and only once;
//! an endpoint that is not ready holds up nobody but itself.

#![cfg(feature = "config")]
#![allow(clippy::unwrap_used)]

mod support;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::error::Error;
use std::fmt;
use std::future::{Future, Ready, ready};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use evenkeel::{
    Balance, BalanceLayer, Balancer, BoxError, Endpoint, EndpointError, EndpointErrorReason,
    EndpointStatus, Key, PickError, Target, find_cause,
};
use futures_util::future::join_all;
use parking_lot::Mutex;
use tokio::task::{JoinHandle, yield_now};
use tokio::time::{sleep, timeout};
use tokio_test::{assert_pending, assert_ready, assert_ready_err, assert_ready_ok, task};
use tower::buffer::Buffer;
use tower::limit::ConcurrencyLimit;
use tower::load_shed::LoadShed;
use tower::retry::{Policy, Retry};
use tower::timeout::Timeout;
use tower::util::BoxCloneSyncService;
use tower::{Layer, Service, ServiceExt};

use crate::support::{STRATEGIES, config, id, now, status, strategy};

/// Longer than anything takes here. On the paused clock it is over at once when nothing moves.
const EVER: Duration = Duration::from_secs(3600);

type BoxFuture<R> = Pin<Box<dyn Future<Output = R> + Send>>;

// --- A service that insists on the contract ------------------------------------------------------

/// Panics when it is called without having said, itself and since its last call, that it is ready.
#[derive(Debug)]
struct Strict {
    ready: bool,
    /// Pending the first time it is asked, however it comes to be asked.
    hesitates: bool,
    /// Every call of this number fails; 0 for none.
    fails_every: usize,
    calls: Arc<AtomicUsize>,
}

impl Strict {
    fn new(hesitates: bool, fails_every: usize) -> Self {
        Self { ready: false, hesitates, fails_every, calls: Arc::default() }
    }
}

impl Clone for Strict {
    fn clone(&self) -> Self {
        Self {
            ready: false,
            hesitates: self.hesitates,
            fails_every: self.fails_every,
            calls: Arc::clone(&self.calls),
        }
    }
}

impl Service<u32> for Strict {
    type Response = u32;
    type Error = Refused;
    type Future = BoxFuture<Result<u32, Refused>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Refused>> {
        if std::mem::take(&mut self.hesitates) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: u32) -> Self::Future {
        assert!(std::mem::take(&mut self.ready), "called and was not ready");
        let number = 1 + self.calls.fetch_add(1, Ordering::Relaxed);
        let fails = self.fails_every > 0 && number.is_multiple_of(self.fails_every);
        Box::pin(async move {
            // Long enough for others to come in between.
            yield_now().await;
            if fails { Err(Refused) } else { Ok(request) }
        })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Refused;

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("refused")
    }
}

impl Error for Refused {}

/// Asks again until there is an answer.
#[derive(Clone, Debug)]
struct Again;

impl<E> Policy<u32, u32, E> for Again {
    type Future = Ready<()>;

    fn retry(&mut self, _: &mut u32, result: &mut Result<u32, E>) -> Option<Ready<()>> {
        result.is_err().then(|| ready(()))
    }

    fn clone_request(&mut self, request: &u32) -> Option<u32> {
        Some(*request)
    }
}

/// An address; the requests of these tests stay as they are.
struct Address;

impl<Req> Target<Req> for Address {
    fn direct(&self, request: Req) -> Result<Req, BoxError> {
        Ok(request)
    }
}

fn addresses(kind: &str, n: usize) -> Balancer<Address> {
    let endpoints = (0..n).map(|number| Endpoint::new(id(number), Address));
    let builder = Balancer::builder().config(config(&strategy(kind))).seed(7);
    builder.endpoints(endpoints).build().unwrap()
}

fn balancer_of<T: Send + Sync + 'static>(
    kind: &str,
    targets: impl IntoIterator<Item = T>,
) -> Balancer<T> {
    let endpoints = targets.into_iter().enumerate().map(|(n, it)| Endpoint::new(id(n), it));
    let builder = Balancer::builder().config(config(&strategy(kind))).seed(7);
    builder.endpoints(endpoints).build().unwrap()
}

/// Every request is answered: one after the other by one handle and by clones, and all at once.
async fn serves<S>(mut service: S)
where
    S: Service<u32, Response = u32> + Clone,
    S::Error: Into<BoxError>,
{
    for n in 0..20 {
        let same = async { service.ready().await?.call(n).await };
        let same = timeout(EVER, same).await.unwrap();
        assert_eq!(same.map_err(Into::into).unwrap(), n);
        let cloned = timeout(EVER, service.clone().oneshot(n)).await.unwrap();
        assert_eq!(cloned.map_err(Into::into).unwrap(), n);
    }
    let many = (0..100).map(|n| service.clone().oneshot(n));
    let answers = timeout(EVER, join_all(many)).await.unwrap();
    let answers: Result<Vec<u32>, _> = answers.into_iter().collect();
    assert_eq!(answers.map_err(Into::into).unwrap(), (0..100).collect::<Vec<_>>());
}

fn assert_idle<T: Send + Sync + 'static>(balancer: &Balancer<T>) {
    for endpoint in balancer.status().endpoints {
        assert_eq!(endpoint.in_flight, 0, "{endpoint:?}");
    }
}

// --- The contract, alone and in company ----------------------------------------------------------

/// Holds both services to the contract when every endpoint, or the client, is made by `make`.
async fn inside<T>(make: impl Fn() -> T)
where
    T: Service<u32, Response = u32> + Clone + Send + Sync + 'static,
    T::Error: Into<BoxError>,
{
    for kind in STRATEGIES {
        let balancer = balancer_of(kind, (0..3).map(|_| make()));
        serves(balancer.service()).await;
        assert_idle(&balancer);

        let balancer = addresses(kind, 3);
        serves(BalanceLayer::new(balancer.clone()).layer(make())).await;
        assert_idle(&balancer);
    }
}

#[tokio::test(start_paused = true)]
async fn it_is_kept_with_the_bare_service() {
    inside(|| Strict::new(false, 0)).await;
    inside(|| Strict::new(true, 0)).await;
}

#[tokio::test(start_paused = true)]
async fn it_is_kept_with_a_buffer_inside() {
    for hesitates in [false, true] {
        // So small that it is often not ready.
        inside(|| Buffer::new(Strict::new(hesitates, 0), 1)).await;
        inside(|| Buffer::new(Strict::new(hesitates, 0), 64)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn it_is_kept_with_a_concurrency_limit_inside() {
    for hesitates in [false, true] {
        inside(|| ConcurrencyLimit::new(Strict::new(hesitates, 0), 1)).await;
        inside(|| ConcurrencyLimit::new(Strict::new(hesitates, 0), 5)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn it_is_kept_with_load_shedding_inside() {
    // Sheds whatever comes while what it wraps is not ready, so that never hesitates here.
    inside(|| LoadShed::new(Strict::new(false, 0))).await;
}

#[tokio::test(start_paused = true)]
async fn it_is_kept_with_a_timeout_inside() {
    for hesitates in [false, true] {
        inside(|| Timeout::new(Strict::new(hesitates, 0), EVER)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn it_is_kept_with_a_retry_inside() {
    for hesitates in [false, true] {
        inside(|| Retry::new(Again, Strict::new(hesitates, 3))).await;
    }
}

#[tokio::test(start_paused = true)]
async fn it_is_kept_with_a_box_inside() {
    for hesitates in [false, true] {
        inside(|| BoxCloneSyncService::new(Strict::new(hesitates, 0))).await;
    }
}

/// Holds `wrap` of both services to the contract.
macro_rules! outside {
    ($fails_every:expr, $wrap:expr) => {
        for (kind, hesitates) in STRATEGIES.iter().flat_map(|kind| [(kind, false), (kind, true)]) {
            let targets = (0..3).map(|_| Strict::new(hesitates, $fails_every));
            let balancer = balancer_of(kind, targets);
            serves($wrap(balancer.service())).await;
            assert_idle(&balancer);

            let balancer = addresses(kind, 3);
            let layer = BalanceLayer::new(balancer.clone());
            serves($wrap(layer.layer(Strict::new(hesitates, $fails_every)))).await;
            assert_idle(&balancer);
        }
    };
}

#[tokio::test(start_paused = true)]
async fn it_is_kept_within_a_buffer() {
    outside!(0, |service| Buffer::new(service, 4));
}

#[tokio::test(start_paused = true)]
async fn it_is_kept_within_a_concurrency_limit() {
    outside!(0, |service| ConcurrencyLimit::new(service, 2));
}

#[tokio::test(start_paused = true)]
async fn it_is_kept_within_load_shedding_which_never_sheds() {
    outside!(0, LoadShed::new);
}

#[tokio::test(start_paused = true)]
async fn it_is_kept_within_a_timeout() {
    outside!(0, |service| Timeout::new(service, EVER));
}

#[tokio::test(start_paused = true)]
async fn it_is_kept_within_a_retry() {
    outside!(3, |service| Retry::new(Again, service));
}

#[tokio::test(start_paused = true)]
async fn it_is_kept_within_a_box() {
    outside!(0, BoxCloneSyncService::new);
}

#[tokio::test(start_paused = true)]
async fn it_is_kept_within_a_whole_stack() {
    outside!(3, |service| {
        let service = Timeout::new(Retry::new(Again, service), EVER);
        Buffer::new(BoxCloneSyncService::new(ConcurrencyLimit::new(LoadShed::new(service), 7)), 4)
    });
}

/// What readiness reserves has to come back from those that lost the race: with a permit that
/// stays with a loser, the second round waits for ever.
#[tokio::test(start_paused = true)]
async fn what_the_losers_had_reserved_is_given_back() {
    for kind in STRATEGIES {
        let limited = || ConcurrencyLimit::new(Strict::new(false, 0), 1);
        let (first, second) = (limited(), limited());
        let balancer = balancer_of(kind, [first.clone(), second.clone()]);
        for round in 0..10 {
            // Both are taken, a request waits for either, and both come free at once.
            let (mut first, mut second) = (first.clone(), second.clone());
            first.ready().await.unwrap();
            second.ready().await.unwrap();
            let mut waiting = task::spawn(balancer.service().oneshot(round));
            assert_pending!(waiting.poll(), "{kind}");
            drop((first, second));
            assert!(waiting.is_woken(), "{kind}");
            assert_eq!(timeout(EVER, waiting.into_inner()).await.unwrap().unwrap(), round);
        }
        assert_idle(&balancer);
        let sent: u64 = balancer.status().endpoints.iter().map(|endpoint| endpoint.picks).sum();
        assert_eq!(sent, 10, "{kind}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_services_themselves_are_always_ready() {
    let mut empty = balancer_of::<Gated>("kind = 'random'", []).service();
    let mut cx = Context::from_waker(Waker::noop());
    assert_ready_ok!(Service::<u32>::poll_ready(&mut empty, &mut cx));
    let refusal = empty.call(1).await.unwrap_err();
    assert_eq!(find_cause::<PickError>(&*refusal), Some(&PickError::Empty));
    assert_ready_ok!(Service::<u32>::poll_ready(&mut empty, &mut cx));

    for state in [State::Pending, State::Broken] {
        let gate = Gate::new(state);
        let mut service = balancer_of("kind = 'random'", [gate.service(0)]).service();
        let mut layered = BalanceLayer::new(addresses("kind = 'random'", 1)).layer(gate.service(0));
        for _ in 0..3 {
            assert_ready_ok!(Service::<u32>::poll_ready(&mut service, &mut cx));
            assert_ready_ok!(Service::<u32>::poll_ready(&mut layered, &mut cx));
        }
        assert_eq!(gate.asked(), 0, "asked before there was a request");
    }
}

// --- Readiness by hand ---------------------------------------------------------------------------

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Pending,
    Ready,
    Broken,
}

/// The readiness of one endpoint's service, in the hands of the test.
#[derive(Clone)]
struct Gate(Arc<Mutex<Inner>>);

struct Inner {
    state: State,
    /// The last waker of each clone that waits.
    waiting: BTreeMap<usize, Waker>,
    /// Clones ever made, and how often they were asked.
    clones: usize,
    asked: usize,
}

impl Gate {
    fn new(state: State) -> Self {
        Self(Arc::new(Mutex::new(Inner { state, waiting: BTreeMap::new(), clones: 0, asked: 0 })))
    }

    fn set(&self, state: State) {
        let waiting = {
            let mut inner = self.0.lock();
            inner.state = state;
            std::mem::take(&mut inner.waiting)
        };
        waiting.into_values().for_each(Waker::wake);
    }

    /// How many clones wait.
    fn waiting(&self) -> usize {
        self.0.lock().waiting.len()
    }

    fn asked(&self) -> usize {
        self.0.lock().asked
    }

    fn service(&self, number: usize) -> Gated {
        let mut inner = self.0.lock();
        inner.clones += 1;
        Gated { gate: self.clone(), clone: inner.clones, number, ready: false, takes: None }
    }
}

/// A service behind a [`Gate`]; it answers with its number, and insists on the contract.
struct Gated {
    gate: Gate,
    clone: usize,
    number: usize,
    ready: bool,
    takes: Option<Duration>,
}

impl Gated {
    fn taking(mut self, time: Option<Duration>) -> Self {
        self.takes = time;
        self
    }
}

impl Clone for Gated {
    fn clone(&self) -> Self {
        self.gate.service(self.number).taking(self.takes)
    }
}

impl Drop for Gated {
    fn drop(&mut self) {
        let waker = self.gate.0.lock().waiting.remove(&self.clone);
        drop(waker);
    }
}

impl Service<u32> for Gated {
    type Response = usize;
    type Error = Refused;
    type Future = BoxFuture<Result<usize, Refused>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Refused>> {
        let mut inner = self.gate.0.lock();
        inner.asked += 1;
        match inner.state {
            State::Pending => {
                let before = inner.waiting.insert(self.clone, cx.waker().clone());
                drop(inner);
                drop(before);
                Poll::Pending
            }
            State::Ready => {
                self.ready = true;
                Poll::Ready(Ok(()))
            }
            State::Broken => Poll::Ready(Err(Refused)),
        }
    }

    fn call(&mut self, _: u32) -> Self::Future {
        assert!(std::mem::take(&mut self.ready), "called and was not ready");
        let (number, takes) = (self.number, self.takes);
        Box::pin(async move {
            if let Some(time) = takes {
                sleep(time).await;
            }
            Ok(number)
        })
    }
}

fn gates(states: impl IntoIterator<Item = State>) -> Vec<Gate> {
    states.into_iter().map(Gate::new).collect()
}

fn gated(kind: &str, gates: &[Gate]) -> Balancer<Gated> {
    balancer_of(kind, gates.iter().enumerate().map(|(number, gate)| gate.service(number)))
}

fn slow(kind: &str, gates: &[Gate], takes: Duration) -> Balancer<Gated> {
    let services = gates.iter().enumerate();
    balancer_of(kind, services.map(|(n, gate)| gate.service(n).taking(Some(takes))))
}

type Boxed<O> = task::Spawn<Pin<Box<dyn Future<Output = O>>>>;

fn begin(service: &Balance<Gated>) -> Boxed<Result<usize, BoxError>> {
    task::spawn(Box::pin(service.clone().oneshot(0)))
}

/// An endpoint that was asked and never sent anything, and keeps nothing.
fn assert_untouched(endpoint: &EndpointStatus) {
    let EndpointStatus { in_flight, picks, successes, failures, overloaded, .. } = endpoint;
    assert_eq!([*in_flight, *picks, *successes, *failures, *overloaded], [0; 5], "{endpoint:?}");
}

fn in_flight<T: Send + Sync + 'static>(balancer: &Balancer<T>) -> u64 {
    balancer.status().endpoints.iter().map(|endpoint| endpoint.in_flight).sum()
}

// --- Pending endpoints ---------------------------------------------------------------------------

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_is_pending_for_ever_holds_up_nobody() {
    const REQUESTS: u64 = 1_000;
    for kind in STRATEGIES {
        let gates = gates((0..5).map(|n| if n == 2 { State::Pending } else { State::Ready }));
        let balancer = slow(kind, &gates, Duration::from_millis(10));
        let service = balancer.service();
        let requests: Vec<JoinHandle<_>> =
            (0..REQUESTS).map(|_| tokio::spawn(service.clone().oneshot(0))).collect();

        sleep(Duration::from_millis(5)).await;
        assert_eq!(in_flight(&balancer), REQUESTS, "{kind}: all of them are being answered");
        assert_untouched(&status(&balancer, &id(2)));
        assert_eq!(gates[2].waiting(), 0, "{kind}: nobody waits for it any longer");
        assert!(gates[2].asked() > 0, "{kind}: it was asked");

        let answers = timeout(EVER, join_all(requests)).await.unwrap();
        for answer in answers {
            assert_ne!(answer.unwrap().unwrap(), 2, "{kind}");
        }
        assert_idle(&balancer);
        assert_untouched(&status(&balancer, &id(2)));
        let endpoints = balancer.status().endpoints;
        assert_eq!(endpoints.iter().map(|it| it.picks).sum::<u64>(), REQUESTS, "{kind}");
        assert_eq!(endpoints.iter().map(|it| it.successes).sum::<u64>(), REQUESTS, "{kind}");
        for other in endpoints.iter().filter(|it| it.id != id(2)) {
            assert!(other.picks > REQUESTS / 10, "{kind}: {other:?}");
        }
    }
}

/// All are asked, however many are pending.
#[tokio::test(start_paused = true)]
async fn the_only_one_that_is_ready_is_found() {
    for kind in STRATEGIES {
        for (n, ready) in [(16, 0), (16, 7), (16, 15), (60, 31), (200, 199)] {
            let state = |n| if n == ready { State::Ready } else { State::Pending };
            let balancer = gated(kind, &gates((0..n).map(state)));
            for _ in 0..20 {
                let answer = begin(&balancer.service()).poll();
                assert_eq!(assert_ready_ok!(answer), ready, "{kind}");
            }
            for endpoint in balancer.status().endpoints {
                if endpoint.id == id(ready) {
                    assert_eq!((endpoint.picks, endpoint.successes), (20, 20), "{kind}");
                } else {
                    assert_untouched(&endpoint);
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn more_than_sixteen_pending_endpoints_are_not_all_waited_for() {
    for kind in STRATEGIES {
        let gates = gates([State::Pending; 40]);
        let balancer = gated(kind, &gates);
        let mut request = begin(&balancer.service());
        for _ in 0..3 {
            assert_pending!(request.poll());
            let waited_for = gates.iter().filter(|gate| gate.waiting() > 0).count();
            assert_eq!((waited_for, in_flight(&balancer)), (16, 16), "{kind}");
        }
        let chosen = gates.iter().rposition(|gate| gate.waiting() > 0).unwrap();
        gates[chosen].set(State::Ready);
        assert!(request.is_woken(), "{kind}");
        assert_eq!(assert_ready_ok!(request.poll()), chosen, "{kind}");
        for endpoint in balancer.status().endpoints {
            if endpoint.id == id(chosen) {
                assert_eq!((endpoint.in_flight, endpoint.picks), (0, 1), "{kind}");
            } else {
                assert_untouched(&endpoint);
            }
        }
        assert_eq!(gates.iter().map(Gate::waiting).sum::<usize>(), 0, "{kind}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_goes_to_whichever_becomes_ready_first() {
    for kind in STRATEGIES {
        for first in 0..5 {
            let gates = gates([State::Pending; 5]);
            let balancer = gated(kind, &gates);
            let mut request = begin(&balancer.service());
            assert_pending!(request.poll());
            assert!(!request.is_woken(), "{kind}");
            for gate in &gates {
                assert_eq!(gate.waiting(), 1, "{kind}: each was asked");
            }
            // Woken for nothing: nothing changes, and nobody is forgotten.
            gates[(first + 1) % 5].set(State::Pending);
            assert!(request.is_woken(), "{kind}");
            assert_pending!(request.poll());
            assert!(!request.is_woken(), "{kind}");

            gates[first].set(State::Ready);
            assert!(request.is_woken(), "{kind}: {first}");
            assert_eq!(assert_ready_ok!(request.poll()), first, "{kind}");
            drop(request);
            for endpoint in balancer.status().endpoints {
                if endpoint.id == id(first) {
                    assert_eq!((endpoint.in_flight, endpoint.picks), (0, 1), "{kind}");
                    assert_eq!(endpoint.successes, 1, "{kind}");
                } else {
                    assert_untouched(&endpoint);
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_that_moves_to_another_task_is_woken_there() {
    for kind in STRATEGIES {
        for first in 0..5 {
            let gates = gates([State::Pending; 5]);
            let balancer = gated(kind, &gates);
            let mut request = begin(&balancer.service());
            assert_pending!(request.poll());
            let mut moved = task::spawn(request.into_inner());
            assert_pending!(moved.poll());
            gates[first].set(State::Ready);
            assert!(moved.is_woken(), "{kind}: endpoint {first} still wakes the former task");
            assert_eq!(assert_ready_ok!(moved.poll()), first, "{kind}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_services_of_tower_test_agree() {
    for first in 0..3 {
        let (mocks, mut handles): (Vec<_>, Vec<_>) = (0..3)
            .map(|_| {
                let (mock, mut handle) = tower_test::mock::pair::<u32, usize>();
                handle.allow(0);
                (mock, handle)
            })
            .unzip();
        let balancer = balancer_of("kind = 'round_robin'", mocks);
        let mut request = task::spawn(balancer.service().oneshot(9));
        assert_pending!(request.poll());
        handles[first].allow(1);
        assert!(request.is_woken());
        assert_pending!(request.poll());
        let (asked, answer) = handles[first].next_request().await.unwrap();
        assert_eq!(asked, 9);
        assert_eq!(in_flight(&balancer), 1);
        answer.send_response(first);
        assert!(request.is_woken());
        assert_eq!(assert_ready_ok!(request.poll()), first);
        assert_idle(&balancer);
    }
}

#[tokio::test(start_paused = true)]
async fn a_layered_client_that_is_pending_is_waited_for() {
    let gate = Gate::new(State::Pending);
    let balancer = addresses("kind = 'round_robin'", 2);
    let layered = BalanceLayer::new(balancer.clone()).layer(gate.service(0));
    let mut request = task::spawn(layered.oneshot(0));
    assert_pending!(request.poll());
    assert_eq!((gate.waiting(), in_flight(&balancer)), (1, 1));
    gate.set(State::Ready);
    assert!(request.is_woken());
    assert_eq!(assert_ready_ok!(request.poll()), 0);
    assert_idle(&balancer);
}

#[tokio::test(start_paused = true)]
async fn a_request_outlives_the_balancer_while_nobody_is_ready() {
    for kind in STRATEGIES {
        for n in [1, 3, 30] {
            let gates = gates(vec![State::Pending; n]);
            let balancer = gated(kind, &gates);
            let mut polled = begin(&balancer.service());
            let mut unpolled = task::spawn(balancer.service().call(0));
            assert_pending!(polled.poll());
            drop(balancer);
            assert_pending!(polled.poll());
            assert_pending!(unpolled.poll());
            // Those that any of the two waits for.
            gates.iter().filter(|gate| gate.waiting() > 0).for_each(|it| it.set(State::Ready));
            assert!(polled.is_woken() && unpolled.is_woken(), "{kind}");
            assert_ready_ok!(polled.poll());
            assert_ready_ok!(unpolled.poll());
            assert_eq!(gates.iter().map(Gate::waiting).sum::<usize>(), 0, "{kind}");
        }
    }
}

/// The others were asked on its behalf, and nothing was sent to them.
#[tokio::test(start_paused = true)]
async fn the_chosen_one_answers_for_not_being_ready_in_time() {
    for kind in STRATEGIES {
        let limited = format!("{}\n[limits]\nattempt_timeout = '2s'", strategy(kind));
        let gates = gates([State::Pending; 3]);
        let endpoints = gates.iter().enumerate().map(|(n, it)| Endpoint::new(id(n), it.service(n)));
        let builder = Balancer::builder().config(config(&limited)).seed(7);
        let balancer = builder.endpoints(endpoints).build().unwrap();
        let began = now();
        let error = timeout(EVER, balancer.service().oneshot(0)).await.unwrap().unwrap_err();
        let told = find_cause::<EndpointError>(&*error).unwrap();
        assert!(told.is_timeout(), "{kind}: {error}");
        assert_eq!(now().saturating_duration_since(began).as_secs(), 2, "{kind}");
        for endpoint in balancer.status().endpoints {
            if endpoint.id == *told.endpoint() {
                let EndpointStatus { in_flight, picks, failures, .. } = endpoint;
                assert_eq!((in_flight, picks, failures), (0, 1, 1), "{kind}");
            } else {
                assert_untouched(&endpoint);
            }
        }
        assert_eq!(gates.iter().map(Gate::waiting).sum::<usize>(), 0, "{kind}");
    }
}

/// The chosen one has broken and answered for that; whoever was asked instead never saw the request.
#[tokio::test(start_paused = true)]
async fn whoever_is_asked_instead_of_a_broken_one_answers_for_nothing() {
    for kind in STRATEGIES {
        let limited = format!("{}\n[limits]\nattempt_timeout = '2s'", strategy(kind));
        let gates = gates([State::Broken, State::Pending]);
        let endpoints = gates.iter().enumerate().map(|(n, it)| Endpoint::new(id(n), it.service(n)));
        let builder = Balancer::builder().config(config(&limited)).seed(7);
        let balancer = builder.endpoints(endpoints).build().unwrap();
        let service = balancer.service().key_by(|_: &u32| Key::none().preferring(&id(0)));
        for _ in 0..4 {
            let error = timeout(EVER, service.clone().oneshot(0)).await.unwrap().unwrap_err();
            assert!(find_cause::<EndpointError>(&*error).unwrap().is_timeout(), "{kind}: {error}");
        }
        assert_eq!(status(&balancer, &id(0)).failures, 4, "{kind}");
        assert_untouched(&status(&balancer, &id(1)));
    }
}

/// What becoming ready took is taken off the time for the answer.
#[tokio::test(start_paused = true)]
async fn one_limit_covers_readiness_and_answer() {
    let limited = "[strategy]\nkind = 'round_robin'\n[limits]\nattempt_timeout = '2s'";
    let gate = Gate::new(State::Pending);
    let service = gate.service(0).taking(Some(Duration::from_millis(1500)));
    let builder = Balancer::builder().config(config(limited)).endpoint(Endpoint::new("a", service));
    let balancer = builder.build().unwrap();
    let began = now();
    let request = tokio::spawn(balancer.service().oneshot(0));
    sleep(Duration::from_secs(1)).await;
    gate.set(State::Ready);
    let error = timeout(EVER, request).await.unwrap().unwrap().unwrap_err();
    assert!(find_cause::<EndpointError>(&*error).unwrap().is_timeout(), "{error}");
    assert_eq!(now().saturating_duration_since(began).as_secs(), 2);
    assert_idle(&balancer);
    assert_eq!(status(&balancer, &"a".into()).failures, 1);
}

// --- Broken endpoints ----------------------------------------------------------------------------

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_breaks_unready_is_counted_and_another_is_tried() {
    for kind in STRATEGIES {
        let balancer = gated(kind, &gates([State::Ready, State::Broken, State::Ready]));
        for _ in 0..300 {
            let answer = assert_ready_ok!(begin(&balancer.service()).poll());
            assert_ne!(answer, 1, "{kind}");
        }
        let broken = status(&balancer, &id(1));
        assert!(broken.failures > 0, "{kind}: {broken:?}");
        assert_eq!((broken.picks, broken.successes), (broken.failures, 0), "{kind}");
        assert_idle(&balancer);
        let (first, last) = (status(&balancer, &id(0)), status(&balancer, &id(2)));
        assert_eq!(first.successes + last.successes, 300, "{kind}");
        assert_eq!(first.failures + last.failures, 0, "{kind}");
    }
}

#[tokio::test(start_paused = true)]
async fn when_all_break_the_cause_is_told() {
    for kind in STRATEGIES {
        for n in [1, 3, 16] {
            let balancer = gated(kind, &gates(vec![State::Broken; n]));
            let error = assert_ready_err!(begin(&balancer.service()).poll());
            let told = find_cause::<EndpointError>(&*error).unwrap();
            assert_eq!(told.reason(), EndpointErrorReason::NotReady, "{kind}");
            assert!(balancer.status().endpoint(told.endpoint()).is_some(), "{kind}");
            assert_eq!(find_cause::<Refused>(&*error), Some(&Refused), "{kind}");
            for endpoint in balancer.status().endpoints {
                let EndpointStatus { in_flight, picks, failures, .. } = endpoint;
                assert_eq!((in_flight, picks, failures), (0, 1, 1), "{kind}: {n}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_last_ones_may_break_while_the_request_waits() {
    for kind in STRATEGIES {
        // One breaks, another one becomes ready.
        let three = gates([State::Pending; 3]);
        let balancer = gated(kind, &three);
        let mut request = begin(&balancer.service());
        assert_pending!(request.poll());
        three[0].set(State::Broken);
        assert!(request.is_woken(), "{kind}");
        assert_pending!(request.poll());
        three[2].set(State::Ready);
        assert!(request.is_woken(), "{kind}");
        assert_eq!(assert_ready_ok!(request.poll()), 2, "{kind}");
        let broken = status(&balancer, &id(0));
        assert_eq!((broken.in_flight, broken.picks, broken.failures), (0, 1, 1), "{kind}");
        assert_untouched(&status(&balancer, &id(1)));
        assert_idle(&balancer);

        // One after the other breaks, in every order of beginning.
        for begin_at in 0..3 {
            let three = gates([State::Pending; 3]);
            let balancer = gated(kind, &three);
            let mut request = begin(&balancer.service());
            for nth in 0..3 {
                assert_pending!(request.poll());
                three[(begin_at + nth) % 3].set(State::Broken);
                assert!(request.is_woken(), "{kind}");
            }
            let error = assert_ready_err!(request.poll());
            let told = find_cause::<EndpointError>(&*error).unwrap();
            assert_eq!(told.reason(), EndpointErrorReason::NotReady, "{kind}");
            assert_eq!(find_cause::<Refused>(&*error), Some(&Refused), "{kind}");
            for endpoint in balancer.status().endpoints {
                assert_eq!((endpoint.in_flight, endpoint.failures), (0, 1), "{kind}");
            }
        }
    }
}

/// What broke is one client for all endpoints, so none of them is at fault.
#[tokio::test(start_paused = true)]
async fn a_layered_client_that_breaks_is_no_fault_of_an_endpoint() {
    for kind in STRATEGIES {
        let balancer = addresses(kind, 2);
        let client = Gate::new(State::Broken).service(0);
        let layered = BalanceLayer::new(balancer.clone()).layer(client);
        let error = assert_ready_err!(task::spawn(layered.oneshot(0)).poll());
        let told = find_cause::<EndpointError>(&*error).unwrap();
        assert_eq!(told.reason(), EndpointErrorReason::NotReady, "{kind}");
        assert_eq!(find_cause::<Refused>(&*error), Some(&Refused), "{kind}");
        balancer.status().endpoints.iter().for_each(assert_untouched);
    }
}

// --- After the end -------------------------------------------------------------------------------

#[tokio::test(start_paused = true)]
async fn a_response_that_is_polled_again_does_no_harm() {
    let kind = "kind = 'round_robin'";
    let answers = tower::service_fn(|n: u32| ready(Ok::<_, Infallible>(n)));
    let fails = tower::service_fn(|_: u32| ready(Err::<u32, _>(Refused)));

    macro_rules! polled_again {
        ($balancer:expr, $response:expr) => {{
            let balancer = &$balancer;
            let mut response = task::spawn($response);
            let _ = assert_ready!(response.poll());
            let before: Vec<_> =
                balancer.status().endpoints.into_iter().map(|it| it.picks).collect();
            for _ in 0..3 {
                assert_ready_err!(response.poll());
            }
            drop(response);
            let after: Vec<_> =
                balancer.status().endpoints.into_iter().map(|it| it.picks).collect();
            assert_eq!(before, after);
            assert_idle(balancer);
        }};
    }

    let balancer = balancer_of(kind, [answers]);
    polled_again!(balancer, balancer.service().call(1));
    let balancer = balancer_of(kind, [fails]);
    polled_again!(balancer, balancer.service().call(1));
    let balancer = gated(kind, &gates([State::Broken; 2]));
    polled_again!(balancer, balancer.service().call(1));
    let empty = gated(kind, &[]);
    polled_again!(empty, empty.service().call(1));

    let balancer = addresses(kind, 2);
    let layer = BalanceLayer::new(balancer.clone());
    polled_again!(balancer, layer.layer(answers).call(1));
    polled_again!(balancer, layer.layer(fails).call(1));
    polled_again!(balancer, layer.layer(Gate::new(State::Broken).service(0)).call(1));
    let empty = addresses(kind, 0);
    polled_again!(empty, BalanceLayer::new(empty.clone()).layer(answers).call(1));
}
