//! How many endpoints are compared for one pick.

use std::fmt;
use std::ops::RangeInclusive;

use super::spelling::Spelling;

/// How many endpoints a comparing strategy draws for one pick; the cheapest of them wins.
///
/// 2 to 16, or all of them; the default is 2. More choices find a cheaper endpoint and cost more
/// per pick; with many callers that do not know of each other they also make the callers flock to
/// the same endpoint, which two choices hardly do.
///
/// ```
/// use evenkeel::config::Choices;
///
/// assert_eq!(Choices::default(), Choices::of(2).unwrap());
/// assert_eq!(Choices::of(1), None);
/// assert_eq!(Choices::ALL.count(), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Choices(Option<u8>);

impl Choices {
    /// Every endpoint is looked at for every pick: exact, and linear in their number.
    pub const ALL: Self = Self(None);

    pub(super) const TWO: Self = Self(Some(2));
    pub(super) const RANGE: RangeInclusive<u8> = 2..=16;

    /// `count` endpoints are drawn, if that is from 2 to 16.
    #[must_use]
    pub const fn of(count: u8) -> Option<Self> {
        let (least, most) = (*Self::RANGE.start(), *Self::RANGE.end());
        if count >= least && count <= most { Some(Self(Some(count))) } else { None }
    }

    /// How many are drawn; `None` means all.
    #[must_use]
    pub const fn count(self) -> Option<usize> {
        match self.0 {
            Some(count) => Some(count as usize),
            None => None,
        }
    }
}

impl Default for Choices {
    fn default() -> Self {
        Self::TWO
    }
}

impl fmt::Display for Choices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(count) => fmt::Display::fmt(&count, f),
            None => f.pad("all"),
        }
    }
}

impl From<Choices> for Spelling {
    fn from(choices: Choices) -> Self {
        choices.0.map_or_else(|| Self::from("all"), |count| Self::Whole(count.into()))
    }
}
