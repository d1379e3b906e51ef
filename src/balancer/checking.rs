//! The seam for whoever makes active checks.

use std::fmt;
use std::sync::Weak;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

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
    good: AtomicU64,
    bad: AtomicU64,
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
            good: AtomicU64::new(0),
            bad: AtomicU64::new(0),
        }
    }

    /// Whether there were workers and none is left: what checks have found holds no longer, for
    /// nobody would ever find anything else.
    pub(crate) fn are_over(&self) -> bool {
        self.begun.load(Ordering::SeqCst) && self.workers.load(Ordering::SeqCst) == 0
    }

    /// How many checks have ended well so far, and how many have not.
    #[cfg(feature = "metrics")]
    pub(crate) fn ended(&self) -> (u64, u64) {
        (self.good.load(Ordering::Relaxed), self.bad.load(Ordering::Relaxed))
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
    pub(crate) attributes: Attributes,
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

    /// Counts a check that has ended.
    pub(crate) fn count(&self, good: bool) {
        let counter = if good { &self.checks.good } else { &self.checks.bad };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn rng(&self) -> Rng {
        self.checks.randomness.fork()
    }

    /// Looks at what is served: the settings of checks, where they are made, and the endpoints in
    /// the order of their ids. `None` once the balancer is gone.
    pub(crate) fn look<R>(
        &self,
        look: impl FnOnce(Option<&HealthConfig>, &[Member<T>]) -> R,
    ) -> Option<R> {
        let served = self.core.upgrade()?.published.current();
        Some(look(served.config.health(), &served.members))
    }

    /// What is needed to check an endpoint, if it is there.
    pub(crate) fn ask(&self, cell: &Arc<EndpointCell>) -> Option<Asked<T>> {
        let probe = Arc::clone(self.checks.probe.as_ref()?);
        self.core.upgrade()?.published.read(|served| {
            let member = known(served, cell)?;
            let (attributes, bound) = (member.attributes.clone(), Arc::clone(&member.bound));
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
fn known<'a, T>(served: &'a Snapshot<T>, cell: &Arc<EndpointCell>) -> Option<&'a Member<T>> {
    let member = served.members.get(served.position(cell.id())?)?;
    Arc::ptr_eq(&member.bound.cell, cell).then_some(member)
}

#[cfg(all(test, not(evenkeel_loom)))]
mod tests {
    use super::*;
    use crate::balancer::Events;
    use crate::endpoint::{Availability, Endpoint, Testimony};
    use crate::health::probe_fn;

    fn balancer(config: Config) -> Balancer<u8> {
        let probe = probe_fn(|_| async { Ok::<_, std::io::Error>(()) });
        let endpoints = ["a", "b", "c", "d"].map(|id| Endpoint::new(id, 0));
        let balancer = Balancer::builder().config(config).endpoints(endpoints).probe(probe);
        balancer.build().expect("the settings are sound")
    }

    fn checked() -> Config {
        Config::default().with_health(Some(HealthConfig::default()))
    }

    fn cell(balancer: &Balancer<u8>, at: usize) -> Arc<EndpointCell> {
        let look = |members: &[Member<u8>]| Arc::clone(&members[at].bound.cell);
        balancer.check().look(|_, members| look(members)).expect("the balancer is there")
    }

    fn fell(cell: &Arc<EndpointCell>) -> Report {
        let testimony = Testimony::Fell { failures: 3, error: Arc::new("no".into()) };
        Report { cell: Arc::clone(cell), testimony }
    }

    fn rose(cell: &Arc<EndpointCell>) -> Report {
        Report { cell: Arc::clone(cell), testimony: Testimony::Rose }
    }

    fn told(events: &mut Events) -> Vec<String> {
        use futures_util::{FutureExt, StreamExt};
        let next = || events.next().now_or_never().flatten();
        std::iter::from_fn(next).map(|event| event.to_string()).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn many_reports_are_one_snapshot_and_repeated_ones_are_no_news() {
        let balancer = balancer(checked());
        let checking = balancer.check();
        let cells: Vec<_> = (0..4).map(|at| cell(&balancer, at)).collect();
        let mut events = balancer.subscribe();
        let all = || cells.iter().map(fell).chain(cells.iter().map(fell)).collect();
        checking.report(all(), Vec::new());
        let words = told(&mut events);
        assert_eq!(words.len(), 5, "four, and one panic: {words:?}");
        assert_eq!(words[4], "panic: only 0 of 4 endpoints are well, all are used");
        checking.report(all(), Vec::new());
        // What follows in the same breath counts, in its order.
        checking.report(vec![rose(&cells[0]), fell(&cells[0]), rose(&cells[1])], Vec::new());
        let words = told(&mut events);
        assert_eq!(words.len(), 3, "{words:?}");
        let states = balancer.status().endpoints.into_iter().map(|it| it.state);
        let states: Vec<_> = states.collect();
        assert_eq!(states[..2], [Availability::Unhealthy, Availability::Warming]);
    }

    #[tokio::test(start_paused = true)]
    async fn reports_of_strangers_and_from_before_checks_were_switched_off_are_nothing() {
        let balancer = balancer(checked());
        let checking = balancer.check();
        let known = cell(&balancer, 1);
        let stranger = EndpointCell::new("a".into(), Arc::clone(&balancer.core.shared));
        let mut events = balancer.subscribe();
        checking.report(vec![fell(&Arc::new(stranger))], Vec::new());
        assert_eq!(told(&mut events).len(), 0);
        balancer.apply(Config::default()).unwrap();
        checking.report(vec![fell(&known)], Vec::new());
        assert_eq!(told(&mut events).len(), 1, "that the settings were changed");
        drop(balancer);
        assert!(checking.look(|_, _| ()).is_none());
        checking.report(vec![fell(&known)], Vec::new());
    }
}
