//! Keys are read, and sessions are kept, without an allocation.

#![cfg(feature = "affinity")]
#![allow(clippy::unwrap_used)]

use std::convert::Infallible;
use std::future::{Future, Ready, ready};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use allocation_counter::measure;
use evenkeel::config::{StrategyConfig, StrategyKind};
use evenkeel::{
    BalanceLayer, Balancer, BoxError, Config, Endpoint, Key, KeyBy, Outcome, Secret,
    SessionAffinity, Target, keys,
};
use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderName, HeaderValue, Request, Response};
use tower::{Layer, Service, service_fn};

const REQUESTS: usize = 1_000;

fn request(cookies: &str) -> Request<()> {
    let mut request = Request::get("/carts/7?shop=4&cart=7").body(()).unwrap();
    let headers = request.headers_mut();
    headers.append("x-user", HeaderValue::from_static("ann"));
    headers.append("x-user", HeaderValue::from_static("bob"));
    headers.append(COOKIE, HeaderValue::from_str(cookies).unwrap());
    request.extensions_mut().insert(7_u64);
    request
}

#[test]
fn reading_a_key_allocates_nothing() {
    let key = keys::header(HeaderName::from_static("x-user"))
        .and(keys::cookie("session").or(keys::cookie("other")))
        .and(keys::path().and(keys::path_segment(1)))
        .and(keys::query("cart").or(keys::query("shop")))
        .and(keys::extension(|n: &u64| Key::of(n)));
    let request = request("a=1; other=2");
    let mut sum = 0_u64;
    let allocated = measure(|| {
        for _ in 0..REQUESTS {
            sum = sum.wrapping_add(key.key(&request).hash().unwrap());
        }
    });
    assert_eq!(allocated.count_total, 0);
    assert_ne!(sum, 0);
}

/// An address that is written into the request.
#[derive(Clone, Copy)]
struct Address;

impl Target<Request<()>> for Address {
    fn direct(&self, request: Request<()>) -> Result<Request<()>, BoxError> {
        Ok(request)
    }
}

fn answer<S>(service: &mut S, request: Request<()>) -> Response<()>
where
    S: Service<Request<()>, Response = Response<()>, Error = BoxError>,
{
    let mut cx = Context::from_waker(Waker::noop());
    assert!(matches!(service.poll_ready(&mut cx), Poll::Ready(Ok(()))));
    match pin!(service.call(request)).as_mut().poll(&mut cx) {
        Poll::Ready(answer) => answer.unwrap(),
        Poll::Pending => unreachable!("every service here answers at once"),
    }
}

/// What requests of a session allocate, once it is known.
fn allocations<S>(mut service: S) -> u64
where
    S: Service<Request<()>, Response = Response<()>, Error = BoxError>,
{
    let first = answer(&mut service, request("a=1"));
    let (cookie, _) = first.headers()[SET_COOKIE].to_str().unwrap().split_once(';').unwrap();
    let request = || request(&format!("a=1; {cookie}; b=2"));
    // What the first requests set up for all that follow.
    for _ in 0..10 {
        assert!(answer(&mut service, request()).headers().is_empty());
    }
    let requests: Vec<_> = (0..REQUESTS).map(|_| request()).collect();
    let mut requests = requests.into_iter();
    measure(|| requests.by_ref().for_each(|request| drop(answer(&mut service, request))))
        .count_total
}

#[test]
fn a_request_of_a_session_allocates_nothing() {
    fn trivial(_: Request<()>) -> Ready<Result<Response<()>, Infallible>> {
        ready(Ok(Response::new(())))
    }
    let affinity = || {
        let secret = Secret::new([7; 32]).unwrap();
        let affinity = SessionAffinity::cookie("shop", secret).unwrap();
        affinity.max_age(std::time::Duration::from_secs(3_600)).unwrap()
    };
    let key = || keys::header(HeaderName::from_static("x-user"));

    let servers = (0..20).map(|i| Endpoint::new(format!("e{i}"), service_fn(trivial)));
    let balancer = Balancer::builder().endpoints(servers).build().unwrap();
    assert_eq!(allocations(balancer.service().key_from(key()).sticky(affinity())), 0);

    let addresses = (0..20).map(|i| Endpoint::new(format!("e{i}"), Address));
    let balancer = Balancer::builder().endpoints(addresses).build().unwrap();
    let layer = BalanceLayer::new(balancer).key_from(key()).sticky(affinity());
    assert_eq!(allocations(layer.layer(service_fn(trivial))), 0);
}

#[tokio::test(start_paused = true)]
async fn a_pick_allocates_nothing_while_keys_lag_behind_the_set() {
    for kind in [StrategyKind::Maglev, StrategyKind::RingHash] {
        let config = Config::default().with_strategy(StrategyConfig::new(kind.clone()));
        let endpoints = (0..100).map(|i| Endpoint::new(format!("e{i:02}"), ()));
        let balancer = Balancer::builder().config(config).endpoints(endpoints).build().unwrap();
        let share = || balancer.status().endpoints[50].expected_share;
        // More than are built at once; the clock stands still.
        for i in 0..8 {
            balancer.set_weight(&format!("e{i:02}").into(), 2).unwrap();
        }
        let before = share();
        balancer.set_weight(&"e50".into(), 3).unwrap();
        balancer.remove(&"e60".into()).unwrap();
        drop(balancer.drain(&"e61".into()).unwrap());
        assert!(share() < 2.0 * before, "{kind}: it should lag");
        let allocated = measure(|| {
            for i in 0..REQUESTS as u64 {
                let key = Key::from_hash(i.wrapping_mul(0x9E37_79B9_7F4A_7C15));
                balancer.pick(&key).unwrap().finish(Outcome::Success);
            }
        });
        assert_eq!(allocated.count_total, 0, "{kind}");
        assert!(share() < 2.0 * before, "{kind}: it should lag still");
    }
}
