//! What can be wrong with a server.

use std::time::Duration;

use serde::Deserialize;

use crate::error::Problem;
use crate::sim::span::{self, Time, time};

/// What is wrong with a server, from the moment on at which a change says so.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Fault {
    /// It works this many times as long on each request. Checks are answered, as much later.
    BrownOut {
        /// 1 is as fast as ever.
        factor: f64,
    },
    /// A grey failure: slow, and a part of the answers are errors. Checks are answered well.
    Grey {
        /// How many times as long it works on each request.
        factor: f64,
        /// How many of a hundred answers are errors, from 0 to 100.
        error_percent: f64,
    },
    /// It accepts requests and never answers, nor does it answer checks.
    BlackHole,
    /// Nobody listens: connections are refused, those of checks too.
    Refused,
    /// It answers every request at once, with an error, while its checks are answered well: what a
    /// server does that has lost its database and not its health page.
    FastFailure {
        /// How soon.
        #[serde(with = "span::text")]
        after: Duration,
    },
    /// Another fault that comes and goes.
    Flapping {
        /// The fault.
        fault: Box<Self>,
        /// For how long it is there.
        #[serde(with = "span::text")]
        on: Duration,
        /// For how long it is not.
        #[serde(with = "span::text")]
        off: Duration,
    },
}

impl Fault {
    /// It works `factor` times as long on each request.
    #[must_use]
    pub const fn brown_out(factor: f64) -> Self {
        Self::BrownOut { factor }
    }

    /// It works `factor` times as long, and `error_percent` of a hundred answers are errors.
    #[must_use]
    pub const fn grey(factor: f64, error_percent: f64) -> Self {
        Self::Grey { factor, error_percent }
    }

    /// It fails every request after a millisecond.
    #[must_use]
    pub const fn fast_failure() -> Self {
        Self::FastFailure { after: Duration::from_millis(1) }
    }

    /// The same fault, there for a while, then not, and so on.
    #[must_use]
    pub fn flapping(self, on: Duration, off: Duration) -> Self {
        Self::Flapping { fault: Box::new(self), on, off }
    }

    /// What is wrong this long after it began, if something is.
    pub(super) fn after(&self, age: Time) -> Option<&Self> {
        match self {
            Self::Flapping { fault, on, off } => {
                let (on, off) = (time(*on), time(*off));
                let phase = age % on.saturating_add(off).max(1);
                if phase < on { fault.after(phase) } else { None }
            }
            fault => Some(fault),
        }
    }

    pub(super) fn check(&self, path: &str, problems: &mut Vec<Problem>) {
        let mut within = |name: &str, value: f64, most: f64| {
            if !(0.0..=most).contains(&value) {
                let message = format!("{value} is out of range; 0 to {most} is needed");
                problems.push(Problem::error(format!("{path}.{name}"), message));
            }
        };
        match self {
            Self::BrownOut { factor } => within("brown_out.factor", *factor, 1e6),
            Self::Grey { factor, error_percent } => {
                within("grey.factor", *factor, 1e6);
                within("grey.error_percent", *error_percent, 100.0);
            }
            Self::Flapping { fault, .. } => {
                fault.check(&format!("{path}.flapping.fault"), problems);
            }
            Self::BlackHole | Self::Refused | Self::FastFailure { .. } => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_that_flaps_comes_and_goes() {
        let fault = Fault::Refused.flapping(Duration::from_nanos(3), Duration::from_nanos(2));
        let there: Vec<_> = (0..10).map(|age| fault.after(age).is_some()).collect();
        let round = [true, true, true, false, false];
        assert_eq!(there, [round, round].concat());
        assert_eq!(Fault::Refused.flapping(Duration::ZERO, Duration::ZERO).after(3), None);
        assert_eq!(Fault::BlackHole.after(u64::MAX), Some(&Fault::BlackHole));
    }
}
