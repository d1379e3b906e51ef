//! A request through the services allocates nothing, from the call to the drop of its response.

#![allow(clippy::unwrap_used)]

use std::convert::Infallible;
use std::future::{Future, ready};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use allocation_counter::measure;
use evenkeel::config::{StrategyConfig, StrategyKind};
use evenkeel::{BalanceLayer, Balancer, BoxError, Config, Endpoint, Key, Target};
use tower::{Layer, Service, service_fn};

const REQUESTS: u64 = 10_000;

const KINDS: [StrategyKind; 6] = [
    StrategyKind::RoundRobin,
    StrategyKind::Random,
    StrategyKind::LeastRequest,
    StrategyKind::PeakEwma,
    StrategyKind::RingHash,
    StrategyKind::Maglev,
];

fn balancer<T: Send + Sync + 'static>(kind: &StrategyKind, make: impl Fn() -> T) -> Balancer<T> {
    Balancer::builder()
        .config(Config::default().with_strategy(StrategyConfig::new(kind.clone())))
        .endpoints((0..20).map(|i| Endpoint::new(format!("e{i}"), make()).weight(1 + i % 3)))
        .build()
        .unwrap()
}

/// An address that is written into the request.
struct Address(u64);

impl Target<u64> for Address {
    fn direct(&self, request: u64) -> Result<u64, BoxError> {
        Ok(request ^ self.0)
    }
}

/// Calls, polls to the end with `done`, and drops; says what the requests have allocated.
fn allocations<S: Service<u64>>(
    mut service: S,
    mut done: impl FnMut(Result<S::Response, S::Error>),
) -> u64 {
    let mut cx = Context::from_waker(Waker::noop());
    let mut request = |n| {
        assert!(matches!(service.poll_ready(&mut cx), Poll::Ready(Ok(()))));
        let mut response = pin!(service.call(n));
        match response.as_mut().poll(&mut cx) {
            Poll::Ready(answer) => done(answer),
            Poll::Pending => unreachable!("every service here answers at once"),
        }
    };
    // What the first requests of a thread set up for all that follow.
    (0..10).for_each(&mut request);
    measure(|| (0..REQUESTS).for_each(&mut request)).count_total
}

#[test]
fn a_request_through_balance_allocates_nothing() {
    let trivial = service_fn(|n: u64| ready(Ok::<_, Infallible>(n)));
    for kind in &KINDS {
        let balancer = balancer(kind, || trivial);
        let mut sum = 0;
        let allocated = allocations(balancer.service(), |answer| sum += answer.unwrap());
        assert_eq!(allocated, 0, "{kind}");
        assert!(sum > 0);
        let keyed = balancer.service().key_by(|n: &u64| Key::bytes(&n.to_le_bytes()));
        assert_eq!(allocations(keyed, |answer| sum += answer.unwrap()), 0, "{kind}, with keys");
        let status = balancer.status();
        assert!(status.endpoints.iter().all(|it| it.in_flight == 0 && it.picks == it.successes));
        assert_eq!(status.endpoints.iter().map(|it| it.picks).sum::<u64>(), 2 * (REQUESTS + 10));
    }
}

#[test]
fn a_request_through_the_layer_allocates_nothing() {
    let trivial = service_fn(|n: u64| ready(Ok::<_, Infallible>(n)));
    for kind in &KINDS {
        let balancer = balancer(kind, || Address(7));
        let layer = BalanceLayer::new(balancer.clone());
        let mut sum = 0;
        let allocated = allocations(layer.layer(trivial), |answer| sum += answer.unwrap());
        assert_eq!(allocated, 0, "{kind}");
        assert!(sum > 0);
        let keyed = layer.key_by(|n: &u64| Key::bytes(&n.to_le_bytes())).layer(trivial);
        assert_eq!(allocations(keyed, |answer| sum += answer.unwrap()), 0, "{kind}, with keys");
        assert!(balancer.status().endpoints.iter().all(|it| it.in_flight == 0));
    }
}

#[cfg(feature = "http")]
#[test]
fn a_body_that_is_followed_allocates_nothing() {
    use bytes::Bytes;
    use http::Response;
    use http_body::Body;
    use http_body_util::Full;

    fn read(answer: Result<Response<impl Body<Data = Bytes, Error = Infallible>>, BoxError>) {
        let mut cx = Context::from_waker(Waker::noop());
        let mut body = pin!(answer.unwrap().into_body());
        let frame = body.as_mut().poll_frame(&mut cx);
        assert!(matches!(frame, Poll::Ready(Some(Ok(_)))));
        assert!(matches!(body.as_mut().poll_frame(&mut cx), Poll::Ready(None)));
    }

    let page = || Response::new(Full::new(Bytes::from_static(b"page")));
    let trivial = service_fn(move |_: u64| ready(Ok::<_, Infallible>(page())));
    for kind in &KINDS {
        let balanced = balancer(kind, || trivial);
        assert_eq!(allocations(balanced.service().follow_body(), read), 0, "{kind}");
        assert!(balanced.status().endpoints.iter().all(|it| it.in_flight == 0));

        let directed = balancer(kind, || Address(7));
        let layer = BalanceLayer::new(directed.clone()).follow_body();
        assert_eq!(allocations(layer.layer(trivial), read), 0, "{kind}");
        assert!(directed.status().endpoints.iter().all(|it| it.in_flight == 0));
    }
}

#[test]
fn responses_in_progress_are_small() {
    let trivial = service_fn(|n: u64| ready(Ok::<_, Infallible>(n)));
    let kind = StrategyKind::LeastRequest;
    let balance = size_of_val(&balancer(&kind, || trivial).service().call(1));
    let layered = BalanceLayer::new(balancer(&kind, || Address(7))).layer(trivial);
    let direct = size_of_val(&{ layered }.call(1));
    println!("bytes of a response in progress: Balance {balance}, BalanceLayer {direct}");
    assert!(balance < 512, "{balance}");
    assert!(direct < 512, "{direct}");
}
