//! Letting endpoints finish: when a drain is over, and when a target is dropped.

#![cfg(feature = "config")]

mod support;

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use evenkeel::{Availability, Balancer, Config, Endpoint, EndpointId, Key, Lease, Outcome};
use futures_util::FutureExt;
use tokio::time::{advance, timeout};
use tokio_test::task::spawn;
use tokio_test::{assert_pending, assert_ready};
use tower::Service;

use crate::support::{balancer, endpoint, endpoints, id, pick, pick_only, sequence, status};

const MINUTE: Duration = Duration::from_secs(60);

// --- The end of a drain --------------------------------------------------------------------------

#[tokio::test(start_paused = true)]
async fn a_drain_of_an_idle_endpoint_is_ready_at_once() {
    let balancer = balancer("", 2, 0);
    assert_ready!(spawn(balancer.drain(&id(0)).unwrap()).poll());
}

#[tokio::test(start_paused = true)]
async fn a_drain_is_ready_exactly_when_the_last_lease_ends() {
    let balancer = balancer("", 2, 0);
    let ends: [fn(Lease<usize>); 5] = [
        |lease| lease.finish(Outcome::Success),
        |lease| lease.finish(Outcome::failure()),
        |lease| lease.finish(Outcome::overloaded(None)),
        |lease| lease.finish(Outcome::Ignore),
        drop,
    ];
    let leases: Vec<_> = ends.iter().map(|_| pick_only(&balancer, &id(0))).collect();
    let mut drain = spawn(balancer.drain(&id(0)).unwrap());
    for (i, (lease, end)) in leases.into_iter().zip(ends).enumerate() {
        assert_eq!(drain.in_flight(), 5 - i as u64);
        assert_pending!(drain.poll());
        assert!(!drain.is_woken(), "woken with {} in flight", 5 - i);
        advance(Duration::from_secs(1)).await;
        end(lease);
    }
    assert!(drain.is_woken());
    assert_ready!(drain.poll());
    assert_eq!(drain.endpoint(), &id(0));
}

/// Nothing but the last release is due to wake it: an await under the paused clock would hang.
#[tokio::test(start_paused = true)]
async fn a_drain_can_be_awaited_on_another_task() {
    let balancer = balancer("", 2, 0);
    let lease = pick_only(&balancer, &id(0));
    let waiting = tokio::spawn(balancer.drain(&id(0)).unwrap());
    tokio::task::yield_now().await;
    assert!(!waiting.is_finished());
    lease.finish(Outcome::Success);
    timeout(MINUTE, waiting).await.expect("the drain is over").unwrap();
}

#[tokio::test(start_paused = true)]
async fn all_who_wait_are_woken() {
    let balancer = balancer("", 2, 0);
    let lease = pick_only(&balancer, &id(0));
    let mut drains: Vec<_> = (0..10).map(|_| spawn(balancer.drain(&id(0)).unwrap())).collect();
    for drain in &mut drains {
        assert_pending!(drain.poll());
    }
    drop(lease);
    for drain in &mut drains {
        assert!(drain.is_woken());
        assert_ready!(drain.poll());
    }
}

#[tokio::test(start_paused = true)]
async fn one_who_waits_in_another_place_later_is_woken_there() {
    let balancer = balancer("", 2, 0);
    let lease = pick_only(&balancer, &id(0));
    let mut first = spawn(balancer.drain(&id(0)).unwrap());
    assert_pending!(first.poll());
    let mut moved = spawn(first.into_inner());
    assert_pending!(moved.poll());
    drop(lease);
    assert!(moved.is_woken());
    assert_ready!(moved.poll());
}

#[tokio::test(start_paused = true)]
async fn one_who_gives_up_changes_nothing_for_the_others() {
    let balancer = balancer("", 2, 0);
    let lease = pick_only(&balancer, &id(0));
    let (mut impatient, mut patient) =
        (spawn(balancer.drain(&id(0)).unwrap()), spawn(balancer.drain(&id(0)).unwrap()));
    assert_pending!(impatient.poll());
    assert_pending!(patient.poll());
    drop(impatient);
    assert_eq!(status(&balancer, &id(0)).state, Availability::Draining);
    assert_eq!(sequence(&balancer, 20), vec![id(1); 20]);
    drop(lease);
    assert!(patient.is_woken());
    assert_ready!(patient.poll());
}

#[tokio::test(start_paused = true)]
async fn nothing_new_begins_while_it_drains() {
    let balancer = balancer("", 2, 0);
    let _lease = pick_only(&balancer, &id(0));
    let mut drain = spawn(balancer.drain(&id(0)).unwrap());
    let leases: Vec<_> = (0..50).map(|_| pick(&balancer)).collect();
    assert!(leases.iter().all(|lease| *lease.endpoint() == id(1)));
    assert!(balancer.pick(&Key::none().excluding(&id(1))).is_err());
    assert_pending!(drain.poll());
    assert_eq!(status(&balancer, &id(0)).picks, 1);
}

#[tokio::test(start_paused = true)]
async fn a_drain_waits_on_through_removal_and_replacement() {
    let balancer = balancer("", 4, 0);
    let lease = pick_only(&balancer, &id(0));
    let mut drain = spawn(balancer.drain(&id(0)).unwrap());
    balancer.replace(endpoints(0..4).into_iter().map(|it| it.weight(2))).unwrap();
    assert_pending!(drain.poll());
    balancer.remove(&id(0)).unwrap();
    assert_pending!(drain.poll());
    drop(lease);
    assert!(drain.is_woken());
    assert_ready!(drain.poll());
}

#[tokio::test(start_paused = true)]
async fn a_drain_waits_on_when_the_balancer_is_gone() {
    let balancer = balancer("", 2, 0);
    let lease = pick_only(&balancer, &id(0));
    let mut drain = spawn(balancer.drain(&id(0)).unwrap());
    drop(balancer);
    assert_pending!(drain.poll());
    drop(lease);
    assert_ready!(drain.poll());
}

/// Disabling, or a drain with another end, is said of the same requests.
#[tokio::test(start_paused = true)]
async fn a_later_word_does_not_disturb_those_who_wait() {
    let balancer = balancer("", 2, 0);
    let lease = pick_only(&balancer, &id(0));
    let mut drain = spawn(balancer.drain(&id(0)).unwrap());
    assert_pending!(drain.poll());
    balancer.disable(&id(0)).unwrap();
    assert_eq!(status(&balancer, &id(0)).state, Availability::Disabled);
    drop(balancer.drain_for(&id(0), MINUTE).unwrap());
    advance(MINUTE).await;
    assert_eq!(sequence(&balancer, 20), vec![id(1); 20], "it is still disabled");
    drop(lease);
    assert_ready!(drain.poll());
}

#[tokio::test(start_paused = true)]
async fn a_weight_of_zero_lets_an_endpoint_finish_too() {
    let balancer = balancer("", 2, 0);
    let lease = pick_only(&balancer, &id(0));
    balancer.set_weight(&id(0), 0).unwrap();
    assert_eq!(sequence(&balancer, 20), vec![id(1); 20]);
    assert_eq!(status(&balancer, &id(0)).in_flight, 1);
    lease.finish(Outcome::Success);
    assert_eq!(status(&balancer, &id(0)).in_flight, 0);
}

// --- The end of a target -------------------------------------------------------------------------

/// A balancer whose targets can be watched from outside.
struct Watched {
    balancer: Balancer<Arc<usize>>,
    targets: Vec<Weak<usize>>,
}

impl Watched {
    fn new() -> Self {
        let targets: Vec<_> = (0..4).map(Arc::new).collect();
        let weak = targets.iter().map(Arc::downgrade).collect();
        let endpoints = targets.into_iter().map(|it| Endpoint::new(id(*it), it));
        let builder = Balancer::builder().config(Config::default()).seed(0).endpoints(endpoints);
        Self { balancer: builder.build().expect("the description is valid"), targets: weak }
    }

    /// How many hold the target: one while the balancer does.
    fn holders(&self, number: usize) -> usize {
        self.targets.get(number).map_or(0, Weak::strong_count)
    }

    fn others(&self, left_out: usize) -> Vec<Endpoint<Arc<usize>>> {
        (0..4).filter(|&it| it != left_out).map(|it| Endpoint::new(id(it), Arc::new(it))).collect()
    }
}

#[tokio::test(start_paused = true)]
async fn the_target_of_an_idle_endpoint_goes_with_it() {
    let ways: [fn(&Watched, &EndpointId); 4] = [
        |it, id| drop(it.balancer.remove(id)),
        |it, _| drop(it.balancer.replace(it.others(0))),
        |it, _| drop(it.balancer.replace_unchecked([])),
        |it, id| drop(it.balancer.insert(Endpoint::new(id, Arc::new(9)))),
    ];
    for (i, way) in ways.into_iter().enumerate() {
        let watched = Watched::new();
        assert_eq!(watched.holders(0), 1);
        way(&watched, &id(0));
        assert_eq!(watched.holders(0), 0, "way {i}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_target_is_dropped_with_its_last_lease() {
    let watched = Watched::new();
    let leases: Vec<_> = (0..3).map(|_| pick_only(&watched.balancer, &id(0))).collect();
    watched.balancer.remove(&id(0)).unwrap();
    for lease in leases {
        assert_eq!((**lease.target(), watched.holders(0)), (0, 1), "it can still be used");
        drop(lease);
    }
    assert_eq!(watched.holders(0), 0);
}

#[tokio::test(start_paused = true)]
async fn a_target_that_is_sent_for_a_known_endpoint_is_dropped_at_once() {
    let watched = Watched::new();
    let sent: Vec<_> = (0..4).map(Arc::new).collect();
    let weak: Vec<_> = sent.iter().map(Arc::downgrade).collect();
    watched.balancer.replace(sent.into_iter().map(|it| Endpoint::new(id(*it), it))).unwrap();
    assert!(weak.iter().all(|it| it.strong_count() == 0));
    assert!((0..4).all(|it| watched.holders(it) == 1));
}

/// An idle clone may have looked at an old set long ago; it must not keep what was in it.
#[tokio::test(start_paused = true)]
async fn idle_handles_services_drains_and_events_keep_no_target() {
    let watched = Watched::new();
    let clone = watched.balancer.clone();
    let service = watched.balancer.service();
    let copy = service.clone();
    let _events = watched.balancer.subscribe();
    drop((0..20).map(|_| pick(&clone)).collect::<Vec<_>>());
    drop((0..20).map(|_| pick(copy.balancer())).collect::<Vec<_>>());
    let drain = watched.balancer.drain(&id(0)).unwrap();
    let _status = watched.balancer.status();
    watched.balancer.remove(&id(0)).unwrap();
    assert_eq!(watched.holders(0), 0);
    drop((clone, service, copy, drain));
}

#[tokio::test(start_paused = true)]
async fn a_lease_outlives_the_balancer() {
    let watched = Watched::new();
    let lease = pick_only(&watched.balancer, &id(0));
    let Watched { balancer, targets } = watched;
    drop(balancer);
    assert_eq!(targets[1].strong_count(), 0, "the others are gone");
    assert_eq!((**lease.target(), lease.endpoint()), (0, &id(0)));
    lease.finish(Outcome::broken());
    assert_eq!(targets[0].strong_count(), 0);
}

#[test]
fn a_lease_may_end_on_another_thread_after_the_balancer() {
    let balancer = Balancer::builder().endpoint(endpoint(0)).build().unwrap();
    let lease = pick(&balancer);
    let thread = std::thread::spawn(move || {
        assert_eq!(*lease.target(), 0);
        lease.finish(Outcome::Success);
    });
    drop(balancer);
    thread.join().unwrap();
}

/// Two drains in one task share a waker; what one of them does must not cost the other its own.
#[tokio::test(start_paused = true)]
async fn two_drains_of_one_endpoint_in_one_task_both_end() {
    let balancer = balancer("", 2, 0);
    let lease = pick_only(&balancer, &id(0));
    let mut pair = spawn(async {
        let (mut first, second) =
            (balancer.drain(&id(0)).unwrap(), balancer.drain(&id(0)).unwrap());
        std::future::poll_fn(|cx| {
            let _ = Pin::new(&mut first).poll(cx);
            Poll::Ready(())
        })
        .await;
        // The second is given up, and takes only its own registration with it.
        let mut second = Box::pin(second);
        std::future::poll_fn(|cx| {
            let _ = second.as_mut().poll(cx);
            Poll::Ready(())
        })
        .await;
        drop(second);
        first.await;
    });
    assert_pending!(pair.poll());
    lease.finish(Outcome::Success);
    assert!(pair.is_woken());
    assert_ready!(pair.poll());
}

/// A service whose answers never come, and look at the balancer when they are dropped.
#[derive(Clone)]
struct Looking {
    balancer: Arc<OnceLock<Balancer<Self>>>,
    seen: Arc<AtomicU64>,
}

struct Look(Looking);

impl Service<()> for Looking {
    type Response = ();
    type Error = std::io::Error;
    type Future = Look;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, (): ()) -> Look {
        Look(self.clone())
    }
}

impl Future for Look {
    type Output = Result<(), std::io::Error>;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Pending
    }
}

impl Drop for Look {
    fn drop(&mut self) {
        let balancer = self.0.balancer.get().expect("it is served");
        let in_flight = balancer.status().endpoints.iter().map(|it| it.in_flight).sum();
        self.0.seen.store(in_flight, Ordering::Relaxed);
    }
}

/// Whoever waits for a drain may stop the server: nothing of a request goes on after it.
#[tokio::test(start_paused = true)]
async fn a_request_that_is_dropped_is_over_before_its_endpoint_is_released() {
    let looking = Looking { balancer: Arc::default(), seen: Arc::default() };
    let built = Balancer::builder().endpoint(Endpoint::new("a", looking.clone())).build().unwrap();
    let balancer = looking.balancer.get_or_init(|| built);
    let mut request = Box::pin(balancer.service().call(()));
    assert!(request.as_mut().now_or_never().is_none());
    drop(request);
    assert_eq!(looking.seen.load(Ordering::Relaxed), 1, "it was in flight while it was dropped");
    assert_eq!(balancer.status().endpoint(&"a".into()).unwrap().in_flight, 0);
}
