//! When so few would be left that health is not believed any more.

use crate::outlier::Rotation;
use crate::units::{Nanos, Percent};

/// The bounds of panic mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PanicBounds {
    /// Below this admitted share it is entered.
    pub(crate) enter: Percent,
    /// From this admitted share on it is left at once.
    pub(crate) exit: Percent,
    /// Nanoseconds at or above `enter` after which it is left too.
    pub(crate) patience: u64,
}

/// Whether health is believed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Panic {
    #[default]
    Calm,
    /// Not believed.
    On {
        /// Since when enough are admitted again, though not yet enough to leave at once.
        better_since: Option<Nanos>,
    },
}

impl Panic {
    pub(crate) fn is_on(self) -> bool {
        matches!(self, Self::On { .. })
    }

    /// What it is with this rotation at `now`; without bounds it is never on.
    pub(crate) fn step(self, rotation: Rotation, bounds: Option<PanicBounds>, now: Nanos) -> Self {
        let Some(bounds) = bounds.filter(|_| rotation.of > 0) else {
            return Self::Calm;
        };
        let admitted = 100 * rotation.of.saturating_sub(rotation.out) as u128;
        let reaches = |share: Percent| admitted >= u128::from(share.get()) * rotation.of as u128;
        match self {
            Self::Calm if reaches(bounds.enter) => Self::Calm,
            Self::Calm => Self::On { better_since: None },
            Self::On { .. } if !reaches(bounds.enter) => Self::On { better_since: None },
            Self::On { .. } if reaches(bounds.exit) => Self::Calm,
            Self::On { better_since } => {
                let since = better_since.unwrap_or(now).min(now);
                let over = since.0.saturating_add(bounds.patience) <= now.0;
                if over { Self::Calm } else { Self::On { better_since: Some(since) } }
            }
        }
    }

    /// When time alone ends it.
    pub(crate) fn due(self, bounds: Option<PanicBounds>) -> Nanos {
        match (self, bounds) {
            (Self::On { better_since: Some(since) }, Some(bounds)) => {
                Nanos(since.0.saturating_add(bounds.patience))
            }
            _ => Nanos::NEVER,
        }
    }
}

/// Whether health is believed, tier by tier.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Panics(
    /// The tiers in which it is not, in their order.
    Vec<(u32, Panic)>,
);

impl Panics {
    pub(crate) fn of(&self, tier: u32) -> Panic {
        let at = self.0.binary_search_by_key(&tier, |&(tier, _)| tier);
        at.ok().and_then(|at| self.0.get(at)).map_or(Panic::Calm, |&(_, panic)| panic)
    }

    /// Whether it is not in some tier.
    pub(crate) fn is_on(&self) -> bool {
        !self.0.is_empty()
    }

    /// What it is with these rotations at `now`, the tiers in their order. Where the tiers can do
    /// without the sick, nobody panics.
    pub(crate) fn step(
        &self,
        tiers: impl IntoIterator<Item = (u32, Rotation)>,
        is_relieved: bool,
        bounds: Option<PanicBounds>,
        now: Nanos,
    ) -> Self {
        let bounds = bounds.filter(|_| !is_relieved);
        let step = |(tier, rotation)| (tier, self.of(tier).step(rotation, bounds, now));
        Self(tiers.into_iter().map(step).filter(|(_, panic)| panic.is_on()).collect())
    }

    /// When time alone ends one of them.
    pub(crate) fn due(&self, bounds: Option<PanicBounds>) -> Nanos {
        self.0.iter().map(|(_, panic)| panic.due(bounds)).min().unwrap_or(Nanos::NEVER)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bounds() -> Option<PanicBounds> {
        let (enter, exit) = (Percent::new(50).unwrap(), Percent::new(60).unwrap());
        Some(PanicBounds { enter, exit, patience: 10 })
    }

    fn out(out: usize) -> Rotation {
        Rotation { of: 10, out, ejected: 0 }
    }

    #[test]
    fn enters_below_and_leaves_above() {
        let calm = Panic::Calm.step(out(5), bounds(), Nanos(0));
        assert_eq!(calm, Panic::Calm);
        let on = calm.step(out(6), bounds(), Nanos(1));
        assert!(on.is_on());
        assert_eq!(on.step(out(4), bounds(), Nanos(2)), Panic::Calm);
    }

    #[test]
    fn between_the_two_it_is_left_with_patience() {
        let on = Panic::Calm.step(out(6), bounds(), Nanos(0)).step(out(5), bounds(), Nanos(5));
        assert_eq!(on.due(bounds()), Nanos(15));
        assert!(on.step(out(5), bounds(), Nanos(14)).is_on());
        assert_eq!(on.step(out(5), bounds(), Nanos(15)), Panic::Calm);
        let relapsed = on.step(out(6), bounds(), Nanos(14));
        assert_eq!(relapsed.due(bounds()), Nanos::NEVER);
        assert!(relapsed.step(out(5), bounds(), Nanos(20)).is_on());
    }

    #[test]
    fn nobody_and_no_bounds_are_no_reason_to_panic() {
        let on = Panic::On { better_since: None };
        assert_eq!(on.step(out(10), None, Nanos(0)), Panic::Calm);
        assert_eq!(on.step(Rotation::default(), bounds(), Nanos(0)), Panic::Calm);
    }

    #[test]
    fn each_tier_panics_for_itself_unless_the_others_carry_everything() {
        let tiers = || [(0, out(6)), (3, out(5)), (7, out(10))];
        let panics = Panics::default().step(tiers(), false, bounds(), Nanos(0));
        assert!(panics.of(0).is_on() && !panics.of(3).is_on() && panics.of(7).is_on());
        assert!(!panics.of(1).is_on() && panics.is_on());
        assert_eq!(panics.step(tiers(), true, bounds(), Nanos(1)), Panics::default());
        assert_eq!(panics.step(tiers(), false, None, Nanos(1)), Panics::default());
        let better = panics.step([(0, out(5)), (7, out(10))], false, bounds(), Nanos(2));
        assert_eq!(better.due(bounds()), Nanos(12));
        let gone = better.step([(7, out(10))], false, bounds(), Nanos(3));
        assert!(!gone.of(0).is_on(), "a tier that is gone panics no more");
        assert_eq!(gone.due(bounds()), Nanos::NEVER);
    }

    #[test]
    fn a_clock_that_goes_back_only_starts_the_wait_again() {
        let on = Panic::On { better_since: Some(Nanos(100)) };
        assert_eq!(on.step(out(5), bounds(), Nanos(50)).due(bounds()), Nanos(60));
    }
}
