//! pingora: an update from a discovery that has a list in hand, in which one backend is new.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use async_trait::async_trait;
use parking_lot::Mutex;
use pingora_load_balancing::discovery::ServiceDiscovery;
use pingora_load_balancing::selection::{BackendIter, BackendSelection, Consistent, RoundRobin};
use pingora_load_balancing::{Backend, Backends, LoadBalancer};

use super::Stopwatch;
use crate::clock;
use crate::pingora::address;

pub(super) fn round_robin(n: usize) -> Stopwatch {
    update::<RoundRobin>(n)
}

pub(super) fn ketama(n: usize) -> Stopwatch {
    update::<Consistent>(n)
}

/// Hands over the list that was put in.
#[derive(Clone, Default)]
struct Hand(Arc<Mutex<BTreeSet<Backend>>>);

#[async_trait]
impl ServiceDiscovery for Hand {
    async fn discover(&self) -> pingora_error::Result<(BTreeSet<Backend>, HashMap<u64, bool>)> {
        Ok((std::mem::take(&mut *self.0.lock()), HashMap::new()))
    }
}

fn update<S>(n: usize) -> Stopwatch
where
    S: BackendSelection<Iter: BackendIter> + 'static,
{
    let hand = Hand::default();
    let backends = Backends::new(Box::new(hand.clone()));
    let balancer = LoadBalancer::<S>::from_backends(backends);
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = runtime.expect("a runtime without I/O and timers");
    let backend = |at| Backend::new(&address(at)).expect("it is an address");
    let update = move |last: usize| {
        *hand.0.lock() = (0..n - 1).chain([last]).map(backend).collect();
        let took = clock::time(|| {
            runtime.block_on(balancer.update()).expect("a discovery that cannot fail");
        });
        assert_eq!(balancer.backends().get_backend().len(), n);
        took
    };
    update(n - 1);
    let mut other = false;
    Box::new(move || {
        other = !other;
        update(if other { n } else { n - 1 })
    })
}
