//! That nobody who warms up waits for ever behind a hundred peers.

use std::collections::BTreeMap;

use crate::outlier::Phase;
use crate::snapshot::{Member, Snapshot};
use crate::sync::Arc;
use crate::units::{EndpointId, Nanos};

/// What requests had come to at the last step of the ramps.
#[derive(Debug, Default)]
pub(crate) struct Steps {
    all: u64,
    warming: BTreeMap<EndpointId, u64>,
}

impl Steps {
    /// A step is over. An endpoint that warms up and was sent nothing in it, though its fair share
    /// would have been a request or more, gets the next pick.
    pub(crate) fn step<T>(&mut self, base: &Snapshot<T>, now: Nanos) {
        let ramp = base.rules.ramp.window;
        let rotation = || base.members.iter().filter(|member| member.is_in_rotation());
        let warming = |member: &&Arc<Member<T>>| {
            matches!(member.standing.at(now, ramp).phase, Phase::Warming { .. })
        };
        if !rotation().any(|member| warming(&member)) {
            *self = Self::default();
            return;
        }
        let picks = |member: &Arc<Member<T>>| member.bound.cell.counts().picks;
        let all: u64 = rotation().map(picks).sum();
        let well = rotation().filter(|member| !member.standing.is_out());
        let weights: u64 = well.map(|member| u64::from(member.weight())).sum();
        let sent = all.saturating_sub(self.all);
        let mut marks = BTreeMap::new();
        for member in rotation().filter(warming) {
            let had = picks(member);
            let fair = u128::from(sent) * u128::from(member.weight()) >= u128::from(weights);
            if self.warming.get(member.id()) == Some(&had) && fair {
                member.bound.cell.trial.nudge();
            }
            marks.insert(member.id().clone(), had);
        }
        *self = Self { all, warming: marks };
    }
}
