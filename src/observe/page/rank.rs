//! Who is in trouble, and how much.

use crate::balancer::{EndpointStatus, Status};
use crate::endpoint::Availability;

/// The part of bad answers from which an endpoint that takes its part counts as failing.
const FAILING: f64 = 0.05;

/// Answers that are needed to say so.
const ENOUGH: u64 = 10;

/// Whether somebody has to look at something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Trouble {
    /// Somebody has to look at it.
    Bad,
    /// Worth to be known.
    Notable,
    /// All is well.
    None,
}

pub(super) fn trouble(endpoint: &EndpointStatus) -> Trouble {
    match endpoint.state {
        Availability::Unhealthy | Availability::Ejected | Availability::Probing => Trouble::Bad,
        _ if is_failing(endpoint) => Trouble::Bad,
        Availability::Available if endpoint.weight > 0 => Trouble::None,
        _ => Trouble::Notable,
    }
}

/// Whether many of its answers were no good, though it takes its part.
pub(super) fn is_failing(endpoint: &EndpointStatus) -> bool {
    endpoint.recent_answers >= ENOUGH && endpoint.failure_rate.is_some_and(|rate| rate >= FAILING)
}

/// All endpoints, the worst first; alike ones by their names.
pub(super) fn worst_first(status: &Status) -> Vec<&EndpointStatus> {
    let mut endpoints: Vec<_> = status.endpoints.iter().collect();
    let rate = |it: &EndpointStatus| it.failure_rate.unwrap_or_default();
    endpoints.sort_by(|a, b| {
        let by_place = place(a).cmp(&place(b));
        by_place.then(rate(b).total_cmp(&rate(a))).then_with(|| a.id.cmp(&b.id))
    });
    endpoints
}

fn place(endpoint: &EndpointStatus) -> u8 {
    match endpoint.state {
        Availability::Unhealthy => 0,
        Availability::Ejected => 1,
        Availability::Probing => 2,
        _ if is_failing(endpoint) => 3,
        Availability::Draining => 4,
        Availability::Disabled => 5,
        Availability::Warming => 6,
        Availability::Available if endpoint.weight == 0 => 7,
        Availability::Available => 8,
    }
}

/// How a balancer fares: as its worst endpoint, or worse.
pub(super) fn trouble_of(status: &Status) -> Trouble {
    let nobody = status.endpoints.iter().all(|endpoint| endpoint.expected_share <= 0.0);
    if status.panic || nobody {
        return Trouble::Bad;
    }
    let alarmed = if status.alarms.is_empty() { Trouble::None } else { Trouble::Notable };
    status.endpoints.iter().map(trouble).min().map_or(Trouble::Bad, |worst| worst.min(alarmed))
}
