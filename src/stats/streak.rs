//! Failures in a row, and good answers.

use crate::sync::{AtomicU64, Ordering};

/// How many failures came one after the other: of any kind, as a gateway, before any answer; whether
/// there was a good answer since somebody last looked; and which target has last proved to be good.
///
/// All of it in one word, so that a failure is one exchange and a success, nearly always, a single
/// look.
#[derive(Debug)]
pub(crate) struct Streak(AtomicU64);

/// What a failure is part of, besides the row of all failures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Row {
    Any,
    Gateway,
    Local,
}

/// The lengths at which a row is told; zero for never.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct RowLimits {
    pub(crate) any: u16,
    pub(crate) gateway: u16,
    pub(crate) local: u16,
}

/// A row that has reached its limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reached {
    pub(crate) row: Row,
    pub(crate) failures: u16,
    pub(crate) limit: u16,
}

const WIDTH: u32 = 16;

/// Set by a good answer; above the three counts.
const BEHAVED: u64 = 1 << (3 * WIDTH);

/// Where the target stands that has proved to be good; above all that.
const PROOF: u32 = 3 * WIDTH + 1;

/// That a target of an endpoint is good, told by which of them it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Proof(u64);

impl Proof {
    /// From which number on they come round. A target is replaced about once a second at most, so that
    /// is hours later.
    pub(crate) const ROUND: u32 = 1 << (u64::BITS - PROOF);

    /// Which bits of the word it stands in.
    const MASK: u64 = u64::MAX << PROOF;

    /// Of the `nth` target. None is the first of a round, so that all prove something.
    #[inline]
    pub(crate) fn of(nth: u32) -> Self {
        Self(u64::from(nth) << PROOF)
    }

    /// That in the word.
    fn within(word: u64) -> Self {
        Self(word & Self::MASK)
    }

    /// The one of the later target.
    fn later(self, other: Self) -> Self {
        let is_later = self.0.wrapping_sub(other.0).cast_signed() >= 0;
        if other.0 == 0 || self.0 != 0 && is_later { self } else { other }
    }
}

impl Streak {
    pub(crate) fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// Whether a good answer of this target is no news. If it is, it [ends](Self::end) every row.
    #[inline]
    pub(crate) fn is_good(&self, Proof(proof): Proof) -> bool {
        self.0.load(Ordering::Relaxed) == BEHAVED | proof
    }

    /// The endpoint has answered well: every row is over. `counts` says whether the answer is one
    /// to remember. It proves the target in any case, unless a later one has been proved.
    pub(crate) fn end(&self, proof: Proof, counts: bool) {
        let mut word = self.0.load(Ordering::Relaxed);
        loop {
            let behaved = if counts { BEHAVED } else { word & BEHAVED };
            let next = behaved | proof.later(Proof::within(word)).0;
            match self.0.compare_exchange_weak(word, next, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return,
                Err(seen) => word = seen,
            }
        }
    }

    /// Whether this target has proved to be good since this was last asked.
    pub(crate) fn take_proof(&self, proof: Proof) -> bool {
        let mut word = self.0.load(Ordering::Relaxed);
        while Proof::within(word) == proof {
            let next = word & !Proof::MASK;
            match self.0.compare_exchange_weak(word, next, Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) => return true,
                Err(seen) => word = seen,
            }
        }
        false
    }

    /// Every row is over, and nothing is remembered of its answers.
    pub(crate) fn forget(&self) {
        self.0.fetch_and(Proof::MASK, Ordering::Relaxed);
    }

    /// Whether there was a good answer since this was last asked.
    pub(crate) fn take_behaved(&self) -> bool {
        self.0.fetch_and(!BEHAVED, Ordering::Relaxed) & BEHAVED != 0
    }

    /// Takes in a failure. A row that reaches its limit begins again, and the first to reach it
    /// is told.
    pub(crate) fn count(&self, kind: Row, limits: RowLimits) -> Option<Reached> {
        let mut word = self.0.load(Ordering::Relaxed);
        loop {
            let counts = Counts::unpack(word).and(kind);
            let reached = counts.reached(limits);
            let rows = if reached.is_some() { 0 } else { counts.pack() };
            let next = word & (BEHAVED | Proof::MASK) | rows;
            match self.0.compare_exchange_weak(word, next, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return reached,
                Err(seen) => word = seen,
            }
        }
    }
}

impl RowLimits {
    /// Whether a row that reached an earlier limit would still be told.
    pub(crate) fn hold(self, reached: Reached) -> bool {
        let limit = match reached.row {
            Row::Any => self.any,
            Row::Gateway => self.gateway,
            Row::Local => self.local,
        };
        limit > 0 && reached.failures >= limit
    }
}

#[derive(Clone, Copy)]
struct Counts {
    any: u16,
    gateway: u16,
    local: u16,
}

impl Counts {
    fn unpack(word: u64) -> Self {
        let part = |at: u32| (word >> (at * WIDTH)) as u16;
        Self { any: part(0), gateway: part(1), local: part(2) }
    }

    fn pack(self) -> u64 {
        u64::from(self.any)
            | u64::from(self.gateway) << WIDTH
            | u64::from(self.local) << (2 * WIDTH)
    }

    /// Another failure. It ends the rows of a kind that it is not of.
    fn and(self, kind: Row) -> Self {
        let next = |count: u16, row| if kind == row { count.saturating_add(1) } else { 0 };
        Self {
            any: self.any.saturating_add(1),
            gateway: next(self.gateway, Row::Gateway),
            local: next(self.local, Row::Local),
        }
    }

    fn reached(self, limits: RowLimits) -> Option<Reached> {
        let rows = [
            (Row::Any, self.any, limits.any),
            (Row::Gateway, self.gateway, limits.gateway),
            (Row::Local, self.local, limits.local),
        ];
        let mut reached =
            rows.into_iter().filter(|&(_, failures, limit)| limit > 0 && failures >= limit);
        reached.next().map(|(row, failures, limit)| Reached { row, failures, limit })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIVE: RowLimits = RowLimits { any: 5, gateway: 0, local: 0 };
    const ONE: Proof = Proof(1 << PROOF);

    fn count(streak: &Streak, kinds: &[Row], limits: RowLimits) -> Vec<Option<Reached>> {
        kinds.iter().map(|&kind| streak.count(kind, limits)).collect()
    }

    #[test]
    fn the_fifth_in_a_row_is_told_and_the_row_begins_again() {
        let streak = Streak::new();
        let told = count(&streak, &[Row::Any; 10], FIVE);
        let at: Vec<_> = (0..10).filter(|&at| told[at].is_some()).collect();
        assert_eq!(at, [4, 9]);
        assert_eq!(told[4], Some(Reached { row: Row::Any, failures: 5, limit: 5 }));
    }

    #[test]
    fn a_good_answer_ends_the_row() {
        let streak = Streak::new();
        count(&streak, &[Row::Any; 4], FIVE);
        streak.end(ONE, true);
        assert!(count(&streak, &[Row::Any; 4], FIVE).iter().all(Option::is_none));
        assert!(streak.count(Row::Local, FIVE).is_some());
    }

    #[test]
    fn a_good_answer_is_remembered_until_somebody_looks() {
        let streak = Streak::new();
        streak.end(ONE, false);
        assert!(!streak.take_behaved(), "it does not count");
        count(&streak, &[Row::Any; 4], FIVE);
        assert!(!streak.is_good(ONE));
        streak.end(ONE, true);
        assert!(streak.is_good(ONE), "it is remembered");
        count(&streak, &[Row::Any; 6], FIVE);
        assert!(!streak.is_good(ONE));
        streak.end(ONE, false);
        assert!(count(&streak, &[Row::Any; 4], FIVE).iter().all(Option::is_none));
        assert!(streak.take_behaved() && !streak.take_behaved());
        streak.end(ONE, true);
        streak.forget();
        assert!(!streak.take_behaved());
    }

    #[test]
    fn a_straggler_does_not_speak_of_a_target_made_since() {
        let streak = Streak::new();
        let two = Proof::of(2);
        streak.end(ONE, true);
        assert!(!streak.is_good(two) && !streak.take_proof(two));
        streak.end(two, true);
        streak.end(ONE, true);
        assert!(streak.is_good(two) && !streak.take_proof(ONE));
        // Neither failures nor a new chapter speak of the target.
        count(&streak, &[Row::Any; 4], FIVE);
        streak.forget();
        assert!(streak.take_proof(two) && !streak.take_proof(two));
        streak.end(Proof::of(0), true);
        assert!(!streak.take_proof(two) && !streak.take_proof(ONE));
    }

    #[test]
    fn targets_are_told_apart_however_many_there_were() {
        let streak = Streak::new();
        for nth in (1_001..200_000).step_by(7_001) {
            streak.end(Proof::of(nth), true);
            streak.end(Proof::of(nth - 1_000), true);
            assert!(streak.is_good(Proof::of(nth)), "{nth}");
            assert!(streak.take_proof(Proof::of(nth)), "{nth}");
            streak.end(Proof::of(nth), true);
        }
    }

    #[test]
    fn a_row_of_one_kind_is_ended_by_a_failure_of_another() {
        let limits = RowLimits { any: 0, gateway: 3, local: 2 };
        let streak = Streak::new();
        let (g, l, a) = (Row::Gateway, Row::Local, Row::Any);
        assert!(count(&streak, &[g, g, a, g, g, l, g], limits).iter().all(Option::is_none));
        assert_eq!(count(&streak, &[l, l], limits)[1].map(|it| it.row), Some(Row::Local));
        assert_eq!(count(&streak, &[g, g, g], limits)[2].map(|it| it.row), Some(Row::Gateway));
    }

    #[test]
    fn switched_off_it_is_never_told_and_never_overflows() {
        let streak = Streak::new();
        let off = RowLimits::default();
        assert!((0..200_000).all(|_| streak.count(Row::Gateway, off).is_none()));
        // Switched on, a row that is long enough already is told at the next failure.
        assert_eq!(streak.count(Row::Any, FIVE).map(|it| it.failures), Some(u16::MAX));
    }
}
