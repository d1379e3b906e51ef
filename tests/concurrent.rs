//! Picks on eight threads while a ninth changes everything that can be changed.
//!
//! Real threads and a real clock: what happens differs from run to run, what must hold does not.

#![cfg(feature = "config")]

mod support;

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use evenkeel::strategy::Rng;
use evenkeel::{Config, Drain, Key, Lease, Outcome, PickError};
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::support::{Numbered, builder, config, endpoint, every_strategy, id, strategy};

const SEEDS: std::ops::Range<u64> = 0..2;
const PICKERS: u64 = 8;
const PICKS_EACH: usize = 150_000;

/// Endpoints there are in all; a set is a word with a bit for each of its endpoints.
const ENDPOINTS: usize = 12;
const EVERYBODY: u64 = (1 << ENDPOINTS) - 1;

/// Sets prepared for a run; when they are used up the last one stays.
const SETS: usize = 200_000;

/// What the threads of one run share.
struct Run {
    balancer: Numbered,
    seed: u64,
    /// The sets in the order in which they are published; their index is their generation.
    sets: Vec<u64>,
    /// The last generation whose publication has begun, and the last that has ended.
    begun: AtomicUsize,
    ended: AtomicUsize,
    /// Endpoints whose drain is over and that were not let back since.
    drained: AtomicU64,
    /// How many drains were seen to be over.
    drains_over: AtomicUsize,
}

/// What a picker did.
#[derive(Debug, Default)]
struct Tally {
    leases: u64,
    failures: u64,
    refusals: u64,
}

impl Run {
    fn new(seed: u64) -> Self {
        let mut rng = Rng::seeded(seed);
        let mut sets = vec![EVERYBODY];
        sets.extend((1..SETS).map(|_| match rng.below(8) {
            0 => 0,
            1 => EVERYBODY,
            _ => rng.next_u64() & EVERYBODY,
        }));
        let balancer = builder("", ENDPOINTS, seed).build().expect("the settings are valid");
        Self {
            balancer,
            seed,
            sets,
            begun: AtomicUsize::new(0),
            ended: AtomicUsize::new(0),
            drained: AtomicU64::new(0),
            drains_over: AtomicUsize::new(0),
        }
    }

    // --- Picking ---------------------------------------------------------------------------------

    /// Picks, holds a few leases for a while, and finishes them in one way or another.
    fn pick(&self, picker: u64) -> Tally {
        let mut rng = Rng::seeded(self.seed << 8 | picker);
        let mut tally = Tally::default();
        let mut held = Vec::new();
        for _ in 0..PICKS_EACH {
            match self.pick_once(&mut rng) {
                Ok(lease) => {
                    tally.leases += 1;
                    held.push(lease);
                }
                Err(_) => tally.refusals += 1,
            }
            if held.len() > rng.below(5) as usize {
                let lease = held.swap_remove(rng.below(held.len() as u64) as usize);
                self.assert_not_drained(&lease, "when it ends");
                match rng.below(4) {
                    0 => drop(lease),
                    1 => {
                        tally.failures += 1;
                        lease.finish(Outcome::failure());
                    }
                    _ => lease.finish(Outcome::Success),
                }
            }
        }
        tally
    }

    fn pick_once(&self, rng: &mut Rng) -> Result<Lease<usize>, PickError> {
        let key = match rng.below(4) {
            0 => Key::none().excluding(&id(rng.below(ENDPOINTS as u64) as usize)),
            _ => Key::none(),
        };
        let from = self.ended.load(Ordering::SeqCst);
        let picked = self.balancer.pick(&key);
        let to = self.begun.load(Ordering::SeqCst);
        let seed = self.seed;
        match &picked {
            Ok(lease) => {
                let live = self.sets[from..=to].iter().fold(0, |live, set| live | set);
                let number = *lease.target();
                assert!(
                    live & 1 << number != 0,
                    "seed {seed}: {number} was in none of the sets {from} to {to}"
                );
                assert!(!key.excludes(lease.endpoint()), "seed {seed}: {number} was excluded");
                self.assert_not_drained(lease, "when it begins");
            }
            Err(PickError::Empty) => {
                let empty = self.sets[from..=to].contains(&0);
                assert!(empty, "seed {seed}: none of the sets {from} to {to} is empty");
            }
            Err(PickError::NoneAvailable { .. } | PickError::AllExcluded) => {}
            Err(other) => unreachable!("seed {seed}: {other}"),
        }
        picked
    }

    /// Whoever holds a lease on an endpoint whose drain is over got it before the drain was over
    /// or before the endpoint was let back.
    fn assert_not_drained(&self, lease: &Lease<usize>, when: &str) {
        let drained = self.drained.load(Ordering::SeqCst) & 1 << lease.target() != 0;
        assert!(!drained, "seed {}, {when}: a lease on drained {}", self.seed, lease.endpoint());
    }

    // --- Changing --------------------------------------------------------------------------------

    /// Makes one change after the other until `done`, and hands back the drains it has begun.
    fn change(&self, runtime: &Runtime, done: impl Fn() -> bool) -> Vec<JoinHandle<()>> {
        let mut rng = Rng::seeded(!self.seed);
        let settings: Vec<_> = every_strategy().map(|it| config(&strategy(it))).collect();
        let mut drains = Vec::new();
        while !done() {
            self.change_once(&mut rng, runtime, &settings, &mut drains);
        }
        drains
    }

    fn change_once(
        &self,
        rng: &mut Rng,
        runtime: &Runtime,
        settings: &[Config],
        drains: &mut Vec<JoinHandle<()>>,
    ) {
        let number = rng.below(ENDPOINTS as u64) as usize;
        match rng.below(10) {
            0..4 => {
                let next = self.begun.load(Ordering::SeqCst) + 1;
                if let Some(&set) = self.sets.get(next) {
                    self.publish(next, set, rng);
                }
            }
            // The endpoint may be out of the set: then there is nothing to drain or to say.
            4..6 => {
                if let Ok(drain) = self.balancer.drain(&id(number)) {
                    if drains.len() < 2_000 {
                        drains.extend(self.balancer.drain(&id(number)).map(|it| runtime.spawn(it)));
                    }
                    self.wait_for(drain, number, runtime);
                }
            }
            6 => drop(self.balancer.disable(&id(number))),
            7..9 => self.let_back(1 << number, || drop(self.balancer.enable(&id(number)))),
            _ => {
                let config = settings[rng.below(settings.len() as u64) as usize].clone();
                self.balancer.apply(config).expect("the strategy is a known one");
                let shares: f64 =
                    self.balancer.status().endpoints.iter().map(|it| it.expected_share).sum();
                assert!(shares < 1e-9 || (shares - 1.0).abs() < 1e-9, "shares sum to {shares}");
            }
        }
    }

    fn publish(&self, generation: usize, set: u64, rng: &mut Rng) {
        let numbers = (0..ENDPOINTS).filter(|number| set & 1 << number != 0);
        let endpoints: Vec<_> =
            numbers.map(|number| endpoint(number).weight(1 + rng.below(9) as u32)).collect();
        // Whoever comes back into the set is drained no more.
        let back = set & !self.sets[generation - 1];
        self.begun.store(generation, Ordering::SeqCst);
        self.let_back(back, || drop(self.balancer.replace_unchecked(endpoints)));
        self.ended.store(generation, Ordering::SeqCst);
    }

    /// Sees whether a drain is over soon, and if so says so to the pickers.
    fn wait_for(&self, drain: Drain, number: usize, runtime: &Runtime) {
        let soon = Duration::from_millis(2);
        if runtime.block_on(async { timeout(soon, drain).await }).is_ok() {
            self.drained.fetch_or(1 << number, Ordering::SeqCst);
            self.drains_over.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn let_back(&self, numbers: u64, change: impl FnOnce()) {
        self.drained.fetch_and(!numbers, Ordering::SeqCst);
        change();
    }

    // --- Afterwards ------------------------------------------------------------------------------

    /// Brings everybody back and compares what was counted with what was done.
    fn settle(&self, tallies: &[Tally]) {
        let everybody = (0..ENDPOINTS).map(endpoint);
        self.balancer.replace_unchecked(everybody).expect("ids are distinct");
        let endpoints = self.balancer.status().endpoints;
        let seed = self.seed;
        for found in &endpoints {
            assert_eq!(found.in_flight, 0, "seed {seed}: {found:?}");
        }
        let leases: u64 = tallies.iter().map(|it| it.leases).sum();
        let failures: u64 = tallies.iter().map(|it| it.failures).sum();
        assert_eq!(endpoints.iter().map(|it| it.picks).sum::<u64>(), leases, "seed {seed}");
        assert_eq!(endpoints.iter().map(|it| it.failures).sum::<u64>(), failures, "seed {seed}");
        let refusals: u64 = tallies.iter().map(|it| it.refusals).sum();
        let (sets, drains) = (&self.ended, &self.drains_over);
        eprintln!(
            "seed {seed}: {leases} leases, {refusals} refusals, {sets:?} sets, {drains:?} drains"
        );
        let enough = |count: &AtomicUsize| count.load(Ordering::SeqCst) > 10;
        assert!(enough(sets) && enough(drains) && leases > 1_000, "seed {seed}: hardly a test");
    }
}

/// Awaits all of them; one that was forgotten would wait for ever.
async fn all_over(drains: Vec<JoinHandle<()>>) -> bool {
    let all = async {
        for drain in drains {
            drain.await.expect("a drain does not panic");
        }
    };
    timeout(Duration::from_secs(20), all).await.is_ok()
}

#[test]
fn picks_and_changes_at_once_break_nothing() {
    for seed in SEEDS {
        eprintln!("seed {seed}");
        let run = Run::new(seed);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_time()
            .build()
            .expect("a runtime can be started");
        let (tallies, drains) = thread::scope(|scope| {
            let run = &run;
            let pickers: Vec<_> =
                (0..PICKERS).map(|picker| scope.spawn(move || run.pick(picker))).collect();
            let done = || pickers.iter().all(thread::ScopedJoinHandle::is_finished);
            let drains = run.change(&runtime, done);
            let tallies: Vec<_> =
                pickers.into_iter().map(|it| it.join().expect("no picker panics")).collect();
            (tallies, drains)
        });
        let over = runtime.block_on(all_over(drains));
        assert!(over, "seed {seed}: nothing is in flight, and a drain still waits");
        run.settle(&tallies);
    }
}
