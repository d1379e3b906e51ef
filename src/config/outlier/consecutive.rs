//! `[outlier.consecutive_failures]` and its kin: how many failures in a row are too many.

use std::num::NonZeroU16;

use crate::config::spelling::{Spell, Spelling};
use crate::units::Percent;

/// How many failures in a row are too many: of any kind, as a gateway, or before any answer,
/// depending on [where it stands](super::OutlierConfig).
///
/// The row ends with the first good answer. A refusal for having too much to do neither ends nor
/// continues it.
///
/// ```
/// use std::num::NonZeroU16;
/// use evenkeel::config::ConsecutiveFailuresConfig;
///
/// let three = NonZeroU16::new(3).unwrap();
/// let row = ConsecutiveFailuresConfig::default().with_threshold(three);
/// assert_eq!(row.threshold(), three);
/// assert_eq!(row.enforce_percent().get(), 100);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsecutiveFailuresConfig {
    threshold: NonZeroU16,
    enforce_percent: Percent,
}

impl Default for ConsecutiveFailuresConfig {
    /// Five, always enforced.
    fn default() -> Self {
        const FIVE: NonZeroU16 = NonZeroU16::new(5).expect("5 is not zero");
        Self { threshold: FIVE, enforce_percent: super::ALWAYS }
    }
}

impl ConsecutiveFailuresConfig {
    /// How many failures in a row eject; 1 to 65535, default 5.
    ///
    /// Smaller ejects sooner, and at an error rate that is only high: where a tenth of the
    /// requests fail by chance, one in a hundred thousand is the fifth failure in a row.
    #[must_use]
    pub const fn threshold(&self) -> NonZeroU16 {
        self.threshold
    }

    /// How many of a hundred findings are acted upon, by chance; 0 to 100, default 100. The others
    /// are only told.
    #[must_use]
    pub const fn enforce_percent(&self) -> Percent {
        self.enforce_percent
    }

    /// Sets the [threshold](Self::threshold).
    #[must_use]
    pub fn with_threshold(mut self, failures: NonZeroU16) -> Self {
        self.threshold = failures;
        self
    }

    /// Sets [how many findings are acted upon](Self::enforce_percent).
    #[must_use]
    pub fn with_enforce_percent(mut self, percent: Percent) -> Self {
        self.enforce_percent = percent;
        self
    }
}

impl Spell for ConsecutiveFailuresConfig {
    fn spell(&self) -> Spelling {
        Spelling::table([
            ("threshold", u32::from(self.threshold.get()).into()),
            ("enforce_percent", self.enforce_percent.into()),
        ])
    }
}

#[cfg(feature = "config")]
mod reading {
    use std::num::NonZeroU16;

    use super::ConsecutiveFailuresConfig;
    use crate::config::document::{Key, Keyed, percent, whole};
    use crate::config::outlier::reading::{ANY_PERCENT, ENFORCE_PERCENT};
    use crate::config::setting::Range;

    impl Keyed for ConsecutiveFailuresConfig {
        const KEYS: &'static [Key<Self>] = &[
            Key::new(
                "threshold",
                Range::Whole(1..=u16::MAX as u64),
                "How many failures in a row eject. Smaller ejects sooner, and more endpoints that \
                 fail only now and then.",
                |it, found| {
                    let failures = NonZeroU16::new(whole(found, &(1..=u16::MAX))?);
                    Ok(it.with_threshold(failures.unwrap_or(NonZeroU16::MIN)))
                },
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
