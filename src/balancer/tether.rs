//! Knowing a balancer without keeping it alive.

use tokio::sync::watch;

use crate::balancer::core::Core;
use crate::balancer::{Balancer, now};
use crate::event::Event;
use crate::sync::Arc;

/// What a task holds of the balancer it works for.
#[derive(Debug)]
pub(crate) struct Tether<T> {
    core: std::sync::Weak<Core<T>>,
    alive: watch::Receiver<()>,
}

impl<T> Tether<T> {
    /// The balancer, while somebody has a handle.
    pub(crate) fn balancer(&self) -> Option<Balancer<T>> {
        self.core.upgrade().map(|core| Balancer { core })
    }

    /// Ready when the last handle is gone.
    pub(crate) async fn gone(&mut self) {
        // Nothing is ever sent: it ends when the sender does.
        while self.alive.changed().await.is_ok() {}
    }
}

impl<T: Send + Sync + 'static> Balancer<T> {
    pub(crate) fn tether(&self) -> Tether<T> {
        Tether { core: Arc::downgrade(&self.core), alive: self.core.alive.subscribe() }
    }

    /// Tells subscribers what happened outside of the balancer.
    pub(crate) fn tell(&self, event: Event) {
        let core = &self.core;
        core.write(core.ground.origin.nanos(now()), |writer, _| {
            let facts = &mut writer.alarms.facts;
            match &event {
                Event::SourceFailed { source, error } => {
                    facts.source_failed(source, error.to_string());
                }
                Event::SourceRecovered { source } => facts.source_recovered(source),
                _ => {}
            }
            core.hub.push(event);
        });
    }

    /// Nobody asks this source any more.
    pub(crate) fn forget_source(&self, source: &str) {
        let core = &self.core;
        core.write(core.ground.origin.nanos(now()), |writer, _| {
            writer.alarms.facts.source_recovered(source);
        });
    }
}
