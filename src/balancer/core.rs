//! What all handles of a balancer share, and the one way in which a new snapshot is published.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;

use tokio::time::Instant;

use crate::balancer::events::Hub;
use crate::balancer::guard::UpdateGuard;
use crate::balancer::history::History;
use crate::balancer::make::{Factory, Rebuild};
use crate::balancer::named::Named;
use crate::balancer::preview::{GUARD, limit, would_receive};
use crate::endpoint::{EndpointCell, Held, Home, PickAgain, Shared, Tripped};
use crate::error::{ConfigError, PickError, Problem, UpdateError};
use crate::event::{Event, Published as Change};
use crate::rng::Randomness;
use crate::snapshot::{Draft, Ground, Member, Miss, Outlook, Rise, Snapshot};
use crate::sync::{Arc, HandOver, Published};
use crate::units::{EndpointId, Key, Nanos, Version};

/// Looks a pick takes at newer snapshots when the endpoint it chose was closed under its hands.
const LOOKS: usize = 8;

/// Removed endpoints that are remembered at the least, however small the set is.
const REMEMBERED: usize = 1_024;

pub(crate) struct Core<T> {
    pub(crate) published: Published<Snapshot<T>>,
    pub(crate) writer: HandOver<Writer<T>>,
    pub(crate) hub: Hub,
    pub(crate) ground: Ground,
    pub(crate) named: Named,
    pub(crate) randomness: Randomness,
    pub(crate) shared: Arc<Shared>,
    pub(crate) home: Arc<Home<T>>,
    pub(crate) factory: Option<Factory<T>>,
}

/// What only the writer sees.
pub(crate) struct Writer<T> {
    pub(crate) guard: UpdateGuard,
    /// Cells of endpoints that were removed, and until when they are kept.
    pub(crate) removed: BTreeMap<EndpointId, Remembered>,
    pub(crate) rebuilds: BTreeMap<EndpointId, Rebuild>,
    /// Before this, what is due is left as it is.
    pub(crate) settle_again_at: Nanos,
    /// What is to be dropped once the lock is free: dropping a target runs code of its owner.
    pub(crate) garbage: Vec<Garbage<T>>,
    pub(crate) history: History,
}

/// Whether a change has to answer for the shares that it makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Judged {
    ByShares,
    /// It takes nothing from anybody, or is meant whatever comes of it.
    Not,
}

/// Why a draft was not published.
#[derive(Debug)]
pub(crate) enum Unpublished {
    /// Its strategy panicked.
    Panicked,
    /// It would give one endpoint too much.
    TooMuch { rise: Rise, most: u8 },
}

impl Unpublished {
    pub(crate) fn for_update(self, strategy: &str) -> UpdateError {
        match self {
            Self::Panicked => UpdateError::Strategy { name: strategy.to_owned() },
            Self::TooMuch { rise, most } => UpdateError::Share {
                id: rise.id,
                before: rise.before,
                after: rise.after,
                max_share_percent: most,
            },
        }
    }

    pub(crate) fn for_config(self, strategy: &str) -> ConfigError {
        let problem = match self {
            Self::Panicked => {
                let message =
                    format!("strategy `{strategy}` panicked while it prepared its picker");
                Problem::error("strategy", message)
            }
            Self::TooMuch { rise, most } => {
                let message = format!("{}, and at most {most} % is allowed", would_receive(&rise));
                Problem::error(GUARD, message)
            }
        };
        problem.into()
    }
}

/// What dies with a change.
#[expect(dead_code, reason = "kept only to be dropped")]
pub(crate) enum Garbage<T> {
    Snapshot(Arc<Snapshot<T>>),
    Members(Vec<Arc<Member<T>>>),
    Target(T),
}

impl<T> Writer<T> {
    pub(crate) fn new(history: History) -> Self {
        Self {
            history,
            guard: UpdateGuard::default(),
            removed: BTreeMap::new(),
            rebuilds: BTreeMap::new(),
            settle_again_at: Nanos(0),
            garbage: Vec::new(),
        }
    }
}

pub(crate) struct Remembered {
    pub(crate) cell: Arc<EndpointCell>,
    pub(crate) until: Nanos,
}

impl<T: Send + Sync + 'static> Core<T> {
    #[inline]
    pub(crate) fn pick(&self, key: &Key, now: Instant) -> Result<Held<T>, PickError> {
        let now = self.ground.origin.nanos(now);
        if self.published.read(|snapshot| now >= snapshot.next_due) {
            self.settle(now);
        }
        for _ in 1..LOOKS {
            match self.look(key, now) {
                Ok(held) => return Ok(held),
                Err(Miss::Refused(refusal)) => return Err(refusal),
                Err(Miss::Stale) => {}
            }
        }
        match self.look(key, now) {
            Ok(held) => Ok(held),
            Err(Miss::Refused(refusal)) => Err(refusal),
            // An operator drains one endpoint after the other faster than this thread runs.
            Err(Miss::Stale) => {
                Err(PickError::NoneAvailable { draining: 1, disabled: 0, until: None })
            }
        }
    }

    #[inline]
    fn look(&self, key: &Key, now: Nanos) -> Result<Held<T>, Miss> {
        let (typical, rng) = (self.shared.typical.read(), self.randomness.fork());
        self.published.read(|snapshot| snapshot.pick(key, now, typical, rng))
    }

    /// Runs a control operation under the writer's lock, settles what is due before and what was
    /// left meanwhile after, and drops what was replaced when the lock is free again.
    pub(crate) fn write<R>(
        &self,
        now: Nanos,
        act: impl FnOnce(&mut Writer<T>, &Snapshot<T>) -> R,
    ) -> R {
        let garbage = RefCell::new(Vec::new());
        let settle = |writer: &mut Writer<T>| {
            self.settle_due(writer, now);
            garbage.borrow_mut().append(&mut writer.garbage);
        };
        self.writer.act(
            |writer| {
                settle(writer);
                let base = self.published.current();
                let result = act(writer, &base);
                garbage.borrow_mut().append(&mut writer.garbage);
                garbage.borrow_mut().push(Garbage::Snapshot(base));
                result
            },
            settle,
        )
    }

    /// Publishes a draft made from `base`: from here on picks see it. The one place that does.
    pub(crate) fn publish(
        &self,
        writer: &mut Writer<T>,
        base: &Snapshot<T>,
        draft: Draft<T>,
        change: Option<Change>,
        judged: Judged,
    ) -> Result<Version, Unpublished> {
        let other_due = writer.rebuilds.values().map(Rebuild::due).min().unwrap_or(Nanos::NEVER);
        let draft = Draft { other_due, ..draft };
        let snapshot = draft.build(&self.ground).map_err(|unbuilt| {
            writer.garbage.push(Garbage::Members(unbuilt.members));
            Unpublished::Panicked
        })?;
        let version = snapshot.version;
        let guard = snapshot.config.guard().clone();
        let mut rises = Vec::new();
        if judged == Judged::ByShares {
            let (before, after) = (Outlook::of(base), Outlook::of(&snapshot));
            rises.extend(after.rises(&before, limit(&guard)));
        }
        if let (Some(most), Some(rise)) = (guard.max_share_percent(), rises.first()) {
            let rise = rise.clone();
            writer.garbage.push(Garbage::Snapshot(Arc::new(snapshot)));
            return Err(Unpublished::TooMuch { rise, most: most.get() });
        }
        let changed = changed(&base.members, &snapshot.members);
        // Opened before it can be chosen; closed once it no longer can.
        let (open, shut): (Vec<_>, Vec<_>) = changed.iter().partition(|m| m.said.admits());
        open.iter().for_each(|member| member.bound.cell.open());
        writer.garbage.push(Garbage::Snapshot(self.published.publish(snapshot)));
        shut.iter().for_each(|member| member.bound.cell.close());
        if let Some(change) = change {
            let current = self.published.current();
            writer.history.note(base, &current, &change);
            writer.garbage.push(Garbage::Snapshot(current));
            self.hub.send(Event::Published { version, change });
        }
        for Rise { id, before, after, fair } in rises {
            self.hub.send(Event::ShareRaised { version, endpoint: id, before, after, fair });
        }
        Ok(version)
    }

    /// The cell of an endpoint that joins: its old one, if it is remembered.
    pub(crate) fn cell(
        &self,
        writer: &Writer<T>,
        id: &EndpointId,
        now: Nanos,
    ) -> Arc<EndpointCell> {
        match writer.removed.get(id) {
            Some(kept) if now < kept.until => Arc::clone(&kept.cell),
            _ => Arc::new(EndpointCell::new(id.clone(), Arc::clone(&self.shared))),
        }
    }

    /// Remembers the cells of endpoints that left `base`, within bounds, and forgets what is kept
    /// of those that are back or gone for good.
    pub(crate) fn remember(&self, writer: &mut Writer<T>, base: &Snapshot<T>, now: Nanos) {
        let current = self.published.current();
        let outlier = base.config.outlier().cloned().unwrap_or_default();
        let until = now.plus(outlier.remember_removed());
        for member in base.members.iter().filter(|m| current.position(m.id()).is_none()) {
            let cell = Arc::clone(&member.bound.cell);
            writer.removed.insert(member.id().clone(), Remembered { cell, until });
        }
        writer.removed.retain(|id, kept| now < kept.until && current.position(id).is_none());
        writer.rebuilds.retain(|id, _| current.position(id).is_some());
        let most = REMEMBERED.max(2 * base.members.len());
        while writer.removed.len() > most {
            let oldest = writer.removed.iter().min_by_key(|(_, kept)| kept.until);
            let Some(id) = oldest.map(|(id, _)| id.clone()) else { break };
            writer.removed.remove(&id);
        }
        writer.garbage.push(Garbage::Snapshot(current));
    }
}

impl<T: Send + Sync + 'static> Tripped for Core<T> {
    fn tripped(&self, now: Nanos) {
        let garbage = RefCell::new(Vec::new());
        self.writer.leave(|writer| {
            self.settle_due(writer, now);
            garbage.borrow_mut().append(&mut writer.garbage);
        });
    }
}

impl<T: Send + Sync + 'static> PickAgain<T> for Core<T> {
    fn pick_again(&self, key: &Key, now: Instant) -> Result<Held<T>, PickError> {
        self.pick(key, now)
    }
}

impl<T> fmt::Debug for Core<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Core").field("name", &self.shared.name).finish_non_exhaustive()
    }
}

/// The members of `new` that are not in `old` as they are. Both are in the order of the ids.
fn changed<T>(old: &[Arc<Member<T>>], new: &[Arc<Member<T>>]) -> Vec<Arc<Member<T>>> {
    let mut old = old.iter().peekable();
    let mut changed = Vec::new();
    for member in new {
        if old.peek().is_some_and(|known| Arc::ptr_eq(known, member)) {
            old.next();
            continue;
        }
        while old.next_if(|known| known.id() < member.id()).is_some() {}
        match old.next_if(|known| known.id() == member.id()) {
            Some(known) if Arc::ptr_eq(known, member) => {}
            _ => changed.push(Arc::clone(member)),
        }
    }
    changed
}
