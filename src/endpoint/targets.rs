//! What the targets that an endpoint has had one after the other have shown.

use crate::stats::Proof;
use crate::sync::{AtomicU32, Ordering};

/// How many targets an endpoint has had.
///
/// What is known of one is told by its number and stands with the endpoint, not with the target, whose
/// line then stays with every thread. The number keeps a straggler from speaking of a target made since.
/// Which has answered well is a part of the [streak](crate::stats::Streak).
///
/// A target is replaced at most about once a second, so the numbers do not come round in a century.
#[derive(Debug)]
pub(crate) struct Targets(AtomicU32);

/// The last of them that was declared broken, which nobody has taken up yet; 0 for none.
#[derive(Debug)]
pub(super) struct Broken(AtomicU32);

/// Which of the targets of its endpoint one is, from 1 on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Nth(pub(super) u32);

impl Nth {
    /// That it has answered well.
    #[inline]
    pub(crate) fn proof(self) -> Proof {
        Proof::of(self.0)
    }
}

impl Targets {
    pub(super) fn new() -> Self {
        Self(AtomicU32::new(0))
    }

    /// The number of another target.
    pub(super) fn next(&self) -> Nth {
        let before = self.0.fetch_add(1, Ordering::Relaxed);
        // The first of each round is left out.
        Nth(before.wrapping_add(before / (Proof::ROUND - 1)).wrapping_add(1))
    }
}

impl Broken {
    pub(super) fn new() -> Self {
        Self(AtomicU32::new(0))
    }

    /// It is broken. Says whether this is the first word of that, so that somebody has to look after it.
    pub(super) fn declare(&self, Nth(nth): Nth) -> bool {
        self.0.fetch_max(nth, Ordering::AcqRel) < nth
    }

    /// Takes the word that it is broken, if that was said.
    pub(super) fn take(&self, Nth(nth): Nth) -> bool {
        let exchange = (Ordering::AcqRel, Ordering::Relaxed);
        self.0.load(Ordering::Relaxed) == nth
            && self.0.compare_exchange(nth, 0, exchange.0, exchange.1).is_ok()
    }
}

#[cfg(all(test, not(evenkeel_loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_straggler_does_not_speak_of_a_target_made_since() {
        let (targets, broken) = (Targets::new(), Broken::new());
        let (old, new) = (targets.next(), targets.next());
        assert!(broken.declare(old), "somebody has to see that it is gone");
        assert!(!broken.take(new));
        assert!(broken.declare(new) && !broken.declare(old));
        assert!(broken.take(new) && !broken.take(new));
    }

    #[test]
    fn every_target_has_a_number_of_its_own_that_proves_something() {
        let targets = Targets::new();
        let mut last = Nth(0);
        for _ in 0..3 * Proof::ROUND {
            let next = targets.next();
            assert!(next.0 > last.0 && next.proof() != Proof::of(0), "{next:?} after {last:?}");
            last = next;
        }
    }
}
