//! Watching a change of the settings, and taking it back.

mod judge;
mod limits;
mod proven;
mod watch;

pub use self::limits::Guard;
pub(crate) use self::watch::Watched;

use std::sync::Weak;
use std::time::Duration;

use tokio::time::Instant;

use crate::balancer::core::Core;
use crate::balancer::{Balancer, Change, now};
use crate::error::ConfigError;
use crate::event::Verdict;
use crate::sync::Arc;
use crate::units::Version;

impl<T: Send + Sync + 'static> Balancer<T> {
    /// Applies a change and watches it from now on, if it is one.
    pub(crate) fn apply_watched(
        &self,
        change: Change,
        guard: Guard,
    ) -> Result<Applied<T>, ConfigError> {
        let (began, window, every) = (now(), guard.window(), guard.look_every());
        let at = self.core.ground.origin.nanos(began);
        let (version, changed) = self.core.apply_guarded(change, guard, at)?;
        if !changed {
            return Ok(Applied::Unchanged(Verdict::Unchanged { version }));
        }
        let core = Arc::downgrade(&self.core);
        let over = began.checked_add(window).unwrap_or(began);
        let watch = Watch { core, version, began, over, every };
        Ok(Applied::Watched(watch))
    }
}

/// What became of a change that was to be watched.
pub(crate) enum Applied<T> {
    Watched(Watch<T>),
    Unchanged(Verdict),
}

/// The change that was published as a version, for whoever looks after it. Keeps no balancer alive.
pub(crate) struct Watch<T> {
    core: Weak<Core<T>>,
    version: Version,
    began: Instant,
    over: Instant,
    every: Duration,
}

/// What a look has found.
pub(crate) enum Look {
    Decided(Verdict),
    /// Nothing yet: look again at this instant.
    Again(Instant),
}

impl<T: Send + Sync + 'static> Watch<T> {
    pub(crate) fn version(&self) -> Version {
        self.version
    }

    /// When to look for the first time.
    pub(crate) fn first_look(&self) -> Instant {
        self.look_after(self.began)
    }

    /// Looks that were missed are not made up for.
    fn look_after(&self, at: Instant) -> Instant {
        at.checked_add(self.every).unwrap_or(at).min(self.over)
    }

    /// Looks whether it is decided what comes of the change, and does it.
    pub(crate) fn look(&self) -> Look {
        let Some(core) = self.core.upgrade() else {
            return Look::Decided(Verdict::Gone { version: self.version });
        };
        let now = now();
        match core.look(self.version, core.ground.origin.nanos(now)) {
            Some(verdict) => Look::Decided(verdict),
            None => Look::Again(self.look_after(now)),
        }
    }

    /// Nobody looks any more: takes the change back, if it is still served.
    pub(crate) fn give_up(&self) {
        if let Some(core) = self.core.upgrade() {
            core.give_up(self.version, core.ground.origin.nanos(now()));
        }
    }
}
