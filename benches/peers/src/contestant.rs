//! Who takes part.

use std::fmt;

use evenkeel::config::StrategyKind::{
    LeastRequest, Maglev, PeakEwma, Random, RingHash, RoundRobin,
};

#[cfg(feature = "pingora")]
use crate::pingora;
use crate::{floor, keys, ours, p2c};

/// Does as many requests as it is told to.
pub type Runner = Box<dyn FnMut(u64) + Send>;

/// Makes one runner after the other, each for a thread of its own.
pub type Fork = Box<dyn Fn() -> Runner>;

/// A contestant that is built and warm.
pub enum Entrant {
    /// It needs `&mut`, so one thread has it.
    Alone(Runner),
    /// Its runners share one balancer.
    Shared(Fork),
}

impl Entrant {
    /// A runner of it.
    #[must_use]
    pub fn runner(self) -> Runner {
        match self {
            Self::Alone(runner) => runner,
            Self::Shared(fork) => fork(),
        }
    }
}

impl fmt::Debug for Entrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Alone(_) => "Alone",
            Self::Shared(_) => "Shared",
        })
    }
}

/// Somebody who takes part.
#[derive(Clone, Copy, Debug)]
pub struct Contestant {
    /// What it is called in tables and by `once`.
    pub name: &'static str,
    /// Builds it with so many endpoints and warms it up.
    pub build: fn(usize) -> Entrant,
}

const fn contestant(name: &'static str, build: fn(usize) -> Entrant) -> Contestant {
    Contestant { name, build }
}

/// The clocks that latencies are read from, two reads a time: evenkeel reads no more for a request.
pub const CLOCKS: &[Contestant] = &[
    contestant("floor:clock-std", |_| floor::clock_std()),
    contestant("floor:clock-tokio", |_| floor::clock_tokio()),
];

/// One pick, and giving back what it gave.
pub const PICKS: &[Contestant] = &[
    contestant("floor:two-loads", floor::two_loads),
    contestant("pick:round_robin", |n| ours::pick(RoundRobin, n)),
    contestant("pick:random", |n| ours::pick(Random, n)),
    contestant("pick:least_request", |n| ours::pick(LeastRequest, n)),
    contestant("pick:peak_ewma", |n| ours::pick(PeakEwma, n)),
    #[cfg(feature = "pingora")]
    contestant("pingora:round_robin", pingora::round_robin),
    #[cfg(feature = "pingora")]
    contestant("pingora:random", pingora::random),
];

/// Whose a key is, by a table, and picks by it.
pub const TABLES: &[Contestant] = &[
    contestant("lookup:maglev", keys::maglev_lookup),
    contestant("maglev", keys::maglev),
    contestant("pick:maglev", |n| keys::pick(Maglev, None, n)),
    contestant("pick:maglev+bound", |n| keys::pick(Maglev, Some(125), n)),
];

/// Whose a key is, by a ring, and picks by it.
pub const RINGS: &[Contestant] = &[
    contestant("lookup:ring_hash", keys::ring_lookup),
    contestant("hashring", keys::hashring),
    contestant("pick:ring_hash", |n| keys::pick(RingHash, None, n)),
    #[cfg(feature = "pingora")]
    contestant("pingora:ketama", pingora::ketama),
];

/// One request through a `tower` service: ready, call, answer.
pub const REQUESTS: &[Contestant] = &[
    contestant("floor:service_fn", |_| floor::service_fn()),
    contestant("round_robin", |n| ours::request(RoundRobin, n)),
    contestant("random", |n| ours::request(Random, n)),
    contestant("least_request", |n| ours::request(LeastRequest, n)),
    contestant("peak_ewma", |n| ours::request(PeakEwma, n)),
    contestant("tower:constant", p2c::constant),
    contestant("tower:constant+mutex", p2c::constant_in_mutex),
    contestant("tower:pending", p2c::pending),
    contestant("tower:pending+mutex", p2c::pending_in_mutex),
    contestant("tower:pending+buffer", p2c::pending_in_buffer),
    contestant("tower:peak_ewma", p2c::peak_ewma),
    contestant("tower:peak_ewma+mutex", p2c::peak_ewma_in_mutex),
];

/// Everybody.
pub fn all() -> impl Iterator<Item = Contestant> {
    CLOCKS.iter().chain(PICKS).chain(TABLES).chain(RINGS).chain(REQUESTS).copied()
}

/// The one of this name.
#[must_use]
pub fn named(name: &str) -> Option<Contestant> {
    all().find(|contestant| contestant.name == name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{all, named};

    #[test]
    fn names_are_unique_and_everybody_runs() {
        let names: BTreeSet<_> = all().map(|contestant| contestant.name).collect();
        assert_eq!(names.len(), all().count());
        for contestant in all() {
            assert_eq!(named(contestant.name).expect(contestant.name).name, contestant.name);
            (contestant.build)(3).runner()(100);
        }
        assert!(named("nobody").is_none());
    }
}
