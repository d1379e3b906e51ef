//! Everything a pick reads: built off the request path, immutable, published as a whole.

mod bounds;
mod build;
mod due;
mod member;
mod outlook;
mod seats;

pub(crate) use self::bounds::{Bounds, Kept};
pub(crate) use self::build::{Draft, Ground, StrategyPanicked};
pub(crate) use self::due::Due;
pub(crate) use self::member::{Member, Said};
pub(crate) use self::outlook::{Outlook, Rise, Thought};
pub(crate) use self::seats::Stand;

use crate::config::Config;
use crate::endpoint::{Bound, Held, Terms};
use crate::error::PickError;
use crate::outlier::{Panic, Rotation, Rules};
use crate::rng::Rng;
use crate::snapshot::seats::{Claims, Seats};
use crate::strategy::{Candidate, PickContext, Picker, Strategy};
use crate::sync::Arc;
use crate::units::{Key, Nanos, Origin, Version};

/// A strategy and what it is called.
#[derive(Clone, Debug)]
pub(crate) struct Chosen {
    pub(crate) name: Arc<str>,
    pub(crate) strategy: Arc<dyn Strategy>,
}

/// One state of a balancer.
#[derive(Debug)]
pub(crate) struct Snapshot<T> {
    pub(crate) version: Version,
    pub(crate) config: Arc<Config>,
    pub(crate) rules: Arc<Rules>,
    pub(crate) chosen: Chosen,
    pub(crate) panic: Panic,
    /// How many could be chosen were they well, and how many of them are out.
    pub(crate) rotation: Rotation,
    /// Whether good intervals have anything to make up for.
    pub(crate) has_strikes: bool,
    /// Every endpoint, in the order of the ids.
    pub(crate) members: Box<[Arc<Member<T>>]>,
    /// When time alone changes something in here.
    pub(crate) members_due: Nanos,
    /// When something has to be done that depends on time alone.
    pub(crate) next_due: Due,
    pub(crate) seats: Seats,
    claims: Claims<T>,
    /// Those that may be chosen, in the same order.
    candidates: Box<[Candidate]>,
    bound: Box<[Arc<Bound<T>>]>,
    /// `None` where there is nothing to choose from.
    picker: Option<Box<dyn Picker>>,
    /// The part of requests that the picker gives to each candidate.
    shares: Box<[f64]>,
    terms: Terms,
    origin: Origin,
}

/// Why a pick came to nothing.
pub(crate) enum Miss {
    /// The chosen endpoint was closed since this snapshot was made: look at the next one.
    Stale,
    /// Something has to be settled first.
    Due,
    /// There is no endpoint for this request.
    Refused(PickError),
}

impl<T> Snapshot<T> {
    #[inline]
    pub(crate) fn pick(
        &self,
        key: &Key,
        now: Nanos,
        typical: f32,
        rng: Rng,
    ) -> Result<Held<T>, Miss> {
        if !self.claims.is_empty()
            && let Some(held) = self.claims.redeem(key, now, self.terms)
        {
            return Ok(held);
        }
        let Some(picker) = &self.picker else {
            return self.last_resort(key, now).ok_or_else(|| Miss::Refused(self.nobody()));
        };
        let mut cx = PickContext {
            candidates: &self.candidates,
            key,
            now,
            origin: self.origin,
            terms: self.terms,
            typical,
            rng,
        };
        let Some(index) = picker.pick(&mut cx) else {
            let refused = || Miss::Refused(PickError::AllExcluded);
            return self.last_resort(key, now).ok_or_else(refused);
        };
        match self.bound.get(index) {
            Some(bound) if key.excluded().is_empty() || !cx.is_excluded(index) => {
                Held::begin(bound, now, self.terms).map_err(|_| Miss::Stale)
            }
            _ => Err(Miss::Refused(self.misled(index))),
        }
    }

    /// The part of requests that each endpoint gets under equal load, by position in `members`.
    pub(crate) fn shares(&self) -> Vec<f64> {
        let mut shares = vec![0.0; self.members.len()];
        for ((at, _), picked) in self.seats.iter().zip(&self.shares) {
            if let Some(share) = shares.get_mut(at) {
                *share = *picked;
            }
        }
        shares
    }

    pub(crate) fn origin(&self) -> Origin {
        self.origin
    }

    pub(crate) fn terms(&self) -> Terms {
        self.terms
    }

    /// Where in `members` an endpoint is.
    pub(crate) fn position(&self, id: &crate::units::EndpointId) -> Option<usize> {
        self.members.binary_search_by(|member| member.id().cmp(id)).ok()
    }

    /// An endpoint that is owed a pick, for a request that the table has nobody for.
    #[cold]
    fn last_resort(&self, key: &Key, now: Nanos) -> Option<Held<T>> {
        self.claims.redeem_any(key, now, self.terms)
    }

    /// Why there is nothing to choose from.
    #[cold]
    pub(crate) fn nobody(&self) -> PickError {
        let weighted = || self.members.iter().filter(|member| member.weight() > 0);
        let disabled = weighted().filter(|member| member.said.disabled).count();
        let Rotation { of, out: ejected } = self.rotation;
        let draining = weighted().count() - disabled - of;
        if self.members.is_empty() {
            PickError::Empty
        } else if disabled + draining + ejected == 0 {
            PickError::AllWeightsZero
        } else {
            let until = weighted()
                .filter(|member| !member.said.disabled)
                .filter_map(|member| member.returns())
                .min()
                .filter(|&until| until < Nanos::NEVER)
                .and_then(|until| self.origin.instant(until));
            PickError::NoneAvailable { draining, disabled, ejected, unhealthy: 0, until }
        }
    }

    #[cold]
    fn misled(&self, index: usize) -> PickError {
        PickError::Strategy {
            name: self.chosen.name.to_string(),
            endpoint: self.candidates.get(index).map(|candidate| candidate.id().clone()),
        }
    }
}
