//! From a list of endpoints and settings to a snapshot.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::config::Config;
use crate::decision::Decisions;
use crate::endpoint::{Terms, Under};
use crate::event::Event;
use crate::outlier::{Panics, Rules};
use crate::snapshot::census::Census;
use crate::snapshot::claims::Claims;
use crate::snapshot::grouping::Grouping;
use crate::snapshot::places::Place;
use crate::snapshot::seating::Seating;
use crate::snapshot::stores::Supply;
use crate::snapshot::tables::{Cursors, Tables};
use crate::snapshot::{Basis, Chosen, Due, Member, Snapshot};
use crate::stats::{Decay, Pace};
use crate::strategy::Strategy;
use crate::sync::Arc;
use crate::units::{Nanos, Origin, Version, nanos};

/// What a snapshot is made of.
pub(crate) struct Draft<T> {
    pub(crate) version: Version,
    pub(crate) config: Arc<Config>,
    pub(crate) rules: Arc<Rules>,
    pub(crate) chosen: Chosen,
    /// In the order of the ids, without doubles.
    pub(crate) members: Vec<Member<T>>,
    pub(crate) panics: Panics,
    pub(crate) cursors: Cursors,
    pub(crate) decisions: Arc<Decisions>,
    /// Whether all is being drained, those who join as well.
    pub(crate) is_closed: bool,
    /// What has led to it, to be told once it is published.
    pub(crate) causes: Vec<Event>,
    /// Whether all that is out is let back in: nothing is detected any more.
    pub(crate) amnesty: bool,
    /// Whether anybody makes checks, so that what they found still holds.
    pub(crate) checks: bool,
    /// When something other than a member is due.
    pub(crate) other_due: Nanos,
}

/// A draft that keeps its bounds.
pub(crate) struct Bounded<T> {
    pub(super) draft: Draft<T>,
    /// Where its members belong.
    pub(super) sorted: Grouping,
    /// The instant at which it keeps them.
    pub(super) now: Nanos,
}

/// What all snapshots of a balancer stand on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ground {
    pub(crate) origin: Origin,
    /// Where rounds begin.
    pub(crate) turn: u64,
    /// Whether detectors of the user's own judge, which may go by latencies.
    pub(crate) has_detectors: bool,
}

/// A draft that came to nothing because its strategy panicked.
pub(crate) struct Unbuilt<T> {
    pub(crate) members: Vec<Member<T>>,
}

impl<T> Draft<T> {
    /// The same state again, to be changed.
    pub(crate) fn of(snapshot: &Snapshot<T>) -> Self {
        Self::with(snapshot, snapshot.members.to_vec())
    }

    /// The same state with other members.
    pub(crate) fn with(snapshot: &Snapshot<T>, members: Vec<Member<T>>) -> Self {
        Self {
            version: snapshot.version,
            config: Arc::clone(&snapshot.config),
            rules: Arc::clone(&snapshot.rules),
            chosen: snapshot.chosen.clone(),
            members,
            panics: snapshot.panics.clone(),
            cursors: snapshot.cursors.clone(),
            decisions: Arc::clone(&snapshot.decisions),
            is_closed: snapshot.is_closed,
            causes: Vec::new(),
            amnesty: false,
            checks: snapshot.config.health().is_some(),
            other_due: Nanos::NEVER,
        }
    }

    /// The same members under other settings.
    pub(crate) fn configured(self, config: Arc<Config>, chosen: Chosen) -> Self {
        let rules = Arc::new(Rules::of(&config));
        let amnesty = rules.pardon(&self.rules);
        let checks = config.health().is_some();
        Self { config, rules, chosen, amnesty, checks, ..self }
    }

    pub(super) fn places(&self) -> impl Iterator<Item = Place<'_>> + Clone {
        self.members.iter().map(Member::place)
    }
}

impl<T> Bounded<T> {
    pub(crate) fn build(
        self,
        ground: &Ground,
        supply: Supply<'_>,
    ) -> Result<Snapshot<T>, Unbuilt<T>> {
        let Self { draft, sorted, now } = self;
        let seating = Seating::of(draft.places(), sorted, &draft.panics, &draft.rules, now);
        let cursors = draft.cursors.with(seating.seats.groups(), ground);
        let Ok(tables) =
            Tables::of(&seating, &draft.members, &draft.chosen, &cursors, &draft.rules, supply)
        else {
            return Err(Unbuilt { members: draft.members });
        };
        let census = Census::of(&draft.members, &draft.rules);
        let next_step =
            if census.is_anybody_warming { draft.rules.ramp.next(now) } else { Nanos::NEVER };
        let members_due = census.due.min(next_step).min(draft.panics.due(draft.rules.panic));
        let apart = census.apart.iter().filter_map(|&at| draft.members.get(at));
        let claims = Claims::of(apart, &draft.rules, &tables);
        let basis = Basis::of(&draft.config, &draft.chosen, tables.is_keyed());
        Ok(Snapshot {
            version: draft.version,
            terms: terms(&draft.config, &draft.rules, &*draft.chosen.strategy, ground),
            under: Under::NONE,
            recorded: recorded(&draft.config),
            decisions: draft.decisions,
            config: draft.config,
            rotation: census.rotation,
            enabled: census.enabled,
            is_anybody_warming: census.is_anybody_warming,
            has_strikes: census.has_strikes,
            rules: draft.rules,
            chosen: draft.chosen,
            panics: draft.panics,
            cursors,
            is_closed: draft.is_closed,
            members_due,
            lags_until: None,
            next_due: Due::new(members_due.min(draft.other_due)),
            members: draft.members.into(),
            seats: seating.seats,
            basis,
            sampled_below: basis.sampled_below(),
            claims,
            tables,
            origin: ground.origin,
        })
    }
}

/// In how many of 2^32 cases a pick is recorded.
fn recorded(config: &Config) -> u64 {
    config.decisions().map_or(0, |decisions| (1_u64 << 32).div_ceil(decisions.every().into()))
}

fn terms(config: &Config, rules: &Rules, chosen: &dyn Strategy, ground: &Ground) -> Terms {
    // Who cannot say so may ask.
    let asks = catch_unwind(AssertUnwindSafe(|| chosen.asks_for_latency())).unwrap_or(true);
    let judged =
        ground.has_detectors || config.outlier().is_some_and(|outlier| outlier.latency().is_some());
    let strategy = config.strategy();
    let outlier = config.memory();
    Terms {
        decay: Decay::of(nanos(strategy.decay())),
        penalty: strategy.failure_penalty().map_or(0, nanos),
        hint_cap: nanos(outlier.retry_after_cap()),
        abandoned_after: outlier.abandoned_after().map_or(u64::MAX, nanos),
        attempt_timeout: config.limits().attempt_timeout().map_or(u64::MAX, nanos),
        rows: rules.rows,
        all_timed: match (judged, asks) {
            (true, _) => u16::MAX,
            (false, true) => Pace::ALL_TIMED_IF_ASKED,
            (false, false) => Pace::ALL_TIMED,
        },
    }
}
