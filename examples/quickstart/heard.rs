//! What the balancer tells, and when it was heard.

use std::time::Duration;

use evenkeel::{BoxError, Ejection, EndpointId, Event, Events};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use crate::screen::say;
use crate::traffic::now;

#[derive(Clone, Debug)]
pub(crate) struct Heard {
    /// A little later than it happened.
    pub(crate) at: Instant,
    pub(crate) event: Event,
}

impl Heard {
    /// Whether it tells of a step out or back of an endpoint.
    pub(crate) fn steps(&self, id: &EndpointId) -> bool {
        self.stepping() == Some(id)
    }

    /// Whose step out or back it tells of.
    pub(crate) fn stepping(&self) -> Option<&EndpointId> {
        match &self.event {
            Event::Ejection(Ejection { endpoint, .. }) | Event::Recovery { endpoint, .. } => {
                Some(endpoint)
            }
            _ => None,
        }
    }
}

/// How long to wait for an event, on the slowest machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// Says each event as it comes, until the last handle of the balancer is gone.
#[derive(Debug)]
pub(crate) struct Listener {
    heard: watch::Receiver<Vec<Heard>>,
    task: JoinHandle<()>,
}

impl Listener {
    pub(crate) fn of(mut events: Events) -> Self {
        let (tell, heard) = watch::channel(Vec::new());
        let task = tokio::spawn(async move {
            while let Some(event) = events.recv().await {
                let at = now();
                say(&format!("  {event}"));
                tell.send_modify(|heard| heard.push(Heard { at, event }));
            }
        });
        Self { heard, task }
    }

    /// How much was heard so far.
    pub(crate) fn len(&self) -> usize {
        self.heard.borrow().len()
    }

    /// Waits until the last step of an endpoint after the first `known` events is as wanted, and
    /// returns its steps up to then.
    pub(crate) async fn steps(
        &mut self,
        known: usize,
        id: &EndpointId,
        wanted: fn(&Event) -> bool,
    ) -> Result<Vec<Heard>, BoxError> {
        let steps = |heard: &[Heard]| -> Vec<Heard> {
            heard.iter().skip(known).filter(|heard| heard.steps(id)).cloned().collect()
        };
        let reached = |heard: &Vec<Heard>| {
            steps(heard.as_slice()).last().is_some_and(|last| wanted(&last.event))
        };
        let heard = timeout(PATIENCE, self.heard.wait_for(reached)).await;
        let heard =
            heard.map_err(|_| format!("`{id}` came to a stop on its way out and back"))??;
        Ok(steps(heard.as_slice()))
    }

    /// All that was heard, once the balancer is gone.
    pub(crate) async fn finish(self) -> Result<Vec<Heard>, BoxError> {
        self.task.await?;
        Ok(self.heard.borrow().clone())
    }
}
