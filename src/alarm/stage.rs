//! Where an alarm stands: what has to last before it is raised, and be over before it is cleared.

use crate::alarm::Terms;
use crate::units::Nanos;

/// How far an alarm has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Stage {
    #[default]
    Quiet,
    /// Its condition holds, and not for long enough yet.
    Waiting {
        since: Nanos,
    },
    Raised {
        since: Nanos,
    },
    /// Raised, and its condition is over, though not for long enough yet.
    Ending {
        since: Nanos,
        over: Nanos,
    },
}

impl Stage {
    /// What it is at `now` if its condition `holds`; without terms it is never raised.
    pub(super) fn step(self, holds: bool, terms: Option<Terms>, now: Nanos) -> Self {
        let Some(terms) = terms else { return Self::Quiet };
        match (self, holds) {
            (Self::Quiet | Self::Waiting { .. }, false) => Self::Quiet,
            (Self::Quiet, true) => terms.waiting(now, now),
            (Self::Waiting { since }, true) => terms.waiting(since, now),
            (Self::Raised { since } | Self::Ending { since, .. }, true) => Self::Raised { since },
            (Self::Raised { since }, false) => terms.ending(since, now, now),
            (Self::Ending { since, over }, false) => terms.ending(since, over, now),
        }
    }

    /// Since when the condition has held, if it is raised.
    pub(super) fn raised(self) -> Option<Nanos> {
        match self {
            Self::Raised { since } | Self::Ending { since, .. } => Some(since),
            Self::Quiet | Self::Waiting { .. } => None,
        }
    }

    /// When time alone brings it further.
    pub(super) fn due(self, terms: Terms) -> Nanos {
        match self {
            Self::Quiet | Self::Raised { .. } => Nanos::NEVER,
            Self::Waiting { since } => after(since, terms.lasts),
            Self::Ending { over, .. } => after(over, terms.over),
        }
    }
}

impl Terms {
    // A clock that goes back makes what began in its future begin now.

    fn waiting(self, since: Nanos, now: Nanos) -> Stage {
        let since = since.min(now);
        let is_due = after(since, self.lasts) <= now;
        if is_due { Stage::Raised { since } } else { Stage::Waiting { since } }
    }

    fn ending(self, since: Nanos, over: Nanos, now: Nanos) -> Stage {
        let over = over.min(now);
        let is_due = after(over, self.over) <= now;
        if is_due { Stage::Quiet } else { Stage::Ending { since, over } }
    }
}

fn after(at: Nanos, span: u64) -> Nanos {
    Nanos(at.0.saturating_add(span))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TERMS: Terms = Terms { lasts: 10, over: 30 };

    fn run(terms: Terms, steps: &[(u64, bool)]) -> Vec<bool> {
        let mut stage = Stage::default();
        let step = |&(at, holds): &(u64, bool)| {
            stage = stage.step(holds, Some(terms), Nanos(at));
            stage.raised().is_some()
        };
        steps.iter().map(step).collect()
    }

    #[test]
    fn what_lasts_is_raised_and_what_is_over_for_long_is_cleared() {
        let steps = [(0, true), (9, true), (10, true), (20, false), (49, false), (50, false)];
        assert_eq!(run(TERMS, &steps), [false, false, true, true, true, false]);
    }

    #[test]
    fn what_comes_and_goes_is_neither_raised_nor_cleared_each_time() {
        let short: Vec<_> = (0..100).map(|at| (5 * at, at % 2 == 0)).collect();
        assert!(run(TERMS, &short).iter().all(|raised| !raised));
        let mut long = vec![(0, true), (10, true)];
        long.extend((0..100).map(|at| (20 + 25 * at, at % 2 == 1)));
        assert!(run(TERMS, &long)[1..].iter().all(|raised| *raised));
    }

    #[test]
    fn without_a_span_it_follows_at_once() {
        let steps = [(0, true), (0, false), (0, true), (7, false)];
        assert_eq!(run(Terms { lasts: 0, over: 0 }, &steps), [true, false, true, false]);
    }

    #[test]
    fn a_rule_that_is_switched_off_is_quiet_at_once() {
        let raised = Stage::Raised { since: Nanos(3) };
        for stage in [raised, Stage::Ending { since: Nanos(3), over: Nanos(4) }] {
            assert_eq!(stage.step(true, None, Nanos(5)), Stage::Quiet);
        }
    }

    #[test]
    fn the_ends_of_time() {
        let far = Terms { lasts: u64::MAX, over: u64::MAX };
        let late = Nanos(u64::MAX - 1);
        let waiting = Stage::default().step(true, Some(far), late);
        assert_eq!((waiting.raised(), waiting.due(far)), (None, Nanos::NEVER));
        // Back to the origin: it begins again there.
        let back = Stage::Waiting { since: late }.step(true, Some(TERMS), Nanos(0));
        assert_eq!(back.due(TERMS), Nanos(10));
        let ending = Stage::Ending { since: Nanos(5), over: late };
        assert_eq!(ending.step(false, Some(TERMS), Nanos(7)).due(TERMS), Nanos(37));
    }

    proptest! {
        /// Whatever comes and goes, an alarm is raised only after `lasts` without a pause, cleared
        /// only after `over` without a return, and time goes either way.
        #[test]
        fn it_turns_no_more_often_than_its_spans_allow(
            steps in prop::collection::vec((0_u64..20, any::<bool>()), 1..200),
            lasts in 0_u64..40,
            over in 0_u64..40,
        ) {
            let terms = Terms { lasts, over };
            let (mut stage, mut now, mut held, mut last) = (Stage::default(), 0, 0, None);
            for (pause, holds) in steps {
                // What was seen last has held until now.
                now += pause;
                if last.is_some_and(|last| last != holds) {
                    held = now;
                }
                let (before, due) = (stage.raised().is_some(), stage.due(terms));
                stage = stage.step(holds, Some(terms), Nanos(now));
                let after = stage.raised().is_some();
                if last.is_none() { held = now; }
                match (before, after) {
                    (false, true) => prop_assert!(holds && now >= held + lasts),
                    (true, false) => prop_assert!(!holds && now >= held + over),
                    (false, false) if holds => prop_assert!(now < held + lasts),
                    (true, true) if !holds => prop_assert!(now < held + over),
                    _ => {}
                }
                if before != after && last == Some(holds) {
                    prop_assert!(due <= Nanos(now), "it was due at {due:?} and turned at {now}");
                }
                last = Some(holds);
            }
        }

        #[test]
        fn time_goes_either_way(steps in prop::collection::vec((any::<u64>(), any::<bool>()), 1..50)) {
            let mut stage = Stage::default();
            for (now, holds) in steps {
                stage = stage.step(holds, Some(TERMS), Nanos(now));
                prop_assert!(stage.raised().is_none_or(|_| stage != Stage::Quiet));
                // What has to be waited for is waited for no longer than its span.
                let due = stage.due(TERMS);
                prop_assert!(due == Nanos::NEVER || due.0 <= now.saturating_add(30));
            }
        }
    }
}
