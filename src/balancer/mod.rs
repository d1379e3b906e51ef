//! The handle: choosing, changing, and looking on.
//!
//! One writer at a time computes a new snapshot and publishes it with a single store; picks never
//! wait for it. What depends on time alone is settled by whichever pick notices first, so nothing
//! has to run in the background for the balancer to be right.

mod alarms;
mod apply;
mod auditing;
mod builder;
mod builds;
mod checking;
mod clock;
mod core;
mod dates;
mod decisions;
mod difference;
mod docket;
mod drain;
mod events;
mod explain;
#[cfg(feature = "metrics")]
mod figures;
mod guard;
mod guarded;
mod history;
mod hold;
mod lease;
mod ledger;
#[cfg(feature = "status")]
mod lookout;
mod make;
mod merge;
mod named;
#[cfg(feature = "file")]
mod offer;
mod operate;
mod operator;
mod paging;
mod paired;
mod picking;
mod preview;
mod reason;
mod recent;
mod rollback;
#[cfg(feature = "affinity")]
mod roster;
mod settle;
mod shares;
mod shut;
mod status;
mod steps;
mod sweep;
mod tend;
#[cfg(feature = "file")]
mod tether;
mod update;
mod verdict;

#[cfg(all(test, feature = "config", feature = "testing", not(evenkeel_loom)))]
mod tests;

pub use self::alarms::AlarmStatus;
pub use self::apply::Change;
pub use self::builder::Builder;
pub(crate) use self::checking::{Asked, Checking};
#[cfg(any(feature = "testing", feature = "sim"))]
pub(crate) use self::clock::held;
pub use self::drain::Drain;
pub use self::events::Events;
pub use self::explain::{Barred, ExplainedEndpoint, ExplainedTier, Explanation};
#[cfg(feature = "metrics")]
pub(crate) use self::figures::{Figures, Observable};
pub use self::guarded::Guard;
pub(crate) use self::guarded::{Applied, Look, Watch};
pub use self::history::Revision;
pub(crate) use self::hold::{Elsewhere, Hold, Sending};
pub use self::lease::Lease;
#[cfg(feature = "status")]
pub(crate) use self::lookout::Lookout;
#[cfg(feature = "file")]
pub(crate) use self::offer::{Offered, Refusal};
pub use self::operator::Operator;
pub(crate) use self::paging::{Call, Calling};
pub use self::preview::{Preview, Share};
pub use self::reason::{Cause, Override, Reason};
pub use self::recent::Happening;
pub use self::shut::DrainAll;
pub use self::status::{EndpointStatus, LatencyStatus, SkewStatus, Status, TierStatus};
#[cfg(feature = "file")]
pub(crate) use self::tether::Tether;

use std::fmt;

pub(crate) use self::clock::now;
use crate::balancer::core::Core;
use crate::config::Config;
use crate::endpoint::Anchor;
use crate::error::PickError;
use crate::sync::Arc;
use crate::units::{Key, Version};

/// Chooses an endpoint for each request, and lets everything be changed while it does.
///
/// A handle: clones share one balancer. The last one gone, the balancer is; leases that are out
/// stay valid.
///
/// ```
/// use evenkeel::{Balancer, Endpoint, Key, Outcome};
///
/// let balancer = Balancer::builder()
///     .name("checkout")
///     .endpoint(Endpoint::new("a", "10.0.0.1:80"))
///     .endpoint(Endpoint::new("b", "10.0.0.2:80").weight(3))
///     .build()?;
///
/// let lease = balancer.pick(&Key::none())?;
/// println!("calling {} at {}", lease.endpoint(), lease.target());
/// lease.finish(Outcome::Success);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Balancer<T> {
    core: Arc<Core<T>>,
}

impl<T: Send + Sync + 'static> Balancer<T> {
    /// Starts the description of a balancer.
    pub fn builder() -> Builder<T> {
        Builder::new()
    }

    /// Chooses an endpoint and counts the request in.
    ///
    /// For code that is not a `tower` service; services use [`service`](Self::service). Never
    /// waits. What the request asks for stands in the key.
    ///
    /// # Errors
    ///
    /// [`PickError`] says why there is no endpoint for it.
    #[inline]
    pub fn pick(&self, key: &Key) -> Result<Lease<T>, PickError> {
        self.choose(key, |key| key, |hold, _| Ok(Lease::new(hold)), |refusal, _| Err(refusal))
    }

    /// As [`Core::pick`], at this moment.
    #[inline(always)]
    pub(crate) fn choose<R, A: Anchor<T>, V>(
        &self,
        request: R,
        key: impl Fn(&R) -> &Key,
        chosen: impl Fn(Hold<A>, R) -> V,
        refused: impl FnOnce(PickError, R) -> V,
    ) -> V {
        let now = clock::about(self.core.ground.origin);
        self.core.pick(now, request, key, chosen, refused)
    }

    /// Whether a request's key decides.
    #[cfg(feature = "testing")]
    pub(crate) fn goes_by_keys(&self) -> bool {
        self.core.published.read(crate::snapshot::Snapshot::goes_by_keys)
    }

    #[cfg(feature = "testing")]
    pub(crate) fn pick_at(
        &self,
        key: &Key,
        now: tokio::time::Instant,
    ) -> Result<Lease<T>, PickError> {
        let now = clock::Reading::exact(self.core.ground.origin.nanos(now));
        let chosen = |hold, _| Ok(Lease::new(hold));
        self.core.pick(now, key, |key| key, chosen, |refusal, _| Err(refusal))
    }

    /// What it is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.core.shared.name
    }

    /// The settings that are served.
    #[must_use]
    pub fn config(&self) -> Arc<Config> {
        self.core.published.read(|snapshot| Arc::clone(&snapshot.config))
    }

    /// The version that is served.
    #[must_use]
    pub fn version(&self) -> Version {
        self.core.published.read(|snapshot| snapshot.version)
    }

    /// What it is doing, as things stand now. Publishes nothing and counts nothing.
    #[must_use]
    pub fn status(&self) -> Status {
        self.core.status(now())
    }

    /// Events from now on.
    #[must_use]
    pub fn subscribe(&self) -> Events {
        self.core.hub.subscribe()
    }
}

impl<T> Clone for Balancer<T> {
    fn clone(&self) -> Self {
        Self { core: Arc::clone(&self.core) }
    }
}

impl<T> fmt::Debug for Balancer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (version, endpoints) =
            self.core.published.read(|snapshot| (snapshot.version, snapshot.members.len()));
        f.debug_struct("Balancer")
            .field("name", &self.core.shared.name)
            .field("version", &version)
            .field("endpoints", &endpoints)
            .finish()
    }
}
