//! The hold a request has on its endpoint.

use std::fmt;

use crate::classify::{FailureKind, Outcome};
use crate::endpoint::{
    Anchor, Anchored, Bound, Counted, EndpointCell, Line, Terms, Testimony, Token, Under,
};
use crate::sync::Arc;
use crate::units::{COARSE, Nanos, Origin};

/// The last instant at which a request can begin.
const LAST: Nanos = Nanos(Nanos::NEVER.0 - 1);

/// One request counted on an endpoint, released exactly once however it ends.
///
/// Neither `Clone` nor `Default`: each would be released without having been counted.
pub(crate) struct Held<A: Anchored> {
    pub(crate) anchor: A,
    /// When it began; [`Nanos::NEVER`] once it is released.
    began: Nanos,
    /// When its answer began; [`Nanos::NEVER`] while it has not.
    answered: Nanos,
    /// What it is judged by.
    under: Under,
    /// The right by which this request is a probe, if it is one.
    probes: Option<Token>,
    /// Its place among all that are in flight, where these are counted.
    counted: Option<Counted>,
    marks: Marks,
}

/// What is true of one request. A whole word, as all around it are: what is put together from smaller
/// parts has to be waited for where it is moved on at once.
#[derive(Clone, Copy)]
struct Marks(u64);

impl Marks {
    /// It does not matter how long it takes.
    const UNTIMED: u64 = 1;
    /// The endpoint has not seen it.
    const UNSENT: u64 = 2;
    /// It is known to a tick when it began.
    const ABOUT: u64 = 4;
    /// It belongs to a session, which stands outside of the schedule.
    const ASIDE: u64 = 8;
    /// How many endpoints its request was kept from before, from this bit on.
    const BEFORE: u32 = 32;

    #[inline]
    fn of(is_timed: bool, is_exact: bool, is_aside: bool) -> Self {
        let mut marks = Self(0);
        marks.set(Self::UNTIMED, !is_timed);
        marks.set(Self::ABOUT, !is_exact);
        marks.set(Self::ASIDE, is_aside);
        marks
    }

    fn before(self) -> u64 {
        self.0 >> Self::BEFORE
    }

    #[inline]
    fn set_before(&mut self, before: u32) {
        self.0 = self.0 & ((1 << Self::BEFORE) - 1) | u64::from(before) << Self::BEFORE;
    }

    #[inline]
    fn has(self, mark: u64) -> bool {
        self.0 & mark != 0
    }

    #[inline]
    fn set(&mut self, mark: u64, on: bool) {
        self.0 = if on { self.0 | mark } else { self.0 & !mark };
    }
}

/// A request that its endpoint has counted in, and that nobody holds yet.
pub(crate) struct Begun<'a, T> {
    /// That of the target, by a way that is shorter than through it.
    pub(crate) line: Line,
    pub(crate) bound: &'a Arc<Bound<T>>,
    /// Which of its endpoint's requests it is.
    pub(crate) number: u64,
    /// The right by which it is a probe, if it is one.
    pub(crate) probes: Option<Token>,
    /// What else it is counted in.
    pub(crate) counted: Option<Counted>,
    /// Whether it belongs to a session.
    pub(crate) is_aside: bool,
}

impl<'a, T> Begun<'a, T> {
    /// The endpoint's request of this number.
    pub(crate) fn new(bound: &'a Arc<Bound<T>>, number: u64) -> Self {
        Self { line: bound.line, bound, number, probes: None, counted: None, is_aside: false }
    }
}

/// Gives back what nobody has come to hold.
struct Unheld<'a, T>(&'a Arc<Bound<T>>, Option<Token>);

impl<T> Drop for Unheld<'_, T> {
    fn drop(&mut self) {
        let Self(bound, probes) = self;
        bound.cell.withdraw();
        if let Some(token) = probes.take() {
            bound.cell.trial.free_probe(token);
        }
    }
}

impl<A: Anchored> Held<A> {
    /// The hold on a request that was counted in at `now`. Where it matters when exactly it begins,
    /// `exactly` says so; otherwise that is known to a tick.
    ///
    /// All that may panic comes before there is anything that would have to be dropped: that has to
    /// stand in memory, and to be moved from there.
    #[inline(always)]
    pub(crate) fn begun<T>(
        begun: Begun<'_, T>,
        under: Under,
        now: Nanos,
        exactly: impl FnOnce() -> Nanos,
    ) -> Self
    where
        A: Anchor<T>,
    {
        let Begun { line, bound, number, probes, counted, is_aside } = begun;
        let unheld = Unheld(bound, probes);
        // What a probe takes always matters.
        let is_timed = probes.is_some() || !under.samples() || line.times(number, now);
        let is_exact = is_timed || under.is_limited();
        let began = if is_exact { exactly() } else { now };
        // May run code of the user's.
        let anchor = A::at(line, bound);
        std::mem::forget(unheld);
        Self {
            anchor,
            began: began.min(LAST),
            answered: Nanos::NEVER,
            under,
            probes,
            counted,
            marks: Marks::of(is_timed, is_exact, is_aside),
        }
    }

    /// The same request, held by something else. This one has then nothing to release.
    pub(crate) fn give_to<B: Anchored>(&mut self, anchor: impl FnOnce(&A) -> B) -> Held<B> {
        let held = Held {
            anchor: anchor(&self.anchor),
            began: self.began,
            answered: self.answered,
            under: self.under,
            probes: self.probes,
            counted: self.counted.take(),
            marks: self.marks,
        };
        self.began = Nanos::NEVER;
        held
    }

    /// From here on the endpoint may have seen it, or not: dropped before, it is as if it had never
    /// been counted.
    #[inline]
    pub(crate) fn set_sent(&mut self, is_sent: bool) {
        self.marks.set(Marks::UNSENT, !is_sent);
    }

    /// Notes how many endpoints the request was kept from before.
    #[inline]
    pub(crate) fn set_before(&mut self, before: u32) {
        self.marks.set_before(before);
    }

    pub(crate) fn before(&self) -> u64 {
        self.marks.before()
    }

    pub(crate) fn began(&self) -> Nanos {
        self.began
    }

    /// Shows the endpoint's cell; `None` once the request is counted out.
    #[inline]
    pub(crate) fn with_cell<R>(&self, show: impl FnOnce(&Arc<EndpointCell>) -> R) -> Option<R> {
        if self.is_open() { self.anchor.with_cell(show) } else { None }
    }

    pub(crate) fn terms(&self) -> Terms {
        self.with_cell(|cell| cell.terms(self.under)).unwrap_or_default()
    }

    /// What its times are counted from; `None` once it is counted out.
    #[inline]
    pub(crate) fn origin(&self) -> Option<Origin> {
        self.with_cell(|cell| cell.origin())
    }

    /// Whether the endpoint's time for its answer is limited.
    #[inline]
    pub(crate) fn is_limited(&self) -> bool {
        self.under.is_limited()
    }

    /// The answer has begun: what follows of it is no part of the latency.
    pub(crate) fn answered(&mut self, now: Nanos) {
        if self.is_open() && !self.is_answered() {
            self.anchor.line().answer_begins(now);
            self.answered = now;
            self.marks.set(Marks::UNTIMED, false);
        }
    }

    /// Ends it well if no clock is needed for that, and says whether it did.
    #[inline]
    pub(crate) fn finish_untimed(&mut self, outcome: Outcome) -> bool {
        let is_untimed = self.marks.has(Marks::UNTIMED) && outcome == Outcome::Success;
        if is_untimed && let Some(began) = self.release() {
            self.anchor.line().succeed(began);
        }
        is_untimed
    }

    /// Ends it at the moment that `now` says.
    pub(crate) fn finish(&mut self, outcome: Outcome, now: impl FnOnce(Origin) -> Nanos) {
        let Some(began) = self.release() else { return };
        let show = |cell: &Arc<EndpointCell>| self.judge(cell, outcome, began, now(cell.origin()));
        if self.anchor.with_cell(show).is_none() {
            self.anchor.line().end();
        }
    }

    fn judge(&self, cell: &Arc<EndpointCell>, outcome: Outcome, began: Nanos, now: Nanos) {
        let latency = self.answered.min(now).0.saturating_sub(began.0);
        let latency = (!self.marks.has(Marks::ABOUT)).then_some(latency);
        self.end_answer();
        let nth = self.anchor.line().nth();
        let trip = outcome == Outcome::Failure(FailureKind::Broken) && cell.declare_broken(nth);
        let terms = cell.terms(self.under);
        let reached = cell.finish(outcome, (began, nth), latency, now, &terms);
        if let Some(token) = self.probes {
            testify(cell, token, outcome, began, now);
        } else if let Some(reached) = reached {
            cell.report(Testimony::Row { reached, began }, now);
        } else if trip {
            cell.alert(now);
        }
    }

    /// Gives it back as if it had never been counted: the request was not sent.
    pub(crate) fn withdraw(&mut self) {
        if self.release().is_some() {
            let is_odd = self.before() > 0 || self.marks.has(Marks::ASIDE);
            self.end_by(|cell| {
                cell.withdraw();
                if is_odd {
                    cell.comes_to_nothing();
                }
            });
        }
    }

    /// Counts it out by what `end` does, and says nothing about the endpoint.
    fn end_by(&self, end: impl FnOnce(&EndpointCell)) {
        let show = |cell: &Arc<EndpointCell>| {
            self.end_answer();
            end(cell);
            if let Some(token) = self.probes {
                cell.trial.free_probe(token);
            }
        };
        if self.anchor.with_cell(show).is_none() {
            self.anchor.line().end();
        }
    }

    /// When it began, the first time that this is asked.
    #[inline]
    fn release(&mut self) -> Option<Nanos> {
        let began = std::mem::replace(&mut self.began, Nanos::NEVER);
        // Before the endpoint counts it out: together they are never more than one by one.
        self.counted = None;
        (began < Nanos::NEVER).then_some(began)
    }

    fn is_open(&self) -> bool {
        self.began < Nanos::NEVER
    }

    fn is_answered(&self) -> bool {
        self.answered < Nanos::NEVER
    }

    fn end_answer(&self) {
        if self.is_answered() {
            self.anchor.line().answer_ends();
        }
    }

    /// Whether a clock is needed to say what it means that the caller goes away now.
    #[inline]
    pub(crate) fn asks_for_the_time(&self) -> bool {
        let waits = || self.probes.is_some() || self.terms().abandoned_after < u64::MAX;
        self.is_open() && !self.marks.has(Marks::UNSENT) && waits()
    }

    /// The caller goes away.
    #[cold]
    fn forsake(&mut self) {
        if self.marks.has(Marks::UNSENT) {
            return self.withdraw();
        }
        self.release();
        self.end_by(EndpointCell::abandon);
    }

    /// The caller goes away at `now`.
    pub(crate) fn abandon(&mut self, now: Nanos) {
        // An endpoint that has begun to answer is not silent, however long its answer is.
        let about = if self.marks.has(Marks::ABOUT) { COARSE } else { 0 };
        let age = now.0.saturating_sub(self.began.0).saturating_sub(about);
        let blamed = !self.is_answered() && age >= self.terms().abandoned_after;
        let timeout = Outcome::Failure(FailureKind::Timeout);
        self.finish(if blamed { timeout } else { Outcome::Ignore }, |_| now);
    }
}

/// What the answer to a probe says. The writer gives the token back where it says something.
#[cold]
fn testify(cell: &Arc<EndpointCell>, token: Token, outcome: Outcome, began: Nanos, now: Nanos) {
    match outcome {
        Outcome::Ignore => cell.trial.give_up_probe(token, began, now),
        Outcome::Success => cell.report(Testimony::Probe { token, good: true }, now),
        Outcome::Failure(_) | Outcome::Overloaded { .. } => {
            cell.report(Testimony::Probe { token, good: false }, now);
        }
    }
}

impl<A: Anchored> Drop for Held<A> {
    #[inline]
    fn drop(&mut self) {
        if self.is_open() {
            self.forsake();
        }
    }
}

impl<A: Anchored> fmt::Debug for Held<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Held").field("line", &self.anchor.line()).finish_non_exhaustive()
    }
}
