//! What happens to a balancer, told to whoever subscribes.

mod about;
mod alarm;
mod author;
mod ejection;
mod kind;
mod skew;
mod verdict;
mod words;

pub use self::alarm::{Alarm, AlarmKind};
pub(crate) use self::author::Author;
pub use self::ejection::{Decision, Ejection, Recovery, Rule};
pub use self::skew::{Skew, SkewCause, SkewRule};
pub use self::verdict::{RollbackReason, Verdict};

use std::fmt;
use std::sync::Arc;

use tokio::time::Instant;

use crate::error::{BoxError, ConfigError, RollbackError, UpdateError};
use crate::units::{EndpointId, Version};

/// Something that happened to a balancer.
///
/// Every published change, every refusal and every verdict is one event. Requests are not: they are counted in
/// [`Status`](crate::Status).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// A change was published: picks from now on see it.
    Published {
        /// The version that is served from now on.
        version: Version,
        /// What was changed.
        change: Changed,
    },
    /// A change of the endpoints was refused; all is as it was.
    UpdateRefused {
        /// The version that is still served.
        version: Version,
        /// Why.
        error: UpdateError,
    },
    /// A change of the settings was refused, for what they say or since the writer had not seen the
    /// last change; all is as it was.
    ConfigRefused {
        /// The version that is still served.
        version: Version,
        /// Why.
        error: ConfigError,
    },
    /// A rollback came to nothing; all is as it was.
    RollbackFailed {
        /// The version that is still served.
        version: Version,
        /// Why.
        error: RollbackError,
    },
    /// A change that was published gives an endpoint a share far above a fair one.
    ///
    /// With `guard.max_share_percent` it would have been refused, unless the endpoint only returns:
    /// it was drained or switched off, and has by its own weight what it is given here.
    ShareRaised {
        /// The version that is served from now on.
        version: Version,
        /// The endpoint.
        endpoint: EndpointId,
        /// Its share before, from 0 to 1.
        before: f64,
        /// Its share from now on.
        after: f64,
        /// What each would get of an even split.
        fair: f64,
    },
    /// Something spoke against an endpoint; it was taken out, or was not.
    Ejection(Ejection),
    /// Active checks have found an endpoint sick: it takes nothing until they succeed again.
    Unhealthy {
        /// The endpoint.
        endpoint: EndpointId,
        /// How many checks have failed in a row.
        failures: u32,
        /// What came of the last.
        error: Arc<BoxError>,
    },
    /// A probe panicked. It counts as a check that has failed.
    CheckPanicked {
        /// The endpoint that was asked.
        endpoint: EndpointId,
        /// What the panic said; empty if it was no text.
        message: String,
    },
    /// An endpoint that was out is a step further on its way back.
    Recovery {
        /// The endpoint.
        endpoint: EndpointId,
        /// The step.
        step: Recovery,
    },
    /// So few endpoints of a tier are left that health is not believed any more, or believed again.
    Panic {
        /// The tier.
        tier: u32,
        /// Whether it begins.
        on: bool,
        /// Endpoints of the tier that are admitted.
        admitted: usize,
        /// Endpoints that could be, were they all well.
        of: usize,
    },
    /// A detector of your own panicked over a sweep. What the others found holds.
    DetectorPanicked {
        /// The detector.
        rule: Rule,
    },
    /// No new target could be made for an endpoint whose target is broken. The old one stays.
    RebuildFailed {
        /// The endpoint.
        endpoint: EndpointId,
        /// What the factory said.
        error: Arc<BoxError>,
        /// How many attempts in a row have failed.
        attempts: u32,
        /// When it is tried again.
        retry_at: Instant,
    },
    /// A source of settings or endpoints has failed. What it gave last goes on being served.
    ///
    /// Told once for each failure, not each time it is met.
    SourceFailed {
        /// The source.
        source: String,
        /// Why; a file's is a `FileError` (feature `file`).
        error: Arc<BoxError>,
    },
    /// A source that had failed can be used again. What it gives now is an event of its own, if it
    /// changes anything.
    SourceRecovered {
        /// The source.
        source: String,
    },
    /// A request without a key came to a strategy that goes by keys. It was spread by weight, and so
    /// are others like it.
    ///
    /// Told once after each change of the settings.
    Keyless {
        /// What the settings call the strategy.
        strategy: String,
    },
    /// Requests are spread otherwise than intended, or no longer are.
    Skew {
        /// Whether it begins.
        on: bool,
        /// Who gets what, and why; as it was found last where it ends.
        skew: Skew,
    },
    /// A change that was applied with a guard was judged.
    Judged {
        /// What came of it.
        verdict: Verdict,
    },
    /// Something about the balancer itself should be looked at, or need not be any more.
    Alarm(Alarm),
    /// The pager did not take an alarm: it said so, did not answer in time, or panicked.
    PagerFailed {
        /// The alarm.
        alarm: Alarm,
        /// What went wrong.
        error: Arc<BoxError>,
        /// How often it was called with this alarm.
        attempts: u32,
        /// Whether it is called with it no more.
        given_up: bool,
    },
    /// The subscriber was too slow: this many events were dropped before the next one.
    Missed(u64),
}

/// What a published change was.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Changed {
    /// The whole set was sent.
    Replaced {
        /// Endpoints that were not there before.
        added: usize,
        /// Endpoints that are there no more.
        removed: usize,
        /// Endpoints whose attributes or target changed.
        changed: usize,
        /// Whether the update guard was passed by.
        unchecked: bool,
    },
    /// An endpoint was inserted.
    Inserted {
        /// The endpoint.
        endpoint: EndpointId,
        /// Whether it was known and has a new target now.
        swapped: bool,
    },
    /// An endpoint was removed.
    Removed {
        /// The endpoint.
        endpoint: EndpointId,
    },
    /// An operator set a weight.
    Reweighted {
        /// The endpoint.
        endpoint: EndpointId,
        /// Its weight before.
        from: u32,
        /// Its weight now.
        to: u32,
        /// Who did, where that was said.
        by: Option<String>,
        /// Why, where that was said.
        because: Option<String>,
    },
    /// An operator drains an endpoint.
    Draining {
        /// The endpoint.
        endpoint: EndpointId,
        /// When it comes back by itself, if it does.
        until: Option<Instant>,
        /// Who did, where that was said.
        by: Option<String>,
        /// Why, where that was said.
        because: Option<String>,
    },
    /// An operator drains all endpoints, those that join as well.
    DrainingAll {
        /// How many there are.
        endpoints: usize,
        /// Who did, where that was said.
        by: Option<String>,
        /// Why, where that was said.
        because: Option<String>,
    },
    /// All that operators had said about any endpoint was taken back.
    EnabledAll {
        /// How many endpoints something had been said about.
        endpoints: usize,
        /// Who did, where that was said.
        by: Option<String>,
        /// Why, where that was said.
        because: Option<String>,
    },
    /// An operator switched an endpoint off.
    Disabled {
        /// The endpoint.
        endpoint: EndpointId,
        /// Who did, where that was said.
        by: Option<String>,
        /// Why, where that was said.
        because: Option<String>,
    },
    /// All that operators had said about an endpoint was taken back.
    Enabled {
        /// The endpoint.
        endpoint: EndpointId,
        /// Who did, where that was said.
        by: Option<String>,
        /// Why, where that was said.
        because: Option<String>,
    },
    /// Time ended what an operator had said about an endpoint.
    Expired {
        /// The endpoint.
        endpoint: EndpointId,
    },
    /// The settings were changed.
    Configured {
        /// Who changed them, where that was said.
        by: Option<String>,
        /// Why, where that was said.
        because: Option<String>,
    },
    /// The settings and what operators said are again as they were.
    RolledBack {
        /// The version whose state was brought back.
        to: Version,
        /// Who did, if it was not an operator: `guard`.
        by: Option<String>,
        /// Why, where that is known.
        because: Option<String>,
    },
    /// An endpoint whose target was broken has a new one.
    Rebuilt {
        /// The endpoint.
        endpoint: EndpointId,
    },
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Published { version, change } => write!(f, "version {version}: {change}"),
            Self::UpdateRefused { version, error } => {
                write!(f, "refused, still version {version}: {error}")
            }
            Self::ConfigRefused { version, error } => {
                write!(f, "refused, still version {version}: {error}")
            }
            Self::RollbackFailed { version, error } => {
                write!(f, "not rolled back, still version {version}: {error}")
            }
            Self::ShareRaised { version, endpoint, before, after, fair } => write!(
                f,
                "version {version}: `{endpoint}` receives {:.0} % instead of {:.0} % (fair: {:.0} %)",
                100.0 * after,
                100.0 * before,
                100.0 * fair
            ),
            Self::Ejection(ejection) => ejection.fmt(f),
            Self::Unhealthy { endpoint, failures, error } => {
                let s = if *failures == 1 { "" } else { "s" };
                write!(f, "`{endpoint}` unhealthy: {failures} failed check{s} in a row: {error}")
            }
            Self::CheckPanicked { endpoint, message } if message.is_empty() => {
                write!(f, "the check of `{endpoint}` panicked")
            }
            Self::CheckPanicked { endpoint, message } => {
                write!(f, "the check of `{endpoint}` panicked: {message}")
            }
            Self::Recovery { endpoint, step } => write!(f, "`{endpoint}` {step}"),
            Self::Panic { tier, on, admitted, of } => {
                f.write_str(if *on { "panic" } else { "panic over" })?;
                if *tier > 0 {
                    write!(f, " in tier {tier}")?;
                }
                match on {
                    true => write!(f, ": only {admitted} of {of} endpoints are well, all are used"),
                    false => write!(f, ": {admitted} of {of} endpoints are well"),
                }
            }
            Self::DetectorPanicked { rule } => write!(f, "the detector `{rule}` panicked"),
            Self::RebuildFailed { endpoint, error, attempts, .. } => {
                write!(f, "no new target for `{endpoint}` after {attempts} attempts: {error}")
            }
            Self::SourceFailed { source, error } => write!(f, "{source} failed: {error}"),
            Self::SourceRecovered { source } => write!(f, "{source} is well again"),
            Self::Keyless { strategy } => {
                write!(f, "requests without a key come to `{strategy}` and are spread by weight")
            }
            Self::Skew { on: true, skew } => skew.fmt(f),
            Self::Skew { on: false, skew } => {
                let (endpoint, rule) = (&skew.endpoint, skew.rule);
                write!(f, "`{endpoint}` is in its place again, by the rule of {rule}")
            }
            Self::Judged { verdict } => verdict.fmt(f),
            Self::Alarm(alarm) => alarm.fmt(f),
            Self::PagerFailed { alarm, error, attempts, given_up } => {
                let name = alarm.kind.name();
                write!(f, "the pager did not take `{name}`, attempt {attempts}: {error}")?;
                if *given_up { f.write_str("; it is told no more of it") } else { Ok(()) }
            }
            Self::Missed(n) => write!(f, "{n} events were missed"),
        }
    }
}

impl Changed {
    /// Who changed it and why, where that was said. The changes of settings and rollbacks carry it,
    /// and those that operators make by [`Balancer::by`](crate::Balancer::by).
    #[must_use]
    pub fn author(&self) -> (Option<&str>, Option<&str>) {
        match self {
            Self::Reweighted { by, because, .. }
            | Self::Draining { by, because, .. }
            | Self::DrainingAll { by, because, .. }
            | Self::EnabledAll { by, because, .. }
            | Self::Disabled { by, because, .. }
            | Self::Enabled { by, because, .. }
            | Self::Configured { by, because }
            | Self::RolledBack { by, because, .. } => (by.as_deref(), because.as_deref()),
            Self::Replaced { .. }
            | Self::Inserted { .. }
            | Self::Removed { .. }
            | Self::Expired { .. }
            | Self::Rebuilt { .. } => (None, None),
        }
    }
}

impl fmt::Display for Changed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Replaced { added, removed, changed, unchecked } => {
                write!(f, "set replaced: {added} added, {removed} removed, {changed} changed")?;
                if *unchecked { f.write_str(", unchecked") } else { Ok(()) }
            }
            Self::Inserted { endpoint, swapped: false } => write!(f, "`{endpoint}` inserted"),
            Self::Inserted { endpoint, swapped: true } => {
                write!(f, "`{endpoint}` has a new target")
            }
            Self::Removed { endpoint } => write!(f, "`{endpoint}` removed"),
            Self::Reweighted { endpoint, from, to, .. } => {
                write!(f, "weight of `{endpoint}` set from {from} to {to}")
            }
            Self::Draining { endpoint, until: None, .. } => write!(f, "`{endpoint}` is draining"),
            Self::Draining { endpoint, until: Some(_), .. } => {
                write!(f, "`{endpoint}` is draining for a while")
            }
            Self::DrainingAll { endpoints, .. } => {
                write!(f, "all is draining, {endpoints} endpoints and whoever joins")
            }
            Self::EnabledAll { endpoints, .. } => {
                write!(f, "all is enabled, {endpoints} endpoints")
            }
            Self::Disabled { endpoint, .. } => write!(f, "`{endpoint}` disabled"),
            Self::Enabled { endpoint, .. } => write!(f, "`{endpoint}` enabled"),
            Self::Expired { endpoint } => write!(f, "the drain of `{endpoint}` is over"),
            Self::Configured { .. } => f.write_str("settings changed"),
            Self::RolledBack { to, .. } => write!(f, "rolled back to version {to}"),
            Self::Rebuilt { endpoint } => write!(f, "`{endpoint}` has a new target, made again"),
        }?;
        let (by, because) = self.author();
        author::attributed(f, by, because)
    }
}
