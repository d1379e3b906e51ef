//! Where requests come from.

use std::time::Duration;

use serde::Deserialize;

use crate::error::Problem;
use crate::sim::ServiceTime;
use crate::sim::span;

/// A stream of requests.
///
/// ```
/// use std::time::Duration;
/// use evenkeel::sim::{Arrivals, Retries};
///
/// // A rush: from 100 to 900 requests a second within ten seconds, by users who try three times.
/// let seconds = Duration::from_secs;
/// let rush = Arrivals::ramp([(seconds(60), 100.0), (seconds(70), 900.0)])
///     .retries(Retries::times(2).after(seconds(1)))
///     .patience(seconds(8));
/// ```
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Arrivals {
    /// How they come.
    pub pattern: Pattern,
    /// The client that they come to. Default: each request to a random one.
    #[serde(default)]
    pub client: Option<String>,
    /// When they begin. Default: at the start.
    #[serde(default, with = "span::text")]
    pub from: Duration,
    /// When they end. Default: with the run.
    #[serde(default, with = "span::text_or_none")]
    pub until: Option<Duration>,
    /// What their keys are. Default: none.
    #[serde(default)]
    pub keys: Option<Keys>,
    /// What callers do after a failure. Default: nothing.
    #[serde(default)]
    pub retries: Option<Retries>,
    /// How long callers wait, all attempts together; then they go away, and have failed. Default: for
    /// ever.
    #[serde(default, with = "span::text_or_none")]
    pub patience: Option<Duration>,
}

/// How requests come.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Pattern {
    /// Open loop: they come whether those before were answered or not.
    Open {
        /// Requests a second, as a line through these points; before the first and after the last it
        /// is level.
        rate: Vec<Rate>,
        /// How they are spaced.
        #[serde(default)]
        spacing: Spacing,
        /// How many come at once, at least 1; the rate counts each of them. Default: 1.
        #[serde(default = "one")]
        burst: u32,
    },
    /// Open loop, as recorded: one at each of these times.
    Trace(#[serde(with = "span::texts")] Vec<Duration>),
    /// Closed loop: each user sends the next request when he has had his answer and has thought for
    /// a while.
    Closed {
        /// How many users.
        users: u32,
        /// How long they think.
        think: ServiceTime,
    },
}

/// A point of the line that says how many requests come when.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Rate {
    /// When.
    #[serde(with = "span::text")]
    pub at: Duration,
    /// Requests a second, at least 0.
    pub per_second: f64,
}

/// How requests of an open loop are spaced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Spacing {
    /// As chance has it: a Poisson process.
    #[default]
    Poisson,
    /// Evenly.
    Even,
}

/// What keys requests have.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Keys {
    /// How many different ones, at least 1.
    pub count: u64,
    /// How many of a hundred requests have the first key besides, from 0 to 100. Default: 0.
    #[serde(default)]
    pub hot_percent: f64,
}

/// What callers do after a failure.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Retries {
    /// How many times they try again.
    pub times: u32,
    /// How long they wait before. Default: not at all, but for a millisecond where nobody was there.
    #[serde(default, with = "span::text")]
    pub after: Duration,
    /// Whether they ask for another endpoint than those they have tried. Default: no.
    #[serde(default)]
    pub elsewhere: bool,
}

const fn one() -> u32 {
    1
}

impl Keys {
    /// So many different keys, each as frequent as the others.
    #[must_use]
    pub const fn even(count: u64) -> Self {
        Self { count, hot_percent: 0.0 }
    }

    /// Makes one of them the key of so many of a hundred requests.
    #[must_use]
    pub const fn hot(mut self, percent: f64) -> Self {
        self.hot_percent = percent;
        self
    }
}

impl Retries {
    /// So many times, at once, wherever the balancer sends them.
    #[must_use]
    pub const fn times(times: u32) -> Self {
        Self { times, after: Duration::ZERO, elsewhere: false }
    }

    /// Sets how long they wait before.
    #[must_use]
    pub const fn after(mut self, wait: Duration) -> Self {
        self.after = wait;
        self
    }

    /// Makes them ask for another endpoint than those they have tried.
    #[must_use]
    pub const fn elsewhere(mut self) -> Self {
        self.elsewhere = true;
        self
    }
}

impl Arrivals {
    /// Requests of this pattern.
    #[must_use]
    pub const fn new(pattern: Pattern) -> Self {
        Self {
            pattern,
            client: None,
            from: Duration::ZERO,
            until: None,
            keys: None,
            retries: None,
            patience: None,
        }
    }

    /// Open loop, a Poisson process of so many a second.
    #[must_use]
    pub fn poisson(per_second: f64) -> Self {
        Self::ramp([(Duration::ZERO, per_second)])
    }

    /// Open loop, evenly spaced.
    #[must_use]
    pub fn even(per_second: f64) -> Self {
        let rate = vec![Rate { at: Duration::ZERO, per_second }];
        Self::new(Pattern::Open { rate, spacing: Spacing::Even, burst: 1 })
    }

    /// Open loop, a Poisson process whose rate follows a line through these points.
    #[must_use]
    pub fn ramp(points: impl IntoIterator<Item = (Duration, f64)>) -> Self {
        let rate = points.into_iter().map(|(at, per_second)| Rate { at, per_second }).collect();
        Self::new(Pattern::Open { rate, spacing: Spacing::Poisson, burst: 1 })
    }

    /// Open loop: `burst` requests at once, as often as makes `per_second` of them.
    #[must_use]
    pub fn bursts(per_second: f64, burst: u32) -> Self {
        let rate = vec![Rate { at: Duration::ZERO, per_second }];
        Self::new(Pattern::Open { rate, spacing: Spacing::Poisson, burst })
    }

    /// Open loop, as recorded.
    #[must_use]
    pub fn trace(times: impl IntoIterator<Item = Duration>) -> Self {
        Self::new(Pattern::Trace(times.into_iter().collect()))
    }

    /// Closed loop.
    #[must_use]
    pub const fn closed(users: u32, think: ServiceTime) -> Self {
        Self::new(Pattern::Closed { users, think })
    }

    /// Sends them to one client.
    #[must_use]
    pub fn to(mut self, client: impl Into<String>) -> Self {
        self.client = Some(client.into());
        self
    }

    /// Sets when they begin and end.
    #[must_use]
    pub fn between(mut self, from: Duration, until: Duration) -> Self {
        (self.from, self.until) = (from, Some(until));
        self
    }

    /// Gives them keys.
    #[must_use]
    pub fn keys(mut self, keys: Keys) -> Self {
        self.keys = Some(keys);
        self
    }

    /// Says what callers do after a failure.
    #[must_use]
    pub fn retries(mut self, retries: Retries) -> Self {
        self.retries = Some(retries);
        self
    }

    /// Sets how long callers wait.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = Some(patience);
        self
    }

    pub(super) fn check(&self, path: &str, problems: &mut Vec<Problem>) {
        let mut wrong = |key: &str, message: String| {
            problems.push(Problem::error(format!("{path}.{key}"), message));
        };
        if let Some(Keys { count, hot_percent }) = self.keys {
            if count == 0 {
                wrong("keys.count", String::from("0 is out of range; at least 1 is needed"));
            }
            if !(0.0..=100.0).contains(&hot_percent) {
                let message = format!("{hot_percent} is out of range; 0 to 100 is needed");
                wrong("keys.hot_percent", message);
            }
        }
        match &self.pattern {
            Pattern::Open { rate, burst, .. } => {
                if rate.is_empty() {
                    wrong("pattern.open.rate", String::from("at least one point is needed"));
                }
                if *burst == 0 {
                    let message = "0 is out of range; at least 1 is needed";
                    wrong("pattern.open.burst", String::from(message));
                }
                for (at, point) in rate.iter().enumerate() {
                    // Up to one in a microsecond: more would be a mistake, and never end.
                    if !(0.0..=1e6).contains(&point.per_second) {
                        let message =
                            format!("{} is out of range; 0 to 1000000 is needed", point.per_second);
                        wrong(&format!("pattern.open.rate[{at}].per_second"), message);
                    }
                }
                if !rate.is_sorted_by_key(|point| point.at) {
                    let message = "the points are needed in the order of their time";
                    wrong("pattern.open.rate", String::from(message));
                }
            }
            Pattern::Trace(times) => {
                if !times.is_sorted() {
                    let message = "the times are needed in their order";
                    wrong("pattern.trace", String::from(message));
                }
            }
            Pattern::Closed { think, .. } => {
                think.check(&format!("{path}.pattern.closed.think"), problems);
            }
        }
    }
}
