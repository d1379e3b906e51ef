//! evenkeel, with every default on, and without a seed: a seeded balancer draws from one shared
//! stream, which is for tests.

use std::hint::black_box;
use std::sync::Arc;

use evenkeel::config::{StrategyConfig, StrategyKind};
use evenkeel::{Balancer, Builder, Config, Endpoint, EndpointId, Key, Lease, Outcome};

use crate::contestant::Entrant;
use crate::endpoint;

/// Settings that name the strategy and leave the rest as it is.
#[must_use]
pub fn config(kind: StrategyKind) -> Config {
    Config::default().with_strategy(StrategyConfig::new(kind))
}

/// What an endpoint is called. All ids are of one length.
#[must_use]
pub fn id(at: usize) -> EndpointId {
    EndpointId::from(format!("endpoint-{at:06}"))
}

/// A description with `n` endpoints.
pub fn builder<T: Clone + Send + Sync + 'static>(
    kind: StrategyKind,
    n: usize,
    target: &T,
) -> Builder<T> {
    let endpoints = (0..n).map(|at| Endpoint::new(id(at), target.clone()));
    Balancer::builder().config(config(kind)).endpoints(endpoints)
}

/// A balancer of `n` endpoints.
///
/// # Panics
///
/// Never: there is nothing wrong with the settings.
pub fn balancer<T: Clone + Send + Sync + 'static>(
    kind: StrategyKind,
    n: usize,
    target: &T,
) -> Balancer<T> {
    builder(kind, n, target).build().expect("the settings are sound")
}

/// One pick and its outcome.
///
/// # Panics
///
/// If there is no endpoint.
#[inline]
pub fn pick_once<T: Send + Sync + 'static>(balancer: &Balancer<T>) {
    let lease = lease(balancer);
    black_box(&lease);
    lease.finish(Outcome::Success);
}

/// As many leases as keep a balancer of `n` endpoints busy; see [`endpoint::hold`].
#[must_use]
pub fn hold<T: Send + Sync + 'static>(balancer: &Balancer<T>, n: usize) -> Vec<Lease<T>> {
    (0..n + n / 2).map(|_| lease(balancer)).collect()
}

/// [`Balancer::pick`] and its outcome.
#[must_use]
pub fn pick(kind: StrategyKind, n: usize) -> Entrant {
    let balancer = balancer(kind, n, &());
    (0..4 * n).for_each(|_| pick_once(&balancer));
    let held = Arc::new(hold(&balancer, n));
    Entrant::Shared(Box::new(move || {
        let (balancer, held) = (balancer.clone(), Arc::clone(&held));
        Box::new(move |picks| {
            (0..picks).for_each(|_| pick_once(&balancer));
            black_box(&held);
        })
    }))
}

/// A request through [`evenkeel::Balance`].
#[must_use]
pub fn request(kind: StrategyKind, n: usize) -> Entrant {
    let balancer = balancer(kind, n, &endpoint::service());
    let mut service = balancer.service();
    (0..4 * n).for_each(|_| endpoint::send(&mut service));
    let held = Arc::new(endpoint::hold(&mut service, n));
    Entrant::Shared(Box::new(move || {
        let (mut service, held) = (balancer.service(), Arc::clone(&held));
        Box::new(move |requests| {
            (0..requests).for_each(|_| endpoint::send(&mut service));
            black_box(&held);
        })
    }))
}

#[inline]
fn lease<T: Send + Sync + 'static>(balancer: &Balancer<T>) -> Lease<T> {
    balancer.pick(&Key::none()).expect("there are endpoints")
}
