//! Who takes part in the pickers' tables.

use crate::snapshot::grouping::Tier;
use crate::tiers::GroupKey;

/// The members that may be chosen, by position.
#[derive(Debug)]
pub(crate) struct Seats {
    /// In the order of preference.
    pub(super) groups: Box<[Group]>,
    pub(super) tiers: Box<[Tier]>,
    /// Those of them who warm up, and what their weights are multiplied by; in their order.
    pub(super) warming: Box<[(u32, f64)]>,
}

/// Members that are picked among together.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) key: GroupKey,
    /// The part of all requests that goes to them.
    pub(crate) load: f64,
    /// In the order of the set.
    pub(crate) members: Box<[u32]>,
    /// The sum of their weights, were all parts whole.
    pub(super) weights: u64,
}

impl Seats {
    /// All groups, the most preferred first, also those in which nobody has a seat.
    pub(super) fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// The groups in which somebody has a seat.
    pub(super) fn taken(&self) -> impl Iterator<Item = &Group> {
        self.groups.iter().filter(|group| !group.members.is_empty())
    }

    /// The tiers that have somebody, the most preferred first.
    pub(crate) fn tiers(&self) -> &[Tier] {
        &self.tiers
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.groups.iter().map(|group| group.members.len()).sum()
    }

    /// How many are picked among together with the member at this place.
    pub(crate) fn beside(&self, member: usize) -> usize {
        self.group(member).map_or(0, |group| group.members.len())
    }

    /// Whether nobody warms up.
    pub(super) fn is_whole(&self) -> bool {
        self.warming.is_empty()
    }

    /// The part of its weight that a member has now: 0 if it has no seat.
    pub(crate) fn part(&self, member: usize) -> f64 {
        if self.group(member).is_none() {
            return 0.0;
        }
        let warms = self.warming.binary_search_by_key(&member, |&(warming, _)| warming as usize);
        warms.ok().and_then(|at| self.warming.get(at)).map_or(1.0, |&(_, part)| part)
    }

    /// The part of all requests that a member of this weight would get, were nobody warming up: 0 if
    /// it has no seat.
    pub(crate) fn fair(&self, member: usize, weight: u32) -> f64 {
        let fair = |group: &Group| group.load * f64::from(weight) / group.weights as f64;
        self.group(member).map_or(0.0, fair)
    }

    pub(super) fn group(&self, member: usize) -> Option<&Group> {
        let is_in = |group: &&Group| {
            group.members.binary_search_by_key(&member, |&seated| seated as usize).is_ok()
        };
        self.groups.iter().find(is_in)
    }
}

impl Group {
    pub(super) fn new(key: GroupKey, load: f64) -> Self {
        Self { key, load, members: Box::default(), weights: 0 }
    }
}
