//! What the balancer tells.

use std::time::Duration;

use evenkeel::{BoxError, Decision, Ejection, EndpointId, Event, Events, Rule};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use crate::now;

/// How long to wait for something to be told, on the slowest machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// An event, and when it was heard.
pub(crate) type Heard = (Instant, Event);

/// Prints each event as it comes, until the last handle of the balancer is gone.
#[derive(Debug)]
pub(crate) struct Tale {
    heard: watch::Receiver<Vec<Heard>>,
    task: JoinHandle<()>,
}

impl Tale {
    pub(crate) fn of(mut events: Events) -> Self {
        let (tell, heard) = watch::channel(Vec::new());
        let task = tokio::spawn(async move {
            while let Some(event) = events.recv().await {
                println!("       {event}");
                tell.send_modify(|heard| heard.push((now(), event)));
            }
        });
        Self { heard, task }
    }

    /// Waits until an event like this was told of each endpoint.
    pub(crate) async fn until_each(
        &mut self,
        ids: &[&str],
        since: Instant,
        is_it: impl Fn(&Event) -> bool,
    ) -> Result<(), BoxError> {
        let told = |heard: &[Heard], id: &str| {
            heard.iter().any(|(at, event)| *at >= since && is_of(event, id) && is_it(event))
        };
        self.until(|heard| ids.iter().all(|id| told(heard, id))).await
    }

    /// Waits until the last that was told of each endpoint is like this.
    pub(crate) async fn until_last(
        &mut self,
        ids: &[&str],
        is_it: impl Fn(&Event) -> bool,
    ) -> Result<(), BoxError> {
        let last = |heard: &[Heard], id: &str| {
            heard.iter().rfind(|(_, event)| is_of(event, id)).is_some_and(|(_, event)| is_it(event))
        };
        self.until(|heard| ids.iter().all(|id| last(heard, id))).await
    }

    async fn until(&mut self, reached: impl Fn(&[Heard]) -> bool) -> Result<(), BoxError> {
        timeout(PATIENCE, self.heard.wait_for(|heard| reached(heard))).await??;
        Ok(())
    }

    /// All that was heard, once the balancer is gone.
    pub(crate) async fn finish(self) -> Result<Vec<Heard>, BoxError> {
        self.task.await?;
        Ok(self.heard.borrow().clone())
    }
}

/// The first that was found against an endpoint, told or `enforced`, and how long that took.
pub(crate) fn first(
    heard: &[Heard],
    id: &str,
    since: Instant,
    enforced: bool,
) -> Option<(Rule, Duration)> {
    heard.iter().filter(|(at, event)| *at >= since && is_of(event, id)).find_map(|it| match it {
        (at, Event::Ejection(ejection)) if ejection.enforced() == enforced => {
            Some((ejection.rule.clone(), *at - since))
        }
        _ => None,
    })
}

/// How often an endpoint was taken out.
pub(crate) fn times_out(heard: &[Heard], id: &str) -> usize {
    ejections(heard).filter(|it| it.enforced() && it.endpoint.as_str() == id).count()
}

/// Whom something spoke against, once for each time.
pub(crate) fn blamed(heard: &[Heard]) -> impl Iterator<Item = &str> {
    ejections(heard).map(|ejection| ejection.endpoint.as_str())
}

pub(crate) fn failed_probes(heard: &[Heard]) -> usize {
    let is_probe =
        |it: &&Ejection| it.rule == Rule::Probe && matches!(it.decision, Decision::Ejected { .. });
    ejections(heard).filter(is_probe).count()
}

fn ejections(heard: &[Heard]) -> impl Iterator<Item = &Ejection> {
    heard.iter().filter_map(|(_, event)| match event {
        Event::Ejection(ejection) => Some(ejection),
        _ => None,
    })
}

fn is_of(event: &Event, id: &str) -> bool {
    let of = |endpoint: &EndpointId| endpoint.as_str() == id;
    match event {
        Event::Ejection(ejection) => of(&ejection.endpoint),
        Event::Recovery { endpoint, .. } => of(endpoint),
        _ => false,
    }
}
