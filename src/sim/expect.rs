//! What is expected of a run, and what it is told where that is not met.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use serde::Serialize;

use crate::sim::Run;

/// What is expected of a run; [`Run::check`] holds it to that.
///
/// Everything is counted since the trouble began, where there was any.
///
/// ```
/// use std::time::Duration;
/// use evenkeel::sim::Expect;
///
/// let expected = Expect::new()
///     .failed_percent_at_most(1.0)
///     .detected_within(Duration::from_secs(10))
///     .recovered_within(Duration::from_secs(60))
///     .servers_lost_at_most(1);
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Expect {
    failed_percent: Option<f64>,
    largest_share_percent: Option<f64>,
    detected_within: Option<Duration>,
    recovered_within: Option<Duration>,
    servers_lost: Option<usize>,
    p99: Option<Duration>,
    happened: Vec<String>,
}

/// A figure of a run that something was expected of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Figure {
    /// How many of a hundred requests failed.
    FailedPercent,
    /// The largest share of one server, of a hundred.
    LargestSharePercent,
    /// Seconds until the trouble was detected.
    SecondsToDetection,
    /// Seconds until it was over for good.
    SecondsToRecovery,
    /// How many servers crashed.
    ServersLost,
    /// Seconds within which 99 of a hundred good answers came.
    P99Seconds,
    /// How often something of this kind happened.
    Happened(String),
}

/// Something that was expected, and what it was.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// What.
    pub figure: Figure,
    /// What it was to be at most; of happenings, at least.
    pub limit: f64,
    /// What it was; `None` if it never came to that.
    pub found: Option<f64>,
    /// Whether it was as expected.
    pub met: bool,
}

/// A run was not as expected.
#[derive(Clone, Debug, PartialEq)]
pub struct Unmet {
    scenario: String,
    findings: Vec<Finding>,
}

impl Expect {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// At most so many of a hundred requests fail.
    #[must_use]
    pub const fn failed_percent_at_most(mut self, percent: f64) -> Self {
        self.failed_percent = Some(percent);
        self
    }

    /// No server gets more than so many of a hundred requests within a window of ten seconds.
    #[must_use]
    pub const fn largest_share_percent_at_most(mut self, percent: f64) -> Self {
        self.largest_share_percent = Some(percent);
        self
    }

    /// The trouble is detected within this time.
    #[must_use]
    pub const fn detected_within(mut self, time: Duration) -> Self {
        self.detected_within = Some(time);
        self
    }

    /// It is over for good within this time; see [`Run::time_to_recovery`].
    #[must_use]
    pub const fn recovered_within(mut self, time: Duration) -> Self {
        self.recovered_within = Some(time);
        self
    }

    /// At most so many servers crash.
    #[must_use]
    pub const fn servers_lost_at_most(mut self, servers: usize) -> Self {
        self.servers_lost = Some(servers);
        self
    }

    /// 99 of a hundred good answers come within this time, over the whole run.
    #[must_use]
    pub const fn p99_at_most(mut self, time: Duration) -> Self {
        self.p99 = Some(time);
        self
    }

    /// Something of this kind happens; see [`Happening::kind`](crate::sim::Happening::kind).
    #[must_use]
    pub fn happens(mut self, kind: impl Into<String>) -> Self {
        self.happened.push(kind.into());
        self
    }

    /// Every figure that something is expected of, as it was.
    #[must_use]
    pub fn findings(&self, run: &Run) -> Vec<Finding> {
        let at_most = |figure, limit: Option<f64>, found: Option<f64>| {
            let limit = limit?;
            Some(Finding { figure, limit, found, met: found.is_some_and(|found| found <= limit) })
        };
        let seconds = |time: Option<Duration>| time.map(|time| time.as_secs_f64());
        let share = run.largest_share().map(|(share, _)| 100.0 * share);
        let figures = [
            at_most(Figure::FailedPercent, self.failed_percent, Some(100.0 * run.failure_rate())),
            at_most(Figure::LargestSharePercent, self.largest_share_percent, share),
            at_most(
                Figure::SecondsToDetection,
                seconds(self.detected_within),
                seconds(run.time_to_detection()),
            ),
            at_most(
                Figure::SecondsToRecovery,
                seconds(self.recovered_within),
                seconds(run.time_to_recovery()),
            ),
            at_most(
                Figure::ServersLost,
                self.servers_lost.map(|servers| servers as f64),
                Some(run.servers_lost() as f64),
            ),
            at_most(Figure::P99Seconds, seconds(self.p99), seconds(Some(run.totals.latency.p99))),
        ];
        let happened = self.happened.iter().map(|kind| {
            let times = run.happenings_of(kind).count();
            Finding {
                figure: Figure::Happened(kind.clone()),
                limit: 1.0,
                found: Some(times as f64),
                met: times > 0,
            }
        });
        figures.into_iter().flatten().chain(happened).collect()
    }

    pub(super) fn check(&self, run: &Run) -> Result<(), Unmet> {
        let mut findings = self.findings(run);
        findings.retain(|finding| !finding.met);
        if findings.is_empty() {
            return Ok(());
        }
        Err(Unmet { scenario: run.scenario.clone(), findings })
    }
}

impl Unmet {
    /// What was otherwise.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, unit) = match &self.figure {
            Figure::FailedPercent => ("failed requests", " %"),
            Figure::LargestSharePercent => ("largest share of one server", " %"),
            Figure::SecondsToDetection => ("time to detection", " s"),
            Figure::SecondsToRecovery => ("time to recovery", " s"),
            Figure::ServersLost => ("servers lost", ""),
            Figure::P99Seconds => ("99 % of good answers within", " s"),
            Figure::Happened(kind) => {
                let times = self.found.unwrap_or_default();
                return write!(f, "`{kind}` happened {times} times, expected at least once");
            }
        };
        match self.found {
            Some(found) => write!(f, "{what}: {}{unit}", short(found))?,
            None => write!(f, "{what}: never")?,
        }
        write!(f, ", expected at most {}{unit}", short(self.limit))
    }
}

/// Three digits after the point at most.
fn short(number: f64) -> f64 {
    (number * 1_000.0).round() / 1_000.0
}

impl fmt::Display for Unmet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.scenario)?;
        self.findings.iter().try_for_each(|finding| write!(f, "\n  {finding}"))
    }
}

impl Error for Unmet {}
