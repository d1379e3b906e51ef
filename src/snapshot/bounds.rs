//! What holds of every snapshot, whatever the change was that led to it.

use crate::event::Recovery;
use crate::outlier::{Panic, Phase, Rotation, Rules};
use crate::snapshot::{Draft, Stand};
use crate::sync::Arc;
use crate::units::{EndpointId, Nanos};

/// What keeping the bounds has brought about.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    pub(crate) recoveries: Vec<(EndpointId, Recovery)>,
    /// Panic has begun or ended, with this rotation.
    pub(crate) panic: Option<(bool, Rotation)>,
}

impl<T> Draft<T> {
    /// Brings the endpoints to `now`, calls back as many as the cap requires, and decides whether
    /// health is believed.
    pub(crate) fn keep_bounds(&mut self, now: Nanos) -> Kept {
        let mut stands: Vec<_> = self.members.iter().map(|member| member.stand()).collect();
        let bounds = Bounds { rules: &self.rules, panic: self.panic, amnesty: self.amnesty };
        let (panic, steps) = bounds.keep(&mut stands, now);
        let mut kept = Kept::default();
        for (at, step) in steps {
            kept.recoveries.extend(self.members.get(at).map(|it| (it.id().clone(), step)));
        }
        for (member, stand) in self.members.iter_mut().zip(&stands) {
            if stand.standing != member.standing {
                *member = Arc::new(member.with_standing(stand.standing));
            }
        }
        if panic.is_on() != self.panic.is_on() {
            kept.panic = Some((panic.is_on(), Stand::rotation(stands)));
        }
        self.panic = panic;
        kept
    }
}

/// What the bounds are, for a set that is to be served as for one that is only thought of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds<'a> {
    pub(crate) rules: &'a Rules,
    /// Whether health was believed until now.
    pub(crate) panic: Panic,
    /// Whether all that is out is let back in.
    pub(crate) amnesty: bool,
}

impl Bounds<'_> {
    /// Brings `stands` within the bounds. Says whether health is believed from now on, and who has
    /// come a step further, by position.
    pub(super) fn keep(&self, stands: &mut [Stand], now: Nanos) -> (Panic, Vec<(usize, Recovery)>) {
        let mut steps = Vec::new();
        for (at, stand) in stands.iter_mut().enumerate() {
            steps.extend(self.keep_time(stand, now).map(|step| (at, step)));
        }
        self.keep_cap(stands, now, &mut steps);
        let rotation = Stand::rotation(stands.iter().copied());
        (self.panic.step(rotation, self.rules.panic, now), steps)
    }

    fn keep_time(&self, stand: &mut Stand, now: Nanos) -> Option<Recovery> {
        let before = stand.standing.phase;
        stand.standing = stand.standing.at(now, self.rules.ramp.window);
        if self.amnesty && stand.standing.is_out() {
            stand.standing = stand.standing.pardoned();
            return Some(Recovery::SwitchedOff);
        }
        match (before, stand.standing.phase) {
            (Phase::Ejected { .. }, Phase::Probing { .. }) => Some(Recovery::Probing),
            (Phase::Warming { .. }, Phase::Available) => Some(Recovery::Recovered),
            _ => None,
        }
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
                stand.standing = stand.standing.readmitted(now);
                steps.push((at, Recovery::MadeRoom));
            }
        }
    }
}
