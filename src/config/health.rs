//! `[health]`: when and how often endpoints are asked whether they are well.

use std::fmt;
use std::ops::RangeInclusive;
use std::time::Duration;

use super::range::{whole_within, within};
use super::spelling::{Spell, Spelling};
use crate::error::Problem;
use crate::units::Percent;

/// What an endpoint is that joins, until checks say otherwise.
///
/// Written in a file as `initial` under `[health]`; [`Display`](fmt::Display) gives that word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum InitialHealth {
    /// `healthy`: it takes requests at once. The default.
    #[default]
    Healthy,
    /// `unhealthy`: it takes none before it has answered well often enough.
    Unhealthy,
}

impl InitialHealth {
    const WORDS: [&str; 2] = ["healthy", "unhealthy"];
}

impl fmt::Display for InitialHealth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [healthy, unhealthy] = Self::WORDS;
        f.pad(match self {
            Self::Healthy => healthy,
            Self::Unhealthy => unhealthy,
        })
    }
}

/// `[health]`: active checks, which ask endpoints whether they are well.
///
/// They see what requests do not: an endpoint without traffic, or one that says itself that it is
/// sick. Off by default; the table switches them on, even an empty one, and `health = false` off.
/// What is asked is a [`Probe`](crate::Probe).
///
/// ```
/// use std::time::Duration;
/// use evenkeel::config::HealthConfig;
///
/// let health = HealthConfig::default().with_interval(Duration::from_secs(10))?.with_fall(5)?;
/// assert_eq!(health.timeout(), Duration::from_secs(1));
/// assert!(health.with_rise(0).is_err());
/// # Ok::<(), evenkeel::Problem>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthConfig {
    interval: Duration,
    unhealthy_interval: Duration,
    timeout: Duration,
    rise: u32,
    fall: u32,
    jitter_percent: Percent,
    concurrency: usize,
    initial: InitialHealth,
}

impl Default for HealthConfig {
    /// Every five seconds, every second while something is wrong, and a second for an answer;
    /// out after three bad answers, back after two good ones.
    fn default() -> Self {
        const FIFTH: Percent = Percent::new(20).expect("20 is at most 100");
        Self {
            interval: Duration::from_secs(5),
            unhealthy_interval: Duration::from_secs(1),
            timeout: Duration::from_secs(1),
            rise: 2,
            fall: 3,
            jitter_percent: FIFTH,
            concurrency: 32,
            initial: InitialHealth::Healthy,
        }
    }
}

impl HealthConfig {
    const INTERVAL: RangeInclusive<Duration> = Duration::from_millis(10)..=Duration::from_hours(1);
    const TIMEOUT: RangeInclusive<Duration> = Duration::from_millis(1)..=Duration::from_hours(1);
    const ANSWERS: RangeInclusive<u32> = 1..=100;
    const CONCURRENCY: RangeInclusive<usize> = 1..=1024;

    /// The time from one check of an endpoint to the next while it is well; 10ms to 1h, default 5s.
    ///
    /// Shorter notices sooner, and asks every endpoint more often.
    #[must_use]
    pub const fn interval(&self) -> Duration {
        self.interval
    }

    /// The time from one check of an endpoint to the next while it is unhealthy, or after a bad
    /// answer; 10ms to 1h, default 1s.
    ///
    /// Shorter makes sure sooner, in both directions, and asks an endpoint more often that may
    /// have too much to do.
    #[must_use]
    pub const fn unhealthy_interval(&self) -> Duration {
        self.unhealthy_interval
    }

    /// How long an answer may take; one that takes longer is a bad one. 1ms to 1h, default 1s.
    ///
    /// Shorter finds endpoints that hang sooner, and takes slow ones for sick.
    #[must_use]
    pub const fn timeout(&self) -> Duration {
        self.timeout
    }

    /// How many good answers in a row make an unhealthy endpoint healthy; 1 to 100, default 2.
    ///
    /// Larger makes surer, and takes longer.
    #[must_use]
    pub const fn rise(&self) -> u32 {
        self.rise
    }

    /// How many bad answers in a row make an endpoint unhealthy; 1 to 100, default 3.
    ///
    /// Smaller is sooner, and takes a lost packet for an outage.
    #[must_use]
    pub const fn fall(&self) -> u32 {
        self.fall
    }

    /// How far the times between checks may differ by chance, in percent of themselves; 0 to 100,
    /// default 20.
    ///
    /// Each is drawn evenly from as much as half of this part shorter to half of it longer. Larger
    /// keeps checks further from all coming at once, those of many callers too.
    #[must_use]
    pub const fn jitter_percent(&self) -> Percent {
        self.jitter_percent
    }

    /// How many checks may be under way at once; 1 to 1024, default 32.
    ///
    /// Larger keeps to the intervals in larger sets; smaller uses fewer connections, and lets
    /// endpoints that hang delay the checks of others.
    #[must_use]
    pub const fn concurrency(&self) -> usize {
        self.concurrency
    }

    /// What an endpoint is that joins, until checks say otherwise; default
    /// [`Healthy`](InitialHealth::Healthy).
    #[must_use]
    pub const fn initial(&self) -> InitialHealth {
        self.initial
    }

    /// Sets [the time between two checks](Self::interval).
    ///
    /// # Errors
    ///
    /// Outside 10ms to 1h.
    pub fn with_interval(mut self, interval: Duration) -> Result<Self, Problem> {
        self.interval = within("health.interval", interval, &Self::INTERVAL)?;
        Ok(self)
    }

    /// Sets [the time between two checks while something is wrong](Self::unhealthy_interval).
    ///
    /// # Errors
    ///
    /// Outside 10ms to 1h.
    pub fn with_unhealthy_interval(mut self, interval: Duration) -> Result<Self, Problem> {
        self.unhealthy_interval = within("health.unhealthy_interval", interval, &Self::INTERVAL)?;
        Ok(self)
    }

    /// Sets [how long an answer may take](Self::timeout).
    ///
    /// # Errors
    ///
    /// Outside 1ms to 1h.
    pub fn with_timeout(mut self, timeout: Duration) -> Result<Self, Problem> {
        self.timeout = within("health.timeout", timeout, &Self::TIMEOUT)?;
        Ok(self)
    }

    /// Sets [how many good answers](Self::rise) make healthy.
    ///
    /// # Errors
    ///
    /// Outside 1 to 100.
    pub fn with_rise(mut self, answers: u32) -> Result<Self, Problem> {
        self.rise = whole_within("health.rise", answers, &Self::ANSWERS)?;
        Ok(self)
    }

    /// Sets [how many bad answers](Self::fall) make unhealthy.
    ///
    /// # Errors
    ///
    /// Outside 1 to 100.
    pub fn with_fall(mut self, answers: u32) -> Result<Self, Problem> {
        self.fall = whole_within("health.fall", answers, &Self::ANSWERS)?;
        Ok(self)
    }

    /// Sets [how far these times may differ](Self::jitter_percent).
    #[must_use]
    pub fn with_jitter_percent(mut self, percent: Percent) -> Self {
        self.jitter_percent = percent;
        self
    }

    /// Sets [how many checks may be under way](Self::concurrency).
    ///
    /// # Errors
    ///
    /// Outside 1 to 1024.
    pub fn with_concurrency(mut self, checks: usize) -> Result<Self, Problem> {
        self.concurrency = whole_within("health.concurrency", checks, &Self::CONCURRENCY)?;
        Ok(self)
    }

    /// Sets [what an endpoint is that joins](Self::initial).
    #[must_use]
    pub fn with_initial(mut self, initial: InitialHealth) -> Self {
        self.initial = initial;
        self
    }
}

impl Spell for HealthConfig {
    fn spell(&self) -> Spelling {
        Spelling::table([
            ("interval", self.interval.into()),
            ("unhealthy_interval", self.unhealthy_interval.into()),
            ("timeout", self.timeout.into()),
            ("rise", self.rise.into()),
            ("fall", self.fall.into()),
            ("jitter_percent", self.jitter_percent.into()),
            ("concurrency", self.concurrency.into()),
            ("initial", Spelling::Text(self.initial.to_string())),
        ])
    }
}

#[cfg(feature = "config")]
mod reading {
    use std::ops::RangeInclusive;

    use super::{HealthConfig, InitialHealth};
    use crate::config::document::{Key, Keyed, duration, percent, whole, word};
    use crate::config::setting::Range;

    const ANY_PERCENT: RangeInclusive<u8> = 0..=100;

    impl Keyed for HealthConfig {
        const KEYS: &'static [Key<Self>] = &[
            Key::new(
                "interval",
                Range::Duration(Self::INTERVAL),
                "The time from one check of an endpoint to the next while it is well. Shorter \
                 notices sooner, and asks every endpoint more often.",
                |it, found| Ok(it.with_interval(duration(found)?)?),
            ),
            Key::new(
                "unhealthy_interval",
                Range::Duration(Self::INTERVAL),
                "The time from one check of an endpoint to the next while it is unhealthy, or \
                 after a bad answer. Shorter makes sure sooner, in both directions, and asks an \
                 endpoint more often that may have too much to do.",
                |it, found| Ok(it.with_unhealthy_interval(duration(found)?)?),
            ),
            Key::new(
                "timeout",
                Range::Duration(Self::TIMEOUT),
                "How long an answer may take; one that takes longer is a bad one. Shorter finds \
                 endpoints that hang sooner, and takes slow ones for sick.",
                |it, found| Ok(it.with_timeout(duration(found)?)?),
            ),
            Key::new(
                "rise",
                Range::whole(&Self::ANSWERS),
                "How many good answers in a row make an unhealthy endpoint healthy. Larger makes \
                 surer, and takes longer.",
                |it, found| Ok(it.with_rise(whole(found, &Self::ANSWERS)?)?),
            ),
            Key::new(
                "fall",
                Range::whole(&Self::ANSWERS),
                "How many bad answers in a row make an endpoint unhealthy. Smaller is sooner, and \
                 takes a lost packet for an outage.",
                |it, found| Ok(it.with_fall(whole(found, &Self::ANSWERS)?)?),
            ),
            Key::new(
                "jitter_percent",
                Range::Percent(ANY_PERCENT),
                "How far the times between checks may differ by chance, in percent of themselves: \
                 each is drawn evenly from as much as half of this part shorter to half of it \
                 longer. Larger keeps checks further from all coming at once, those of many \
                 callers too.",
                |it, found| Ok(it.with_jitter_percent(percent(found, &ANY_PERCENT)?)),
            ),
            Key::new(
                "concurrency",
                Range::Whole(*Self::CONCURRENCY.start() as u64..=*Self::CONCURRENCY.end() as u64),
                "How many checks may be under way at once. Larger keeps to the intervals in \
                 larger sets; smaller uses fewer connections, and lets endpoints that hang delay \
                 the checks of others.",
                |it, found| Ok(it.with_concurrency(whole(found, &Self::CONCURRENCY)?)?),
            ),
            Key::new(
                "initial",
                Range::OneOf(&InitialHealth::WORDS),
                "What an endpoint is that joins, until checks say otherwise: `healthy` takes \
                 requests at once, `unhealthy` only after `rise` good answers.",
                |it, found| {
                    let word = word(found, &InitialHealth::WORDS, &[])?;
                    Ok(it.with_initial(match word {
                        "unhealthy" => InitialHealth::Unhealthy,
                        _ => InitialHealth::Healthy,
                    }))
                },
            ),
        ];

        fn blank() -> Self {
            Self::default()
        }
    }
}
