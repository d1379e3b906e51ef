//! `[slow_start]`: how the share of an endpoint grows.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::number::Number;
use super::range::{number_within, percent_within, within};
use super::spelling::{Spell, Spelling};
use crate::error::Problem;
use crate::units::Percent;

/// `[slow_start]`: how the share of an endpoint grows that comes back or joins.
///
/// An endpoint that has been out is cold: caches, pools, just-in-time compilers. So after an
/// ejection its weight is multiplied by `max(min_weight_percent, (age / window)^(1 / aggression))`
/// until it is as old as the window. This cannot be switched off, only shaped.
///
/// ```
/// use std::time::Duration;
/// use evenkeel::config::SlowStartConfig;
///
/// let slow_start =
///     SlowStartConfig::default().with_window(Duration::from_secs(60))?.with_new_endpoints(true);
/// assert_eq!(slow_start.aggression(), 1.0);
/// # Ok::<(), evenkeel::Problem>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlowStartConfig {
    window: Duration,
    aggression: Number,
    min_weight_percent: Percent,
    new_endpoints: bool,
}

impl Default for SlowStartConfig {
    /// From a tenth of the weight to all of it, evenly within half a minute; new endpoints take
    /// their whole share at once.
    fn default() -> Self {
        const ONE: Number = Number::new(1.0).expect("1 is finite");
        const TENTH: Percent = Percent::new(10).expect("10 is at most 100");
        Self {
            window: Duration::from_secs(30),
            aggression: ONE,
            min_weight_percent: TENTH,
            new_endpoints: false,
        }
    }
}

impl SlowStartConfig {
    const WINDOW: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_hours(1);
    const AGGRESSION: RangeInclusive<f64> = 0.01..=100.0;
    /// Without a share nobody could show that it is well.
    const MIN_WEIGHT_PERCENT: RangeInclusive<u8> = 1..=100;

    /// How long it takes until the share is whole; 100ms to 1h, default 30s.
    ///
    /// Longer spares a cold endpoint, and the others carry its share for longer.
    #[must_use]
    pub const fn window(&self) -> Duration {
        self.window
    }

    /// How the growth is spread over the window; 0.01 to 100, default 1, which is evenly.
    ///
    /// Larger grows fast at first, smaller fast at the end: with 2 half of the weight is there
    /// after a quarter of the window, with 0.5 after seven tenths.
    #[must_use]
    pub const fn aggression(&self) -> f64 {
        self.aggression.get()
    }

    /// The part of its weight that an endpoint begins with; 1 to 100, default 10.
    #[must_use]
    pub const fn min_weight_percent(&self) -> Percent {
        self.min_weight_percent
    }

    /// Whether endpoints that join the set grow too; default `false`.
    #[must_use]
    pub const fn new_endpoints(&self) -> bool {
        self.new_endpoints
    }

    /// Sets the [window](Self::window).
    ///
    /// # Errors
    ///
    /// Outside 100ms to 1h.
    pub fn with_window(mut self, window: Duration) -> Result<Self, Problem> {
        self.window = within("slow_start.window", window, &Self::WINDOW)?;
        Ok(self)
    }

    /// Sets the [aggression](Self::aggression).
    ///
    /// # Errors
    ///
    /// Outside 0.01 to 100, or if it is not a number.
    pub fn with_aggression(mut self, aggression: f64) -> Result<Self, Problem> {
        self.aggression = number_within("slow_start.aggression", aggression, &Self::AGGRESSION)?;
        Ok(self)
    }

    /// Sets [the part to begin with](Self::min_weight_percent).
    ///
    /// # Errors
    ///
    /// At 0.
    pub fn with_min_weight_percent(mut self, percent: Percent) -> Result<Self, Problem> {
        let path = "slow_start.min_weight_percent";
        self.min_weight_percent = percent_within(path, percent, &Self::MIN_WEIGHT_PERCENT)?;
        Ok(self)
    }

    /// Sets whether [endpoints that join](Self::new_endpoints) grow too.
    #[must_use]
    pub fn with_new_endpoints(mut self, too: bool) -> Self {
        self.new_endpoints = too;
        self
    }
}

impl Spell for SlowStartConfig {
    fn spell(&self) -> Spelling {
        Spelling::table([
            ("window", self.window.into()),
            ("aggression", self.aggression.into()),
            ("min_weight_percent", self.min_weight_percent.into()),
            ("new_endpoints", self.new_endpoints.into()),
        ])
    }
}

#[cfg(feature = "config")]
mod reading {
    use super::SlowStartConfig;
    use crate::config::document::{Key, Keyed, duration, flag, number, percent};
    use crate::config::setting::Range;

    impl Keyed for SlowStartConfig {
        const KEYS: &'static [Key<Self>] = &[
            Key::new(
                "window",
                Range::Duration(Self::WINDOW),
                "How long it takes until the share is whole. Longer spares a cold endpoint, and \
                 the others carry its share for longer.",
                |it, found| Ok(it.with_window(duration(found)?)?),
            ),
            Key::new(
                "aggression",
                Range::Number(Self::AGGRESSION),
                "How the growth is spread over the window: 1 is evenly, larger grows fast at \
                 first, smaller fast at the end.",
                |it, found| Ok(it.with_aggression(number(found)?)?),
            ),
            Key::new(
                "min_weight_percent",
                Range::Percent(Self::MIN_WEIGHT_PERCENT),
                "The part of its weight that an endpoint begins with. Larger gives more to an \
                 endpoint that may still be cold.",
                |it, found| {
                    let percent = percent(found, &Self::MIN_WEIGHT_PERCENT)?;
                    Ok(it.with_min_weight_percent(percent)?)
                },
            ),
            Key::new(
                "new_endpoints",
                Range::Flag,
                "Whether endpoints that join the set grow too, besides those that come back.",
                |it, found| Ok(it.with_new_endpoints(flag(found)?)),
            ),
        ];

        fn blank() -> Self {
            Self::default()
        }
    }
}
