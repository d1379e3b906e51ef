//! Who takes part in the pickers' tables, and with which weight.

use crate::endpoint::{Attributes, EndpointCell};
use crate::outlier::{Panics, Phase, Rotation, Rules, Standing};
use crate::ramp::scaled;
use crate::snapshot::grouping::{Grouping, Tier};
use crate::strategy::Candidate;
use crate::sync::Arc;
use crate::tiers::GroupKey;
use crate::units::Nanos;

/// All of an endpoint that decides about its seat, but for its place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stand {
    pub(crate) weight: u32,
    /// Whether operators let it take something new.
    pub(crate) enabled: bool,
    pub(crate) standing: Standing,
}

/// An endpoint on its way to a seat: where it belongs and how it stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    pub(crate) attributes: &'a Attributes,
    pub(crate) cell: &'a Arc<EndpointCell>,
    pub(crate) stand: Stand,
}

impl Stand {
    pub(crate) fn is_in_rotation(self) -> bool {
        self.enabled && self.weight > 0
    }

    /// An endpoint that is well and that nobody keeps from anything.
    #[inline]
    pub(crate) fn well(weight: u32) -> Self {
        Self { weight, enabled: true, standing: Standing::default() }
    }

    /// The part of its weight that its ramp gives it.
    #[inline]
    pub(crate) fn part(self, rules: &Rules, now: Nanos) -> f64 {
        match self.standing.phase {
            Phase::Warming { since } => rules.ramp.part(since, now),
            _ => 1.0,
        }
    }

    /// How many of `stands` could be chosen were they well, and how many of them are out.
    pub(crate) fn rotation(stands: impl IntoIterator<Item = Self>) -> Rotation {
        let rotation = stands.into_iter().filter(|stand| stand.is_in_rotation());
        rotation.fold(Rotation::default(), |sum, stand| Rotation {
            of: sum.of + 1,
            out: sum.out + usize::from(stand.standing.is_out()),
            ejected: sum.ejected + usize::from(stand.standing.is_ejected()),
        })
    }
}

impl Place<'_> {
    /// It as a strategy sees it.
    pub(crate) fn candidate(&self, weight: u32) -> Candidate {
        Candidate::new(self.attributes.clone(), Arc::clone(self.cell), weight)
    }

    /// The same endpoint, were it well.
    pub(crate) fn well(self) -> Self {
        let stand = Stand { standing: Standing::default(), ..self.stand };
        Self { stand, ..self }
    }
}

/// The members that may be chosen, by position.
#[derive(Debug)]
pub(crate) struct Seats {
    /// In the order of preference.
    groups: Box<[Group]>,
    tiers: Box<[Tier]>,
    /// Those of them who warm up, and what their weights are multiplied by; in their order.
    warming: Box<[(u32, f64)]>,
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
    weights: u64,
}

/// Seats as they are taken: also by which weights the members of each group are chosen. Candidates
/// carry these from then on.
pub(super) struct Seating {
    pub(super) seats: Seats,
    pub(super) weights: Vec<Vec<u32>>,
}

impl Seating {
    /// Seats `places`, which are sorted already.
    pub(super) fn of<'a>(
        places: impl Iterator<Item = Place<'a>>,
        sorted: Grouping,
        panics: &Panics,
        rules: &Rules,
        now: Nanos,
    ) -> Self {
        let is_any_well = sorted.is_any_well();
        // In panic the sick are served as if they were well, and so are those who warm up: they
        // are the better ones.
        let is_disbelieved =
            |tier: u32| panics.of(tier).is_on() && (rules.serve_all || is_any_well);
        let mut groups = sorted.groups(is_disbelieved);
        let mut taken: Vec<Taken> = groups
            .iter()
            .map(|group| Taken { is_served: is_disbelieved(group.key.tier), ..Taken::default() })
            .collect();
        for (member, place) in places.enumerate() {
            let group = sorted.group(member);
            let Some(taken) = group.and_then(|group| taken.get_mut(group)) else { continue };
            let stand = place.stand;
            if taken.is_served || !stand.standing.is_out() {
                let part = if taken.is_served { 1.0 } else { stand.part(rules, now) };
                taken.seat(member, stand.weight, part);
            }
        }
        let mut weights = Vec::with_capacity(groups.len());
        let mut warming = Vec::new();
        for (group, mut taken) in groups.iter_mut().zip(taken) {
            group.weights = taken.weights.iter().map(|&weight| u64::from(weight)).sum();
            weights.push(taken.scaled());
            warming.extend(
                taken.parts.iter().filter_map(|&(at, part)| Some((*taken.members.get(at)?, part))),
            );
            group.members = taken.members.into();
        }
        warming.sort_unstable_by_key(|&(member, _)| member);
        let (groups, tiers) = (groups.into(), sorted.into_tiers());
        Self { seats: Seats { groups, tiers, warming: warming.into() }, weights }
    }

    /// The seats of a set whose endpoints are all well.
    pub(super) fn intended<'a>(
        places: impl Iterator<Item = Place<'a>> + Clone,
        rules: &Rules,
    ) -> Self {
        let places = places.map(Place::well);
        let sorted = Grouping::of(places.clone(), rules, Nanos(0));
        Self::of(places, sorted, &Panics::default(), rules, Nanos(0))
    }

    /// The groups in which somebody has a seat, with the weights of their members.
    pub(super) fn groups(&self) -> impl Iterator<Item = (&Group, &[u32])> {
        let groups = self.seats.groups.iter().zip(&self.weights);
        let taken = groups.filter(|(group, _)| !group.members.is_empty());
        taken.map(|(group, weights)| (group, weights.as_slice()))
    }
}

/// Seats of a group.
#[derive(Default)]
struct Taken {
    /// Whether all are served as if they were well.
    is_served: bool,
    members: Vec<u32>,
    weights: Vec<u32>,
    /// Parts that are not whole, by seat.
    parts: Vec<(usize, f64)>,
}

impl Taken {
    #[inline]
    fn seat(&mut self, member: usize, weight: u32, part: f64) {
        if part < 1.0 {
            self.parts.push((self.members.len(), part));
        }
        self.members.push(member as u32);
        self.weights.push(weight);
    }

    /// The weights that stand for the parts.
    fn scaled(&mut self) -> Vec<u32> {
        if self.parts.is_empty() {
            return std::mem::take(&mut self.weights);
        }
        let mut parts: Vec<_> = self.weights.iter().map(|&weight| (weight, 1.0)).collect();
        for &(at, part) in &self.parts {
            if let Some((_, whole)) = parts.get_mut(at) {
                *whole = part;
            }
        }
        scaled(&parts)
    }
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

    fn group(&self, member: usize) -> Option<&Group> {
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
