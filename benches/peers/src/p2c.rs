//! tower's balancer, with each of its measures of load.

use std::hash::Hash;
use std::hint::black_box;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tower::balance::p2c::Balance;
use tower::buffer::Buffer;
use tower::discover::{Discover, ServiceList};
use tower::load::{CompleteOnResponse, Constant, PeakEwmaDiscover, PendingRequestsDiscover};
use tower::util::ServiceFn;
use tower::{BoxError, Service, ServiceExt};

use crate::contestant::Entrant;
use crate::endpoint::{self, Request, Response};

/// As in tower's example.
const DEFAULT_RTT: Duration = Duration::from_millis(30);
/// evenkeel's own default, so that both decay alike.
const DECAY: Duration = Duration::from_secs(10);
/// How many requests may wait in the buffer.
const BUFFER: usize = 1024;

/// tower's balancer over some discovery.
pub trait P2c:
    Service<Request, Response = (), Error = BoxError, Future: Send + Sync> + Send + 'static
{
    /// How many endpoints it has.
    fn endpoints(&self) -> usize;
}

impl<D> P2c for Balance<D, Request>
where
    D: Discover<Key: Hash, Service: Service<Request, Error: Into<BoxError>>>,
    Self: Service<Request, Response = (), Error = BoxError, Future: Send + Sync> + Send + 'static,
{
    fn endpoints(&self) -> usize {
        self.len()
    }
}

/// p2c that finds everybody equally loaded.
#[must_use]
pub fn by_constant(n: usize) -> impl P2c {
    Balance::new(Constant::new(list(n), 0_u32))
}

/// p2c by requests in flight.
#[must_use]
pub fn by_pending(n: usize) -> impl P2c {
    Balance::new(PendingRequestsDiscover::new(list(n), CompleteOnResponse::default()))
}

/// p2c by latency and requests in flight.
#[must_use]
pub fn by_peak_ewma(n: usize) -> impl P2c {
    let completion = CompleteOnResponse::default();
    Balance::new(PeakEwmaDiscover::new(list(n), DEFAULT_RTT, DECAY, completion))
}

fn list(n: usize) -> ServiceList<Vec<ServiceFn<impl Fn(Request) -> Response + Send + Sync>>> {
    ServiceList::new((0..n).map(|_| endpoint::service()).collect())
}

/// [`by_constant`], for one thread.
#[must_use]
pub fn constant(n: usize) -> Entrant {
    Busy::new(by_constant(n), n).bare()
}

/// [`by_constant`], shared by way of a mutex.
#[must_use]
pub fn constant_in_mutex(n: usize) -> Entrant {
    Busy::new(by_constant(n), n).in_mutex()
}

/// [`by_pending`], for one thread.
#[must_use]
pub fn pending(n: usize) -> Entrant {
    Busy::new(by_pending(n), n).bare()
}

/// [`by_pending`], shared by way of a mutex.
#[must_use]
pub fn pending_in_mutex(n: usize) -> Entrant {
    Busy::new(by_pending(n), n).in_mutex()
}

/// [`by_pending`] behind tower's `Buffer`, which is how it is shared as a rule.
#[must_use]
pub fn pending_in_buffer(n: usize) -> Entrant {
    Busy::new(by_pending(n), n).in_buffer()
}

/// [`by_peak_ewma`], for one thread.
#[must_use]
pub fn peak_ewma(n: usize) -> Entrant {
    Busy::new(by_peak_ewma(n), n).bare()
}

/// [`by_peak_ewma`], shared by way of a mutex.
#[must_use]
pub fn peak_ewma_in_mutex(n: usize) -> Entrant {
    Busy::new(by_peak_ewma(n), n).in_mutex()
}

/// A balancer with its endpoints ready, and the requests that keep it busy.
struct Busy<S: Service<Request>> {
    service: S,
    held: Vec<Pin<Box<S::Future>>>,
}

impl<S: P2c> Busy<S> {
    /// After so many requests each endpoint was sent some, and is back among those that are ready.
    fn new(mut service: S, n: usize) -> Self {
        (0..4 * n).for_each(|_| endpoint::send(&mut service));
        assert_eq!(service.endpoints(), n, "an endpoint is lost");
        let held = endpoint::hold(&mut service, n);
        Self { service, held }
    }

    fn bare(self) -> Entrant {
        let Self { mut service, held } = self;
        Entrant::Alone(Box::new(move |requests| {
            (0..requests).for_each(|_| endpoint::send(&mut service));
            black_box(&held);
        }))
    }

    fn in_mutex(self) -> Entrant {
        let shared = Arc::new((Mutex::new(self.service), self.held));
        Entrant::Shared(Box::new(move || {
            let shared = Arc::clone(&shared);
            Box::new(move |requests| {
                (0..requests).for_each(|_| endpoint::send_locked(&shared.0));
                black_box(&shared.1);
            })
        }))
    }

    /// One task that awaits each response, beside the buffer's own.
    fn in_buffer(self) -> Entrant {
        let Self { service, held } = self;
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let runtime = runtime.expect("a runtime without I/O and timers");
        let mut buffer = {
            let _entered = runtime.enter();
            Buffer::new(service, BUFFER)
        };
        Entrant::Alone(Box::new(move |requests| {
            runtime.block_on(async {
                for _ in 0..requests {
                    let ready = buffer.ready().await.expect("the buffer's task runs");
                    let answer = ready.call(black_box(Request::Answer)).await;
                    black_box(answer).expect("the endpoint answers");
                }
            });
            black_box(&held);
        }))
    }
}
