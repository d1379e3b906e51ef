//! What is looked at once an interval.

use crate::balancer::docket::{Docket, Told};
use crate::snapshot::Snapshot;
use crate::units::Nanos;

/// When the next sweep is due, and what the last one saw.
#[derive(Debug)]
pub(crate) struct Sweeps {
    due: Nanos,
}

impl Default for Sweeps {
    fn default() -> Self {
        Self { due: Nanos::NEVER }
    }
}

impl Sweeps {
    pub(crate) fn due(&self) -> Nanos {
        self.due
    }

    /// Makes a sweep due where there is something to sweep for.
    pub(crate) fn plan<T>(&mut self, served: &Snapshot<T>, now: Nanos) {
        if !served.has_strikes {
            self.due = Nanos::NEVER;
        } else if self.due == Nanos::NEVER {
            self.due = Nanos(now.0.saturating_add(served.rules.interval));
        }
    }

    /// Sweeps.
    pub(crate) fn sweep<T>(
        &mut self,
        docket: &mut Docket<'_, T>,
        told: &mut Told,
        base: &Snapshot<T>,
        now: Nanos,
    ) {
        let _ = told;
        docket.interval_ends();
        self.due = if base.has_strikes {
            Nanos(now.0.saturating_add(base.rules.interval))
        } else {
            Nanos::NEVER
        };
    }
}
