//! What is decided about an endpoint by the answers it gives.

use std::fmt;
use std::sync::Arc;

use tokio::time::Instant;

use crate::event::author::attributed;
use crate::units::EndpointId;

/// Something spoke against an endpoint, and this is what came of it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Ejection {
    /// The endpoint.
    pub endpoint: EndpointId,
    /// What spoke against it.
    pub rule: Rule,
    /// What was observed, in the rule's [unit](Rule::unit).
    pub observed: f64,
    /// What it was held against, in the same unit.
    pub threshold: f64,
    /// Whether it was taken out, and if not, why.
    pub decision: Decision,
    /// Who took it out, if it was an operator who said so.
    pub by: Option<String>,
    /// Why, if the operator said so.
    pub because: Option<String>,
}

/// What can speak against an endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Rule {
    /// `outlier.consecutive_failures`: failures of any kind in a row.
    ConsecutiveFailures,
    /// `outlier.consecutive_gateway_failures`: failures as a gateway in a row.
    ConsecutiveGatewayFailures,
    /// `outlier.consecutive_local_failures`: failures before any answer in a row.
    ConsecutiveLocalFailures,
    /// `outlier.success_rate`: fewer good answers than its peers.
    SuccessRate,
    /// `outlier.failure_percentage`: too many failures, whatever its peers do.
    FailurePercentage,
    /// `outlier.latency`: good answers, several times slower than its peers.
    Latency,
    /// A detector of your own, by the name it was registered under.
    Custom(Arc<str>),
    /// The request that was to prove it well again failed.
    Probe,
    /// An operator, by [`Balancer::eject`](crate::Balancer::eject).
    Operator,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Decision {
    /// It is out.
    Ejected {
        /// Until when. Then it is probed.
        until: Instant,
        /// Ejections that no good interval has made up for, this one included: the factor of the
        /// time.
        times: u32,
    },
    /// It stays, because as many are out as `outlier.max_ejected_percent` allows.
    Cap {
        /// Endpoints that may be out at once.
        most: usize,
    },
    /// It stays, because `outlier.min_available` endpoints have to.
    Floor {
        /// Endpoints that have to stay.
        least: usize,
    },
    /// It stays, because `outlier.dry_run` only tells.
    DryRun,
    /// It stays by chance: the rule's `enforce_percent` is below 100.
    Chance,
}

/// A step on the way back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Recovery {
    /// Its time is over: a single request at a time is to prove it well.
    Probing,
    /// It has proved itself; its share grows.
    Warming,
    /// Its share is whole again.
    Recovered,
    /// It is back ahead of its time, since the set or the cap has become smaller; its share grows.
    MadeRoom,
    /// An operator pardoned it.
    Pardoned,
    /// Detection was switched off.
    SwitchedOff,
    /// Its ejection is over, by whatever; what keeps it out now are its active checks.
    AwaitsChecks,
    /// Its active checks succeed. If nothing else keeps it out it takes part again: with a growing
    /// share if they had failed, as any newcomer if it had only just joined. An ejection stays one.
    Healthy,
    /// Active checks were switched off, or nobody makes them any more. What they had found holds
    /// no longer, and it is as if they succeeded.
    Unchecked,
}

impl Ejection {
    /// One that nobody ordered.
    pub(crate) fn judged(
        endpoint: EndpointId,
        rule: Rule,
        observed: f64,
        threshold: f64,
        decision: Decision,
    ) -> Self {
        Self { endpoint, rule, observed, threshold, decision, by: None, because: None }
    }

    /// Whether it was taken out.
    #[must_use]
    pub fn enforced(&self) -> bool {
        matches!(self.decision, Decision::Ejected { .. })
    }
}

impl Rule {
    /// It in words, with the figures.
    pub(crate) fn against(&self, observed: f64, threshold: f64) -> Against<'_> {
        Against { rule: self, observed, threshold }
    }

    /// What the rule's figures are: `failures`, `%` or `ms`; a detector of your own has none.
    #[must_use]
    pub fn unit(&self) -> &'static str {
        match self {
            Self::ConsecutiveFailures
            | Self::ConsecutiveGatewayFailures
            | Self::ConsecutiveLocalFailures
            | Self::Probe => "failures",
            Self::SuccessRate | Self::FailurePercentage => "%",
            Self::Latency => "ms",
            Self::Custom(_) | Self::Operator => "",
        }
    }
}

impl fmt::Display for Ejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { endpoint, rule, observed, threshold, decision, by, because } = self;
        match decision {
            Decision::Ejected { .. } => write!(f, "`{endpoint}` ejected")?,
            _ => write!(f, "`{endpoint}` not ejected")?,
        }
        match rule {
            Rule::Operator if by.is_none() => f.write_str(" by an operator")?,
            Rule::Operator => {}
            rule => write!(f, ": {}", rule.against(*observed, *threshold))?,
        }
        attributed(f, by.as_deref(), because.as_deref())?;
        match decision {
            Decision::Ejected { times, .. } if *times > 1 => write!(f, ", {times} times in a row"),
            Decision::Ejected { .. } => Ok(()),
            Decision::Cap { most } => write!(f, ": at most {most} may be out"),
            Decision::Floor { least } => write!(f, ": {least} have to stay"),
            Decision::DryRun => f.write_str(": dry run"),
            Decision::Chance => f.write_str(": left to chance"),
        }
    }
}

/// What speaks against an endpoint, with the figures.
pub(crate) struct Against<'a> {
    rule: &'a Rule,
    observed: f64,
    threshold: f64,
}

impl fmt::Display for Against<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rule, observed, threshold } = self;
        let (observed, threshold) = (Figure(*observed), Figure(*threshold));
        match rule {
            Rule::Probe => f.write_str("its probe failed"),
            Rule::ConsecutiveFailures => write!(f, "{observed} failures in a row"),
            Rule::ConsecutiveGatewayFailures => {
                write!(f, "{observed} failures as a gateway in a row")
            }
            Rule::ConsecutiveLocalFailures => {
                write!(f, "{observed} failures before any answer in a row")
            }
            rule => {
                let unit = rule.unit();
                let space = if unit.is_empty() { "" } else { " " };
                write!(f, "{rule} {observed}{space}{unit}, the limit is {threshold}{space}{unit}")
            }
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ConsecutiveFailures => "consecutive failures",
            Self::ConsecutiveGatewayFailures => "consecutive gateway failures",
            Self::ConsecutiveLocalFailures => "consecutive local failures",
            Self::SuccessRate => "success rate",
            Self::FailurePercentage => "failure percentage",
            Self::Latency => "latency",
            Self::Custom(name) => name,
            Self::Probe => "probe",
            Self::Operator => "operator",
        })
    }
}

impl fmt::Display for Recovery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Probing => "is probed",
            Self::Warming => "has proved itself and takes a growing share",
            Self::Recovered => "takes its full share again",
            Self::MadeRoom => "is back ahead of time, for fewer may be out",
            Self::Pardoned => "was pardoned",
            Self::SwitchedOff => "is back, for nothing is detected any more",
            Self::AwaitsChecks => "is ejected no more, but kept out by its checks",
            Self::Healthy => "passes its checks",
            Self::Unchecked => "counts as healthy, for nothing is checked any more",
        })
    }
}

/// A figure with a decimal where it has one.
struct Figure(f64);

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.fract() == 0.0 { write!(f, "{:.0}", self.0) } else { write!(f, "{:.1}", self.0) }
    }
}
