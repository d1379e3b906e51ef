//! `[outlier.success_rate]`: who succeeds less often than the others.

use std::fmt;
use std::ops::RangeInclusive;

use crate::config::number::Number;
use crate::config::range::{number_within, whole_within};
use crate::config::spelling::{Spell, Spelling};
use crate::error::Problem;
use crate::units::Percent;

/// How success rates are compared.
///
/// Written in a file as `method`; [`Display`](fmt::Display) gives that word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SuccessRateMethod {
    /// `robust`: with the median of the peers, by more than a gap, their spread and chance
    /// explain. The default.
    #[default]
    Robust,
    /// `a50`: with the mean of all minus some standard deviations, exactly as Envoy and gRFC A50
    /// do. With the usual factor it finds neither one dead endpoint of four nor two of nine.
    A50,
}

impl SuccessRateMethod {
    const WORDS: [&str; 2] = ["robust", "a50"];
}

impl fmt::Display for SuccessRateMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [robust, a50] = Self::WORDS;
        f.pad(match self {
            Self::Robust => robust,
            Self::A50 => a50,
        })
    }
}

/// `[outlier.success_rate]`: ejects who succeeds less often than the others. Off by default.
///
/// ```
/// use evenkeel::config::{OutlierConfig, SuccessRateConfig, SuccessRateMethod};
///
/// let rate = SuccessRateConfig::default().with_stdev_factor(2.5)?;
/// assert_eq!(rate.method(), SuccessRateMethod::Robust);
/// let outlier = OutlierConfig::default().with_success_rate(Some(rate));
/// assert_eq!(outlier.success_rate().unwrap().stdev_factor(), 2.5);
/// # Ok::<(), evenkeel::Problem>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SuccessRateConfig {
    method: SuccessRateMethod,
    stdev_factor: Number,
    minimum_hosts: u32,
    minimum_gap_percent: Percent,
    minimum_failures: u32,
    request_volume: u32,
    enforce_percent: Percent,
}

impl Default for SuccessRateConfig {
    /// Robust, with 1.9 deviations, five percent points and five failures at least, among five
    /// endpoints of a hundred requests.
    fn default() -> Self {
        const FACTOR: Number = Number::new(1.9).expect("1.9 is finite");
        const GAP: Percent = Percent::new(5).expect("5 is at most 100");
        Self {
            method: SuccessRateMethod::Robust,
            stdev_factor: FACTOR,
            minimum_hosts: 5,
            minimum_gap_percent: GAP,
            minimum_failures: 5,
            request_volume: 100,
            enforce_percent: super::ALWAYS,
        }
    }
}

impl SuccessRateConfig {
    const STDEV_FACTOR: RangeInclusive<f64> = 0.0..=100.0;
    /// One alone has nobody to be compared with.
    const MINIMUM_HOSTS: RangeInclusive<u32> = 2..=u32::MAX;
    const MINIMUM_FAILURES: RangeInclusive<u32> = 1..=u32::MAX;
    const REQUEST_VOLUME: RangeInclusive<u32> = 1..=u32::MAX;

    /// How success rates are compared; default [`Robust`](SuccessRateMethod::Robust).
    #[must_use]
    pub const fn method(&self) -> SuccessRateMethod {
        self.method
    }

    /// How many deviations below the others an endpoint must be; 0 to 100, default 1.9.
    ///
    /// Larger ejects fewer. Under `a50` a part `p` of the endpoints that is dead while the others
    /// are well is only found if `p` is less than `1 / (1 + factor²)`: 21.7 % with 1.9.
    #[must_use]
    pub const fn stdev_factor(&self) -> f64 {
        self.stdev_factor.get()
    }

    /// How many endpoints must have had enough requests before anybody is judged; 2 to 4294967295,
    /// default 5.
    ///
    /// Smaller judges small sets too, where less is known of what is normal.
    #[must_use]
    pub const fn minimum_hosts(&self) -> u32 {
        self.minimum_hosts
    }

    /// How far below the others an endpoint must be at least, in percent points; 0 to 100, default
    /// 5. `robust` reads it.
    ///
    /// Larger ejects fewer, and leaves alone who differs by too little to matter.
    #[must_use]
    pub const fn minimum_gap_percent(&self) -> Percent {
        self.minimum_gap_percent
    }

    /// How many requests an endpoint must have failed at least; 1 to 4294967295, default 5.
    /// `robust` reads it.
    #[must_use]
    pub const fn minimum_failures(&self) -> u32 {
        self.minimum_failures
    }

    /// How many requests of one interval make an endpoint count; 1 to 4294967295, default 100.
    ///
    /// Endpoints with fewer are neither judged nor compared with. Smaller judges sooner, and by
    /// less.
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

    /// Sets the [method](Self::method).
    #[must_use]
    pub fn with_method(mut self, method: SuccessRateMethod) -> Self {
        self.method = method;
        self
    }

    /// Sets the [factor](Self::stdev_factor).
    ///
    /// # Errors
    ///
    /// Outside 0 to 100, or if it is not a number.
    pub fn with_stdev_factor(mut self, factor: f64) -> Result<Self, Problem> {
        let path = "outlier.success_rate.stdev_factor";
        self.stdev_factor = number_within(path, factor, &Self::STDEV_FACTOR)?;
        Ok(self)
    }

    /// Sets [how many endpoints it takes](Self::minimum_hosts).
    ///
    /// # Errors
    ///
    /// Below 2.
    pub fn with_minimum_hosts(mut self, endpoints: u32) -> Result<Self, Problem> {
        let path = "outlier.success_rate.minimum_hosts";
        self.minimum_hosts = whole_within(path, endpoints, &Self::MINIMUM_HOSTS)?;
        Ok(self)
    }

    /// Sets the [least gap](Self::minimum_gap_percent).
    #[must_use]
    pub fn with_minimum_gap_percent(mut self, percent: Percent) -> Self {
        self.minimum_gap_percent = percent;
        self
    }

    /// Sets the [least number of failures](Self::minimum_failures).
    ///
    /// # Errors
    ///
    /// At 0.
    pub fn with_minimum_failures(mut self, failures: u32) -> Result<Self, Problem> {
        let path = "outlier.success_rate.minimum_failures";
        self.minimum_failures = whole_within(path, failures, &Self::MINIMUM_FAILURES)?;
        Ok(self)
    }

    /// Sets [how many requests make an endpoint count](Self::request_volume).
    ///
    /// # Errors
    ///
    /// At 0.
    pub fn with_request_volume(mut self, requests: u32) -> Result<Self, Problem> {
        let path = "outlier.success_rate.request_volume";
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

impl Spell for SuccessRateConfig {
    fn spell(&self) -> Spelling {
        Spelling::table([
            ("method", Spelling::Text(self.method.to_string())),
            ("stdev_factor", self.stdev_factor.into()),
            ("minimum_hosts", self.minimum_hosts.into()),
            ("minimum_gap_percent", self.minimum_gap_percent.into()),
            ("minimum_failures", self.minimum_failures.into()),
            ("request_volume", self.request_volume.into()),
            ("enforce_percent", self.enforce_percent.into()),
        ])
    }
}

#[cfg(feature = "config")]
mod reading {
    use super::{SuccessRateConfig, SuccessRateMethod};
    use crate::config::document::{Key, Keyed, number, percent, whole, word};
    use crate::config::outlier::reading::{ANY_PERCENT, ENFORCE_PERCENT, MINIMUM_HOSTS};
    use crate::config::setting::Range;

    impl Keyed for SuccessRateConfig {
        const KEYS: &'static [Key<Self>] = &[
            Key::new(
                "method",
                Range::OneOf(&SuccessRateMethod::WORDS),
                "How success rates are compared. `robust` holds each endpoint against the median \
                 of its peers; `a50` is the formula of Envoy and gRFC A50, which with its usual \
                 factor finds neither one dead endpoint of four nor two of nine.",
                |it, found| {
                    let word = word(found, &SuccessRateMethod::WORDS, &[])?;
                    Ok(it.with_method(match word {
                        "a50" => SuccessRateMethod::A50,
                        _ => SuccessRateMethod::Robust,
                    }))
                },
            ),
            Key::new(
                "stdev_factor",
                Range::Number(Self::STDEV_FACTOR),
                "How many deviations below the others an endpoint must be. Larger ejects fewer.",
                |it, found| Ok(it.with_stdev_factor(number(found)?)?),
            ),
            Key::new(
                "minimum_hosts",
                Range::whole(&Self::MINIMUM_HOSTS),
                MINIMUM_HOSTS,
                |it, found| Ok(it.with_minimum_hosts(whole(found, &Self::MINIMUM_HOSTS)?)?),
            ),
            Key::new(
                "minimum_gap_percent",
                Range::Percent(ANY_PERCENT),
                "How far below the others an endpoint must be at least, in percent points; read \
                 by `robust`. Larger ejects fewer, and leaves alone who differs by too little to \
                 matter.",
                |it, found| Ok(it.with_minimum_gap_percent(percent(found, &ANY_PERCENT)?)),
            ),
            Key::new(
                "minimum_failures",
                Range::whole(&Self::MINIMUM_FAILURES),
                "How many requests of one interval an endpoint must have failed at least; read by \
                 `robust`. Larger ejects fewer.",
                |it, found| Ok(it.with_minimum_failures(whole(found, &Self::MINIMUM_FAILURES)?)?),
            ),
            Key::new(
                "request_volume",
                Range::whole(&Self::REQUEST_VOLUME),
                "How many requests of one interval make an endpoint count; those with fewer are \
                 neither judged nor compared with. Smaller judges sooner, and by less.",
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
