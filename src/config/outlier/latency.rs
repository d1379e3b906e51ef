//! `[outlier.latency]`: who answers correctly, and several times slower than the others.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::config::number::Number;
use crate::config::range::{number_within, whole_within, within};
use crate::config::spelling::{Spell, Spelling};
use crate::error::Problem;
use crate::units::Percent;

/// `[outlier.latency]`: ejects who is several times slower than the typical one of its peers. Off
/// by default.
///
/// Only good answers are timed.
///
/// ```
/// use evenkeel::config::LatencyConfig;
///
/// let latency = LatencyConfig::default().with_factor(5.0)?.with_quantile(0.5)?;
/// assert_eq!((latency.factor(), latency.quantile()), (5.0, 0.5));
/// # Ok::<(), evenkeel::Problem>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LatencyConfig {
    factor: Number,
    quantile: Number,
    minimum_gap: Duration,
    minimum_hosts: u32,
    request_volume: u32,
    enforce_percent: Percent,
}

impl Default for LatencyConfig {
    /// Three times as slow as the peers and by five milliseconds, in nine answers of ten, among
    /// three endpoints of a hundred answers.
    fn default() -> Self {
        const FACTOR: Number = Number::new(3.0).expect("3 is finite");
        const QUANTILE: Number = Number::new(0.9).expect("0.9 is finite");
        Self {
            factor: FACTOR,
            quantile: QUANTILE,
            minimum_gap: Duration::from_millis(5),
            minimum_hosts: 3,
            request_volume: 100,
            enforce_percent: super::ALWAYS,
        }
    }
}

impl LatencyConfig {
    const FACTOR: RangeInclusive<f64> = 1.0..=100.0;
    const QUANTILE: RangeInclusive<f64> = 0.01..=0.999;
    const MINIMUM_GAP: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_mins(1);
    /// One alone has nobody to be compared with.
    const MINIMUM_HOSTS: RangeInclusive<u32> = 2..=u32::MAX;
    const REQUEST_VOLUME: RangeInclusive<u32> = 1..=u32::MAX;

    /// How many times as slow as the median of its peers an endpoint must be; 1 to 100, default 3.
    ///
    /// Larger ejects only slower ones.
    #[must_use]
    pub const fn factor(&self) -> f64 {
        self.factor.get()
    }

    /// Which part of the answers must be in for the time that is compared; 0.01 to 0.999, default
    /// 0.9.
    ///
    /// Larger looks at slower answers, which need more requests to be told from chance.
    #[must_use]
    pub const fn quantile(&self) -> f64 {
        self.quantile.get()
    }

    /// How much slower than its peers an endpoint must be at least; 0s to 1m, default 5ms.
    ///
    /// Where answers take microseconds, three times as long may be no more than the way to the
    /// next zone. Zero leaves all to the factor.
    #[must_use]
    pub const fn minimum_gap(&self) -> Duration {
        self.minimum_gap
    }

    /// How many endpoints must have had enough answers timed before anybody is judged; 2 to
    /// 4294967295, default 3.
    ///
    /// With two, each is held against the other one.
    #[must_use]
    pub const fn minimum_hosts(&self) -> u32 {
        self.minimum_hosts
    }

    /// How many good answers of one interval make an endpoint count; 1 to 4294967295, default 100.
    ///
    /// Endpoints with fewer are neither judged nor compared with. Smaller judges sooner, and finds
    /// only what is slower.
    #[must_use]
    pub const fn request_volume(&self) -> u32 {
        self.request_volume
    }

    /// How many of a hundred findings are acted upon, by chance; 0 to 100, default 100. The others
    /// are only told.
    #[must_use]
    pub const fn enforce_percent(&self) -> Percent {
        self.enforce_percent
    }

    /// Sets the [factor](Self::factor).
    ///
    /// # Errors
    ///
    /// Outside 1 to 100, or if it is not a number.
    pub fn with_factor(mut self, factor: f64) -> Result<Self, Problem> {
        self.factor = number_within("outlier.latency.factor", factor, &Self::FACTOR)?;
        Ok(self)
    }

    /// Sets the [quantile](Self::quantile).
    ///
    /// # Errors
    ///
    /// Outside 0.01 to 0.999, or if it is not a number.
    pub fn with_quantile(mut self, quantile: f64) -> Result<Self, Problem> {
        self.quantile = number_within("outlier.latency.quantile", quantile, &Self::QUANTILE)?;
        Ok(self)
    }

    /// Sets the [least gap](Self::minimum_gap).
    ///
    /// # Errors
    ///
    /// Above 1m.
    pub fn with_minimum_gap(mut self, gap: Duration) -> Result<Self, Problem> {
        self.minimum_gap = within("outlier.latency.minimum_gap", gap, &Self::MINIMUM_GAP)?;
        Ok(self)
    }

    /// Sets [how many endpoints it takes](Self::minimum_hosts).
    ///
    /// # Errors
    ///
    /// Below 2.
    pub fn with_minimum_hosts(mut self, endpoints: u32) -> Result<Self, Problem> {
        let path = "outlier.latency.minimum_hosts";
        self.minimum_hosts = whole_within(path, endpoints, &Self::MINIMUM_HOSTS)?;
        Ok(self)
    }

    /// Sets [how many answers make an endpoint count](Self::request_volume).
    ///
    /// # Errors
    ///
    /// At 0.
    pub fn with_request_volume(mut self, answers: u32) -> Result<Self, Problem> {
        let path = "outlier.latency.request_volume";
        self.request_volume = whole_within(path, answers, &Self::REQUEST_VOLUME)?;
        Ok(self)
    }

    /// Sets [how many findings are acted upon](Self::enforce_percent).
    #[must_use]
    pub fn with_enforce_percent(mut self, percent: Percent) -> Self {
        self.enforce_percent = percent;
        self
    }
}

impl Spell for LatencyConfig {
    fn spell(&self) -> Spelling {
        Spelling::table([
            ("factor", self.factor.into()),
            ("quantile", self.quantile.into()),
            ("minimum_gap", self.minimum_gap.into()),
            ("minimum_hosts", self.minimum_hosts.into()),
            ("request_volume", self.request_volume.into()),
            ("enforce_percent", self.enforce_percent.into()),
        ])
    }
}

#[cfg(feature = "config")]
mod reading {
    use super::LatencyConfig;
    use crate::config::document::{Key, Keyed, duration, number, percent, whole};
    use crate::config::outlier::reading::{ANY_PERCENT, ENFORCE_PERCENT, MINIMUM_HOSTS};
    use crate::config::setting::Range;

    impl Keyed for LatencyConfig {
        const KEYS: &'static [Key<Self>] = &[
            Key::new(
                "factor",
                Range::Number(Self::FACTOR),
                "How many times as slow as the median of its peers an endpoint must be. Larger \
                 ejects only slower ones.",
                |it, found| Ok(it.with_factor(number(found)?)?),
            ),
            Key::new(
                "quantile",
                Range::Number(Self::QUANTILE),
                "Which part of the answers must be in for the time that is compared. Larger looks \
                 at slower answers, which need more requests to be told from chance.",
                |it, found| Ok(it.with_quantile(number(found)?)?),
            ),
            Key::new(
                "minimum_gap",
                Range::Duration(Self::MINIMUM_GAP),
                "How much slower than its peers an endpoint must be at least. Larger leaves alone \
                 who is slower by too little to matter, and zero leaves all to the factor.",
                |it, found| Ok(it.with_minimum_gap(duration(found)?)?),
            ),
            Key::new(
                "minimum_hosts",
                Range::whole(&Self::MINIMUM_HOSTS),
                MINIMUM_HOSTS,
                |it, found| Ok(it.with_minimum_hosts(whole(found, &Self::MINIMUM_HOSTS)?)?),
            ),
            Key::new(
                "request_volume",
                Range::whole(&Self::REQUEST_VOLUME),
                "How many good answers of one interval make an endpoint count; those with fewer \
                 are neither judged nor compared with. Smaller judges sooner, and finds only what \
                 is slower.",
                |it, found| Ok(it.with_request_volume(whole(found, &Self::REQUEST_VOLUME)?)?),
            ),
            Key::new(
                "enforce_percent",
                Range::Percent(ANY_PERCENT),
                ENFORCE_PERCENT,
                |it, found| Ok(it.with_enforce_percent(percent(found, &ANY_PERCENT)?)),
            ),
        ];

        fn blank() -> Self {
            Self::default()
        }
    }
}
