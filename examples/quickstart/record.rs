//! All that was seen of a run.

use std::time::Duration;

use evenkeel::{EndpointId, Event, Published, Status};

use crate::server::Server;
use crate::traffic::{Phase, Sample};

#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) servers: Vec<Server>,
    pub(crate) phases: Vec<Phase>,
    pub(crate) samples: Vec<Sample>,
    /// The balancer at the end.
    pub(crate) status: Status,
    pub(crate) drained: Drained,
    /// The changes that were made, in order.
    pub(crate) changes: Vec<Published>,
    /// What the balancer told, in order.
    pub(crate) events: Vec<Event>,
}

/// A server and its drain.
#[derive(Debug)]
pub(crate) struct Drained {
    pub(crate) server: usize,
    /// Requests in flight to it when the drain began.
    pub(crate) in_flight: u64,
    /// Requests that had reached it when the drain was ready.
    pub(crate) arrived: u64,
}

impl Record {
    /// How long the answers of an endpoint took in a phase, sorted.
    pub(crate) fn times(&self, phase: usize, id: &EndpointId) -> Vec<Duration> {
        let of = |sample: &&Sample| {
            sample.phase == phase && sample.answer.as_ref().is_ok_and(|answered| answered == id)
        };
        let mut times: Vec<_> = self.samples.iter().filter(of).map(|sample| sample.took).collect();
        times.sort_unstable();
        times
    }

    /// How many requests an endpoint answered in a phase.
    pub(crate) fn answered(&self, phase: usize, id: &EndpointId) -> u64 {
        self.times(phase, id).len() as u64
    }

    /// How many requests were sent in a phase.
    pub(crate) fn sent(&self, phase: usize) -> u64 {
        self.samples.iter().filter(|sample| sample.phase == phase).count() as u64
    }
}
