//! What the targets that an endpoint has had one after the other have shown.

use crate::sync::{AtomicU32, Ordering};

/// What is known of an endpoint's target, told by its number.
///
/// It stands with the counts of the endpoint, which every request touches anyway, and not with the
/// target, whose line then stays with every thread. The number keeps a straggler from speaking of a
/// target made since.
///
/// A target is replaced at most about once a second, so the numbers do not come round in a century.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Targets {
    /// The last that has answered well; 0 once that is taken.
    proved: AtomicU32,
    /// The last that was declared broken, which nobody has taken up yet; 0 for none.
    broken: AtomicU32,
    /// How many there have been.
    made: AtomicU32,
}

/// Which of the targets of its endpoint one is, from 1 on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Nth(pub(super) u32);

impl Nth {
    /// No target's.
    pub(crate) const NONE: Self = Self(0);
}

impl Targets {
    pub(super) fn new() -> Self {
        Self { proved: AtomicU32::new(0), broken: AtomicU32::new(0), made: AtomicU32::new(0) }
    }

    /// The number of another target.
    pub(super) fn next(&self) -> Nth {
        Nth(self.made.fetch_add(1, Ordering::Relaxed).wrapping_add(1))
    }

    /// It has answered well.
    #[inline]
    pub(super) fn prove(&self, Nth(nth): Nth) {
        // Written once, so that the line stays shared.
        if self.proved.load(Ordering::Relaxed) < nth {
            self.proved.fetch_max(nth, Ordering::Relaxed);
        }
    }

    /// It is broken. Says whether this is the first word of that, so that somebody has to look after it.
    pub(super) fn declare_broken(&self, Nth(nth): Nth) -> bool {
        self.broken.fetch_max(nth, Ordering::AcqRel) < nth
    }

    /// Takes the word that it is broken, if that was said.
    pub(super) fn take_broken(&self, nth: Nth) -> bool {
        take(&self.broken, nth)
    }

    /// Takes the proof that it has answered well since the last time, if there is one.
    pub(super) fn take_proof(&self, nth: Nth) -> bool {
        take(&self.proved, nth)
    }
}

fn take(word: &AtomicU32, Nth(nth): Nth) -> bool {
    word.load(Ordering::Relaxed) == nth
        && word.compare_exchange(nth, 0, Ordering::AcqRel, Ordering::Relaxed).is_ok()
}

#[cfg(all(test, not(evenkeel_loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_straggler_does_not_speak_of_a_target_made_since() {
        let targets = Targets::new();
        let (old, new) = (targets.next(), targets.next());
        targets.prove(old);
        assert!(targets.declare_broken(old), "somebody has to see that it is gone");
        assert!(!targets.take_broken(new) && !targets.take_proof(new));
        targets.prove(new);
        targets.prove(old);
        assert!(targets.declare_broken(new) && !targets.declare_broken(old));
        assert!(targets.take_proof(new) && targets.take_broken(new));
        assert!(!targets.take_proof(new) && !targets.take_broken(new));
    }
}
