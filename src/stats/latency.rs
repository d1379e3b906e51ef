//! How long an endpoint takes to answer: an average that jumps up at once and comes down slowly.
//!
//! The peak-EWMA of Finagle and tower, with two differences. Without news it drifts toward what
//! the peers typically need rather than toward zero, so an endpoint nobody has asked for a while
//! is neither a bargain nor banned. And a read changes nothing, so how often it is looked at does
//! not matter.

use crate::stats::Tick;
use crate::sync::{AtomicU64, Ordering};
use crate::units::Nanos;

/// One endpoint's latency estimate.
#[derive(Debug)]
pub(crate) struct Latency(AtomicU64);

/// How fast estimates come down: the part of a [life](Self::of) that a tick is, as the bits of a float. By
/// default they stay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Decay(pub(crate) u32);

impl Latency {
    pub(crate) fn new() -> Self {
        Self(AtomicU64::new(Estimate::NONE))
    }

    /// Nothing was measured.
    pub(crate) fn clear(&self) {
        self.0.store(Estimate::NONE, Ordering::Relaxed);
    }

    /// The estimate in nanoseconds at `now`, or `typical` where nothing was ever measured.
    #[inline(always)]
    pub(crate) fn read(&self, now: Nanos, decay: Decay, typical: f32) -> f32 {
        let Some(estimate) = Estimate::unpack(self.0.load(Ordering::Relaxed)) else {
            return typical;
        };
        match Tick::at(now).since(estimate.at) {
            // Of what is busy it is just that.
            0 => estimate.nanos,
            age => drift(estimate.nanos, typical, kept(age, decay)),
        }
    }

    /// Whether anything was ever measured.
    pub(crate) fn is_measured(&self) -> bool {
        Estimate::unpack(self.0.load(Ordering::Relaxed)).is_some()
    }

    /// Takes in a measured latency.
    pub(crate) fn observe(&self, sample: u64, now: Nanos, decay: Decay, typical: f32) {
        let sample = sample.max(1) as f32;
        let now = Tick::at(now);
        update(
            &self.0,
            |estimate| {
                let kept = estimate.kept(now, decay);
                let projected = drift(estimate.nanos, typical, kept);
                Some(if sample >= projected {
                    Estimate { nanos: sample, at: now }
                } else {
                    estimate.toward(sample, kept, now)
                })
            },
            Estimate { nanos: sample, at: now },
        );
    }
}

/// What an endpoint of this balancer typically needs: a plain average over all of them, fed by
/// one sample in about 64 ms so that threads hardly ever write to it.
#[derive(Debug)]
pub(crate) struct Typical {
    estimate: AtomicU64,
    /// Samples taken in so far, up to [`Self::FIRST`].
    taken: AtomicU64,
}

impl Typical {
    /// Ticks between two samples that are taken in.
    const EVERY: u32 = 64;

    /// Samples that count alike and are all taken in, so that a cold first answer is one of many.
    const FIRST: u64 = 16;

    /// What is assumed before the first answer. Every endpoint is then assumed alike, so the
    /// value does not matter.
    const UNKNOWN: f32 = 1e6;

    pub(crate) fn new() -> Self {
        Self { estimate: AtomicU64::new(Estimate::NONE), taken: AtomicU64::new(0) }
    }

    #[inline]
    pub(crate) fn read(&self) -> f32 {
        Estimate::unpack(self.estimate.load(Ordering::Relaxed)).map_or(Self::UNKNOWN, |e| e.nanos)
    }

    pub(crate) fn observe(&self, sample: u64, now: Nanos, decay: Decay) {
        let sample = sample.max(1) as f32;
        let now = Tick::at(now);
        let first = Estimate { nanos: sample, at: now };
        if self.taken.load(Ordering::Relaxed) < Self::FIRST {
            let taken = self.taken.fetch_add(1, Ordering::Relaxed);
            let kept = taken as f32 / (taken + 1) as f32;
            let mean = |it: Estimate| Some(Estimate { at: now, ..it.toward(sample, kept, now) });
            update(&self.estimate, mean, first);
            return;
        }
        let average = |it: Estimate| {
            let due = now.since(it.at) >= Self::EVERY;
            due.then(|| it.toward(sample, it.kept(now, decay), now))
        };
        update(&self.estimate, average, first);
    }
}

/// A value and when it was last changed, in one word.
#[derive(Clone, Copy)]
struct Estimate {
    nanos: f32,
    at: Tick,
}

impl Estimate {
    /// Nothing measured yet: no real estimate is zero.
    const NONE: u64 = 0;

    fn pack(self) -> u64 {
        u64::from(self.nanos.to_bits()) << 32 | u64::from(self.at.0)
    }

    #[inline]
    fn unpack(word: u64) -> Option<Self> {
        let nanos = f32::from_bits((word >> 32) as u32);
        (nanos > 0.0).then_some(Self { nanos, at: Tick(word as u32) })
    }

    /// The part of the estimate that is left at `now`, from 1 down to 0.
    #[inline]
    fn kept(self, now: Tick, decay: Decay) -> f32 {
        match now.since(self.at) {
            0 => 1.0,
            age => kept(age, decay),
        }
    }

    fn toward(self, sample: f32, kept: f32, now: Tick) -> Self {
        let nanos = drift(self.nanos, sample, kept);
        // Within one tick nothing is forgotten; keeping the old tick keeps the age exact.
        Self { nanos: nanos.max(1.0), at: if kept < 1.0 { now } else { self.at } }
    }
}

impl Decay {
    /// To 1/e of the way in so many nanoseconds.
    pub(crate) const fn of(life: u64) -> Self {
        let life = if life == 0 { 1 } else { life };
        Self((Tick::NANOS as f32 / life as f32).to_bits())
    }
}

/// The part of an estimate that is left after so many ticks, from 1 down to 0.
#[inline]
#[expect(clippy::suboptimal_flops, reason = "fused it is a call, where the processor may lack it")]
fn kept(age: u32, decay: Decay) -> f32 {
    let lives = age as f32 * f32::from_bits(decay.0);
    // Estimates of what is busy are that young; below it the rest of the series is less than a millionth.
    if lives < 1.0 / 16.0 {
        1.0 - lives * (1.0 - lives * (0.5 - lives * (1.0 / 6.0)))
    } else {
        (-lives).exp()
    }
}

/// On its way from one number to another, with so much of the way left.
#[inline]
#[expect(clippy::suboptimal_flops, reason = "fused it is a call, where the processor may lack it")]
fn drift(from: f32, to: f32, left: f32) -> f32 {
    (from - to) * left + to
}

/// Changes an estimate in place; the closure may say that nothing is to change.
fn update(cell: &AtomicU64, change: impl Fn(Estimate) -> Option<Estimate>, first: Estimate) {
    let mut word = cell.load(Ordering::Relaxed);
    loop {
        let next = match Estimate::unpack(word) {
            None => Some(first),
            Some(estimate) => change(estimate),
        };
        let Some(next) = next.map(Estimate::pack).filter(|&next| next != word) else {
            return;
        };
        match cell.compare_exchange_weak(word, next, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => return,
            Err(seen) => word = seen,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;
    const DECAY: Decay = Decay::of(10 * SECOND);

    fn at(seconds: f64) -> Nanos {
        Nanos((seconds * SECOND as f64) as u64)
    }

    fn close(a: f32, b: f32) -> bool {
        (a - b).abs() <= b.abs() * 0.01
    }

    #[test]
    fn jumps_up_and_comes_down_slowly() {
        let latency = Latency::new();
        latency.observe(1_000, at(1.0), DECAY, 1_000.0);
        latency.observe(9_000, at(2.0), DECAY, 1_000.0);
        assert!(close(latency.read(at(2.0), DECAY, 1_000.0), 9_000.0));
        latency.observe(1_000, at(12.0), DECAY, 1_000.0);
        let expected = (-1.0_f32).exp().mul_add(8_000.0, 1_000.0);
        assert!(close(latency.read(at(12.0), DECAY, 1_000.0), expected));
    }

    #[test]
    fn without_news_it_drifts_to_the_peers_and_never_to_zero() {
        let (slow, fast) = (Latency::new(), Latency::new());
        slow.observe(100_000, at(0.0), DECAY, 100_000.0);
        fast.observe(10, at(0.0), DECAY, 100_000.0);
        for estimate in [&slow, &fast] {
            assert!(close(estimate.read(at(200.0), DECAY, 5_000.0), 5_000.0));
        }
    }

    #[test]
    fn unmeasured_reads_as_typical() {
        assert_eq!(Latency::new().read(at(3.0), DECAY, 77.0), 77.0);
    }

    #[test]
    fn reads_change_nothing() {
        let latency = Latency::new();
        latency.observe(5_000, at(1.0), DECAY, 1_000.0);
        let before = latency.0.load(Ordering::Relaxed);
        for i in 0..1_000 {
            latency.read(at(f64::from(i)), DECAY, 1_000.0);
        }
        assert_eq!(latency.0.load(Ordering::Relaxed), before);
    }

    #[test]
    fn frequent_samples_still_bring_it_down() {
        let latency = Latency::new();
        latency.observe(1_000_000, at(0.0), DECAY, 1_000.0);
        for i in 0..1_000_000_u64 {
            latency.observe(1_000, Nanos(i * 30_000), DECAY, 1_000.0);
        }
        let expected = (-3.0_f32).exp().mul_add(999_000.0, 1_000.0);
        let found = latency.read(at(30.0), DECAY, 1_000.0);
        assert!((found - expected).abs() < expected * 0.05, "{found} is not near {expected}");
    }

    #[test]
    fn a_clock_that_goes_back_changes_nothing_by_itself() {
        let latency = Latency::new();
        latency.observe(5_000, at(100.0), DECAY, 1_000.0);
        assert!(close(latency.read(at(60.0), DECAY, 1_000.0), 5_000.0));
        latency.observe(2_000, at(60.0), DECAY, 1_000.0);
        assert!(close(latency.read(at(100.0), DECAY, 1_000.0), 5_000.0));
    }

    #[test]
    fn what_was_measured_a_month_ago_is_old() {
        let latency = Latency::new();
        latency.observe(5_000_000, at(1.0), DECAY, 1_000.0);
        for days in [1.0, 25.0, 27.0, 40.0, 51.0] {
            assert!(close(latency.read(at(days * 86_400.0), DECAY, 1_000.0), 1_000.0), "{days}");
        }
    }

    #[test]
    fn a_cold_first_answer_does_not_set_what_is_typical() {
        let typical = Typical::new();
        typical.observe(2_000_000, at(0.0), DECAY);
        for i in 0..200 {
            typical.observe(50_000, at(f64::from(i) / 1_000.0), DECAY);
        }
        assert!(typical.read() < 200_000.0, "{}", typical.read());
    }

    #[test]
    fn typical_takes_one_sample_in_a_while() {
        let typical = Typical::new();
        assert_eq!(typical.read(), Typical::UNKNOWN);
        (0..16).for_each(|_| typical.observe(1_000, at(1.0), DECAY));
        typical.observe(1_000_000, at(1.01), DECAY);
        assert!(close(typical.read(), 1_000.0), "{}", typical.read());
        for i in 0..1_000 {
            typical.observe(3_000, at(2.0 + f64::from(i) / 10.0), DECAY);
        }
        assert!(close(typical.read(), 3_000.0), "{}", typical.read());
    }

    #[test]
    fn what_is_left_is_that_of_the_exponential_at_any_age() {
        let decay = Decay::of(10 * SECOND);
        let mut last = 1.0;
        for age in (0..2_000).chain((2_000..400_000).step_by(97)) {
            let lives = f64::from(age) * Tick::NANOS as f64 / (10 * SECOND) as f64;
            let (found, exact) = (kept(age, decay), (-lives).exp());
            assert!((f64::from(found) - exact).abs() < 1e-6, "{age}: {found}, {exact}");
            assert!(found <= last + 1e-6, "{age}: {found} after {last}");
            last = found;
        }
        assert_eq!((kept(0, decay), kept(u32::MAX, decay)), (1.0, 0.0));
    }

    #[test]
    fn extreme_samples_stay_numbers() {
        let latency = Latency::new();
        latency.observe(0, at(0.0), DECAY, 1_000.0);
        latency.observe(u64::MAX, at(1.0), Decay::of(0), f32::MAX);
        let read = latency.read(Nanos(u64::MAX), Decay::of(1), 1.0);
        assert!(read.is_finite() && read > 0.0, "{read}");
    }
}
