//! What the cells of one balancer share, and what they have to say to its writer.

use std::any::Any;
use std::sync::{OnceLock, Weak};

use crate::endpoint::trial::Token;
use crate::endpoint::{EndpointCell, Samples, Served};
use crate::error::BoxError;
use crate::stats::{Reached, Typical};
use crate::sync::{Arc, Mutex};
#[cfg(feature = "tracing")]
use crate::units::Version;
use crate::units::{Nanos, Origin};

/// What all cells of one balancer share.
pub(crate) struct Shared {
    pub(crate) origin: Origin,
    pub(crate) terms: Served,
    pub(crate) typical: Typical,
    pub(crate) name: Arc<str>,
    pub(crate) samples: Samples,
    control: OnceLock<Weak<dyn Control>>,
    /// What outcomes and checks have to say to the writer. Written to only where something is to be said.
    reports: Mutex<Vec<Report>>,
}

impl Shared {
    pub(crate) fn new(origin: Origin, name: Arc<str>) -> Self {
        Self {
            origin,
            terms: Served::new(),
            typical: Typical::new(),
            name,
            samples: Samples::new(),
            control: OnceLock::new(),
            reports: Mutex::new(Vec::new()),
        }
    }

    /// Leaves a report. Whoever does sees to it that it is taken.
    pub(crate) fn leave_report(&self, report: Report) {
        self.reports.lock().push(report);
    }

    /// Leaves reports again, for they came to nothing.
    pub(crate) fn return_reports(&self, mut reports: Vec<Report>) {
        let mut left = self.reports.lock();
        reports.append(&mut left);
        *left = reports;
    }

    /// Takes the reports that were left, in their order.
    pub(crate) fn take_reports(&self) -> Vec<Report> {
        std::mem::take(&mut *self.reports.lock())
    }

    /// Who takes up trips, while there is somebody.
    pub(super) fn control(&self) -> Option<Arc<dyn Control>> {
        self.control.get().and_then(Weak::upgrade)
    }

    /// Says who takes up trips; only the first call counts.
    pub(crate) fn report_to(&self, control: Weak<dyn Control>) {
        let _ = self.control.set(control);
    }
}

/// What an outcome, or a check, has to say to the writer.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) cell: Arc<EndpointCell>,
    pub(crate) testimony: Testimony,
}

/// See [`Report`].
#[derive(Debug)]
pub(crate) enum Testimony {
    /// Failures in a row have reached a limit, by a request that began then.
    Row { reached: Reached, began: Nanos },
    /// The probe of an ejection was answered, well or not.
    Probe { token: Token, good: bool },
    /// Active checks have failed so many times in a row, the last with this error.
    Fell { failures: u32, error: Arc<BoxError> },
    /// Active checks have succeeded often enough.
    Rose,
}

/// The balancer, as its endpoints know it. It takes up what an outcome has set off.
pub(crate) trait Control: Any + Send + Sync {
    /// Something was left on a cell at `now`. Must not wait.
    fn tripped(&self, now: Nanos);

    /// What is served at this moment, and by which strategy.
    #[cfg(feature = "tracing")]
    fn served(&self) -> (Version, Arc<str>);
}
