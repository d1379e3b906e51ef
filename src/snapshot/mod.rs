//! Everything a pick reads: built off the request path, immutable, published as a whole.

mod bounds;
mod build;
mod census;
mod claims;
mod due;
mod grouping;
mod member;
mod outlook;
mod places;
mod seating;
mod seats;
mod tables;

pub(crate) use self::bounds::{Bounds, Kept};
pub(crate) use self::build::{Draft, Ground};
pub(crate) use self::due::Due;
pub(crate) use self::grouping::Tier;
pub(crate) use self::member::{Member, Said};
pub(crate) use self::outlook::{Outlook, Rise, Thought};
pub(crate) use self::places::{Place, Stand};
pub(crate) use self::tables::{Cursors, StrategyPanicked};

use crate::config::Config;
use crate::endpoint::{Bound, Held, Served, Terms};
use crate::error::PickError;
use crate::outlier::{Panics, Rotation, Rules};
use crate::rng::Rng;
use crate::snapshot::claims::Claims;
use crate::snapshot::seats::Seats;
use crate::snapshot::tables::{Table, Tables};
use crate::strategy::{PickContext, Strategy};
use crate::sync::Arc;
use crate::units::{EndpointId, Key, Nanos, Origin, Version};

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
    pub(crate) panics: Panics,
    pub(crate) cursors: Cursors,
    /// Whether all is being drained, those who join as well.
    pub(crate) is_closed: bool,
    /// How many could be chosen were they well, and how many of them are out.
    pub(crate) rotation: Rotation,
    /// How many operators let take something new, whatever their weight.
    pub(crate) enabled: usize,
    /// Whether anybody warms up who could be chosen.
    pub(crate) is_anybody_warming: bool,
    /// Whether good intervals have anything to make up for.
    pub(crate) has_strikes: bool,
    /// Every endpoint, in the order of the ids.
    pub(crate) members: Box<[Member<T>]>,
    /// When time alone changes something in here.
    pub(crate) members_due: Nanos,
    /// When something has to be done that depends on time alone.
    pub(crate) next_due: Due,
    pub(crate) seats: Seats,
    claims: Claims<T>,
    tables: Tables<T>,
    terms: Terms,
    /// The number under which requests find them again.
    enlisted: u64,
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
            && let Some(held) = self.claims.redeem(key, now, self.enlisted)
        {
            return Ok(held);
        }
        let mut cx = PickContext {
            candidates: &[],
            key,
            now,
            origin: self.origin,
            terms: &self.terms,
            typical,
            rng,
        };
        let Some((drawn, table)) = self.tables.draw(&mut cx.rng) else {
            return self.last_resort(key, now).ok_or_else(|| Miss::Refused(self.nobody()));
        };
        match self.pick_from(table, &mut cx)? {
            Some(bound) => Held::begin(bound, now, self.enlisted).map_err(|_| Miss::Stale),
            None => self.pick_elsewhere(drawn, &mut cx),
        }
    }

    /// The endpoint that a table's picker chooses; `None` if the request excludes all of them.
    #[inline]
    fn pick_from<'a>(
        &self,
        table: &'a Table<T>,
        cx: &mut PickContext<'a>,
    ) -> Result<Option<&'a Arc<Bound<T>>>, Miss> {
        cx.candidates = &table.candidates;
        let Some(index) = table.picker.pick(cx) else { return Ok(None) };
        match table.bound.get(index) {
            Some(bound) if cx.excluded().is_empty() || !cx.is_excluded(index) => Ok(Some(bound)),
            _ => Err(Miss::Refused(self.misled(table, index))),
        }
    }

    /// Goes on from tier to tier for a request that excludes all of the one that was drawn for it.
    /// Whatever tier is passed over, an exclusion is used up, so this ends soon.
    #[cold]
    fn pick_elsewhere<'a>(
        &'a self,
        drawn: usize,
        cx: &mut PickContext<'a>,
    ) -> Result<Held<T>, Miss> {
        for table in self.tables.but(drawn) {
            if let Some(bound) = self.pick_from(table, cx)? {
                return Held::begin(bound, cx.now, self.enlisted).map_err(|_| Miss::Stale);
            }
        }
        let refused = || Miss::Refused(PickError::AllExcluded);
        self.last_resort(cx.key, cx.now).ok_or_else(refused)
    }

    /// The part of requests that each endpoint gets under equal load, by position in `members`.
    pub(crate) fn shares(&self) -> Vec<f64> {
        let mut shares = vec![0.0; self.members.len()];
        for (at, picked) in self.tables.shares(&self.seats) {
            if let Some(share) = shares.get_mut(at) {
                *share = picked;
            }
        }
        shares
    }

    /// Whether shares are what is intended: nobody is out, and nobody warms up.
    pub(crate) fn is_as_intended(&self) -> bool {
        self.seats.is_whole() && self.rotation.out == 0
    }

    /// The largest of the [`shares`](Self::shares).
    pub(crate) fn largest_share(&self) -> f64 {
        self.tables.largest_share(&self.seats)
    }

    pub(crate) fn origin(&self) -> Origin {
        self.origin
    }

    /// Makes its terms those that are served, before anybody is chosen under them.
    pub(crate) fn enlist(&mut self, served: &Served) {
        self.enlisted = served.serve(self.terms);
    }

    pub(crate) fn terms(&self) -> &Terms {
        &self.terms
    }

    /// Where in `members` an endpoint is.
    pub(crate) fn position(&self, id: &EndpointId) -> Option<usize> {
        self.members.binary_search_by(|member| member.id().cmp(id)).ok()
    }

    /// An endpoint that is owed a pick, for a request that the table has nobody for.
    #[cold]
    fn last_resort(&self, key: &Key, now: Nanos) -> Option<Held<T>> {
        self.claims.redeem_any(key, now, self.enlisted)
    }

    /// Why there is nothing to choose from.
    #[cold]
    pub(crate) fn nobody(&self) -> PickError {
        let weighted = || self.members.iter().filter(|member| member.weight() > 0);
        let disabled = weighted().filter(|member| member.said().disabled).count();
        let Rotation { of, out, .. } = self.rotation;
        let draining = weighted().count() - disabled - of;
        let unhealthy = self.members.iter().filter(|member| member.is_in_rotation());
        let unhealthy = unhealthy.filter(|member| member.standing().is_unhealthy()).count();
        let ejected = out - unhealthy;
        if self.members.is_empty() {
            PickError::Empty
        } else if disabled + draining + out == 0 {
            PickError::AllWeightsZero
        } else {
            let until = weighted()
                .filter(|member| !member.said().disabled)
                .filter_map(Member::returns)
                .min()
                .filter(|&until| until < Nanos::NEVER)
                .and_then(|until| self.origin.instant(until));
            PickError::NoneAvailable { draining, disabled, ejected, unhealthy, until }
        }
    }

    #[cold]
    fn misled(&self, table: &Table<T>, index: usize) -> PickError {
        PickError::Strategy {
            name: self.chosen.name.to_string(),
            endpoint: table.candidates.get(index).map(|candidate| candidate.id().clone()),
        }
    }
}
