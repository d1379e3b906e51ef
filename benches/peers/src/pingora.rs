//! pingora's load balancing: one `select`, without health checks.

use std::hint::black_box;
use std::sync::Arc;

use pingora_load_balancing::LoadBalancer;
use pingora_load_balancing::selection::{
    BackendIter, BackendSelection, Consistent, Random, RoundRobin,
};

use crate::contestant::Entrant;

/// How far a selection may search.
const SEARCH: usize = 256;
/// With one key the processor learns the way through the ring.
const KEYS: usize = 4096;

/// Turns.
#[must_use]
pub fn round_robin(n: usize) -> Entrant {
    select::<RoundRobin>(n)
}

/// At random.
#[must_use]
pub fn random(n: usize) -> Entrant {
    select::<Random>(n)
}

/// By the hash of a key, of which there are some thousand.
#[must_use]
pub fn ketama(n: usize) -> Entrant {
    select::<Consistent>(n)
}

/// A balancer of `n` backends.
///
/// # Panics
///
/// Never: the addresses are sound.
#[must_use]
pub fn balancer<S>(n: usize) -> LoadBalancer<S>
where
    S: BackendSelection<Iter: BackendIter> + 'static,
{
    LoadBalancer::try_from_iter((0..n).map(address)).expect("they are addresses")
}

/// Where a backend is.
#[must_use]
pub fn address(at: usize) -> String {
    let [.., b, c, d] = (at as u32).to_be_bytes();
    format!("10.{b}.{c}.{d}:80")
}

fn select<S>(n: usize) -> Entrant
where
    S: BackendSelection<Iter: BackendIter> + Send + Sync + 'static,
{
    let balancer = Arc::new(balancer::<S>(n));
    let keys: Arc<[String]> = (0..KEYS).map(|key| format!("key-{key:012}")).collect();
    Entrant::Shared(Box::new(move || {
        let (balancer, keys) = (Arc::clone(&balancer), Arc::clone(&keys));
        let mut at = 0;
        Box::new(move |picks| {
            for _ in 0..picks {
                at = (at + 1) % KEYS;
                let backend = balancer.select(black_box(keys[at].as_bytes()), SEARCH);
                assert!(black_box(backend).is_some(), "no backend was found");
            }
        })
    }))
}
