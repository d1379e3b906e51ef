//! A simulated server, as a scenario describes it.

use std::time::Duration;

use serde::Deserialize;

use crate::error::Problem;
use crate::sim::span;
use crate::sim::{Fault, ServiceTime};

/// A simulated server: workers behind a queue, and what becomes of it when there is too much.
///
/// ```
/// use std::time::Duration;
/// use evenkeel::sim::{Server, ServiceTime};
///
/// // Serves 400 requests a second, and dies of a queue of 200.
/// let server = Server::new("a")
///     .service(ServiceTime::exponential(Duration::from_millis(10)))
///     .workers(4)
///     .crash_at(200)
///     .restart_after(Duration::from_secs(30))
///     .cold(4.0, Duration::from_secs(60));
/// ```
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Server {
    /// What it is called: its endpoint's id, and its address in `[[endpoints]]` of settings.
    pub name: String,
    /// How long it works on a request. Default: 10 ms, always.
    #[serde(default = "ten_milliseconds")]
    pub service: ServiceTime,
    /// How many requests it works on at once, at least 1. Default: 1.
    #[serde(default = "one")]
    pub workers: u32,
    /// How many wait besides those it works on; the next is refused as `when_full` says. Default:
    /// no bound.
    #[serde(default)]
    pub queue: Option<u32>,
    /// How it refuses what the queue has no room for.
    #[serde(default)]
    pub when_full: WhenFull,
    /// The number of requests, waiting and worked on, at which it crashes: all of them fail.
    /// Default: never.
    #[serde(default)]
    pub crash_at: Option<u32>,
    /// How long it is gone after a crash; connections are refused meanwhile. Default: until a change
    /// restarts it.
    #[serde(default, with = "span::text_or_none")]
    pub restart_after: Option<Duration>,
    /// How many times as long it works on a request right after a restart, while its cache is cold;
    /// falls evenly to 1 within `warm_up`. Default: 1.
    #[serde(default = "unity")]
    pub cold_factor: f64,
    /// How long its cache takes to fill. Default: none.
    #[serde(default, with = "span::text")]
    pub warm_up: Duration,
    /// Whether it stops working on requests whose callers have gone away. Default: no, as most
    /// servers don't.
    #[serde(default)]
    pub notices_hang_ups: bool,
    /// What is wrong with it from the beginning. Default: nothing.
    #[serde(default)]
    pub fault: Option<Fault>,
    /// Its endpoint's weight in the set that clients begin with. Default: 1.
    #[serde(default = "one")]
    pub weight: u32,
    /// Its endpoint's tier. Default: 0.
    #[serde(default)]
    pub tier: u32,
    /// Its endpoint's zone. Default: none.
    #[serde(default)]
    pub zone: Option<String>,
    /// Whether the set that clients begin with has it. Default: yes; else a change of the set brings
    /// it.
    #[serde(default = "yes")]
    pub listed: bool,
}

/// How a server refuses a request that its queue has no room for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum WhenFull {
    /// By an error, as a 503 without `Retry-After` is one: a failure.
    #[default]
    Error,
    /// By saying that it has too much, as a 429 does: overloaded.
    Overloaded,
}

fn ten_milliseconds() -> ServiceTime {
    ServiceTime::Fixed(Duration::from_millis(10))
}

const fn one() -> u32 {
    1
}

const fn unity() -> f64 {
    1.0
}

const fn yes() -> bool {
    true
}

impl Server {
    /// A server of this name with one worker, which takes 10 ms for each request.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            service: ten_milliseconds(),
            workers: one(),
            queue: None,
            when_full: WhenFull::default(),
            crash_at: None,
            restart_after: None,
            cold_factor: unity(),
            warm_up: Duration::ZERO,
            notices_hang_ups: false,
            fault: None,
            weight: one(),
            tier: 0,
            zone: None,
            listed: yes(),
        }
    }

    /// Sets how long it works on a request.
    #[must_use]
    pub fn service(mut self, service: ServiceTime) -> Self {
        self.service = service;
        self
    }

    /// Sets how many requests it works on at once.
    #[must_use]
    pub fn workers(mut self, workers: u32) -> Self {
        self.workers = workers;
        self
    }

    /// Sets how many requests wait at most, and how the next is refused.
    #[must_use]
    pub fn queue(mut self, capacity: u32, when_full: WhenFull) -> Self {
        (self.queue, self.when_full) = (Some(capacity), when_full);
        self
    }

    /// Makes it crash when it has this many requests, waiting and worked on.
    #[must_use]
    pub fn crash_at(mut self, requests: u32) -> Self {
        self.crash_at = Some(requests);
        self
    }

    /// Makes it come back by itself this long after a crash.
    #[must_use]
    pub fn restart_after(mut self, after: Duration) -> Self {
        self.restart_after = Some(after);
        self
    }

    /// Makes it `factor` times as slow after a restart, and as fast as ever after `warm_up`.
    #[must_use]
    pub fn cold(mut self, factor: f64, warm_up: Duration) -> Self {
        (self.cold_factor, self.warm_up) = (factor, warm_up);
        self
    }

    /// Makes it stop working on requests whose callers have gone away.
    #[must_use]
    pub fn notices_hang_ups(mut self) -> Self {
        self.notices_hang_ups = true;
        self
    }

    /// Sets what is wrong with it from the beginning.
    #[must_use]
    pub fn fault(mut self, fault: Fault) -> Self {
        self.fault = Some(fault);
        self
    }

    /// Sets its endpoint's weight.
    #[must_use]
    pub fn weight(mut self, weight: u32) -> Self {
        self.weight = weight;
        self
    }

    /// Sets its endpoint's tier.
    #[must_use]
    pub fn tier(mut self, tier: u32) -> Self {
        self.tier = tier;
        self
    }

    /// Sets its endpoint's zone.
    #[must_use]
    pub fn zone(mut self, zone: impl Into<String>) -> Self {
        self.zone = Some(zone.into());
        self
    }

    /// Leaves it out of the set that clients begin with.
    #[must_use]
    pub fn unlisted(mut self) -> Self {
        self.listed = false;
        self
    }

    /// How many requests a second it can serve.
    #[must_use]
    pub fn capacity(&self) -> f64 {
        f64::from(self.workers) / self.service.mean().as_secs_f64()
    }

    pub(super) fn check(&self, path: &str, problems: &mut Vec<Problem>) {
        let mut wrong = |key: &str, message: String| {
            problems.push(Problem::error(format!("{path}.{key}"), message));
        };
        if self.name.is_empty() {
            wrong("name", String::from("a name is needed"));
        }
        if self.workers == 0 {
            wrong("workers", String::from("0 is out of range; at least 1 is needed"));
        }
        if !(0.0..=1e6).contains(&self.cold_factor) {
            let message = format!("{} is out of range; 0 to 1000000 is needed", self.cold_factor);
            wrong("cold_factor", message);
        }
        self.service.check(&format!("{path}.service"), problems);
        if let Some(fault) = &self.fault {
            fault.check(&format!("{path}.fault"), problems);
        }
    }
}
