//! What is changed while a simulation runs: by operators, by discovery, and by misfortune.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::Deserialize;

use crate::balancer::Balancer;
use crate::config::Config;
use crate::error::Problem;
use crate::sim::span;
use crate::sim::{Fault, ServerId};
use crate::sync::Arc;

/// Something that is done at a certain moment.
///
/// ```
/// use std::time::Duration;
/// use evenkeel::sim::{Action, Change, Fault};
///
/// let changes = [
///     Change::at(Duration::from_secs(60), Action::fault("a", Fault::BlackHole)),
///     Change::after_detection(Duration::from_secs(10), Action::drain("a")),
/// ];
/// ```
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Change {
    /// When.
    pub when: When,
    /// What.
    #[serde(rename = "do")]
    pub action: Action,
    /// The client it is done at, or that hears of it. Default: all of them.
    #[serde(default)]
    pub client: Option<String>,
    /// What the report says of it. Default: what the action is.
    #[serde(default)]
    pub note: Option<String>,
}

/// When a change is made.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum When {
    /// This long after the start.
    At(#[serde(with = "span::text")] Duration),
    /// This long after the trouble was detected, if ever it was.
    AfterDetection(#[serde(with = "span::text")] Duration),
    /// This long after the first event of a kind.
    AfterEvent {
        /// The kind, as [`Happening::kind`](crate::sim::Happening::kind) has it.
        event: String,
        /// How long after. Default: at once.
        #[serde(default, with = "span::text")]
        wait: Duration,
    },
}

/// What is done.
///
/// In TOML each is a table of its name: `do.set_weight = { endpoint = "a", weight = 3 }`, and where
/// there is nothing to say, `do.rollback = {}`.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Action {
    /// The settings are changed, by [`Balancer::apply`] or
    /// [`Balancer::apply_guarded`](crate::Balancer::apply_guarded).
    Apply(Box<Applied>),
    /// The last change of settings is taken back, by [`Balancer::rollback`].
    Rollback {},
    /// [`Balancer::set_weight`].
    SetWeight {
        /// Which.
        endpoint: String,
        /// Its weight.
        weight: u32,
    },
    /// [`Balancer::drain`].
    Drain {
        /// Which.
        endpoint: String,
    },
    /// [`Balancer::disable`].
    Disable {
        /// Which.
        endpoint: String,
    },
    /// [`Balancer::enable`].
    Enable {
        /// Which.
        endpoint: String,
    },
    /// Discovery sends another set, by [`Balancer::replace`]; each client hears of it in its time.
    Discover {
        /// The names of the servers that are endpoints from now on, with the weights of the
        /// scenario, or those of `weights`.
        servers: Vec<String>,
        /// Weights that differ.
        #[serde(default)]
        weights: BTreeMap<String, u32>,
    },
    /// Something becomes wrong with a server, in place of what was before.
    Fault {
        /// Which.
        server: String,
        /// What.
        fault: Fault,
    },
    /// Nothing is wrong with a server any more.
    Heal {
        /// Which.
        server: String,
    },
    /// A server crashes.
    Crash {
        /// Which.
        server: String,
    },
    /// A server is restarted, with a cold cache. What it was working on fails.
    Restart {
        /// Which.
        server: String,
    },
    /// The client's requests do not reach these servers; none are all of them.
    CutOff {
        /// Which.
        servers: Vec<String>,
    },
    /// The client reaches all servers again.
    Reconnect {},
    /// The client hears of no change of the set.
    Deafen {},
    /// The client hears of them again, and at once of the last.
    Hear {},
    /// Somebody notices what is going on: a detection, as by an alarm or an angry call.
    Notice {},
    /// Nothing: only the report says something.
    Remark {},
    /// Code of your own.
    #[serde(skip)]
    Call(Call),
}

/// New settings.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Applied {
    /// The settings.
    pub config: Config,
    /// Watched for this long, and taken back if they do harm. Default: not watched.
    #[serde(default, with = "span::text_or_none")]
    pub guarded_for: Option<Duration>,
    /// Who does it. Default: nobody in particular.
    #[serde(default)]
    pub by: Option<String>,
}

/// Code that a change runs with each balancer it is about.
#[derive(Clone)]
pub struct Call(pub(super) Code);

type Code = Arc<dyn Fn(&Balancer<ServerId>) + Send + Sync>;

impl Change {
    /// Something done this long after the start.
    #[must_use]
    pub const fn at(at: Duration, action: Action) -> Self {
        Self::new(When::At(at), action)
    }

    /// Something done this long after the trouble was detected.
    #[must_use]
    pub const fn after_detection(wait: Duration, action: Action) -> Self {
        Self::new(When::AfterDetection(wait), action)
    }

    /// Something done this long after the first event of a kind, as `ejection`.
    #[must_use]
    pub fn after_event(event: impl Into<String>, wait: Duration, action: Action) -> Self {
        Self::new(When::AfterEvent { event: event.into(), wait }, action)
    }

    const fn new(when: When, action: Action) -> Self {
        Self { when, action, client: None, note: None }
    }

    /// Does it at one client only.
    #[must_use]
    pub fn to(mut self, client: impl Into<String>) -> Self {
        self.client = Some(client.into());
        self
    }

    /// Sets what the report says of it.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.note = Some(note.into());
        self
    }

    /// When it makes trouble, if it does by itself.
    pub(super) fn troubles_at(&self) -> Option<Duration> {
        match self.when {
            When::At(at) if !self.action.is_harmless() => Some(at),
            _ => None,
        }
    }

    pub(super) fn text(&self) -> String {
        let text = || format!("{:?}", self.action);
        self.note.clone().unwrap_or_else(text)
    }

    pub(super) fn check(&self, path: &str, problems: &mut Vec<Problem>) {
        if let Action::Fault { fault, .. } = &self.action {
            fault.check(&format!("{path}.do.fault.fault"), problems);
        }
    }
}

impl Action {
    /// The settings are changed.
    #[must_use]
    pub fn apply(config: Config) -> Self {
        Self::Apply(Box::new(Applied { config, guarded_for: None, by: None }))
    }

    /// The settings are changed, watched for a while, and taken back if they do harm.
    #[must_use]
    pub fn apply_guarded(config: Config, window: Duration) -> Self {
        Self::Apply(Box::new(Applied { config, guarded_for: Some(window), by: None }))
    }

    /// The last change of the settings is taken back.
    #[must_use]
    pub const fn rollback() -> Self {
        Self::Rollback {}
    }

    /// An operator sets a weight.
    #[must_use]
    pub fn set_weight(endpoint: impl Into<String>, weight: u32) -> Self {
        Self::SetWeight { endpoint: endpoint.into(), weight }
    }

    /// An operator drains an endpoint.
    #[must_use]
    pub fn drain(endpoint: impl Into<String>) -> Self {
        Self::Drain { endpoint: endpoint.into() }
    }

    /// An operator switches an endpoint off.
    #[must_use]
    pub fn disable(endpoint: impl Into<String>) -> Self {
        Self::Disable { endpoint: endpoint.into() }
    }

    /// An operator takes back what was said of an endpoint.
    #[must_use]
    pub fn enable(endpoint: impl Into<String>) -> Self {
        Self::Enable { endpoint: endpoint.into() }
    }

    /// Discovery sends this set.
    #[must_use]
    pub fn discover<S: Into<String>>(servers: impl IntoIterator<Item = S>) -> Self {
        let servers = servers.into_iter().map(Into::into).collect();
        Self::Discover { servers, weights: BTreeMap::new() }
    }

    /// Discovery sends this set, with weights.
    #[must_use]
    pub fn discover_weighted<S: Into<String>>(servers: impl IntoIterator<Item = (S, u32)>) -> Self {
        let servers = servers.into_iter().map(|(name, weight)| (name.into(), weight));
        let weights: Vec<(String, u32)> = servers.collect();
        let servers = weights.iter().map(|(name, _)| name.clone()).collect();
        Self::Discover { servers, weights: weights.into_iter().collect() }
    }

    /// Something becomes wrong with a server.
    #[must_use]
    pub fn fault(server: impl Into<String>, fault: Fault) -> Self {
        Self::Fault { server: server.into(), fault }
    }

    /// Nothing is wrong with a server any more.
    #[must_use]
    pub fn heal(server: impl Into<String>) -> Self {
        Self::Heal { server: server.into() }
    }

    /// A server crashes.
    #[must_use]
    pub fn crash(server: impl Into<String>) -> Self {
        Self::Crash { server: server.into() }
    }

    /// A server is restarted.
    #[must_use]
    pub fn restart(server: impl Into<String>) -> Self {
        Self::Restart { server: server.into() }
    }

    /// Requests of the client do not reach these servers.
    #[must_use]
    pub fn cut_off<S: Into<String>>(servers: impl IntoIterator<Item = S>) -> Self {
        Self::CutOff { servers: servers.into_iter().map(Into::into).collect() }
    }

    /// The client reaches all servers again.
    #[must_use]
    pub const fn reconnect() -> Self {
        Self::Reconnect {}
    }

    /// The client hears of no change of the set.
    #[must_use]
    pub const fn deafen() -> Self {
        Self::Deafen {}
    }

    /// The client hears of changes of the set again.
    #[must_use]
    pub const fn hear() -> Self {
        Self::Hear {}
    }

    /// Somebody notices what is going on.
    #[must_use]
    pub const fn notice() -> Self {
        Self::Notice {}
    }

    /// The report says something, as by [`Change::note`].
    #[must_use]
    pub const fn remark() -> Self {
        Self::Remark {}
    }

    /// Code of your own, run with each balancer.
    #[must_use]
    pub fn call(call: impl Fn(&Balancer<ServerId>) + Send + Sync + 'static) -> Self {
        Self::Call(Call(Arc::new(call)))
    }

    /// Whether it does nothing.
    const fn is_harmless(&self) -> bool {
        matches!(self, Self::Remark {} | Self::Notice {})
    }

    /// The servers that it names.
    pub(super) fn servers(&self) -> Vec<&str> {
        match self {
            Self::Discover { servers, weights } => {
                servers.iter().chain(weights.keys()).map(String::as_str).collect()
            }
            Self::CutOff { servers } => servers.iter().map(String::as_str).collect(),
            Self::Fault { server, .. }
            | Self::Heal { server }
            | Self::Crash { server }
            | Self::Restart { server } => vec![server],
            _ => Vec::new(),
        }
    }
}

impl fmt::Debug for Action {
    /// In words, as the report has it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Apply(applied) => match applied.guarded_for {
                Some(window) => write!(f, "the settings are changed, watched for {window:?}"),
                None => f.write_str("the settings are changed"),
            },
            Self::Rollback {} => f.write_str("the settings are rolled back"),
            Self::SetWeight { endpoint, weight } => {
                write!(f, "the weight of `{endpoint}` is set to {weight}")
            }
            Self::Drain { endpoint } => write!(f, "`{endpoint}` is drained"),
            Self::Disable { endpoint } => write!(f, "`{endpoint}` is switched off"),
            Self::Enable { endpoint } => write!(f, "`{endpoint}` is switched on"),
            Self::Discover { servers, .. } => {
                write!(f, "discovery sends {} endpoints", servers.len())
            }
            Self::Fault { server, fault } => match fault {
                Fault::BrownOut { factor } => write!(f, "`{server}` is {factor} times as slow"),
                Fault::Grey { factor, error_percent } => write!(
                    f,
                    "`{server}` is {factor} times as slow and fails {error_percent} % of requests"
                ),
                Fault::BlackHole => write!(f, "`{server}` answers no more"),
                Fault::Refused => write!(f, "`{server}` refuses connections"),
                Fault::FastFailure { .. } => write!(f, "`{server}` fails fast"),
                Fault::Flapping { .. } => write!(f, "`{server}` flaps"),
            },
            Self::Heal { server } => write!(f, "`{server}` is well again"),
            Self::Crash { server } => write!(f, "`{server}` crashes"),
            Self::Restart { server } => write!(f, "`{server}` is restarted"),
            Self::CutOff { servers } if servers.is_empty() => f.write_str("no server is reached"),
            Self::CutOff { servers } => write!(f, "{servers:?} are not reached"),
            Self::Reconnect {} => f.write_str("all servers are reached"),
            Self::Deafen {} => f.write_str("discovery is not heard"),
            Self::Hear {} => f.write_str("discovery is heard again"),
            Self::Notice {} => f.write_str("somebody notices"),
            Self::Remark {} => f.write_str("a remark"),
            Self::Call(_) => f.write_str("a call"),
        }
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").finish_non_exhaustive()
    }
}
