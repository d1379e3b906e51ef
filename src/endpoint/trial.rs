//! What is noted of an endpoint for the next verdict about it.

use crate::sync::{AtomicBool, AtomicU64, Ordering};
use crate::units::Nanos;

/// Evidence, and the one probe that may be on its way.
#[derive(Debug)]
pub(crate) struct Trial {
    /// Requests that began before do not count for failures in a row.
    since: AtomicU64,
    /// Whether it has answered well since the last look.
    behaved: AtomicBool,
    /// The number of the ejection whose probe is on its way; 0 for none.
    probe: AtomicU64,
    /// Before this nobody may probe.
    not_before: AtomicU64,
    /// Whether the next pick is to go to it, however small its share is.
    nudge: AtomicBool,
}

/// How many times as long as it was waited for an endpoint is left alone after a probe that came to
/// nothing. A caller who gives up on an endpoint that never answers would else be sent there with
/// every request.
const REST: u64 = 4;

/// The longest rest, in nanoseconds.
const LONGEST_REST: u64 = 60_000_000_000;

impl Trial {
    pub(super) fn new() -> Self {
        Self {
            since: AtomicU64::new(0),
            behaved: AtomicBool::new(false),
            probe: AtomicU64::new(0),
            not_before: AtomicU64::new(0),
            nudge: AtomicBool::new(false),
        }
    }

    pub(super) fn turn_page(&self, now: Nanos) {
        self.since.store(now.0, Ordering::Relaxed);
        self.behaved.store(false, Ordering::Relaxed);
        self.nudge.store(false, Ordering::Relaxed);
    }

    /// Whether the failure of a request that began at `began` counts.
    #[inline]
    pub(crate) fn counts(&self, began: Nanos) -> bool {
        began.0 >= self.since.load(Ordering::Relaxed)
    }

    /// A good answer. Written once, so that the line stays shared.
    #[inline]
    pub(super) fn behaves(&self) {
        if !self.behaved.load(Ordering::Relaxed) {
            self.behaved.store(true, Ordering::Relaxed);
        }
    }

    /// Whether it has answered well since the last time this was asked.
    pub(crate) fn take_behaved(&self) -> bool {
        self.behaved.swap(false, Ordering::Relaxed)
    }

    /// Takes the right to probe ejection `epoch`: one at a time.
    pub(crate) fn claim_probe(&self, epoch: u32, now: Nanos) -> bool {
        let epoch = u64::from(epoch);
        let taken = self.probe.load(Ordering::Relaxed);
        // A later ejection's is left to it: this one is known from an old snapshot.
        taken < epoch
            && now.0 >= self.not_before.load(Ordering::Relaxed)
            && self
                .probe
                .compare_exchange(taken, epoch, Ordering::AcqRel, Ordering::Relaxed)
                .is_ok()
    }

    /// Gives it back: the probe has decided something.
    pub(crate) fn end_probe(&self, epoch: u32) {
        if self.free_probe(epoch) {
            self.not_before.store(0, Ordering::Relaxed);
        }
    }

    /// Gives it back: the probe was waited for from `began` to `now`, and came to nothing.
    pub(super) fn give_up_probe(&self, epoch: u32, began: Nanos, now: Nanos) {
        let rest = now.0.saturating_sub(began.0).saturating_mul(REST).min(LONGEST_REST);
        if self.free_probe(epoch) {
            self.not_before.store(now.0.saturating_add(rest), Ordering::Relaxed);
        }
    }

    /// Gives it back unused; says whether there was anything to give back. A later ejection's is
    /// left alone.
    pub(crate) fn free_probe(&self, epoch: u32) -> bool {
        let epoch = u64::from(epoch);
        self.probe.compare_exchange(epoch, 0, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }

    /// Asks for the next pick.
    pub(crate) fn nudge(&self) {
        self.nudge.store(true, Ordering::Release);
    }

    /// Takes the pick that was asked for, if one was.
    pub(crate) fn claim_nudge(&self) -> bool {
        self.nudge.load(Ordering::Relaxed) && self.nudge.swap(false, Ordering::AcqRel)
    }
}

#[cfg(all(test, not(evenkeel_loom)))]
mod tests {
    use super::*;

    #[test]
    fn one_probe_at_a_time_and_a_later_ejection_is_left_alone() {
        let trial = Trial::new();
        assert!(trial.claim_probe(1, Nanos(0)) && !trial.claim_probe(1, Nanos(0)));
        assert!(trial.claim_probe(2, Nanos(0)), "the first belongs to an ejection that is over");
        trial.free_probe(1);
        assert!(!trial.claim_probe(2, Nanos(0)));
        trial.free_probe(2);
        assert!(trial.claim_probe(2, Nanos(0)));
    }

    #[test]
    fn after_a_probe_that_came_to_nothing_it_rests() {
        let trial = Trial::new();
        let at = |seconds: u64| Nanos(seconds * 1_000_000_000);
        assert!(trial.claim_probe(1, at(10)));
        trial.give_up_probe(1, at(10), at(12));
        assert!(!trial.claim_probe(1, at(19)) && trial.claim_probe(1, at(20)));
        trial.give_up_probe(1, at(20), at(120));
        assert!(!trial.claim_probe(1, at(179)) && trial.claim_probe(1, at(180)));
        trial.end_probe(1);
        assert!(trial.claim_probe(2, at(180)), "a later ejection begins afresh");
        trial.give_up_probe(2, at(300), at(200));
        assert!(trial.claim_probe(2, at(200)), "a clock that went back is no time waited");
    }
}
