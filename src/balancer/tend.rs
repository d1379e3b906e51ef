//! The seam for whoever settles in the background.

use std::sync::Weak;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::balancer::core::{Core, Writer};
use crate::balancer::{Balancer, now};
use crate::snapshot::{Due, Snapshot};
use crate::sync::Arc;
use crate::units::Nanos;

/// How much later picks settle while somebody does it for them: if he is late, they still do.
const GRACE: Duration = Duration::from_millis(100);

/// When something is due, and who waits for it.
#[derive(Debug)]
pub(crate) struct Agenda {
    due: Due,
    changed: Notify,
    tending: AtomicUsize,
}

impl Agenda {
    pub(crate) fn new(due: Nanos) -> Self {
        Self { due: Due::new(due), changed: Notify::new(), tending: AtomicUsize::new(0) }
    }

    /// Notes when something is due next in what is served from now on. For the writer only.
    pub(crate) fn note<T>(&self, served: &Snapshot<T>, due: Nanos) {
        let tended = self.tending.load(Ordering::Acquire) > 0;
        served.next_due.move_to(if tended { due.plus(GRACE) } else { due });
        self.due.move_to(due);
        // Whoever begins to tend at this moment is told, too.
        self.changed.notify_one();
    }
}

/// Somebody who settles in the background, for as long as this lives.
pub(crate) struct Tending<T> {
    core: Weak<Core<T>>,
    agenda: Arc<Agenda>,
}

impl<T: Send + Sync + 'static> Balancer<T> {
    pub(crate) fn tend(&self) -> Tending<T> {
        let agenda = Arc::clone(&self.core.agenda);
        agenda.tending.fetch_add(1, Ordering::AcqRel);
        Tending { core: Arc::downgrade(&self.core), agenda }
    }
}

impl<T: Send + Sync + 'static> Tending<T> {
    /// Settles what is due and says when the next thing is; `None` once the balancer is gone.
    pub(crate) fn settle(&self) -> Option<Instant> {
        let core = self.core.upgrade()?;
        let origin = core.ground.origin;
        let at = origin.nanos(now());
        if at >= self.agenda.due.at() {
            core.settle(at);
        }
        // What is still due could not be settled now: somebody else is at it.
        let due = self.agenda.due.at();
        let due = if due <= at { at.plus(GRACE) } else { due };
        Some(origin.instant_or_start(due))
    }

    /// Ready when something may be due earlier than it was, or the balancer is gone.
    pub(crate) async fn changed(&self) {
        self.agenda.changed.notified().await;
    }
}

impl<T> Drop for Tending<T> {
    fn drop(&mut self) {
        self.agenda.tending.fetch_sub(1, Ordering::AcqRel);
    }
}

impl<T> Drop for Core<T> {
    fn drop(&mut self) {
        self.agenda.changed.notify_waiters();
        self.agenda.changed.notify_one();
        self.checks.end();
        self.paging.end();
        // Requests that are still on their way keep their endpoints, and nobody else does.
        self.published.read(|served| served.members.iter().for_each(|it| it.bound.cell.let_go()));
        let removed = |writer: &mut Writer<T>| {
            writer.removed.values().for_each(|left| left.cell.let_go());
        };
        self.writer.act(removed, |_| {});
    }
}
