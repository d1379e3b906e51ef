//! What a run has come to.

use std::time::Duration;

use serde::Serialize;

use crate::classify::{FailureKind, Outcome};
use crate::sim::expect::{Expect, Unmet};
use crate::sim::span;

/// Everything that is known of a run. Plain, and serialisable; times are seconds there.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Run {
    /// What the scenario is called.
    pub scenario: String,
    /// What its random choices followed from.
    pub seed: u64,
    /// How much virtual time passed.
    #[serde(with = "span::seconds")]
    pub lasted: Duration,
    /// The length of an interval.
    #[serde(with = "span::seconds")]
    pub interval: Duration,
    /// When the trouble began, if there was any.
    #[serde(with = "span::seconds_or_none")]
    pub trouble_at: Option<Duration>,
    /// When it was detected first, counted from the start.
    #[serde(with = "span::seconds_or_none")]
    pub detected_at: Option<Duration>,
    /// By which kind of event.
    pub detected_by: Option<String>,
    /// All requests together.
    pub totals: Totals,
    /// Each server, in the order of the scenario.
    pub servers: Vec<ServerRun>,
    /// Interval by interval, from the start.
    pub intervals: Vec<Interval>,
    /// What happened, in the order of time.
    pub happenings: Vec<Happening>,
    /// A number that follows from what became of every request: two runs of the same trace have the
    /// same.
    pub trace_hash: u64,
    /// What became of every request, where the scenario asks for it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub trace: Vec<Traced>,
}

/// Requests, as their callers saw them. A request may be sent several times.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Totals {
    /// Requests that ended.
    pub requests: u64,
    /// Those that got a good answer.
    pub successes: u64,
    /// Those that got none, after all attempts.
    pub failures: u64,
    /// Requests that had not ended when the run did.
    pub unfinished: u64,
    /// How often a request was sent to a server.
    pub attempts: u64,
    /// How often it was not for the first time.
    pub retries: u64,
    /// How often a balancer had no endpoint for a request.
    pub refused: u64,
    /// Attempts that failed, by what became of them.
    pub failed_attempts: FailedAttempts,
    /// The mean time from a request to its good answer, all attempts together.
    #[serde(with = "span::seconds")]
    pub mean_latency: Duration,
    /// The times within which so many of a hundred good answers came.
    pub latency: Quantiles,
}

/// Attempts that failed, by what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct FailedAttempts {
    /// Nobody listened, or the connection broke.
    pub no_connection: u64,
    /// Answered by an error.
    pub errors: u64,
    /// Refused by a server whose queue was full.
    pub turned_away: u64,
    /// Not answered within `limits.attempt_timeout`.
    pub timed_out: u64,
    /// The caller went away.
    pub given_up: u64,
}

/// Times within which so many of a hundred good answers came; zero where there were none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Quantiles {
    /// Half of them.
    #[serde(with = "span::seconds")]
    pub p50: Duration,
    /// 90 of a hundred.
    #[serde(with = "span::seconds")]
    pub p90: Duration,
    /// 99 of a hundred.
    #[serde(with = "span::seconds")]
    pub p99: Duration,
    /// All of them.
    #[serde(with = "span::seconds")]
    pub max: Duration,
}

/// A server, over the whole run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ServerRun {
    /// What it is called.
    pub name: String,
    /// How often a request was sent to it.
    pub attempts: u64,
    /// How many of them got a good answer.
    pub successes: u64,
    /// How often it crashed.
    pub crashes: u64,
    /// The largest number of requests it had in hand.
    pub most_in_hand: u32,
}

/// A stretch of the run.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Interval {
    /// When it began.
    #[serde(with = "span::seconds")]
    pub at: Duration,
    /// Requests that ended in it.
    pub requests: u64,
    /// Those that got no good answer, after all attempts.
    pub failures: u64,
    /// How often a balancer had no endpoint for a request.
    pub refused: u64,
    /// How often a request was sent again.
    pub retries: u64,
    /// How often a request was sent to each server, in the order of the scenario.
    pub sent: Vec<u64>,
    /// Requests that each server had in hand at the end: those that wait and those worked on.
    pub in_hand: Vec<u32>,
    /// The times within which good answers came.
    pub latency: Quantiles,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Happening {
    /// When. What a balancer's own tasks do has the grain of their timers, a millisecond.
    #[serde(with = "span::seconds")]
    pub at: Duration,
    /// The process whose balancer said so, if one did.
    pub client: Option<String>,
    /// What kind of thing it is.
    ///
    /// An [`Event`](crate::Event) of a balancer is called as the enum calls it, in small letters:
    /// `share_raised`, `ejection`, `panic`; the verdict that takes a change back is `rolled_back`, any
    /// other is `judged`. What the simulation does itself is `change`, `change_refused`, `crash`,
    /// `restart`, `noticed` or `remark`.
    pub kind: String,
    /// The endpoint it is about, if it is about one.
    pub endpoint: Option<String>,
    /// In words.
    pub text: String,
}

/// What became of one request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Traced {
    /// When it came.
    #[serde(with = "span::seconds")]
    pub at: Duration,
    /// How long it took.
    #[serde(with = "span::seconds")]
    pub took: Duration,
    /// The process it came to, by its place among all.
    pub process: u32,
    /// The server that had its last attempt, by its place in the scenario; none if there was none.
    pub server: Option<u32>,
    /// How often it was sent.
    pub attempts: u32,
    /// How it ended.
    pub answer: Answer,
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Answer {
    /// By a good answer.
    Good,
    /// By an error.
    Error,
    /// By an error of a server whose queue was full.
    Unavailable,
    /// By the word of such a server that it has too much.
    Overloaded,
    /// Nobody listened, or the connection broke.
    NoConnection,
    /// By `limits.attempt_timeout`.
    TimedOut,
    /// The caller went away.
    GivenUp,
    /// No endpoint was chosen.
    Refused,
}

impl Answer {
    /// What the balancer is told, which hears nothing of a caller who went away.
    pub(super) const fn outcome(self) -> Option<Outcome> {
        Some(match self {
            Self::Good => Outcome::Success,
            Self::Error => Outcome::failure(),
            Self::Unavailable => Outcome::Failure(FailureKind::Gateway),
            Self::Overloaded => Outcome::overloaded(None),
            Self::NoConnection => Outcome::Failure(FailureKind::Local),
            Self::TimedOut => Outcome::Failure(FailureKind::Timeout),
            Self::GivenUp | Self::Refused => return None,
        })
    }
}

impl Interval {
    /// The part of the requests that each server got; all zero if there were none.
    #[must_use]
    pub fn shares(&self) -> Vec<f64> {
        let all = self.sent.iter().sum::<u64>().max(1) as f64;
        self.sent.iter().map(|sent| *sent as f64 / all).collect()
    }

    /// The part of the requests that failed; zero if there were none.
    #[must_use]
    pub fn failure_rate(&self) -> f64 {
        self.failures as f64 / self.requests.max(1) as f64
    }
}

impl Run {
    /// What is bad enough to count as trouble: more than this part of the requests fails.
    pub const RECOVERED: f64 = 0.01;

    /// Over how long that is looked at.
    pub const WINDOW: Duration = Duration::from_secs(10);

    /// How long after its beginning the trouble was detected.
    #[must_use]
    pub fn time_to_detection(&self) -> Option<Duration> {
        Some(self.detected_at?.saturating_sub(self.trouble_at?))
    }

    /// How long after its beginning the trouble was over for good: from then on, at most
    /// [`RECOVERED`](Self::RECOVERED) of the requests of any [`WINDOW`](Self::WINDOW) failed. Zero if
    /// it never was that bad, `None` if it was to the end, or if there was no trouble.
    #[must_use]
    pub fn time_to_recovery(&self) -> Option<Duration> {
        self.time_to_recovery_to(Self::RECOVERED)
    }

    /// As [`time_to_recovery`](Self::time_to_recovery), with another limit.
    #[must_use]
    pub fn time_to_recovery_to(&self, failure_rate: f64) -> Option<Duration> {
        let trouble = self.trouble_at?;
        let since = self.intervals.partition_point(|it| it.at + self.interval <= trouble);
        let after = self.intervals.get(since..).filter(|after| !after.is_empty())?;
        // The last interval with failures that ends a window with too many of them.
        let is_bad = |end: usize| {
            let window = after.iter().take(end + 1).rev().take(self.window());
            let (failures, requests) = window.fold((0, 0), |(failures, requests), it| {
                (failures + it.failures, requests + it.requests)
            });
            failures as f64 > failure_rate * requests as f64
        };
        let mut failing = after.iter().enumerate().rev().filter(|(_, it)| it.failures > 0);
        let Some((last, interval)) = failing.find(|(end, _)| is_bad(*end)) else {
            return Some(Duration::ZERO);
        };
        let over = (interval.at + self.interval).saturating_sub(trouble);
        (last + 1 < after.len()).then_some(over)
    }

    /// The largest share of the requests that one server got within a [`WINDOW`](Self::WINDOW) since
    /// the trouble began, and which one; `None` without trouble.
    #[must_use]
    pub fn largest_share(&self) -> Option<(f64, &str)> {
        let trouble = self.trouble_at?;
        let since = self.intervals.partition_point(|interval| interval.at < trouble);
        let after = self.intervals.get(since..)?;
        let window = self.window().min(after.len()).max(1);
        let mut largest: Option<(f64, &str)> = None;
        for window in after.windows(window) {
            let sent = |at: usize| window.iter().filter_map(|it| it.sent.get(at)).sum::<u64>();
            let all = window.iter().flat_map(|it| &it.sent).sum::<u64>();
            for (at, server) in self.servers.iter().enumerate().filter(|_| all > 0) {
                let share = sent(at) as f64 / all as f64;
                if largest.is_none_or(|(most, _)| share > most) {
                    largest = Some((share, &server.name));
                }
            }
        }
        largest
    }

    /// The part of all requests that failed since the trouble began, or of all.
    #[must_use]
    pub fn failure_rate(&self) -> f64 {
        let trouble = self.trouble_at.unwrap_or_default();
        let since = self.intervals.iter().filter(|it| it.at + self.interval > trouble);
        let (failures, requests) = since.fold((0, 0), |(failures, requests), it| {
            (failures + it.failures, requests + it.requests)
        });
        failures as f64 / requests.max(1) as f64
    }

    /// Requests that failed since the trouble began, or all.
    #[must_use]
    pub fn failed_requests(&self) -> u64 {
        let trouble = self.trouble_at.unwrap_or_default();
        let since = self.intervals.iter().filter(|it| it.at + self.interval > trouble);
        since.map(|it| it.failures).sum()
    }

    /// How many servers crashed at least once.
    #[must_use]
    pub fn servers_lost(&self) -> usize {
        self.servers.iter().filter(|server| server.crashes > 0).count()
    }

    /// The server of this name.
    #[must_use]
    pub fn server(&self, name: &str) -> Option<&ServerRun> {
        self.servers.iter().find(|server| server.name == name)
    }

    /// What happened that is of this kind.
    pub fn happenings_of<'r>(&'r self, kind: &'r str) -> impl Iterator<Item = &'r Happening> {
        self.happenings.iter().filter(move |happening| happening.kind == kind)
    }

    /// Holds it to what was expected.
    ///
    /// # Errors
    ///
    /// [`Unmet`] with everything that is otherwise, each with its figure.
    pub fn check(&self, expected: &Expect) -> Result<(), Unmet> {
        expected.check(self)
    }

    /// Intervals of a window.
    fn window(&self) -> usize {
        let intervals = Self::WINDOW.as_nanos() / self.interval.as_nanos().max(1);
        usize::try_from(intervals).unwrap_or(usize::MAX).max(1)
    }
}
