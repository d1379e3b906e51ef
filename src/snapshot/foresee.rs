//! What a pick would come to, found without picking: nothing is counted and nothing is taken.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::decision::PickReason;
use crate::error::PickError;
use crate::rng::Rng;
use crate::snapshot::tables::Table;
use crate::snapshot::{Member, Snapshot};
use crate::strategy::{Forecast, PickContext};
use crate::units::{EndpointId, Key, Nanos};

/// What is foreseen of a request.
#[derive(Debug)]
pub(crate) struct Foreseen {
    pub(crate) outcome: Outcome,
    /// Whose key it is, where keys decide.
    pub(crate) owner: Option<EndpointId>,
    /// The tables, the most preferred first.
    pub(crate) tables: Vec<ForeseenTable>,
    /// What each member costs now, where costs are compared, by position.
    pub(crate) costs: Vec<Option<f64>>,
    /// Whether chances were found by drawing.
    pub(crate) estimated: bool,
}

/// Where the request goes.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// With these chances to the members, by position; `None` where a strategy of the user's own
    /// does not say how it chooses.
    Chances(PickReason, Vec<Option<f64>>),
    /// To the member at this position, outside of all tables.
    Apart(PickReason, usize),
    Refused(PickError),
}

/// A table as the request finds it.
#[derive(Debug)]
pub(crate) struct ForeseenTable {
    pub(crate) tier: u32,
    pub(crate) zone: Option<String>,
    /// The part of all requests that it takes.
    pub(crate) load: f64,
    /// How probable it is that this request is picked from it.
    pub(crate) chance: f64,
    /// Where its candidates are.
    pub(crate) members: Vec<usize>,
}

impl<T> Snapshot<T> {
    pub(crate) fn foresee(&self, key: &Key, now: Nanos, typical: f32) -> Foreseen {
        let tables = self.tables.all();
        let by_key = key.hash().filter(|_| self.tables.is_keyed());
        let drawn = by_key.and_then(|hash| {
            // Keys leave nothing to chance.
            self.tables.draw(Some(hash), &mut Rng::seeded(hash)).map(|(at, _)| at)
        });
        let loads = self.tables.parts();
        let parts = match drawn {
            Some(drawn) => (0..tables.len()).map(|at| f64::from(u8::from(at == drawn))).collect(),
            None => loads.clone(),
        };
        let forecasts: Vec<_> =
            tables.iter().map(|table| self.forecast(table, key, now, typical)).collect();
        let mut ordinary = Ordinary::new(self, &forecasts);
        for (at, &part) in parts.iter().enumerate().filter(|&(_, &part)| part > 0.0) {
            ordinary.pick_from(at, part);
        }
        let owner = drawn.zip(by_key).and_then(|(at, hash)| self.tables.owner(at, hash)).cloned();
        let outcome =
            self.outcome(&ordinary, owner.as_ref(), by_key.map(|hash| (hash, drawn)), key, now);
        let each = tables.iter().zip(&loads).zip(&ordinary.chances).zip(&ordinary.members);
        Foreseen {
            outcome,
            owner,
            tables: each
                .map(|(((table, &load), &chance), members)| ForeseenTable {
                    tier: table.key.tier,
                    zone: table.key.zone.as_deref().map(str::to_owned),
                    load,
                    chance,
                    members: members.clone(),
                })
                .collect(),
            costs: ordinary.costs(),
            estimated: forecasts.iter().any(|forecast| forecast.estimated),
        }
    }

    /// In the order in which a pick asks.
    fn outcome(
        &self,
        ordinary: &Ordinary<'_, T>,
        owner: Option<&EndpointId>,
        own: Option<(u64, Option<usize>)>,
        key: &Key,
        now: Nanos,
    ) -> Outcome {
        if let Some(at) = self.foresee_preferred(key) {
            return Outcome::Apart(PickReason::Preferred, at);
        }
        let claimed = self.claims.foresee(own, &self.tables, key, now);
        if let Some((at, is_probe)) = claimed.and_then(|(id, it)| Some((self.position(id)?, it))) {
            return Outcome::Apart(if is_probe { PickReason::Probe } else { PickReason::Owed }, at);
        }
        if ordinary.is_anybody_left() {
            let reason = match (owner, ordinary.certain()) {
                (Some(owner), Some(at)) if !ordinary.is_elsewhere => {
                    let chosen = self.members.get(at).map(Member::id);
                    self.reason(key, owner, chosen, ordinary.reason)
                }
                _ => ordinary.reason,
            };
            return Outcome::Chances(reason, ordinary.members_chances());
        }
        let last = self.claims.foresee_any(key, now).and_then(|id| self.position(id));
        match last {
            Some(at) => Outcome::Apart(PickReason::LastResort, at),
            None if self.tables.all().is_empty() => Outcome::Refused(self.nobody()),
            None => Outcome::Refused(PickError::AllExcluded),
        }
    }

    /// What the picker of a table says of the request. It may be code of the user's own, and is
    /// believed only where it makes sense.
    fn forecast(&self, table: &Table<T>, key: &Key, now: Nanos, typical: f32) -> Forecast {
        let cx = PickContext {
            candidates: &table.candidates,
            lines: &table.lines,
            key,
            now,
            origin: self.origin,
            terms: &self.terms,
            typical,
            rng: Rng::seeded(0),
            reserved: None,
            trace: None,
        };
        let ask = || table.picker.forecast(&cx);
        let forecast = catch_unwind(AssertUnwindSafe(ask)).unwrap_or_default();
        let sum: f64 = forecast.chances.iter().sum();
        let is_sound = forecast.chances.len() == table.candidates.len()
            && forecast.chances.iter().all(|chance| (0.0..=1.0 + 1e-9).contains(chance))
            && (sum == 0.0 || (sum - 1.0).abs() < 1e-6);
        let is_open = |at: usize| !cx.is_excluded(at);
        if is_sound || !(0..table.candidates.len()).any(is_open) {
            return forecast;
        }
        Forecast::default()
    }
}

/// Where requests go that nobody prefers and nobody is owed.
struct Ordinary<'a, T> {
    snapshot: &'a Snapshot<T>,
    forecasts: &'a [Forecast],
    /// Where the candidates of each table are.
    members: Vec<Vec<usize>>,
    /// How probable it is to be picked from each table.
    chances: Vec<f64>,
    reason: PickReason,
    /// Whether a table was passed over.
    is_elsewhere: bool,
}

impl<'a, T> Ordinary<'a, T> {
    fn new(snapshot: &'a Snapshot<T>, forecasts: &'a [Forecast]) -> Self {
        let at = |group: &crate::snapshot::seats::Group| {
            group.members.iter().map(|&member| member as usize).collect()
        };
        let members = snapshot.seats.taken().map(at).collect();
        let chances = vec![0.0; forecasts.len()];
        let reason = PickReason::Strategy;
        Self { snapshot, forecasts, members, chances, reason, is_elsewhere: false }
    }

    /// A part of the requests is drawn for a table, and goes on where it excludes all of that one.
    fn pick_from(&mut self, drawn: usize, part: f64) {
        let others = (0..self.forecasts.len()).filter(|&at| at != drawn);
        let takes = |&at: &usize| self.takes(at);
        let Some(at) = std::iter::once(drawn).chain(others).find(takes) else { return };
        if let Some(chance) = self.chances.get_mut(at) {
            *chance += part;
        }
        let known = self.forecasts.get(at).map_or(PickReason::Strategy, |it| it.reason);
        self.is_elsewhere |= at != drawn;
        self.reason = if self.is_elsewhere { PickReason::Elsewhere } else { known };
    }

    /// Whether the request does not exclude all of a table.
    fn takes(&self, at: usize) -> bool {
        self.forecasts.get(at).is_some_and(|it| {
            it.chances.is_empty() || it.chances.iter().any(|&chance| chance > 0.0)
        })
    }

    fn is_anybody_left(&self) -> bool {
        self.chances.iter().any(|&chance| chance > 0.0)
    }

    fn members_chances(&self) -> Vec<Option<f64>> {
        let mut all = vec![Some(0.0); self.snapshot.members.len()];
        for ((forecast, part), members) in
            self.forecasts.iter().zip(&self.chances).zip(&self.members)
        {
            for (at, &member) in members.iter().enumerate() {
                if let Some(chance) = all.get_mut(member).filter(|_| *part > 0.0) {
                    *chance = forecast.chances.get(at).map(|chance| chance * part);
                }
            }
        }
        all
    }

    /// The member that is certain to be chosen, if one is.
    fn certain(&self) -> Option<usize> {
        self.members_chances().iter().position(|chance| chance.is_some_and(|it| it > 1.0 - 1e-9))
    }

    fn costs(&self) -> Vec<Option<f64>> {
        let mut costs = vec![None; self.snapshot.members.len()];
        for (forecast, members) in self.forecasts.iter().zip(&self.members) {
            for (&member, &known) in members.iter().zip(&forecast.costs) {
                if let Some(cost) = costs.get_mut(member) {
                    *cost = Some(known);
                }
            }
        }
        costs
    }
}
