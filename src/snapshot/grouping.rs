//! The endpoints of a set by tier and zone, and which part of all requests goes to each.

use crate::outlier::{Panics, Rotation, Rules};
use crate::snapshot::seats::{Group, Place};
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

impl Grouping {
    pub(crate) fn of<'a>(
        places: impl Iterator<Item = Place<'a>> + Clone,
        rules: &Rules,
        now: Nanos,
    ) -> Self {
        let tiering = rules.tiers.as_ref();
        let mut keys: Vec<GroupKey> = Vec::new();
        for place in places.clone() {
            // Neighbours mostly belong together.
            let is_in_rotation = place.stand.is_in_rotation();
            if is_in_rotation && keys.last().is_none_or(|key| !key.is_of(place.attributes, tiering))
            {
                keys.push(GroupKey::of(place.attributes, tiering));
            }
        }
        keys.sort_unstable();
        keys.dedup();
        let mut groups: Vec<_> = keys.into_iter().map(|key| (key, Capacity::default())).collect();
        let mut tiers: Vec<Tier> = Vec::new();
        for (key, _) in &groups {
            if tiers.last().is_none_or(|last| last.tier != key.tier) {
                let (rotation, capacity) = Default::default();
                tiers.push(Tier { tier: key.tier, rotation, capacity, load: 0.0 });
            }
        }
        let mut of = Vec::with_capacity(places.size_hint().0);
        // Of the place before: its group, and the tier of that. The first group is of the first tier.
        let (mut last, mut at) = (0, 0);
        for place in places {
            if !place.stand.is_in_rotation() {
                of.push(NOWHERE);
                continue;
            }
            if groups.get(last).is_none_or(|(key, _)| !key.is_of(place.attributes, tiering)) {
                let key = GroupKey::of(place.attributes, tiering);
                last = groups.binary_search_by(|(known, _)| known.cmp(&key)).unwrap_or(last);
                let tier = tiers.binary_search_by_key(&key.tier, |tier| tier.tier);
                at = tier.unwrap_or(at);
            }
            of.push(last as u32);
            let whole = f64::from(place.stand.weight);
            let is_out = place.stand.standing.is_out();
            let fit = if is_out { 0.0 } else { whole * place.stand.part(rules, now) };
            let tier = tiers.get_mut(at);
            let group = groups.get_mut(last).map(|(_, capacity)| capacity);
            if let Some((tier, group)) = tier.zip(group) {
                tier.rotation.of += 1;
                tier.rotation.out += usize::from(is_out);
                tier.rotation.ejected += usize::from(place.stand.standing.is_ejected());
                for capacity in [&mut tier.capacity, group] {
                    capacity.whole += whole;
                    capacity.fit += fit;
                }
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
