//! The line on which an endpoint is counted.
//!
//! A request refers to the line without counting that: lines are never given back to the system, see
//! [`page`](super::page). Counted in, it keeps the endpoint's cell, which stands in the line until the
//! endpoint is [let go](Line::let_go) and its last request has ended.
//!
//! Two words say how many requests are in flight: how many were ever begun, and the lowest bits of how
//! many ever ended. Each request adds to either once, so the counters that are reported cost nothing
//! extra. The lowest bits of each word are flags, so that setting one and counting a request happen in
//! one order for all threads:
//!
//! * `begun` carries *closed*: whoever begins after it was set sees it and steps back, so that a
//!   drain which found nothing in flight stays true. Sessions go on until it also carries *over*.
//! * `ended` carries *watched*: whoever ends after it was set wakes those who wait for the last. And
//!   *left*: whoever is the last to end after it was set empties the line of the endpoint's cell.
//!
//! Two more flags of `ended` say what would have to be looked up far away, and nearly always says
//! nothing new: *failed*, that there may be failures which still weigh; and *good*, that the target which
//! is served has proved to be good, the last answer was, and that is remembered.

use std::fmt;
use std::ptr;

use crate::endpoint::page::{Near, Page};
use crate::endpoint::{EndpointCell, Nth, Tally, Terms};
use crate::stats::Tick;
use crate::sync::{Arc, Ordering, Slot};
use crate::units::{COARSE, Nanos};

/// Of `begun`.
pub(super) const CLOSED: u64 = 1;
pub(super) const OVER: u64 = 2;
/// A request in it.
pub(super) const BEGUN: u64 = 4;

/// Of `ended`.
pub(super) const WATCHED: u32 = 1;
const LEFT: u32 = 2;
pub(super) const FAILED: u32 = 4;
pub(super) const GOOD: u32 = 8;
/// A request in it.
pub(super) const ENDED: u32 = 16;

/// So many in flight can be told from each other.
const MOST: u64 = (u32::MAX / ENDED) as u64;

/// Where an endpoint is counted, and which of its targets is meant.
#[derive(Clone, Copy)]
pub(crate) struct Line {
    page: &'static Page,
    /// Which line of the page, and from [`NTH`] on which target. A whole word: what is put together from
    /// smaller parts has to be waited for where it is moved on at once.
    spot: u64,
}

/// Where the number of the target begins.
const NTH: u32 = 32;

/// What a look at a line shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Look {
    /// Requests in flight. Never less than there were when the look began; zero only if there was a
    /// moment with none.
    pub(crate) in_flight: u64,
    /// Whether there may be failures that weigh.
    has_failed: bool,
}

impl Line {
    /// Line `at` of a page.
    pub(super) fn new(page: &'static Page, at: usize) -> Self {
        Self { page, spot: at as u64 % (1 << NTH) }
    }

    #[inline(always)]
    pub(super) fn near(self) -> &'static Near {
        self.page.near(self.spot)
    }

    pub(super) fn cell(self) -> &'static Slot<EndpointCell> {
        self.page.cell(self.spot)
    }

    /// What picks leave there for the audit.
    #[inline]
    pub(crate) fn tally(self) -> &'static Tally {
        self.page.tally(self.spot)
    }

    /// The same line, for this one of the endpoint's targets.
    pub(crate) fn of(self, Nth(nth): Nth) -> Self {
        let at = self.spot % (1 << NTH);
        Self { spot: at | u64::from(nth) << NTH, ..self }
    }

    /// Which of its endpoint's targets is meant.
    #[inline]
    pub(crate) fn nth(self) -> Nth {
        // The upper half.
        Nth((self.spot >> NTH) as u32)
    }

    /// Whether both are of one endpoint.
    pub(crate) fn is_of(self, other: Self) -> bool {
        ptr::eq(self.near(), other.near())
    }

    /// Shows the cell of its endpoint to somebody who is counted in, or holds it by another way. `None`
    /// if neither is so.
    #[inline]
    pub(crate) fn with_cell<R>(self, show: impl FnOnce(&Arc<EndpointCell>) -> R) -> Option<R> {
        self.cell().with(show)
    }

    /// From here on requests may refer to the endpoint by its line.
    pub(super) fn keep(self, cell: &Arc<EndpointCell>) {
        if self.cell().is_empty() {
            self.cell().put(Arc::clone(cell));
        }
    }

    /// The endpoint is shut, and will not be served again: with its last request the line lets its cell
    /// go.
    pub(super) fn let_go(self) {
        // Release, and seen by whoever ends after it.
        self.near().ended.fetch_or(LEFT, Ordering::AcqRel);
        if self.in_flight() == 0 {
            self.cell().take();
        }
    }

    /// Counts a request in, and gives its number. `None` if the endpoint is closed: it has to be
    /// [turned away](EndpointCell::turn_away).
    #[inline]
    pub(crate) fn enter(self, now: Nanos) -> Option<u64> {
        // Before it is counted, so that nobody sees a request beside the silence of idle hours.
        if self.in_flight() == 0 {
            self.stir(now);
        }
        // Acquire: whoever sees the flag also sees the snapshot published before it was set.
        let before = self.near().begun.fetch_add(BEGUN, Ordering::AcqRel);
        (before & CLOSED == 0).then_some(before / BEGUN)
    }

    /// Whether the request of this number, which begins at `now`, is to be timed, where not all are.
    #[inline]
    pub(crate) fn times(self, number: u64, now: Nanos) -> bool {
        self.near().paced.times(number, now)
    }

    /// Counts a request out. Says how many had ended before, in the lowest bits, and whether somebody has
    /// to see what follows if it was the last: [`EndpointCell::end`] and [`succeed`](Self::succeed) do.
    #[inline]
    pub(super) fn leave(self) -> (u32, bool) {
        // Release: what the request wrote is seen by whoever sees it ended.
        let before = self.near().ended.fetch_add(ENDED, Ordering::AcqRel);
        (before / ENDED, before & (WATCHED | LEFT) != 0)
    }

    /// Takes in that a request which began at `began` and is not timed went well, and counts it out.
    #[inline(always)]
    pub(crate) fn succeed(self, began: Nanos) {
        let is_good = self.near().ended.load(Ordering::Relaxed) & GOOD != 0;
        if !is_good {
            self.with_cell(|cell| cell.behave(began, self.nth()));
        }
        self.end();
    }

    /// Counts a request out.
    #[inline]
    pub(super) fn end(self) {
        if self.leave().1 {
            self.with_cell(|cell| cell.last_may_have_ended());
        }
    }

    /// Somebody waits for the last request.
    pub(super) fn watch(self) {
        self.near().ended.fetch_or(WATCHED, Ordering::AcqRel);
    }

    /// Whether somebody did, who has to be woken now.
    pub(super) fn is_watched(self) -> bool {
        self.near().ended.load(Ordering::Acquire) & WATCHED != 0
    }

    /// Nobody does any more.
    pub(super) fn unwatch(self) {
        self.near().ended.fetch_and(!WATCHED, Ordering::AcqRel);
    }

    /// Nobody is in flight, and nobody will be if the endpoint was let go.
    pub(super) fn empty_if_left(self) {
        if self.near().ended.load(Ordering::Acquire) & LEFT != 0 {
            self.cell().take();
        }
    }

    #[inline(always)]
    pub(crate) fn look(self) -> Look {
        // `ended` first: every end seen has its beginning seen, so the difference is never
        // negative.
        let ended = self.near().ended.load(Ordering::Acquire);
        let begun = self.near().begun.load(Ordering::Acquire);
        Look { in_flight: between(begun, ended), has_failed: ended & FAILED != 0 }
    }

    /// Requests in flight, as [`Look`] says it.
    #[inline]
    pub(crate) fn in_flight(self) -> u64 {
        self.look().in_flight
    }

    /// How many of those that had `begun` are in flight. An end may belong to a beginning that is not among
    /// them; then it is none.
    #[inline]
    pub(super) fn in_flight_of(self, begun: u64) -> u64 {
        let in_flight = between(begun, self.near().ended.load(Ordering::Acquire));
        if in_flight > MOST / 2 { 0 } else { in_flight }
    }

    /// How many were ever begun, and how many of them were in flight when that was read.
    pub(super) fn counts(self) -> (u64, u64) {
        let ended = self.near().ended.load(Ordering::Acquire);
        let begun = self.near().begun.load(Ordering::Acquire);
        (begun / BEGUN, between(begun, ended))
    }

    /// How many were ever begun.
    pub(super) fn begun(self) -> u64 {
        self.near().begun.load(Ordering::Acquire) / BEGUN
    }

    /// Requests in flight plus the failures that still weigh, which `failures` counts if there may be any.
    #[inline(always)]
    pub(crate) fn load(self, failures: impl FnOnce() -> u64) -> u64 {
        // In one word with what has ended: a request that fails counts as the one or as the other.
        let Look { in_flight, has_failed } = self.look();
        if has_failed { in_flight.saturating_add(failures()) } else { in_flight }
    }

    /// The latency a request sent now has to expect, in nanoseconds: the longest of the estimate, the time
    /// for which the last failure still weighs, which `failing` says if one may, and the time for which the
    /// endpoint has been silent.
    #[inline(always)]
    pub(crate) fn expected_latency(
        self,
        Look { in_flight, has_failed }: Look,
        now: Nanos,
        terms: &Terms,
        typical: f32,
        failing: impl FnOnce() -> u64,
    ) -> f32 {
        let estimate = self.near().latency.read(now, terms.decay, typical);
        let failing = if has_failed { failing() } else { 0 };
        // Mostly there is neither.
        match self.silence(in_flight, now).max(failing) {
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
    #[inline(always)]
    pub(crate) fn silence(self, in_flight: u64, now: Nanos) -> u64 {
        let near = self.near();
        let stirred = near.stirred.load(Ordering::Relaxed);
        // However far a clock has gone back, that is no silence either.
        let ticks = Tick::at(now).0.wrapping_sub(stirred).cast_signed().max(0).cast_unsigned();
        let passed = u64::from(ticks) * Tick::NANOS;
        let is_waiting = in_flight > near.answering.load(Ordering::Relaxed).into();
        // Of the first tick a part had passed. A tick of the clock that picks go by is no silence, nor
        // are answers that are not timed.
        if is_waiting { passed.saturating_sub(Tick::NANOS + COARSE) } else { 0 }
    }

    /// A request's answer has begun, and will go on for a while.
    pub(super) fn answer_begins(self, now: Nanos) {
        self.near().answering.fetch_add(1, Ordering::Relaxed);
        self.stir(now);
    }

    /// An answer that had begun is over. To be called before its request is counted out.
    pub(super) fn answer_ends(self) {
        self.near().answering.fetch_sub(1, Ordering::Relaxed);
    }

    #[inline]
    pub(super) fn stir(self, now: Nanos) {
        self.near().stirred.store(Tick::at(now).0, Ordering::Relaxed);
    }
}

/// How many were in flight between so many that had begun and so many that had ended.
#[inline(always)]
fn between(begun: u64, ended: u32) -> u64 {
    // The lowest bits are enough, of both.
    (begun / BEGUN).wrapping_sub((ended / ENDED).into()) & MOST
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Line").field("in_flight", &self.in_flight()).finish_non_exhaustive()
    }
}
