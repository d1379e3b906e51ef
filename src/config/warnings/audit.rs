//! What of `[audit]` is valid and leaves it blind.

use crate::config::audit::AuditConfig;
use crate::config::kind::StrategyKind;
use crate::config::range::Spelt;
use crate::error::Problem;

/// Tolerances, in percent, from which on an endpoint that gets twice its part is no skew.
const TWICE: u32 = 90;

pub(super) fn of_audit(audit: &AuditConfig, kind: &StrategyKind, found: &mut Vec<Problem>) {
    let (interval, window) = (audit.interval(), audit.window());
    if interval > window {
        let message = format!(
            "{} is shorter than audit.interval ({}), so that shares are those since the last look",
            Spelt(window),
            Spelt(interval)
        );
        found.push(Problem::warning("audit.window", message));
    }
    if audit.tolerance_percent() >= TWICE {
        let message = format!(
            "at {} an endpoint may get twice its part and nothing is told",
            audit.tolerance_percent()
        );
        found.push(Problem::warning("audit.tolerance_percent", message));
    }
    if audit.concentration_percent().is_none() && kind.looks_at_load() {
        let message = format!(
            "is off: kind = \"{kind}\" goes by load, so nothing is told of what its endpoints get"
        );
        found.push(Problem::warning("audit.concentration_percent", message));
    }
}
