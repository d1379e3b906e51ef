//! One word for each kind of thing that happens, for labels and logs.
//!
//! The words are a contract: dashboards are built on them.

use crate::event::{Changed, Decision, Event, Recovery, Rule, Verdict};

impl Event {
    /// All there are.
    #[cfg(feature = "metrics")]
    pub(crate) const KINDS: &[&str] = &[
        "published",
        "update_refused",
        "config_refused",
        "rollback_failed",
        "share_raised",
        "ejection",
        "unhealthy",
        "check_panicked",
        "recovery",
        "panic",
        "detector_panicked",
        "rebuild_failed",
        "source_failed",
        "source_recovered",
        "keyless",
        "judged",
        "skew",
        "alarm",
        "pager_failed",
        "missed",
    ];

    /// The kind of event in one word, in `snake_case`: `published`, `ejection`, `missed`.
    ///
    /// A word stays what it is; new kinds bring new ones.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Published { .. } => "published",
            Self::UpdateRefused { .. } => "update_refused",
            Self::ConfigRefused { .. } => "config_refused",
            Self::RollbackFailed { .. } => "rollback_failed",
            Self::ShareRaised { .. } => "share_raised",
            Self::Ejection(_) => "ejection",
            Self::Unhealthy { .. } => "unhealthy",
            Self::CheckPanicked { .. } => "check_panicked",
            Self::Recovery { .. } => "recovery",
            Self::Panic { .. } => "panic",
            Self::DetectorPanicked { .. } => "detector_panicked",
            Self::RebuildFailed { .. } => "rebuild_failed",
            Self::SourceFailed { .. } => "source_failed",
            Self::SourceRecovered { .. } => "source_recovered",
            Self::Keyless { .. } => "keyless",
            Self::Judged { .. } => "judged",
            Self::Skew { .. } => "skew",
            Self::Alarm(_) => "alarm",
            Self::PagerFailed { .. } => "pager_failed",
            Self::Missed(_) => "missed",
        }
    }
}

impl Changed {
    /// All there are.
    #[cfg(feature = "metrics")]
    pub(crate) const KINDS: &[&str] = &[
        "replaced",
        "inserted",
        "removed",
        "reweighted",
        "draining",
        "draining_all",
        "enabled_all",
        "disabled",
        "enabled",
        "expired",
        "configured",
        "rolled_back",
        "rebuilt",
    ];

    /// The kind of change in one word, in `snake_case`: `replaced`, `reweighted`, `configured`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Replaced { .. } => "replaced",
            Self::Inserted { .. } => "inserted",
            Self::Removed { .. } => "removed",
            Self::Reweighted { .. } => "reweighted",
            Self::Draining { .. } => "draining",
            Self::DrainingAll { .. } => "draining_all",
            Self::EnabledAll { .. } => "enabled_all",
            Self::Disabled { .. } => "disabled",
            Self::Enabled { .. } => "enabled",
            Self::Expired { .. } => "expired",
            Self::Configured { .. } => "configured",
            Self::RolledBack { .. } => "rolled_back",
            Self::Rebuilt { .. } => "rebuilt",
        }
    }
}

impl Rule {
    /// All but detectors of your own.
    #[cfg(feature = "metrics")]
    pub(crate) const KINDS: &[&str] = &[
        "consecutive_failures",
        "consecutive_gateway_failures",
        "consecutive_local_failures",
        "success_rate",
        "failure_percentage",
        "latency",
        "probe",
        "operator",
    ];

    /// The rule in one word, in `snake_case`: the key under `[outlier]` where it has one, `probe` or
    /// `operator` where it has none; a detector of your own by its name.
    #[must_use]
    pub fn kind(&self) -> &str {
        match self {
            Self::ConsecutiveFailures => "consecutive_failures",
            Self::ConsecutiveGatewayFailures => "consecutive_gateway_failures",
            Self::ConsecutiveLocalFailures => "consecutive_local_failures",
            Self::SuccessRate => "success_rate",
            Self::FailurePercentage => "failure_percentage",
            Self::Latency => "latency",
            Self::Custom(name) => name,
            Self::Probe => "probe",
            Self::Operator => "operator",
        }
    }
}

impl Decision {
    /// All that leave the endpoint where it is.
    #[cfg(feature = "metrics")]
    pub(crate) const UNENFORCED: &[&str] =
        &["max_ejected_percent", "min_available", "dry_run", "enforce_percent"];

    /// What came of it in one word, in `snake_case`: `ejected`, or the setting that kept the endpoint
    /// in (`max_ejected_percent`, `min_available`, `dry_run`, `enforce_percent`).
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Ejected { .. } => "ejected",
            Self::Cap { .. } => "max_ejected_percent",
            Self::Floor { .. } => "min_available",
            Self::DryRun => "dry_run",
            Self::Chance => "enforce_percent",
        }
    }
}

impl Recovery {
    /// All there are.
    #[cfg(feature = "metrics")]
    pub(crate) const KINDS: &[&str] = &[
        "probing",
        "warming",
        "recovered",
        "made_room",
        "pardoned",
        "switched_off",
        "awaits_checks",
        "healthy",
        "unchecked",
    ];

    /// The step in one word, in `snake_case`: `probing`, `warming`, `recovered`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Probing => "probing",
            Self::Warming => "warming",
            Self::Recovered => "recovered",
            Self::MadeRoom => "made_room",
            Self::Pardoned => "pardoned",
            Self::SwitchedOff => "switched_off",
            Self::AwaitsChecks => "awaits_checks",
            Self::Healthy => "healthy",
            Self::Unchecked => "unchecked",
        }
    }
}

impl Verdict {
    /// All there are.
    #[cfg(feature = "metrics")]
    pub(crate) const KINDS: &[&str] = &[
        "accepted",
        "unproven",
        "rolled_back",
        "not_rolled_back",
        "superseded",
        "unchanged",
        "gone",
    ];

    /// The verdict in one word, in `snake_case`: `accepted`, `rolled_back`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Accepted { .. } => "accepted",
            Self::Unproven { .. } => "unproven",
            Self::RolledBack { .. } => "rolled_back",
            Self::NotRolledBack { .. } => "not_rolled_back",
            Self::Superseded { .. } => "superseded",
            Self::Unchanged { .. } => "unchanged",
            Self::Gone { .. } => "gone",
        }
    }
}

#[cfg(all(test, feature = "metrics"))]
mod tests {
    use super::*;

    /// The words that each `kind` of this file can give, in their order.
    fn words() -> Vec<Vec<&'static str>> {
        let bodies = include_str!("kind.rs").split("pub fn kind(").skip(1);
        let body = |rest: &'static str| rest.split("\n    }\n").next().unwrap_or_default();
        let word = |arm: &'static str| arm.split('"').next().unwrap_or_default();
        bodies.map(|rest| body(rest).split("=> \"").skip(1).map(word).collect()).collect()
    }

    #[test]
    fn the_lists_are_whole() {
        let ejected = [&["ejected"], Decision::UNENFORCED].concat();
        let lists =
            [Event::KINDS, Changed::KINDS, Rule::KINDS, &ejected, Recovery::KINDS, Verdict::KINDS];
        assert_eq!(words()[..lists.len()], lists);
    }
}
