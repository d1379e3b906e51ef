//! Stories of endpoints that are asked whether they are well, on the paused clock, with all that is
//! told of them.

#![cfg(feature = "config")]
#![allow(clippy::panic, clippy::unwrap_used, reason = "a story that goes otherwise has failed")]

#[path = "../support/mod.rs"]
mod support;

mod crowds;
mod ejections;
mod faults;
mod rise_and_fall;
mod settings;
mod turnover;
mod ward;
mod workers;

use std::time::Duration;

use evenkeel::{Availability, Event, Events, Lease, Outcome, Worker};
use tokio::task::yield_now;
use tokio::time::sleep;

use crate::support::{Numbered, builder, id, pick_only, received, sequence, status};
use crate::ward::{Nature, Ward};

pub(crate) const SECOND: Duration = Duration::from_secs(1);

/// Without jitter, so that a story can say when things happen.
pub(crate) const EXACT: &str = "[strategy]\nkind = 'round_robin'\n\
    [outlier]\nejection_jitter_percent = 0\n[health]\njitter_percent = 0\n";

/// A balancer that is tended, its patients, and all that it tells.
pub(crate) struct Story {
    pub(crate) balancer: Numbered,
    pub(crate) ward: Ward,
    pub(crate) worker: Option<Worker>,
    pub(crate) events: Events,
}

/// A story of `n` endpoints, of which [`EXACT`] and `more` of `[health]` hold, begun and with a
/// worker.
pub(crate) async fn story(more: &str, n: usize) -> Story {
    let mut story = unattended(more, n);
    story.worker = Some(story.balancer.start());
    yield_now().await;
    story
}

/// The same without anybody who checks.
pub(crate) fn unattended(more: &str, n: usize) -> Story {
    let ward = Ward::default();
    let balancer = builder(&format!("{EXACT}{more}"), n, 7).probe(ward.probe()).build().unwrap();
    let events = balancer.subscribe();
    Story { balancer, ward, worker: None, events }
}

impl Story {
    /// What the one of this number does from now on when it is asked.
    pub(crate) fn is(&self, number: usize, nature: Nature) {
        self.ward.is(number, nature);
    }

    /// Lets it fall ill, and waits until that is known.
    pub(crate) async fn falls(&mut self, number: usize) {
        self.is(number, Nature::Sick);
        self.until(number, Availability::Unhealthy).await;
        self.words();
    }

    /// Waits until it is in this state, a quarter of a minute at most.
    pub(crate) async fn until(&self, number: usize, state: Availability) {
        for _ in 0..1_500 {
            if self.state(number) == state {
                return;
            }
            sleep(SECOND / 100).await;
        }
        panic!("{number} is still {:?}", self.state(number));
    }

    pub(crate) fn state(&self, number: usize) -> Availability {
        status(&self.balancer, &id(number)).state
    }

    pub(crate) fn states(&self) -> Vec<Availability> {
        self.balancer.status().endpoints.iter().map(|it| it.state).collect()
    }

    pub(crate) fn count(&self, state: Availability) -> usize {
        self.states().into_iter().filter(|&it| it == state).count()
    }

    /// Sends `n` requests to `number` that fail.
    pub(crate) fn fail(&self, number: usize, n: usize) {
        for _ in 0..n {
            pick_only(&self.balancer, &id(number)).finish(Outcome::failure());
        }
    }

    /// A request that only `number` may have, if it may.
    pub(crate) fn only(&self, number: usize) -> Option<Lease<usize>> {
        let others = self.balancer.status().endpoints.into_iter().map(|it| it.id);
        let others = others.filter(|other| *other != id(number));
        let key = others.fold(evenkeel::Key::none(), |key, other| key.excluding(&other));
        self.balancer.pick(&key).ok()
    }

    /// How many of the next `n` requests `number` gets; they judge nothing.
    pub(crate) fn got(&self, number: usize, n: usize) -> usize {
        sequence(&self.balancer, n).iter().filter(|&it| *it == id(number)).count()
    }

    /// What was told since this was asked, in words.
    pub(crate) fn words(&mut self) -> Vec<String> {
        received(&mut self.events).iter().map(Event::to_string).collect()
    }
}

/// Tasks that are alive in this runtime.
pub(crate) fn tasks() -> usize {
    tokio::runtime::Handle::current().metrics().num_alive_tasks()
}

/// Lets tasks that were stopped end.
pub(crate) async fn settled() {
    for _ in 0..20 {
        yield_now().await;
    }
}

/// The nothing that is told where nothing happens.
pub(crate) const SILENCE: [&str; 0] = [];
