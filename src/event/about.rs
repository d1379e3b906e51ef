//! Whom and what an event is about.

use crate::event::{Changed, Event};
use crate::units::{EndpointId, Version};

impl Event {
    /// The endpoint that it is about, if it is about one.
    pub(crate) fn endpoint(&self) -> Option<&EndpointId> {
        match self {
            Self::Published { change, .. } => change.endpoint(),
            Self::Ejection(ejection) => Some(&ejection.endpoint),
            Self::Skew { skew, .. } => Some(&skew.endpoint),
            Self::ShareRaised { endpoint, .. }
            | Self::Unhealthy { endpoint, .. }
            | Self::CheckPanicked { endpoint, .. }
            | Self::Recovery { endpoint, .. }
            | Self::RebuildFailed { endpoint, .. } => Some(endpoint),
            Self::UpdateRefused { .. }
            | Self::ConfigRefused { .. }
            | Self::RollbackFailed { .. }
            | Self::Panic { .. }
            | Self::DetectorPanicked { .. }
            | Self::SourceFailed { .. }
            | Self::SourceRecovered { .. }
            | Self::Keyless { .. }
            | Self::Judged { .. }
            | Self::Alarm(_)
            | Self::PagerFailed { .. }
            | Self::Missed(_) => None,
        }
    }

    /// The version that it is about, or that is still served.
    pub(crate) fn version(&self) -> Option<Version> {
        match self {
            Self::Published { version, .. }
            | Self::UpdateRefused { version, .. }
            | Self::ConfigRefused { version, .. }
            | Self::RollbackFailed { version, .. }
            | Self::ShareRaised { version, .. } => Some(*version),
            Self::Judged { verdict } => Some(verdict.version()),
            _ => None,
        }
    }
}

impl Changed {
    fn endpoint(&self) -> Option<&EndpointId> {
        match self {
            Self::Inserted { endpoint, .. }
            | Self::Removed { endpoint }
            | Self::Reweighted { endpoint, .. }
            | Self::Draining { endpoint, .. }
            | Self::Disabled { endpoint, .. }
            | Self::Enabled { endpoint, .. }
            | Self::Expired { endpoint }
            | Self::Rebuilt { endpoint } => Some(endpoint),
            Self::Replaced { .. }
            | Self::DrainingAll { .. }
            | Self::EnabledAll { .. }
            | Self::Configured { .. }
            | Self::RolledBack { .. } => None,
        }
    }
}
