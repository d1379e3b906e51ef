//! What a strategy sees of all endpoints, those that are out among them.

use crate::units::EndpointId;

/// An endpoint that keys may belong to, whether it can be chosen at present or not.
///
/// Those of weight zero are none: they own nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct Owner {
    id: EndpointId,
    weight: u32,
    seat: Option<(usize, f64)>,
}

impl Owner {
    pub(crate) fn new(id: EndpointId, weight: u32, seat: Option<(usize, f64)>) -> Self {
        Self { id, weight, seat }
    }

    /// Its identity.
    #[must_use]
    pub fn id(&self) -> &EndpointId {
        &self.id
    }

    /// Its whole weight, above zero, also while it warms up.
    #[must_use]
    pub fn weight(&self) -> u32 {
        self.weight
    }

    /// Its index among the candidates; `None` while it must not be chosen.
    #[must_use]
    pub fn seat(&self) -> Option<usize> {
        self.seat.map(|(index, _)| index)
    }

    /// The part of its weight that it is given now, from 0 to 1: below 1 while it warms up, 0 while
    /// it must not be chosen.
    #[must_use]
    pub fn part(&self) -> f64 {
        self.seat.map_or(0.0, |(_, part)| part)
    }
}
