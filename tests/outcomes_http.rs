//! What an HTTP answer says about its endpoint: every status, and every way to ask for time.

#![cfg(all(feature = "config", feature = "http"))]
#![allow(clippy::unwrap_used)]

mod support;

use std::future::ready;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use evenkeel::{
    BalanceLayer, Balancer, ByStatus, ChosenEndpoint, Classify, Endpoint, EndpointId,
    EndpointStatus, FailureKind, Key, Outcome, find_cause,
};
use http::header::{DATE, RETRY_AFTER};
use http::{Request, Response, StatusCode, Uri};
use tokio::task::JoinSet;
use tokio::time::sleep;
use tower::util::BoxCloneSyncService;
use tower::{Layer, Service, ServiceExt, service_fn};

use crate::support::{config, id, status};

type Answer = Response<()>;
/// A server that is told where the request must not go, which only the balancer reads.
type Server = BoxCloneSyncService<Key, Answer, io::Error>;

const NOON: &str = "Fri, 20 Nov 2026 12:00:00 GMT";

/// `Retry-After` and `Date` of a response, and the time that is thereby asked for.
const WISHES: [(Option<&str>, Option<&str>, Option<Duration>); 20] = [
    (None, None, None),
    (None, Some(NOON), None),
    // A number of seconds, whatever the date is.
    (Some("1"), None, Some(Duration::from_secs(1))),
    (Some("120"), Some(NOON), Some(Duration::from_secs(120))),
    (Some(" 7 "), None, Some(Duration::from_secs(7))),
    (Some("0"), None, Some(Duration::ZERO)),
    (Some("18446744073709551615"), None, Some(Duration::from_secs(u64::MAX))),
    // A date, in the three ways to write one, against the date of the response.
    (Some("Fri, 20 Nov 2026 12:02:00 GMT"), Some(NOON), Some(Duration::from_secs(120))),
    (Some("Friday, 20-Nov-26 12:02:00 GMT"), Some(NOON), Some(Duration::from_secs(120))),
    (Some("Fri Nov 20 12:02:00 2026"), Some(NOON), Some(Duration::from_secs(120))),
    (Some("Sat, 20 Nov 2027 12:00:00 GMT"), Some(NOON), Some(Duration::from_hours(365 * 24))),
    (Some("Fri, 20 Nov 2026 12:00:00 GMT"), Some(NOON), Some(Duration::ZERO)),
    (Some("Fri, 20 Nov 2026 11:00:00 GMT"), Some(NOON), Some(Duration::ZERO)),
    // A date that nothing says the distance of.
    (Some("Fri, 20 Nov 2026 12:02:00 GMT"), None, None),
    (Some("Fri, 20 Nov 2026 12:02:00 GMT"), Some("today"), None),
    // What cannot be read.
    (Some(""), None, None),
    (Some("soon"), Some(NOON), None),
    (Some("-1"), None, None),
    (Some("1.5"), None, None),
    (Some("99999999999999999999"), None, None),
];

fn response(status: u16, wish: Option<&str>, date: Option<&str>) -> Answer {
    let mut builder = Response::builder().status(status);
    if let Some(wish) = wish {
        builder = builder.header(RETRY_AFTER, wish);
    }
    if let Some(date) = date {
        builder = builder.header(DATE, date);
    }
    builder.body(()).unwrap()
}

/// The table that `ByStatus` documents.
fn expected(status: u16, wish: Option<Duration>) -> Outcome {
    match (status, wish) {
        (429, wish) | (503, wish @ Some(_)) => Outcome::overloaded(wish),
        (502..=504, _) => Outcome::Failure(FailureKind::Gateway),
        (500..=599, _) => Outcome::Failure(FailureKind::Other),
        _ => Outcome::Success,
    }
}

fn judged(answer: &Answer) -> Outcome {
    Classify::<Answer, io::Error>::classify(&ByStatus, Ok(answer))
}

/// Successes, failures and refusals.
fn counts(status: &EndpointStatus) -> [u64; 3] {
    assert_eq!(status.in_flight, 0, "it is released");
    [status.successes, status.failures, status.overloaded]
}

/// Which of the counts an outcome adds to.
fn place(outcome: Outcome) -> usize {
    match outcome {
        Outcome::Success => 0,
        Outcome::Failure(_) => 1,
        Outcome::Overloaded { .. } => 2,
        other => unreachable!("no HTTP status is {other:?}"),
    }
}

fn every_case() -> impl Iterator<Item = (u16, Option<&'static str>, Option<&'static str>, Outcome)>
{
    let wishes = |status| {
        WISHES.map(|(wish, date, asked)| (status, wish, date, expected(status, asked))).into_iter()
    };
    (100..=599).flat_map(wishes)
}

#[test]
fn every_status_has_its_outcome_whatever_time_it_asks_for() {
    for (status, wish, date, expected) in every_case() {
        let found = judged(&response(status, wish, date));
        assert_eq!(found, expected, "{status}, Retry-After {wish:?}, Date {date:?}");
    }
}

/// The table above says it by ranges, so here are some by hand.
#[test]
fn some_that_are_easy_to_get_wrong() {
    let plain = |status| judged(&response(status, None, None));
    for good in [100, 101, 200, 204, 206, 301, 304, 400, 401, 403, 404, 408, 409, 425, 499] {
        assert_eq!(plain(good), Outcome::Success, "{good}");
    }
    for broken in [500, 501, 505, 507, 511, 599] {
        assert_eq!(plain(broken), Outcome::Failure(FailureKind::Other), "{broken}");
    }
    for gateway in [502, 503, 504] {
        assert_eq!(plain(gateway), Outcome::Failure(FailureKind::Gateway), "{gateway}");
    }
    assert_eq!(plain(429), Outcome::overloaded(None));
    assert_eq!(judged(&response(503, Some("0"), None)), Outcome::overloaded(Some(Duration::ZERO)));
    assert_eq!(judged(&response(502, Some("9"), None)), Outcome::Failure(FailureKind::Gateway));
}

#[test]
fn an_error_is_a_local_failure_whatever_it_is() {
    for kind in [io::ErrorKind::ConnectionRefused, io::ErrorKind::TimedOut, io::ErrorKind::Other] {
        let found = Classify::<Answer, _>::classify(&ByStatus, Err(&io::Error::from(kind)));
        assert_eq!(found, Outcome::Failure(FailureKind::Local), "{kind:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_balance_counts_what_the_table_says_and_names_the_endpoint() {
    type Echo = BoxCloneSyncService<Answer, Answer, io::Error>;
    let echo: Echo = BoxCloneSyncService::new(service_fn(|answer: Answer| ready(Ok(answer))));
    let balancer = Balancer::builder().endpoint(Endpoint::new(id(0), echo)).build().unwrap();
    let mut service = balancer.service().classify(ByStatus);
    let mut before = [0; 3];
    for (code, wish, date, expected) in every_case() {
        let answer = service.call(response(code, wish, date)).await.unwrap();
        assert_eq!(answer.status(), code, "the caller gets what the server said");
        assert_eq!(answer.extensions().get(), Some(&ChosenEndpoint(id(0))), "{code}");
        let now = counts(&status(&balancer, &id(0)));
        before[place(expected)] += 1;
        assert_eq!(now, before, "{code}, Retry-After {wish:?}, Date {date:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_layer_counts_what_the_table_says_and_names_the_endpoint() {
    let uri = Uri::from_static("http://10.0.0.1:80");
    let balancer = Balancer::builder().endpoint(Endpoint::new(id(7), uri)).build().unwrap();
    let client = service_fn(|request: Request<Answer>| {
        assert_eq!(request.uri().authority().unwrap(), "10.0.0.1:80");
        ready(Ok::<_, io::Error>(request.into_body()))
    });
    let mut service = BalanceLayer::new(balancer.clone()).classify(ByStatus).layer(client);
    let mut before = [0; 3];
    for (code, wish, date, expected) in every_case() {
        let request = Request::get("/").body(response(code, wish, date)).unwrap();
        let answer = service.call(request).await.unwrap();
        assert_eq!(answer.extensions().get(), Some(&ChosenEndpoint(id(7))), "{code}");
        before[place(expected)] += 1;
        assert_eq!(counts(&status(&balancer, &id(7))), before, "{code}, {wish:?}, {date:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn each_answer_names_the_endpoint_that_gave_it() {
    let server = |number: u16| -> Server {
        let status = StatusCode::from_u16(200 + number).unwrap();
        let answer = move |_| ready(Ok(response(status.as_u16(), None, None)));
        BoxCloneSyncService::new(service_fn(answer))
    };
    let servers = (0..3).map(|number| Endpoint::new(id(number.into()), server(number)));
    let balancer = Balancer::builder().endpoints(servers).seed(1).build().unwrap();
    let service = balancer.service().classify(ByStatus);
    for _ in 0..30 {
        let answer = service.clone().oneshot(Key::none()).await.unwrap();
        let by = answer.extensions().get::<ChosenEndpoint>().unwrap();
        assert_eq!(by.0, id(usize::from(answer.status().as_u16() - 200)));
    }
}

#[tokio::test(start_paused = true)]
async fn errors_are_counted_as_failures() {
    let refuse = |_| ready(Err(io::Error::from(io::ErrorKind::ConnectionRefused)));
    let server: Server = BoxCloneSyncService::new(service_fn(refuse));
    let balancer = Balancer::builder().endpoint(Endpoint::new(id(0), server)).build().unwrap();
    for n in 1..4 {
        let service = balancer.service().classify(ByStatus);
        let error = service.oneshot(Key::none()).await.unwrap_err();
        let cause = find_cause::<io::Error>(&*error).unwrap();
        assert_eq!(cause.kind(), io::ErrorKind::ConnectionRefused);
        assert_eq!(counts(&status(&balancer, &id(0))), [0, n, 0]);
    }
}

// --- An endpoint that asks for time gets it ------------------------------------------------------

/// The strategies that read the load.
const LOADED: [&str; 4] = [
    "kind = 'least_request'\nchoices = 2",
    "kind = 'least_request'\nchoices = 'all'",
    "kind = 'peak_ewma'\nchoices = 2",
    "kind = 'peak_ewma'\nchoices = 'all'",
];

/// The endpoint that has too much to do.
const BUSY: usize = 0;

/// Three servers that answer after `time`; the first request to [`BUSY`] is refused at once.
fn three(
    settings: &str,
    time: Duration,
    refusal: (u16, &'static str, Option<&'static str>),
) -> Balancer<Server> {
    let (code, wish, date) = refusal;
    let server = |number: usize| -> Server {
        let refusals = Arc::new(AtomicUsize::new(usize::from(number == BUSY)));
        BoxCloneSyncService::new(service_fn(move |_: Key| {
            let less = |left: usize| left.checked_sub(1);
            let refuses = refusals.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok();
            async move {
                if refuses {
                    return Ok(response(code, Some(wish), date));
                }
                sleep(time).await;
                Ok(response(200, None, None))
            }
        }))
    };
    let servers = (0..3).map(|number| Endpoint::new(id(number), server(number)));
    Balancer::builder().config(config(settings)).endpoints(servers).seed(3).build().unwrap()
}

async fn ask(balancer: &Balancer<Server>, key: Key) -> (EndpointId, StatusCode) {
    let service = balancer.service().key_by(Key::clone).classify(ByStatus);
    let answer = service.oneshot(key).await.unwrap();
    (answer.extensions().get::<ChosenEndpoint>().unwrap().0.clone(), answer.status())
}

async fn be_refused(balancer: &Balancer<Server>, code: u16) {
    let key = Key::none().excluding(&id(1)).excluding(&id(2));
    assert_eq!(ask(balancer, key).await, (id(BUSY), StatusCode::from_u16(code).unwrap()));
    assert_eq!(counts(&status(balancer, &id(BUSY))), [0, 0, 1]);
}

/// One request a second, each over before the next. Returns which of `seconds` went to [`BUSY`].
async fn one_a_second(balancer: &Balancer<Server>, seconds: u64) -> Vec<u64> {
    let mut busy = Vec::new();
    for second in 0..seconds {
        let began = support::now();
        if ask(balancer, Key::none()).await.0 == id(BUSY) {
            busy.push(second);
        }
        tokio::time::sleep_until(began + Duration::from_secs(1)).await;
    }
    busy
}

/// The refusal is at the beginning of second 0; in second `lasts` it weighs no more.
async fn is_left_alone_for(settings: &str, refusal: (u16, &'static str, Option<&'static str>)) {
    let lasts = 60;
    for kind in LOADED {
        let balancer =
            three(&format!("[strategy]\n{kind}\n{settings}"), Duration::from_millis(20), refusal);
        be_refused(&balancer, refusal.0).await;
        let got = one_a_second(&balancer, lasts + 40).await;
        let case = format!("{kind}, {refusal:?}: {got:?}");
        assert!(got.iter().all(|&second| second >= lasts), "not left alone: {case}");
        assert!(got.iter().any(|&second| second < lasts + 20), "forgotten: {case}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_asks_for_a_minute_by_429_gets_a_minute() {
    is_left_alone_for("", (429, "60", None)).await;
}

#[tokio::test(start_paused = true)]
async fn who_asks_for_a_minute_by_503_gets_a_minute() {
    is_left_alone_for("", (503, "60", None)).await;
}

#[tokio::test(start_paused = true)]
async fn who_asks_for_a_minute_by_a_date_gets_a_minute() {
    is_left_alone_for("", (429, "Fri, 20 Nov 2026 12:01:00 GMT", Some(NOON))).await;
}

#[tokio::test(start_paused = true)]
async fn who_asks_for_an_hour_gets_what_the_cap_allows() {
    is_left_alone_for("[outlier]\nretry_after_cap = '1m'", (429, "3600", None)).await;
}

#[tokio::test(start_paused = true)]
async fn who_asks_for_all_eternity_gets_what_the_cap_allows() {
    let cap = "[outlier]\nretry_after_cap = '1m'";
    is_left_alone_for(cap, (503, "18446744073709551615", None)).await;
}

/// The cap is five minutes by default, and holds with `outlier = false` too: what weighs on the
/// load is no ejection.
#[tokio::test(start_paused = true)]
async fn the_cap_is_five_minutes_by_default() {
    for kind in LOADED {
        let settings = format!("[strategy]\n{kind}");
        let balancer = three(&settings, Duration::from_millis(20), (429, "86400", None));
        be_refused(&balancer, 429).await;
        let got = one_a_second(&balancer, 340).await;
        assert!(got.iter().all(|&second| second >= 300), "{kind}: {got:?}");
        assert!(got.iter().any(|&second| second < 320), "{kind}: {got:?}");
    }
}

/// An endpoint that asks for no time, or for less, is treated as one that failed.
#[tokio::test(start_paused = true)]
async fn who_asks_for_less_than_the_penalty_waits_for_the_penalty() {
    for kind in LOADED {
        for (code, wish) in [(429, "soon"), (429, "0"), (429, "1"), (503, "1")] {
            let settings = format!("[strategy]\n{kind}\nfailure_penalty = '10s'");
            let balancer = three(&settings, Duration::from_millis(20), (code, wish, None));
            be_refused(&balancer, code).await;
            let got = one_a_second(&balancer, 40).await;
            // Counted in slices, a failure may weigh for an eighth longer.
            assert!(got.iter().all(|&second| second >= 10), "{kind}, {code} {wish}: {got:?}");
            assert!(got.iter().any(|&second| second < 30), "{kind}, {code} {wish}: {got:?}");
        }
    }
}

/// Sends a request every 10 ms to servers that take 200 ms, so that each has half a dozen in flight,
/// while one of them has asked for a minute.
async fn is_left_alone_by_many(kind: &str) {
    let settings = format!("[strategy]\n{kind}");
    let balancer = three(&settings, Duration::from_millis(200), (429, "60", None));
    be_refused(&balancer, 429).await;
    let mut out = JoinSet::new();
    let mut send = async |requests: usize| {
        for _ in 0..requests {
            let balancer = balancer.clone();
            out.spawn(async move { ask(&balancer, Key::none()).await });
            sleep(Duration::from_millis(10)).await;
        }
        status(&balancer, &id(BUSY)).picks - 1
    };
    // The last five seconds are left out: what an endpoint is expected to take shrinks with what is
    // left of its time, and at the end it is no more than the queues of the others take.
    let meanwhile = send(5_500).await;
    let after = send(1_500).await - meanwhile;
    assert_eq!(meanwhile, 0, "{kind}: asked for a minute, and got so many of 5,500 within it");
    assert!(after > 50, "{kind}: {after}");
}

/// `outlier.retry_after_cap` is the time for which an endpoint may ask "to be left alone". That its
/// peers are at work meanwhile does not change what it asked for.
#[tokio::test(start_paused = true)]
async fn least_request_leaves_alone_who_asks_for_a_minute_while_the_others_are_busy() {
    is_left_alone_by_many(LOADED[0]).await;
    is_left_alone_by_many(LOADED[1]).await;
}

#[tokio::test(start_paused = true)]
async fn peak_ewma_leaves_alone_who_asks_for_a_minute_while_the_others_are_busy() {
    is_left_alone_by_many(LOADED[2]).await;
    is_left_alone_by_many(LOADED[3]).await;
}
