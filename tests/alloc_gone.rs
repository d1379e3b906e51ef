//! Nothing is left of an endpoint that is gone and of the requests to it, whichever ended first.

#![allow(clippy::unwrap_used)]

use std::convert::Infallible;
use std::future::{Future, pending};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use allocation_counter::measure;
use evenkeel::{Balancer, Endpoint, Key, Outcome};
use tokio::runtime::{Builder, Runtime};
use tokio::time::advance;
use tower::{Service, service_fn};

/// After which an endpoint that left is forgotten.
const MINUTES: Duration = Duration::from_mins(6);

type Response = Pin<Box<dyn Future<Output = Result<(), Infallible>> + Send>>;

/// Never answers a request of 0.
fn call(request: u64) -> Response {
    if request == 0 { Box::pin(pending()) } else { Box::pin(std::future::ready(Ok(()))) }
}

type Server = tower::util::ServiceFn<fn(u64) -> Response>;

fn set(of: usize, generation: usize) -> impl Iterator<Item = Endpoint<Server>> {
    let server: Server = service_fn(call as fn(u64) -> Response);
    (0..of).map(move |at| Endpoint::new(format!("{generation}-{at}"), server))
}

fn balancer() -> Balancer<Server> {
    Balancer::builder().endpoints(set(20, 0)).build().unwrap()
}

/// So many requests that are on their way.
fn begin(balancer: &Balancer<Server>, requests: usize) -> Vec<impl Future + use<>> {
    let mut service = balancer.service();
    let mut cx = Context::from_waker(Waker::noop());
    let mut begin = || {
        let mut response = Box::pin(service.call(0));
        assert!(response.as_mut().poll(&mut cx).is_pending());
        response
    };
    (0..requests).map(|_| begin()).collect()
}

fn send(balancer: &Balancer<Server>, requests: usize) {
    let mut service = balancer.service();
    let mut cx = Context::from_waker(Waker::noop());
    for _ in 0..requests {
        let answer = Box::pin(service.call(1)).as_mut().poll(&mut cx);
        assert!(matches!(answer, Poll::Ready(Ok(()))));
    }
}

/// What happens in the time of a runtime.
type Story = fn(&Runtime);

fn the_balancer_goes_first(_: &Runtime) {
    let balancer = balancer();
    send(&balancer, 100);
    let begun = begin(&balancer, 50);
    drop(balancer);
    drop(begun);
}

fn requests_go_first(_: &Runtime) {
    let balancer = balancer();
    drop(begin(&balancer, 50));
    send(&balancer, 100);
}

/// Endpoints that left are remembered for some minutes.
fn sets_come_and_go_beneath_requests(time: &Runtime, passing: Duration) {
    let balancer = balancer();
    let mut begun = Vec::new();
    for generation in 1..10 {
        begun.push(begin(&balancer, 50));
        let lease = balancer.pick(&Key::none()).unwrap();
        balancer.replace_unchecked(set(20, generation)).unwrap();
        time.block_on(advance(passing));
        send(&balancer, 50);
        lease.finish(Outcome::failure());
        // Some outlive two sets, and the last of them the balancer.
        if generation > 2 {
            drop(begun.remove(0));
        }
    }
    drop(balancer);
    drop(begun);
}

fn changes_are_refused(_: &Runtime) {
    let balancer = balancer();
    let begun = begin(&balancer, 50);
    balancer.replace(set(1, 7)).unwrap_err();
    balancer.replace(std::iter::empty()).unwrap_err();
    send(&balancer, 50);
    drop(balancer);
    drop(begun);
}

fn endpoints_are_drained(time: &Runtime) {
    let balancer = balancer();
    let begun = begin(&balancer, 50);
    let mut drain = balancer.drain(&"0-3".into()).unwrap();
    let mut cx = Context::from_waker(Waker::noop());
    assert!(Pin::new(&mut drain).poll(&mut cx).is_pending());
    balancer.remove(&"0-3".into()).unwrap();
    time.block_on(advance(MINUTES));
    balancer.replace(set(20, 0)).unwrap();
    drop(begun);
    assert!(Pin::new(&mut drain).poll(&mut cx).is_ready());
    send(&balancer, 50);
}

#[test]
fn nothing_is_left_of_what_is_gone() {
    let stories: [(&str, Story); 6] = [
        ("the balancer goes first", the_balancer_goes_first),
        ("requests go first", requests_go_first),
        ("sets come and go", |time| sets_come_and_go_beneath_requests(time, Duration::ZERO)),
        ("and are forgotten", |time| sets_come_and_go_beneath_requests(time, MINUTES)),
        ("changes are refused", changes_are_refused),
        ("endpoints are drained", endpoints_are_drained),
    ];
    // What a thread sets up for all that follow, and the lines of as many endpoints as there are at once.
    let time = Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let _time = time.enter();
    stories.iter().for_each(|(_, story)| story(&time));
    for (name, story) in stories {
        let left = measure(|| story(&time));
        assert!(left.count_total > 0, "the counter counts");
        assert_eq!((left.count_current, left.bytes_current), (0, 0), "{name}");
    }
}
