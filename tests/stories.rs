//! Stories of requests, told on a paused clock through the whole tower path.

#![cfg(all(feature = "config", feature = "http"))]
#![allow(clippy::unwrap_used)]

mod support;

use std::error::Error;
use std::future::{Future, pending, ready};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready as wait};
use std::time::Duration;

use bytes::Bytes;
use evenkeel::{
    BalanceLayer, Balancer, ByStatus, DirectError, Endpoint, EndpointError, EndpointErrorReason,
    Key, Outcome, PickError, find_cause,
};
use futures_util::FutureExt;
use http::{Request, Response, Uri};
use http_body::{Body, Frame};
use http_body_util::BodyExt;
use tokio::task::JoinSet;
use tokio::time::{Instant, Sleep, sleep};
use tower::timeout::Timeout;
use tower::util::BoxCloneSyncService;
use tower::{BoxError, Layer, Service, ServiceExt, service_fn};

use crate::support::{config, id, now, pick, pick_only, status};

type Server = BoxCloneSyncService<Key, &'static str, io::Error>;

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

/// The endpoint that is different from the others, where one is.
const ODD: usize = 0;

fn server<F>(answer: impl Fn() -> F + Clone + Send + Sync + 'static) -> Server
where
    F: Future<Output = io::Result<&'static str>> + Send + 'static,
{
    BoxCloneSyncService::new(service_fn(move |_: Key| answer()))
}

fn answers_after(time: Duration) -> Server {
    server(move || async move {
        sleep(time).await;
        Ok("hello")
    })
}

fn fails_after(time: Duration) -> Server {
    server(move || async move {
        sleep(time).await;
        Err(io::ErrorKind::ConnectionReset.into())
    })
}

fn never_answers() -> Server {
    server(pending)
}

/// A service that never becomes ready, or breaks while it does.
#[derive(Clone)]
struct Unready {
    breaks: bool,
}

impl<Req> Service<Req> for Unready {
    type Response = &'static str;
    type Error = io::Error;
    type Future = std::future::Pending<io::Result<&'static str>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.breaks {
            true => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
            false => Poll::Pending,
        }
    }

    fn call(&mut self, _: Req) -> Self::Future {
        unreachable!("it was never ready")
    }
}

/// A balancer of these servers, numbered from zero.
fn balancer(toml: &str, servers: impl IntoIterator<Item = Server>) -> Balancer<Server> {
    let numbered = servers.into_iter().enumerate();
    let endpoints = numbered.map(|(number, server)| Endpoint::new(id(number), server));
    Balancer::builder().config(config(toml)).endpoints(endpoints).seed(7).build().unwrap()
}

fn ask(
    balancer: &Balancer<Server>,
) -> impl Future<Output = Result<&'static str, BoxError>> + Send + use<> {
    balancer.service().oneshot(Key::none())
}

/// Asks, and goes away after `patience`.
async fn ask_for(balancer: &Balancer<Server>, patience: Duration) {
    let answer = tokio::time::timeout(patience, ask(balancer)).await;
    assert!(answer.is_err(), "nothing was to be expected within {patience:?}");
}

/// Requests in flight, successes and failures of the odd one.
fn odd<T: Send + Sync + 'static>(balancer: &Balancer<T>) -> [u64; 3] {
    let found = status(balancer, &id(ODD));
    [found.in_flight, found.successes, found.failures]
}

/// What comes of a request, which must not wait for ever.
async fn in_time<T>(response: impl Future<Output = T>) -> T {
    let limit = Duration::from_hours(1);
    tokio::time::timeout(limit, response).await.expect("nothing has ended the request")
}

fn endpoint_error(error: &BoxError) -> &EndpointError {
    find_cause::<EndpointError>(&**error).expect("the error says which endpoint it was")
}

// --- A caller who goes away ----------------------------------------------------------------------

#[tokio::test(start_paused = true)]
async fn a_caller_who_goes_away_is_no_verdict() {
    let balancer = balancer("", [never_answers()]);
    for patience in [MS, SECOND, Duration::from_hours(1)] {
        ask_for(&balancer, patience).await;
        assert_eq!(odd(&balancer), [0, 0, 0], "after {patience:?}");
    }
    assert_eq!(status(&balancer, &id(ODD)).picks, 3, "it was sent there all the same");
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_goes_away_before_the_first_poll_is_no_verdict() {
    let balancer = balancer("[outlier]\nabandoned_after = '1s'", [answers_after(MS)]);
    let response = balancer.service().call(Key::none());
    assert_eq!(odd(&balancer), [1, 0, 0], "chosen in the call");
    drop(response);
    assert_eq!(odd(&balancer), [0, 0, 0]);
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_has_waited_long_enough_speaks_against_the_endpoint() {
    let balancer = balancer("[outlier]\nabandoned_after = '2s'", [never_answers()]);
    ask_for(&balancer, Duration::from_millis(1_999)).await;
    assert_eq!(odd(&balancer), [0, 0, 0], "not long enough");
    ask_for(&balancer, 2 * SECOND).await;
    assert_eq!(odd(&balancer), [0, 0, 1], "just long enough");
    ask_for(&balancer, Duration::from_mins(1)).await;
    assert_eq!(odd(&balancer), [0, 0, 2]);
}

#[tokio::test(start_paused = true)]
async fn a_timeout_outside_of_the_balancer_is_no_verdict() {
    let balancer = balancer("", [never_answers()]);
    let service = Timeout::new(balancer.service(), SECOND);
    let error = service.oneshot(Key::none()).await.unwrap_err();
    assert!(error.is::<tower::timeout::error::Elapsed>(), "{error}");
    assert_eq!(odd(&balancer), [0, 0, 0]);
}

#[tokio::test(start_paused = true)]
async fn a_timeout_outside_of_the_balancer_is_a_failure_where_abandoned_after_says_so() {
    let balancer = balancer("[outlier]\nabandoned_after = '900ms'", [never_answers()]);
    let service = Timeout::new(balancer.service(), SECOND);
    let error = service.oneshot(Key::none()).await.unwrap_err();
    assert!(error.is::<tower::timeout::error::Elapsed>(), "{error}");
    assert_eq!(odd(&balancer), [0, 0, 1]);
}

#[tokio::test(start_paused = true)]
async fn a_timeout_inside_of_the_balancer_is_the_endpoints_failure() {
    type Limited = Timeout<Server>;
    let limited: Limited = Timeout::new(never_answers(), SECOND);
    let endpoint = Endpoint::new(id(ODD), limited);
    let balancer = Balancer::builder().endpoint(endpoint).build().unwrap();
    let error = balancer.service().oneshot(Key::none()).await.unwrap_err();
    assert_eq!(endpoint_error(&error).reason(), EndpointErrorReason::Failed);
    assert!(find_cause::<tower::timeout::error::Elapsed>(&*error).is_some());
    assert_eq!(odd(&balancer), [0, 0, 1]);
}

// --- An attempt that runs out of its time --------------------------------------------------------

const TWO_SECONDS: &str = "[limits]\nattempt_timeout = '2s'";

/// Checks that `error` says that the odd one ran out of two seconds.
fn ran_out_of_two_seconds(error: &BoxError) {
    let error = endpoint_error(error);
    assert!(error.is_timeout());
    assert_eq!(*error.endpoint(), id(ODD));
    assert_eq!(error.reason(), EndpointErrorReason::TimedOut { after: 2 * SECOND });
    assert!(error.source().is_none());
    assert_eq!(error.to_string(), "endpoint `e000` gave no answer within 2s");
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_runs_out_of_time_is_the_endpoints_failure() {
    let balancer = balancer(TWO_SECONDS, [never_answers()]);
    let began = now();
    let error = in_time(ask(&balancer)).await.unwrap_err();
    assert_eq!(now() - began, 2 * SECOND);
    ran_out_of_two_seconds(&error);
    assert_eq!(odd(&balancer), [0, 0, 1]);
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_ran_out_of_time_is_released_and_dropped_at_once() {
    let alive = Arc::new(());
    let kept = Arc::clone(&alive);
    let hung = server(move || {
        let kept = Arc::clone(&kept);
        async move {
            let never = pending().await;
            drop(kept);
            never
        }
    });
    let balancer = balancer(TWO_SECONDS, [hung]);
    let mut response = Box::pin(balancer.service().oneshot(Key::none()));
    assert!(response.as_mut().now_or_never().is_none());
    // The server, its clone that was called, and the future of that.
    assert_eq!((odd(&balancer), Arc::strong_count(&alive)), ([1, 0, 0], 4), "on its way");
    in_time(response.as_mut()).await.unwrap_err();
    // The response future itself is still there.
    assert_eq!(odd(&balancer), [0, 0, 1]);
    assert_eq!(Arc::strong_count(&alive), 2, "the server's own future is gone, and the clone");
    drop(response);
    assert_eq!(odd(&balancer), [0, 0, 1], "and judged once");
}

#[tokio::test(start_paused = true)]
async fn an_answer_in_time_is_no_timeout() {
    let balancer = balancer(TWO_SECONDS, [answers_after(Duration::from_millis(1_999))]);
    assert_eq!(ask(&balancer).await.unwrap(), "hello");
    assert_eq!(odd(&balancer), [0, 1, 0]);
}

#[tokio::test(start_paused = true)]
async fn the_time_of_an_attempt_covers_the_wait_for_readiness() {
    let endpoint = Endpoint::new(id(ODD), Unready { breaks: false });
    let balancer =
        Balancer::builder().config(config(TWO_SECONDS)).endpoint(endpoint).build().unwrap();
    let began = now();
    let error = in_time(balancer.service().oneshot(())).await.unwrap_err();
    assert_eq!(now() - began, 2 * SECOND);
    ran_out_of_two_seconds(&error);
    assert_eq!(odd(&balancer), [0, 0, 1]);
}

#[tokio::test(start_paused = true)]
async fn readiness_and_answer_share_the_time_of_an_attempt() {
    // Ready when the one permit is back after 1.5 s; then it would need another second.
    let one = tower::limit::ConcurrencyLimit::new(answers_after(Duration::from_millis(1_500)), 1);
    let endpoint = Endpoint::new(id(ODD), one);
    let balancer =
        Balancer::builder().config(config(TWO_SECONDS)).endpoint(endpoint).build().unwrap();
    let began = now();
    let first = tokio::spawn(balancer.service().oneshot(Key::none()));
    tokio::task::yield_now().await;
    let error = in_time(balancer.service().oneshot(Key::none())).await.unwrap_err();
    assert_eq!(now() - began, 2 * SECOND, "and not 3.5");
    ran_out_of_two_seconds(&error);
    first.await.unwrap().unwrap();
    assert_eq!(odd(&balancer), [0, 1, 1]);
}

#[tokio::test(start_paused = true)]
async fn a_layer_limits_readiness_and_answer_alike() {
    let balancer = || {
        let uri = Uri::from_static("http://10.0.0.1");
        let endpoint = Endpoint::new(id(ODD), uri);
        Balancer::builder().config(config(TWO_SECONDS)).endpoint(endpoint).build().unwrap()
    };
    let hung = balancer();
    let client = service_fn(|_: Request<()>| pending::<io::Result<&'static str>>());
    let service = BalanceLayer::new(hung.clone()).layer(client);
    ran_out_of_two_seconds(&in_time(service.oneshot(Request::new(()))).await.unwrap_err());
    assert_eq!(odd(&hung), [0, 0, 1]);

    let unready = balancer();
    let service = BalanceLayer::new(unready.clone()).layer(Unready { breaks: false });
    let error = in_time(service.oneshot(Request::new(()))).await.unwrap_err();
    ran_out_of_two_seconds(&error);
    assert_eq!(odd(&unready)[0], 0, "released");
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_is_not_ready_is_passed_over_and_not_judged() {
    type Either = BoxCloneSyncService<(), &'static str, io::Error>;
    let unready: Either = BoxCloneSyncService::new(Unready { breaks: false });
    let good: Either = BoxCloneSyncService::new(service_fn(|()| ready(Ok("hello"))));
    let set = [Endpoint::new(id(ODD), unready), Endpoint::new(id(1), good)];
    let balancer =
        Balancer::builder().config(config(TWO_SECONDS)).endpoints(set).seed(1).build().unwrap();
    for _ in 0..20 {
        let answer = balancer.service().oneshot(()).now_or_never();
        assert_eq!(answer.expect("nobody waits").unwrap(), "hello");
    }
    assert_eq!(odd(&balancer), [0, 0, 0]);
    assert_eq!(status(&balancer, &id(ODD)).picks, 0, "nothing was sent there");
    assert_eq!(status(&balancer, &id(1)).successes, 20);
}

// --- A server that accepts and never answers -----------------------------------------------------

/// The strategies that read the load.
const LOADED: [&str; 4] = [
    "kind = 'least_request'\nchoices = 2",
    "kind = 'least_request'\nchoices = 'all'",
    "kind = 'peak_ewma'\nchoices = 2",
    "kind = 'peak_ewma'\nchoices = 'all'",
];

const SIZES: [usize; 2] = [3, 10];
const PER_SECOND: u64 = 100;
const HALF: u64 = 30;

/// What the odd one got in a minute of open-loop traffic.
#[derive(Debug)]
struct Got {
    in_all: u64,
    in_the_second_half: u64,
    failures: u64,
    /// Failures of all the others.
    of_others: u64,
}

/// Sends a request every 10 ms for a minute, whether or not earlier ones were answered, to the odd
/// server and `n - 1` that answer after 75 ms. Callers wait for `patience`, or for ever.
async fn a_minute(
    settings: &str,
    n: usize,
    odd_one: &Server,
    patience: Option<Duration>,
) -> (Balancer<Server>, Got) {
    let others = std::iter::repeat_with(|| answers_after(75 * MS)).take(n - 1);
    let balancer = balancer(settings, [odd_one.clone()].into_iter().chain(others));
    let mut callers = JoinSet::new();
    let mut picks = [0; 2];
    for so_far in &mut picks {
        for _ in 0..HALF * PER_SECOND {
            let balancer = balancer.clone();
            callers.spawn(async move {
                let patience = patience.unwrap_or(Duration::from_hours(24));
                let _ = tokio::time::timeout(patience, ask(&balancer)).await;
            });
            sleep(SECOND / PER_SECOND as u32).await;
        }
        *so_far = status(&balancer, &id(ODD)).picks;
    }
    callers.shutdown().await;
    let endpoints = balancer.status().endpoints;
    let got = Got {
        in_all: picks[1],
        in_the_second_half: picks[1] - picks[0],
        failures: endpoints[ODD].failures,
        of_others: endpoints[ODD + 1..].iter().map(|other| other.failures).sum(),
    };
    (balancer, got)
}

/// A fair part of half a minute.
fn fair_half(n: usize) -> u64 {
    HALF * PER_SECOND / n as u64
}

/// Nothing ever completes there, so nothing is ever measured or counted as failed. What is
/// guaranteed: its requests pile up as load, so it gets no more than the others have in flight at
/// their worst, which is a handful, and then nothing.
#[tokio::test(start_paused = true)]
async fn a_server_that_never_answers_gets_a_handful_of_callers_who_wait_for_ever() {
    for kind in LOADED {
        for n in SIZES {
            let settings = format!("[strategy]\n{kind}");
            let (_, got) = a_minute(&settings, n, &never_answers(), None).await;
            let case = format!("{kind}, {n} endpoints: {got:?}");
            assert!((1..=12).contains(&got.in_all), "{case}");
            assert!(got.in_the_second_half <= 2, "{case}");
            assert_eq!((got.failures, got.of_others), (0, 0), "nobody has judged anybody: {case}");
        }
    }
}

/// The worst one to hang is the one everybody prefers: it was much quicker than the others, and no
/// answer comes in that would say otherwise. What is guaranteed: its silence itself counts, so it
/// gets a handful and then hardly anything, under `peak_ewma` too.
#[tokio::test(start_paused = true)]
async fn the_quickest_server_loses_its_traffic_when_it_hangs() {
    for kind in LOADED {
        for n in SIZES {
            let hangs = Arc::new(AtomicBool::new(false));
            let seen = Arc::clone(&hangs);
            let quick = server(move || {
                let hangs = seen.load(Ordering::Relaxed);
                async move {
                    sleep(2 * MS).await;
                    if hangs { pending().await } else { Ok("hello") }
                }
            });
            let others = std::iter::repeat_with(|| answers_after(75 * MS)).take(n - 1);
            let servers = [quick].into_iter().chain(others);
            let balancer = balancer(&format!("[strategy]\n{kind}"), servers);
            let mut callers = JoinSet::new();
            let mut send = async |seconds: u64| {
                for _ in 0..seconds * PER_SECOND {
                    callers.spawn(ask(&balancer));
                    sleep(10 * MS).await;
                }
                status(&balancer, &id(ODD)).picks
            };
            let before = send(10).await;
            assert!(before >= 10 * PER_SECOND / n as u64 / 2, "{kind}, {n} endpoints: {before}");
            hangs.store(true, Ordering::Relaxed);
            let at_once = send(10).await - before;
            let later = send(20).await - before - at_once;
            let case = format!("{kind}, {n} endpoints: {at_once}, then {later}");
            assert!((1..=12).contains(&at_once), "{case}");
            assert!(later <= 2, "{case}");
        }
    }
}

/// Callers who give up judge nobody by default. What is guaranteed: while they wait they are load
/// and their endpoint is silent, so it gets no more than a fair part; when they have gone away it
/// is asked again, and again.
#[tokio::test(start_paused = true)]
async fn a_server_that_never_answers_gets_less_than_its_part_of_callers_who_give_up() {
    for kind in LOADED {
        for n in SIZES {
            let settings = format!("[strategy]\n{kind}");
            let (_, got) = a_minute(&settings, n, &never_answers(), Some(SECOND)).await;
            let case = format!("{kind}, {n} endpoints, fair {}: {got:?}", fair_half(n));
            assert!(2 * got.in_the_second_half <= fair_half(n), "{case}");
            assert!(got.in_the_second_half > 0, "forgotten: {case}");
            assert_eq!((got.failures, got.of_others), (0, 0), "{case}");
        }
    }
}

/// With `abandoned_after` each one who gives up leaves a failure that weighs for five seconds.
/// What is guaranteed: a handful in each five seconds, though it is never forgotten.
#[tokio::test(start_paused = true)]
async fn a_server_that_never_answers_gets_a_handful_where_giving_up_is_a_failure() {
    for kind in LOADED {
        for n in SIZES {
            let settings = format!("[outlier]\nabandoned_after = '900ms'\n[strategy]\n{kind}");
            let (_, got) = a_minute(&settings, n, &never_answers(), Some(SECOND)).await;
            let case = format!("{kind}, {n} endpoints, fair {}: {got:?}", fair_half(n));
            assert!(got.in_the_second_half <= 8 * HALF / 5, "{case}");
            assert!(got.in_the_second_half > 0, "forgotten: {case}");
            assert!(got.failures > 0, "{case}");
            assert_eq!(got.of_others, 0, "who answers is never blamed: {case}");
        }
    }
}

/// Callers give up now and then on a healthy server too; that must not cost it its traffic.
#[tokio::test(start_paused = true)]
async fn servers_that_answer_keep_their_traffic_though_callers_go_away() {
    for kind in LOADED {
        let settings = format!("[strategy]\n{kind}");
        let patience = Some(60 * MS);
        let slow = answers_after(75 * MS);
        let (balancer, got) = a_minute(&settings, 3, &slow, patience).await;
        assert!(got.in_the_second_half * 2 > fair_half(3), "{kind}: {got:?}");
        let judged = balancer.status().endpoints.into_iter().map(|it| it.successes + it.failures);
        assert_eq!(judged.sum::<u64>(), 0, "{kind}");
    }
}

// --- A server that fails at once -----------------------------------------------------------------

#[tokio::test(start_paused = true)]
async fn a_server_that_fails_in_a_millisecond_loses_its_traffic() {
    for kind in LOADED {
        for n in SIZES {
            let settings = format!("[strategy]\n{kind}");
            let (_, got) = a_minute(&settings, n, &fails_after(MS), None).await;
            let case = format!("{kind}, {n} endpoints, fair {}: {got:?}", fair_half(n));
            assert!(4 * got.in_the_second_half <= fair_half(n), "{case}");
            assert!(got.in_the_second_half > 0, "forgotten: {case}");
            assert_eq!((got.failures, got.of_others), (got.in_all, 0), "{case}");
        }
    }
}

type Web<B> = BoxCloneSyncService<(), Response<B>, io::Error>;

fn web(code: u16, time: Duration) -> Web<Ticking> {
    BoxCloneSyncService::new(service_fn(move |()| async move {
        sleep(time).await;
        Ok(Response::builder().status(code).body(Ticking::new(1, 5 * MS)).unwrap())
    }))
}

/// What the odd one got of a minute of requests, one every 10 ms.
async fn failing_pages<F>(kind: &str, ask: impl Fn(Balancer<Web<Ticking>>) -> F) -> u64
where
    F: Future<Output = ()> + Send + 'static,
{
    let servers = [web(500, MS), web(200, 75 * MS), web(200, 75 * MS)];
    let numbered = servers.into_iter().enumerate();
    let balancer = Balancer::builder()
        .config(config(&format!("[strategy]\n{kind}")))
        .endpoints(numbered.map(|(number, server)| Endpoint::new(id(number), server)))
        .seed(7)
        .build()
        .unwrap();
    let mut callers = JoinSet::new();
    for _ in 0..60 * PER_SECOND {
        callers.spawn(ask(balancer.clone()));
        sleep(10 * MS).await;
    }
    let got = status(&balancer, &id(ODD)).picks;
    callers.shutdown().await;
    got
}

#[tokio::test(start_paused = true)]
async fn a_server_that_answers_500_in_a_millisecond_loses_its_traffic() {
    for kind in LOADED {
        let got = failing_pages(kind, |balancer| async move {
            balancer.service().classify(ByStatus).oneshot(()).await.unwrap();
        })
        .await;
        assert!(4 * got <= 2 * fair_half(3), "{kind}: {got}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_answers_500_loses_its_traffic_where_its_pages_are_followed_and_read() {
    for kind in LOADED {
        let got = failing_pages(kind, |balancer| async move {
            let service = balancer.service().classify(ByStatus).follow_body();
            service.oneshot(()).await.unwrap().into_body().collect().await.unwrap();
        })
        .await;
        assert!(4 * got <= 2 * fair_half(3), "{kind}: {got}");
    }
}

/// Whoever retries on a 500 drops its page unread. The server has said that it failed all the same:
/// a fast failure must never look like a fast success.
#[tokio::test(start_paused = true)]
async fn a_server_that_answers_500_loses_its_traffic_where_its_pages_are_followed_and_not_read() {
    for kind in LOADED {
        let got = failing_pages(kind, |balancer| async move {
            let service = balancer.service().classify(ByStatus).follow_body();
            let answer = service.oneshot(()).await.unwrap();
            if answer.status().is_success() {
                answer.into_body().collect().await.unwrap();
            }
        })
        .await;
        assert!(4 * got <= 2 * fair_half(3), "{kind}: {got} of {}", 60 * PER_SECOND);
    }
}

// --- A long stream -------------------------------------------------------------------------------

/// A body of as many frames as are left, one in each `every`.
struct Ticking {
    left: u32,
    every: Duration,
    next: Pin<Box<Sleep>>,
}

impl Ticking {
    fn new(frames: u32, every: Duration) -> Self {
        Self { left: frames, every, next: Box::pin(sleep(every)) }
    }
}

impl Body for Ticking {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        wait!(self.next.as_mut().poll(cx));
        self.left -= 1;
        let next: Instant = self.next.deadline() + self.every;
        self.next.as_mut().reset(next);
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"tick")))))
    }
}

/// What to answer: how soon, and with how many ticks.
#[derive(Clone, Copy)]
struct Order {
    /// Who is to have it, where it is not all the same.
    only: Option<usize>,
    ticks: u32,
}

type Streamer = BoxCloneSyncService<Order, Response<Ticking>, io::Error>;

/// Two servers, each with a time for its heads.
fn streamers(kind: &str, heads: [Duration; 2]) -> Balancer<Streamer> {
    let server = |head: Duration| -> Streamer {
        BoxCloneSyncService::new(service_fn(move |order: Order| async move {
            sleep(head).await;
            Ok(Response::new(Ticking::new(order.ticks, SECOND)))
        }))
    };
    let numbered = heads.into_iter().enumerate();
    Balancer::builder()
        .config(config(&format!("[strategy]\n{kind}")))
        .endpoints(numbered.map(|(number, head)| Endpoint::new(id(number), server(head))))
        .seed(7)
        .build()
        .unwrap()
}

async fn stream(
    balancer: &Balancer<Streamer>,
    only: Option<usize>,
    ticks: u32,
) -> Response<impl Body<Data = Bytes, Error = io::Error> + use<>> {
    let other = |order: &Order| {
        order.only.map_or_else(Key::none, |only| Key::none().excluding(&id(1 - only)))
    };
    let service = balancer.service().key_by(other).classify(ByStatus).follow_body();
    service.oneshot(Order { only, ticks }).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_long_stream_counts_in_flight_and_its_latency_ends_with_the_head() {
    let balancer = streamers("kind = 'peak_ewma'", [20 * MS, 20 * MS]);
    let began = now();
    let answer = stream(&balancer, Some(ODD), 300).await;
    assert_eq!(odd(&balancer), [1, 0, 0], "judged at the end");
    let mut body = Box::pin(answer.into_body());
    for _ in 0..299 {
        assert!(body.frame().await.unwrap().unwrap().is_data());
        assert_eq!(odd(&balancer), [1, 0, 0]);
    }
    assert_eq!(body.collect().await.unwrap().to_bytes(), "tick");
    assert_eq!(now() - began, 300 * SECOND + 20 * MS);
    assert_eq!(odd(&balancer), [0, 1, 0]);
    let latency = status(&balancer, &id(ODD)).latency.unwrap();
    assert!((20 * MS..=22 * MS).contains(&latency), "{latency:?}");
}

/// An endpoint with a stream has answered: it is at work, and not silent.
#[tokio::test(start_paused = true)]
async fn a_long_stream_does_not_make_its_endpoint_look_slow() {
    for choices in ["2", "'all'"] {
        let kind = format!("kind = 'peak_ewma'\nchoices = {choices}");
        // Three times as quick as the other, so still quicker with one request in flight.
        let balancer = streamers(&kind, [20 * MS, 60 * MS]);
        for only in [0, 1, 0, 1] {
            stream(&balancer, Some(only), 0).await.collect().await.unwrap();
        }
        let _long = stream(&balancer, Some(ODD), 300).await;
        let before = status(&balancer, &id(ODD)).picks;
        for _ in 0..60 {
            sleep(SECOND).await;
            stream(&balancer, None, 0).await.collect().await.unwrap();
        }
        let got = status(&balancer, &id(ODD)).picks - before;
        assert!(got >= 50, "{choices}: the quicker one got {got} of 60");
    }
}

/// The same where everybody streams: whoever happens to be asked must not win for good.
#[tokio::test(start_paused = true)]
async fn endpoints_that_all_have_long_streams_share_the_traffic() {
    for kind in LOADED {
        let balancer = streamers(kind, [20 * MS, 20 * MS]);
        let mut long = Vec::new();
        for only in [0, 1] {
            long.push(stream(&balancer, Some(only), 300).await);
        }
        for _ in 0..60 {
            sleep(SECOND).await;
            stream(&balancer, None, 0).await.collect().await.unwrap();
        }
        let got = [0, 1].map(|number| status(&balancer, &id(number)).picks - 1);
        assert!(got.iter().all(|&got| got >= 15), "{kind}: {got:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_leaves_a_long_stream_blames_nobody_however_long_it_was() {
    let settings = "[outlier]\nabandoned_after = '1s'\n[limits]\nattempt_timeout = '1s'";
    let server = service_fn(|()| ready(Ok::<_, io::Error>(Response::new(Ticking::new(9, SECOND)))));
    let endpoint = Endpoint::new(id(ODD), server);
    let balancer = Balancer::builder().config(config(settings)).endpoint(endpoint).build().unwrap();
    let answer = balancer.service().follow_body().oneshot(()).await.unwrap();
    sleep(Duration::from_mins(1)).await;
    assert_eq!(odd(&balancer), [1, 0, 0]);
    drop(answer);
    assert_eq!(odd(&balancer), [0, 0, 0]);
}

// --- What errors say -----------------------------------------------------------------------------

#[tokio::test(start_paused = true)]
async fn an_empty_set_is_refused_as_empty() {
    let balancer = balancer("", []);
    let error = ask(&balancer).await.unwrap_err();
    assert_eq!(find_cause::<PickError>(&*error), Some(&PickError::Empty));
    assert!(find_cause::<EndpointError>(&*error).is_none(), "no endpoint was chosen");
    assert_eq!(error.to_string(), "no endpoint: the set is empty");
}

#[tokio::test(start_paused = true)]
async fn a_drained_set_is_refused_with_the_time_of_the_first_return() {
    let balancer = balancer("", [answers_after(MS), answers_after(MS), answers_after(MS)]);
    drop(balancer.drain_for(&id(0), 9 * SECOND).unwrap());
    drop(balancer.drain_for(&id(1), 5 * SECOND).unwrap());
    balancer.disable(&id(2)).unwrap();
    let until = Some(now() + 5 * SECOND);
    let error = ask(&balancer).await.unwrap_err();
    let expected =
        PickError::NoneAvailable { draining: 2, disabled: 1, ejected: 0, unhealthy: 0, until };
    assert_eq!(find_cause::<PickError>(&*error), Some(&expected));
    assert!(error.to_string().starts_with("no endpoint: 2 draining, 1 disabled"), "{error}");
    sleep(5 * SECOND).await;
    assert_eq!(ask(&balancer).await.unwrap(), "hello", "it has returned at the time it said");
    assert_eq!(status(&balancer, &id(1)).successes, 1);
}

#[tokio::test(start_paused = true)]
async fn a_set_drained_for_good_is_refused_without_a_time() {
    let balancer = balancer("", [answers_after(MS)]);
    drop(balancer.drain(&id(0)).unwrap());
    let error = ask(&balancer).await.unwrap_err();
    let expected = PickError::NoneAvailable {
        draining: 1,
        disabled: 0,
        ejected: 0,
        unhealthy: 0,
        until: None,
    };
    assert_eq!(find_cause::<PickError>(&*error), Some(&expected));
}

#[tokio::test(start_paused = true)]
async fn a_layer_refuses_alike() {
    let balancer = Balancer::<Uri>::builder().build().unwrap();
    let client = service_fn(|_: Request<()>| ready(Ok::<_, io::Error>(())));
    let service = BalanceLayer::new(balancer).layer(client);
    let error = service.oneshot(Request::new(())).await.unwrap_err();
    assert_eq!(find_cause::<PickError>(&*error), Some(&PickError::Empty));
}

#[tokio::test(start_paused = true)]
async fn a_failure_names_its_endpoint_and_its_cause() {
    let balancer = balancer("", [fails_after(MS)]);
    let error = ask(&balancer).await.unwrap_err();
    assert_eq!(error.to_string(), "endpoint `e000` failed");
    let found = endpoint_error(&error);
    assert_eq!((found.endpoint(), found.reason()), (&id(0), EndpointErrorReason::Failed));
    assert!(!found.is_timeout());
    assert!(found.source().unwrap().is::<io::Error>(), "the cause stands right behind it");
    let cause = find_cause::<io::Error>(&*error).unwrap();
    assert_eq!(cause.kind(), io::ErrorKind::ConnectionReset);
    assert!(find_cause::<PickError>(&*error).is_none());
}

#[tokio::test(start_paused = true)]
async fn a_service_that_breaks_unready_names_its_endpoint_and_its_cause() {
    let check = |error: &BoxError| {
        assert_eq!(error.to_string(), "endpoint `e000` broke unready");
        let found = endpoint_error(error);
        assert_eq!((found.endpoint(), found.reason()), (&id(0), EndpointErrorReason::NotReady));
        assert!(!found.is_timeout());
        let cause = find_cause::<io::Error>(&**error).unwrap();
        assert_eq!(cause.kind(), io::ErrorKind::BrokenPipe);
    };
    let endpoint = Endpoint::new(id(0), Unready { breaks: true });
    let balancer = Balancer::builder().endpoint(endpoint).build().unwrap();
    check(&balancer.service().oneshot(()).await.unwrap_err());
    assert_eq!(odd(&balancer), [0, 0, 1], "it is the endpoint's own service that broke");

    let uri = Uri::from_static("http://10.0.0.1");
    let balancer = Balancer::builder().endpoint(Endpoint::new(id(0), uri)).build().unwrap();
    let service = BalanceLayer::new(balancer.clone()).layer(Unready { breaks: true });
    check(&service.oneshot(Request::new(())).await.unwrap_err());
    assert_eq!(odd(&balancer), [0, 0, 0], "a client that breaks is no fault of the endpoint");
    assert_eq!(status(&balancer, &id(0)).picks, 0);
}

#[tokio::test(start_paused = true)]
async fn an_address_that_cannot_be_used_is_named_and_not_judged() {
    let uri = Uri::from_static("/nowhere");
    let balancer = Balancer::builder().endpoint(Endpoint::new(id(0), uri)).build().unwrap();
    let client = service_fn(|_: Request<()>| ready(Ok::<_, io::Error>(())));
    let service = BalanceLayer::new(balancer.clone()).layer(client);
    let error = service.oneshot(Request::new(())).await.unwrap_err();
    let said = "the request cannot be sent to the address of endpoint `e000`";
    assert_eq!(error.to_string(), said);
    let found = endpoint_error(&error);
    assert_eq!((found.endpoint(), found.reason()), (&id(0), EndpointErrorReason::Undirected));
    let cause = find_cause::<DirectError>(&*error).unwrap();
    assert!(cause.to_string().contains("/nowhere"), "{cause}");
    assert_eq!(odd(&balancer), [0, 0, 0]);
    assert_eq!(status(&balancer, &id(0)).picks, 0);
}

#[tokio::test(start_paused = true)]
async fn causes_are_found_through_layers_outside() {
    let balancer = balancer(TWO_SECONDS, [never_answers()]);
    let outer = balancer.service().map_err(|error| -> BoxError {
        Box::new(io::Error::other(error)) // whoever wraps errors again
    });
    let error = outer.oneshot(Key::none()).await.unwrap_err();
    // `io::Error` gives the cause of what it wraps for its own, so only what it wraps is lost.
    let wrapped = error.downcast_ref::<io::Error>().unwrap().get_ref().unwrap();
    assert!(find_cause::<EndpointError>(wrapped).unwrap().is_timeout());
}

// --- Judged by the settings it was chosen under --------------------------------------------------

const NO_LIMIT: &str = "";
const ABANDONED: &str = "[outlier]\nabandoned_after = '1s'";

#[tokio::test(start_paused = true)]
async fn who_was_chosen_before_abandoned_after_is_not_judged_by_it() {
    for (before, after, failures) in [(NO_LIMIT, ABANDONED, 0), (ABANDONED, NO_LIMIT, 1)] {
        let balancer = balancer(before, [never_answers()]);
        let lease = pick(&balancer);
        sleep(2 * SECOND).await;
        balancer.apply(config(after)).unwrap();
        drop(lease);
        assert_eq!(odd(&balancer), [0, 0, failures], "from {before:?} to {after:?}");
        let lease = pick(&balancer);
        sleep(2 * SECOND).await;
        drop(lease);
        assert_eq!(odd(&balancer), [0, 0, 1], "the next one, from {before:?} to {after:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_attempt_keeps_the_time_it_was_given() {
    let short = "[limits]\nattempt_timeout = '1s'";
    let long = "[limits]\nattempt_timeout = '7s'";
    for (before, after, seconds) in [(short, long, 1), (long, short, 7), (short, NO_LIMIT, 1)] {
        let balancer = balancer(before, [never_answers()]);
        let began = now();
        // Chosen in the call, and not polled before the change.
        let response = balancer.service().call(Key::none());
        balancer.apply(config(after)).unwrap();
        let error = in_time(response).await.unwrap_err();
        let span = Duration::from_secs(seconds);
        assert_eq!(now() - began, span, "from {before:?} to {after:?}");
        let reason = EndpointErrorReason::TimedOut { after: span };
        assert_eq!(endpoint_error(&error).reason(), reason);
    }
}

#[tokio::test(start_paused = true)]
async fn a_plea_for_time_is_capped_as_it_was_when_the_request_was_sent() {
    let capped = |cap: &str| {
        config(&format!("[strategy]\nchoices = 'all'\n[outlier]\nretry_after_cap = '{cap}'"))
    };
    for (before, after, seconds) in [("20s", "1h", 20), ("40s", "10s", 40)] {
        let servers = [answers_after(MS), answers_after(MS)];
        let numbered = servers.into_iter().enumerate();
        let balancer = Balancer::builder()
            .config(capped(before))
            .endpoints(numbered.map(|(number, server)| Endpoint::new(id(number), server)))
            .seed(7)
            .build()
            .unwrap();
        let lease = pick_only(&balancer, &id(ODD));
        balancer.apply(capped(after)).unwrap();
        lease.finish(Outcome::overloaded(Some(Duration::from_mins(5))));
        let mut got = Vec::new();
        for second in 0..80 {
            if *pick(&balancer).endpoint() == id(ODD) {
                got.push(second);
            }
            sleep(SECOND).await;
        }
        let case = format!("from {before} to {after}: {got:?}");
        assert!(got.iter().all(|&second| second >= seconds), "{case}");
        assert!(got.iter().any(|&second| second < seconds + 20), "{case}");
    }
}
