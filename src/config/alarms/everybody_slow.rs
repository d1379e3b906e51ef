//! `[alarms.everybody_slow]`: when all endpoints are slow.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::config::number::Number;
use crate::config::range::{number_within, whole_within, within};
use crate::config::spelling::{Spell, Spelling};
use crate::error::Problem;

/// `[alarms.everybody_slow]`: when the answers of all endpoints together take several times as long
/// as usual.
///
/// Detectors compare endpoints with each other, and where all are slow they find nobody. This looks
/// at the median of all good answers, about every ten seconds, and compares it with its own average
/// of the time before.
///
/// ```
/// use evenkeel::config::EverybodySlowConfig;
///
/// let slow = EverybodySlowConfig::default().with_factor(5.0)?.with_request_volume(1_000)?;
/// assert_eq!((slow.factor(), slow.request_volume()), (5.0, 1_000));
/// # Ok::<(), evenkeel::Problem>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EverybodySlowConfig {
    factor: Number,
    minimum_gap: Duration,
    request_volume: u32,
    baseline: Duration,
    after: Duration,
}

impl Default for EverybodySlowConfig {
    /// Three times as slow as in the last hour and by five milliseconds, in a hundred answers, for
    /// twenty seconds.
    fn default() -> Self {
        const FACTOR: Number = Number::new(3.0).expect("3 is finite");
        Self {
            factor: FACTOR,
            minimum_gap: Duration::from_millis(5),
            request_volume: 100,
            baseline: Duration::from_hours(1),
            after: Duration::from_secs(20),
        }
    }
}

impl EverybodySlowConfig {
    const FACTOR: RangeInclusive<f64> = 1.0..=100.0;
    const MINIMUM_GAP: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_mins(1);
    const REQUEST_VOLUME: RangeInclusive<u32> = 1..=u32::MAX;
    const BASELINE: RangeInclusive<Duration> = Duration::from_mins(1)..=Duration::from_hours(168);
    const AFTER: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_hours(24);

    /// How many times as long as usual half of the answers must take; 1 to 100, default 3.
    ///
    /// Below three quarters of it, it is over. Latencies are counted in two buckets an octave, so a
    /// factor of 3 may act like one of 2.7 or of 4.
    #[must_use]
    pub const fn factor(&self) -> f64 {
        self.factor.get()
    }

    /// How much longer than usual they must take at least; 0s to 1m, default 5ms.
    #[must_use]
    pub const fn minimum_gap(&self) -> Duration {
        self.minimum_gap
    }

    /// How many answers must have been timed before they are looked at; 1 to 4294967295, default
    /// 100. Of a busy endpoint only a part is: 15 a second and more where nobody decides by
    /// latencies.
    ///
    /// With fewer in five minutes nothing is said.
    #[must_use]
    pub const fn request_volume(&self) -> u32 {
        self.request_volume
    }

    /// The time that is usual: how long answers are remembered; 1m to 168h, default 1h.
    ///
    /// What lasts for about as long becomes usual, and the alarm ends.
    #[must_use]
    pub const fn baseline(&self) -> Duration {
        self.baseline
    }

    /// How long they must have been slow; 0s to 24h, default 20s.
    #[must_use]
    pub const fn after(&self) -> Duration {
        self.after
    }

    /// Sets the [factor](Self::factor).
    ///
    /// # Errors
    ///
    /// Outside 1 to 100, or if it is not a number.
    pub fn with_factor(mut self, factor: f64) -> Result<Self, Problem> {
        self.factor = number_within("alarms.everybody_slow.factor", factor, &Self::FACTOR)?;
        Ok(self)
    }

    /// Sets the [least gap](Self::minimum_gap).
    ///
    /// # Errors
    ///
    /// Above 1m.
    pub fn with_minimum_gap(mut self, gap: Duration) -> Result<Self, Problem> {
        self.minimum_gap = within("alarms.everybody_slow.minimum_gap", gap, &Self::MINIMUM_GAP)?;
        Ok(self)
    }

    /// Sets [how many answers it takes](Self::request_volume).
    ///
    /// # Errors
    ///
    /// At 0.
    pub fn with_request_volume(mut self, answers: u32) -> Result<Self, Problem> {
        let path = "alarms.everybody_slow.request_volume";
        self.request_volume = whole_within(path, answers, &Self::REQUEST_VOLUME)?;
        Ok(self)
    }

    /// Sets [how long answers are remembered](Self::baseline).
    ///
    /// # Errors
    ///
    /// Outside 1m to 168h.
    pub fn with_baseline(mut self, time: Duration) -> Result<Self, Problem> {
        self.baseline = within("alarms.everybody_slow.baseline", time, &Self::BASELINE)?;
        Ok(self)
    }

    /// Sets [how long they must have been slow](Self::after).
    ///
    /// # Errors
    ///
    /// Above 24h.
    pub fn with_after(mut self, lasts: Duration) -> Result<Self, Problem> {
        self.after = within("alarms.everybody_slow.after", lasts, &Self::AFTER)?;
        Ok(self)
    }
}

impl Spell for EverybodySlowConfig {
    fn spell(&self) -> Spelling {
        Spelling::table([
            ("factor", self.factor.into()),
            ("minimum_gap", self.minimum_gap.into()),
            ("request_volume", self.request_volume.into()),
            ("baseline", self.baseline.into()),
            ("after", self.after.into()),
        ])
    }
}

#[cfg(feature = "config")]
mod reading {
    use super::EverybodySlowConfig;
    use crate::config::document::{Key, Keyed, duration, number, whole};
    use crate::config::setting::Range;

    impl Keyed for EverybodySlowConfig {
        const KEYS: &'static [Key<Self>] = &[
            Key::new(
                "factor",
                Range::Number(Self::FACTOR),
                "How many times as long as usual half of the answers must take. Larger tells only \
                 of what is slower; below three quarters of it, it is over.",
                |it, found| Ok(it.with_factor(number(found)?)?),
            ),
            Key::new(
                "minimum_gap",
                Range::Duration(Self::MINIMUM_GAP),
                "How much longer than usual they must take at least.",
                |it, found| Ok(it.with_minimum_gap(duration(found)?)?),
            ),
            Key::new(
                "request_volume",
                Range::whole(&Self::REQUEST_VOLUME),
                "How many answers must have been timed before they are looked at. Smaller tells \
                 sooner, and by less.",
                |it, found| Ok(it.with_request_volume(whole(found, &Self::REQUEST_VOLUME)?)?),
            ),
            Key::new(
                "baseline",
                Range::Duration(Self::BASELINE),
                "How long answers are remembered for what is usual. What lasts for about as long \
                 becomes usual, and the alarm ends.",
                |it, found| Ok(it.with_baseline(duration(found)?)?),
            ),
            Key::new(
                "after",
                Range::Duration(Self::AFTER),
                "How long they must have been slow before that is an alarm.",
                |it, found| Ok(it.with_after(duration(found)?)?),
            ),
        ];

        fn blank() -> Self {
            Self::default()
        }
    }
}
