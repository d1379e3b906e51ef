//! What requests are judged by, where each finds it that ends.
//!
//! A request is judged by the settings it was chosen under. It does not carry them with it, which
//! would be six words more to move whenever it moves on, but only their number. While they are still
//! those that are served, they are read from here; those of before are looked up.

use std::collections::VecDeque;

use crate::endpoint::Terms;
use crate::stats::{Decay, RowLimits};
use crate::sync::{AtomicU64, Mutex, Ordering};

/// Terms of before that are kept. A request that is older than so many changes of them is judged by
/// those that are served.
const KEPT: usize = 1_024;

/// No terms have this number: somebody is writing.
const WRITING: u64 = 0;

/// The number of the terms that a request is judged by, and the two of them that each request asks
/// for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Under(u64);

impl Under {
    const SAMPLES: u64 = 1;
    const LIMITED: u64 = 2;
    const MARKS: u32 = 2;

    /// Before any are served.
    pub(crate) const NONE: Self = Self(WRITING);

    /// The first that are served, unless they limit or sample.
    #[cfg(test)]
    pub(crate) const FIRST: Self = Self(1 << Self::MARKS);

    fn of(number: u64, terms: &Terms) -> Self {
        let samples = if terms.all_timed < u16::MAX { Self::SAMPLES } else { 0 };
        let limited = if terms.attempt_timeout < u64::MAX { Self::LIMITED } else { 0 };
        Self(number << Self::MARKS | samples | limited)
    }

    fn number(self) -> u64 {
        self.0 >> Self::MARKS
    }

    /// Whether not each request has to be timed.
    #[inline]
    pub(crate) fn samples(self) -> bool {
        self.0 & Self::SAMPLES != 0
    }

    /// Whether the time for an answer is limited.
    #[inline]
    pub(crate) fn is_limited(self) -> bool {
        self.0 & Self::LIMITED != 0
    }
}

/// See the module. Written by the writer alone.
#[derive(Debug)]
pub(crate) struct Served {
    /// The number of the terms in `words`.
    number: AtomicU64,
    words: [AtomicU64; 6],
    /// All that were ever served, the last one last.
    known: Mutex<VecDeque<(u64, Terms)>>,
}

impl Served {
    pub(crate) fn new() -> Self {
        Self {
            number: AtomicU64::new(WRITING),
            words: std::array::from_fn(|_| AtomicU64::new(0)),
            known: Mutex::new(VecDeque::new()),
        }
    }

    /// Serves `terms` from now on, and says how requests find them. To be called before anybody is
    /// chosen under them.
    pub(crate) fn serve(&self, terms: Terms) -> Under {
        let mut known = self.known.lock();
        let last = known.back().copied();
        if let Some((number, _)) = last.filter(|(_, last)| *last == terms) {
            return Under::of(number, &terms);
        }
        let number = last.map_or(WRITING, |(number, _)| number) + 1;
        if known.len() >= KEPT {
            known.pop_front();
        }
        known.push_back((number, terms));
        drop(known);
        // Whoever sees one of the new words sees by this that they are not what it asked for.
        self.number.store(WRITING, Ordering::Relaxed);
        for (word, value) in self.words.iter().zip(pack(terms)) {
            word.store(value, Ordering::Release);
        }
        self.number.store(number, Ordering::Release);
        Under::of(number, &terms)
    }

    /// The terms that a request was chosen under.
    #[inline]
    pub(crate) fn read(&self, under: Under) -> Terms {
        let number = under.number();
        if self.number.load(Ordering::Acquire) == number {
            let words = std::array::from_fn(|at| {
                self.words.get(at).map_or(0, |word| word.load(Ordering::Acquire))
            });
            if self.number.load(Ordering::Relaxed) == number {
                return unpack(words);
            }
        }
        self.look_up(number)
    }

    #[cold]
    fn look_up(&self, number: u64) -> Terms {
        let known = self.known.lock();
        let found = known.binary_search_by_key(&number, |&(number, _)| number);
        let found = found.ok().and_then(|at| known.get(at)).or_else(|| known.back());
        found.map(|&(_, terms)| terms).unwrap_or_default()
    }
}

fn pack(terms: Terms) -> [u64; 6] {
    let Terms { decay, penalty, hint_cap, abandoned_after, attempt_timeout, rows, all_timed } =
        terms;
    let RowLimits { any, gateway, local } = rows;
    let rows = u64::from(all_timed) << 48
        | u64::from(any) << 32
        | u64::from(gateway) << 16
        | u64::from(local);
    [decay.0.into(), penalty, hint_cap, abandoned_after, attempt_timeout, rows]
}

#[inline]
fn unpack(words: [u64; 6]) -> Terms {
    let [decay, penalty, hint_cap, abandoned_after, attempt_timeout, rows] = words;
    // Each was put there as sixteen bits.
    let all_timed = (rows >> 48) as u16;
    let (any, gateway, local) = ((rows >> 32) as u16, (rows >> 16) as u16, rows as u16);
    let rows = RowLimits { any, gateway, local };
    // And that as 32.
    let decay = Decay(decay as u32);
    Terms { decay, penalty, hint_cap, abandoned_after, attempt_timeout, rows, all_timed }
}

#[cfg(all(test, not(evenkeel_loom)))]
mod tests {
    use super::*;

    fn terms(odd: u64) -> Terms {
        Terms {
            decay: Decay(odd as u32),
            penalty: odd - 1,
            hint_cap: odd / 2,
            abandoned_after: !odd,
            attempt_timeout: odd,
            rows: RowLimits { any: odd as u16, gateway: u16::MAX, local: 3 },
            all_timed: !odd as u16,
        }
    }

    #[test]
    fn each_number_gives_its_own_terms() {
        let served = Served::new();
        assert_eq!(served.read(Under::NONE), Terms::default());
        let numbers: Vec<_> = (1..100).map(|odd| (served.serve(terms(odd)), odd)).collect();
        for &(number, odd) in &numbers {
            assert_eq!(served.read(number), terms(odd));
        }
        let last = numbers[98].0;
        assert_eq!(served.serve(terms(99)), last, "the same terms are no new ones");
        assert_eq!(served.serve(terms(u64::MAX)).number(), last.number() + 1);
    }

    #[test]
    fn what_is_too_old_is_judged_by_what_is_served() {
        let served = Served::new();
        let first = served.serve(terms(1));
        for odd in 2..=KEPT as u64 {
            served.serve(terms(odd));
        }
        assert_eq!(served.read(first), terms(1));
        served.serve(terms(9_999));
        assert_eq!(served.read(first), terms(9_999));
    }
}

#[cfg(all(test, evenkeel_loom))]
mod model {
    use super::*;

    #[test]
    fn loom_terms_are_never_mixed() {
        loom::model(|| {
            let terms = |odd| Terms { penalty: odd, ..Terms::default() };
            let served = loom::sync::Arc::new(Served::new());
            let first = served.serve(terms(1));
            let other = {
                let served = loom::sync::Arc::clone(&served);
                loom::thread::spawn(move || served.read(first))
            };
            let second = served.serve(terms(2));
            assert_eq!(served.read(second), terms(2));
            assert_eq!(other.join().unwrap(), terms(1));
        });
    }
}
