//! The endpoints of a set by tier and zone, and which part of all requests goes to each.

use std::collections::BTreeMap;

use crate::endpoint::Attributes;
use crate::outlier::{Panics, Rotation, Rules};
use crate::snapshot::places::{Place, Stand};
use crate::snapshot::seats::Group;
use crate::tiers::{Callers, Capacity, GroupKey, Spill, by_zone, spill};
use crate::units::Nanos;

/// The endpoints that could be chosen were they well, by where they belong.
#[derive(Debug)]
pub(crate) struct Grouping {
    /// The most preferred first, as their groups are.
    tiers: Vec<Tier>,
    groups: Vec<(GroupKey, Capacity)>,
    /// The group of each place, or [`NOWHERE`].
    of: Vec<u32>,
    spill: Spill,
    callers: Callers,
    /// Whether zones are looked at.
    is_zoned: bool,
}

/// The group of whoever cannot be chosen.
const NOWHERE: u32 = u32::MAX;

/// A tier as it stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tier {
    pub(crate) tier: u32,
    pub(crate) rotation: Rotation,
    pub(crate) capacity: Capacity,
    /// The part of all requests that it takes.
    pub(crate) load: f64,
}

/// What is known of a group once all places were looked at.
#[derive(Clone, Copy, Default)]
struct Met {
    rotation: Rotation,
    capacity: Capacity,
}

impl Met {
    #[inline]
    fn count(&mut self, stand: &Stand, rules: &Rules, now: Nanos) {
        let whole = f64::from(stand.weight);
        let is_out = stand.standing.is_out();
        self.rotation.of += 1;
        self.rotation.out += usize::from(is_out);
        self.rotation.ejected += usize::from(stand.standing.is_ejected());
        self.capacity.whole += whole;
        self.capacity.fit += if is_out { 0.0 } else { whole * stand.part(rules, now) };
    }
}

impl Grouping {
    pub(crate) fn of<'a>(
        places: impl Iterator<Item = Place<'a>>,
        rules: &Rules,
        now: Nanos,
    ) -> Self {
        let tiering = rules.tiers.as_ref();
        // In the order in which they are met.
        let mut met: Vec<Met> = Vec::new();
        let mut known: BTreeMap<GroupKey, usize> = BTreeMap::new();
        let mut of = Vec::with_capacity(places.size_hint().0);
        let mut last: Option<(&Attributes, usize)> = None;
        for place in places {
            if !place.stand.is_in_rotation() {
                of.push(NOWHERE);
                continue;
            }
            // Neighbours mostly belong together.
            let at = match last {
                Some((attributes, at)) if attributes.is(place.attributes) => at,
                _ => {
                    let key = GroupKey::of(place.attributes, tiering);
                    *known.entry(key).or_insert(met.len())
                }
            };
            last = Some((place.attributes, at));
            of.push(at as u32);
            if at == met.len() {
                met.push(Met::default());
            }
            if let Some(met) = met.get_mut(at) {
                met.count(&place.stand, rules, now);
            }
        }
        // From here on in the order of preference, and numbered in it.
        let mut order = vec![NOWHERE; met.len()];
        let mut groups = Vec::with_capacity(met.len());
        let mut tiers: Vec<Tier> = Vec::new();
        for (number, (key, at)) in (0..).zip(known) {
            let Met { rotation, capacity } = met.get(at).copied().unwrap_or_default();
            if let Some(place) = order.get_mut(at) {
                *place = number;
            }
            match tiers.last_mut().filter(|tier| tier.tier == key.tier) {
                Some(tier) => {
                    tier.rotation = tier.rotation.plus(rotation);
                    tier.capacity = tier.capacity.plus(capacity);
                }
                None => tiers.push(Tier { tier: key.tier, rotation, capacity, load: 0.0 }),
            }
            groups.push((key, capacity));
        }
        if !order.is_sorted() {
            for of in of.iter_mut().filter(|of| **of != NOWHERE) {
                *of = order.get(*of as usize).copied().unwrap_or(NOWHERE);
            }
        }
        let capacities: Vec<_> = tiers.iter().map(|tier| tier.capacity).collect();
        let spill = spill(&capacities, tiering.map_or(1.0, |tiering| tiering.factor));
        for (tier, load) in tiers.iter_mut().zip(&spill.loads) {
            tier.load = *load;
        }
        let is_zoned = tiering.is_some_and(|tiering| tiering.zone.is_some());
        let callers = tiering.map(|tiering| tiering.callers).unwrap_or_default();
        Self { tiers, groups, of, spill, callers, is_zoned }
    }

    pub(crate) fn tiers(&self) -> &[Tier] {
        &self.tiers
    }

    pub(super) fn into_tiers(self) -> Box<[Tier]> {
        self.tiers.into()
    }

    /// In which tiers health is not believed at `now`. Where the tiers together can carry
    /// everything, none of them needs its sick.
    pub(crate) fn panics(&self, before: &Panics, rules: &Rules, now: Nanos) -> Panics {
        let rotations = self.tiers.iter().map(|tier| (tier.tier, tier.rotation));
        let is_relieved = self.tiers.len() > 1 && self.spill.is_carried;
        before.step(rotations, is_relieved, rules.panic, now)
    }

    pub(super) fn is_any_well(&self) -> bool {
        self.tiers.iter().any(|tier| tier.rotation.out < tier.rotation.of)
    }

    /// The group of a place; `None` if it cannot be chosen.
    #[inline]
    pub(super) fn group(&self, place: usize) -> Option<usize> {
        let group = self.of.get(place).filter(|&&group| group != NOWHERE)?;
        Some(*group as usize)
    }

    /// The groups, nobody seated yet, with the parts of all requests that they take. A tier whose
    /// health is not believed can carry as much as it could were it well.
    pub(super) fn groups(&self, is_disbelieved: impl Fn(u32) -> bool) -> Vec<Group> {
        let mut groups = Vec::with_capacity(self.groups.len());
        let by_tier = self.groups.chunk_by(|(a, _), (b, _)| a.tier == b.tier);
        for (of_tier, tier) in by_tier.zip(&self.tiers) {
            let is_whole = is_disbelieved(tier.tier);
            let carry = |(key, capacity): &(GroupKey, Capacity)| {
                (if is_whole { capacity.whole } else { capacity.fit }, key.zone.is_some())
            };
            let parts = if self.is_zoned {
                let carry: Vec<_> = of_tier.iter().map(carry).collect();
                let own = of_tier.iter().position(|(key, _)| !key.is_abroad);
                by_zone(&carry, own, self.callers)
            } else {
                vec![1.0]
            };
            for ((key, _), part) in of_tier.iter().zip(parts) {
                groups.push(Group::new(key.clone(), tier.load * part));
            }
        }
        groups
    }
}
