//! Requests that are spread otherwise than intended.

use std::fmt;

use crate::event::words::Part;
use crate::units::EndpointId;

/// An endpoint gets another part of the requests than it should, and why.
///
/// Shares are parts, from 0 to 1. Found by the audit; `docs::audit` says how, and what to do about
/// each cause.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "config", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Skew {
    /// The endpoint.
    pub endpoint: EndpointId,
    /// What it was found by.
    pub rule: SkewRule,
    /// The part it got lately: of the requests, or of the draws or keys where the rule goes by these.
    pub realised: f64,
    /// The part it should get, as things stand; by [`SkewRule::Concentration`] the most that one
    /// endpoint may have.
    pub intended: f64,
    /// How many requests of the window it was found in all endpoints had together; an estimate where
    /// older ones have faded.
    pub requests: u64,
    /// Why, as far as that is known.
    pub cause: SkewCause,
}

/// What a skew is found by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "config", derive(serde::Serialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum SkewRule {
    /// The requests of its schedule, against its part: `round_robin`, `random`, and strategies of
    /// your own that do not [look at load](crate::strategy::Strategy::looks_at_load).
    Share,
    /// How often it is drawn, against its part of the weights: `least_request` and `peak_ewma`.
    Draw,
    /// The keys that it serves, each counted once, against its part of the key space: `ring_hash`
    /// and `maglev`.
    KeySpace,
    /// Whatever is intended, one endpoint has too much of all requests:
    /// [`concentration_percent`](crate::config::AuditConfig::concentration_percent).
    Concentration,
}

/// Why requests are spread otherwise than intended.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "config", derive(serde::Serialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum SkewCause {
    /// The weights, or the shares that a strategy of your own gives, intend it.
    Weights,
    /// One key makes up this part of all requests, and belongs to the endpoint.
    HotKey {
        /// The part.
        share: f64,
    },
    /// Sessions that stay with the endpoint make up this part of all requests.
    Sessions {
        /// The part.
        share: f64,
    },
    /// So many of its peers are ejected, unhealthy or on probation.
    OthersOut {
        /// How many are out.
        out: usize,
        /// How many there are, with it.
        of: usize,
    },
    /// This part of all requests belongs to others, who have as many in flight as they may.
    OthersSaturated {
        /// The part.
        share: f64,
    },
    /// This part of all requests excluded endpoints, as attempts after the first do, or looked for
    /// another one.
    Exclusions {
        /// The part.
        share: f64,
    },
    /// This endpoint is chosen and hardly ever ready, so that others serve its requests.
    NeverReady {
        /// The endpoint.
        endpoint: EndpointId,
    },
    /// The strategy goes by load, and the others are slower or have more to do.
    Load,
    /// The hashes of the keys are not spread evenly.
    UnevenKeys,
    /// None of these.
    Unknown,
}

impl fmt::Display for Skew {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { endpoint, rule, realised, intended, requests, cause } = self;
        let (realised, intended) = (Part(*realised), Part(*intended));
        match rule {
            SkewRule::Share => {
                write!(
                    f,
                    "`{endpoint}` receives {realised} of the requests instead of {intended}"
                )?;
            }
            SkewRule::Draw => {
                write!(f, "`{endpoint}` is {realised} of what is drawn instead of {intended}")?;
            }
            SkewRule::KeySpace => {
                write!(f, "`{endpoint}` serves {realised} of the keys instead of {intended}")?;
            }
            SkewRule::Concentration => {
                write!(
                    f,
                    "`{endpoint}` receives {realised} of all requests, more than {intended}"
                )?;
            }
        }
        write!(f, " ({requests} looked at): {cause}")
    }
}

impl fmt::Display for SkewRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Share => "share",
            Self::Draw => "draw",
            Self::KeySpace => "key space",
            Self::Concentration => "concentration",
        })
    }
}

impl fmt::Display for SkewCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Weights => f.write_str("its weight intends it"),
            Self::HotKey { share } => {
                write!(f, "one key of its own makes up {} of all requests", Part(*share))
            }
            Self::Sessions { share } => {
                write!(f, "sessions that stay where they are make up {}", Part(*share))
            }
            Self::OthersOut { out, of } => write!(f, "{out} of {of} endpoints are out"),
            Self::OthersSaturated { share } => write!(
                f,
                "the others have as much in flight as they may, and {} of all requests go elsewhere",
                Part(*share)
            ),
            Self::Exclusions { share } => write!(
                f,
                "{} of all requests exclude endpoints, as attempts after the first do",
                Part(*share)
            ),
            Self::NeverReady { endpoint } => {
                write!(f, "`{endpoint}` is chosen and not ready, so that others serve its requests")
            }
            Self::Load => f.write_str("the strategy goes by load, and the others are slower"),
            Self::UnevenKeys => f.write_str("the hashes of the keys are not spread evenly"),
            Self::Unknown => f.write_str("for no cause that is known here"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_name_the_figures_and_the_cause() {
        let skew = |rule, cause| Skew {
            endpoint: "a".into(),
            rule,
            realised: 0.714,
            intended: 0.2,
            requests: 1_204,
            cause,
        };
        let words = [
            (
                skew(SkewRule::Share, SkewCause::NeverReady { endpoint: "b".into() }),
                "`a` receives 71.4 % of the requests instead of 20 % (1204 looked at): `b` is chosen \
                 and not ready, so that others serve its requests",
            ),
            (
                skew(SkewRule::Concentration, SkewCause::OthersOut { out: 4, of: 5 }),
                "`a` receives 71.4 % of all requests, more than 20 % (1204 looked at): 4 of 5 \
                 endpoints are out",
            ),
            (
                skew(SkewRule::Draw, SkewCause::Unknown),
                "`a` is 71.4 % of what is drawn instead of 20 % (1204 looked at): for no cause that \
                 is known here",
            ),
            (
                skew(SkewRule::KeySpace, SkewCause::UnevenKeys),
                "`a` serves 71.4 % of the keys instead of 20 % (1204 looked at): the hashes of the \
                 keys are not spread evenly",
            ),
        ];
        for (skew, expected) in words {
            assert_eq!(skew.to_string(), expected);
        }
        let hot = SkewCause::HotKey { share: 0.5 };
        assert_eq!(hot.to_string(), "one key of its own makes up 50 % of all requests");
    }
}
