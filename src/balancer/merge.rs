//! From endpoints as they are sent to members of the set.

use crate::balancer::core::{Core, Writer};
use crate::balancer::paired::{NEW, Offer, Paired};
use crate::balancer::verdict::Garbage;
use crate::config::Config;
use crate::endpoint::{Attributes, Bound, Endpoint, EndpointSpec};
use crate::error::UpdateError;
use crate::outlier::Standing;
use crate::snapshot::{Member, Said, Snapshot};
use crate::sync::Arc;
use crate::units::{EndpointId, Nanos};

/// How a new set differs from the old one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) added: usize,
    pub(crate) removed: usize,
    pub(crate) changed: usize,
}

/// A new set, and how it differs.
pub(crate) struct Merged<T> {
    pub(crate) members: Vec<Member<T>>,
    pub(crate) tally: Tally,
}

/// An offer with all that could fail behind it.
struct Arrival<T> {
    id: EndpointId,
    attributes: Attributes,
    weight: u32,
    spec: Option<Arc<EndpointSpec>>,
    /// `None` keeps the target that is there.
    target: Option<T>,
}

impl Tally {
    pub(crate) fn is_nothing(self) -> bool {
        self == Self::default()
    }
}

impl<T: Send + Sync + 'static> Core<T> {
    /// The members that `offers` make of the present ones under these settings. Known endpoints
    /// keep their targets.
    pub(crate) fn merge(
        &self,
        writer: &mut Writer<T>,
        base: &Snapshot<T>,
        offers: Paired<'_, T>,
        config: &Config,
        now: Nanos,
    ) -> Result<Merged<T>, UpdateError> {
        // Everything that can fail comes first; only then is anything touched.
        let mut made = self.made(writer, base, &offers)?.into_iter();
        let joins_others = offers.known.iter().any(|&at| at != NEW);
        let newcomer = self.newcomer(base, config, joins_others, now);
        let mut tally = Tally::default();
        let mut members = Vec::with_capacity(offers.len());
        let mut unused = Vec::with_capacity(offers.len());
        for (offer, at) in offers.offers.drain(..).zip(offers.known) {
            let known = base.members.get(at as usize);
            let arrival = match offer {
                Offer::Endpoint(Endpoint { id, attributes, weight, target }) => {
                    let Some(known) = known else {
                        tally.added += 1;
                        let arrival =
                            Arrival { id, attributes, weight, spec: None, target: Some(target) };
                        members.extend(self.member(writer, None, arrival, &newcomer, now));
                        continue;
                    };
                    unused.push(target);
                    if known.given_weight == weight && known.attributes == attributes {
                        members.push(known.clone());
                        continue;
                    }
                    Arrival { id, attributes, weight, spec: known.spec.clone(), target: None }
                }
                Offer::Spec(spec) => {
                    if let Some(known) = known.filter(|known| is_as_described(known, &spec)) {
                        members.push(known.clone());
                        continue;
                    }
                    let target = if stands(known, &spec) { None } else { made.next() };
                    Arrival::of_spec(spec, target)
                }
            };
            match known {
                None => tally.added += 1,
                Some(_) => tally.changed += 1,
            }
            members.extend(self.member(writer, known, arrival, &newcomer, now));
        }
        writer.garbage.push(Garbage::Targets(unused));
        tally.removed = (base.members.len() + tally.added).saturating_sub(members.len());
        Ok(Merged { members, tally })
    }

    /// The member that `offer` makes with its own target, known or not.
    pub(crate) fn swapped(
        &self,
        writer: &mut Writer<T>,
        base: &Snapshot<T>,
        known: Option<&Member<T>>,
        offer: Offer<T>,
        now: Nanos,
    ) -> Result<Member<T>, UpdateError> {
        let arrival = match offer {
            Offer::Endpoint(Endpoint { id, attributes, weight, target }) => {
                Arrival { id, attributes, weight, spec: None, target: Some(target) }
            }
            Offer::Spec(spec) => {
                let target = self.make(&spec)?;
                Arrival::of_spec(spec, Some(target))
            }
        };
        let id = arrival.id.clone();
        let newcomer = self.newcomer(base, &base.config, !base.members.is_empty(), now);
        self.member(writer, known, arrival, &newcomer, now).ok_or(UpdateError::Unknown { id })
    }

    /// The targets of all that are offered as descriptions of others than there are, in their order.
    fn made(
        &self,
        writer: &mut Writer<T>,
        base: &Snapshot<T>,
        offers: &Paired<'_, T>,
    ) -> Result<Vec<T>, UpdateError> {
        let mut made = Vec::new();
        for (offer, known) in offers.iter(base) {
            let Offer::Spec(spec) = offer else { continue };
            if stands(known, spec) {
                continue;
            }
            match self.make(spec) {
                Ok(target) => made.push(target),
                Err(error) => {
                    writer.garbage.push(Garbage::Targets(made));
                    return Err(error);
                }
            }
        }
        Ok(made)
    }

    pub(crate) fn make(&self, spec: &EndpointSpec) -> Result<T, UpdateError> {
        let factory = self.factory.as_ref().ok_or(UpdateError::NoFactory)?;
        factory.make(spec).map_err(|source| UpdateError::Make { id: spec.id.clone(), source })
    }

    /// `None` only if there is no target at all, neither a new one nor one to keep.
    fn member(
        &self,
        writer: &Writer<T>,
        known: Option<&Member<T>>,
        arrival: Arrival<T>,
        newcomer: &Newcomer,
        now: Nanos,
    ) -> Option<Member<T>> {
        let (cell, standing) = match known {
            Some(known) => (Arc::clone(&known.bound.cell), known.standing()),
            None => {
                let (cell, left) = self.cell(writer, &arrival.id, now);
                (cell, left.unwrap_or(newcomer.standing))
            }
        };
        let bound = match (arrival.target, known) {
            (Some(target), _) => Arc::new(Bound::new(cell, target)),
            (None, Some(known)) => Arc::clone(&known.bound),
            (None, None) => return None,
        };
        let attributes = match known {
            Some(known) if known.attributes == arrival.attributes => known.attributes.clone(),
            _ => arrival.attributes,
        };
        let said = known.map_or(&newcomer.said, Member::said).clone();
        let member = Member::new(attributes, arrival.weight, bound);
        let grounds = match known {
            Some(known) => known.grounds().cloned(),
            None => writer.left(&member).and_then(|left| left.grounds.clone()),
        };
        Some(member.under(said, standing).on(grounds).made_of(arrival.spec))
    }

    /// Where an endpoint begins that nobody knows. A ramp is for those who join others: where all
    /// are new there is nobody who could take what they leave.
    pub(super) fn newcomer(
        &self,
        base: &Snapshot<T>,
        config: &Config,
        joins_others: bool,
        now: Nanos,
    ) -> Newcomer {
        let ramps = base.rules.ramp_joining && joins_others;
        let well = || if ramps { Standing::joining(now) } else { Standing::default() };
        let standing = self.checks.awaited(config).unwrap_or_else(well);
        Newcomer { said: Said::of_newcomer(base.is_closed), standing }
    }
}

/// How an endpoint begins that nobody knows.
pub(super) struct Newcomer {
    pub(super) said: Said,
    pub(super) standing: Standing,
}

impl<T> Arrival<T> {
    fn of_spec(spec: Arc<EndpointSpec>, target: Option<T>) -> Self {
        let (id, attributes, weight) = (spec.id.clone(), Attributes::of(&spec), spec.weight);
        Self { id, attributes, weight, spec: Some(spec), target }
    }
}

/// Whether `known` is what `spec` describes. It may have been given other attributes without a
/// description since it was made of this one.
fn is_as_described<T>(known: &Member<T>, spec: &Arc<EndpointSpec>) -> bool {
    known.given_weight == spec.weight
        && known.spec.as_ref() == Some(spec)
        && known.attributes == Attributes::of(spec)
}

/// Whether the target of `known` is made of the same address.
fn stands<T>(known: Option<&Member<T>>, spec: &EndpointSpec) -> bool {
    let known = known.and_then(|known| known.spec.as_ref());
    known.is_some_and(|known| known.address == spec.address)
}
