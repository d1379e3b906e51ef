//! What an alarm is held to.

use crate::config::AlarmsConfig;
use crate::event::AlarmKind;
use crate::units::nanos;

/// The spans of a rule, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Terms {
    /// How long its condition holds before it is raised.
    pub(super) lasts: u64,
    /// How long its condition is over before it is cleared.
    pub(super) over: u64,
}

impl Terms {
    /// The terms of such an alarm; `None` where it is switched off.
    pub(crate) fn of(config: Option<&AlarmsConfig>, kind: &AlarmKind) -> Option<Self> {
        let config = config?;
        let lasts = match kind {
            AlarmKind::Panic { .. } => config.panic()?,
            AlarmKind::CapReached { .. } => config.cap_reached()?,
            AlarmKind::FloorReached { .. } => config.floor_reached()?,
            AlarmKind::EjectionSuppressed { .. } => config.ejection_suppressed()?,
            AlarmKind::EverybodySlow { .. } => config.everybody_slow()?.after(),
            AlarmKind::UpdateRefused { .. } | AlarmKind::ConfigRefused { .. } => {
                config.update_refused()?
            }
            // The age of the set is its condition already.
            AlarmKind::SetUnchanged { .. } => {
                config.set_unchanged()?;
                return Some(Self { lasts: 0, over: 0 });
            }
            AlarmKind::ShareRaised { .. } => config.share_raised()?,
            AlarmKind::Skew { .. } => config.skew()?,
            AlarmKind::SourceFailed { .. } => config.source_failed()?,
        };
        Some(Self { lasts: nanos(lasts), over: nanos(config.clear_after()) })
    }
}
