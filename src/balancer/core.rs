//! What all handles of a balancer share, and the one way in which a new snapshot is published.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;

use crate::balancer::alarms::{Alarms, Board};
use crate::balancer::auditing::{Auditor, Findings};
use crate::balancer::builds::Builds;
use crate::balancer::checking::Checks;
use crate::balancer::dates::Dates;
use crate::balancer::decisions::room;
use crate::balancer::difference::{changed, departed};
use crate::balancer::docket::Told;
use crate::balancer::events::Hub;
use crate::balancer::guard::UpdateGuard;
use crate::balancer::guarded::Watched;
use crate::balancer::history::History;
use crate::balancer::ledger::Ledger;
use crate::balancer::make::{Factory, Rebuild};
use crate::balancer::named::Named;
use crate::balancer::paging::Paging;
use crate::balancer::steps::Steps;
use crate::balancer::sweep::Sweeps;
use crate::balancer::tend::Agenda;
use crate::balancer::verdict::{Garbage, Judged, Unpublished};
use crate::decision::Decisions;
use crate::endpoint::{Control, EndpointCell, Shared, Totals};
use crate::event::{Changed, Event};
use crate::outlier::{Rotation, Standing};
use crate::rng::Randomness;
use crate::snapshot::{Draft, Ground, Grounds, Kept, Member, Rise, Snapshot, Supply};
use crate::sync::{Arc, HandOver, Published};
use crate::units::{EndpointId, Nanos, Version};

/// Removed endpoints that are remembered at the least, however small the set is.
const REMEMBERED: usize = 1_024;

pub(crate) struct Core<T> {
    pub(crate) published: Published<Snapshot<T>>,
    pub(crate) writer: HandOver<Writer<T>>,
    pub(crate) hub: Hub,
    pub(crate) dates: Dates,
    pub(crate) ground: Ground,
    pub(crate) named: Named,
    pub(crate) randomness: Randomness,
    /// For all that is no pick, so that judging in a dry run changes no choice.
    pub(crate) verdicts: Randomness,
    pub(crate) decisions: Arc<Decisions>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) factory: Option<Factory<T>>,
    /// Ends with the balancer, which tells the tasks that work for it.
    #[cfg(feature = "file")]
    pub(crate) alive: tokio::sync::watch::Sender<()>,
    pub(crate) agenda: Arc<Agenda>,
    pub(crate) checks: Arc<Checks<T>>,
    pub(crate) paging: Arc<Paging>,
    pub(crate) board: Board,
    /// What the audit has found.
    pub(crate) findings: Findings,
}

/// What only the writer sees.
pub(crate) struct Writer<T> {
    pub(crate) guard: UpdateGuard,
    /// Cells of endpoints that were removed, and until when they are kept.
    pub(crate) removed: BTreeMap<EndpointId, Remembered>,
    pub(crate) rebuilds: BTreeMap<EndpointId, Rebuild>,
    /// A strategy has panicked: until then, what is due is left as it is.
    pub(crate) settle_again_at: Option<Nanos>,
    /// How many removed endpoints are remembered at most.
    pub(crate) remembered: usize,
    /// What is to be dropped once the lock is free: dropping a target runs code of its owner.
    pub(crate) garbage: Vec<Garbage<T>>,
    pub(crate) history: History,
    pub(crate) ledger: Ledger,
    pub(crate) sweeps: Sweeps,
    pub(crate) auditor: Auditor,
    /// Verdicts without consequence that were told lately.
    pub(crate) told: Told,
    /// What endpoints that warm up had been sent at the last step.
    pub(crate) steps: Steps,
    /// What there is to spend on wheels.
    pub(crate) builds: Builds,
    /// The change of the settings that is being watched.
    pub(crate) watched: Option<Box<Watched<T>>>,
    pub(crate) alarms: Alarms,
}

impl<T> Writer<T> {
    pub(crate) fn new(history: History, ledger: Ledger, sweeps: Sweeps, auditor: Auditor) -> Self {
        Self {
            history,
            ledger,
            sweeps,
            auditor,
            told: Told::default(),
            steps: Steps::default(),
            builds: Builds::default(),
            watched: None,
            alarms: Alarms::default(),
            guard: UpdateGuard::default(),
            removed: BTreeMap::new(),
            rebuilds: BTreeMap::new(),
            settle_again_at: None,
            remembered: REMEMBERED,
            garbage: Vec::new(),
        }
    }

    /// What is remembered of a member that had left, until the set it returned with is served.
    pub(crate) fn left(&self, member: &Member<T>) -> Option<&Remembered> {
        let known = self.removed.get(member.id());
        known.filter(|known| Arc::ptr_eq(&known.cell, &member.bound.cell))
    }

    /// Nothing is detected any more: who is away is forgiven with those who are there.
    fn pardon_removed(&mut self, now: Nanos) {
        for left in self.removed.values_mut().filter(|left| left.standing.is_out()) {
            left.standing = left.standing.pardoned();
            left.cell.turn_page(now);
        }
    }

    /// When something is due that no member knows of.
    pub(crate) fn other_due(&self) -> Nanos {
        let rebuilds = self.rebuilds.values().map(Rebuild::due);
        rebuilds
            .chain(self.settle_again_at)
            .chain([self.ledger.due(), self.sweeps.due(), self.alarms.due(), self.auditor.due()])
            .min()
            .unwrap_or(Nanos::NEVER)
    }
}

pub(crate) struct Remembered {
    pub(crate) cell: Arc<EndpointCell>,
    pub(crate) until: Nanos,
    /// What it had come to when it left.
    pub(crate) left_with: Totals,
    /// What its answers had brought it to.
    pub(crate) standing: Standing,
    /// Why.
    pub(crate) grounds: Option<Arc<Grounds>>,
}

impl<T: Send + Sync + 'static> Core<T> {
    /// Runs a control operation under the writer's lock, with what was due settled before and what
    /// was left meanwhile taken up after it.
    pub(crate) fn write<R>(
        &self,
        now: Nanos,
        act: impl FnOnce(&mut Writer<T>, &Snapshot<T>) -> R,
    ) -> R {
        self.session(now, |session| {
            let run = |writer: &mut Writer<T>| {
                session.settle(writer);
                let base = self.published.current();
                let result = act(writer, &base);
                self.look_for_alarms(writer, now);
                writer.garbage.push(Garbage::Snapshot(base));
                session.collect(writer);
                result
            };
            self.writer.act(run, |writer| session.settle(writer))
        })
    }

    /// Sees to it that what was left for the writer is taken up, by whoever holds the lock if
    /// somebody does.
    pub(crate) fn take_up(&self, now: Nanos) {
        self.session(now, |session| self.writer.leave(|writer| session.settle(writer)));
    }

    /// Looks at what only the writer sees. What is due stays so.
    pub(crate) fn read<R>(&self, now: Nanos, look: impl FnOnce(&Writer<T>) -> R) -> R {
        self.session(now, |session| {
            self.writer.act(|writer| look(writer), |writer| session.settle(writer))
        })
    }

    /// Gives `run` what it needs under the lock. When it is done and the lock is free, subscribers
    /// are told and what died is dropped: both run code that is not ours.
    pub(crate) fn session<R>(&self, now: Nanos, run: impl FnOnce(&Session<'_, T>) -> R) -> R {
        let session = Session { core: self, now, garbage: RefCell::default() };
        let result = run(&session);
        self.hub.flush();
        result
    }

    /// Publishes a draft made from `base`: from here on picks see it. The one place that does.
    pub(crate) fn publish(
        &self,
        writer: &mut Writer<T>,
        base: &Snapshot<T>,
        mut draft: Draft<T>,
        changes: Vec<Changed>,
        judged: Judged,
        now: Nanos,
    ) -> Result<Version, Unpublished> {
        let (causes, amnesty) = (std::mem::take(&mut draft.causes), draft.amnesty);
        draft.checks &= !self.checks.are_over();
        draft.other_due = writer.other_due();
        draft.ground(&causes, now);
        let may_build = self.may_build(writer.builds, base, &draft, judged, now);
        let supply = Supply::after(base, &draft.config, may_build);
        let (draft, kept) = draft.keep_bounds(now);
        let mut snapshot = draft.build(&self.ground, supply).map_err(|unbuilt| {
            writer.garbage.push(Garbage::Members(unbuilt.members));
            Unpublished::Panicked
        })?;
        writer.builds.spend(snapshot.built(), now);
        if snapshot.lags() {
            // However often it is put off, it was promised by then.
            let next = writer.builds.next(now);
            snapshot.catch_up_by(base.lags_until.map_or(next, |due| due.min(next)));
        }
        let version = snapshot.version;
        let rises = match self.rises(base, &snapshot, judged) {
            Ok(rises) => rises,
            Err(unpublished) => {
                writer.garbage.push(Garbage::Snapshot(Arc::new(snapshot)));
                return Err(unpublished);
            }
        };
        let is_closed = snapshot.is_closed;
        let changed = changed(&base.members, &snapshot.members);
        // Opened before it can be chosen; closed once it no longer can.
        let (open, shut): (Vec<_>, Vec<_>) = changed.iter().partition(|m| m.said().admits());
        changed.iter().for_each(|member| member.bound.serve());
        open.iter().for_each(|member| member.bound.cell.open());
        for member in &changed {
            let served = base.position(member.id()).and_then(|at| base.members.get(at));
            // Who was away may be called back by the very set it returns with.
            let left = || writer.left(member).map(|left| left.standing);
            let before = served.map(Member::standing).or_else(left);
            if before.is_some_and(|before| before.is_out() != member.standing().is_out()) {
                member.bound.cell.turn_page(now);
                writer.sweeps.turn_page(member);
            }
        }
        if amnesty {
            writer.pardon_removed(now);
        }
        let audited = (&self.findings, &self.shared.samples);
        let skews_over = writer.auditor.turn(base, &snapshot, &changed, audited, now);
        writer.sweeps.plan(&snapshot, now);
        writer.steps.begin(&snapshot, now);
        self.note_shares(writer, base, &snapshot, &rises);
        self.agenda.note(&snapshot, snapshot.members_due.min(writer.other_due()));
        snapshot.enlist(&self.shared.terms);
        self.decisions.keep(room(&snapshot.config));
        writer.garbage.push(Garbage::Snapshot(self.published.publish(snapshot)));
        self.checks.notice();
        for member in shut {
            let keeps_sessions = member.said().keeps_sessions() && !is_closed;
            if keeps_sessions { member.bound.cell.close() } else { member.bound.cell.shut() }
        }
        let current = self.published.current();
        let lags = base.lags() || current.lags();
        writer.history.note(base, &current, &changes, |it| self.effective(it, lags));
        writer.garbage.push(Garbage::Snapshot(current));
        let by_time = changes.iter().all(|change| matches!(change, Changed::Expired { .. }));
        let overruled = base.version.config != version.config && !by_time;
        let mut traces = writer.history.traces(base.version);
        for change in changes {
            self.hub.push_with(Event::Published { version, change }, traces.take());
        }
        causes.into_iter().chain(skews_over).for_each(|event| self.hub.push(event));
        let Kept { recoveries, panics } = kept;
        for (endpoint, step) in recoveries {
            self.hub.push(Event::Recovery { endpoint, step });
        }
        for (tier, on, Rotation { of, out, .. }) in panics {
            self.hub.push(Event::Panic { tier, on, admitted: of - out, of });
        }
        for Rise { id, before, after, fair } in rises {
            self.hub.push(Event::ShareRaised { version, endpoint: id, before, after, fair });
        }
        if let Some(watched) = writer.watched.take_if(|_| overruled) {
            let watched = self.supersede(writer, watched, version);
            writer.garbage.push(Garbage::Watched(Box::new(watched)));
        }
        Ok(version)
    }

    /// The cell of an endpoint that joins, and where it stands: as it left, if it is remembered.
    pub(crate) fn cell(
        &self,
        writer: &Writer<T>,
        id: &EndpointId,
        now: Nanos,
    ) -> (Arc<EndpointCell>, Option<Standing>) {
        match writer.removed.get(id) {
            Some(kept) if now < kept.until => (Arc::clone(&kept.cell), Some(kept.standing)),
            _ => (Arc::new(EndpointCell::new(id.clone(), Arc::clone(&self.shared))), None),
        }
    }

    /// A set was taken after `base`. Remembers the cells of endpoints that left, within bounds, and
    /// forgets what is kept of those that are back or gone for good.
    pub(crate) fn remember(&self, writer: &mut Writer<T>, base: &Snapshot<T>, now: Nanos) {
        self.dates.confirm(now);
        let current = self.published.current();
        let until = now.plus(base.config.memory().remember_removed());
        let left = departed(&base.members, &current.members);
        // As many as the largest set had, so that one that vanishes and comes back is known.
        let known = if writer.removed.is_empty() { 0 } else { writer.remembered };
        writer.remembered = known.max(REMEMBERED).max(2 * base.members.len());
        for member in left {
            let cell = Arc::clone(&member.bound.cell);
            // Who still looks at the set before finds it closed. It is opened again if it returns.
            cell.shut();
            let left_with = writer.ledger.leaves(&cell);
            let standing = member.standing();
            let grounds = member.grounds().cloned();
            let kept = Remembered { cell, until, left_with, standing, grounds };
            writer.removed.insert(member.id().clone(), kept);
        }
        let Writer { removed, ledger, .. } = writer;
        removed.retain(|id, kept| {
            let back = current.position(id).and_then(|at| current.members.get(at));
            if back.is_some_and(|member| Arc::ptr_eq(&member.bound.cell, &kept.cell)) {
                ledger.returns(&kept.left_with);
                return false;
            }
            let stays = back.is_none() && now < kept.until;
            if !stays {
                kept.cell.let_go();
                ledger.forgets(&kept.cell, &kept.left_with);
            }
            stays
        });
        let excess = writer.removed.len().saturating_sub(writer.remembered);
        if excess > 0 {
            let ends = writer.removed.iter().map(|(id, kept)| (kept.until, id.clone()));
            let mut ends: Vec<_> = ends.collect();
            ends.sort_unstable();
            for (_, id) in ends.iter().take(excess) {
                if let Some(kept) = writer.removed.remove(id) {
                    kept.cell.let_go();
                    writer.ledger.forgets(&kept.cell, &kept.left_with);
                }
            }
        }
        // A target that came with the set is nobody's rebuilt one.
        writer.rebuilds.retain(|id, _| {
            let bound = |snapshot: &Snapshot<T>| {
                let member = snapshot.members.get(snapshot.position(id)?)?;
                Some(Arc::as_ptr(&member.bound))
            };
            let present = bound(&current);
            present.is_some() && present == bound(base)
        });
        writer.garbage.push(Garbage::Snapshot(current));
    }
}

/// One stay under the writer's lock.
pub(crate) struct Session<'a, T> {
    core: &'a Core<T>,
    now: Nanos,
    garbage: RefCell<Vec<Garbage<T>>>,
}

impl<T: Send + Sync + 'static> Session<'_, T> {
    pub(crate) fn settle(&self, writer: &mut Writer<T>) {
        self.core.settle_due(writer, self.now);
        self.collect(writer);
    }

    fn collect(&self, writer: &mut Writer<T>) {
        self.garbage.borrow_mut().append(&mut writer.garbage);
    }
}

impl<T: Send + Sync + 'static> Control for Core<T> {
    fn tripped(&self, now: Nanos) {
        self.take_up(now);
    }

    #[cfg(feature = "tracing")]
    fn served(&self) -> (Version, Arc<str>) {
        self.published.read(|served| (served.version, Arc::clone(&served.chosen.name)))
    }
}

impl<T> fmt::Debug for Core<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Core").field("name", &self.shared.name).finish_non_exhaustive()
    }
}
