//! What the targets that an endpoint has had one after the other have shown.

use crate::stats::Proof;
use crate::sync::{AtomicU32, Ordering};

/// What is known of an endpoint's target, told by its number.
///
/// It stands with the endpoint, and not with the target, whose line then stays with every thread. The
/// number keeps a straggler from speaking of a target made since. Which has answered well is a part of
/// the [streak](crate::stats::Streak).
///
/// A target is replaced at most about once a second, so the numbers do not come round in a century.
#[derive(Debug)]
pub(crate) struct Targets {
    /// The last that was declared broken, which nobody has taken up yet; 0 for none.
    broken: AtomicU32,
    /// How many there have been.
    made: AtomicU32,
}

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
        Self { broken: AtomicU32::new(0), made: AtomicU32::new(0) }
    }

    /// The number of another target.
    pub(super) fn next(&self) -> Nth {
        let before = self.made.fetch_add(1, Ordering::Relaxed);
        // The first of each round is left out.
        Nth(before.wrapping_add(before / (Proof::ROUND - 1)).wrapping_add(1))
    }

    /// It is broken. Says whether this is the first word of that, so that somebody has to look after it.
    pub(super) fn declare_broken(&self, Nth(nth): Nth) -> bool {
        self.broken.fetch_max(nth, Ordering::AcqRel) < nth
    }

    /// Takes the word that it is broken, if that was said.
    pub(super) fn take_broken(&self, Nth(nth): Nth) -> bool {
        let exchange = (Ordering::AcqRel, Ordering::Relaxed);
        self.broken.load(Ordering::Relaxed) == nth
            && self.broken.compare_exchange(nth, 0, exchange.0, exchange.1).is_ok()
    }
}

#[cfg(all(test, not(evenkeel_loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_straggler_does_not_speak_of_a_target_made_since() {
        let targets = Targets::new();
        let (old, new) = (targets.next(), targets.next());
        assert!(targets.declare_broken(old), "somebody has to see that it is gone");
        assert!(!targets.take_broken(new));
        assert!(targets.declare_broken(new) && !targets.declare_broken(old));
        assert!(targets.take_broken(new) && !targets.take_broken(new));
    }
}
