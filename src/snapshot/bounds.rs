//! What holds of every snapshot, whatever the change was that led to it.

use crate::event::Recovery;
use crate::outlier::{Panics, Phase, Rotation, Rules, Standing};
use crate::snapshot::build::Bounded;
use crate::snapshot::grouping::Grouping;
use crate::snapshot::{Draft, Member, Stand};
use crate::units::{EndpointId, Nanos};

/// What keeping the bounds has brought about.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    pub(crate) recoveries: Vec<(EndpointId, Recovery)>,
    /// Tiers in which panic has begun or ended, with their rotations.
    pub(crate) panics: Vec<(u32, bool, Rotation)>,
}

impl<T> Draft<T> {
    /// Brings the endpoints to `now`, lets go of those that nobody checks any more, calls back as many
    /// as the cap requires, and decides whether health is believed.
    pub(crate) fn keep_bounds(mut self, now: Nanos) -> (Bounded<T>, Kept) {
        let mut kept = Kept::default();
        // There is nothing to bring back where nothing is held against anybody.
        if !self.members.iter().all(Member::is_plain) {
            self.keep_standings(now, &mut kept);
        }
        let sorted = Grouping::of(self.places(), &self.rules, now);
        let panics = sorted.panics(&self.panics, &self.rules, now);
        for tier in sorted.tiers() {
            let on = panics.of(tier.tier).is_on();
            if on != self.panics.of(tier.tier).is_on() {
                kept.panics.push((tier.tier, on, tier.rotation));
            }
        }
        self.panics = panics;
        (Bounded { draft: self, sorted, now }, kept)
    }

    fn keep_standings(&mut self, now: Nanos, kept: &mut Kept) {
        let mut stands: Vec<_> = self.members.iter().map(Member::stand).collect();
        let bounds = Bounds {
            rules: &self.rules,
            panics: &self.panics,
            amnesty: self.amnesty,
            checks: self.checks,
        };
        let steps = bounds.keep(&mut stands, now);
        for (at, step) in steps {
            kept.recoveries.extend(self.members.get(at).map(|it| (it.id().clone(), step)));
        }
        for (member, stand) in self.members.iter_mut().zip(&stands) {
            if stand.standing != member.standing() {
                *member = member.with_standing(stand.standing);
            }
        }
    }
}

/// What the bounds are, for a set that is to be served as for one that is only thought of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds<'a> {
    pub(crate) rules: &'a Rules,
    /// In which tiers health was not believed until now.
    pub(crate) panics: &'a Panics,
    /// Whether all that is out is let back in.
    pub(crate) amnesty: bool,
    /// Whether somebody makes checks: else nobody is kept out by them.
    pub(crate) checks: bool,
}

impl Bounds<'_> {
    /// Brings `stands` within the bounds. Says who has come a step further, by position.
    pub(super) fn keep(&self, stands: &mut [Stand], now: Nanos) -> Vec<(usize, Recovery)> {
        let mut steps = Vec::new();
        for (at, stand) in stands.iter_mut().enumerate() {
            let taken = [self.keep_time(stand, now), self.keep_checks(stand, now)];
            steps.extend(taken.into_iter().flatten().map(|step| (at, step)));
        }
        self.keep_cap(stands, now, &mut steps);
        steps
    }

    fn keep_time(&self, stand: &mut Stand, now: Nanos) -> Option<Recovery> {
        let before = stand.standing.phase;
        stand.standing = stand.standing.at(now, self.rules.ramp.window);
        if self.amnesty && stand.standing.is_ejected() {
            let step = ended(stand.standing, Recovery::SwitchedOff);
            stand.standing = stand.standing.pardoned();
            return Some(step);
        }
        match (before, stand.standing.phase) {
            (Phase::Ejected { .. }, Phase::Probing { .. }) => Some(Recovery::Probing),
            (Phase::Warming { .. }, Phase::Available) => Some(Recovery::Recovered),
            _ => None,
        }
    }

    fn keep_checks(&self, stand: &mut Stand, now: Nanos) -> Option<Recovery> {
        if self.checks || !stand.standing.is_unhealthy() {
            return None;
        }
        stand.standing = stand.standing.risen(now, false);
        Some(Recovery::Unchecked)
    }

    /// Those whose time ends soonest come back.
    fn keep_cap(&self, stands: &mut [Stand], now: Nanos, steps: &mut Vec<(usize, Recovery)>) {
        let excess = self.rules.cap.excess(Stand::rotation(stands.iter().copied()));
        if excess == 0 {
            return;
        }
        let ends = |stand: &Stand| match stand.standing.phase {
            Phase::Probing { .. } => Some(Nanos(0)),
            Phase::Ejected { until } => Some(until),
            Phase::Available | Phase::Warming { .. } => None,
        };
        let out = stands.iter().enumerate().filter(|(_, stand)| stand.is_in_rotation());
        let mut out: Vec<_> = out.filter_map(|(at, stand)| Some((ends(stand)?, at))).collect();
        out.sort_unstable();
        for &(_, at) in out.iter().take(excess) {
            if let Some(stand) = stands.get_mut(at) {
                steps.push((at, ended(stand.standing, Recovery::MadeRoom)));
                stand.standing = stand.standing.readmitted(now);
            }
        }
    }
}

/// What the end of an ejection is told as.
fn ended(standing: Standing, step: Recovery) -> Recovery {
    if standing.is_unhealthy() { Recovery::AwaitsChecks } else { step }
}
