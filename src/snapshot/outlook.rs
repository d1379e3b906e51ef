//! Who would get what: shares computed by the picker that would serve them.

use crate::endpoint::{Attributes, EndpointCell};
use crate::outlier::Rules;
use crate::snapshot::grouping::Grouping;
use crate::snapshot::owners::owners;
use crate::snapshot::places::{Place, Stand};
use crate::snapshot::seating::Seating;
use crate::snapshot::stores::Supply;
use crate::snapshot::tables::{Prepared, prepare};
use crate::snapshot::{Bounds, Chosen, Cursors, Member, Snapshot, StrategyPanicked};
use crate::strategy::Stock;
use crate::sync::Arc;
use crate::units::{EndpointId, Nanos};

/// An endpoint of a set that is only thought of.
pub(crate) struct Thought {
    pub(crate) attributes: Attributes,
    pub(crate) cell: Arc<EndpointCell>,
    pub(crate) stand: Stand,
}

impl Thought {
    pub(crate) fn of<T>(member: &Member<T>) -> Self {
        Self {
            attributes: member.attributes.clone(),
            cell: Arc::clone(&member.bound.cell),
            stand: member.stand(),
        }
    }

    fn place(&self) -> Place<'_> {
        Place { attributes: &self.attributes, cell: &self.cell, stand: self.stand }
    }
}

/// The share of each endpoint of a set while all that take part are equally loaded, in the order of
/// the ids.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Outlook<'a> {
    pub(crate) shares: Vec<(&'a EndpointId, f64)>,
    /// How many are enabled, whatever their weight.
    pub(crate) enabled: usize,
}

impl<'a> Outlook<'a> {
    /// What is intended: the shares of a set whose endpoints are all well.
    pub(crate) fn intended<T>(snapshot: &'a Snapshot<T>) -> Result<Self, StrategyPanicked> {
        if snapshot.is_as_intended() {
            return Ok(Self::now(snapshot));
        }
        let Snapshot { chosen, cursors, members, rules, .. } = snapshot;
        let supply = Supply::of(snapshot);
        Self::of_places(chosen, cursors, members.iter().map(Member::place), rules, supply)
    }

    /// What is intended, as weights say it, whatever the strategy makes of them: at no cost.
    pub(crate) fn by_weight<T>(snapshot: &'a Snapshot<T>) -> Self {
        let places = snapshot.members.iter().map(Member::place);
        let seating = Seating::intended(places.clone(), &snapshot.rules);
        let mut shares: Vec<_> = places.clone().map(|place| (place.cell.id(), 0.0)).collect();
        for (group, weights) in seating.groups() {
            let sum: f64 = weights.iter().copied().map(f64::from).sum();
            for (&at, &weight) in group.members.iter().zip(weights) {
                if let Some((_, share)) = shares.get_mut(at as usize) {
                    *share = group.load * f64::from(weight) / sum;
                }
            }
        }
        Self { shares, enabled: snapshot.enabled }
    }

    /// What is intended with `thoughts`, which are in the order of their ids.
    pub(crate) fn of_thoughts(
        chosen: &Chosen,
        cursors: &Cursors,
        thoughts: &'a [Thought],
        rules: &Rules,
    ) -> Result<Self, StrategyPanicked> {
        let places = thoughts.iter().map(Thought::place);
        Self::of_places(chosen, cursors, places, rules, Supply::NONE)
    }

    /// What is intended with these, which are in the order of their ids. Where the supply has no wheel
    /// for them, and none may be built: the most that anybody can get.
    pub(crate) fn of_places(
        chosen: &Chosen,
        cursors: &Cursors,
        places: impl Iterator<Item = Place<'a>> + Clone,
        rules: &Rules,
        supply: Supply<'_>,
    ) -> Result<Self, StrategyPanicked> {
        let seating = Seating::intended(places.clone(), rules);
        Self::seated(chosen, cursors, &places.collect::<Vec<_>>(), &seating, rules, supply)
    }

    /// What `thoughts` would make of the shares at `now`, within these bounds, while health is as it
    /// is.
    pub(crate) fn of_thoughts_now(
        chosen: &Chosen,
        cursors: &Cursors,
        thoughts: &'a [Thought],
        bounds: Bounds<'_>,
        now: Nanos,
    ) -> Result<Self, StrategyPanicked> {
        let mut stands: Vec<_> = thoughts.iter().map(|thought| thought.stand).collect();
        bounds.keep(&mut stands, now);
        let mut places: Vec<_> = thoughts.iter().map(Thought::place).collect();
        places.iter_mut().zip(stands).for_each(|(place, stand)| place.stand = stand);
        let sorted = Grouping::of(places.iter().copied(), bounds.rules, now);
        let panics = sorted.panics(bounds.panics, bounds.rules, now);
        let seating = Seating::of(places.iter().copied(), sorted, &panics, bounds.rules, now);
        Self::seated(chosen, cursors, &places, &seating, bounds.rules, Supply::NONE)
    }

    /// The shares as they are, with those who are out and those who warm up.
    pub(crate) fn now<T>(snapshot: &'a Snapshot<T>) -> Self {
        let ids = snapshot.members.iter().map(Member::id);
        Self { shares: ids.zip(snapshot.shares()).collect(), enabled: snapshot.enabled }
    }

    fn seated(
        chosen: &Chosen,
        cursors: &Cursors,
        places: &[Place<'a>],
        seating: &Seating,
        rules: &Rules,
        supply: Supply<'_>,
    ) -> Result<Self, StrategyPanicked> {
        let mut shares: Vec<_> = places.iter().map(|place| (place.cell.id(), 0.0)).collect();
        for (group, weights) in seating.groups() {
            let seats = group.members.iter().zip(weights);
            let candidate = |(&at, &weight)| Some(places.get(at as usize)?.candidate(weight));
            let candidates: Vec<_> = seats.filter_map(candidate).collect();
            let owners = || owners(places.iter().copied(), group, &seating.seats, rules);
            let stock = Stock::new(supply.carried(&group.key), supply.may_build());
            let Prepared { shares: picked, used, .. } =
                prepare(chosen, cursors.any(), &candidates, &owners, stock)?;
            for (&at, picked) in group.members.iter().zip(picked) {
                if let Some((_, share)) = shares.get_mut(at as usize) {
                    *share = group.load * used.lag.unwrap_or(picked);
                }
            }
        }
        let enabled = places.iter().filter(|place| place.stand.enabled).count();
        Ok(Self { shares, enabled })
    }

    pub(crate) fn share(&self, id: &EndpointId) -> f64 {
        let at = self.shares.binary_search_by(|&(known, _)| known.cmp(id));
        at.ok().and_then(|at| self.shares.get(at)).map_or(0.0, |&(_, share)| share)
    }

    /// What each would get of an even split.
    pub(crate) fn fair(&self) -> f64 {
        fair(self.enabled)
    }

    /// Whether a share of this outlook is more than both `limit` and a fair one.
    pub(crate) fn is_much(&self, share: f64, limit: f64) -> bool {
        is_much(share, limit, self.fair())
    }

    /// Whether nobody gets more than both `limit` and a fair share.
    pub(crate) fn is_within(&self, limit: f64) -> bool {
        let fair = fair(self.enabled);
        !self.shares.iter().any(|&(_, share)| is_much(share, limit, fair))
    }

    /// Endpoints that get more here than `before`, and more than both `limit` and a fair share.
    pub(crate) fn rises<'o>(
        &'o self,
        before: &'o Outlook<'_>,
        limit: f64,
    ) -> impl Iterator<Item = Rise> + 'o {
        let fair = fair(self.enabled);
        // Hardly anybody gets so much, so that hardly anybody is looked up.
        let much = self.shares.iter().filter(move |&&(_, after)| is_much(after, limit, fair));
        much.filter_map(move |&(id, after)| {
            let rise = Rise { id: id.clone(), before: before.share(id), after, fair };
            rise.is_more_than(rise.before).then_some(rise)
        })
    }
}

impl<T> Snapshot<T> {
    /// Whether nobody is meant to get more than both `limit` and a fair share. Where that cannot be
    /// seen at once, somebody may.
    pub(crate) fn is_within(&self, limit: f64) -> bool {
        self.is_as_intended() && !is_much(self.largest_share(), limit, fair(self.enabled))
    }
}

/// What each would get of an even split.
fn fair(enabled: usize) -> f64 {
    1.0 / enabled.max(1) as f64
}

fn is_much(share: f64, limit: f64, fair: f64) -> bool {
    share > limit.max(fair) + NOISE
}

/// What is no difference between shares.
const NOISE: f64 = 1e-9;

/// An endpoint that a change gives too much.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Rise {
    pub(crate) id: EndpointId,
    pub(crate) before: f64,
    pub(crate) after: f64,
    /// What each would get of an even split.
    pub(crate) fair: f64,
}

impl Rise {
    /// Whether it is more than `limit` and more than a fair share.
    pub(crate) fn exceeds(&self, limit: f64) -> bool {
        self.is_more_than(limit.max(self.fair))
    }

    pub(crate) fn is_more_than(&self, share: f64) -> bool {
        self.after > share + NOISE
    }
}
