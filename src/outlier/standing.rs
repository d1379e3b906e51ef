//! Where an endpoint stands: with its ejections, and with the checks that are made of it.
//!
//! The two say different things and neither overrules the other: an endpoint takes part only if
//! both let it. A small value that is exchanged, never changed in place: each step takes the instant and what
//! happened and says what the endpoint is from then on. How many are out is counted from these
//! values and kept nowhere else.

use crate::units::Nanos;

/// What an endpoint has come to by its own answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) phase: Phase,
    /// Ejections that no good interval has made up for; the next one lasts longer for each.
    pub(crate) times: u32,
    /// The number of the last ejection. A probe carries it, so that an answer to a request from
    /// before decides nothing.
    pub(crate) epoch: u32,
    /// What active checks have found. Whoever is not well does not warm up: its ramp begins when
    /// it is well again.
    pub(crate) checked: Checked,
}

/// What active checks have found of an endpoint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Checked {
    /// Nothing against it.
    #[default]
    Well,
    /// It has joined where newcomers have to prove themselves first, and has not yet.
    Awaited,
    /// It has failed.
    Sick,
}

/// The stations of an endpoint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Phase {
    #[default]
    Available,
    /// Back, with a share that grows.
    Warming { since: Nanos },
    /// The ejection is over; it owes good answers.
    Probing { good: u32 },
    /// Out until an instant; `Nanos::NEVER` only if the clock ends before.
    Ejected { until: Nanos },
}

impl Phase {
    /// Whether it is another station, however far along.
    pub(crate) fn differs(self, other: Self) -> bool {
        std::mem::discriminant(&self) != std::mem::discriminant(&other)
    }
}

impl Standing {
    /// A newcomer whose share grows.
    pub(crate) fn joining(now: Nanos) -> Self {
        Self { phase: Phase::Warming { since: now }, ..Self::default() }
    }

    /// A newcomer that has to be found well first.
    pub(crate) fn awaited() -> Self {
        Self { checked: Checked::Awaited, ..Self::default() }
    }

    /// Whether it takes nothing but probes, for whatever reason.
    pub(crate) fn is_out(&self) -> bool {
        self.is_ejected() || self.is_unhealthy()
    }

    /// Whether it stands where it does for something that was held against it.
    pub(crate) fn has_grounds(&self) -> bool {
        self.is_out() || self.times > 0 || matches!(self.phase, Phase::Warming { .. })
    }

    /// When its ejection is over, if it is ejected.
    pub(crate) fn ends(&self) -> Option<Nanos> {
        match self.phase {
            Phase::Ejected { until } => Some(until),
            Phase::Available | Phase::Warming { .. } | Phase::Probing { .. } => None,
        }
    }

    /// Whether detectors or operators took it out.
    pub(crate) fn is_ejected(&self) -> bool {
        matches!(self.phase, Phase::Ejected { .. } | Phase::Probing { .. })
    }

    /// Whether active checks keep it out.
    pub(crate) fn is_unhealthy(&self) -> bool {
        self.checked != Checked::Well
    }

    /// What it is once nothing is held against it any more but by checks.
    fn returning(&self, now: Nanos) -> Phase {
        if self.is_unhealthy() { Phase::Available } else { Phase::Warming { since: now } }
    }

    /// Checks have failed.
    pub(crate) fn fallen(self) -> Self {
        let phase = match self.phase {
            Phase::Warming { .. } => Phase::Available,
            phase => phase,
        };
        Self { phase, checked: Checked::Sick, ..self }
    }

    /// Checks have succeeded, or are made no more. An ejection stays one. `ramp_joining` says
    /// whether a newcomer warms up, too.
    pub(crate) fn risen(self, now: Nanos, ramp_joining: bool) -> Self {
        let ramps = match self.checked {
            Checked::Well => return self,
            Checked::Awaited => ramp_joining,
            Checked::Sick => true,
        };
        let well = Self { checked: Checked::Well, ..self };
        let phase = if ramps && !self.is_ejected() { well.returning(now) } else { self.phase };
        Self { phase, ..well }
    }

    /// What time alone has made of it at `now`.
    pub(crate) fn at(self, now: Nanos, ramp: u64) -> Self {
        let phase = match self.phase {
            Phase::Ejected { until } if until <= now => Phase::Probing { good: 0 },
            Phase::Warming { since } if ramp_end(since, ramp) <= now => Phase::Available,
            phase => phase,
        };
        Self { phase, ..self }
    }

    /// When time alone changes its phase.
    pub(crate) fn due(&self, ramp: u64) -> Nanos {
        match self.phase {
            Phase::Ejected { until } => until,
            Phase::Warming { since } => ramp_end(since, ramp),
            Phase::Available | Phase::Probing { .. } => Nanos::NEVER,
        }
    }

    /// Taken out until an instant by something that speaks against it.
    pub(crate) fn ejected(self, until: Nanos) -> Self {
        Self { times: self.times.saturating_add(1), ..self.set_aside(until) }
    }

    /// Taken out until an instant by somebody who need not have anything against it.
    pub(crate) fn set_aside(self, until: Nanos) -> Self {
        Self { phase: Phase::Ejected { until }, epoch: self.epoch.wrapping_add(1).max(1), ..self }
    }

    /// A probe of ejection `epoch` was answered well. `None` if that ejection is not the one that
    /// is probed, so that the answer says nothing.
    pub(crate) fn proved(self, epoch: u32, owed: u32, now: Nanos) -> Option<Self> {
        match self.phase {
            Phase::Probing { good } if epoch == self.epoch => {
                let good = good.saturating_add(1);
                let phase =
                    if good >= owed { self.returning(now) } else { Phase::Probing { good } };
                Some(Self { phase, ..self })
            }
            _ => None,
        }
    }

    /// Whether the failure of a probe of ejection `epoch` is one.
    pub(crate) fn is_probed(&self, epoch: u32) -> bool {
        matches!(self.phase, Phase::Probing { .. }) && epoch == self.epoch
    }

    /// Back ahead of time.
    pub(crate) fn readmitted(self, now: Nanos) -> Self {
        if self.is_ejected() { Self { phase: self.returning(now), ..self } } else { self }
    }

    /// An interval in which it was admitted and answered well.
    pub(crate) fn behaved(self) -> Self {
        if self.is_out() { self } else { Self { times: self.times.saturating_sub(1), ..self } }
    }

    /// All forgiven. The number of the last ejection stays, for answers that are still on their
    /// way, and so does what checks have found: there is nothing to forgive in it.
    pub(crate) fn pardoned(self) -> Self {
        Self { epoch: self.epoch, checked: self.checked, ..Self::default() }
    }
}

fn ramp_end(since: Nanos, ramp: u64) -> Nanos {
    Nanos(since.0.saturating_add(ramp))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RAMP: u64 = 30;

    #[test]
    fn the_way_out_and_back() {
        let fresh = Standing::default();
        let out = fresh.ejected(Nanos(10));
        assert!(out.is_out());
        assert_eq!((out.times, out.epoch, out.due(RAMP)), (1, 1, Nanos(10)));
        assert_eq!(out.at(Nanos(9), RAMP), out);
        let probing = out.at(Nanos(10), RAMP);
        assert_eq!(probing.phase, Phase::Probing { good: 0 });
        let once = probing.proved(1, 2, Nanos(11)).unwrap();
        assert_eq!(once.phase, Phase::Probing { good: 1 });
        let warming = once.proved(1, 2, Nanos(12)).unwrap();
        assert_eq!(warming.phase, Phase::Warming { since: Nanos(12) });
        assert_eq!(warming.at(Nanos(41), RAMP), warming);
        assert_eq!(warming.at(Nanos(42), RAMP).phase, Phase::Available);
        assert_eq!(warming.at(Nanos(42), RAMP).behaved().times, 0);
    }

    #[test]
    fn an_answer_from_before_the_ejection_decides_nothing() {
        let probing = Standing::default().ejected(Nanos(1)).at(Nanos(1), RAMP);
        let again = probing.ejected(Nanos(5)).at(Nanos(5), RAMP);
        assert_eq!(again.proved(1, 1, Nanos(6)), None);
        assert!(!again.is_probed(1) && again.is_probed(2));
        assert_eq!(again.pardoned().proved(2, 1, Nanos(6)), None);
    }

    #[test]
    fn what_is_out_earns_nothing_and_who_is_set_aside_has_nothing_against_it() {
        let out = Standing::default().ejected(Nanos(10));
        assert_eq!(out.behaved().times, 1);
        assert_eq!(Standing::default().set_aside(Nanos(10)).times, 0);
        assert_eq!(Standing::default().readmitted(Nanos(3)), Standing::default());
    }

    #[test]
    fn checks_take_out_and_bring_back_with_a_ramp() {
        let sick = Standing::joining(Nanos(1)).fallen();
        assert_eq!((sick.phase, sick.checked), (Phase::Available, Checked::Sick));
        assert!(sick.is_out() && !sick.is_ejected() && sick.due(RAMP) == Nanos::NEVER);
        assert_eq!(sick.risen(Nanos(5), false), Standing::joining(Nanos(5)));
        assert_eq!(Standing::default().risen(Nanos(5), true), Standing::default());
    }

    #[test]
    fn a_newcomer_that_proves_itself_warms_up_only_if_newcomers_do() {
        assert_eq!(Standing::awaited().risen(Nanos(5), false), Standing::default());
        assert_eq!(Standing::awaited().risen(Nanos(5), true), Standing::joining(Nanos(5)));
        let failed = Standing::awaited().fallen();
        assert_eq!(failed.risen(Nanos(5), false), Standing::joining(Nanos(5)));
    }

    #[test]
    fn neither_a_good_check_ends_an_ejection_nor_a_pardon_what_checks_found() {
        let both = Standing::default().ejected(Nanos(10)).fallen();
        let ejected = both.risen(Nanos(5), false);
        assert_eq!(ejected, Standing::default().ejected(Nanos(10)));
        let sick = Standing::default().fallen();
        assert_eq!(both.pardoned(), Standing { epoch: 1, ..sick });
        // Nobody warms up who is still out.
        assert_eq!(both.readmitted(Nanos(5)).phase, Phase::Available);
        let proved = both.at(Nanos(10), RAMP).proved(1, 1, Nanos(11)).unwrap();
        assert_eq!((proved.phase, proved.is_out()), (Phase::Available, true));
        assert_eq!(sick.readmitted(Nanos(5)), sick);
    }

    #[test]
    fn the_ends_of_the_numbers() {
        let worst = Standing { times: u32::MAX, epoch: u32::MAX, ..Standing::default() };
        let out = worst.ejected(Nanos::NEVER);
        assert_eq!((out.times, out.epoch), (u32::MAX, 1));
        let warming = Standing::joining(Nanos(u64::MAX - 1));
        assert_eq!(warming.due(RAMP), Nanos::NEVER);
        assert_eq!(Standing::default().behaved().times, 0);
    }
}
