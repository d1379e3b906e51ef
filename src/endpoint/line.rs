//! What nearly every request reads and writes of its endpoint, in one cache line.
//!
//! Where there are many endpoints nothing of them is near the processor, and what a request costs is
//! how many lines have to be fetched. So all that it takes to compare an endpoint, to begin with it and to
//! end well stands together, aligned, and apart from what only a timed or a failed request looks at.
//!
//! A request refers to the line without counting that: lines are never given back to the system, see
//! [`lines`](super::lines). Counted in, it keeps the endpoint's cell, which stands in the line until the
//! endpoint is [let go](Line::let_go) and its last request has ended.
//!
//! Two words say how many requests are in flight: how many were ever begun and how many ever
//! ended. Each request adds to either once, so the counters that are reported cost nothing extra.
//! The lowest bits of each word are flags, so that setting one and counting a request happen in one
//! order for all threads:
//!
//! * `begun` carries *closed*: whoever begins after it was set sees it and steps back, so that a
//!   drain which found nothing in flight stays true. Sessions go on until it also carries *over*.
//! * `ended` carries *watched*: whoever ends after it was set wakes those who wait for the last. And
//!   *left*: whoever is the last to end after it was set empties the line of the endpoint's cell.

use std::fmt;

use crate::endpoint::{EndpointCell, Nth, Terms};
use crate::stats::{LastFailure, Latency, Pace, Streak, Tick};
use crate::sync::{Arc, AtomicU32, AtomicU64, Ordering, Slot};
use crate::units::{COARSE, Nanos};

pub(super) const FLAG: u64 = 1;
pub(super) const OVER: u64 = 2;
pub(super) const LEFT: u64 = 2;
pub(super) const ONE: u64 = 4;

/// See the [module](self).
#[repr(C, align(64))]
pub(crate) struct Line {
    pub(super) begun: AtomicU64,
    pub(super) ended: AtomicU64,
    /// The tick in which the endpoint last gave a sign of life, or got work while it had none.
    stirred: AtomicU32,
    /// Requests in flight whose answers have begun: of them nothing more is waited for.
    answering: AtomicU32,
    pub(super) last_failure: LastFailure,
    pub(super) streak: Streak,
    pub(super) pace: Pace,
    pub(super) latency: Latency,
    /// The endpoint's other words, from its being served on.
    cell: Slot<EndpointCell>,
}

impl Line {
    pub(super) fn new() -> Self {
        Self {
            begun: AtomicU64::new(0),
            ended: AtomicU64::new(0),
            stirred: AtomicU32::new(0),
            answering: AtomicU32::new(0),
            last_failure: LastFailure::new(),
            streak: Streak::new(),
            pace: Pace::new(),
            latency: Latency::new(),
            cell: Slot::empty(),
        }
    }

    /// Makes it as good as new, for the next endpoint.
    pub(super) fn clear(&self) {
        self.begun.store(0, Ordering::Relaxed);
        self.ended.store(0, Ordering::Relaxed);
        self.stirred.store(0, Ordering::Relaxed);
        self.answering.store(0, Ordering::Relaxed);
        self.last_failure.clear();
        self.streak.clear();
        self.pace.clear();
        self.latency.clear();
        self.cell.take();
    }

    /// Shows the cell of its endpoint to somebody who is counted in, or holds it by another way. `None`
    /// if neither is so.
    #[inline]
    pub(crate) fn with_cell<R>(&self, show: impl FnOnce(&Arc<EndpointCell>) -> R) -> Option<R> {
        self.cell.with(show)
    }

    /// From here on requests may refer to the endpoint by its line.
    pub(super) fn keep(&self, cell: &Arc<EndpointCell>) {
        if self.cell.is_empty() {
            self.cell.put(Arc::clone(cell));
        }
    }

    /// The endpoint is shut, and will not be served again: with its last request the line lets its cell
    /// go.
    pub(super) fn let_go(&self) {
        // Release, and seen by whoever ends after it.
        self.ended.fetch_or(LEFT, Ordering::AcqRel);
        if self.in_flight() == 0 {
            self.cell.take();
        }
    }

    /// Counts a request in, and gives its number. `None` if the endpoint is closed: it has to be
    /// [turned away](EndpointCell::turn_away).
    #[inline]
    pub(crate) fn enter(&self, now: Nanos) -> Option<u64> {
        // Before it is counted, so that nobody sees a request beside the silence of idle hours.
        if self.in_flight() == 0 {
            self.stir(now);
        }
        // Acquire: whoever sees the flag also sees the snapshot published before it was set.
        let before = self.begun.fetch_add(ONE, Ordering::AcqRel);
        (before & FLAG == 0).then_some(before / ONE)
    }

    /// Whether the request of this number, which begins at `now`, is to be timed, where not all are.
    #[inline]
    pub(crate) fn times(&self, number: u64, now: Nanos) -> bool {
        self.pace.times(number, now)
    }

    /// Counts a request out. Says how many had ended before, and whether somebody has to see what
    /// follows if it was the last: [`EndpointCell::end`] and [`succeed`](Self::succeed) do.
    #[inline]
    pub(super) fn leave(&self) -> (u64, bool) {
        // Release: what the request wrote is seen by whoever sees it ended.
        let before = self.ended.fetch_add(ONE, Ordering::AcqRel);
        (before / ONE, before & (FLAG | LEFT) != 0)
    }

    /// Takes in that a request to this target of its endpoint, which began at `began` and is not timed,
    /// went well, and counts it out.
    #[inline(always)]
    pub(crate) fn succeed(&self, began: Nanos, nth: Nth) {
        if !self.streak.is_good(nth.proof()) {
            self.with_cell(|cell| cell.behave(began, nth));
        }
        self.end();
    }

    /// Counts a request out.
    #[inline]
    pub(super) fn end(&self) {
        if self.leave().1 {
            self.with_cell(|cell| cell.last_may_have_ended());
        }
    }

    /// Nobody is in flight, and nobody will be if the endpoint was let go.
    pub(super) fn empty_if_left(&self) {
        if self.ended.load(Ordering::Acquire) & LEFT != 0 {
            self.cell.take();
        }
    }

    /// Requests in flight. Never less than there were when the call began; zero only if there was
    /// a moment with none.
    #[inline]
    pub(crate) fn in_flight(&self) -> u64 {
        // `ended` first: every end seen has its beginning seen, so the difference is never
        // negative.
        let ended = self.ended.load(Ordering::Acquire) / ONE;
        let begun = self.begun.load(Ordering::Acquire) / ONE;
        begun.saturating_sub(ended)
    }

    /// Requests in flight plus the failures that still weigh, which `failures` counts if any does.
    #[inline]
    pub(crate) fn load(&self, now: Nanos, failures: impl FnOnce() -> u64) -> u64 {
        // In flight first: a request that fails in between then counts twice rather than never.
        let in_flight = self.in_flight();
        let failures = if self.last_failure.weighs(now) { failures() } else { 0 };
        in_flight.saturating_add(failures)
    }

    /// The latency a request sent now has to expect beside so many in flight, in nanoseconds: the longest
    /// of the estimate, the time for which the last failure still weighs, and the time for which the
    /// endpoint has been silent.
    #[inline]
    pub(crate) fn expected_latency(
        &self,
        in_flight: u64,
        now: Nanos,
        terms: &Terms,
        typical: f32,
    ) -> f32 {
        let estimate = self.latency.read(now, terms.decay, typical);
        // Mostly there is neither.
        match self.silence(in_flight, now).max(self.last_failure.remaining(now)) {
            0 => estimate,
            // Far below what a signed word holds, and quicker to convert from it.
            waited => estimate.max(waited.cast_signed() as f32),
        }
    }

    /// How long the endpoint has had unanswered requests among so many in flight, and given no answer to
    /// any, in nanoseconds.
    ///
    /// Never more than the age of its oldest request, and that but for some ticks for an endpoint that
    /// accepts and never answers. One that answers others meanwhile is not silent.
    #[inline]
    pub(crate) fn silence(&self, in_flight: u64, now: Nanos) -> u64 {
        let stirred = self.stirred.load(Ordering::Relaxed);
        // However far a clock has gone back, that is no silence either.
        let ticks = Tick::at(now).0.wrapping_sub(stirred).cast_signed().max(0).cast_unsigned();
        let passed = u64::from(ticks) * Tick::NANOS;
        let is_waiting = in_flight > self.answering.load(Ordering::Relaxed).into();
        // Of the first tick a part had passed. A tick of the clock that picks go by is no silence, nor
        // are answers that are not timed.
        if is_waiting { passed.saturating_sub(Tick::NANOS + COARSE) } else { 0 }
    }

    /// A request's answer has begun, and will go on for a while.
    pub(super) fn answer_begins(&self, now: Nanos) {
        self.answering.fetch_add(1, Ordering::Relaxed);
        self.stir(now);
    }

    /// An answer that had begun is over. To be called before its request is counted out.
    pub(super) fn answer_ends(&self) {
        self.answering.fetch_sub(1, Ordering::Relaxed);
    }

    #[inline]
    pub(super) fn stir(&self, now: Nanos) {
        self.stirred.store(Tick::at(now).0, Ordering::Relaxed);
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Line").field("in_flight", &self.in_flight()).finish_non_exhaustive()
    }
}

#[cfg(all(test, not(evenkeel_loom)))]
#[test]
fn it_is_one_line() {
    assert_eq!((size_of::<Line>(), align_of::<Line>()), (64, 64));
}
