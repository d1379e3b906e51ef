//! What the integration tests share: small sets, the paused clock, and open-loop traffic on it.

#![allow(dead_code, reason = "every test file uses its own part of it")]

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::time::Duration;

use evenkeel::strategy::Rng;
use evenkeel::{
    Balancer, Builder, Config, Endpoint, EndpointId, EndpointStatus, Event, Events, Key, Lease,
    Outcome, UpdateError, Version,
};
use futures_util::FutureExt;
use tokio::task::unconstrained;
use tokio::time::Instant;

/// The strategies whose shares are the weights, those that compare with two choices and with all.
pub(crate) const STRATEGIES: [&str; 6] = [
    "kind = 'round_robin'",
    "kind = 'random'",
    "kind = 'least_request'\nchoices = 2",
    "kind = 'least_request'\nchoices = 'all'",
    "kind = 'peak_ewma'\nchoices = 2",
    "kind = 'peak_ewma'\nchoices = 'all'",
];

/// Those that go by keys, small: tests make many of them, and are not optimised.
pub(crate) const BY_KEY: [&str; 2] = [
    "kind = 'ring_hash'\n[hash]\nmax_ring_size = 1024",
    "kind = 'maglev'\n[hash]\ntable_size = 1009",
];

/// All of them.
pub(crate) fn every_strategy() -> impl Iterator<Item = &'static str> {
    STRATEGIES.into_iter().chain(BY_KEY)
}

/// Endpoints in these tests are numbered, and the number is the target.
pub(crate) type Numbered = Balancer<usize>;

pub(crate) fn id(number: usize) -> EndpointId {
    EndpointId::from(format!("e{number:03}"))
}

pub(crate) fn endpoint(number: usize) -> Endpoint<usize> {
    Endpoint::new(id(number), number)
}

pub(crate) fn endpoints(numbers: std::ops::Range<usize>) -> Vec<Endpoint<usize>> {
    numbers.map(endpoint).collect()
}

/// A builder of a seeded balancer with `n` endpoints and the settings in `toml`.
pub(crate) fn builder(toml: &str, n: usize, seed: u64) -> Builder<usize> {
    Balancer::builder().config(config(toml)).endpoints(endpoints(0..n)).seed(seed)
}

pub(crate) fn balancer(toml: &str, n: usize, seed: u64) -> Numbered {
    builder(toml, n, seed).build().expect("the description is valid")
}

pub(crate) fn config(toml: &str) -> Config {
    Config::from_toml(toml).expect("the settings are valid")
}

/// Settings that say nothing but the strategy.
pub(crate) fn strategy(toml: &str) -> String {
    format!("[strategy]\n{toml}")
}

pub(crate) fn now() -> Instant {
    #[expect(clippy::disallowed_methods, reason = "the one place where tests read the clock")]
    Instant::now()
}

/// Moves the paused clock on to `at`, unless it is there already.
pub(crate) async fn advance_to(at: Instant) {
    let ahead = at.saturating_duration_since(now());
    if !ahead.is_zero() {
        tokio::time::advance(ahead).await;
    }
}

pub(crate) fn pick<T: Send + Sync + 'static>(balancer: &Balancer<T>) -> Lease<T> {
    balancer.pick(&Key::none()).expect("an endpoint is available")
}

/// Who gets the next `n` requests, each of which is over before the next begins and judges
/// nothing.
pub(crate) fn sequence<T: Send + Sync + 'static>(
    balancer: &Balancer<T>,
    n: usize,
) -> Vec<EndpointId> {
    (0..n).map(|_| pick(balancer).endpoint().clone()).collect()
}

/// A lease on `wanted`, got by excluding all others.
pub(crate) fn pick_only<T: Send + Sync + 'static>(
    balancer: &Balancer<T>,
    wanted: &EndpointId,
) -> Lease<T> {
    let others = balancer.status().endpoints.into_iter().filter(|other| other.id != *wanted);
    let key = others.fold(Key::none(), |key, other| key.excluding(&other.id));
    balancer.pick(&key).expect("the wanted endpoint is available")
}

pub(crate) fn status<T: Send + Sync + 'static>(
    balancer: &Balancer<T>,
    id: &EndpointId,
) -> EndpointStatus {
    balancer.status().endpoint(id).expect("the endpoint is in the set").clone()
}

/// Events that were sent and not yet received.
pub(crate) fn received(events: &mut Events) -> Vec<Event> {
    // Outside tokio's budget, which would make a test that polls too often look like silence.
    std::iter::from_fn(|| unconstrained(events.recv()).now_or_never().flatten()).collect()
}

/// Pearson's statistic of counts against the parts they should have.
pub(crate) fn chi_square(counts: &[u64], parts: &[f64]) -> f64 {
    let sum = counts.iter().sum::<u64>() as f64;
    let whole: f64 = parts.iter().sum();
    let term = |(&count, &part): (&u64, &f64)| {
        let expected = sum * part / whole;
        (count as f64 - expected).powi(2) / expected
    };
    counts.iter().zip(parts).map(term).sum()
}

/// Requests that arrive at fixed distances, whether or not earlier ones were answered.
pub(crate) struct Traffic<'a> {
    balancer: &'a Numbered,
    began: Instant,
    every: Duration,
    next: Instant,
    rng: Rng,
    unanswered: BinaryHeap<Reverse<Request>>,
    /// When each request arrived, from the beginning, and where it was sent.
    pub(crate) sent: Vec<(Duration, usize)>,
}

impl<'a> Traffic<'a> {
    pub(crate) fn new(balancer: &'a Numbered, per_second: u32, seed: u64) -> Self {
        let began = now();
        Self {
            balancer,
            began,
            every: Duration::from_secs(1) / per_second,
            next: began,
            rng: Rng::seeded(seed),
            unanswered: BinaryHeap::new(),
            sent: Vec::new(),
        }
    }

    /// Lets requests arrive for `span`. `serve` says how long an endpoint takes and what comes of
    /// it; answers that are due later stay out.
    pub(crate) async fn run(
        &mut self,
        span: Duration,
        mut serve: impl FnMut(usize, &mut Rng) -> (Duration, Outcome),
    ) {
        let end = self.next + span;
        while self.next < end {
            let arrival = self.next;
            while self.unanswered.peek().is_some_and(|Reverse(first)| first.due <= arrival) {
                if let Some(Reverse(request)) = self.unanswered.pop() {
                    advance_to(request.due).await;
                    request.lease.finish(request.outcome);
                }
            }
            advance_to(arrival).await;
            let lease = pick(self.balancer);
            let number = *lease.target();
            let (time, outcome) = serve(number, &mut self.rng);
            self.unanswered.push(Reverse(Request {
                due: arrival + time,
                order: self.sent.len(),
                outcome,
                lease,
            }));
            self.sent.push((arrival.saturating_duration_since(self.began), number));
            self.next += self.every;
        }
    }

    /// How many requests `number` got between two instants.
    pub(crate) fn count(&self, number: usize, from: Duration, to: Duration) -> usize {
        let within = |at: Duration| from <= at && at < to;
        self.sent.iter().filter(|&&(at, sent)| sent == number && within(at)).count()
    }
}

/// A request on its way, ordered by when it is answered.
struct Request {
    due: Instant,
    order: usize,
    outcome: Outcome,
    lease: Lease<usize>,
}

impl Ord for Request {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.due, self.order).cmp(&(other.due, other.order))
    }
}

impl PartialOrd for Request {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Request {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Request {}

/// A time from 50 to 100 ms.
pub(crate) fn usual_time(rng: &mut Rng) -> Duration {
    Duration::from_micros(50_000 + rng.below(50_001))
}

/// Makes a change that must be refused, and sees that nothing but one event came of it, and an alarm
/// where none has been accepted for long.
pub(crate) fn refused<T: Send + Sync + 'static>(
    balancer: &Balancer<T>,
    change: impl FnOnce(&Balancer<T>) -> Result<Version, UpdateError>,
) -> UpdateError {
    let mut events = balancer.subscribe();
    let state = || {
        let mut status = balancer.status();
        status.alarms.clear();
        (balancer.version(), format!("{status:?}"))
    };
    let before = state();
    let error = change(balancer).expect_err("the change has to be refused");
    assert_eq!(state(), before, "{error}");
    let mut told = received(&mut events);
    let refusal = |it: &Event| matches!(it, Event::Alarm(it) if it.raised && it.kind.name() == "update_refused");
    told.retain(|event| !refusal(event));
    match told.as_slice() {
        [Event::UpdateRefused { version, error: told }] => {
            assert_eq!((*version, told.to_string()), (before.0, error.to_string()));
        }
        other => unreachable!("one refusal, {error}, was told as {other:?}"),
    }
    error
}

/// Whether a set was refused for shrinking too far.
pub(crate) fn shrinks(error: &UpdateError) -> bool {
    matches!(error, UpdateError::Shrinks { .. })
}
