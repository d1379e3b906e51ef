//! Trouble that befalls a server, until the server has its share again.

use std::time::Duration;

use evenkeel::{BoxError, Ejection, EndpointId, Event, Recovery};
use tokio::time::{Instant, sleep};

use crate::heard::{Heard, Listener};
use crate::screen::say;
use crate::server::{Health, Server};
use crate::traffic::{Sample, Traffic, now};

/// Requests to wait for before a trouble begins.
const BEFORE: u64 = 500;

/// Requests to wait for when the share is whole again, to see how large it is.
const AFTER: u64 = 1_500;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Trouble {
    pub(crate) title: &'static str,
    pub(crate) server: usize,
    pub(crate) health: Health,
    /// How long it goes on after the server was taken out.
    pub(crate) lasts: Duration,
}

/// A trouble that is over.
#[derive(Debug)]
pub(crate) struct Incident {
    pub(crate) title: &'static str,
    pub(crate) health: Health,
    pub(crate) endpoint: EndpointId,
    pub(crate) phase: usize,
    pub(crate) began: Instant,
    /// When the server was well again.
    pub(crate) well: Instant,
    /// When the endpoint had had its whole share for a while.
    pub(crate) ended: Instant,
    /// Its way out and back, as it was told.
    pub(crate) steps: Vec<Heard>,
}

impl Incident {
    /// Whether a request failed because of it. Some were sent just before it. Who is only slow
    /// fails none.
    pub(crate) fn has_failed(&self, sample: &Sample) -> bool {
        let phases = self.phase.saturating_sub(1)..=self.phase;
        sample.error.is_some()
            && self.health != Health::Slow
            && sample.endpoint.as_ref() == Some(&self.endpoint)
            && phases.contains(&sample.phase)
    }

    /// When it was first taken out.
    pub(crate) fn out(&self) -> Instant {
        self.steps.iter().find(|step| is_out(&step.event)).map_or(self.ended, |step| step.at)
    }

    /// When it last took this step.
    pub(crate) fn last(&self, step: Recovery) -> Instant {
        let is_it =
            |heard: &&Heard| matches!(heard.event, Event::Recovery { step: it, .. } if it == step);
        self.steps.iter().rfind(is_it).map_or(self.ended, |heard| heard.at)
    }
}

fn is_out(event: &Event) -> bool {
    matches!(event, Event::Ejection(ejection) if Ejection::enforced(ejection))
}

/// A phase in which a server has the trouble, is taken out, is well again, and comes back.
pub(crate) async fn befall(
    trouble: Trouble,
    server: &mut Server,
    traffic: &mut Traffic,
    listener: &mut Listener,
) -> Result<Incident, BoxError> {
    let Trouble { title, health, lasts, .. } = trouble;
    let endpoint = EndpointId::from(server.name);
    let phase = traffic.enter(title);
    traffic.more(BEFORE).await?; // what was sent before is mostly answered
    let (began, known) = (now(), listener.len());
    say(&format!("  {title}"));
    server.turn(health).await?;
    listener.steps(known, &endpoint, is_out).await?;
    sleep(lasts).await;
    server.turn(Health::Well).await?;
    let well = now();
    say(&format!("  {} is well again", server.name));
    let is_whole =
        |event: &Event| matches!(event, Event::Recovery { step: Recovery::Recovered, .. });
    let steps = listener.steps(known, &endpoint, is_whole).await?;
    traffic.more(AFTER).await?;
    let ended = now();
    Ok(Incident { title, health, endpoint, phase, began, well, ended, steps })
}
