//! `[strategy]`: who gets the next request.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::choices::Choices;
use super::kind::StrategyKind;
use super::range::within;
use crate::error::Problem;

/// `[strategy]`: how the endpoint of a request is chosen.
///
/// ```
/// use std::time::Duration;
/// use evenkeel::config::{Choices, StrategyConfig, StrategyKind};
///
/// let strategy = StrategyConfig::new(StrategyKind::PeakEwma)
///     .with_choices(Choices::of(3).unwrap())
///     .with_decay(Duration::from_secs(5))?;
/// assert_eq!(strategy.decay(), Duration::from_secs(5));
/// assert!(strategy.with_decay(Duration::ZERO).is_err());
/// # Ok::<(), evenkeel::Problem>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StrategyConfig {
    kind: StrategyKind,
    choices: Choices,
    decay: Duration,
    failure_penalty: Option<Duration>,
}

impl Default for StrategyConfig {
    /// Least request of two choices, with a failure penalty of five seconds.
    fn default() -> Self {
        Self::new(StrategyKind::default())
    }
}

impl StrategyConfig {
    const DECAY: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_hours(1);
    const FAILURE_PENALTY: RangeInclusive<Duration> =
        Duration::from_millis(10)..=Duration::from_mins(10);

    /// A strategy of this kind, everything else as by default.
    #[must_use]
    pub const fn new(kind: StrategyKind) -> Self {
        Self {
            kind,
            choices: Choices::TWO,
            decay: Duration::from_secs(10),
            failure_penalty: Some(Duration::from_secs(5)),
        }
    }

    /// Which strategy chooses; default [`LeastRequest`](StrategyKind::LeastRequest).
    #[must_use]
    pub const fn kind(&self) -> &StrategyKind {
        &self.kind
    }

    /// How many endpoints are compared for a pick; 2 to 16 or all, default 2.
    ///
    /// More find a cheaper endpoint and cost more; read by `least_request` and `peak_ewma`.
    #[must_use]
    pub const fn choices(&self) -> Choices {
        self.choices
    }

    /// How long a latency is remembered; 100ms to 1h, default 10s.
    ///
    /// After this long an old measurement counts a third of what it did. Longer is calmer and
    /// slower to notice; shorter follows each peak. Read by `peak_ewma`.
    #[must_use]
    pub const fn decay(&self) -> Duration {
        self.decay
    }

    /// How long a failure weighs on the load of its endpoint; 10ms to 10m, default 5s.
    ///
    /// Without it an endpoint that fails at once has the least in flight and attracts everybody,
    /// so a fast failure must not look like a fast success. Longer keeps requests away for longer
    /// after a failure. `None`, in a file `failure_penalty = false`, switches it off. Read by
    /// `least_request` and `peak_ewma`.
    #[must_use]
    pub const fn failure_penalty(&self) -> Option<Duration> {
        self.failure_penalty
    }

    /// Sets the [kind](Self::kind).
    #[must_use]
    pub fn with_kind(mut self, kind: StrategyKind) -> Self {
        self.kind = kind;
        self
    }

    /// Sets the [choices](Self::choices).
    #[must_use]
    pub fn with_choices(mut self, choices: Choices) -> Self {
        self.choices = choices;
        self
    }

    /// Sets the [decay](Self::decay).
    ///
    /// # Errors
    ///
    /// Outside 100ms to 1h.
    pub fn with_decay(mut self, decay: Duration) -> Result<Self, Problem> {
        self.decay = within("strategy.decay", decay, &Self::DECAY)?;
        Ok(self)
    }

    /// Sets the [failure penalty](Self::failure_penalty); `None` switches it off.
    ///
    /// # Errors
    ///
    /// Outside 10ms to 10m. Zero is not a way to switch it off.
    pub fn with_failure_penalty(mut self, penalty: Option<Duration>) -> Result<Self, Problem> {
        if let Some(penalty) = penalty {
            within("strategy.failure_penalty", penalty, &Self::FAILURE_PENALTY).map_err(
                |mut problem| {
                    problem.message.push_str(", or `false` to switch it off");
                    problem
                },
            )?;
        }
        self.failure_penalty = penalty;
        Ok(self)
    }
}

#[cfg(feature = "config")]
mod reading {
    use super::StrategyConfig;
    use crate::config::document::{Section, choices, duration, or_off};
    use crate::config::kind::StrategyKind;

    impl StrategyConfig {
        pub(in crate::config) fn read(section: &mut Section<'_, '_>) -> Self {
            let mut strategy = Self::new(StrategyKind::read(section));
            section.set(&mut strategy, "choices", choices, |it, value| Ok(it.with_choices(value)));
            section.set(&mut strategy, "decay", duration, Self::with_decay);
            section.set(
                &mut strategy,
                "failure_penalty",
                or_off(duration),
                Self::with_failure_penalty,
            );
            strategy
        }
    }
}
