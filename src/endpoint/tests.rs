use std::sync::Weak;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::time::Instant;
use tokio_test::task;

use super::*;
use crate::classify::Outcome;
use crate::stats::{Decay, Pace, RowLimits, Tick};
use crate::sync::Arc;
use crate::units::{COARSE, EndpointId, Nanos, Origin};

const SECOND: u64 = 1_000_000_000;
const SETTINGS: Terms = Terms {
    rows: RowLimits { any: 0, gateway: 0, local: 0 },
    decay: Decay::of(10 * SECOND),
    penalty: 5 * SECOND,
    hint_cap: 300 * SECOND,
    abandoned_after: u64::MAX,
    attempt_timeout: u64::MAX,
    all_timed: u16::MAX,
};

struct Counting(AtomicUsize);

impl Control for Counting {
    fn tripped(&self, _: Nanos) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    #[cfg(feature = "tracing")]
    fn served(&self) -> (crate::units::Version, Arc<str>) {
        (crate::units::Version::FIRST, "test".into())
    }
}

fn shared() -> Arc<Shared> {
    #[expect(clippy::disallowed_methods, reason = "an origin for the test")]
    let origin = Origin::new(Instant::now());
    let shared = Shared::new(origin, "test".into());
    assert_eq!(shared.terms.serve(SETTINGS), Under::FIRST);
    Arc::new(shared)
}

/// What these requests hold their endpoint by.
type Target = Arc<Bound<&'static str>>;

fn bound() -> Arc<Bound<&'static str>> {
    bound_to(shared())
}

fn bound_to(shared: Arc<Shared>) -> Arc<Bound<&'static str>> {
    let cell = Arc::new(EndpointCell::new(EndpointId::from("a"), shared));
    Arc::new(Bound::new(cell, "target"))
}

fn begin<T>(
    bound: &Arc<Bound<T>>,
    began: Nanos,
    under: Under,
) -> Result<Held<Arc<Bound<T>>>, Closed> {
    hold_by(bound, began, under)
}

fn hold_by<T, A: Anchor<T>>(
    bound: &Arc<Bound<T>>,
    began: Nanos,
    under: Under,
) -> Result<Held<A>, Closed> {
    let number = bound.cell.begin(began).ok_or(Closed)?;
    Ok(Held::begun(Begun::new(bound, number), under, began, || began))
}

fn silence(cell: &EndpointCell, now: Nanos) -> u64 {
    cell.line.silence(cell.in_flight(), now)
}

/// The endpoint takes nothing new.
#[derive(Debug, PartialEq, Eq)]
struct Closed;

fn hold(bound: &Arc<Bound<&'static str>>) -> Held<Target> {
    begin(bound, Nanos(0), Under::FIRST).expect("the endpoint is open")
}

fn end<A: Anchored>(mut held: Held<A>, outcome: Outcome, now: Nanos) {
    held.finish(outcome, |_| now);
}

#[test]
fn every_end_releases_once() {
    let bound = bound();
    let ends: [fn(Held<Target>); 5] = [
        |held| end(held, Outcome::Success, Nanos(SECOND)),
        |held| end(held, Outcome::failure(), Nanos(SECOND)),
        |held| end(held, Outcome::overloaded(None), Nanos(SECOND)),
        |held| end(held, Outcome::Ignore, Nanos(SECOND)),
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
    assert_eq!(begin(&bound, Nanos(0), Under::FIRST).err(), Some(Closed));
    assert_eq!(bound.cell.in_flight(), 1);
    assert_eq!(bound.cell.counts().picks, 1);
    drop(held);
    bound.cell.open();
    drop(hold(&bound));
    assert_eq!(bound.cell.counts().picks, 2);
    assert_eq!(bound.cell.counts().successes, 0);
}

#[test]
fn sessions_go_on_until_the_drain_is_over() {
    let bound = bound();
    let session = || {
        let number = bound.cell.begin_session(Nanos(0)).ok_or(Closed)?;
        Ok(Held::<Target>::begun(Begun::new(&bound, number), Under::FIRST, Nanos(0), || Nanos(0)))
    };
    assert!(bound.cell.end_sessions(), "an open endpoint has nothing to end");
    drop(session().unwrap());
    bound.cell.close();
    let held = session().unwrap();
    assert_eq!(begin(&bound, Nanos(0), Under::FIRST).err(), Some(Closed));
    assert_eq!(bound.cell.in_flight(), 1);
    assert!(!bound.cell.end_sessions(), "one has begun");
    assert_eq!(session().err(), Some(Closed));
    drop(held);
    assert!(bound.cell.end_sessions());
    bound.cell.close();
    assert_eq!(session().err(), Some(Closed), "closed again is not open for sessions again");
    bound.cell.open();
    drop(session().unwrap());
    bound.cell.shut();
    assert_eq!(session().err(), Some(Closed));
    assert_eq!((bound.cell.counts().picks, bound.cell.in_flight()), (3, 0));
}

#[test]
fn the_last_to_leave_wakes_those_who_wait() {
    let bound = bound();
    let (first, second) = (hold(&bound), hold(&bound));
    let mut ticket = None;
    let mut waiting = task::spawn(std::future::poll_fn(move |cx| {
        if bound.cell.watch(&mut ticket, cx.waker()) {
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
    let shared = shared();
    let bound = bound_to(Arc::clone(&shared));
    end(hold(&bound), Outcome::failure(), Nanos(SECOND));
    assert_eq!(bound.cell.load(Nanos(SECOND), &SETTINGS), 1);
    assert!(bound.cell.expected_latency(Nanos(2 * SECOND), &SETTINGS, 1e6) >= 3.9e9);
    assert_eq!(bound.cell.load(Nanos(6 * SECOND), &SETTINGS), 0);
    assert_eq!(bound.cell.expected_latency(Nanos(6 * SECOND), &SETTINGS, 1e6), 1e6);
    let off = Terms { penalty: 0, ..SETTINGS };
    let under_off = shared.terms.serve(off);
    let off_held = begin(&bound, Nanos(0), under_off).unwrap();
    end(off_held, Outcome::failure(), Nanos(10 * SECOND));
    assert_eq!(bound.cell.load(Nanos(10 * SECOND), &off), 0);
}

#[test]
fn a_retry_hint_is_capped() {
    let bound = bound();
    let hint = Some(Duration::from_secs(86_400));
    end(hold(&bound), Outcome::overloaded(hint), Nanos(0));
    assert!(bound.cell.load(Nanos(299 * SECOND), &SETTINGS) > 1);
    assert_eq!(bound.cell.load(Nanos(300 * SECOND), &SETTINGS), 0);
}

#[test]
fn a_failure_is_no_fast_answer() {
    let bound = bound();
    end(hold(&bound), Outcome::failure(), Nanos(1));
    assert_eq!(bound.cell.measured_latency(Nanos(60 * SECOND), &SETTINGS), None);
}

#[test]
fn a_broken_target_alerts_whoever_is_in_control() {
    let control = Arc::new(Counting(AtomicUsize::new(0)));
    let weak: Weak<Counting> = Arc::downgrade(&control);
    let shared = shared();
    shared.report_to(weak);
    let cell = Arc::new(EndpointCell::new(EndpointId::from("a"), shared));
    let bound = Arc::new(Bound::new(cell, ()));
    end(begin(&bound, Nanos(0), Under::FIRST).unwrap(), Outcome::broken(), Nanos(1));
    assert_eq!(control.0.load(Ordering::Relaxed), 1);
    assert!(bound.take_broken());
    assert!(!bound.take_broken());
}

#[test]
fn an_endpoint_that_never_answers_looks_slower_and_slower() {
    let bound = bound();
    end(hold(&bound), Outcome::Success, Nanos(SECOND / 100));
    let _hung = begin(&bound, Nanos(SECOND), Under::FIRST).unwrap();
    let expected =
        |seconds: u64| bound.cell.expected_latency(Nanos(seconds * SECOND), &SETTINGS, 1e6);
    assert!(expected(2) >= 0.97e9 && expected(9) >= 7.9e9);
    // A second request does not make it look alive; an answer does.
    let second = begin(&bound, Nanos(9 * SECOND), Under::FIRST).unwrap();
    assert!(expected(10) >= 8.9e9);
    end(second, Outcome::Success, Nanos(10 * SECOND));
    assert!(expected(11) <= 1.1e9);
}

#[test]
fn an_idle_endpoint_is_not_silent() {
    let bound = bound();
    end(hold(&bound), Outcome::Success, Nanos(1));
    assert_eq!(silence(&bound.cell, Nanos(100 * SECOND)), 0);
}

#[test]
fn a_request_that_is_timed_begins_exactly() {
    let bound = bound();
    let number = bound.cell.begin(Nanos(0)).unwrap();
    let exactly = || Nanos(SECOND - 1_000);
    let held: Held<Target> =
        Held::begun(Begun::new(&bound, number), Under::FIRST, Nanos(0), exactly);
    end(held, Outcome::Success, Nanos(SECOND));
    assert_eq!(bound.cell.measured_latency(Nanos(SECOND), &SETTINGS), Some(1_000.0));
}

#[test]
fn what_began_about_then_measures_nothing() {
    let shared = shared();
    let under = shared.terms.serve(Terms { all_timed: 1, ..SETTINGS });
    let bound = bound_to(Arc::clone(&shared));
    let measured = || bound.cell.totals().latencies.count();
    // Very busy from the first window on, and then one in 64 is timed.
    let ended = |at| end(begin(&bound, Nanos(at), under).unwrap(), Outcome::Success, Nanos(at + 1));
    (0..200).for_each(|at| ended(at * 1_000_000));
    let before = measured();
    (0..6_400).for_each(|at| ended(SECOND / 5 + at * 1_000));
    assert_eq!(bound.cell.counts().successes, 6_600);
    assert!((50..200).contains(&(measured() - before)), "{}", measured() - before);

    let other = bound_to(shared);
    let ended = |at, outcome| end(begin(&other, Nanos(at), under).unwrap(), outcome, Nanos(at + 1));
    (0..200).for_each(|at| ended(at * 1_000_000, Outcome::Ignore));
    ended(SECOND / 5, Outcome::Success);
    assert_eq!(other.cell.measured_latency(Nanos(SECOND), &SETTINGS), None);
    assert_eq!(other.cell.counts().successes, 1);
}

#[test]
fn what_came_to_nothing_stands_outside_of_no_schedule() {
    for (counts, tally) in [(true, 0), (false, 1)] {
        let bound = bound();
        bound.cell.samples().count_aside(counts);
        let mut excluding = hold(&bound);
        excluding.set_before(2);
        let number = bound.cell.begin_session(Nanos(0)).unwrap();
        let of_session = Begun { is_aside: true, ..Begun::new(&bound, number) };
        let of_session = Held::begun(of_session, Under::FIRST, Nanos(0), || Nanos(0));
        for held in [excluding, of_session] {
            bound.line.tally().count();
            let mut held = held;
            held.withdraw();
            assert_eq!(bound.line.tally().take(), tally);
        }
        bound.line.tally().count();
        hold(&bound).withdraw();
        assert_eq!(bound.line.tally().take(), 1, "that one was of the schedule");
    }
}

#[test]
fn what_was_not_sent_was_never_picked() {
    let bound = bound();
    hold(&bound).withdraw();
    let counts = bound.cell.counts();
    assert_eq!((counts.picks, counts.in_flight, counts.successes, counts.ignored), (0, 0, 0, 0));
}

#[test]
fn a_caller_who_waited_long_enough_speaks_against_the_endpoint() {
    let shared = shared();
    let settings = shared.terms.serve(Terms { abandoned_after: SECOND, ..SETTINGS });
    let bound = bound_to(shared);
    let abandon = |at: u64, answered: bool| {
        let mut held = begin(&bound, Nanos(0), settings).unwrap();
        assert!(held.asks_for_the_time());
        if answered {
            held.answered(Nanos(1));
        }
        held.abandon(Nanos(at));
        (bound.cell.counts().failures, bound.cell.counts().ignored)
    };
    assert_eq!(abandon(SECOND - 1, false), (0, 1));
    assert_eq!(abandon(SECOND, false), (1, 1));
    assert_eq!(abandon(9 * SECOND, true), (1, 2));
}

#[test]
fn the_latency_of_a_stream_ends_where_its_answer_begins() {
    let bound = bound();
    let mut held = hold(&bound);
    held.answered(Nanos(SECOND / 100));
    held.answered(Nanos(SECOND));
    end(held, Outcome::Success, Nanos(60 * SECOND));
    let measured = bound.cell.measured_latency(Nanos(60 * SECOND), &SETTINGS).unwrap();
    assert!((measured - 1e7).abs() < 1e5, "{measured}");
}

#[test]
fn a_long_answer_that_has_begun_is_no_silence() {
    let bound = bound();
    let mut stream = hold(&bound);
    stream.answered(Nanos(SECOND));
    assert_eq!(silence(&bound.cell, Nanos(3_600 * SECOND)), 0);
    let _hung = begin(&bound, Nanos(3_600 * SECOND), Under::FIRST).unwrap();
    drop(stream);
    assert!(silence(&bound.cell, Nanos(3_610 * SECOND)) > 9 * SECOND);
}

#[test]
fn running_out_of_time_is_no_sign_of_life() {
    let bound = bound();
    let first = hold(&bound);
    let _second = hold(&bound);
    end(first, Outcome::Failure(crate::classify::FailureKind::Timeout), Nanos(9 * SECOND));
    let silent = silence(&bound.cell, Nanos(10 * SECOND));
    assert!((10 * SECOND - COARSE - 3 * Tick::NANOS..=10 * SECOND - COARSE).contains(&silent));
    assert_eq!(silence(&bound.cell, Nanos(0)), 0);
}

#[test]
fn only_the_first_word_of_a_broken_target_calls_for_help() {
    let control = Arc::new(Counting(AtomicUsize::new(0)));
    let weak: Weak<Counting> = Arc::downgrade(&control);
    let shared = shared();
    shared.report_to(weak);
    let cell = Arc::new(EndpointCell::new(EndpointId::from("a"), shared));
    let bound = Arc::new(Bound::new(cell, ()));
    for _ in 0..9 {
        let held = begin(&bound, Nanos(0), Under::FIRST).unwrap();
        end(held, Outcome::broken(), Nanos(1));
    }
    assert_eq!(control.0.load(Ordering::Relaxed), 1);
}

#[test]
fn whoever_is_not_timed_is_counted_all_the_same() {
    let shared = shared();
    let under = shared.terms.serve(Terms { all_timed: Pace::ALL_TIMED, ..SETTINGS });
    let bound = bound_to(shared);
    let requests = 100_000;
    let mut untimed = 0;
    for at in 0..requests {
        // A hundred in a millisecond.
        let now = Nanos(at * 10_000);
        let mut held = begin(&bound, now, under).unwrap();
        let outcome = if at % 10 == 0 { Outcome::failure() } else { Outcome::Success };
        if held.finish_untimed(outcome) {
            untimed += 1;
            assert!(!held.finish_untimed(outcome) || bound.cell.in_flight() == 0);
        } else {
            held.finish(outcome, |_| now);
        }
    }
    let totals = bound.cell.totals();
    assert_eq!((totals.picks, totals.successes, totals.failures), (requests, 90_000, 10_000));
    assert_eq!(totals.latencies.count() + untimed, 90_000);
    // All but those of the first 64 milliseconds, and one in 64.
    assert!((80_000..84_000).contains(&untimed), "{untimed}");
}

#[test]
fn who_is_not_sent_is_withdrawn_and_who_is_was_abandoned() {
    let bound = bound();
    let mut held = hold(&bound);
    held.set_sent(false);
    drop(held);
    assert_eq!((bound.cell.counts().picks, bound.cell.counts().ignored), (0, 0));
    let mut held = hold(&bound);
    held.set_sent(false);
    held.set_sent(true);
    drop(held);
    assert_eq!((bound.cell.counts().picks, bound.cell.counts().ignored), (1, 1));
}

/// Its clone panics.
struct NoClone;

impl Clone for NoClone {
    fn clone(&self) -> Self {
        std::panic::resume_unwind(Box::new("as the test wants it"))
    }
}

#[test]
fn a_target_that_panics_where_it_is_cloned_was_never_chosen() {
    let cell = Arc::new(EndpointCell::new(EndpointId::from("a"), shared()));
    let bound = Arc::new(Bound::new(cell, NoClone));
    let begun = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        drop(hold_by::<_, Own<_>>(&bound, Nanos(0), Under::FIRST));
    }));
    assert!(begun.is_err());
    assert_eq!((bound.cell.in_flight(), bound.cell.picks()), (0, 0));
    drop(begin(&bound, Nanos(0), Under::FIRST));
    assert_eq!((bound.cell.in_flight(), bound.cell.picks()), (0, 1), "whoever needs no clone");
}

#[test]
fn a_request_that_is_held_by_something_else_is_released_once() {
    let bound = bound();
    let mut held = hold(&bound);
    let other: Held<Own<_>> = held.give_to(Own::of);
    drop(held);
    assert_eq!(bound.cell.in_flight(), 1);
    end(other, Outcome::Success, Nanos(SECOND));
    assert_eq!((bound.cell.in_flight(), bound.cell.counts().successes), (0, 1));
}

#[test]
fn a_request_keeps_an_endpoint_that_was_let_go_until_it_ends() {
    let ends: [fn(Held<Own<&'static str>>); 5] = [
        |held| end(held, Outcome::Success, Nanos(SECOND)),
        |held| end(held, Outcome::failure(), Nanos(SECOND)),
        |held| end(held, Outcome::broken(), Nanos(SECOND)),
        drop,
        |mut held| {
            held.set_sent(false);
            held.withdraw();
        },
    ];
    for end in ends {
        let bound = bound();
        let cell = Arc::downgrade(&bound.cell);
        bound.serve();
        let held = || hold_by(&bound, Nanos(0), Under::FIRST).expect("the endpoint is open");
        let (first, last): (Held<Own<_>>, Held<Own<_>>) = (held(), held());
        bound.cell.let_go();
        drop(bound);
        end(first);
        let named = last.anchor.with_cell(|cell| cell.id().clone());
        assert_eq!(named, Some(EndpointId::from("a")));
        assert_eq!(cell.upgrade().map(|cell| cell.in_flight()), Some(1));
        end(last);
        assert!(cell.upgrade().is_none());
    }
}

#[test]
fn whoever_is_too_late_for_an_endpoint_that_was_let_go_leaves_nothing() {
    let bound = bound();
    let cell = Arc::downgrade(&bound.cell);
    bound.serve();
    bound.cell.let_go();
    assert!(bound.cell.begin(Nanos(0)).is_none() && bound.cell.begin_session(Nanos(0)).is_none());
    assert_eq!((bound.cell.in_flight(), bound.cell.counts().picks), (0, 0));
    drop(bound);
    assert!(cell.upgrade().is_none());
}

#[test]
fn those_who_wait_for_the_last_request_are_woken_where_it_was_let_go() {
    let bound = bound();
    bound.serve();
    let held: Held<Own<_>> = hold_by(&bound, Nanos(0), Under::FIRST).expect("it is open");
    let cell = Arc::clone(&bound.cell);
    let mut ticket = None;
    let mut waiting = task::spawn(std::future::poll_fn(move |cx| {
        if cell.watch(&mut ticket, cx.waker()) {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    }));
    assert!(waiting.poll().is_pending());
    bound.cell.let_go();
    end(held, Outcome::Success, Nanos(SECOND));
    assert!(waiting.is_woken() && waiting.poll().is_ready());
    let cell = Arc::downgrade(&bound.cell);
    drop((bound, waiting));
    assert!(cell.upgrade().is_none());
}

#[test]
fn requests_are_counted_exactly_where_the_bits_that_are_kept_come_round() {
    let bound = bound();
    let (near, before) = (bound.line.near(), (1_u64 << 28) - 2);
    near.begun.store(before * line::BEGUN, Ordering::Relaxed);
    near.ended.store(before as u32 * line::ENDED, Ordering::Relaxed);
    let mut held: Vec<_> = (1..=4_u64)
        .map(|nth| {
            let held = hold(&bound);
            assert_eq!(bound.cell.in_flight(), nth);
            held
        })
        .collect();
    for left in (0..4_u64).rev() {
        end(held.pop().expect("there were four"), Outcome::Success, Nanos(SECOND));
        let counts = bound.cell.counts();
        assert_eq!((counts.in_flight, counts.picks), (left, before + 4));
        assert_eq!(counts.successes, before + 4 - left);
    }
}

#[test]
fn a_good_answer_is_no_news_while_the_last_was_one_of_the_target_that_is_served() {
    let old = bound();
    old.serve();
    let new = Arc::new(old.retarget("another"));
    let answer = |bound, outcome| {
        end(hold(bound), outcome, Nanos(SECOND));
        old.cell.is_good()
    };
    assert!(answer(&old, Outcome::Success) && answer(&old, Outcome::Success));
    assert!(answer(&old, Outcome::Ignore), "it says nothing");
    assert!(!answer(&old, Outcome::failure()) && answer(&old, Outcome::Success));
    old.cell.take_behaved();
    assert!(!old.cell.is_good() && answer(&old, Outcome::Success));
    new.serve();
    assert!(!answer(&old, Outcome::Success), "the new one has proved nothing");
    assert!(!new.take_proof() && answer(&new, Outcome::Success));
    assert!(new.take_proof() && !new.cell.is_good() && answer(&new, Outcome::Success));
    new.cell.turn_page(Nanos(2 * SECOND));
    assert!(!answer(&new, Outcome::Success), "it began before the page was turned");
}

#[test]
fn nobody_looks_for_failures_that_weigh_no_more() {
    let bound = bound();
    let load = |now| bound.cell.load(Nanos(now), &SETTINGS);
    let is_marked = || bound.line.near().ended.load(Ordering::Relaxed) & line::FAILED != 0;
    assert!(!is_marked());
    for round in 1..=3 {
        let now = 100 * round * SECOND;
        end(hold(&bound), Outcome::failure(), Nanos(now));
        assert!(load(now) == 1 && load(now + SETTINGS.penalty - 1) == 1 && is_marked());
        assert!(load(now + SETTINGS.penalty) == 0 && !is_marked());
        assert_eq!(bound.cell.expected_latency(Nanos(now), &SETTINGS, 7.0), 7.0);
    }
}

#[test]
fn a_line_that_is_used_again_knows_nothing() {
    let shared = shared();
    let line = |cell: &EndpointCell| std::ptr::from_ref(cell.line.near()) as usize;
    let mut seen = Vec::new();
    // Other tests take lines, too: one comes again soon, if not at once.
    for _ in 0..10_000 {
        let bound = bound_to(Arc::clone(&shared));
        assert_eq!(bound.cell.counts(), cell::Counts::default());
        assert_eq!(bound.cell.load(Nanos(2), &SETTINGS), 0);
        assert_eq!(bound.cell.expected_latency(Nanos(2), &SETTINGS, 7.0), 7.0);
        assert!(!bound.cell.take_behaved() && !bound.take_proof());
        let again = seen.contains(&line(&bound.cell));
        seen.push(line(&bound.cell));
        for outcome in [Outcome::failure(), Outcome::Success] {
            let held = hold(&bound);
            end(held, outcome, Nanos(1));
        }
        bound.cell.shut();
        if again {
            return;
        }
    }
    panic!("no line was ever used again");
}
