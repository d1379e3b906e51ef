//! How many answers an endpoint gave lately, and how many of them were bad; and how many requests it was
//! sent since the ledger looked.

use crate::endpoint::audited;
use crate::sync::{AtomicU32, Ordering};

/// What an endpoint had come to at the last two looks of the writer, some ten seconds apart: so what
/// it did lately is never less than what it did since the last of them.
///
/// The lower halves of the counts: differences are exact as long as fewer than 2³² answers come
/// between two looks. The writer alone writes.
#[derive(Debug)]
pub(super) struct Marks {
    older: Mark,
    newer: Mark,
    /// How many requests it had been sent when the ledger last noted them.
    noted: AtomicU32,
}

#[derive(Debug)]
struct Mark {
    answers: AtomicU32,
    bad: AtomicU32,
}

impl Marks {
    pub(super) fn new() -> Self {
        Self { older: Mark::new(), newer: Mark::new(), noted: AtomicU32::new(0) }
    }

    /// The writer looks: so many answers by now, so many of them bad.
    pub(super) fn turn(&self, answers: u64, bad: u64) {
        let (last_answers, last_bad) = self.newer.read();
        self.older.write(last_answers, last_bad);
        self.newer.write(answers as u32, bad as u32);
    }

    /// How many of its `picks` came after the ledger last [noted](Self::note) them.
    pub(super) fn since_noted(&self, picks: u64) -> u32 {
        audited::since(&self.noted, picks)
    }

    pub(super) fn note(&self, picks: u64) {
        self.noted.store(picks as u32, Ordering::Relaxed);
    }

    /// What came after the look before the last: answers, and bad ones among them. Who reads while
    /// the writer looks may find them a few apart, but never more bad ones than answers.
    pub(super) fn since(&self, answers: u64, bad: u64) -> (u64, u64) {
        let (old_answers, old_bad) = self.older.read();
        let answers = u64::from((answers as u32).wrapping_sub(old_answers));
        let bad = u64::from((bad as u32).wrapping_sub(old_bad));
        (answers, bad.min(answers))
    }
}

impl Mark {
    fn new() -> Self {
        Self { answers: AtomicU32::new(0), bad: AtomicU32::new(0) }
    }

    fn read(&self) -> (u32, u32) {
        (self.answers.load(Ordering::Relaxed), self.bad.load(Ordering::Relaxed))
    }

    fn write(&self, answers: u32, bad: u32) {
        self.answers.store(answers, Ordering::Relaxed);
        self.bad.store(bad, Ordering::Relaxed);
    }
}

#[cfg(all(test, not(evenkeel_loom)))]
mod tests {
    use super::*;

    #[test]
    fn lately_is_since_the_look_before_the_last() {
        let marks = Marks::new();
        assert_eq!(size_of::<Marks>(), 20);
        assert_eq!(marks.since(9, 3), (9, 3));
        marks.turn(10, 4);
        assert_eq!(marks.since(12, 4), (12, 4));
        marks.turn(20, 5);
        assert_eq!(marks.since(21, 6), (11, 2));
        marks.turn(20, 5);
        assert_eq!(marks.since(20, 5), (0, 0));
    }

    #[test]
    fn the_ends_of_the_numbers() {
        let marks = Marks::new();
        let end = u64::from(u32::MAX);
        marks.turn(end, end);
        marks.turn(end, end);
        assert_eq!(marks.since(end + 5, end + 2), (5, 2));
        assert_eq!(marks.since(end + 1, end + 3), (1, 1), "never more than there were answers");
    }
}
