//! From a list of endpoints and settings to a snapshot.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::config::Config;
use crate::endpoint::Terms;
use crate::event::Event;
use crate::outlier::{Panic, Rules};
use crate::snapshot::seats::{Claims, Seats, Stand, next_step};
use crate::snapshot::{Chosen, Due, Member, Snapshot};
use crate::strategy::{Candidate, Candidates, Cursor, Picker};
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
    pub(crate) panic: Panic,
    /// What has led to it, to be told once it is published.
    pub(crate) causes: Vec<Event>,
    /// Whether all that is out is let back in: nothing is detected any more.
    pub(crate) amnesty: bool,
    /// When something other than a member is due.
    pub(crate) other_due: Nanos,
}

/// What all snapshots of a balancer stand on.
#[derive(Clone, Debug)]
pub(crate) struct Ground {
    pub(crate) origin: Origin,
    pub(crate) cursor: Arc<Cursor>,
}

/// A strategy panicked while it prepared a picker.
#[derive(Debug)]
pub(crate) struct StrategyPanicked;

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
            panic: snapshot.panic,
            causes: Vec::new(),
            amnesty: false,
            other_due: Nanos::NEVER,
        }
    }

    /// The same members under other settings.
    pub(crate) fn configured(self, config: Arc<Config>, chosen: Chosen) -> Self {
        let rules = Arc::new(Rules::of(&config));
        let amnesty = rules.pardon(&self.rules);
        Self { config, rules, chosen, amnesty, ..self }
    }

    pub(crate) fn build(self, ground: &Ground, now: Nanos) -> Result<Snapshot<T>, Unbuilt<T>> {
        let stands: Vec<_> = self.members.iter().map(|member| member.stand()).collect();
        let seats = Seats::of(&stands, self.panic, &self.rules, now);
        let candidates: Box<[Candidate]> = seats
            .iter()
            .filter_map(|(at, weight)| {
                let member = self.members.get(at)?;
                let cell = Arc::clone(&member.bound.cell);
                Some(Candidate::new(Arc::clone(&member.attributes), cell, weight))
            })
            .collect();
        let bound = seats
            .iter()
            .filter_map(|(at, _)| Some(Arc::clone(&self.members.get(at)?.bound)))
            .collect();
        let Ok(Prepared { picker, shares }) = prepare(&self.chosen, ground, &candidates) else {
            return Err(Unbuilt { members: self.members });
        };
        let members_due = self.members.iter().map(|member| member.due(&self.rules)).min();
        let members_due = members_due
            .unwrap_or(Nanos::NEVER)
            .min(next_step(&self.members, &self.rules, now))
            .min(self.panic.due(self.rules.panic));
        let claims = Claims::of(&self.members, &self.rules);
        Ok(Snapshot {
            version: self.version,
            terms: terms(&self.config, &self.rules),
            config: self.config,
            rotation: Stand::rotation(stands),
            has_strikes: self.members.iter().any(|member| member.standing.times > 0),
            rules: self.rules,
            chosen: self.chosen,
            panic: self.panic,
            members_due,
            next_due: Due::new(members_due.min(self.other_due)),
            members: self.members.into(),
            seats,
            claims,
            candidates,
            bound,
            picker,
            shares,
            origin: ground.origin,
        })
    }
}

/// What a strategy makes of its candidates.
pub(super) struct Prepared {
    /// `None` where there are no candidates.
    pub(super) picker: Option<Box<dyn Picker>>,
    /// What the picker gives to each.
    pub(super) shares: Box<[f64]>,
}

/// Lets the strategy prepare a picker and say its shares, once and for all: either may be code of
/// the user's own, and nothing that follows may depend on whether it panics.
pub(super) fn prepare(
    chosen: &Chosen,
    ground: &Ground,
    candidates: &[Candidate],
) -> Result<Prepared, StrategyPanicked> {
    if candidates.is_empty() {
        return Ok(Prepared { picker: None, shares: Box::default() });
    }
    let view = Candidates::new(candidates, &ground.cursor);
    let prepare = || {
        let picker = chosen.strategy.build(&view);
        let shares = picker.shares().into();
        Prepared { picker: Some(picker), shares }
    };
    catch_unwind(AssertUnwindSafe(prepare)).map_err(|_| StrategyPanicked)
}

fn terms(config: &Config, rules: &Rules) -> Terms {
    let strategy = config.strategy();
    let outlier = config.memory();
    Terms {
        decay: nanos(strategy.decay()),
        penalty: strategy.failure_penalty().map_or(0, nanos),
        hint_cap: nanos(outlier.retry_after_cap()),
        abandoned_after: outlier.abandoned_after().map_or(u64::MAX, nanos),
        attempt_timeout: config.limits().attempt_timeout().map_or(u64::MAX, nanos),
        rows: rules.rows,
    }
}
