//! `[strategy]`: who gets the next request.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::choices::Choices;
use super::kind::StrategyKind;
use super::range::within;
use super::spelling::{Spell, Spelling};
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

impl Spell for StrategyConfig {
    fn spell(&self) -> Spelling {
        let custom = match &self.kind {
            StrategyKind::Custom(name) => Some(name.as_str()),
            _ => None,
        };
        Spelling::table([
            ("kind", Spelling::Text(self.kind.to_string())),
            ("custom", Spelling::or_absent(custom)),
            ("choices", self.choices.into()),
            ("decay", self.decay.into()),
            ("failure_penalty", Spelling::or_off(self.failure_penalty)),
        ])
    }
}

#[cfg(feature = "config")]
mod reading {
    use super::StrategyConfig;
    use crate::config::choices::Choices;
    use crate::config::document::{Key, Keyed, choices, duration, or_off};
    use crate::config::kind::StrategyKind;
    use crate::config::setting::Range;

    impl Keyed for StrategyConfig {
        const KEYS: &'static [Key<Self>] = &[
            Key::joint(
                "kind",
                Range::OneOf(&StrategyKind::WORDS),
                "Which strategy chooses. `round_robin` and `random` go by weights alone; \
                 `least_request` also looks at what is in flight, and `peak_ewma` at latency \
                 besides; `ring_hash` and \
                 `maglev` send the same key to the same endpoint; `custom` is one of your own.",
                |it, section, _| it.kind = StrategyKind::read(section),
            ),
            Key::joint(
                "custom",
                Range::NonEmptyText,
                "The name under which a strategy of your own was registered; needed by \
                 `kind = \"custom\"`, and read by no other.",
                |_, _, _| {}, // `kind` reads it too
            ),
            Key::new(
                "choices",
                Range::Choices(Choices::RANGE),
                "How many endpoints are compared for a pick, or all of them; read by \
                 `least_request` and `peak_ewma`. More find a cheaper endpoint, cost more per \
                 pick, and make callers flock to the same endpoint.",
                |it, found| Ok(it.with_choices(choices(found)?)),
            ),
            Key::new(
                "decay",
                Range::Duration(Self::DECAY),
                "How long a latency is remembered; read by `peak_ewma`. Shorter follows changes \
                 sooner and single slow answers too; longer is steadier.",
                |it, found| Ok(it.with_decay(duration(found)?)?),
            ),
            Key::<Self>::new(
                "failure_penalty",
                Range::Duration(Self::FAILURE_PENALTY),
                "How long a failure weighs on the load of its endpoint, so that an endpoint that \
                 fails fast does not look idle; read by `least_request` and `peak_ewma`. Longer \
                 keeps more requests away from an endpoint that fails.",
                |it, found| Ok(it.with_failure_penalty(or_off(duration)(found)?)?),
            )
            .or_off(),
        ];

        fn blank() -> Self {
            Self::default()
        }
    }
}
