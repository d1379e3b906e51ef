//! A change under watch: what the writer keeps of it, what it looks at, and the way back.

use std::time::Duration;

use crate::balancer::Change;
use crate::balancer::core::{Core, Writer};
use crate::balancer::guarded::Guard;
use crate::balancer::guarded::judge::{After, Decision, judge};
use crate::balancer::guarded::proven::Proven;
use crate::balancer::ledger::Record;
use crate::balancer::rollback::Restoring;
use crate::balancer::verdict::Garbage;
use crate::endpoint::EndpointCell;
use crate::error::ConfigError;
use crate::event::{Event, RollbackReason, Verdict};
use crate::snapshot::Snapshot;
use crate::sync::Arc;
use crate::units::{EndpointId, Nanos, Version};

/// The change that is watched. There is one at most: the next one ends it.
pub(crate) struct Watched<T> {
    /// The version it was published as.
    version: Version,
    guard: Guard,
    /// What was served before it, as far as it was not itself under watch.
    proven: Proven<T>,
    /// How things stood when it was published.
    began: Record,
    /// What each endpoint had been sent since it was first seen here, in the order of the ids.
    sent: Vec<(Arc<EndpointCell>, u64)>,
}

impl<T: Send + Sync + 'static> Core<T> {
    /// Applies a change and watches it from now on. Says which version is served then, and whether
    /// that changed anything.
    pub(super) fn apply_guarded(
        &self,
        change: Change,
        guard: Guard,
        now: Nanos,
    ) -> Result<(Version, bool), ConfigError> {
        self.write(now, |writer, base| {
            let began = writer.ledger.read(base, now);
            let present = Proven::of(writer, base, began);
            let earlier = writer.watched.take();
            let applied = self.apply_or_say_why(writer, base, change, now);
            let changed = applied.as_ref().is_ok_and(|version| *version != base.version);
            let (Ok(version), true) = (&applied, changed) else {
                writer.watched = earlier;
                return applied.map(|version| (version, false));
            };
            let mut proven = match earlier {
                // What is itself unjudged is nothing to go back to.
                Some(earlier) => self.supersede(writer, earlier, *version).proven,
                None => present,
            };
            let current = self.published.current();
            writer.garbage.extend(proven.outlasts(base, &current));
            let watched = Watched { version: *version, guard, proven, began, sent: sent(&current) };
            writer.watched = Some(Box::new(watched));
            writer.garbage.push(Garbage::Snapshot(current));
            applied.map(|version| (version, true))
        })
    }

    /// Looks at the change that was published as `version`: what came of it, if that is decided.
    pub(super) fn look(&self, version: Version, now: Nanos) -> Option<Verdict> {
        self.write(now, |writer, base| {
            let Some(mut watched) = writer.take_watched(version) else {
                let superseded = || Verdict::Superseded { version, by: base.version };
                return Some(writer.history.verdict(version).unwrap_or_else(superseded));
            };
            let (before, after) = (watched.proven.before(), watched.after(writer, base, now));
            let elapsed = Duration::from_nanos(now.0.saturating_sub(watched.began.at.0));
            let guard = &watched.guard;
            let max_share = guard.max_share(base.config.guard());
            match judge(guard, max_share, &before, &after, elapsed) {
                Decision::GoOn => {
                    writer.watched = Some(watched);
                    None
                }
                Decision::TakeBack(reason) => {
                    Some(self.take_back(writer, base, watched, reason, now))
                }
                Decision::Keep { requests, proven } => {
                    let needed = guard.minimum_requests();
                    writer.garbage.push(Garbage::Watched(watched));
                    Some(self.judged(
                        writer,
                        if proven {
                            Verdict::Accepted { version, requests }
                        } else {
                            Verdict::Unproven { version, requests, needed }
                        },
                    ))
                }
            }
        })
    }

    /// Nobody waits for the verdict about `version` any more: takes the change back, if it is still
    /// watched.
    pub(super) fn give_up(&self, version: Version, now: Nanos) {
        self.write(now, |writer, base| {
            if let Some(watched) = writer.take_watched(version) {
                self.take_back(writer, base, watched, RollbackReason::Dropped, now);
            }
        });
    }

    fn take_back(
        &self,
        writer: &mut Writer<T>,
        base: &Snapshot<T>,
        watched: Box<Watched<T>>,
        reason: RollbackReason,
        now: Nanos,
    ) -> Verdict {
        let (version, proven) = (watched.version, &watched.proven);
        let exchanged = proven.set(base, now);
        let restoring = Restoring {
            revision: &proven.revision,
            set: exchanged.is_some(),
            // Nobody has said anything since.
            members: exchanged.unwrap_or_else(|| base.members.to_vec()),
            by: Some("guard".to_owned()),
            because: Some(reason.to_string()),
        };
        let (to, ended) = (proven.revision.stands_for(), writer.ledger.read(base, now));
        let verdict = match self.restore(writer, base, restoring, now) {
            Ok(_) => {
                // What the change has done is no measure for the next one.
                writer.ledger.forget(&proven.from, &proven.to, &ended);
                Verdict::RolledBack { version, to, reason }
            }
            Err(error) => {
                let harmful =
                    format!("version {version} could not be rolled back ({error}): {reason}");
                writer.alarms.facts.config_refused(harmful);
                Verdict::NotRolledBack { version, reason, error }
            }
        };
        writer.garbage.push(Garbage::Watched(watched));
        self.judged(writer, verdict)
    }

    /// Somebody has published `by` over the change that was watched, and which is handed back.
    pub(crate) fn supersede(
        &self,
        writer: &mut Writer<T>,
        watched: Box<Watched<T>>,
        by: Version,
    ) -> Watched<T> {
        self.judged(writer, Verdict::Superseded { version: watched.version, by });
        *watched
    }

    fn judged(&self, writer: &mut Writer<T>, verdict: Verdict) -> Verdict {
        writer.history.judge(&verdict);
        self.hub.push(Event::Judged { verdict: verdict.clone() });
        verdict
    }
}

impl<T> Writer<T> {
    fn take_watched(&mut self, version: Version) -> Option<Box<Watched<T>>> {
        self.watched.take_if(|watched| watched.version == version)
    }
}

impl<T> Watched<T> {
    /// The time since the change.
    fn after(&mut self, writer: &Writer<T>, base: &Snapshot<T>, now: Nanos) -> After {
        let now = writer.ledger.read(base, now);
        let mut known = std::mem::take(&mut self.sent).into_iter().peekable();
        let mut leader: Option<(&EndpointId, u64)> = None;
        for member in &base.members {
            let cell = &member.bound.cell;
            let picks = cell.counts().picks;
            while known.next_if(|(known, _)| known.id() < cell.id()).is_some() {}
            let known = known.next_if(|(known, _)| Arc::ptr_eq(known, cell));
            let from = known.map_or(picks, |(_, from)| from);
            self.sent.push((Arc::clone(cell), from));
            let sent = picks.saturating_sub(from);
            if leader.is_none_or(|(_, most)| sent > most) {
                leader = Some((cell.id(), sent));
            }
        }
        let (endpoints, lost) = self.proven.lost(base);
        After {
            totals: now.totals.since(&self.began.totals),
            leader: leader.map(|(id, sent)| (id.clone(), sent)),
            endpoints,
            lost,
            admitted: now.admitted,
        }
    }
}

/// What each endpoint has been sent so far.
fn sent<T>(snapshot: &Snapshot<T>) -> Vec<(Arc<EndpointCell>, u64)> {
    let cells = snapshot.members.iter().map(|member| Arc::clone(&member.bound.cell));
    cells.map(|cell| (Arc::clone(&cell), cell.counts().picks)).collect()
}
