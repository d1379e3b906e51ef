//! Who would get what: shares computed by the picker that would serve them.

use crate::endpoint::{Attributes, EndpointCell};
use crate::outlier::Rules;
use crate::snapshot::grouping::Grouping;
use crate::snapshot::owners::owners;
use crate::snapshot::seats::{Place, Seats, Stand};
use crate::snapshot::tables::{Prepared, prepare, spread};
use crate::snapshot::{Bounds, Chosen, Cursors, Member, Snapshot, StrategyPanicked};
use crate::strategy::Candidate;
use crate::sync::Arc;
use crate::units::{EndpointId, Nanos};

/// An endpoint of a set that is only thought of.
pub(crate) struct Thought {
    pub(crate) attributes: Arc<Attributes>,
    pub(crate) cell: Arc<EndpointCell>,
    pub(crate) stand: Stand,
}

impl Thought {
    pub(crate) fn of<T>(member: &Member<T>) -> Self {
        Self {
            attributes: Arc::clone(&member.attributes),
            cell: Arc::clone(&member.bound.cell),
            stand: member.stand(),
        }
    }

    fn place(&self) -> Place<'_> {
        Place { attributes: &self.attributes, stand: self.stand }
    }
}

/// The share of each endpoint of a set while all that take part are equally loaded, in the order of
/// the ids.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Outlook {
    pub(crate) shares: Vec<(EndpointId, f64)>,
    /// How many are enabled, whatever their weight.
    pub(crate) enabled: usize,
}

impl Outlook {
    /// What is intended: the shares of a set whose endpoints are all well.
    pub(crate) fn intended<T>(snapshot: &Snapshot<T>) -> Result<Self, StrategyPanicked> {
        if snapshot.seats.is_whole() && snapshot.rotation.out == 0 {
            return Ok(Self::now(snapshot));
        }
        let thoughts: Vec<_> = snapshot.members.iter().map(|member| Thought::of(member)).collect();
        Self::of_thoughts(&snapshot.chosen, &snapshot.cursors, &thoughts, &snapshot.rules)
    }

    /// What is intended with `thoughts`, which are in the order of their ids.
    pub(crate) fn of_thoughts(
        chosen: &Chosen,
        cursors: &Cursors,
        thoughts: &[Thought],
        rules: &Rules,
    ) -> Result<Self, StrategyPanicked> {
        let seats = Seats::intended(&places(thoughts), rules);
        Self::seated(chosen, cursors, thoughts, &seats, rules)
    }

    /// What `thoughts` would make of the shares at `now`, within these bounds, while health is as it
    /// is.
    pub(crate) fn of_thoughts_now(
        chosen: &Chosen,
        cursors: &Cursors,
        thoughts: &[Thought],
        bounds: Bounds<'_>,
        now: Nanos,
    ) -> Result<Self, StrategyPanicked> {
        let mut stands: Vec<_> = thoughts.iter().map(|thought| thought.stand).collect();
        bounds.keep(&mut stands, now);
        let mut places = places(thoughts);
        places.iter_mut().zip(stands).for_each(|(place, stand)| place.stand = stand);
        let panics =
            Grouping::of(&places, bounds.rules, now).panics(bounds.panics, bounds.rules, now);
        let seats = Seats::of(&places, &panics, bounds.rules, now);
        Self::seated(chosen, cursors, thoughts, &seats, bounds.rules)
    }

    /// The shares as they are, with those who are out and those who warm up.
    pub(crate) fn now<T>(snapshot: &Snapshot<T>) -> Self {
        let ids = snapshot.members.iter().map(|member| member.id().clone());
        let enabled = snapshot.members.iter().filter(|member| member.said.admits()).count();
        Self { shares: ids.zip(snapshot.shares()).collect(), enabled }
    }

    fn seated(
        chosen: &Chosen,
        cursors: &Cursors,
        thoughts: &[Thought],
        seats: &Seats,
        rules: &Rules,
    ) -> Result<Self, StrategyPanicked> {
        let candidate = |&(at, weight): &(usize, u32)| {
            let Thought { attributes, cell, .. } = thoughts.get(at)?;
            Some(Candidate::new(Arc::clone(attributes), Arc::clone(cell), weight))
        };
        let unseated = |thought: &Thought| (thought.attributes.id.clone(), 0.0);
        let mut shares: Vec<_> = thoughts.iter().map(unseated).collect();
        for group in seats.groups().iter().filter(|group| !group.seats.is_empty()) {
            let candidates: Vec<_> = group.seats.iter().filter_map(candidate).collect();
            let owners = || owners(thoughts.iter().map(Thought::place), group, seats, rules);
            let cursor = cursors.any();
            let prepared = prepare(chosen, cursor, &candidates, &owners)?;
            let Prepared { shares: picked, .. } = prepared;
            for (at, picked) in spread(group, &picked) {
                if let Some((_, share)) = shares.get_mut(at) {
                    *share = picked;
                }
            }
        }
        let enabled = thoughts.iter().filter(|thought| thought.stand.enabled).count();
        Ok(Self { shares, enabled })
    }

    pub(crate) fn share(&self, id: &EndpointId) -> f64 {
        let at = self.shares.binary_search_by(|(known, _)| known.cmp(id));
        at.ok().and_then(|at| self.shares.get(at)).map_or(0.0, |&(_, share)| share)
    }

    /// Endpoints that get more here than `before`, and more than both `limit` and a fair share.
    pub(crate) fn rises<'a>(
        &'a self,
        before: &'a Self,
        limit: f64,
    ) -> impl Iterator<Item = Rise> + 'a {
        let fair = 1.0 / self.enabled.max(1) as f64;
        // Hardly anybody gets so much, so that hardly anybody is looked up.
        let much = self.shares.iter().filter(move |&&(_, after)| after > limit.max(fair) + NOISE);
        much.filter_map(move |(id, after)| {
            let rise = Rise { id: id.clone(), before: before.share(id), after: *after, fair };
            rise.is_more_than(rise.before).then_some(rise)
        })
    }
}

fn places(thoughts: &[Thought]) -> Vec<Place<'_>> {
    thoughts.iter().map(Thought::place).collect()
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
