//! Who takes part in the pickers' tables, and with which weight.

use crate::endpoint::Attributes;
use crate::outlier::{Panics, Phase, Rotation, Rules, Standing};
use crate::ramp::scaled;
use crate::snapshot::Member;
use crate::snapshot::grouping::{Grouping, Tier};
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
    pub(crate) stand: Stand,
}

impl Stand {
    pub(crate) fn is_in_rotation(self) -> bool {
        self.enabled && self.weight > 0
    }

    /// The same endpoint, were it well.
    pub(crate) fn well(self) -> Self {
        Self { standing: Standing::default(), ..self }
    }

    /// The part of its weight that its ramp gives it.
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
    /// The same endpoint, were it well.
    pub(crate) fn well(self) -> Self {
        Self { stand: self.stand.well(), ..self }
    }
}

/// The members that may be chosen, by position, with the weights they are chosen by.
#[derive(Debug)]
pub(crate) struct Seats {
    /// In the order of the members.
    taken: Box<[Seat]>,
    /// In the order of preference.
    groups: Box<[Group]>,
    tiers: Box<[Tier]>,
}

#[derive(Clone, Copy, Debug)]
struct Seat {
    member: usize,
    group: usize,
    weight: u32,
    /// What its weight is multiplied by while it warms up.
    part: f64,
}

/// Seats that are picked among together.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) key: GroupKey,
    /// The part of all requests that goes to them.
    pub(crate) load: f64,
    /// The members and the weights they are chosen by, in the order of the members.
    pub(crate) seats: Box<[(usize, u32)]>,
    /// The sum of their weights, were all parts whole.
    weights: u64,
}

impl Seats {
    pub(super) fn of(places: &[Place<'_>], panics: &Panics, rules: &Rules, now: Nanos) -> Self {
        let sorted = Grouping::of(places, rules, now);
        let is_any_well = sorted.is_any_well();
        // In panic the sick are served as if they were well, and so are those who warm up: they
        // are the better ones.
        let is_disbelieved =
            |tier: u32| panics.of(tier).is_on() && (rules.serve_all || is_any_well);
        let mut groups = sorted.groups(is_disbelieved);
        let mut taken = Vec::with_capacity(places.len());
        for (member, at) in sorted.members() {
            let Some((place, group)) = places.get(member).zip(groups.get(at)) else { continue };
            let stand = place.stand;
            let is_served = is_disbelieved(group.key.tier);
            if is_served || !stand.standing.is_out() {
                let part = if is_served { 1.0 } else { stand.part(rules, now) };
                taken.push(Seat { member, group: at, weight: stand.weight, part });
            }
        }
        seat(&taken, &mut groups);
        Self { taken: taken.into(), groups: groups.into(), tiers: sorted.into_tiers() }
    }

    /// The seats of a set whose endpoints are all well.
    pub(super) fn intended(places: &[Place<'_>], rules: &Rules) -> Self {
        let places: Vec<_> = places.iter().map(|place| place.well()).collect();
        Self::of(&places, &Panics::default(), rules, Nanos(0))
    }

    /// All groups, the most preferred first, also those in which nobody has a seat.
    pub(super) fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// The tiers that have somebody, the most preferred first.
    pub(crate) fn tiers(&self) -> &[Tier] {
        &self.tiers
    }

    /// Whether nobody warms up.
    pub(super) fn is_whole(&self) -> bool {
        self.taken.iter().all(|seat| seat.part >= 1.0)
    }

    /// The part of its weight that a member has now: 0 if it has no seat.
    pub(crate) fn part(&self, member: usize) -> f64 {
        self.seat(member).map_or(0.0, |seat| seat.part)
    }

    /// The part of all requests that a member would get, were nobody warming up: 0 if it has no
    /// seat.
    pub(crate) fn fair(&self, member: usize) -> f64 {
        let fair = |seat: &Seat| {
            let group = self.groups.get(seat.group)?;
            Some(group.load * f64::from(seat.weight) / group.weights as f64)
        };
        self.seat(member).and_then(fair).unwrap_or(0.0)
    }

    fn seat(&self, member: usize) -> Option<&Seat> {
        let at = self.taken.binary_search_by_key(&member, |seat| seat.member).ok()?;
        self.taken.get(at)
    }
}

impl Group {
    pub(super) fn new(key: GroupKey, load: f64) -> Self {
        Self { key, load, seats: Box::default(), weights: 0 }
    }
}

/// Seats those who are `taken` with their groups.
fn seat(taken: &[Seat], groups: &mut [Group]) {
    let mut seated: Vec<Vec<&Seat>> = vec![Vec::new(); groups.len()];
    for seat in taken {
        if let Some(seated) = seated.get_mut(seat.group) {
            seated.push(seat);
        }
    }
    for (group, seated) in groups.iter_mut().zip(seated) {
        let parts: Vec<_> = seated.iter().map(|seat| (seat.weight, seat.part)).collect();
        group.weights = parts.iter().map(|&(weight, _)| u64::from(weight)).sum();
        group.seats = seated.iter().map(|seat| seat.member).zip(scaled(&parts)).collect();
    }
}

/// When somebody's share grows next.
pub(super) fn next_step<T>(members: &[Member<T>], rules: &Rules, now: Nanos) -> Nanos {
    let warming = |member: &Member<T>| {
        member.is_in_rotation() && matches!(member.standing().phase, Phase::Warming { .. })
    };
    if members.iter().any(warming) { rules.ramp.next(now) } else { Nanos::NEVER }
}
