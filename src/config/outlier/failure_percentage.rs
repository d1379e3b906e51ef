//! `[outlier.failure_percentage]`: who fails too often, whatever the others do.

use std::ops::RangeInclusive;

use crate::config::range::{percent_within, whole_within};
use crate::config::spelling::{Spell, Spelling};
use crate::error::Problem;
use crate::units::Percent;

/// `[outlier.failure_percentage]`: ejects who fails at least a set part of its requests. Off by
/// default.
///
/// ```
/// use evenkeel::Percent;
/// use evenkeel::config::FailurePercentageConfig;
///
/// let half = Percent::new(50).unwrap();
/// let rule = FailurePercentageConfig::default().with_threshold(half)?.with_minimum_hosts(1)?;
/// assert_eq!(rule.threshold(), half);
/// # Ok::<(), evenkeel::Problem>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailurePercentageConfig {
    threshold: Percent,
    minimum_hosts: u32,
    request_volume: u32,
    enforce_percent: Percent,
}

impl Default for FailurePercentageConfig {
    /// From 85 percent on, among five endpoints of fifty requests.
    fn default() -> Self {
        const THRESHOLD: Percent = Percent::new(85).expect("85 is at most 100");
        Self {
            threshold: THRESHOLD,
            minimum_hosts: 5,
            request_volume: 50,
            enforce_percent: super::ALWAYS,
        }
    }
}

impl FailurePercentageConfig {
    /// At zero everybody would be an outlier.
    const THRESHOLD: RangeInclusive<u8> = 1..=100;
    const MINIMUM_HOSTS: RangeInclusive<u32> = 1..=u32::MAX;
    const REQUEST_VOLUME: RangeInclusive<u32> = 1..=u32::MAX;

    /// The percentage of failures from which an endpoint is ejected; 1 to 100, default 85.
    ///
    /// Smaller ejects for milder trouble, and more endpoints when all are in trouble together.
    #[must_use]
    pub const fn threshold(&self) -> Percent {
        self.threshold
    }

    /// How many endpoints must have had enough requests before anybody is judged; 1 to 4294967295,
    /// default 5.
    #[must_use]
    pub const fn minimum_hosts(&self) -> u32 {
        self.minimum_hosts
    }

    /// How many requests of one interval make an endpoint count; 1 to 4294967295, default 50.
    ///
    /// Endpoints with fewer are not judged. Smaller judges sooner, and by less.
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

    /// Sets the [threshold](Self::threshold).
    ///
    /// # Errors
    ///
    /// At 0.
    pub fn with_threshold(mut self, percent: Percent) -> Result<Self, Problem> {
        let path = "outlier.failure_percentage.threshold";
        self.threshold = percent_within(path, percent, &Self::THRESHOLD)?;
        Ok(self)
    }

    /// Sets [how many endpoints it takes](Self::minimum_hosts).
    ///
    /// # Errors
    ///
    /// At 0.
    pub fn with_minimum_hosts(mut self, endpoints: u32) -> Result<Self, Problem> {
        let path = "outlier.failure_percentage.minimum_hosts";
        self.minimum_hosts = whole_within(path, endpoints, &Self::MINIMUM_HOSTS)?;
        Ok(self)
    }

    /// Sets [how many requests make an endpoint count](Self::request_volume).
    ///
    /// # Errors
    ///
    /// At 0.
    pub fn with_request_volume(mut self, requests: u32) -> Result<Self, Problem> {
        let path = "outlier.failure_percentage.request_volume";
        self.request_volume = whole_within(path, requests, &Self::REQUEST_VOLUME)?;
        Ok(self)
    }

    /// Sets [how many findings are acted upon](Self::enforce_percent).
    #[must_use]
    pub fn with_enforce_percent(mut self, percent: Percent) -> Self {
        self.enforce_percent = percent;
        self
    }
}

impl Spell for FailurePercentageConfig {
    fn spell(&self) -> Spelling {
        Spelling::table([
            ("threshold", self.threshold.into()),
            ("minimum_hosts", self.minimum_hosts.into()),
            ("request_volume", self.request_volume.into()),
            ("enforce_percent", self.enforce_percent.into()),
        ])
    }
}

#[cfg(feature = "config")]
mod reading {
    use super::FailurePercentageConfig;
    use crate::config::document::{Key, Keyed, percent, whole};
    use crate::config::outlier::reading::{ANY_PERCENT, ENFORCE_PERCENT, MINIMUM_HOSTS};
    use crate::config::setting::Range;

    impl Keyed for FailurePercentageConfig {
        const KEYS: &'static [Key<Self>] = &[
            Key::new(
                "threshold",
                Range::Percent(Self::THRESHOLD),
                "The percentage of failures from which an endpoint is ejected. Smaller ejects for \
                 milder trouble, and more endpoints when all are in trouble together.",
                |it, found| Ok(it.with_threshold(percent(found, &Self::THRESHOLD)?)?),
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
                "How many requests of one interval make an endpoint count; those with fewer are \
                 not judged. Smaller judges sooner, and by less.",
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
