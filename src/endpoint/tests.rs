use std::sync::Weak;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::time::Instant;
use tokio_test::task;

use super::*;
use crate::classify::Outcome;
use crate::sync::Arc;
use crate::units::{EndpointId, Nanos, Origin};

const SECOND: u64 = 1_000_000_000;
const SETTINGS: LoadSettings =
    LoadSettings { decay: 10 * SECOND, penalty: 5 * SECOND, hint_cap: 300 * SECOND };

struct Counting(AtomicUsize);

impl Tripped for Counting {
    fn tripped(&self, _: Nanos) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn shared() -> Arc<Shared> {
    #[expect(clippy::disallowed_methods, reason = "an origin for the test")]
    let origin = Origin::new(Instant::now());
    Arc::new(Shared::new(origin))
}

fn bound() -> Arc<Bound<&'static str>> {
    let cell = Arc::new(EndpointCell::new(EndpointId::from("a"), shared()));
    Arc::new(Bound { cell, target: "target" })
}

fn hold(bound: &Arc<Bound<&'static str>>) -> Held<&'static str> {
    Held::begin(bound, Nanos(0), SETTINGS).expect("the endpoint is open")
}

#[test]
fn every_end_releases_once() {
    let bound = bound();
    let ends: [fn(Held<&'static str>); 5] = [
        |held| held.finish(Outcome::Success, Nanos(SECOND)),
        |held| held.finish(Outcome::failure(), Nanos(SECOND)),
        |held| held.finish(Outcome::overloaded(None), Nanos(SECOND)),
        |held| held.finish(Outcome::Ignore, Nanos(SECOND)),
        drop,
    ];
    for end in ends {
        let held = hold(&bound);
        assert_eq!(bound.cell.in_flight(), 1);
        end(held);
        assert_eq!(bound.cell.in_flight(), 0);
    }
    let counts = bound.cell.counts();
    assert_eq!(
        (counts.picks, counts.successes, counts.failures, counts.overloaded, counts.ignored),
        (5, 1, 1, 1, 2)
    );
}

#[test]
fn a_panic_releases_too() {
    let bound = bound();
    let held = hold(&bound);
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(move || {
        let _held = held;
        panic!("in the service");
    }));
    assert!(result.is_err());
    assert_eq!(bound.cell.in_flight(), 0);
}

#[test]
fn a_closed_endpoint_turns_requests_away_and_counts_none() {
    let bound = bound();
    let held = hold(&bound);
    bound.cell.close();
    assert_eq!(Held::begin(&bound, Nanos(0), SETTINGS).err(), Some(Closed));
    assert_eq!(bound.cell.in_flight(), 1);
    assert_eq!(bound.cell.counts().picks, 1);
    drop(held);
    bound.cell.open();
    drop(hold(&bound));
    assert_eq!(bound.cell.counts().picks, 2);
    assert_eq!(bound.cell.counts().successes, 0);
}

#[test]
fn the_last_to_leave_wakes_those_who_wait() {
    let bound = bound();
    let (first, second) = (hold(&bound), hold(&bound));
    let mut waiting = task::spawn(std::future::poll_fn(|cx| {
        if bound.cell.watch(cx.waker()) {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    }));
    assert!(waiting.poll().is_pending());
    drop(first);
    assert!(!waiting.is_woken());
    drop(second);
    assert!(waiting.is_woken());
    assert!(waiting.poll().is_ready());
}

#[test]
fn failures_weigh_on_the_load_for_the_penalty() {
    let bound = bound();
    hold(&bound).finish(Outcome::failure(), Nanos(SECOND));
    assert_eq!(bound.cell.load(Nanos(SECOND), SETTINGS), 1);
    assert!(bound.cell.expected_latency(Nanos(2 * SECOND), SETTINGS, 1e6) >= 3.9e9);
    assert_eq!(bound.cell.load(Nanos(6 * SECOND), SETTINGS), 0);
    assert_eq!(bound.cell.expected_latency(Nanos(6 * SECOND), SETTINGS, 1e6), 1e6);
    let off = LoadSettings { penalty: 0, ..SETTINGS };
    Held::begin(&bound, Nanos(0), off).unwrap().finish(Outcome::failure(), Nanos(10 * SECOND));
    assert_eq!(bound.cell.load(Nanos(10 * SECOND), off), 0);
}

#[test]
fn a_retry_hint_is_capped() {
    let bound = bound();
    let hint = Some(Duration::from_secs(86_400));
    hold(&bound).finish(Outcome::overloaded(hint), Nanos(0));
    assert_eq!(bound.cell.load(Nanos(299 * SECOND), SETTINGS), 1);
    assert_eq!(bound.cell.load(Nanos(300 * SECOND), SETTINGS), 0);
}

#[test]
fn a_failure_is_no_fast_answer() {
    let bound = bound();
    hold(&bound).finish(Outcome::failure(), Nanos(1));
    assert_eq!(bound.cell.measured_latency(Nanos(60 * SECOND), SETTINGS), None);
}

#[test]
fn a_broken_target_alerts_whoever_is_in_control() {
    let control = Arc::new(Counting(AtomicUsize::new(0)));
    let weak: Weak<Counting> = Arc::downgrade(&control);
    let shared = shared();
    shared.report_to(weak);
    let cell = Arc::new(EndpointCell::new(EndpointId::from("a"), shared));
    let bound = Arc::new(Bound { cell, target: () });
    Held::begin(&bound, Nanos(0), SETTINGS).unwrap().finish(Outcome::broken(), Nanos(1));
    assert_eq!(control.0.load(Ordering::Relaxed), 1);
    assert!(bound.cell.take_broken());
    assert!(!bound.cell.take_broken());
}
