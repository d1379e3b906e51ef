//! evenkeel, while nobody picks.

use evenkeel::Endpoint;
use evenkeel::config::StrategyKind;

use super::Stopwatch;
use crate::{clock, ours};

/// A new target under an id that is there.
pub(super) fn insert(kind: StrategyKind, n: usize) -> Stopwatch {
    let balancer = ours::balancer(kind, n, &());
    let mut turn = 0;
    Box::new(move || {
        turn += 1;
        let endpoint = Endpoint::new(ours::id(turn % n), ());
        let version = balancer.version();
        let took = clock::time(|| {
            balancer.insert(endpoint).expect("it may be inserted");
        });
        assert!(balancer.version() > version, "nothing was published");
        took
    })
}

/// The whole list, in which the last id takes turns with one that is not there.
pub(super) fn replace(kind: StrategyKind, n: usize) -> Stopwatch {
    let balancer = ours::balancer(kind, n, &());
    let mut other = false;
    Box::new(move || {
        other = !other;
        let last = if other { n } else { n - 1 };
        let ids = (0..n - 1).chain([last]);
        let list: Vec<_> = ids.map(|at| Endpoint::new(ours::id(at), ())).collect();
        let version = balancer.version();
        let took = clock::time(|| {
            balancer.replace(list).expect("the list may be served");
        });
        assert!(balancer.version() > version, "nothing was published");
        took
    })
}
