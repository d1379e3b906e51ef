//! Endpoints by key: evenkeel's two strategies beside crates that do nothing else.
//!
//! The crates answer whose a key is, and hash the key on the way. So does `lookup:`, which asks
//! [`Picker::owner`]; `pick:` is all of a pick, with the snapshot, the lease and the outcome.

use std::hint::black_box;
use std::sync::Arc;

use evenkeel::config::{HashConfig, StrategyConfig, StrategyKind};
use evenkeel::strategy::{Candidates, Maglev, PickContext, Picker, RingHash, Strategy};
use evenkeel::{Balancer, Config, Endpoint, EndpointId, Key, Outcome};
use maglev::ConsistentHasher as _;
use parking_lot::Mutex;

use crate::contestant::Entrant;
use crate::ours;

/// With one key the processor learns the way.
pub const KEYS: usize = 4096;

/// Keys of one length.
#[must_use]
pub fn keys() -> Arc<[String]> {
    (0..KEYS).map(|key| format!("key-{key:012}")).collect()
}

/// Runs `find` for one key after the other.
fn by_turns<T: Clone + Send + 'static>(shared: T, find: fn(&T, &str)) -> Entrant {
    let keys = keys();
    Entrant::Shared(Box::new({
        let shared = Mutex::new(shared);
        move || {
            let shared = shared.lock().clone();
            let keys = Arc::clone(&keys);
            let mut at = 0;
            Box::new(move |picks| {
                for _ in 0..picks {
                    at = (at + 1) % KEYS;
                    find(&shared, black_box(&keys[at]));
                }
            })
        }
    }))
}

/// All of a pick.
#[must_use]
pub fn pick(kind: StrategyKind, bound: Option<u32>, n: usize) -> Entrant {
    let hash = HashConfig::default().with_bounded_load_percent(bound).expect("it is in range");
    let config = Config::default().with_strategy(StrategyConfig::new(kind)).with_hash(hash);
    let endpoints = (0..n).map(|at| Endpoint::new(ours::id(at), ()));
    let builder = Balancer::builder().config(config).endpoints(endpoints);
    by_turns(builder.build().expect("the settings are sound"), |balancer, key| {
        let lease = balancer.pick(&Key::bytes(key.as_bytes())).expect("there are endpoints");
        black_box(&lease);
        lease.finish(Outcome::Success);
    })
}

/// The lookup alone.
#[must_use]
pub fn lookup(strategy: impl Strategy, n: usize) -> Entrant {
    let kept = Kept::default();
    let keeper = Keeper { strategy, kept: Arc::clone(&kept) };
    let config = StrategyConfig::new(StrategyKind::Custom("kept".to_owned()));
    let balancer = Balancer::builder()
        .config(Config::default().with_strategy(config))
        .strategy("kept", keeper)
        .endpoints((0..n).map(|at| Endpoint::new(ours::id(at), ())))
        .build()
        .expect("the settings are sound");
    let picker = kept.lock().clone().expect("it was built");
    drop(balancer);
    by_turns(picker, |picker, key| {
        let hash = Key::bytes(key.as_bytes()).hash().expect("it has one");
        black_box(picker.owner(hash));
    })
}

/// The table alone.
#[must_use]
pub fn maglev_lookup(n: usize) -> Entrant {
    lookup(Maglev::default(), n)
}

/// The ring alone.
#[must_use]
pub fn ring_lookup(n: usize) -> Entrant {
    lookup(RingHash::default(), n)
}

/// The crate `maglev`. While it builds it holds a list of all rows for each endpoint: with a
/// thousand endpoints that is a gigabyte.
#[must_use]
pub fn maglev(n: usize) -> Entrant {
    let table = Arc::new(maglev::Maglev::with_capacity(
        (0..n).map(ours::id).collect::<Vec<EndpointId>>(),
        65_537,
    ));
    by_turns(table, |table, key| {
        black_box(table.get(&key));
    })
}

/// The crate `hashring`, with one point for each node, as it has them.
#[must_use]
pub fn hashring(n: usize) -> Entrant {
    let mut ring = hashring::HashRing::new();
    ring.batch_add((0..n).map(ours::id).collect());
    by_turns(Arc::new(ring), |ring, key| {
        black_box(ring.get(&key));
    })
}

/// The picker that was built last.
type Kept = Arc<Mutex<Option<Arc<dyn Picker>>>>;

/// Keeps the picker of a strategy within reach.
#[derive(Debug)]
struct Keeper<S> {
    strategy: S,
    kept: Kept,
}

#[derive(Debug)]
struct Shared(Arc<dyn Picker>);

impl<S: Strategy> Strategy for Keeper<S> {
    fn build(&self, candidates: &Candidates<'_>) -> Box<dyn Picker> {
        let picker: Arc<dyn Picker> = self.strategy.build(candidates).into();
        *self.kept.lock() = Some(Arc::clone(&picker));
        Box::new(Shared(picker))
    }
}

impl Picker for Shared {
    fn pick(&self, cx: &mut PickContext<'_>) -> Option<usize> {
        self.0.pick(cx)
    }

    fn shares(&self) -> Vec<f64> {
        self.0.shares()
    }
}
