//! The seam for randomness: a small generator, forked once a pick.
//!
//! Unseeded balancers fork from the thread's own generator, so threads share nothing. A seeded
//! balancer ([`Builder::seed`](crate::Builder::seed)) numbers its picks and derives a generator
//! from each number: the same seed and the same order of picks give the same choices.

use std::fmt;

use crate::sync::{AtomicU64, Ordering};

/// A small, fast random generator (wyrand). Not for secrets.
#[derive(Clone)]
pub struct Rng(fastrand::Rng);

impl Rng {
    /// A generator whose numbers follow from `seed` alone.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self(fastrand::Rng::with_seed(mix(seed)))
    }

    /// The next 64 random bits.
    #[inline]
    pub fn next_u64(&mut self) -> u64 {
        self.0.u64(..)
    }

    /// A number below `bound`; zero if `bound` is zero.
    ///
    /// Multiplies and shifts instead of taking a remainder: the bias is at most `bound / 2^64`,
    /// and there is no loop.
    #[inline]
    pub fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next_u64()) * u128::from(bound)) >> 64) as u64
    }

    /// Whether chance has it that something happens which does so in `of` of 2^32 cases. Draws
    /// nothing: it is asked of a generator that is fresh, whose seed is as good as a number.
    #[inline]
    pub(crate) fn happens(&self, of: u64) -> bool {
        u64::from(self.0.get_seed() as u32) < of
    }

    /// A number from 0 inclusive to 1 exclusive.
    pub fn fraction(&mut self) -> f64 {
        self.0.f64()
    }
}

impl fmt::Debug for Rng {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rng").finish_non_exhaustive()
    }
}

/// Where a balancer's generators come from.
#[derive(Debug)]
pub(crate) enum Randomness {
    /// The thread's own generator.
    Thread,
    /// A stream: each fork takes the next number.
    Stream(AtomicU64),
}

impl Randomness {
    pub(crate) fn new(seed: Option<u64>) -> Self {
        seed.map_or(Self::Thread, |seed| Self::Stream(AtomicU64::new(mix(seed))))
    }

    #[inline]
    pub(crate) fn fork(&self) -> Rng {
        match self {
            Self::Thread => Rng(fastrand::Rng::with_seed(fastrand::u64(..))),
            Self::Stream(state) => Rng::seeded(state.fetch_add(GOLDEN_GAMMA, Ordering::Relaxed)),
        }
    }
}

/// The odd increment of SplitMix64 (Steele, Lea and Flood, 2014), 2^64 divided by the golden ratio.
const GOLDEN_GAMMA: u64 = 0x9E37_79B9_7F4A_7C15;

/// The output function of SplitMix64: neighbouring seeds give unrelated streams.
fn mix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(GOLDEN_GAMMA);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_itself() {
        let (mut a, mut b) = (Rng::seeded(7), Rng::seeded(7));
        assert!((0..100).all(|_| a.next_u64() == b.next_u64()));
        assert_ne!(Rng::seeded(7).next_u64(), Rng::seeded(8).next_u64());
    }

    #[test]
    fn below_covers_its_range_and_nothing_else() {
        let mut rng = Rng::seeded(1);
        let mut seen = [0_u32; 5];
        for _ in 0..5_000 {
            seen[rng.below(5) as usize] += 1;
        }
        assert!(seen.iter().all(|&n| (850..1_150).contains(&n)), "{seen:?}");
        assert_eq!(rng.below(0), 0);
        assert_eq!(rng.below(1), 0);
    }

    #[test]
    fn what_happens_by_chance_says_nothing_of_what_is_drawn_next() {
        let source = Randomness::new(Some(11));
        let mut seen = [0_u32; 8];
        let mut happened = 0;
        for _ in 0..400_000 {
            let mut rng = source.fork();
            if rng.happens(1 << 27) {
                happened += 1;
                seen[rng.below(8) as usize] += 1;
            }
        }
        assert!((12_000..13_000).contains(&happened), "{happened}: one in 32");
        let expected = f64::from(happened) / 8.0;
        let chi: f64 = seen.iter().map(|&n| (f64::from(n) - expected).powi(2) / expected).sum();
        assert!(chi < 24.3, "{chi}: {seen:?}"); // 7 degrees of freedom, p = 0.001
        assert!((0..1_000).all(|_| source.fork().happens(1 << 32)));
        assert!(!(0..1_000).any(|_| source.fork().happens(0)));
    }

    #[test]
    fn a_stream_forks_differently_each_time_and_repeats_with_its_seed() {
        let (a, b) = (Randomness::new(Some(3)), Randomness::new(Some(3)));
        let from =
            |source: &Randomness| (0..10).map(|_| source.fork().next_u64()).collect::<Vec<_>>();
        let (first, second) = (from(&a), from(&b));
        assert_eq!(first, second);
        assert!(first.windows(2).all(|pair| pair[0] != pair[1]));
    }
}
