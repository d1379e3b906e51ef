//! The hold a request has on its endpoint.

use std::fmt;
use std::sync::{OnceLock, Weak};

use crate::classify::{FailureKind, Outcome};
use crate::endpoint::{Counted, EndpointCell, Terms, Testimony, Token, Under};
use crate::error::PickError;
use crate::sync::{Arc, AtomicBool, Ordering};
#[cfg(feature = "tracing")]
use crate::units::Version;
use crate::units::{COARSE, Key, Nanos};

/// A target and the cell it is counted on. A new target for an endpoint gets a new binding to
/// the same cell.
pub(crate) struct Bound<T> {
    pub(crate) cell: Arc<EndpointCell>,
    home: Arc<Home<T>>,
    /// Declared broken, and nobody has taken it up yet. It stands with the target, so that a
    /// straggler cannot speak of a target made since.
    broken: AtomicBool,
    /// The target has answered well.
    proved: AtomicBool,
    pub(crate) target: T,
}

impl<T> Bound<T> {
    pub(crate) fn new(cell: Arc<EndpointCell>, home: Arc<Home<T>>, target: T) -> Self {
        Self { cell, home, broken: AtomicBool::new(false), proved: AtomicBool::new(false), target }
    }

    /// Another target for the same endpoint.
    pub(crate) fn retarget(&self, target: T) -> Self {
        Self::new(Arc::clone(&self.cell), Arc::clone(&self.home), target)
    }

    /// The way back to the balancer.
    pub(crate) fn home(&self) -> &Home<T> {
        &self.home
    }

    /// Takes the trip that a broken target has left, if there is one.
    pub(crate) fn take_broken(&self) -> bool {
        self.broken.load(Ordering::Relaxed) && self.broken.swap(false, Ordering::AcqRel)
    }

    /// Says again that the target is broken, for somebody who could not look after it.
    pub(crate) fn still_broken(&self) {
        self.broken.store(true, Ordering::Release);
    }

    /// Takes the proof that this target has answered well since the last time, if there is one.
    pub(crate) fn take_proof(&self) -> bool {
        self.proved.load(Ordering::Relaxed) && self.proved.swap(false, Ordering::AcqRel)
    }

    /// Notes what an outcome says about the target; `true` if somebody has to look after it.
    #[inline]
    fn note(&self, outcome: Outcome) -> bool {
        match outcome {
            Outcome::Success => {
                // Written once, so that the line stays shared.
                if !self.proved.load(Ordering::Relaxed) {
                    self.proved.store(true, Ordering::Relaxed);
                }
                false
            }
            Outcome::Failure(FailureKind::Broken) => {
                // Only the first to say so needs somebody to come.
                !self.broken.swap(true, Ordering::AcqRel)
            }
            _ => false,
        }
    }
}

/// The way from a request back to the balancer it came from.
///
/// Requests do not hold the balancer: a count that all of them share would be written to by every
/// thread for every request.
pub(crate) struct Home<T>(OnceLock<Weak<dyn PickAgain<T>>>);

/// Chooses another endpoint for a request that could not use the one it got.
pub(crate) trait PickAgain<T>: Send + Sync {
    fn pick_again(&self, key: &Key, now: Nanos) -> Result<Held<T>, PickError>;

    /// What is served at this moment, and by which strategy.
    #[cfg(feature = "tracing")]
    fn served(&self) -> (Version, Arc<str>);
}

impl<T> Home<T> {
    pub(crate) fn new() -> Self {
        Self(OnceLock::new())
    }

    /// Says where home is; only the first call counts.
    pub(crate) fn is(&self, home: Weak<dyn PickAgain<T>>) {
        let _ = self.0.set(home);
    }

    /// The way to the balancer, for as long as it exists.
    pub(crate) fn way(&self) -> Option<Weak<dyn PickAgain<T>>> {
        self.0.get().cloned()
    }
}

impl<T> fmt::Debug for Home<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Home").finish_non_exhaustive()
    }
}

/// The endpoint takes nothing new.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Closed;

/// The last instant at which a request can begin.
const LAST: Nanos = Nanos(Nanos::NEVER.0 - 1);

/// One request counted on an endpoint, released exactly once however it ends.
///
/// Neither `Clone` nor `Default`: each would be released without having been counted.
pub(crate) struct Held<T> {
    bound: Arc<Bound<T>>,
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
    /// How many endpoints its request was kept from before, in the bits from here on.
    const BEFORE: u32 = 8;

    #[inline]
    fn has(self, mark: u64) -> bool {
        self.0 & mark != 0
    }

    #[inline]
    fn set(&mut self, mark: u64, on: bool) {
        self.0 = if on { self.0 | mark } else { self.0 & !mark };
    }
}

impl<T> Held<T> {
    #[inline(always)]
    pub(crate) fn begin(bound: &Arc<Bound<T>>, began: Nanos, under: Under) -> Result<Self, Closed> {
        let number = bound.cell.begin(began).ok_or(Closed)?;
        Ok(Self::begun(bound, began, number, under))
    }

    /// A request that is counted in already, as its endpoint's of this number.
    #[inline(always)]
    pub(crate) fn begun(bound: &Arc<Bound<T>>, began: Nanos, number: u64, under: Under) -> Self {
        let is_untimed = under.samples() && !bound.cell.times(number, began);
        Self {
            bound: Arc::clone(bound),
            began: began.min(LAST),
            answered: Nanos::NEVER,
            under,
            probes: None,
            counted: None,
            marks: Marks(if is_untimed { Marks::UNTIMED } else { 0 }),
        }
    }

    /// A request that is counted besides.
    pub(crate) fn counted(mut self, counted: Counted) -> Self {
        self.counted = Some(counted);
        self
    }

    /// A request of a session.
    pub(crate) fn aside(mut self) -> Self {
        self.marks.set(Marks::ASIDE, true);
        self
    }

    /// A request that is a probe, by this right.
    pub(crate) fn probing(mut self, token: Token) -> Self {
        self.probes = Some(token);
        self.marks.set(Marks::UNTIMED, false);
        self
    }

    /// Whether it is a probe.
    pub(crate) fn is_probe(&self) -> bool {
        self.probes.is_some()
    }

    /// From here on the endpoint may have seen it, or not: dropped before, it is as if it had never
    /// been counted.
    #[inline]
    pub(crate) fn set_sent(&mut self, is_sent: bool) {
        self.marks.set(Marks::UNSENT, !is_sent);
    }

    /// Whether it matters when exactly it began.
    #[inline]
    pub(crate) fn is_timed(&self) -> bool {
        !self.marks.has(Marks::UNTIMED) || self.under.is_limited()
    }

    /// It began just now. Told by a clock that does not tick, as those are that say when it ends.
    #[inline]
    pub(crate) fn begin_at(&mut self, now: Nanos) {
        self.began = now.min(LAST);
    }

    /// When it began is known to a tick.
    #[inline]
    pub(crate) fn begins_about(&mut self) {
        self.marks.set(Marks::ABOUT, true);
    }

    /// Notes how many endpoints the request was kept from before.
    #[inline]
    pub(crate) fn set_before(&mut self, before: u32) {
        let marks = self.marks.0 & ((1 << Marks::BEFORE) - 1);
        self.marks = Marks(marks | u64::from(before) << Marks::BEFORE);
    }

    pub(crate) fn before(&self) -> u64 {
        self.marks.0 >> Marks::BEFORE
    }

    pub(crate) fn began(&self) -> Nanos {
        self.began
    }

    pub(crate) fn terms(&self) -> Terms {
        self.bound.cell.terms(self.under)
    }

    /// Nanoseconds that the endpoint has for its answer, if that is limited.
    #[inline]
    pub(crate) fn limit(&self) -> Option<u64> {
        self.under.is_limited().then(|| self.terms().attempt_timeout)
    }

    pub(crate) fn bound(&self) -> &Bound<T> {
        &self.bound
    }

    /// The answer has begun: what follows of it is no part of the latency.
    pub(crate) fn answered(&mut self, now: Nanos) {
        if !self.is_answered() {
            self.answered = now;
            self.marks.set(Marks::UNTIMED, false);
            self.bound.cell.answer_begins(now);
        }
    }

    /// Ends it well if no clock is needed for that, and says whether it did.
    #[inline]
    pub(crate) fn finish_untimed(&mut self, outcome: Outcome) -> bool {
        let is_untimed = self.marks.has(Marks::UNTIMED) && outcome == Outcome::Success;
        if is_untimed && let Some(began) = self.release() {
            self.bound.note(outcome);
            self.bound.cell.succeed(began);
        }
        is_untimed
    }

    pub(crate) fn finish(&mut self, outcome: Outcome, now: Nanos) {
        let Some(began) = self.release() else { return };
        let latency = self.answered.min(now).0.saturating_sub(began.0);
        let latency = (!self.marks.has(Marks::ABOUT)).then_some(latency);
        self.end_answer();
        let trip = self.bound.note(outcome);
        let cell = &self.bound.cell;
        let reached = cell.finish(outcome, began, latency, now, &cell.terms(self.under));
        if let Some(token) = self.probes {
            self.testify(token, outcome, began, now);
        } else if let Some(reached) = reached {
            cell.report(Testimony::Row { reached, began }, now);
        } else if trip {
            cell.alert(now);
        }
    }

    /// What the answer to a probe says. The writer gives the token back where it says something.
    #[cold]
    fn testify(&self, token: Token, outcome: Outcome, began: Nanos, now: Nanos) {
        let cell = &self.bound.cell;
        match outcome {
            Outcome::Ignore => cell.trial.give_up_probe(token, began, now),
            Outcome::Success => cell.report(Testimony::Probe { token, good: true }, now),
            Outcome::Failure(_) | Outcome::Overloaded { .. } => {
                cell.report(Testimony::Probe { token, good: false }, now);
            }
        }
    }

    /// Gives it back as if it had never been counted: the request was not sent.
    pub(crate) fn withdraw(&mut self) {
        if self.release().is_some() {
            self.end_answer();
            self.bound.cell.withdraw();
            if self.before() > 0 || self.marks.has(Marks::ASIDE) {
                self.bound.cell.comes_to_nothing();
            }
            self.free_probe();
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

    fn free_probe(&self) {
        if let Some(token) = self.probes {
            self.bound.cell.trial.free_probe(token);
        }
    }

    fn is_answered(&self) -> bool {
        self.answered < Nanos::NEVER
    }

    fn end_answer(&self) {
        if self.is_answered() {
            self.bound.cell.answer_ends();
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
        self.end_answer();
        self.bound.cell.abandon();
        self.free_probe();
    }

    /// The caller goes away at `now`.
    pub(crate) fn abandon(&mut self, now: Nanos) {
        // An endpoint that has begun to answer is not silent, however long its answer is.
        let about = if self.marks.has(Marks::ABOUT) { COARSE } else { 0 };
        let age = now.0.saturating_sub(self.began.0).saturating_sub(about);
        let blamed = !self.is_answered() && age >= self.terms().abandoned_after;
        let timeout = Outcome::Failure(FailureKind::Timeout);
        self.finish(if blamed { timeout } else { Outcome::Ignore }, now);
    }
}

impl<T> Drop for Held<T> {
    #[inline]
    fn drop(&mut self) {
        if self.is_open() {
            self.forsake();
        }
    }
}

impl<T> fmt::Debug for Bound<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bound").field("cell", &self.cell).finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for Held<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Held").field("endpoint", self.bound.cell.id()).finish_non_exhaustive()
    }
}
