//! All that was seen of a run.

use std::ops::Range;
use std::time::Duration;

use evenkeel::{Changed, Config, EndpointId, Event, Status};
use tokio::time::Instant;

use crate::heard::Heard;
use crate::server::Server;
use crate::traffic::{Phase, Sample};
use crate::trouble::Incident;

#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) servers: Vec<Server>,
    pub(crate) phases: Vec<Phase>,
    pub(crate) samples: Vec<Sample>,
    /// The balancer at the end.
    pub(crate) status: Status,
    pub(crate) incidents: Vec<Incident>,
    pub(crate) terms: Terms,
    pub(crate) drained: Drained,
    /// The changes that were made, in order.
    pub(crate) changes: Vec<Changed>,
    /// What the balancer told, in order.
    pub(crate) heard: Vec<Heard>,
}

/// The settings that promises are made by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    /// How long a failure counts as a request in flight.
    pub(crate) penalty: Duration,
    pub(crate) attempt_timeout: Duration,
    /// The time between two sweeps.
    pub(crate) interval: Duration,
    /// How long a share grows.
    pub(crate) window: Duration,
}

impl Terms {
    pub(crate) fn of(settings: &Config) -> Option<Self> {
        Some(Self {
            penalty: settings.strategy().failure_penalty()?,
            attempt_timeout: settings.limits().attempt_timeout()?,
            interval: settings.outlier()?.interval(),
            window: settings.slow_start().window(),
        })
    }
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
    /// What an endpoint had to do in a phase.
    pub(crate) fn of(&self, phase: usize, id: &EndpointId) -> impl Iterator<Item = &Sample> {
        let had =
            move |sample: &&Sample| sample.phase == phase && sample.endpoint.as_ref() == Some(id);
        self.samples.iter().filter(had)
    }

    /// How long the good answers of an endpoint took in a phase, sorted.
    pub(crate) fn times(&self, phase: usize, id: &EndpointId) -> Vec<Duration> {
        let good = self.of(phase, id).filter(|sample| sample.error.is_none());
        let mut times: Vec<_> = good.map(|sample| sample.took).collect();
        times.sort_unstable();
        times
    }

    /// How many requests an endpoint had in a phase.
    pub(crate) fn had(&self, phase: usize, id: &EndpointId) -> u64 {
        self.of(phase, id).count() as u64
    }

    /// How many requests of an endpoint failed in a phase.
    pub(crate) fn failed(&self, phase: usize, id: &EndpointId) -> u64 {
        self.of(phase, id).filter(|sample| sample.error.is_some()).count() as u64
    }

    /// How many requests were sent in a stretch of time, and how many of them an endpoint had.
    pub(crate) fn between(&self, stretch: Range<Instant>, id: &EndpointId) -> (u64, u64) {
        let sent = self.samples.iter().filter(|sample| stretch.contains(&sample.began));
        let had = sent.clone().filter(|sample| sample.endpoint.as_ref() == Some(id));
        (sent.count() as u64, had.count() as u64)
    }

    /// What the balancer told.
    pub(crate) fn events(&self) -> impl Iterator<Item = &Event> + Clone {
        self.heard.iter().map(|heard| &heard.event)
    }

    /// How many requests were sent in a phase.
    pub(crate) fn sent(&self, phase: usize) -> u64 {
        self.samples.iter().filter(|sample| sample.phase == phase).count() as u64
    }

    /// What the balancer announced for an endpoint when a phase began: its share while all are
    /// equally loaded.
    pub(crate) fn expected(&self, phase: usize, id: &EndpointId) -> f64 {
        let endpoint = self.phases.get(phase).and_then(|phase| phase.status.endpoint(id));
        endpoint.map_or(0.0, |endpoint| endpoint.expected_share)
    }
}
