//! Which strategy chooses.

use std::fmt;

/// Which strategy chooses the endpoint of a request.
///
/// Written in a file as `kind` under `[strategy]`; [`Display`](fmt::Display) gives that word.
///
/// ```
/// use evenkeel::config::StrategyKind;
///
/// assert_eq!(StrategyKind::default().to_string(), "least_request");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum StrategyKind {
    /// `round_robin`: by turns, in proportion to the weights; blind to load.
    RoundRobin,
    /// `random`: a weighted draw for each request; blind to load, and stateless.
    Random,
    /// `least_request`: the one with the fewest requests in flight for its weight. The default.
    #[default]
    LeastRequest,
    /// `peak_ewma`: the one expected to answer soonest, by its latency and what it has in flight.
    PeakEwma,
    /// `ring_hash`: the one that the request's key belongs to, on a ring as Envoy and gRPC lay it out.
    RingHash,
    /// `maglev`: the one that the request's key belongs to, in a table of even parts.
    Maglev,
    /// `custom`: a strategy of your own, by the name it was registered under (`custom = "name"`).
    Custom(String),
}

impl StrategyKind {
    /// Whether `strategy.choices` means something to it.
    pub(super) fn reads_choices(&self) -> bool {
        matches!(self, Self::LeastRequest | Self::PeakEwma | Self::Custom(_))
    }

    /// Whether it rightly gives unequal endpoints unequal parts.
    pub(super) fn looks_at_load(&self) -> bool {
        self.reads_choices()
    }

    /// Whether `strategy.decay` means something to it.
    pub(super) fn reads_decay(&self) -> bool {
        matches!(self, Self::PeakEwma | Self::Custom(_))
    }

    /// Whether keys decide, so that the bounds of `hash` mean something to it.
    pub(super) fn reads_bounds(&self) -> bool {
        self.reads_ring() || self.reads_table()
    }

    /// Whether the sizes of a ring mean something to it.
    pub(super) fn reads_ring(&self) -> bool {
        matches!(self, Self::RingHash | Self::Custom(_))
    }

    /// Whether the size of a table means something to it.
    pub(super) fn reads_table(&self) -> bool {
        matches!(self, Self::Maglev | Self::Custom(_))
    }

    /// Whether `strategy.failure_penalty` means something to it.
    pub(super) fn reads_failure_penalty(&self) -> bool {
        self.reads_choices()
    }
}

impl fmt::Display for StrategyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::RoundRobin => "round_robin",
            Self::Random => "random",
            Self::LeastRequest => "least_request",
            Self::PeakEwma => "peak_ewma",
            Self::RingHash => "ring_hash",
            Self::Maglev => "maglev",
            Self::Custom(_) => "custom",
        })
    }
}

#[cfg(feature = "config")]
mod reading {
    use super::StrategyKind;
    use crate::config::document::{Section, text, word};

    impl StrategyKind {
        pub(in crate::config) const WORDS: [&str; 7] = [
            "round_robin",
            "random",
            "least_request",
            "peak_ewma",
            "ring_hash",
            "maglev",
            "custom",
        ];

        /// Reads `kind` together with `custom`, which only makes sense beside it.
        ///
        /// A refused `kind` leaves the default and says nothing more of `custom`: one mistake is
        /// one problem.
        pub(in crate::config) fn read(section: &mut Section<'_, '_>) -> Self {
            let kind = section.read("kind", |found| word(found, &Self::WORDS, &[]));
            let name = section.read("custom", text);
            let (Ok(kind), Ok(name)) = (kind, name) else {
                return Self::default();
            };
            match (kind_of(kind), name) {
                (Some(kind), None) => return kind,
                (None, Some(name)) => return Self::Custom(name),
                (None, None) => section.refuse(
                    "custom",
                    "is missing: kind = \"custom\" needs the name of a registered strategy, as in \
                     custom = \"leader\"",
                ),
                (Some(kind), Some(_)) => {
                    let message = format!("is only read under kind = \"custom\", not \"{kind}\"");
                    section.refuse("custom", message);
                }
            }
            Self::default()
        }
    }

    /// The kind of a word; `None` for `custom`.
    fn kind_of(word: Option<&str>) -> Option<StrategyKind> {
        Some(match word {
            None => StrategyKind::default(),
            Some("round_robin") => StrategyKind::RoundRobin,
            Some("random") => StrategyKind::Random,
            Some("least_request") => StrategyKind::LeastRequest,
            Some("peak_ewma") => StrategyKind::PeakEwma,
            Some("ring_hash") => StrategyKind::RingHash,
            Some("maglev") => StrategyKind::Maglev,
            Some(_) => return None,
        })
    }
}
