//! Stories of endpoints that fall ill, on the paused clock, with all that is told of them.

#![cfg(feature = "config")]
#![allow(clippy::panic, clippy::unwrap_used, reason = "a story that goes otherwise has failed")]

#[path = "../support/mod.rs"]
mod support;

mod ends;
mod operators;
mod panics;
mod previews;
mod ramps;
mod returns;
mod settings;
mod turnover;
mod worker;

use std::time::Duration;

use evenkeel::{
    Availability, Balancer, Decision, EndpointId, Event, Events, Key, Lease, Outcome, Recovery,
};
use tokio::time::{Instant, advance};

use crate::support::{Numbered, balancer, id, now, pick_only, received, sequence, status};

pub(crate) const SECOND: Duration = Duration::from_secs(1);
pub(crate) const TICK: Duration = Duration::from_nanos(1);

/// Without jitter, so that a story can say when things happen.
pub(crate) const EXACT: &str =
    "[strategy]\nkind = 'round_robin'\n[outlier]\nejection_jitter_percent = 0\n";

/// A balancer and all that it tells.
pub(crate) struct Story {
    pub(crate) balancer: Numbered,
    pub(crate) events: Events,
}

/// A story of `n` endpoints, of which [`EXACT`] and `more` of `[outlier]` hold.
pub(crate) fn story(more: &str, n: usize) -> Story {
    told(balancer(&format!("{EXACT}{more}"), n, 7))
}

pub(crate) fn told(balancer: Numbered) -> Story {
    let events = balancer.subscribe();
    Story { balancer, events }
}

impl Story {
    /// Sends `n` requests to `number` that end with `outcome`.
    pub(crate) fn answer(&self, number: usize, n: usize, outcome: Outcome) {
        for _ in 0..n {
            pick_only(&self.balancer, &id(number)).finish(outcome);
        }
    }

    pub(crate) fn fail(&self, number: usize, n: usize) {
        self.answer(number, n, Outcome::failure());
    }

    pub(crate) fn succeed(&self, number: usize, n: usize) {
        self.answer(number, n, Outcome::Success);
    }

    pub(crate) fn state(&self, number: usize) -> Availability {
        status(&self.balancer, &id(number)).state
    }

    /// The ejections that nothing has made up for.
    pub(crate) fn times(&self, number: usize) -> u32 {
        status(&self.balancer, &id(number)).ejections
    }

    /// How many of the next `n` requests `number` gets; they judge nothing.
    pub(crate) fn got(&self, number: usize, n: usize) -> usize {
        sequence(&self.balancer, n).iter().filter(|&it| *it == id(number)).count()
    }

    /// A request that only `number` may have, if it may.
    pub(crate) fn only(&self, number: usize) -> Option<Lease<usize>> {
        let others = self.balancer.status().endpoints.into_iter().map(|it| it.id);
        let others = others.filter(|other| *other != id(number));
        let key = others.fold(Key::none(), |key, other| key.excluding(&other));
        self.balancer.pick(&key).ok()
    }

    /// Lets the ejection of `number` end, and answers the probe.
    pub(crate) async fn probe(&self, number: usize, outcome: Outcome) {
        advance(self.left(number)).await;
        self.only(number).expect("it is probed").finish(outcome);
    }

    /// How long `number` still is ejected.
    pub(crate) fn left(&self, number: usize) -> Duration {
        status(&self.balancer, &id(number)).ejected_for.expect("it is ejected")
    }

    /// What was told since this was asked, in words.
    pub(crate) fn words(&mut self) -> Vec<String> {
        received(&mut self.events).iter().map(Event::to_string).collect()
    }

    /// What was told since this was asked.
    pub(crate) fn told(&mut self) -> Vec<Event> {
        received(&mut self.events)
    }

    /// Settles what is due, as a pick does.
    pub(crate) fn settle(&self) {
        drop(self.balancer.pick(&Key::none()));
    }
}

/// The ejection that is the only thing told: until when, and how often.
pub(crate) fn sentence(events: &[Event]) -> (Instant, u32) {
    let [Event::Ejection(ejection)] = events else { panic!("{events:?}") };
    let Decision::Ejected { until, times } = ejection.decision else { panic!("{ejection}") };
    (until, times)
}

/// The endpoints and their steps, where nothing else is told.
pub(crate) fn steps(events: &[Event]) -> Vec<(EndpointId, Recovery)> {
    let step = |event: &Event| match event {
        Event::Recovery { endpoint, step } => (endpoint.clone(), *step),
        other => panic!("{other}"),
    };
    events.iter().map(step).collect()
}

/// Endpoints of these states.
pub(crate) fn count<T: Send + Sync + 'static>(
    balancer: &Balancer<T>,
    states: &[Availability],
) -> usize {
    balancer.status().endpoints.iter().filter(|it| states.contains(&it.state)).count()
}

/// The time until `at`.
pub(crate) fn until(at: Instant) -> Duration {
    at.saturating_duration_since(now())
}
