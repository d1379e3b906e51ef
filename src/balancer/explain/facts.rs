//! From what is foreseen to what is told.

use std::time::Duration;

use tokio::time::Instant;

use crate::balancer::core::Core;
use crate::balancer::explain::{Barred, ExplainedEndpoint, ExplainedTier, Explanation};
use crate::decision::PickReason;
use crate::outlier::Phase;
use crate::snapshot::{Foreseen, Member, Outcome, Snapshot};
use crate::units::{Key, Nanos};

/// What is as good as certain.
const CERTAIN: f64 = 1.0 - 1e-9;

impl<T: Send + Sync + 'static> Core<T> {
    pub(crate) fn explain(&self, key: &Key, now: Instant) -> Explanation {
        let now = self.ground.origin.nanos(now);
        let snapshot = self.projected(now);
        let typical = self.shared.typical.read();
        let foreseen = snapshot.foresee(key, now, typical);
        let shares = snapshot.shares();
        let chances = chances(&foreseen.outcome, snapshot.members.len());
        let view = View { snapshot: &snapshot, foreseen: &foreseen, key, now, typical };
        let endpoints: Vec<_> = snapshot
            .members
            .iter()
            .zip(shares)
            .zip(&chances)
            .enumerate()
            .map(|(at, ((member, share), &chance))| view.endpoint(at, member, share, chance))
            .collect();
        let certain = endpoints.iter().find(|it| it.chance.is_some_and(|it| it >= CERTAIN));
        let tiers = foreseen.tables.iter().map(|table| ExplainedTier {
            tier: table.tier,
            zone: table.zone.clone(),
            load: table.load,
            chance: table.chance,
            panic: snapshot.panics.of(table.tier).is_on(),
            candidates: table.members.len(),
        });
        Explanation {
            name: self.shared.name.to_string(),
            version: snapshot.version,
            strategy: snapshot.chosen.name.to_string(),
            key: key.hash(),
            preferred: key.preferred().cloned(),
            excluded: key.excluded().to_vec(),
            answer: certain.map(|it| it.id.clone()),
            reason: reason(&foreseen.outcome),
            refusal: match &foreseen.outcome {
                Outcome::Refused(refusal) => Some(refusal.to_string()),
                Outcome::Chances(..) | Outcome::Apart(..) => None,
            },
            owner: foreseen.owner.clone(),
            estimated: foreseen.estimated && matches!(foreseen.outcome, Outcome::Chances(..)),
            tiers: tiers.collect(),
            endpoints,
        }
    }
}

fn chances(outcome: &Outcome, members: usize) -> Vec<Option<f64>> {
    match outcome {
        Outcome::Chances(_, chances) => chances.clone(),
        Outcome::Apart(_, chosen) => {
            (0..members).map(|at| Some(f64::from(u8::from(at == *chosen)))).collect()
        }
        Outcome::Refused(_) => vec![Some(0.0); members],
    }
}

fn reason(outcome: &Outcome) -> PickReason {
    match outcome {
        Outcome::Chances(reason, _) | Outcome::Apart(reason, _) => *reason,
        Outcome::Refused(refusal) => PickReason::of(refusal),
    }
}

/// A snapshot as one request sees it.
struct View<'a, T> {
    snapshot: &'a Snapshot<T>,
    foreseen: &'a Foreseen,
    key: &'a Key,
    now: Nanos,
    typical: f32,
}

impl<T> View<'_, T> {
    fn endpoint(
        &self,
        at: usize,
        member: &Member<T>,
        expected_share: f64,
        chance: Option<f64>,
    ) -> ExplainedEndpoint {
        let (cell, terms) = (&member.bound.cell, self.snapshot.terms());
        let in_flight = cell.in_flight();
        let latency = f64::from(cell.expected_latency(self.now, terms, self.typical));
        let is_answer = chance.is_some_and(|chance| chance >= CERTAIN);
        ExplainedEndpoint {
            id: member.id().clone(),
            state: member.availability(),
            barred: self.barred(at, member).filter(|_| !is_answer),
            chance,
            cost: self.foreseen.costs.get(at).copied().flatten(),
            in_flight,
            penalties: cell.load(self.now, terms).saturating_sub(in_flight),
            // A float that is too large becomes the largest number.
            expected_latency: Duration::from_nanos(latency as u64),
            weight: member.weight(),
            effective_weight: f64::from(member.weight()) * self.snapshot.seats.part(at),
            expected_share,
            tier: member.attributes.tier(),
            zone: member.attributes.zone().map(ToString::to_string),
        }
    }

    fn barred(&self, at: usize, member: &Member<T>) -> Option<Barred> {
        let table = self.foreseen.tables.iter().find(|it| it.members.binary_search(&at).is_ok());
        let Some(table) = table else { return Some(self.without_seat(member)) };
        if self.key.excludes(member.id()) {
            return Some(Barred::Excluded);
        }
        match table.chance > 0.0 {
            true => None,
            false if table.load > 0.0 => Some(Barred::OtherTier),
            false => Some(Barred::StandsBy),
        }
    }

    fn without_seat(&self, member: &Member<T>) -> Barred {
        let (said, standing) = (member.said(), member.standing());
        if said.disabled {
            return Barred::Disabled;
        }
        if said.draining_until.is_some() {
            return Barred::Draining;
        }
        if member.weight() == 0 {
            return Barred::WeightZero;
        }
        match standing.phase {
            _ if standing.is_unhealthy() => Barred::Unhealthy,
            Phase::Ejected { until } => Barred::Ejected {
                remaining: Duration::from_nanos(until.0.saturating_sub(self.now.0)),
            },
            Phase::Available | Phase::Warming { .. } | Phase::Probing { .. } => Barred::Probing,
        }
    }
}
