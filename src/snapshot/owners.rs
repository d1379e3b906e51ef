//! Whose keys there are: those who have a seat, and those who would have one.

use crate::outlier::Rules;
use crate::snapshot::seats::{Group, Place, Seats};
use crate::strategy::Owner;
use crate::tiers::GroupKey;

/// The owners of a group, in the order of `places`, which is that of the ids. What an operator has
/// drained or switched off is among them: it owns its keys until it is removed.
pub(super) fn owners<'p>(
    places: impl Iterator<Item = Place<'p>>,
    group: &Group,
    seats: &Seats,
    rules: &Rules,
) -> Vec<Owner> {
    let mut seated = group.seats.iter().enumerate().peekable();
    let owner = |(member, place): (usize, Place<'_>)| {
        while seated.next_if(|(_, (at, _))| *at < member).is_some() {}
        let seat = seated.peek().filter(|(_, (at, _))| *at == member);
        let seat = seat.map(|&(index, _)| (index, seats.part(member)));
        let attributes = place.attributes;
        let belongs = place.stand.weight > 0
            && (seat.is_some() || GroupKey::of(attributes, rules.tiers.as_ref()) == group.key);
        belongs.then(|| Owner::new(attributes.id.clone(), place.stand.weight, seat))
    };
    places.enumerate().filter_map(owner).collect()
}
