//! The lease under the model checker: every interleaving of a few threads.

use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;

use crate::classify::Outcome;
use crate::endpoint::{EndpointCell, Nth, Shared, Terms};
use crate::stats::{Decay, RowLimits};
use crate::units::{EndpointId, Nanos, Origin};

const SETTINGS: Terms = Terms {
    rows: RowLimits { any: 0, gateway: 0, local: 0 },
    decay: Decay::of(1 << 33),
    penalty: 1 << 32,
    hint_cap: 1 << 38,
    abandoned_after: u64::MAX,
    attempt_timeout: u64::MAX,
    all_timed: u16::MAX,
};

fn cell() -> Arc<EndpointCell> {
    Arc::new(new())
}

fn new() -> EndpointCell {
    #[expect(clippy::disallowed_methods, reason = "an origin for the model")]
    let origin = Origin::new(tokio::time::Instant::now());
    let shared = std::sync::Arc::new(Shared::new(origin, "test".into()));
    let cell = EndpointCell::new(EndpointId::from("a"), shared);
    // The checker does not see that whoever finds the box finds what is in it.
    cell.amiss.counts();
    cell
}

fn request(cell: &EndpointCell, outcome: Outcome) -> bool {
    let begun = cell.begin(Nanos(0)).is_some();
    if begun {
        cell.finish(outcome, (Nanos(0), Nth(1)), Some(1), Nanos(1), &SETTINGS);
    }
    begun
}

#[test]
fn loom_requests_in_flight_are_counted_exactly() {
    loom::model(|| {
        let cell = cell();
        let other = {
            let cell = Arc::clone(&cell);
            thread::spawn(move || request(&cell, Outcome::Ignore))
        };
        assert!(cell.in_flight() <= 1);
        assert!(cell.begin(Nanos(0)).is_some());
        assert!((1..=2).contains(&cell.in_flight()));
        cell.abandon();
        assert!(other.join().unwrap());
        assert_eq!(cell.in_flight(), 0);
        assert_eq!((cell.counts().picks, cell.counts().ignored), (2, 2));
    });
}

#[test]
fn loom_a_drain_ends_when_the_last_request_does_and_stays_true() {
    loom::model(|| {
        let cell = cell();
        let active = Arc::new(AtomicUsize::new(0));
        let other = {
            let (cell, active) = (Arc::clone(&cell), Arc::clone(&active));
            thread::spawn(move || {
                if cell.begin(Nanos(0)).is_some() {
                    active.fetch_add(1, Ordering::SeqCst);
                    active.fetch_sub(1, Ordering::SeqCst);
                    cell.abandon();
                }
            })
        };
        cell.close();
        // A wake-up that is missed leaves this waiting for ever, which the checker reports.
        let mut ticket = None;
        loom::future::block_on(std::future::poll_fn(|cx| {
            if cell.watch(&mut ticket, cx.waker()) {
                std::task::Poll::Ready(())
            } else {
                std::task::Poll::Pending
            }
        }));
        assert_eq!(active.load(Ordering::SeqCst), 0, "a request was active after the drain");
        assert!(cell.begin(Nanos(0)).is_none(), "a drained endpoint took a request");
        other.join().unwrap();
        assert_eq!(cell.in_flight(), 0);
        assert_eq!(cell.counts().successes, 0);
    });
}

#[test]
fn loom_no_session_begins_once_a_drain_was_ready() {
    loom::model(|| {
        let cell = cell();
        let active = Arc::new(AtomicUsize::new(0));
        cell.close();
        let other = {
            let (cell, active) = (Arc::clone(&cell), Arc::clone(&active));
            thread::spawn(move || {
                if cell.begin_session(Nanos(0)).is_some() {
                    active.fetch_add(1, Ordering::SeqCst);
                    active.fetch_sub(1, Ordering::SeqCst);
                    cell.abandon();
                }
            })
        };
        let mut ticket = None;
        loom::future::block_on(std::future::poll_fn(|cx| {
            let is_over = cell.watch(&mut ticket, cx.waker())
                && (cell.end_sessions() || cell.watch(&mut ticket, cx.waker()));
            if is_over { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
        }));
        assert_eq!(active.load(Ordering::SeqCst), 0, "a session was active after the drain");
        assert!(
            cell.begin_session(Nanos(0)).is_none(),
            "a drained endpoint took a request of a session"
        );
        other.join().unwrap();
        assert_eq!(cell.in_flight(), 0);
    });
}

#[test]
fn loom_a_failure_is_never_lost() {
    loom::model(|| {
        let cell = cell();
        // The box that the first makes is a library's, and the model does not see through it.
        request(&cell, Outcome::failure());
        let other = {
            let cell = Arc::clone(&cell);
            thread::spawn(move || request(&cell, Outcome::failure()))
        };
        request(&cell, Outcome::failure());
        other.join().unwrap();
        assert_eq!(cell.counts().failures, 3);
        assert_eq!(cell.load(Nanos(2), &SETTINGS), 3);
    });
}

/// Whoever looks at failures that weigh no more takes away the word that there are some, and loses none
/// that comes meanwhile.
#[test]
fn loom_a_failure_is_not_lost_beside_one_that_weighs_no_more() {
    loom::model(|| {
        let cell = cell();
        request(&cell, Outcome::failure());
        let late = Nanos(2 * SETTINGS.penalty);
        let other = {
            let cell = Arc::clone(&cell);
            thread::spawn(move || {
                assert!(cell.begin(late).is_some());
                cell.finish(Outcome::failure(), (late, Nth(1)), Some(1), late, &SETTINGS);
            })
        };
        cell.load(late, &SETTINGS);
        other.join().unwrap();
        assert!(cell.load(late, &SETTINGS) >= 1);
    });
}

/// A good answer that is said to be no news was remembered after the last failure.
#[test]
fn loom_an_answer_is_no_news_only_while_the_last_was_good() {
    loom::model(|| {
        let cell = cell();
        cell.serve(Nth(1));
        let other = {
            let cell = Arc::clone(&cell);
            thread::spawn(move || request(&cell, Outcome::failure()))
        };
        request(&cell, Outcome::Success);
        other.join().unwrap();
        let is_remembered = cell.conduct.streak.is_good(Nth(1).proof());
        assert!(is_remembered || !cell.is_good());
    });
}

/// What one target has proved is no proof of the next.
#[test]
fn loom_a_target_that_is_served_has_to_prove_itself() {
    loom::model(|| {
        let cell = cell();
        cell.serve(Nth(1));
        let other = {
            let cell = Arc::clone(&cell);
            thread::spawn(move || request(&cell, Outcome::Success))
        };
        cell.serve(Nth(2));
        other.join().unwrap();
        assert!(!cell.is_good(), "an answer of the first says nothing of the second");
    });
}

/// Of two that find the last place free, one has it.
#[test]
fn loom_the_last_place_is_taken_once() {
    loom::model(|| {
        let cell = cell();
        let attempt = |cell: &EndpointCell| cell.begin_if(Nanos(0), |in_flight| in_flight < 1);
        let other = {
            let cell = Arc::clone(&cell);
            thread::spawn(move || {
                let taken = attempt(&cell).is_taken();
                if taken {
                    cell.abandon();
                }
                taken
            })
        };
        let taken = attempt(&cell).is_taken();
        assert!(cell.in_flight() <= 2);
        let other = other.join().unwrap();
        assert!(taken || other, "one of them was first");
        assert_eq!(cell.in_flight(), u64::from(taken));
    });
}

/// Whoever takes a place of an endpoint that is being closed is seen by those who wait for it.
#[test]
fn loom_no_place_is_taken_once_it_is_closed() {
    loom::model(|| {
        let cell = cell();
        let other = {
            let cell = Arc::clone(&cell);
            thread::spawn(move || cell.begin_if(Nanos(0), |_| true).is_taken())
        };
        cell.close();
        let at_closing = cell.in_flight();
        let taken = other.join().unwrap();
        assert!(!taken || at_closing == 1 || cell.in_flight() == 1);
        assert!(!cell.begin_if(Nanos(0), |_| true).is_taken());
        assert_eq!(cell.in_flight(), u64::from(taken));
    });
}

#[test]
fn loom_an_endpoint_that_was_let_go_is_kept_until_its_last_request_ends_and_no_longer() {
    loom::model(|| {
        let cell = std::sync::Arc::new(new());
        let weak = std::sync::Arc::downgrade(&cell);
        cell.line.keep(&cell);
        let line = cell.line.of(Nth(1));
        assert!(line.enter(Nanos(0)).is_some());
        let first = thread::spawn(move || {
            assert!(line.with_cell(|cell| cell.in_flight()) > Some(0));
            line.succeed(Nanos(0));
        });
        let other = {
            let cell = std::sync::Arc::clone(&cell);
            thread::spawn(move || match cell.begin(Nanos(0)) {
                Some(_) => {
                    drop(cell);
                    assert!(line.with_cell(|cell| cell.in_flight()) > Some(0));
                    line.end();
                }
                None => drop(cell),
            })
        };
        cell.let_go();
        drop(cell);
        first.join().unwrap();
        other.join().unwrap();
        assert!(weak.upgrade().is_none(), "it is kept by nobody");
    });
}
