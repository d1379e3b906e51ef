//! From endpoints as they are sent to members of the set.

use crate::balancer::core::{Core, Writer};
use crate::balancer::verdict::Garbage;
use crate::config::Config;
use crate::endpoint::{Attributes, Bound, Endpoint, EndpointSpec};
use crate::error::UpdateError;
use crate::outlier::Standing;
use crate::snapshot::{Member, Said, Snapshot};
use crate::sync::Arc;
use crate::units::{EndpointId, Nanos};

/// An endpoint as it is sent: with a target, or with a description of one.
pub(crate) enum Offer<T> {
    Endpoint(Endpoint<T>),
    Spec(EndpointSpec),
}

/// How a new set differs from the old one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) added: usize,
    pub(crate) removed: usize,
    pub(crate) changed: usize,
}

/// A new set, and how it differs.
pub(crate) struct Merged<T> {
    pub(crate) members: Vec<Arc<Member<T>>>,
    pub(crate) tally: Tally,
}

/// An offer with all that could fail behind it.
struct Arrival<T> {
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

impl<T> Offer<T> {
    pub(crate) fn id(&self) -> &EndpointId {
        match self {
            Self::Endpoint(endpoint) => &endpoint.attributes.id,
            Self::Spec(spec) => &spec.id,
        }
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
    offers.sort_by(|a, b| a.id().cmp(b.id()));
    match offers.windows(2).find(|pair| pair[0].id() == pair[1].id()) {
        Some(pair) => Err(UpdateError::Duplicate { id: pair[0].id().clone() }),
        None => Ok(offers),
    }
}

impl<T: Send + Sync + 'static> Core<T> {
    /// The members that `offers` make of the present ones under these settings. Known endpoints
    /// keep their targets.
    pub(crate) fn merge(
        &self,
        writer: &mut Writer<T>,
        base: &Snapshot<T>,
        offers: Vec<Offer<T>>,
        config: &Config,
        now: Nanos,
    ) -> Result<Merged<T>, UpdateError> {
        // Everything that can fail comes first; only then is anything touched.
        let mut arrivals = Vec::with_capacity(offers.len());
        let mut refusal = None;
        let mut known = base.walk();
        for offer in offers {
            let known = known(offer.id());
            match self.arrive(writer, known, offer) {
                Ok(arrival) => arrivals.push((known, arrival)),
                Err(error) => {
                    refusal = Some(error);
                    break;
                }
            }
        }
        if let Some(error) = refusal {
            let made = arrivals.into_iter().filter_map(|(_, arrival)| arrival.target);
            writer.garbage.extend(made.map(Garbage::Target));
            return Err(error);
        }
        let mut tally = Tally::default();
        let mut members = Vec::with_capacity(arrivals.len());
        let joins_others = arrivals.iter().any(|(known, _)| known.is_some());
        let newcomer = self.newcomer(base, config, joins_others, now);
        for (known, arrival) in arrivals {
            let (Some(known), None) = (known, &arrival.target) else {
                match known {
                    None => tally.added += 1,
                    Some(_) => tally.changed += 1,
                }
                let member = self.member(writer, known, arrival, newcomer, now);
                members.extend(member.map(Arc::new));
                continue;
            };
            if is_same(known, &arrival) {
                members.push(Arc::clone(known));
            } else {
                tally.changed += 1;
                let member = self.member(writer, Some(known), arrival, newcomer, now);
                members.extend(member.map(Arc::new));
            }
        }
        tally.removed = (base.members.len() + tally.added).saturating_sub(members.len());
        Ok(Merged { members, tally })
    }

    /// The member that `offer` makes with its own target, known or not.
    pub(crate) fn swapped(
        &self,
        writer: &mut Writer<T>,
        base: &Snapshot<T>,
        known: Option<&Arc<Member<T>>>,
        offer: Offer<T>,
        now: Nanos,
    ) -> Result<Member<T>, UpdateError> {
        // Not knowing the endpoint is what makes it bring its own target.
        let arrival = self.arrive(writer, None, offer)?;
        let id = arrival.attributes.id.clone();
        let newcomer = self.newcomer(base, &base.config, !base.members.is_empty(), now);
        self.member(writer, known, arrival, newcomer, now).ok_or(UpdateError::Unknown { id })
    }

    fn arrive(
        &self,
        writer: &mut Writer<T>,
        known: Option<&Arc<Member<T>>>,
        offer: Offer<T>,
    ) -> Result<Arrival<T>, UpdateError> {
        match offer {
            Offer::Endpoint(Endpoint { attributes, weight, target }) => {
                let target = if known.is_some() {
                    writer.garbage.push(Garbage::Target(target));
                    None
                } else {
                    Some(target)
                };
                let spec = known.and_then(|known| known.spec.clone());
                Ok(Arrival { attributes, weight, spec, target })
            }
            Offer::Spec(spec) => {
                let stands = known
                    .and_then(|known| known.spec.as_ref())
                    .is_some_and(|known| known.address == spec.address);
                let target = if stands { None } else { Some(self.make(&spec)?) };
                let (attributes, weight) = (Attributes::of(&spec), spec.weight);
                Ok(Arrival { attributes, weight, spec: Some(Arc::new(spec)), target })
            }
        }
    }

    pub(crate) fn make(&self, spec: &EndpointSpec) -> Result<T, UpdateError> {
        let factory = self.factory.as_ref().ok_or(UpdateError::NoFactory)?;
        factory.make(spec).map_err(|source| UpdateError::Make { id: spec.id.clone(), source })
    }

    /// `None` only if there is no target at all, neither a new one nor one to keep.
    fn member(
        &self,
        writer: &Writer<T>,
        known: Option<&Arc<Member<T>>>,
        arrival: Arrival<T>,
        newcomer: Newcomer,
        now: Nanos,
    ) -> Option<Member<T>> {
        let (cell, standing) = match known {
            Some(known) => (Arc::clone(&known.bound.cell), known.standing),
            None => {
                let (cell, left) = self.cell(writer, &arrival.attributes.id, now);
                (cell, left.unwrap_or(newcomer.standing))
            }
        };
        let bound = match (arrival.target, known) {
            (Some(target), _) => Arc::new(Bound::new(cell, Arc::clone(&self.home), target)),
            (None, Some(known)) => Arc::clone(&known.bound),
            (None, None) => return None,
        };
        Some(Member {
            attributes: match known {
                Some(known) if *known.attributes == arrival.attributes => {
                    Arc::clone(&known.attributes)
                }
                _ => Arc::new(arrival.attributes),
            },
            given_weight: arrival.weight,
            said: known.map_or(newcomer.said, |known| known.said),
            standing,
            bound,
            spec: arrival.spec,
        })
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
#[derive(Clone, Copy)]
pub(super) struct Newcomer {
    pub(super) said: Said,
    pub(super) standing: Standing,
}

fn is_same<T>(known: &Member<T>, arrival: &Arrival<T>) -> bool {
    known.given_weight == arrival.weight
        && *known.attributes == arrival.attributes
        && known.spec == arrival.spec
}
