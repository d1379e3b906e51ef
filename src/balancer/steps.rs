//! That nobody who warms up waits for ever behind a hundred peers.

use std::collections::BTreeMap;

use crate::outlier::Phase;
use crate::snapshot::{Member, Snapshot};
use crate::units::{EndpointId, Nanos};

/// What requests had come to at the last step of the ramps.
#[derive(Debug, Default)]
pub(crate) struct Steps {
    /// When the step is over.
    due: Nanos,
    all: u64,
    warming: BTreeMap<EndpointId, u64>,
}

impl Steps {
    /// Notes those who have begun to warm up.
    pub(crate) fn begin<T>(&mut self, served: &Snapshot<T>, now: Nanos) {
        let known = std::mem::take(&mut self.warming);
        if !served.is_anybody_warming {
            return;
        }
        for member in rotation(served).filter(|member| is_warming(member, served, now)) {
            let mark = known.get(member.id()).copied().unwrap_or_else(|| picks(member));
            self.warming.insert(member.id().clone(), mark);
        }
        if known.is_empty() && !self.warming.is_empty() {
            self.due = served.rules.ramp.next(now);
            self.all = rotation(served).map(picks).sum();
        }
    }

    /// If a step is over, an endpoint that warms up and was sent nothing of its own in it, though
    /// its fair share would have been a request or more, gets the next pick.
    pub(crate) fn step<T>(&mut self, base: &Snapshot<T>, now: Nanos) {
        if self.warming.is_empty() || now < self.due {
            return;
        }
        self.due = base.rules.ramp.next(now);
        let all: u64 = rotation(base).map(picks).sum();
        let sent = all.saturating_sub(self.all);
        let mut marks = BTreeMap::new();
        for member in rotation(base).filter(|member| is_warming(member, base, now)) {
            let had = picks(member);
            let nothing = self.warming.get(member.id()).is_some_and(|&mark| had <= mark);
            let fair =
                base.position(member.id()).map_or(0.0, |at| base.seats.fair(at, member.weight()));
            let nudged = nothing && sent as f64 * fair >= 1.0 - 1e-9;
            if nudged {
                member.bound.cell.trial.nudge();
            }
            // The pick that it gets now is for the step that is over.
            marks.insert(member.id().clone(), had.saturating_add(nudged.into()));
        }
        self.all = all;
        self.warming = marks;
    }
}

fn rotation<T>(snapshot: &Snapshot<T>) -> impl Iterator<Item = &Member<T>> {
    snapshot.members.iter().filter(|member| member.is_in_rotation())
}

fn is_warming<T>(member: &Member<T>, snapshot: &Snapshot<T>, now: Nanos) -> bool {
    let standing = member.standing().at(now, snapshot.rules.ramp.window);
    matches!(standing.phase, Phase::Warming { .. })
}

fn picks<T>(member: &Member<T>) -> u64 {
    member.bound.cell.counts().picks
}
