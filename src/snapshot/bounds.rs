//! What holds of every snapshot, whatever the change was that led to it.

use crate::event::Recovery;
use crate::outlier::{Phase, Rotation, Standing};
use crate::snapshot::grouping::Grouping;
use crate::snapshot::{Draft, Member};
use crate::sync::Arc;
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
    pub(crate) fn keep_bounds(&mut self, now: Nanos) -> Kept {
        let mut kept = Kept::default();
        for at in 0..self.members.len() {
            self.keep_time(at, now, &mut kept);
        }
        self.keep_cap(now, &mut kept);
        let grouping = Grouping::of(&self.places(), &self.rules, now);
        let panics = grouping.panics(&self.panics, &self.rules, now);
        for tier in grouping.tiers() {
            let on = panics.of(tier.tier).is_on();
            if on != self.panics.of(tier.tier).is_on() {
                kept.panics.push((tier.tier, on, tier.rotation));
            }
        }
        self.panics = panics;
        kept
    }

    fn keep_time(&mut self, at: usize, now: Nanos, kept: &mut Kept) {
        let member = &self.members[at];
        let standing = member.standing.at(now, self.rules.ramp.window);
        let (standing, step) = if self.amnesty && standing.is_ejected() {
            (standing.pardoned(), Some(ended(standing, Recovery::SwitchedOff)))
        } else {
            let step = match (member.standing.phase, standing.phase) {
                (Phase::Ejected { .. }, Phase::Probing { .. }) => Some(Recovery::Probing),
                (Phase::Warming { .. }, Phase::Available) => Some(Recovery::Recovered),
                _ => None,
            };
            (standing, step)
        };
        let (standing, unchecked) = if self.checks || !standing.is_unhealthy() {
            (standing, None)
        } else {
            (standing.risen(now, false), Some(Recovery::Unchecked))
        };
        if standing != member.standing {
            let steps = step.into_iter().chain(unchecked);
            kept.recoveries.extend(steps.map(|step| (member.id().clone(), step)));
            self.members[at] = Arc::new(member.with_standing(standing));
        }
    }

    /// Those whose time ends soonest come back.
    fn keep_cap(&mut self, now: Nanos, kept: &mut Kept) {
        let excess = self.rules.cap.excess(self.rotation());
        if excess == 0 {
            return;
        }
        let ends = |member: &Member<T>| match member.standing.phase {
            Phase::Probing { .. } => Some(Nanos(0)),
            Phase::Ejected { until } => Some(until),
            Phase::Available | Phase::Warming { .. } => None,
        };
        let out = self.members.iter().enumerate().filter(|(_, member)| member.is_in_rotation());
        let mut out: Vec<_> = out.filter_map(|(at, member)| Some((ends(member)?, at))).collect();
        out.sort_unstable();
        for &(_, at) in out.iter().take(excess) {
            let member = &self.members[at];
            let step = ended(member.standing, Recovery::MadeRoom);
            kept.recoveries.push((member.id().clone(), step));
            self.members[at] = Arc::new(member.with_standing(member.standing.readmitted(now)));
        }
    }
}

/// What the end of an ejection is told as.
fn ended(standing: Standing, step: Recovery) -> Recovery {
    if standing.is_unhealthy() { Recovery::AwaitsChecks } else { step }
}
