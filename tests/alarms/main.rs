//! Stories of trouble with the balancer itself, on the paused clock: who is told, and how often.

#![cfg(feature = "config")]
#![allow(clippy::panic, clippy::unwrap_used, reason = "a story that goes otherwise has failed")]

#[path = "../support/mod.rs"]
mod support;

mod bounded;
mod changes;
mod paging;
mod random;
mod rules;

use std::time::Duration;

use evenkeel::{Alarm, Event, Events, Key, Lease, Outcome};
use tokio::time::advance;

use crate::support::{Numbered, balancer, id, received};

pub(crate) const SECOND: Duration = Duration::from_secs(1);

/// Without jitter and chance, so that a story can say when things happen.
pub(crate) const EXACT: &str =
    "[strategy]\nkind = 'round_robin'\n[outlier]\nejection_jitter_percent = 0\n";

/// All may be ejected but one, so that panic is a matter of failures alone.
pub(crate) const UNCAPPED: &str = "max_ejected_percent = 100\n";

/// Of ejections, only panic is told.
pub(crate) const ONLY_PANIC: &str =
    "[alarms]\ncap_reached = false\nfloor_reached = false\nejection_suppressed = false\n";

/// Told at once, cleared at once.
pub(crate) const AT_ONCE: &str = "[alarms]\npanic = '0s'\nclear_after = '0s'\n\
    cap_reached = false\nfloor_reached = false\nejection_suppressed = false\n";

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
    /// Five requests to each of these fail.
    pub(crate) fn fail(&self, numbers: impl IntoIterator<Item = usize>) {
        for number in numbers {
            for _ in 0..5 {
                if let Some(lease) = self.only(number) {
                    lease.finish(Outcome::failure());
                }
            }
        }
    }

    /// A request that only `number` may have, if it may.
    pub(crate) fn only(&self, number: usize) -> Option<Lease<usize>> {
        let others = self.balancer.status().endpoints.into_iter().map(|it| it.id);
        let others = others.filter(|other| *other != id(number));
        let key = others.fold(Key::none(), |key, other| key.excluding(&other));
        self.balancer.pick(&key).ok()
    }

    pub(crate) fn pardon(&self, numbers: impl IntoIterator<Item = usize>) {
        for number in numbers {
            self.balancer.enable(&id(number)).unwrap();
        }
    }

    /// Settles what is due, as a pick does.
    pub(crate) fn settle(&self) {
        drop(self.balancer.pick(&Key::none()));
    }

    /// Lets time pass and settles what is due then.
    pub(crate) async fn pass(&self, seconds: u64) {
        advance(SECOND * u32::try_from(seconds).unwrap()).await;
        self.settle();
    }

    /// The alarms told since this was asked: which, and `true` for raised.
    pub(crate) fn turns(&mut self) -> Vec<(&'static str, bool)> {
        self.alarms().iter().map(|it| (it.kind.name(), it.raised)).collect()
    }

    pub(crate) fn alarms(&mut self) -> Vec<Alarm> {
        alarms(received(&mut self.events))
    }

    /// What the status says is raised.
    pub(crate) fn raised(&self) -> Vec<&'static str> {
        self.balancer.status().alarms.iter().map(|it| it.kind.name()).collect()
    }
}

pub(crate) fn alarms(events: Vec<Event>) -> Vec<Alarm> {
    let alarm = |event| if let Event::Alarm(alarm) = event { Some(alarm) } else { None };
    events.into_iter().filter_map(alarm).collect()
}
