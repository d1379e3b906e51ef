//! What is simulated.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use serde::Deserialize;

use crate::config::nearest;
use crate::error::Problem;
use crate::sim::engine;
use crate::sim::span;
use crate::sim::{Arrivals, Change, Client, Run, Server};

/// Servers, clients with their balancers, requests, and what is changed while they run.
///
/// Described in code or in TOML ([`from_toml`](Self::from_toml)); the same scenario has the same
/// [`Run`], to the last bit, as long as it is built from the same sources for the same machine.
/// The page [`docs::drills`](crate::docs::drills) says how one is made into a test.
///
/// ```
/// use std::time::Duration;
/// use evenkeel::Config;
/// use evenkeel::sim::{Action, Arrivals, Change, Client, Expect, Fault, Scenario, Server};
///
/// let seconds = Duration::from_secs;
/// let run = Scenario::new("one of five stops answering")
///     .servers(["a", "b", "c", "d", "e"].map(Server::new))
///     .client(Client::new("shop").config(Config::from_toml("limits.attempt_timeout = '1s'")?))
///     .arrivals(Arrivals::poisson(100.0))
///     .change(Change::at(seconds(20), Action::fault("c", Fault::BlackHole)))
///     .lasting(seconds(60))
///     .run()?;
///
/// let expected = Expect::new().detected_within(seconds(10)).failed_percent_at_most(1.0);
/// run.check(&expected)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Scenario {
    /// What it is called.
    pub name: String,
    /// What every random choice follows from. Default: 1.
    #[serde(default = "first_seed")]
    pub seed: u64,
    /// How much virtual time passes. Default: a minute.
    #[serde(default = "minute", with = "span::text")]
    pub lasting: Duration,
    /// The length of one [`Interval`](crate::sim::Interval) of the report, at least 1 ms. Default: a
    /// second.
    #[serde(default = "second", with = "span::text")]
    pub interval: Duration,
    /// When the trouble begins, which detection and recovery are counted from. Default: at the first
    /// change, remarks and notices aside.
    #[serde(default, with = "span::text_or_none")]
    pub trouble_at: Option<Duration>,
    /// The kinds of events that detect trouble, as [`Happening::kind`](crate::sim::Happening::kind)
    /// has them. Default: [`DETECTIONS`](Self::DETECTIONS).
    #[serde(default = "detections")]
    pub detected_by: Vec<String>,
    /// The servers.
    #[serde(default)]
    pub servers: Vec<Server>,
    /// The processes with balancers. Default: one with the default settings, named `client`.
    #[serde(default)]
    pub clients: Vec<Client>,
    /// Where requests come from.
    #[serde(default)]
    pub arrivals: Vec<Arrivals>,
    /// What is changed.
    #[serde(default)]
    pub changes: Vec<Change>,
    /// Whether the run keeps what became of each request. Default: no.
    #[serde(default)]
    pub traced: bool,
}

const fn first_seed() -> u64 {
    1
}

const fn minute() -> Duration {
    Duration::from_mins(1)
}

const fn second() -> Duration {
    Duration::from_secs(1)
}

fn detections() -> Vec<String> {
    Scenario::DETECTIONS.iter().map(ToString::to_string).collect()
}

impl Scenario {
    /// The kinds of events that detect trouble, if nothing else is said: what a balancer says when
    /// it refuses a change, finds it harmful, or finds an endpoint sick or a share unfair.
    pub const DETECTIONS: &[&str] = &[
        "config_refused",
        "update_refused",
        "share_raised",
        "rolled_back",
        "skew",
        "alarm",
        "ejection",
        "unhealthy",
        "panic",
        "source_failed",
        "noticed",
    ];

    /// A minute with a seed of 1, in which nothing happens yet.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            seed: first_seed(),
            lasting: minute(),
            interval: second(),
            trouble_at: None,
            detected_by: detections(),
            servers: Vec::new(),
            clients: Vec::new(),
            arrivals: Vec::new(),
            changes: Vec::new(),
            traced: false,
        }
    }

    /// Sets what every random choice follows from.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Sets how much virtual time passes.
    #[must_use]
    pub fn lasting(mut self, time: Duration) -> Self {
        self.lasting = time;
        self
    }

    /// Sets the length of the intervals of the report.
    #[must_use]
    pub fn interval(mut self, interval: Duration) -> Self {
        self.interval = interval;
        self
    }

    /// Sets when the trouble begins.
    #[must_use]
    pub fn trouble_at(mut self, at: Duration) -> Self {
        self.trouble_at = Some(at);
        self
    }

    /// Sets the kinds of events that detect trouble.
    #[must_use]
    pub fn detected_by<S: Into<String>>(mut self, kinds: impl IntoIterator<Item = S>) -> Self {
        self.detected_by = kinds.into_iter().map(Into::into).collect();
        self
    }

    /// Adds a server.
    #[must_use]
    pub fn server(mut self, server: Server) -> Self {
        self.servers.push(server);
        self
    }

    /// Adds servers.
    #[must_use]
    pub fn servers(mut self, servers: impl IntoIterator<Item = Server>) -> Self {
        self.servers.extend(servers);
        self
    }

    /// Adds a client.
    #[must_use]
    pub fn client(mut self, client: Client) -> Self {
        self.clients.push(client);
        self
    }

    /// Adds a stream of requests.
    #[must_use]
    pub fn arrivals(mut self, arrivals: Arrivals) -> Self {
        self.arrivals.push(arrivals);
        self
    }

    /// Adds a change.
    #[must_use]
    pub fn change(mut self, change: Change) -> Self {
        self.changes.push(change);
        self
    }

    /// Adds changes.
    #[must_use]
    pub fn changes(mut self, changes: impl IntoIterator<Item = Change>) -> Self {
        self.changes.extend(changes);
        self
    }

    /// Keeps what became of each request.
    #[must_use]
    pub fn traced(mut self) -> Self {
        self.traced = true;
        self
    }

    /// Runs it, on a thread of its own, and waits for the end.
    ///
    /// # Errors
    ///
    /// [`ScenarioError`] with every problem: a name that nobody has, a number out of its range,
    /// settings that a balancer refuses, or a thread that the system does not give.
    ///
    /// # Panics
    ///
    /// If code of the caller does that the run calls: a strategy, [`Client::build`] or
    /// [`Action::call`](crate::sim::Action::call).
    pub fn run(&self) -> Result<Run, ScenarioError> {
        let mut scenario = self.clone();
        if scenario.clients.is_empty() {
            scenario.clients.push(Client::new("client"));
        }
        let problems = scenario.problems();
        if !problems.is_empty() {
            return Err(ScenarioError::new(problems));
        }
        // Of its own: it holds the thread's clock, and may be called from inside of a runtime.
        let thread = std::thread::Builder::new().name(String::from("simulation"));
        let run = thread.spawn(move || engine::run(&scenario)).map_err(|error| {
            ScenarioError::from(Problem::error("", format!("no thread: {error}")))
        })?;
        run.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }

    /// Everything that keeps it from being run.
    fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if !(Duration::from_millis(1)..=Duration::from_hours(24 * 365)).contains(&self.lasting) {
            problems.push(Problem::error("lasting", "1ms to a year is possible"));
        }
        if self.interval < Duration::from_millis(1)
            || self.lasting.as_nanos() / self.interval.as_nanos().max(1) > 1_000_000
        {
            let message = "at least 1ms, and a millionth of `lasting`, is needed";
            problems.push(Problem::error("interval", message));
        }
        for (at, server) in self.servers.iter().enumerate() {
            server.check(&format!("servers[{at}]"), &mut problems);
        }
        for (at, client) in self.clients.iter().enumerate() {
            client.check(&format!("clients[{at}]"), &mut problems);
        }
        twice("servers", self.servers.iter().map(|server| &*server.name), &mut problems);
        twice("clients", self.clients.iter().map(|client| &*client.name), &mut problems);
        let servers: Vec<&str> = self.servers.iter().map(|server| &*server.name).collect();
        let clients: Vec<&str> = self.clients.iter().map(|client| &*client.name).collect();
        for (at, arrivals) in self.arrivals.iter().enumerate() {
            let path = format!("arrivals[{at}]");
            arrivals.check(&path, &mut problems);
            let client = arrivals.client.as_deref();
            problems.extend(stranger(&format!("{path}.client"), "client", client, &clients));
        }
        for (at, change) in self.changes.iter().enumerate() {
            let path = format!("changes[{at}]");
            change.check(&path, &mut problems);
            let client = change.client.as_deref();
            problems.extend(stranger(&format!("{path}.client"), "client", client, &clients));
            for name in change.action.servers() {
                problems.extend(stranger(&format!("{path}.do"), "server", Some(name), &servers));
            }
        }
        problems
    }
}

fn twice<'n>(list: &str, names: impl Iterator<Item = &'n str>, problems: &mut Vec<Problem>) {
    let mut seen = std::collections::BTreeSet::new();
    for (at, name) in names.enumerate() {
        if !seen.insert(name) {
            let message = format!("`{name}` is there already");
            problems.push(Problem::error(format!("{list}[{at}].name"), message));
        }
    }
}

fn stranger(path: &str, what: &str, name: Option<&str>, known: &[&str]) -> Option<Problem> {
    let name = name.filter(|name| !known.contains(name))?;
    let message = match nearest(name, known.iter().copied()) {
        Some(near) => format!("there is no {what} `{name}`; did you mean `{near}`?"),
        None => format!("there is no {what} `{name}`"),
    };
    Some(Problem::error(path, message))
}

/// A scenario that cannot be run, or a text that is none.
///
/// ```
/// use evenkeel::sim::Scenario;
///
/// let error = Scenario::from_toml("name = 'x'\nsevers = []").unwrap_err();
/// assert!(error.to_string().contains("did you mean `servers`?"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScenarioError {
    problems: Vec<Problem>,
}

impl ScenarioError {
    pub(super) const fn new(problems: Vec<Problem>) -> Self {
        Self { problems }
    }

    /// Everything that is wrong with it, each with its path. A text that cannot be read has one.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

impl From<Problem> for ScenarioError {
    fn from(problem: Problem) -> Self {
        Self::new(vec![problem])
    }
}

impl fmt::Display for ScenarioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.problems.as_slice() {
            [problem] => write!(f, "the scenario cannot be run: {problem}"),
            problems => {
                write!(f, "the scenario cannot be run for {} problems:", problems.len())?;
                problems.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
            }
        }
    }
}

impl Error for ScenarioError {}
