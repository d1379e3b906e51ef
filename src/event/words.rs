//! A verdict in words.

use std::fmt;
use std::time::Duration;

use crate::event::{RollbackReason, Verdict};

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Accepted { version, requests } => {
                write!(f, "version {version} stays after {requests} requests")
            }
            Self::Unproven { version, requests, needed } => write!(
                f,
                "version {version} stays unproven: {requests} requests were answered, and a \
                 judgement needs {needed}"
            ),
            Self::RolledBack { version, to, reason } => {
                write!(f, "version {version} was rolled back to {to}: {reason}")
            }
            Self::NotRolledBack { version, reason, error } => {
                write!(f, "version {version} could not be rolled back ({error}): {reason}")
            }
            Self::Superseded { version, by } => {
                write!(f, "version {version} was superseded by {by} before it was judged")
            }
            Self::Unchanged { version } => write!(f, "version {version} was served already"),
            Self::Gone { version } => {
                write!(f, "the balancer went away before version {version} was judged")
            }
        }
    }
}

impl fmt::Display for RollbackReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FailureRate { before, after, allowed_rise } => {
                write!(f, "failure rate {}", Part(*after))?;
                match before {
                    Some(before) => write!(
                        f,
                        " against {} before; at most {} points more are allowed",
                        Part(*before),
                        Points(*allowed_rise)
                    ),
                    None => {
                        let most = Part(*allowed_rise);
                        write!(f, " with nothing to compare it to; at most {most} is allowed")
                    }
                }
            }
            Self::Latency { quantile, before, after, allowed_factor } => write!(
                f,
                "latency {} against {} before, at quantile {quantile}; at most {allowed_factor} \
                 times as long is allowed",
                Span(*after),
                Span(*before)
            ),
            Self::Share { endpoint, before, after, allowed } => {
                write!(f, "`{endpoint}` received {} of the requests", Part(*after))?;
                if let Some(before) = before {
                    write!(f, " against {} for the largest share before", Part(*before))?;
                }
                write!(f, "; at most {} is allowed", Part(*allowed))
            }
            Self::Lost { lost, of, allowed } => {
                write!(f, "{lost} of {of} endpoints were lost; at most {allowed} may be")
            }
            Self::Unanswered { before, after, allowed_rise } => write!(
                f,
                "{} of the requests unanswered against {} before; at most {} points more are \
                 allowed",
                Part(*after),
                Part(*before),
                Points(*allowed_rise)
            ),
            Self::Dropped => f.write_str("nobody waited for the verdict"),
        }
    }
}

/// A part of 1 as a percentage with one decimal.
pub(super) struct Part(pub(super) f64);

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} %", Points(self.0))
    }
}

/// A part of 1 in percentage points, with one decimal where there is one.
struct Points(f64);

impl fmt::Display for Points {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", (1_000.0 * self.0).round() / 10.0)
    }
}

/// A time with three digits, as far as it has them.
struct Span(Duration);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = self.0.as_nanos() as f64;
        let (unit, name) = match nanos {
            nanos if nanos >= 1e9 => (1e9, "s"),
            nanos if nanos >= 1e6 => (1e6, "ms"),
            _ => (1e3, "µs"),
        };
        let value = nanos / unit;
        let decimals = if value < 10.0 { 2 } else { usize::from(value < 100.0) };
        write!(f, "{value:.decimals$} {name}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Version;

    #[test]
    fn the_words_name_the_figures() {
        let failures =
            |before| RollbackReason::FailureRate { before, after: 0.2341, allowed_rise: 0.05 };
        let share = |before| RollbackReason::Share {
            endpoint: "a".into(),
            before,
            after: 0.91,
            allowed: 0.6,
        };
        let words = [
            (
                failures(Some(0.004)),
                "failure rate 23.4 % against 0.4 % before; at most 5 points more are allowed",
            ),
            (
                failures(None),
                "failure rate 23.4 % with nothing to compare it to; at most 5 % is allowed",
            ),
            (
                RollbackReason::Latency {
                    quantile: 0.9,
                    before: Duration::from_micros(950),
                    after: Duration::from_millis(1_234),
                    allowed_factor: 2.0,
                },
                "latency 1.23 s against 950 µs before, at quantile 0.9; at most 2 times as long \
                 is allowed",
            ),
            (
                share(Some(0.26)),
                "`a` received 91 % of the requests against 26 % for the largest share before; at \
                 most 60 % is allowed",
            ),
            (share(None), "`a` received 91 % of the requests; at most 60 % is allowed"),
            (
                RollbackReason::Lost { lost: 3, of: 8, allowed: 2 },
                "3 of 8 endpoints were lost; at most 2 may be",
            ),
            (
                RollbackReason::Unanswered { before: 0.0, after: 0.998, allowed_rise: 0.5 },
                "99.8 % of the requests unanswered against 0 % before; at most 50 points more are \
                 allowed",
            ),
            (RollbackReason::Dropped, "nobody waited for the verdict"),
        ];
        for (reason, expected) in words {
            assert_eq!(reason.to_string(), expected);
        }
        let unproven = Verdict::Unproven { version: Version::FIRST, requests: 7, needed: 50 };
        assert_eq!(
            unproven.to_string(),
            "version 1.1 stays unproven: 7 requests were answered, and a judgement needs 50"
        );
    }
}
