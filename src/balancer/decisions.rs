//! The records of picks, for whoever asks.

use crate::balancer::{Balancer, now};
use crate::config::Config;
use crate::decision::{DecisionRecord, Entry};

/// How many records the settings keep.
pub(crate) fn room(config: &Config) -> usize {
    config.decisions().map_or(0, |decisions| decisions.keep() as usize)
}

impl<T: Send + Sync + 'static> Balancer<T> {
    /// The last picks that were recorded, the newest last: what was compared, what was chosen, and
    /// why.
    ///
    /// One pick in [`decisions.every`](crate::config::DecisionsConfig::every) is, by chance, and
    /// besides whatever is rare: probes, refusals, sessions that lost their endpoint, requests that
    /// exclude all of their tier, and keys whose endpoint is full, up to 32 a second. Picks do not
    /// wait for it: one that is to be recorded while this copies, or while another one is, goes on
    /// without, and its [number](DecisionRecord::number) is missing.
    ///
    /// ```
    /// use evenkeel::config::DecisionsConfig;
    /// use evenkeel::{Balancer, Config, Endpoint, Key, PickReason};
    ///
    /// let every = DecisionsConfig::default().with_every(1)?;
    /// let balancer = Balancer::builder()
    ///     .config(Config::default().with_decisions(Some(every)))
    ///     .endpoints(["a", "b", "c"].map(|id| Endpoint::new(id, ())))
    ///     .build()?;
    /// let lease = balancer.pick(&Key::none())?;
    ///
    /// let records = balancer.decisions();
    /// let last = records.last().ok_or("nothing was recorded")?;
    /// assert_eq!(last.chosen.as_ref(), Some(lease.endpoint()));
    /// assert_eq!((last.reason, last.considered.len()), (PickReason::LeastCost, 2));
    /// # Ok::<(), evenkeel::BoxError>(())
    /// ```
    #[must_use]
    pub fn decisions(&self) -> Vec<DecisionRecord> {
        let (origin, now) = (self.core.ground.origin, self.core.ground.origin.nanos(now()));
        let record = |entry: Entry| DecisionRecord::of(entry, origin, now);
        self.core.decisions.list().into_iter().map(record).collect()
    }
}
