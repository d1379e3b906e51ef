//! What operators do, with their name on it.

use std::fmt;
use std::time::Duration;

use tokio::time::Instant;

use crate::balancer::{Balancer, Change, Drain, DrainAll};
use crate::config::Config;
use crate::error::{ConfigError, RollbackError, UpdateError};
use crate::event::Author;
use crate::units::{EndpointId, Version};

/// A balancer in the hands of somebody: what is changed through it carries their name, and why.
///
/// From [`Balancer::by`]. Each operation is the balancer's of the same name. Author and reason
/// stand in its event ([`Changed`](crate::Changed), [`Ejection`](crate::Ejection)), in
/// [`history`](Balancer::history), and in [`status`](Balancer::status) for as long as it holds.
///
/// ```
/// use evenkeel::{Balancer, Endpoint};
///
/// let balancer = Balancer::builder().endpoint(Endpoint::new("a", ())).build()?;
/// let _drain = balancer.by("ann").because("a new disk").drain(&"a".into())?;
///
/// let status = balancer.status();
/// let reason = status.endpoints[0].reason.as_ref().unwrap();
/// assert_eq!(reason.text, "drained by ann because a new disk");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "a name on nothing changes nothing"]
pub struct Operator<'a, T> {
    balancer: &'a Balancer<T>,
    author: Author,
}

impl<T: Send + Sync + 'static> Balancer<T> {
    /// Says who does what is done next.
    ///
    /// Of the name, a line of at most 128 bytes is kept: what is longer is cut, control characters
    /// become spaces, and an empty one is none.
    pub fn by(&self, who: impl AsRef<str>) -> Operator<'_, T> {
        Operator { balancer: self, author: Author::new(who.as_ref()) }
    }
}

impl<T: Send + Sync + 'static> Operator<'_, T> {
    /// Says why. As with the name, but for at most 512 bytes.
    pub fn because(mut self, why: impl AsRef<str>) -> Self {
        self.author = self.author.because(why.as_ref());
        self
    }

    /// As [`Balancer::set_weight`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn set_weight(&self, id: &EndpointId, weight: u32) -> Result<Version, UpdateError> {
        self.balancer.core.set_weight(id, weight, &self.author)
    }

    /// As [`Balancer::drain`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn drain(&self, id: &EndpointId) -> Result<Drain, UpdateError> {
        self.balancer.core.drain(id, None, &self.author)
    }

    /// As [`Balancer::drain_for`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn drain_for(&self, id: &EndpointId, span: Duration) -> Result<Drain, UpdateError> {
        self.balancer.core.drain(id, Some(span), &self.author)
    }

    /// As [`Balancer::drain_all`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn drain_all(&self) -> Result<DrainAll, UpdateError> {
        self.balancer.core.drain_all(&self.author)
    }

    /// As [`Balancer::disable`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn disable(&self, id: &EndpointId) -> Result<Version, UpdateError> {
        self.balancer.core.disable(id, &self.author)
    }

    /// As [`Balancer::enable`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn enable(&self, id: &EndpointId) -> Result<Version, UpdateError> {
        self.balancer.core.enable(id, &self.author)
    }

    /// As [`Balancer::enable_all`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn enable_all(&self) -> Result<Version, UpdateError> {
        self.balancer.core.enable_all(&self.author)
    }

    /// As [`Balancer::eject`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn eject(&self, id: &EndpointId, span: Duration) -> Result<Instant, UpdateError> {
        self.balancer.core.eject(id, span, &self.author)
    }

    /// As [`Balancer::apply`] of a [`Change`] with this author and reason.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn apply(&self, config: Config) -> Result<Version, ConfigError> {
        self.balancer.apply(Change::of(config, &self.author))
    }

    /// As [`Balancer::rollback`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn rollback(&self) -> Result<Version, RollbackError> {
        self.balancer.core.rollback(&self.author)
    }
}

impl<T> fmt::Debug for Operator<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Operator").field("author", &self.author).finish_non_exhaustive()
    }
}
