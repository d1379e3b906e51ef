//! The least that can be done.

use std::hint::{black_box, select_unpredictable};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crossbeam_utils::CachePadded;

use crate::contestant::Entrant;
use crate::{clock, endpoint};

/// The least that any choice between two can do: two random indices and two loads.
#[must_use]
pub fn two_loads(n: usize) -> Entrant {
    let padded = |i| CachePadded::new(AtomicU64::new(i % 3));
    let loads: Arc<[CachePadded<AtomicU64>]> = (0..n as u64).map(padded).collect();
    Entrant::Shared(Box::new(move || {
        let loads = Arc::clone(&loads);
        Box::new(move |picks| {
            for _ in 0..picks {
                let (a, b) = (fastrand::usize(..loads.len()), fastrand::usize(..loads.len()));
                let load = |at: usize| loads[at].load(Ordering::Relaxed);
                black_box(select_unpredictable(load(b) < load(a), b, a));
            }
        })
    }))
}

/// The endpoint without a balancer.
#[must_use]
pub fn service_fn() -> Entrant {
    Entrant::Shared(Box::new(|| {
        let mut service = endpoint::service();
        Box::new(move |requests| (0..requests).for_each(|_| endpoint::send(&mut service)))
    }))
}

/// Two reads of the clock of the standard library.
#[must_use]
pub fn clock_std() -> Entrant {
    two_reads(|| {
        black_box(clock::now());
    })
}

/// Two reads of tokio's clock.
#[must_use]
pub fn clock_tokio() -> Entrant {
    two_reads(|| {
        #[expect(clippy::disallowed_methods, reason = "the clock itself is measured")]
        black_box(tokio::time::Instant::now());
    })
}

fn two_reads(read: impl Fn() + Copy + Send + 'static) -> Entrant {
    Entrant::Shared(Box::new(move || {
        Box::new(move |requests| {
            for _ in 0..requests {
                read();
                read();
            }
        })
    }))
}
