//! Which settings and which set a decision was made under.

use std::fmt;

/// The version of what a balancer serves.
///
/// `config` counts changes of the settings and of what operators say (weights, drains); `set`
/// counts changes of the endpoints. Both start at 1 and only grow. Health never changes either.
///
/// ```
/// use evenkeel::Balancer;
///
/// let balancer = Balancer::<()>::builder().build()?;
/// assert_eq!(balancer.version().to_string(), "1.1");
/// # Ok::<(), evenkeel::ConfigError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "config", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Version {
    /// Settings and operator overrides.
    pub config: u64,
    /// The set of endpoints.
    pub set: u64,
}

impl Version {
    pub(crate) const FIRST: Self = Self { config: 1, set: 1 };

    #[must_use]
    pub(crate) const fn next_config(self) -> Self {
        Self { config: self.config.saturating_add(1), set: self.set }
    }

    #[must_use]
    pub(crate) const fn next_set(self) -> Self {
        Self { config: self.config, set: self.set.saturating_add(1) }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.config, self.set)
    }
}
