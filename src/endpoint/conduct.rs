//! What an endpoint's answers have shown, and the flags that say so on its line.
//!
//! Nearly always there is nothing to be seen: no failure weighs, and the last answer was as good as the one
//! before. Two flags beside the count of requests that ended say this, so that nobody has to look here.
//! Either is set and taken back in one order with the words here: who sets one looks at them again after
//! it, and who changes them does so before. So a flag may say that there is something to be seen where
//! there is nothing, which is only slower, but never for long the other way round.

use crate::endpoint::line::{FAILED, GOOD};
use crate::endpoint::{EndpointCell, Nth, Terms};
use crate::stats::{Pace, Reached, Row, RowLimits, Streak};
use crate::sync::{AtomicU32, Ordering};
use crate::units::Nanos;

#[derive(Debug)]
pub(super) struct Conduct {
    pub(super) streak: Streak,
    pub(super) pace: Pace,
    /// The number of the target that is served.
    served: AtomicU32,
}

impl Conduct {
    pub(super) fn new() -> Self {
        Self { streak: Streak::new(), pace: Pace::new(), served: AtomicU32::new(0) }
    }
}

/// Failures.
impl EndpointCell {
    /// Takes in that a request failed, for as long as `terms` and its own `hint` say. To be called before
    /// the request is counted out.
    pub(super) fn weigh(&self, now: Nanos, terms: &Terms, hint: u64) {
        if terms.penalty > 0 || hint > 0 {
            let recent = &self.amiss.counts().recent;
            recent.record(now, terms.penalty, hint);
            self.line.near().ended.fetch_or(FAILED, Ordering::AcqRel);
        }
    }

    /// The time for which the last failure still weighs. If it does not, nobody has to look again.
    #[cold]
    pub(crate) fn failing(&self, now: Nanos) -> u64 {
        let (ended, amiss) = (&self.line.near().ended, self.amiss.known());
        let remaining = || amiss.map_or(0, |counts| counts.recent.remaining(now));
        let weighs_for = remaining();
        if weighs_for == 0 {
            ended.fetch_and(!FAILED, Ordering::AcqRel);
            // Acquire: one that was recorded meanwhile is seen, or sets the flag again.
            if remaining() > 0 {
                ended.fetch_or(FAILED, Ordering::AcqRel);
            }
        }
        weighs_for
    }

    /// Failures that still weigh.
    #[cold]
    pub(crate) fn failures(&self, now: Nanos, terms: &Terms) -> u64 {
        if self.failing(now) == 0 {
            return 0;
        }
        self.amiss.known().map_or(0, |counts| counts.recent.count(now, terms.penalty))
    }
}

/// Good answers, and failures in a row.
impl EndpointCell {
    /// Whether another good answer of the target that is served is no news.
    #[inline]
    pub(super) fn is_good(&self) -> bool {
        self.line.near().ended.load(Ordering::Relaxed) & GOOD != 0
    }

    /// The next good answer is news.
    pub(super) fn is_news(&self) {
        self.line.near().ended.fetch_and(!GOOD, Ordering::AcqRel);
    }

    /// A request to this target that began at `began` was answered well. From here on that is no news, if
    /// the target is the one that is served.
    #[cold]
    pub(super) fn behave(&self, began: Nanos, nth: Nth) {
        let (ended, streak, proof) = (&self.line.near().ended, &self.conduct.streak, nth.proof());
        if !streak.is_good(proof) {
            streak.end(proof, self.trial.counts(began));
        }
        let is_good = || streak.is_good(proof) && self.is_served(nth);
        if is_good() {
            ended.fetch_or(GOOD, Ordering::AcqRel);
            // Acquire: what was changed meanwhile is seen, or takes the flag back.
            if !is_good() {
                self.is_news();
            }
        }
    }

    /// Takes in a failure. Says which row has reached its limit by it.
    pub(super) fn misbehave(&self, kind: Row, limits: RowLimits) -> Option<Reached> {
        let reached = self.conduct.streak.count(kind, limits);
        self.is_news();
        reached
    }

    /// Whether it has answered well since the last time this was asked.
    pub(crate) fn take_behaved(&self) -> bool {
        let behaved = self.conduct.streak.take_behaved();
        self.is_news();
        behaved
    }

    /// Whether this target has proved to be good since the last time this was asked.
    pub(super) fn take_proof(&self, nth: Nth) -> bool {
        let has_proved = self.conduct.streak.take_proof(nth.proof());
        self.is_news();
        has_proved
    }

    /// Every row is over, and nothing is remembered of its answers.
    pub(super) fn forget_answers(&self) {
        self.conduct.streak.forget();
        self.is_news();
    }

    fn is_served(&self, Nth(nth): Nth) -> bool {
        self.conduct.served.load(Ordering::Acquire) == nth
    }

    /// This target is about to be served: its first good answer is news.
    pub(super) fn serve(&self, nth: Nth) {
        if !self.is_served(nth) {
            self.conduct.served.store(nth.0, Ordering::Release);
            self.is_news();
        }
    }
}
