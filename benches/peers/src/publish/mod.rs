//! Replacing one endpoint of n.

mod ours;
#[cfg(feature = "pingora")]
mod pingora;
mod tower;

use std::fmt;
use std::time::Duration;

use evenkeel::config::StrategyKind::{LeastRequest, PeakEwma, RoundRobin};

/// Replaces one endpoint and says how long that took. What the caller has to have in hand first,
/// such as a list of all endpoints, is made outside of the time.
pub type Stopwatch = Box<dyn FnMut() -> Duration>;

/// Somebody who is given new endpoints.
#[derive(Clone, Copy)]
pub struct Publisher {
    /// What it is called in tables.
    pub name: &'static str,
    /// Builds it with so many endpoints.
    pub build: fn(usize) -> Stopwatch,
}

impl fmt::Debug for Publisher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

const fn publisher(name: &'static str, build: fn(usize) -> Stopwatch) -> Publisher {
    Publisher { name, build }
}

/// Everybody. `insert` gives a known endpoint a new target; `replace` hands over the whole list, in
/// which one id is another one.
pub const PUBLISHERS: &[Publisher] = &[
    publisher("round_robin insert", |n| ours::insert(RoundRobin, n)),
    publisher("round_robin replace", |n| ours::replace(RoundRobin, n)),
    publisher("least_request insert", |n| ours::insert(LeastRequest, n)),
    publisher("least_request replace", |n| ours::replace(LeastRequest, n)),
    publisher("peak_ewma insert", |n| ours::insert(PeakEwma, n)),
    publisher("peak_ewma replace", |n| ours::replace(PeakEwma, n)),
    publisher("tower:pending", tower::pending),
    #[cfg(feature = "pingora")]
    publisher("pingora:round_robin", pingora::round_robin),
    #[cfg(feature = "pingora")]
    publisher("pingora:ketama", pingora::ketama),
];

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::PUBLISHERS;

    #[test]
    fn everybody_publishes_again_and_again() {
        for publisher in PUBLISHERS {
            let mut publish = (publisher.build)(4);
            assert!((0..10).map(|_| publish()).sum::<Duration>() > Duration::ZERO, "{publisher:?}");
        }
    }
}
