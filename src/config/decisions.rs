//! `[decisions]`: which picks are recorded, and how many records are kept.

use std::ops::RangeInclusive;

use super::range::whole_within;
use super::spelling::{Spell, Spelling};
use crate::error::Problem;

/// `[decisions]`: the records of picks that [`Balancer::decisions`](crate::Balancer::decisions)
/// gives.
///
/// One pick in [`every`](Self::every) is recorded by chance, and besides whatever is rare: probes,
/// refusals, and requests that could not go where they belong, up to 32 a second. On by default;
/// `decisions = false` records nothing.
///
/// ```
/// use evenkeel::config::DecisionsConfig;
///
/// let decisions = DecisionsConfig::default().with_every(1)?;
/// assert_eq!((decisions.every(), decisions.keep()), (1, 64));
/// assert!(decisions.with_keep(0).is_err(), "nothing to keep is `decisions = false`");
/// # Ok::<(), evenkeel::Problem>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecisionsConfig {
    every: u32,
    keep: u32,
}

impl Default for DecisionsConfig {
    /// One pick in 1,024, and the last 64 records.
    fn default() -> Self {
        Self { every: 1_024, keep: 64 }
    }
}

impl DecisionsConfig {
    const EVERY: RangeInclusive<u32> = 1..=1_000_000;
    const KEEP: RangeInclusive<u32> = 1..=65_536;

    /// Of how many picks one is recorded, on average; 1 to 1000000, default 1024.
    ///
    /// Which ones is left to chance, so that no pattern of the traffic hides from it. Smaller shows
    /// more, and costs each recorded pick some hundred nanoseconds; 1 records every pick.
    #[must_use]
    pub const fn every(&self) -> u32 {
        self.every
    }

    /// How many records are kept, the oldest going first; 1 to 65536, default 64.
    ///
    /// The room for them is set aside when the setting is applied: some 300 bytes each.
    #[must_use]
    pub const fn keep(&self) -> u32 {
        self.keep
    }

    /// Sets [of how many picks one](Self::every) is recorded.
    ///
    /// # Errors
    ///
    /// Outside 1 to 1000000.
    pub fn with_every(mut self, picks: u32) -> Result<Self, Problem> {
        self.every = whole_within("decisions.every", picks, &Self::EVERY)?;
        Ok(self)
    }

    /// Sets [how many records](Self::keep) are kept.
    ///
    /// # Errors
    ///
    /// Outside 1 to 65536.
    pub fn with_keep(mut self, records: u32) -> Result<Self, Problem> {
        self.keep = whole_within("decisions.keep", records, &Self::KEEP)?;
        Ok(self)
    }
}

impl Spell for DecisionsConfig {
    fn spell(&self) -> Spelling {
        Spelling::table([("every", self.every.into()), ("keep", self.keep.into())])
    }
}

#[cfg(feature = "config")]
mod reading {
    use super::DecisionsConfig;
    use crate::config::document::{Key, Keyed, whole};
    use crate::config::setting::Range;

    impl Keyed for DecisionsConfig {
        const KEYS: &'static [Key<Self>] = &[
            Key::new(
                "every",
                Range::whole(&Self::EVERY),
                "Of how many picks one is recorded, by chance. Smaller shows more and costs more; \
                 1 records every pick.",
                |it, found| Ok(it.with_every(whole(found, &Self::EVERY)?)?),
            ),
            Key::new(
                "keep",
                Range::whole(&Self::KEEP),
                "How many records are kept, the oldest going first; some 300 bytes each.",
                |it, found| Ok(it.with_keep(whole(found, &Self::KEEP)?)?),
            ),
        ];

        fn blank() -> Self {
            Self::default()
        }
    }
}
