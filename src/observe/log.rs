//! A balancer's events in the log.

use tracing::{debug, error, info, warn};

use crate::balancer::Balancer;
use crate::event::{Changed, Event, Recovery};
use crate::worker::Worker;

impl<T: Send + Sync + 'static> Balancer<T> {
    /// Starts a task that writes every event to the log, through [`tracing`].
    ///
    /// The target is `evenkeel::events`, the message what the event says in words. Fields: `balancer`;
    /// `kind`, [one word](Event::kind); `endpoint` and `version` where the event names one.
    ///
    /// | level | what |
    /// | --- | --- |
    /// | error | something panicked that is not ours: a check, a detector |
    /// | warn | endpoints taken out or found sick, panic, refusals, a share far above a fair one, changes that were taken back, targets and sources that fail, requests without a key, missed events |
    /// | info | changes, what was not enforced, steps on the way back, verdicts, sources that are well again |
    /// | debug | steps that only time brings about: an endpoint that is probed, a drain that is over |
    ///
    /// Requests are not events: they have [spans](crate::Balance). A log that is slow makes no request
    /// wait; what it does not take in time is counted by [`Event::Missed`].
    ///
    /// It does not keep the balancer alive, and ends when the returned [`Worker`] is dropped or the
    /// last handle of the balancer is gone.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    #[track_caller]
    pub fn log_events(&self) -> Worker {
        let (mut events, name) = (self.subscribe(), self.name().to_owned());
        Worker::spawn(async move {
            while let Some(event) = events.recv().await {
                log(&name, &event);
            }
        })
    }
}

/// Says it with a macro of `tracing`.
macro_rules! say {
    ($level:ident, $balancer:expr, $event:expr) => {
        $level!(
            target: "evenkeel::events",
            balancer = $balancer,
            kind = $event.kind(),
            endpoint = $event.endpoint().map(display),
            version = $event.version().map(display),
            "{}",
            $event
        )
    };
}

fn log(balancer: &str, event: &Event) {
    match event {
        Event::CheckPanicked { .. } | Event::DetectorPanicked { .. } => {
            say!(error, balancer, event);
        }
        Event::UpdateRefused { .. }
        | Event::ConfigRefused { .. }
        | Event::RollbackFailed { .. }
        | Event::ShareRaised { .. }
        | Event::Unhealthy { .. }
        | Event::Panic { on: true, .. }
        | Event::RebuildFailed { .. }
        | Event::SourceFailed { .. }
        | Event::Keyless { .. }
        | Event::Skew { on: true, .. }
        | Event::PagerFailed { .. }
        | Event::Missed(_) => say!(warn, balancer, event),
        Event::Alarm(alarm) if alarm.raised => say!(warn, balancer, event),
        Event::Ejection(ejection) if ejection.enforced() => say!(warn, balancer, event),
        Event::Judged { verdict } if verdict.is_bad() => say!(warn, balancer, event),
        Event::Published { change: Changed::Expired { .. }, .. }
        | Event::Recovery { step: Recovery::Probing, .. } => say!(debug, balancer, event),
        _ => say!(info, balancer, event),
    }
}
