//! What a balancer finds wrong with its own state.

use std::fmt;
use std::time::Duration;

use tokio::time::Instant;

use crate::event::{Decision, Rule, Skew};
use crate::units::EndpointId;

/// Something about a balancer that somebody should look at begins to stand, or stands no more.
///
/// Each is told once when it is raised and once when it is cleared, by
/// [`Event::Alarm`](crate::Event::Alarm) and to the [`Pager`](crate::Pager). How long something has
/// to last before it is an alarm, and for how long it has to be over, is said by `[alarms]` in the
/// settings. With the feature `config` it serialises, as a webhook needs it.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "config", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Alarm {
    /// What the balancer is called.
    pub balancer: String,
    /// What is wrong, with its figures: those of the moment, or the last there were if it is
    /// cleared.
    #[cfg_attr(feature = "config", serde(flatten))]
    pub kind: AlarmKind,
    /// Whether it is raised; else it is cleared.
    pub raised: bool,
    /// When what it tells of began.
    #[cfg_attr(feature = "config", serde(skip))]
    pub since: Instant,
    /// How long it has lasted by now. Serialised in seconds.
    #[cfg_attr(feature = "config", serde(serialize_with = "crate::units::seconds::span"))]
    pub lasting: Duration,
}

/// What an alarm is about. There is one of each kind at most, whoever is concerned: an incident is
/// one page, not a hundred.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "config", derive(serde::Serialize))]
#[cfg_attr(feature = "config", serde(tag = "alarm", rename_all = "snake_case"))]
#[non_exhaustive]
pub enum AlarmKind {
    /// So few endpoints of a tier are left that health is not believed (`alarms.panic`).
    Panic {
        /// The tier; the most preferred one where there are several.
        tier: u32,
        /// Endpoints of the tier that are admitted.
        admitted: usize,
        /// Endpoints that could be, were they all well.
        of: usize,
    },
    /// No further endpoint can be ejected, because as many are out as
    /// `outlier.max_ejected_percent` allows (`alarms.cap_reached`).
    CapReached {
        /// Endpoints that are out, for whatever reason.
        out: usize,
        /// Endpoints that could be chosen, were they all well.
        of: usize,
        /// How many may be out before ejections stop.
        most: usize,
    },
    /// No further endpoint can be ejected, because `outlier.min_available` have to stay
    /// (`alarms.floor_reached`).
    FloorReached {
        /// Endpoints that are left.
        left: usize,
        /// How many have to stay.
        least: usize,
    },
    /// A detector speaks against an endpoint again and again, and it stays
    /// (`alarms.ejection_suppressed`).
    EjectionSuppressed {
        /// The endpoint; the one that was spoken against last, where there are several.
        endpoint: EndpointId,
        /// What speaks against it.
        #[cfg_attr(feature = "config", serde(serialize_with = "serial::words"))]
        rule: Rule,
        /// Why it stays.
        #[cfg_attr(feature = "config", serde(serialize_with = "serial::decision"))]
        decision: Decision,
    },
    /// The answers of all endpoints together take several times as long as usual, so nobody is
    /// slower than the others (`alarms.everybody_slow`).
    EverybodySlow {
        /// The time within which half of the last answers came.
        #[cfg_attr(feature = "config", serde(serialize_with = "crate::units::seconds::span"))]
        latency: Duration,
        /// What that is usually.
        #[cfg_attr(feature = "config", serde(serialize_with = "crate::units::seconds::span"))]
        usual: Duration,
    },
    /// A change of the endpoints was refused, and none has been accepted since
    /// (`alarms.update_refused`).
    UpdateRefused {
        /// Why it was refused last.
        reason: String,
    },
    /// A change of the settings was refused, or could not be taken back, and none has been accepted
    /// since (`alarms.update_refused`).
    ConfigRefused {
        /// Why, the last time.
        reason: String,
    },
    /// No set of endpoints was sent and accepted for a long time, not even the same one again
    /// (`alarms.set_unchanged`).
    SetUnchanged {
        /// How old the set is.
        #[cfg_attr(feature = "config", serde(serialize_with = "crate::units::seconds::span"))]
        age: Duration,
    },
    /// A change has raised an endpoint far above a fair share, and it still has it
    /// (`alarms.share_raised`).
    ShareRaised {
        /// The endpoint; the one with the largest share, where there are several.
        endpoint: EndpointId,
        /// What it is meant to get while all are well, from 0 to 1.
        share: f64,
        /// What each would get of an even split.
        fair: f64,
    },
    /// Requests are spread otherwise than intended (`alarms.skew`).
    Skew {
        /// Who gets what, and why; the one that is told longest, where there are several.
        skew: Skew,
    },
    /// A source of settings or endpoints has failed and is not well again
    /// (`alarms.source_failed`).
    SourceFailed {
        /// The source; the first by its name, where there are several.
        source: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl AlarmKind {
    /// The names there are.
    #[cfg(feature = "metrics")]
    pub(crate) const NAMES: &[&str] = &[
        "panic",
        "cap_reached",
        "floor_reached",
        "ejection_suppressed",
        "everybody_slow",
        "update_refused",
        "config_refused",
        "set_unchanged",
        "share_raised",
        "skew",
        "source_failed",
    ];

    /// The kind as one word, as in `cap_reached`: the same when it is raised and when it is
    /// cleared, and never another for this kind. With the balancer's name it tells incidents apart.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Panic { .. } => "panic",
            Self::CapReached { .. } => "cap_reached",
            Self::FloorReached { .. } => "floor_reached",
            Self::EjectionSuppressed { .. } => "ejection_suppressed",
            Self::EverybodySlow { .. } => "everybody_slow",
            Self::UpdateRefused { .. } => "update_refused",
            Self::ConfigRefused { .. } => "config_refused",
            Self::SetUnchanged { .. } => "set_unchanged",
            Self::ShareRaised { .. } => "share_raised",
            Self::Skew { .. } => "skew",
            Self::SourceFailed { .. } => "source_failed",
        }
    }

    /// Whether both are alarms about the same, with whatever figures.
    pub(crate) fn is_kind_of(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}

impl fmt::Display for Alarm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, raised, lasting, .. } = self;
        let lasting = Duration::from_millis(u64::try_from(lasting.as_millis()).unwrap_or(u64::MAX));
        match raised {
            true if lasting.is_zero() => write!(f, "alarm: {kind}"),
            true => write!(f, "alarm for {lasting:?}: {kind}"),
            false => write!(f, "alarm over after {lasting:?}: {kind}"),
        }
    }
}

impl fmt::Display for AlarmKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Panic { tier, admitted, of } => {
                f.write_str("panic")?;
                if *tier > 0 {
                    write!(f, " in tier {tier}")?;
                }
                write!(f, ", {admitted} of {of} endpoints are well")
            }
            Self::CapReached { out, of, most } => write!(
                f,
                "the cap on ejections is reached, {out} of {of} endpoints are out and at most {most} \
                 may be ejected"
            ),
            Self::FloorReached { left, least } => write!(
                f,
                "the floor of ejections is reached, {left} endpoints are left and {least} have to \
                 stay"
            ),
            Self::EjectionSuppressed { endpoint, rule, decision } => {
                write!(f, "`{endpoint}` should be ejected ({rule}) and stays: ")?;
                match decision {
                    Decision::Cap { most } => write!(f, "at most {most} may be out"),
                    Decision::Floor { least } => write!(f, "{least} have to stay"),
                    Decision::DryRun => f.write_str("dry run"),
                    Decision::Chance | Decision::Ejected { .. } => f.write_str("left to chance"),
                }
            }
            Self::EverybodySlow { latency, usual } => {
                write!(f, "everybody is slow, half of the answers take {latency:?} or more and ")?;
                write!(f, "usually {usual:?}")
            }
            Self::UpdateRefused { reason } => write!(f, "endpoints were refused: {reason}"),
            // It says itself that they were.
            Self::ConfigRefused { reason } => f.write_str(reason),
            Self::SetUnchanged { age } => write!(f, "no set of endpoints has come for {age:?}"),
            Self::ShareRaised { endpoint, share, fair } => write!(
                f,
                "`{endpoint}` is meant to receive {:.0} % (fair: {:.0} %)",
                100.0 * share,
                100.0 * fair
            ),
            Self::Skew { skew } => skew.fmt(f),
            Self::SourceFailed { source, reason } => write!(f, "{source} failed: {reason}"),
        }
    }
}

#[cfg(feature = "config")]
mod serial {
    use std::fmt::Display;

    use serde::Serializer;

    use crate::event::Decision;

    pub(super) fn words<S: Serializer>(words: &impl Display, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(words)
    }

    pub(super) fn decision<S: Serializer>(decision: &Decision, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(match decision {
            Decision::Ejected { .. } => "ejected",
            Decision::Cap { .. } => "cap",
            Decision::Floor { .. } => "floor",
            Decision::DryRun => "dry_run",
            Decision::Chance => "chance",
        })
    }
}
