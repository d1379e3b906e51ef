//! The seam for whoever shows what a balancer does.

use std::sync::Weak;

use crate::balancer::core::Core;
use crate::balancer::{Balancer, Status, now};
use crate::endpoint::{EndpointCell, Totals};
use crate::sync::Arc;

/// A balancer of whatever targets, as far as figures go.
pub(crate) trait Observable: Send + Sync {
    /// How things stand now. Publishes nothing.
    fn figures(&self) -> Figures;
}

/// What there is to show of a balancer at one moment.
#[derive(Debug)]
pub(crate) struct Figures {
    pub(crate) status: Status,
    /// What is counted of each endpoint, in the order of the ids. Read a moment after the status, so
    /// one of them may be missing there.
    pub(crate) cells: Vec<Arc<EndpointCell>>,
    /// The same of endpoints that have left, and would be what they were if they came back.
    pub(crate) left: Vec<Arc<EndpointCell>>,
    /// What all requests came to since the balancer was built, whatever became of their endpoints.
    pub(crate) totals: Totals,
    /// Checks that have ended well, and those that have not.
    pub(crate) checks: (u64, u64),
}

impl<T: Send + Sync + 'static> Balancer<T> {
    /// For whoever shows its figures, and does not keep it alive.
    pub(crate) fn observed(&self) -> Weak<dyn Observable> {
        let core: Weak<Core<T>> = Arc::downgrade(&self.core);
        core
    }
}

impl<T: Send + Sync + 'static> Observable for Core<T> {
    fn figures(&self) -> Figures {
        let at = now();
        let now = self.ground.origin.nanos(at);
        let status = self.status(at);
        let (cells, left, totals) = self.read(now, |writer| {
            let (cells, mut totals) = self.published.read(|served| {
                let cells = served.members.iter().map(|member| Arc::clone(&member.bound.cell));
                (cells.collect::<Vec<_>>(), writer.ledger.read(served, now).totals)
            });
            totals = totals.plus(writer.ledger.late());
            for left in writer.removed.values() {
                totals = totals.plus(&left.cell.totals().since(&left.left_with));
            }
            let left = writer.removed.values().map(|left| Arc::clone(&left.cell));
            (cells, left.collect::<Vec<_>>(), totals)
        });
        let checks = self.checks.ended();
        Figures { status, cells, left, totals, checks }
    }
}
