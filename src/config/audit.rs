//! `[audit]`: when requests count as spread otherwise than intended.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::range::{percent_within, whole_within, within};
use super::spelling::{Spell, Spelling};
use crate::error::Problem;
use crate::units::Percent;

/// `[audit]`: how closely who gets what is watched, and what is told of it.
///
/// Once an [`interval`](Self::interval) the requests that each endpoint was sent are held against
/// those it was meant to get. What cannot be chance any more is told by
/// [`Event::Skew`](crate::Event::Skew), with its cause where one is known.
///
/// ```
/// use std::time::Duration;
/// use evenkeel::config::AuditConfig;
///
/// let audit = AuditConfig::default().with_window(Duration::from_secs(60))?;
/// assert_eq!(audit.tolerance_percent(), 20);
/// # Ok::<(), evenkeel::Problem>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditConfig {
    interval: Duration,
    window: Duration,
    tolerance_percent: u32,
    windows_per_false_alarm: u32,
    concentration_percent: Option<Percent>,
}

impl Default for AuditConfig {
    /// Looks once a second over ten; a fifth too much is tolerated, a false alarm in a million
    /// windows accepted, and one of five that takes more than 70 percent told.
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(1),
            window: Duration::from_secs(10),
            tolerance_percent: 20,
            windows_per_false_alarm: 1_000_000,
            concentration_percent: Some(Self::SEVENTY),
        }
    }
}

impl AuditConfig {
    const INTERVAL: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_mins(1);
    const WINDOW: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_hours(1);
    const TOLERANCE_PERCENT: RangeInclusive<u32> = 5..=200;
    /// Below, chance alone would be told too often to be looked at.
    const WINDOWS_PER_FALSE_ALARM: RangeInclusive<u32> = 1_000..=1_000_000_000;
    /// One of five has 20 percent by rights.
    const CONCENTRATION_PERCENT: RangeInclusive<u8> = 30..=99;
    const SEVENTY: Percent = Percent::new(70).expect("70 is at most 100");

    /// How often the counters are looked at; 100ms to 1m, default 1s.
    ///
    /// Shorter tells sooner and costs more in large sets: each look reads the counters of all
    /// endpoints.
    #[must_use]
    pub const fn interval(&self) -> Duration {
        self.interval
    }

    /// How far back realised shares reach, and how long one window of
    /// [`windows_per_false_alarm`](Self::windows_per_false_alarm) is; 1s to 1h, default 10s.
    ///
    /// What is older fades. With few requests it reaches further back, to the last two hundred.
    /// Longer is steadier, and sees a concentration later.
    #[must_use]
    pub const fn window(&self) -> Duration {
        self.window
    }

    /// How much more than its part an endpoint may get, in percent of it; 5 to 200, default 20.
    ///
    /// It may get as much less. What is off by no more is never told, however many requests prove
    /// it; what is off by a little more needs many. Parts are compared by their odds, so that this
    /// has a meaning for large ones too.
    #[must_use]
    pub const fn tolerance_percent(&self) -> u32 {
        self.tolerance_percent
    }

    /// How many [windows](Self::window) there are for one false alarm, at the least and on
    /// average; 1000 to 1000000000, default 1000000.
    ///
    /// More needs some more requests before anything is told: ten times as many windows ask for
    /// about a tenth more of them.
    #[must_use]
    pub const fn windows_per_false_alarm(&self) -> u32 {
        self.windows_per_false_alarm
    }

    /// The share of all requests that one of five endpoints may take before that is told, whatever
    /// is intended; 30 to 99, default 70. `None`, in a file `concentration_percent = false`,
    /// switches it off.
    ///
    /// Sets of other sizes are held to the same odds: with 70, one of two may take 90 percent, one of
    /// ten 51, and in large sets it is never less than 10. An endpoint that is alone in its tier
    /// may take all.
    #[must_use]
    pub const fn concentration_percent(&self) -> Option<Percent> {
        self.concentration_percent
    }

    /// Sets [how often is looked](Self::interval).
    ///
    /// # Errors
    ///
    /// Outside 100ms to 1m.
    pub fn with_interval(mut self, interval: Duration) -> Result<Self, Problem> {
        self.interval = within("audit.interval", interval, &Self::INTERVAL)?;
        Ok(self)
    }

    /// Sets the [window](Self::window).
    ///
    /// # Errors
    ///
    /// Outside 1s to 1h.
    pub fn with_window(mut self, window: Duration) -> Result<Self, Problem> {
        self.window = within("audit.window", window, &Self::WINDOW)?;
        Ok(self)
    }

    /// Sets [how much more is tolerated](Self::tolerance_percent).
    ///
    /// # Errors
    ///
    /// Outside 5 to 200.
    pub fn with_tolerance_percent(mut self, percent: u32) -> Result<Self, Problem> {
        let path = "audit.tolerance_percent";
        self.tolerance_percent = whole_within(path, percent, &Self::TOLERANCE_PERCENT)?;
        Ok(self)
    }

    /// Sets [how rare false alarms are](Self::windows_per_false_alarm).
    ///
    /// # Errors
    ///
    /// Outside 1000 to 1000000000.
    pub fn with_windows_per_false_alarm(mut self, windows: u32) -> Result<Self, Problem> {
        let path = "audit.windows_per_false_alarm";
        self.windows_per_false_alarm = whole_within(path, windows, &Self::WINDOWS_PER_FALSE_ALARM)?;
        Ok(self)
    }

    /// Sets [how much one endpoint may take](Self::concentration_percent); `None` for any.
    ///
    /// # Errors
    ///
    /// Outside 30 to 99.
    pub fn with_concentration_percent(mut self, percent: Option<Percent>) -> Result<Self, Problem> {
        let path = "audit.concentration_percent";
        let within = |percent| percent_within(path, percent, &Self::CONCENTRATION_PERCENT);
        self.concentration_percent = percent.map(within).transpose()?;
        Ok(self)
    }
}

impl Spell for AuditConfig {
    fn spell(&self) -> Spelling {
        Spelling::table([
            ("interval", self.interval.into()),
            ("window", self.window.into()),
            ("tolerance_percent", self.tolerance_percent.into()),
            ("windows_per_false_alarm", self.windows_per_false_alarm.into()),
            ("concentration_percent", Spelling::or_off(self.concentration_percent)),
        ])
    }
}

#[cfg(feature = "config")]
mod reading {
    use super::AuditConfig;
    use crate::config::document::{Key, Keyed, duration, or_off, percent, whole};
    use crate::config::setting::Range;

    impl Keyed for AuditConfig {
        const KEYS: &'static [Key<Self>] = &[
            Key::new(
                "interval",
                Range::Duration(Self::INTERVAL),
                "How often the counters are looked at. Shorter tells sooner, and costs more in \
                 large sets.",
                |it, found| Ok(it.with_interval(duration(found)?)?),
            ),
            Key::new(
                "window",
                Range::Duration(Self::WINDOW),
                "How far back realised shares reach; with few requests further, to the last two \
                 hundred. Longer is steadier, and sees a concentration later.",
                |it, found| Ok(it.with_window(duration(found)?)?),
            ),
            Key::new(
                "tolerance_percent",
                Range::whole(&Self::TOLERANCE_PERCENT),
                "How much more than its part an endpoint may get, or less, in percent of it. \
                 Smaller tells milder skews, and needs more requests for each.",
                |it, found| {
                    let percent = whole(found, &Self::TOLERANCE_PERCENT)?;
                    Ok(it.with_tolerance_percent(percent)?)
                },
            ),
            Key::new(
                "windows_per_false_alarm",
                Range::whole(&Self::WINDOWS_PER_FALSE_ALARM),
                "How many windows there are for one false alarm, at the least. Larger needs some \
                 more requests before anything is told.",
                |it, found| {
                    let windows = whole(found, &Self::WINDOWS_PER_FALSE_ALARM)?;
                    Ok(it.with_windows_per_false_alarm(windows)?)
                },
            ),
            Key::<Self>::new(
                "concentration_percent",
                Range::Percent(Self::CONCENTRATION_PERCENT),
                "The share of the requests that one of five endpoints may take before that is \
                 told, whatever is intended; sets of other sizes are held to the same odds. \
                 Smaller tells sooner that one endpoint has most of the requests.",
                |it, found| {
                    let range = &Self::CONCENTRATION_PERCENT;
                    let most = or_off(|found| percent(found, range))(found)?;
                    Ok(it.with_concentration_percent(most)?)
                },
            )
            .or_off(),
        ];

        fn blank() -> Self {
            Self::default()
        }
    }
}
