//! How seats are taken, and with which weights.

use crate::outlier::{Panics, Rules};
use crate::ramp::scaled;
use crate::snapshot::grouping::Grouping;
use crate::snapshot::places::Place;
use crate::snapshot::seats::{Group, Seats};
use crate::units::Nanos;

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
        let mut seated: Vec<Seated> = groups
            .iter()
            .map(|group| Seated { is_served: is_disbelieved(group.key.tier), ..Seated::default() })
            .collect();
        for (member, place) in places.enumerate() {
            let group = sorted.group(member);
            let Some(taken) = group.and_then(|group| seated.get_mut(group)) else { continue };
            let stand = place.stand;
            if taken.is_served || !stand.standing.is_out() {
                let part = if taken.is_served { 1.0 } else { stand.part(rules, now) };
                taken.seat(member, stand.weight, part);
            }
        }
        let mut weights = Vec::with_capacity(groups.len());
        let mut warming = Vec::new();
        for (group, mut taken) in groups.iter_mut().zip(seated) {
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
struct Seated {
    /// Whether all are served as if they were well.
    is_served: bool,
    members: Vec<u32>,
    weights: Vec<u32>,
    /// Parts that are not whole, by seat.
    parts: Vec<(usize, f64)>,
}

impl Seated {
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
