//! The seam for whoever makes active checks.

use std::fmt;
use std::sync::Weak;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use crate::balancer::core::Core;
use crate::balancer::{Balancer, now};
use crate::config::{Config, HealthConfig, InitialHealth};
use crate::endpoint::{Attributes, Bound, EndpointCell, Report};
use crate::error::Problem;
use crate::event::Event;
use crate::health::Probe;
use crate::outlier::Standing;
use crate::rng::{Randomness, Rng};
use crate::snapshot::{Member, Snapshot};
use crate::sync::Arc;
use crate::units::{Nanos, Origin};

/// Sets the stream of checks apart from that of picks and that of verdicts.
const STREAM: u64 = 0x63_68_65_63_6b_73;

/// What a balancer has to do with its active checks, whoever makes them.
pub(crate) struct Checks<T> {
    probe: Option<Arc<dyn Probe<T>>>,
    /// A stream of its own, so that checks change no pick.
    randomness: Randomness,
    changed: Notify,
    /// One worker at a time checks.
    turn: Arc<Semaphore>,
    workers: AtomicUsize,
    /// There has been a worker.
    begun: AtomicBool,
}

impl<T> Checks<T> {
    pub(crate) fn new(probe: Option<Arc<dyn Probe<T>>>, seed: Option<u64>) -> Self {
        Self {
            probe,
            randomness: Randomness::new(seed.map(|seed| seed ^ STREAM)),
            changed: Notify::new(),
            turn: Arc::new(Semaphore::new(1)),
            workers: AtomicUsize::new(0),
            begun: AtomicBool::new(false),
        }
    }

    /// Whether there were workers and none is left: what checks have found holds no longer, for
    /// nobody would ever find anything else.
    pub(crate) fn are_over(&self) -> bool {
        self.begun.load(Ordering::SeqCst) && self.workers.load(Ordering::SeqCst) == 0
    }

    /// Whoever checks has something new to look at.
    pub(crate) fn notice(&self) {
        self.changed.notify_one();
    }

    /// The balancer is gone.
    pub(crate) fn end(&self) {
        self.turn.close();
        self.changed.notify_one();
    }

    /// Refuses settings that ask for checks where there is no probe to make them with.
    pub(crate) fn can_serve(&self, config: &Config) -> Result<(), Problem> {
        if config.health().is_none() || self.probe.is_some() {
            return Ok(());
        }
        let message = "checks need a probe, and Builder::probe was not called to give one; \
                       `health = false` makes none";
        Err(Problem::error("health", message))
    }

    /// Where an endpoint stands that joins under these settings, if it has to be found well first.
    pub(crate) fn awaited(&self, config: &Config) -> Option<Standing> {
        let initial = config.health().map(HealthConfig::initial);
        let waits = initial == Some(InitialHealth::Unhealthy) && !self.are_over();
        waits.then(Standing::awaited)
    }
}

impl<T> fmt::Debug for Checks<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Checks").field("workers", &self.workers).finish_non_exhaustive()
    }
}

/// Somebody who would make checks, for as long as this lives. Keeps no balancer alive.
pub(crate) struct Checking<T: Send + Sync + 'static> {
    core: Weak<Core<T>>,
    checks: Arc<Checks<T>>,
    origin: Origin,
}

/// All that one check needs.
pub(crate) struct Asked<T> {
    pub(crate) probe: Arc<dyn Probe<T>>,
    pub(crate) attributes: Arc<Attributes>,
    pub(crate) bound: Arc<Bound<T>>,
}

impl<T: Send + Sync + 'static> Balancer<T> {
    pub(crate) fn check(&self) -> Checking<T> {
        let checks = Arc::clone(&self.core.checks);
        // In this order, so that nobody sees the second without the first.
        checks.workers.fetch_add(1, Ordering::SeqCst);
        checks.begun.store(true, Ordering::SeqCst);
        Checking { core: Arc::downgrade(&self.core), checks, origin: self.core.ground.origin }
    }
}

impl<T: Send + Sync + 'static> Checking<T> {
    /// Ready when nobody else checks, and keeps others from it; `None` once the balancer is gone.
    pub(crate) async fn turn(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.checks.turn).acquire_owned().await.ok()
    }

    /// Ready when something else may be served, or the balancer is gone.
    pub(crate) async fn changed(&self) {
        self.checks.changed.notified().await;
    }

    pub(crate) fn now(&self) -> Nanos {
        self.origin.nanos(now())
    }

    /// An instant to wait for; `None` for never.
    pub(crate) fn instant(&self, at: Nanos) -> Option<Instant> {
        self.origin.instant(at).filter(|_| at < Nanos::NEVER)
    }

    pub(crate) fn rng(&self) -> Rng {
        self.checks.randomness.fork()
    }

    /// Looks at what is served: the settings of checks, where they are made, and the endpoints in
    /// the order of their ids. `None` once the balancer is gone.
    pub(crate) fn look<R>(
        &self,
        look: impl FnOnce(Option<&HealthConfig>, &[Arc<Member<T>>]) -> R,
    ) -> Option<R> {
        let served = self.core.upgrade()?.published.current();
        Some(look(served.config.health(), &served.members))
    }

    /// What is needed to check an endpoint, if it is there.
    pub(crate) fn ask(&self, cell: &Arc<EndpointCell>) -> Option<Asked<T>> {
        let probe = Arc::clone(self.checks.probe.as_ref()?);
        self.core.upgrade()?.published.read(|served| {
            let member = known(served, cell)?;
            let (attributes, bound) = (Arc::clone(&member.attributes), Arc::clone(&member.bound));
            Some(Asked { probe, attributes, bound })
        })
    }

    /// Hands in what checks have come to, all with one snapshot, and tells subscribers the rest.
    pub(crate) fn report(&self, reports: Vec<Report>, events: Vec<Event>) {
        let Some(core) = self.core.upgrade() else { return };
        events.into_iter().for_each(|event| core.hub.push(event));
        if reports.is_empty() {
            core.hub.flush();
            return;
        }
        reports.into_iter().for_each(|report| core.shared.leave_report(report));
        core.take_up(self.now());
    }
}

impl<T: Send + Sync + 'static> Drop for Checking<T> {
    fn drop(&mut self) {
        if self.checks.workers.fetch_sub(1, Ordering::SeqCst) > 1 {
            return;
        }
        // Never waits: whoever holds the lock, maybe this thread itself, takes it up.
        if let Some(core) = self.core.upgrade() {
            core.take_up(self.now());
        }
    }
}

impl<T: Send + Sync + 'static> fmt::Debug for Checking<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Checking").field("checks", &self.checks).finish_non_exhaustive()
    }
}

/// The member that is counted on this cell; one that has come back as a stranger is another one.
fn known<'a, T>(served: &'a Snapshot<T>, cell: &Arc<EndpointCell>) -> Option<&'a Arc<Member<T>>> {
    let member = served.members.get(served.position(cell.id())?)?;
    Arc::ptr_eq(&member.bound.cell, cell).then_some(member)
}
