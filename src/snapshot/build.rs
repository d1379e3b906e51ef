//! From a list of endpoints and settings to a snapshot.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::config::Config;
use crate::endpoint::{Terms, Under};
use crate::event::Event;
use crate::outlier::{Panics, Rules};
use crate::snapshot::claims::Claims;
use crate::snapshot::seats::{Place, Seats, Stand, next_step};
use crate::snapshot::tables::{Cursors, Tables};
use crate::snapshot::{Chosen, Due, Member, Snapshot};
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
    pub(crate) members: Vec<Arc<Member<T>>>,
    pub(crate) panics: Panics,
    pub(crate) cursors: Cursors,
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

/// What all snapshots of a balancer stand on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ground {
    pub(crate) origin: Origin,
    /// Where rounds begin.
    pub(crate) turn: u64,
}

/// A draft that came to nothing because its strategy panicked.
pub(crate) struct Unbuilt<T> {
    pub(crate) members: Vec<Arc<Member<T>>>,
}

impl<T> Draft<T> {
    /// The same state again, to be changed.
    pub(crate) fn of(snapshot: &Snapshot<T>) -> Self {
        Self::with(snapshot, snapshot.members.to_vec())
    }

    /// The same state with other members.
    pub(crate) fn with(snapshot: &Snapshot<T>, members: Vec<Arc<Member<T>>>) -> Self {
        Self {
            version: snapshot.version,
            config: Arc::clone(&snapshot.config),
            rules: Arc::clone(&snapshot.rules),
            chosen: snapshot.chosen.clone(),
            members,
            panics: snapshot.panics.clone(),
            cursors: snapshot.cursors.clone(),
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

    pub(super) fn places(&self) -> Vec<Place<'_>> {
        self.members.iter().map(|member| member.place()).collect()
    }

    pub(crate) fn build(self, ground: &Ground, now: Nanos) -> Result<Snapshot<T>, Unbuilt<T>> {
        let seats = Seats::of(&self.places(), &self.panics, &self.rules, now);
        let cursors = self.cursors.with(seats.groups(), ground);
        let Ok(tables) = Tables::of(&seats, &self.members, &self.chosen, &cursors, &self.rules)
        else {
            return Err(Unbuilt { members: self.members });
        };
        let members_due = self.members.iter().map(|member| member.due(&self.rules)).min();
        let members_due = members_due
            .unwrap_or(Nanos::NEVER)
            .min(next_step(&self.members, &self.rules, now))
            .min(self.panics.due(self.rules.panic));
        let claims = Claims::of(&self.members, &self.rules, &tables);
        Ok(Snapshot {
            version: self.version,
            terms: terms(&self.config, &self.rules, &*self.chosen.strategy),
            under: Under::NONE,
            config: self.config,
            rotation: Stand::rotation(self.members.iter().map(|member| member.stand())),
            has_strikes: self.members.iter().any(|member| member.standing.times > 0),
            rules: self.rules,
            chosen: self.chosen,
            panics: self.panics,
            cursors,
            is_closed: self.is_closed,
            members_due,
            next_due: Due::new(members_due.min(self.other_due)),
            members: self.members.into(),
            seats,
            claims,
            tables,
            origin: ground.origin,
        })
    }
}

fn terms(config: &Config, rules: &Rules, chosen: &dyn Strategy) -> Terms {
    // Who cannot say so may ask.
    let asks = catch_unwind(AssertUnwindSafe(|| chosen.asks_for_latency())).unwrap_or(true);
    let strategy = config.strategy();
    let outlier = config.memory();
    Terms {
        decay: nanos(strategy.decay()),
        penalty: strategy.failure_penalty().map_or(0, nanos),
        hint_cap: nanos(outlier.retry_after_cap()),
        abandoned_after: outlier.abandoned_after().map_or(u64::MAX, nanos),
        attempt_timeout: config.limits().attempt_timeout().map_or(u64::MAX, nanos),
        rows: rules.rows,
        samples: !asks,
    }
}
