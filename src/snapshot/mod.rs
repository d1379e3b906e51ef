//! Everything a pick reads: built off the request path, immutable, published as a whole.

mod bounds;
mod build;
mod census;
mod claims;
mod due;
mod foresee;
mod grounds;
mod grouping;
mod member;
mod note;
mod outlook;
mod owners;
mod places;
mod preferred;
mod said;
mod sampling;
mod seating;
mod seats;
mod stores;
mod tables;

pub(crate) use self::bounds::{Bounds, Kept};
pub(crate) use self::build::{Draft, Ground};
pub(crate) use self::due::Due;
pub(crate) use self::foresee::{Foreseen, Outcome};
pub(crate) use self::grounds::{Ejected, Grounds};
pub(crate) use self::grouping::Tier;
pub(crate) use self::member::Member;
pub(crate) use self::outlook::{Outlook, Rise, Thought};
pub(crate) use self::places::{Place, Stand};
pub(crate) use self::said::{Said, Word};
pub(crate) use self::sampling::Basis;
pub(crate) use self::stores::Supply;
pub(crate) use self::tables::{Cursors, StrategyPanicked};

use crate::config::Config;
use crate::decision::{Decisions, PickReason, Trace};
use crate::endpoint::{Begun, Bound, Line, Served, Terms, Under};
use crate::error::PickError;
use crate::outlier::{Panics, Rotation, Rules};
use crate::rng::Rng;
use crate::snapshot::claims::Claims;
use crate::snapshot::seats::Seats;
use crate::snapshot::tables::{Table, Tables};
use crate::strategy::{PickContext, Strategy};
use crate::sync::{Arc, AtomicBool, Ordering};
use crate::units::{EndpointId, Key, Nanos, Origin, Version};

/// A strategy and what it is called.
#[derive(Clone, Debug)]
pub(crate) struct Chosen {
    pub(crate) name: Arc<str>,
    pub(crate) strategy: Arc<dyn Strategy>,
    /// Whether it was told that requests without a key come to a strategy that goes by keys.
    keyless: Arc<AtomicBool>,
}

impl Chosen {
    pub(crate) fn new(name: Arc<str>, strategy: Arc<dyn Strategy>) -> Self {
        Self { name, strategy, keyless: Arc::new(AtomicBool::new(false)) }
    }

    /// Whether this request is the first without a key where keys decide. Says so once.
    #[inline]
    fn is_news(&self) -> bool {
        !self.keyless.load(Ordering::Relaxed) && !self.keyless.swap(true, Ordering::Relaxed)
    }
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
    /// Until when keys may go by the wheel of a set that was there before; `None` if they do not. It is
    /// one of the things that are due by then.
    pub(crate) lags_until: Option<Nanos>,
    /// When something has to be done that depends on time alone.
    pub(crate) next_due: Due,
    pub(crate) seats: Seats,
    /// What it is audited by.
    pub(crate) basis: Basis,
    /// See [`Basis::sampled_below`]; beside what a pick reads.
    sampled_below: u64,
    claims: Claims<T>,
    tables: Tables<T>,
    terms: Terms,
    /// In how many of 2^32 cases a pick is recorded; 0 if none ever is.
    recorded: u64,
    pub(crate) decisions: Arc<Decisions>,
    /// How requests find them again.
    under: Under,
    origin: Origin,
}

/// A candidate that was chosen, and what it stands for.
struct Picked<'a, T> {
    index: usize,
    /// The one that `bound` is counted on. It was looked at by now, and `bound` was not.
    line: Line,
    bound: &'a Arc<Bound<T>>,
}

/// The same in another table than the one that was drawn.
type Elsewhere<'a, T> = (&'a Table<T>, Picked<'a, T>);

/// Why a pick came to nothing.
pub(crate) enum Miss {
    /// The chosen endpoint was closed since this snapshot was made: look at the next one.
    Stale,
    /// Something has to be settled first. What was drawn for the request is still good, so that
    /// whatever is due changes no choice.
    Due(Rng),
    /// Keys decide in the strategy of this name, and this is the first request that has none: it has to
    /// be told.
    Keyless(Arc<str>),
    /// There is no endpoint for this request.
    Refused(Box<PickError>),
}

impl<T> Snapshot<T> {
    /// Chooses an endpoint for a request, which is counted in there. Written into its caller: in what it
    /// gives, nothing need stand in memory.
    #[inline(always)]
    pub(crate) fn pick(
        &self,
        key: &Key,
        now: Nanos,
        typical: f32,
        rng: Rng,
    ) -> Result<Begun<'_, T>, Miss> {
        let mut cx = PickContext {
            candidates: &[],
            lines: &[],
            key,
            now,
            origin: self.origin,
            terms: &self.terms,
            typical,
            rng,
            reserved: None,
            trace: None,
        };
        if cx.rng.happens(self.recorded) {
            cx.trace = Some(Trace::new(true));
        }
        if let Some(id) = key.preferred() {
            if let Some(kept) = self.pick_preferred(id, key, now) {
                if cx.trace.is_some() {
                    self.note_apart(&cx, &kept.bound.cell, PickReason::Preferred);
                }
                self.note_session(&kept.bound.cell, kept.number);
                return Ok(kept);
            }
            cx.is_rare();
        }
        if self.tables.is_keyed() && key.hash().is_none() && self.chosen.is_news() {
            return Err(Miss::Keyless(Arc::clone(&self.chosen.name)));
        }
        if !self.claims.is_empty()
            && let Some(owed) = self.redeem(&mut cx)
        {
            self.note_aside(&owed.bound.cell);
            return Ok(owed);
        }
        let Some((drawn, table)) = self.tables.draw(key.hash(), &mut cx.rng) else {
            return self.pick_last(&mut cx, Self::nobody);
        };
        // For those picks that are looked at: what was drawn is drawn again.
        let rng = cx.rng.clone();
        match self.pick_from(table, &mut cx)? {
            Some(picked) => self.begin(table, picked, &mut cx, rng),
            None => match self.pick_elsewhere(drawn, &mut cx)? {
                Some((table, picked)) => self.begin(table, picked, &mut cx, rng),
                None => self.pick_last(&mut cx, |_| PickError::AllExcluded),
            },
        }
    }

    /// Gives the request to somebody who is owed one and has nobody but it, or refuses it.
    #[cold]
    fn pick_last(
        &self,
        cx: &mut PickContext<'_>,
        refusal: impl FnOnce(&Self) -> PickError,
    ) -> Result<Begun<'_, T>, Miss> {
        cx.is_rare();
        if let Some(owed) = self.claims.redeem_any(cx.key, cx.now) {
            self.note_apart(cx, &owed.bound.cell, PickReason::LastResort);
            return Ok(owed);
        }
        let refusal = refusal(self);
        self.note_refused(cx, &refusal);
        Err(Miss::Refused(Box::new(refusal)))
    }

    /// Begins the request with the chosen endpoint, which may have counted it in by now.
    #[inline(always)]
    fn begin<'a>(
        &self,
        table: &Table<T>,
        Picked { index, line, bound }: Picked<'a, T>,
        cx: &mut PickContext<'_>,
        rng: Rng,
    ) -> Result<Begun<'a, T>, Miss> {
        let reserved = cx.reserved.take().and_then(|reserved| reserved.take(index, line));
        // One number comes of any way: what is rare must not lead through memory.
        let (number, counted) = match (reserved, &cx.trace) {
            (None, None) => (line.enter(cx.now), None),
            (None, Some(_)) => (self.begin_noted(table, index, line, cx), None),
            (Some((number, counted)), trace) => {
                if trace.is_some() {
                    self.note(cx, table, index);
                }
                (Some(number), Some(counted))
            }
        };
        let Some(number) = number else {
            bound.cell.turn_away();
            return Err(Miss::Stale);
        };
        if self.samples(number) {
            self.sample(table, index, cx, rng);
        }
        Ok(Begun { line, bound, number, probes: None, counted, is_aside: false })
    }

    /// Gives the request to somebody who is owed one.
    #[cold]
    fn redeem(&self, cx: &mut PickContext<'_>) -> Option<Begun<'_, T>> {
        let (key, now) = (cx.key, cx.now);
        let owed = match key.hash().filter(|_| self.tables.is_keyed()) {
            Some(hash) => {
                // Keys leave nothing to chance.
                let drawn = self.tables.draw(Some(hash), &mut Rng::seeded(hash));
                let drawn = drawn.map(|(at, _)| at);
                self.claims.redeem_own((hash, drawn), &self.tables, key, now)
            }
            None => self.claims.redeem(key, now),
        }?;
        cx.is_rare();
        let reason = if owed.probes.is_some() { PickReason::Probe } else { PickReason::Owed };
        self.note_apart(cx, &owed.bound.cell, reason);
        Some(owed)
    }

    /// The endpoint that a table's picker chooses; `None` if the request excludes all of them.
    #[inline(always)]
    fn pick_from<'a: 'c, 'c>(
        &self,
        table: &'a Table<T>,
        cx: &mut PickContext<'c>,
    ) -> Result<Option<Picked<'a, T>>, Miss> {
        (cx.candidates, cx.lines) = (&table.candidates, &table.lines);
        let Some(index) = table.picker.pick(cx) else {
            // A picker may have asked another one, and not followed it.
            cx.reserved = None;
            return Ok(None);
        };
        let picked = table.lines.get(index).zip(table.bound.get(index));
        let picked = picked.map(|(&line, bound)| Picked { index, line, bound });
        match picked {
            Some(picked) if cx.excluded().is_empty() => Ok(Some(picked)),
            Some(picked) if !cx.is_excluded(index) => {
                self.note_aside(&picked.bound.cell);
                Ok(Some(picked))
            }
            _ => Err(self.misled(cx, table, index)),
        }
    }

    /// Goes on from tier to tier for a request that excludes all of the one that was drawn for it.
    /// Whatever tier is passed over, an exclusion is used up, so this ends soon.
    #[cold]
    fn pick_elsewhere<'a: 'c, 'c>(
        &'a self,
        drawn: usize,
        cx: &mut PickContext<'c>,
    ) -> Result<Option<Elsewhere<'a, T>>, Miss> {
        cx.is_rare();
        for table in self.tables.but(drawn) {
            if let Some(trace) = &mut cx.trace {
                trace.begin_again();
            }
            if let Some(picked) = self.pick_from(table, cx)? {
                cx.because(PickReason::Elsewhere);
                return Ok(Some((table, picked)));
            }
        }
        Ok(None)
    }

    /// Whether a request's key decides.
    #[cfg(feature = "testing")]
    pub(crate) fn goes_by_keys(&self) -> bool {
        self.tables.is_keyed()
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

    /// Whether shares are what is intended: nobody is out, nobody warms up, and keys go by the set.
    pub(crate) fn is_as_intended(&self) -> bool {
        self.seats.is_whole() && self.rotation.out == 0 && !self.lags()
    }

    /// Whether keys go by the wheel of a set that was there before.
    pub(crate) fn lags(&self) -> bool {
        self.tables.lags
    }

    /// How many wheels had to be built for it.
    pub(crate) fn built(&self) -> u32 {
        self.tables.built
    }

    /// Says when keys have to go by the set at the latest, before it is served.
    pub(crate) fn catch_up_by(&mut self, due: Nanos) {
        self.lags_until = Some(due);
        self.members_due = self.members_due.min(due);
        self.next_due.move_to(due.min(self.next_due.at()));
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
        self.under = served.serve(self.terms);
    }

    /// How requests find its terms again.
    #[inline]
    pub(crate) fn under(&self) -> Under {
        self.under
    }

    pub(crate) fn terms(&self) -> &Terms {
        &self.terms
    }

    /// Where in `members` an endpoint is.
    pub(crate) fn position(&self, id: &EndpointId) -> Option<usize> {
        self.members.binary_search_by(|member| member.id().cmp(id)).ok()
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
    fn misled(&self, cx: &mut PickContext<'_>, table: &Table<T>, index: usize) -> Miss {
        cx.is_rare();
        let refusal = PickError::Strategy {
            name: self.chosen.name.to_string(),
            endpoint: table.candidates.get(index).map(|candidate| candidate.id().clone()),
        };
        self.note_refused(cx, &refusal);
        Miss::Refused(Box::new(refusal))
    }
}
