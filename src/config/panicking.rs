//! `[panic]`: when health is not believed any more.

use std::fmt;
use std::ops::RangeInclusive;

use super::range::percent_within;
use super::spelling::{Spell, Spelling};
use crate::error::Problem;
use crate::units::Percent;

/// What happens in panic when nobody is healthy.
///
/// Written in a file as `when_none_healthy`; [`Display`](fmt::Display) gives that word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WhenNoneHealthy {
    /// `serve_all`: all are served, since nothing is known that would be better. The default.
    #[default]
    ServeAll,
    /// `fail`: requests are refused at once, which spares endpoints that are down for having too
    /// much to do.
    Fail,
}

impl WhenNoneHealthy {
    const WORDS: [&str; 2] = ["serve_all", "fail"];
}

impl fmt::Display for WhenNoneHealthy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [serve_all, fail] = Self::WORDS;
        f.pad(match self {
            Self::ServeAll => serve_all,
            Self::Fail => fail,
        })
    }
}

/// `[panic]`: when so few endpoints are left that health is not believed.
///
/// The few that are left would have to carry everything and go down as well, and if most
/// endpoints look sick it is more likely that something else is. In panic those that are out are
/// served too; those that are drained or disabled never are. On by default; `panic = false`
/// switches it off, and whoever is left carries everything.
///
/// ```
/// use evenkeel::Percent;
/// use evenkeel::config::PanicConfig;
///
/// let percent = |percent| Percent::new(percent).unwrap();
/// let panic = PanicConfig::default().with_thresholds(percent(30), percent(40))?;
/// assert_eq!(panic.threshold_percent(), percent(30));
/// assert!(panic.with_thresholds(percent(40), percent(30)).is_err());
/// # Ok::<(), evenkeel::Problem>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PanicConfig {
    threshold_percent: Percent,
    exit_percent: Percent,
    when_none_healthy: WhenNoneHealthy,
}

impl Default for PanicConfig {
    /// Entered below half, left from 60 percent on; all are served when nobody is healthy.
    fn default() -> Self {
        const THRESHOLD: Percent = Percent::new(50).expect("50 is at most 100");
        const EXIT: Percent = Percent::new(60).expect("60 is at most 100");
        Self {
            threshold_percent: THRESHOLD,
            exit_percent: EXIT,
            when_none_healthy: WhenNoneHealthy::ServeAll,
        }
    }
}

impl PanicConfig {
    /// Nothing is below zero percent.
    const PERCENT: RangeInclusive<u8> = 1..=100;

    /// The part of the endpoints below which health is not believed; 1 to 100, default 50.
    ///
    /// Larger spreads the load over more of the sick, smaller over fewer of the well.
    #[must_use]
    pub const fn threshold_percent(&self) -> Percent {
        self.threshold_percent
    }

    /// The part of the endpoints from which on health is believed again; 1 to 100 and no less than
    /// [`threshold_percent`](Self::threshold_percent), default 60.
    ///
    /// After one [`interval`](super::OutlierConfig::interval) at the threshold or above, panic
    /// ends as well. Further from the threshold, panic comes and goes less often.
    #[must_use]
    pub const fn exit_percent(&self) -> Percent {
        self.exit_percent
    }

    /// What happens in panic when nobody is healthy; default
    /// [`ServeAll`](WhenNoneHealthy::ServeAll).
    #[must_use]
    pub const fn when_none_healthy(&self) -> WhenNoneHealthy {
        self.when_none_healthy
    }

    /// Sets where panic [begins](Self::threshold_percent) and where it [ends](Self::exit_percent).
    ///
    /// # Errors
    ///
    /// If one of them is 0, or `exit` is less than `threshold`.
    pub fn with_thresholds(mut self, threshold: Percent, exit: Percent) -> Result<Self, Problem> {
        self.threshold_percent =
            percent_within("panic.threshold_percent", threshold, &Self::PERCENT)?;
        self.exit_percent = percent_within("panic.exit_percent", exit, &Self::PERCENT)?;
        if exit < threshold {
            let (threshold, exit) = (threshold.get(), exit.get());
            let message = format!(
                "exit_percent ({exit}) is less than threshold_percent ({threshold}), so panic \
                 would end where it begins"
            );
            return Err(Problem::error("panic.exit_percent", message));
        }
        Ok(self)
    }

    /// Sets [what happens when nobody is healthy](Self::when_none_healthy).
    #[must_use]
    pub fn with_when_none_healthy(mut self, then: WhenNoneHealthy) -> Self {
        self.when_none_healthy = then;
        self
    }
}

impl Spell for PanicConfig {
    fn spell(&self) -> Spelling {
        Spelling::table([
            ("threshold_percent", self.threshold_percent.into()),
            ("exit_percent", self.exit_percent.into()),
            ("when_none_healthy", Spelling::Text(self.when_none_healthy.to_string())),
        ])
    }
}

#[cfg(feature = "config")]
mod reading {
    use super::{PanicConfig, WhenNoneHealthy};
    use crate::config::document::{Key, Keyed, Section, percent, word};
    use crate::config::setting::Range;

    const THRESHOLDS: [&str; 2] = ["exit_percent", "threshold_percent"];

    /// Reads both, since each is right or wrong by the other.
    fn thresholds(it: &mut PanicConfig, section: &mut Section<'_, '_>) {
        let mut read = |key| section.read(key, |found| percent(found, &PanicConfig::PERCENT));
        let [exit, threshold] = THRESHOLDS.map(&mut read);
        let (Ok(exit), Ok(threshold)) = (exit, threshold) else { return };
        let threshold = threshold.unwrap_or(it.threshold_percent);
        match it.clone().with_thresholds(threshold, exit.unwrap_or(it.exit_percent)) {
            Ok(right) => *it = right,
            Err(problem) => section.refuse_pair(THRESHOLDS, &problem.message),
        }
    }

    impl Keyed for PanicConfig {
        const KEYS: &'static [Key<Self>] = &[
            Key::joint(
                "threshold_percent",
                Range::Percent(Self::PERCENT),
                "The part of the endpoints below which health is not believed and all are \
                 served. Larger spreads the load over more of the sick, smaller over fewer of \
                 the well.",
                |it, section, _| thresholds(it, section),
            ),
            Key::joint(
                "exit_percent",
                Range::Percent(Self::PERCENT),
                "The part of the endpoints from which on health is believed again; no less than \
                 `threshold_percent`. Further from it, panic comes and goes less often.",
                |_, _, _| {}, // `threshold_percent` reads it too
            ),
            Key::new(
                "when_none_healthy",
                Range::OneOf(&WhenNoneHealthy::WORDS),
                "What happens in panic when nobody is healthy: `serve_all` serves all, `fail` \
                 refuses requests at once.",
                |it, found| {
                    let word = word(found, &WhenNoneHealthy::WORDS, &[])?;
                    Ok(it.with_when_none_healthy(match word {
                        "fail" => WhenNoneHealthy::Fail,
                        _ => WhenNoneHealthy::ServeAll,
                    }))
                },
            ),
        ];

        fn blank() -> Self {
            Self::default()
        }
    }
}
