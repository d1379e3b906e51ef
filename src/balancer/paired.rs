//! Endpoints as they are sent, and which of those there are each of them is.

use std::cmp::Ordering;

use crate::endpoint::{Endpoint, EndpointSpec};
use crate::error::UpdateError;
use crate::snapshot::{Member, Snapshot};
use crate::sync::Arc;
use crate::units::EndpointId;

/// An endpoint as it is sent: with a target, or with a description of one.
pub(crate) enum Offer<T> {
    Endpoint(Endpoint<T>),
    Spec(Arc<EndpointSpec>),
}

/// Offers in the order of their ids, none twice, each with what is known of its endpoint. They stay
/// with whoever made them until nothing can fail any more, so that what is refused is dropped there.
pub(crate) struct Paired<'o, T> {
    pub(super) offers: &'o mut Vec<Offer<T>>,
    /// Where in the set each of them is, or [`NEW`].
    pub(super) known: Vec<u32>,
}

/// No place in the set.
pub(super) const NEW: u32 = u32::MAX;

impl<T> Offer<T> {
    pub(crate) fn id(&self) -> &EndpointId {
        match self {
            Self::Endpoint(endpoint) => &endpoint.id,
            Self::Spec(spec) => &spec.id,
        }
    }

    pub(crate) fn of_spec(spec: EndpointSpec) -> Self {
        Self::Spec(Arc::new(spec))
    }

    pub(crate) fn weight(&self) -> u32 {
        match self {
            Self::Endpoint(endpoint) => endpoint.weight,
            Self::Spec(spec) => spec.weight,
        }
    }
}

/// The offers in the order of their ids, none twice.
pub(crate) fn by_id<T>(
    offers: impl IntoIterator<Item = Offer<T>>,
) -> Result<Vec<Offer<T>>, UpdateError> {
    let mut offers: Vec<_> = offers.into_iter().collect();
    // Most sources send them in order, and then that is all there is to see.
    if offers.is_sorted_by(|a, b| a.id() < b.id()) {
        return Ok(offers);
    }
    offers.sort_by(|a, b| a.id().cmp(b.id()));
    match offers.windows(2).find(|pair| pair[0].id() == pair[1].id()) {
        Some(pair) => Err(UpdateError::Duplicate { id: pair[0].id().clone() }),
        None => Ok(offers),
    }
}

impl<'o, T> Paired<'o, T> {
    /// Finds the endpoints of `offers`, which are [by id](by_id), in the set: once for all who ask.
    pub(crate) fn of(base: &Snapshot<T>, offers: &'o mut Vec<Offer<T>>) -> Self {
        let mut members = (0..).zip(&base.members).peekable();
        let mut known = Vec::with_capacity(offers.len());
        for offer in offers.iter() {
            let id = offer.id();
            let at = loop {
                let Some(&(at, member)) = members.peek() else { break NEW };
                let order = member.id().cmp(id);
                if order == Ordering::Greater {
                    break NEW;
                }
                members.next();
                // No other offer is for the same one.
                if order == Ordering::Equal {
                    break at;
                }
            };
            known.push(at);
        }
        Self { offers, known }
    }

    pub(crate) fn len(&self) -> usize {
        self.offers.len()
    }

    /// Each offer, and the member it is for.
    pub(crate) fn iter<'a>(
        &'a self,
        base: &'a Snapshot<T>,
    ) -> impl Iterator<Item = (&'a Offer<T>, Option<&'a Member<T>>)> {
        let known = self.known.iter().map(|&at| base.members.get(at as usize));
        self.offers.iter().zip(known)
    }

    /// The ids of the members that nothing is offered for, in their order.
    pub(crate) fn missing(&self, base: &Snapshot<T>) -> Vec<EndpointId> {
        let mut known = self.known.iter().filter(|&&at| at != NEW).peekable();
        let members = (0..).zip(&base.members);
        let missing = members.filter(|&(at, _)| known.next_if(|&&known| known == at).is_none());
        missing.map(|(_, member)| member.id().clone()).collect()
    }
}
