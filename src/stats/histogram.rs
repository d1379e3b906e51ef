//! How latencies spread: counts of answers by how long they took.
//!
//! Two buckets an octave, from 16 µs to 69 s, and one on either side: 46 counters, 184 bytes an
//! endpoint, and one addition an answer. A quantile that is read from them lies in the bucket of
//! the true one, so between the two ends it is wrong by less than a factor of 1.5 either way; below
//! 16 µs it is wrong by less than that, and what took longer than 69 s counts as 69 s.
//!
//! Counters wrap. Only differences are used, and those are exact as long as fewer than 2³² answers
//! fall into one bucket between the two.

use crate::sync::{AtomicU32, Ordering};

/// Below 2¹⁴ ns, 16 µs, all is one bucket.
const LOWEST: u32 = 14;

/// From 2³⁶ ns, 69 s, all is one bucket.
const HIGHEST: u32 = 36;

const BUCKETS: usize = 2 * (HIGHEST - LOWEST) as usize + 2;

/// The latencies of one endpoint, counted.
#[derive(Debug)]
pub(crate) struct Histogram([AtomicU32; BUCKETS]);

impl Histogram {
    pub(crate) fn new() -> Self {
        Self(std::array::from_fn(|_| AtomicU32::new(0)))
    }

    /// Takes in an answer that took `nanos`.
    #[inline]
    pub(crate) fn record(&self, nanos: u64) {
        if let Some(counter) = self.0.get(bucket(nanos)) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// A copy of the counters.
    pub(crate) fn read(&self) -> Latencies {
        Latencies(std::array::from_fn(|at| {
            self.0.get(at).map_or(0, |counter| counter.load(Ordering::Relaxed))
        }))
    }
}

/// The counters of a [`Histogram`], or of many, at one moment; or the difference of two moments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Latencies([u32; BUCKETS]);

impl Default for Latencies {
    fn default() -> Self {
        Self([0; BUCKETS])
    }
}

impl Latencies {
    /// What was counted between `earlier` and this.
    #[must_use]
    pub(crate) fn since(&self, earlier: &Self) -> Self {
        self.with(earlier, u32::wrapping_sub)
    }

    /// Both together.
    #[must_use]
    pub(crate) fn plus(&self, other: &Self) -> Self {
        self.with(other, u32::wrapping_add)
    }

    /// How many answers it counts.
    pub(crate) fn count(&self) -> u64 {
        self.0.iter().map(|&count| u64::from(count)).sum()
    }

    /// How many answers took less than each whole octave of time: its end in nanoseconds, and `None`
    /// for all answers, however long they took.
    #[cfg(any(feature = "metrics", all(test, not(evenkeel_loom))))]
    pub(crate) fn by_octaves(&self) -> impl Iterator<Item = (Option<u64>, u64)> {
        let mut below = 0;
        self.0.iter().enumerate().filter_map(move |(at, &count)| {
            below += u64::from(count);
            let last = at + 1 == BUCKETS;
            (last || at % 2 == 0).then(|| ((!last).then(|| floor(at + 1)), below))
        })
    }

    /// The time in nanoseconds within which the part `q` of the answers came, from 0 to 1; `None`
    /// if there were none.
    pub(crate) fn quantile(&self, q: f64) -> Option<u64> {
        let mut left = q.clamp(0.0, 1.0) * self.count() as f64;
        let mut slowest = None;
        for (at, &count) in self.0.iter().enumerate().filter(|&(_, &count)| count > 0) {
            let (from, count) = (floor(at), f64::from(count));
            // The last one has no end.
            let to = if at + 1 < BUCKETS { floor(at + 1) } else { from };
            if left <= count {
                return Some(from + ((to - from) as f64 * left / count) as u64);
            }
            left -= count;
            slowest = Some(to);
        }
        slowest
    }

    fn with(&self, other: &Self, how: fn(u32, u32) -> u32) -> Self {
        let mut result = *self;
        result.0.iter_mut().zip(&other.0).for_each(|(ours, &theirs)| *ours = how(*ours, theirs));
        result
    }
}

/// The bucket of a latency.
#[inline]
fn bucket(nanos: u64) -> usize {
    let octave = nanos.max(1).ilog2();
    if octave < LOWEST {
        return 0;
    }
    if octave >= HIGHEST {
        return BUCKETS - 1;
    }
    let upper_half = (nanos >> (octave - 1)) & 1;
    1 + 2 * (octave - LOWEST) as usize + upper_half as usize
}

/// Where a bucket begins.
fn floor(bucket: usize) -> u64 {
    let Some(above) = bucket.checked_sub(1) else { return 0 };
    let (octave, upper_half) = (above / 2, above as u64 % 2);
    (2 + upper_half) << (octave as u32 + LOWEST - 1)
}

#[cfg(all(test, not(evenkeel_loom)))]
mod tests {
    use super::*;
    use crate::rng::Rng;

    fn of(samples: &[u64]) -> Latencies {
        let histogram = Histogram::new();
        samples.iter().for_each(|&sample| histogram.record(sample));
        histogram.read()
    }

    #[test]
    fn buckets_meet_without_gaps() {
        assert_eq!(size_of::<Histogram>(), 184);
        assert_eq!((floor(1), floor(BUCKETS - 1)), (1 << LOWEST, 1 << HIGHEST));
        for at in 1..BUCKETS {
            let from = floor(at);
            assert_eq!((bucket(from - 1), bucket(from)), (at - 1, at), "at {from}");
            assert!(from <= floor(at - 1).max(1 << LOWEST) * 3 / 2, "{at} is too wide");
        }
        assert_eq!((bucket(0), bucket(1), bucket(u64::MAX)), (0, 0, BUCKETS - 1));
    }

    #[test]
    fn nothing_has_no_quantile_and_one_is_every_quantile() {
        assert_eq!((of(&[]).count(), of(&[]).quantile(0.5)), (0, None));
        let one = of(&[20_000_000]);
        assert_eq!(one.count(), 1);
        for q in [0.0, 0.1, 0.5, 1.0, -3.0, 7.0] {
            let found = one.quantile(q).unwrap();
            assert_eq!(
                bucket(found.saturating_sub(u64::from(q >= 1.0))),
                bucket(20_000_000),
                "{q}"
            );
        }
        assert!(one.quantile(f64::NAN).is_some());
    }

    #[test]
    fn octaves_add_up() {
        let some = of(&[0, 20_000, 30_000, 40_000_000, u64::MAX, u64::MAX]);
        let octaves: Vec<_> = some.by_octaves().collect();
        assert_eq!(octaves.len(), (HIGHEST - LOWEST) as usize + 2);
        assert_eq!(octaves[0], (Some(1 << LOWEST), 1));
        assert_eq!(octaves[1], (Some(1 << (LOWEST + 1)), 3));
        assert_eq!(octaves[octaves.len() - 2], (Some(1 << HIGHEST), 4));
        assert_eq!(octaves[octaves.len() - 1], (None, 6));
        assert!(octaves.is_sorted_by_key(|octave| octave.1));
    }

    #[test]
    fn the_ends_are_the_ends() {
        let both = of(&[0, u64::MAX]);
        assert_eq!((both.quantile(0.0), both.quantile(1.0)), (Some(0), Some(1 << HIGHEST)));
        assert_eq!(of(&[u64::MAX; 3]).quantile(0.5), Some(1 << HIGHEST));
        assert!(of(&[3; 9]).quantile(0.99).unwrap() < 1 << LOWEST);
    }

    #[test]
    fn a_quantile_is_within_a_factor_of_one_and_a_half() {
        for seed in 0..50 {
            let mut rng = Rng::seeded(seed);
            // Spread over all octaves, so that every width of bucket is met.
            let sample = |rng: &mut Rng| {
                let octave = u64::from(LOWEST) + rng.below(u64::from(HIGHEST - LOWEST));
                (1_u64 << octave) + rng.below(1 << octave)
            };
            let mut samples: Vec<_> = (0..1 + rng.below(400)).map(|_| sample(&mut rng)).collect();
            let counted = of(&samples);
            samples.sort_unstable();
            for percent in 0..=100_usize {
                let rank = (samples.len() * percent).div_ceil(100).max(1) - 1;
                let (truth, found) = (samples[rank], counted.quantile(percent as f64 / 100.0));
                let factor = found.unwrap() as f64 / truth as f64;
                assert!((1.0 / 1.5..=1.5).contains(&factor), "seed {seed}, {percent} %: {factor}");
            }
        }
    }

    #[test]
    fn quantiles_are_interpolated_and_only_rise() {
        let spread: Vec<u64> = (0..1_000).map(|i| (1 << 24) + i * ((1 << 23) / 1_000)).collect();
        let counted = of(&spread);
        for percent in 0..=100 {
            let q = f64::from(percent) / 100.0;
            let truth = (1_u64 << 24) as f64 + q * (1_u64 << 23) as f64;
            let found = counted.quantile(q).unwrap() as f64;
            assert!((found / truth - 1.0).abs() < 0.01, "{percent} %: {found} for {truth}");
        }
        let mixed = of(&[5_000, 70_000, 1_000_000, 1_000_001, 30_000_000_000, u64::MAX]);
        let quantiles: Vec<_> = (0..=100).map(|q| mixed.quantile(f64::from(q) / 100.0)).collect();
        assert!(quantiles.is_sorted(), "{quantiles:?}");
    }

    #[test]
    fn differences_are_right_though_counters_wrap() {
        let at = bucket(1_000_000);
        let mut earlier = Latencies::default();
        earlier.0[at] = u32::MAX - 1;
        let mut later = earlier;
        later.0[at] = later.0[at].wrapping_add(5);
        let difference = later.since(&earlier);
        assert_eq!((difference.count(), difference.0[at]), (5, 5));
        assert_eq!(earlier.plus(&difference), later);
        // Sums wrap as their parts do.
        let sum = |it: &Latencies| it.plus(it).plus(it);
        assert_eq!(sum(&later).since(&sum(&earlier)).count(), 15);
    }
}
