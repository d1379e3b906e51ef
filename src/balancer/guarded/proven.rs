//! What there is to go back to, and to compare with.

use crate::balancer::Revision;
use crate::balancer::core::Writer;
use crate::balancer::guarded::judge::Before;
use crate::balancer::ledger::Record;
use crate::balancer::verdict::Garbage;
use crate::snapshot::{Member, Snapshot};
use crate::sync::Arc;
use crate::units::{EndpointId, Nanos};

/// The state before a watched change. If that took the place of another one that was watched, the
/// state before both.
pub(super) struct Proven<T> {
    pub(super) revision: Revision,
    /// The set, where the change itself has exchanged it.
    set: Option<Exchanged<T>>,
    /// The time before: from the oldest record there was, to the change.
    pub(super) from: Record,
    pub(super) to: Record,
    /// Endpoints that could be chosen.
    admitted: Vec<Admitted>,
}

/// A set that a change took out of service. Its targets are kept until the verdict.
struct Exchanged<T> {
    members: Vec<Member<T>>,
    /// The version of the set that took its place. If discovery has sent another one since, that
    /// is left alone.
    made: u64,
}

struct Admitted {
    id: EndpointId,
    /// Whether the change has left it in the set.
    kept: bool,
}

impl<T> Proven<T> {
    /// What is served now, at `to`.
    pub(super) fn of(writer: &Writer<T>, base: &Snapshot<T>, to: Record) -> Self {
        let admitted = base.members.iter().filter(|member| is_admitted(member));
        Self {
            revision: writer.history.served().clone(),
            set: None,
            from: writer.ledger.oldest(),
            to,
            admitted: admitted.map(|it| Admitted { id: it.id().clone(), kept: true }).collect(),
        }
    }

    /// A change has made `current` of `base`. Hands back what need not be kept for it.
    pub(super) fn outlasts(
        &mut self,
        base: &Snapshot<T>,
        current: &Snapshot<T>,
    ) -> Option<Garbage<T>> {
        let (had, made) = (base.version.set, current.version.set);
        // What discovery has removed meanwhile is not lost.
        self.admitted.retain(|it| !it.kept || base.position(&it.id).is_some());
        self.admitted.iter_mut().for_each(|it| it.kept = current.position(&it.id).is_some());
        let earlier = match &mut self.set {
            Some(set) if set.made == had => {
                set.made = made;
                return None;
            }
            other => other.take(),
        };
        self.set = (made != had).then(|| Exchanged { members: base.members.to_vec(), made });
        earlier.map(|set| Garbage::Members(set.members))
    }

    /// The set as it was, if the change has exchanged it and discovery has sent no other since: with
    /// what endpoints have come to meanwhile.
    pub(super) fn set(&self, base: &Snapshot<T>, now: Nanos) -> Option<Vec<Member<T>>> {
        let set = self.set.as_ref().filter(|set| set.made == base.version.set)?;
        let back = |member: &Member<T>| {
            let mut back = member.with_said(member.said().at(now));
            let known = base.position(member.id()).and_then(|at| base.members.get(at));
            if let Some(known) = known.filter(|it| Arc::ptr_eq(&it.bound.cell, &member.bound.cell))
            {
                back = back.with_standing(known.standing()).on(known.grounds().cloned());
                if known.spec == member.spec {
                    back.bound = Arc::clone(&known.bound);
                }
            }
            back
        };
        Some(set.members.iter().map(back).collect())
    }

    pub(super) fn before(&self) -> Before {
        Before {
            totals: self.to.totals.since(&self.from.totals),
            leading: self.to.leading.saturating_sub(self.from.leading),
        }
    }

    /// How many endpoints could be chosen, but for those that discovery has removed since, and how
    /// many of them can be chosen no longer.
    pub(super) fn lost(&self, now: &Snapshot<T>) -> (usize, usize) {
        let (mut endpoints, mut lost) = (0, 0);
        for Admitted { id, kept } in &self.admitted {
            let member = now.position(id).and_then(|at| now.members.get(at));
            if member.is_none() && *kept {
                continue;
            }
            endpoints += 1;
            lost += usize::from(!member.is_some_and(|member| is_admitted(member)));
        }
        (endpoints, lost)
    }
}

/// Whether an endpoint takes its part.
fn is_admitted<T>(member: &Member<T>) -> bool {
    member.is_in_rotation() && !member.standing().is_out()
}
