//! A simulated process that has a balancer.

use std::fmt;
use std::time::Duration;

use serde::Deserialize;

use crate::balancer::Builder;
use crate::config::Config;
use crate::error::Problem;
use crate::sim::span;
use crate::sync::Arc;

/// The target of a simulated endpoint: a server of the scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ServerId(pub(super) u32);

impl ServerId {
    /// An address at which nobody listens.
    pub(super) const NOBODY: Self = Self(u32::MAX);
}

/// Adds to the description of a balancer what settings cannot say.
type Build = Arc<dyn Fn(Builder<ServerId>) -> Builder<ServerId> + Send + Sync>;

/// A process with a balancer of its own, or several that are alike.
///
/// Several show what one alone does not: herds, for each sees only its own requests.
///
/// ```
/// use std::time::Duration;
/// use evenkeel::Config;
/// use evenkeel::sim::Client;
///
/// let settings = Config::from_toml("strategy.kind = 'peak_ewma'")?;
/// let client = Client::new("web").copies(20).config(settings).hears_after(Duration::from_secs(1));
/// # Ok::<(), evenkeel::ConfigError>(())
/// ```
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Client {
    /// What it is called; the copies of one with several are `web-0`, `web-1` and so on.
    pub name: String,
    /// How many processes of this kind there are, at least 1. Default: 1.
    #[serde(default = "one")]
    pub copies: u32,
    /// The settings of its balancer. If they have `[[endpoints]]`, these are its set, and an
    /// address is the name of a server; at any other nobody listens.
    #[serde(default)]
    pub config: Config,
    /// Whether it runs [`Balancer::start`](crate::Balancer::start), which checks need. Default: yes.
    #[serde(default = "yes")]
    pub worker: bool,
    /// How much later than it happened it hears of a change of the set. Default: at once.
    #[serde(default, with = "span::text")]
    pub hears_after: Duration,
    #[serde(skip)]
    pub(super) build: Option<Build>,
}

const fn one() -> u32 {
    1
}

const fn yes() -> bool {
    true
}

impl Client {
    /// A process with the default settings.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            copies: one(),
            config: Config::default(),
            worker: yes(),
            hears_after: Duration::ZERO,
            build: None,
        }
    }

    /// Sets how many processes of this kind there are.
    #[must_use]
    pub fn copies(mut self, copies: u32) -> Self {
        self.copies = copies;
        self
    }

    /// Sets the settings of its balancer.
    #[must_use]
    pub fn config(mut self, config: Config) -> Self {
        self.config = config;
        self
    }

    /// Leaves out [`Balancer::start`](crate::Balancer::start).
    #[must_use]
    pub fn without_worker(mut self) -> Self {
        self.worker = false;
        self
    }

    /// Sets how much later than it happened it hears of a change of the set.
    #[must_use]
    pub fn hears_after(mut self, delay: Duration) -> Self {
        self.hears_after = delay;
        self
    }

    /// Adds to the description of its balancer what settings cannot say: a strategy or a detector
    /// of your own.
    #[must_use]
    pub fn build(
        mut self,
        build: impl Fn(Builder<ServerId>) -> Builder<ServerId> + Send + Sync + 'static,
    ) -> Self {
        self.build = Some(Arc::new(build));
        self
    }

    /// The name of one of the copies.
    pub(super) fn copy_name(&self, copy: u32) -> String {
        if self.copies == 1 { self.name.clone() } else { format!("{}-{copy}", self.name) }
    }

    pub(super) fn check(&self, path: &str, problems: &mut Vec<Problem>) {
        let mut wrong = |key: &str, message: &str| {
            problems.push(Problem::error(format!("{path}.{key}"), message));
        };
        if self.name.is_empty() {
            wrong("name", "a name is needed");
        }
        if !(1..=10_000).contains(&self.copies) {
            wrong("copies", "1 to 10000 copies are possible");
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("name", &self.name)
            .field("copies", &self.copies)
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}
