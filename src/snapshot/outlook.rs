//! Who would get what: shares computed by the picker that would serve them.

use crate::endpoint::{Attributes, EndpointCell};
use crate::snapshot::build::prepare;
use crate::snapshot::{Chosen, Ground, Snapshot, StrategyPanicked};
use crate::strategy::Candidate;
use crate::sync::Arc;
use crate::units::EndpointId;

/// An endpoint of a set that is only thought of.
pub(crate) struct Thought {
    pub(crate) attributes: Arc<Attributes>,
    pub(crate) cell: Arc<EndpointCell>,
    pub(crate) weight: u32,
    /// Whether operators let it take something new.
    pub(crate) enabled: bool,
}

/// The share of each endpoint of a set while all that are enabled are healthy and equally loaded,
/// in the order of the ids.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Outlook {
    pub(crate) shares: Vec<(EndpointId, f64)>,
    /// How many are enabled, whatever their weight.
    pub(crate) enabled: usize,
}

impl Outlook {
    pub(crate) fn of<T>(snapshot: &Snapshot<T>) -> Self {
        let ids = snapshot.members.iter().map(|member| member.id().clone());
        let enabled = snapshot.members.iter().filter(|member| member.said.admits()).count();
        Self { shares: ids.zip(snapshot.shares()).collect(), enabled }
    }

    /// The outlook for `thoughts`, which are in the order of their ids.
    pub(crate) fn of_thoughts(
        chosen: &Chosen,
        ground: &Ground,
        thoughts: &[Thought],
    ) -> Result<Self, StrategyPanicked> {
        let admitted = |thought: &&Thought| thought.enabled && thought.weight > 0;
        let candidates: Vec<Candidate> = thoughts
            .iter()
            .filter(admitted)
            .map(|it| Candidate::new(Arc::clone(&it.attributes), Arc::clone(&it.cell), it.weight))
            .collect();
        let prepared = prepare(chosen, ground, &candidates)?;
        let mut parts = prepared.shares.into_iter();
        let share = |thought: &Thought| {
            let part = if admitted(&thought) { parts.next() } else { None };
            (thought.attributes.id.clone(), part.unwrap_or(0.0))
        };
        let shares = thoughts.iter().map(share).collect();
        let enabled = thoughts.iter().filter(|thought| thought.enabled).count();
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
        self.shares.iter().filter_map(move |(id, after)| {
            let rise = Rise { id: id.clone(), before: before.share(id), after: *after, fair };
            let (more, much) =
                (rise.after > rise.before + NOISE, rise.after > limit.max(fair) + NOISE);
            (more && much).then_some(rise)
        })
    }
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
