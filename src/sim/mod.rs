//! The simulator: balancers in virtual time, with servers, requests, faults and changes around them.
//!
//! A [`Scenario`] describes servers, clients with a balancer each, requests, and what is changed
//! while they run. [`run`](Scenario::run) plays it, in a few seconds for a million requests, and the
//! [`Run`] that comes of it says what became of each interval. [`Run::check`] makes it a test.
//!
//! # What runs, and what is simulated
//!
//! The balancers are real: each request is a [`Balancer::pick`](crate::Balancer::pick) and a
//! [`Lease::finish`](crate::Lease::finish), with the strategies, detectors, probation, ramps, panic,
//! tiers, guards and events there are. So is what runs beside requests: the worker of
//! [`start`](crate::Balancer::start), which settles and makes active checks, and the watch of
//! [`apply_guarded`](crate::Balancer::apply_guarded).
//!
//! Around them is simulated: servers and what happens to them, the answers of active checks, the
//! network (a request and its answer take no time, a refused connection a tenth of a millisecond),
//! and what of [`Balance`](crate::Balance) stands between a pick and its outcome. That is
//! `limits.attempt_timeout`, which ends an attempt as the service would, and the classification of
//! answers, after the table of `ByStatus`: an error is a failure, a server whose queue is full fails
//! as a gateway, a connection that is refused or breaks fails locally. The readiness of services,
//! bodies and session cookies have no part in it. Retries are those of callers.
//!
//! # Time
//!
//! Time is virtual and exact to the nanosecond; nobody waits. Only the timers of
//! the balancers' own tasks, workers, checks and guards, have the grain of tokio's, a millisecond.
//!
//! # The same seed, the same trace
//!
//! Every random choice follows from [`Scenario::seed`], and of what is due at the same instant, what
//! was noted first is done first. So two runs of one scenario are equal ([`Run`] implements
//! `PartialEq`; [`Run::trace_hash`] is short for it), as long as they are built from the same
//! sources for the same machine: logarithms may differ in the last digit elsewhere.
//!
//! # Example
//!
//! Two choices keep the longest queue short, and one does not:
//!
//! ```
//! use std::time::Duration;
//! use evenkeel::Config;
//! use evenkeel::sim::{Arrivals, Client, Scenario, Server, ServiceTime};
//!
//! let p99 = |strategy: &str| {
//!     let settings = Config::from_toml(&format!("strategy.kind = '{strategy}'"))?;
//!     let server = |at| {
//!         Server::new(format!("s{at}")).service(ServiceTime::exponential(Duration::from_millis(10)))
//!     };
//!     let run = Scenario::new(strategy)
//!         .servers((0..10).map(server))
//!         .client(Client::new("shop").config(settings))
//!         .arrivals(Arrivals::poisson(900.0)) // nine tenths of what they can serve
//!         .lasting(Duration::from_secs(20))
//!         .run()?;
//!     Ok::<_, Box<dyn std::error::Error>>(run.totals.latency.p99)
//! };
//! assert!(p99("least_request")? < p99("random")? / 2);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod arrivals;
mod change;
mod client;
mod drills;
mod engine;
mod expect;
mod fault;
mod report;
mod run;
mod scenario;
mod server;
mod service_time;
mod span;
mod text;

pub use self::arrivals::{Arrivals, Keys, Pattern, Rate, Retries, Spacing};
pub use self::change::{Action, Applied, Call, Change, When};
pub use self::client::{Client, ServerId};
pub use self::drills::{Drill, DrillError, Drilled, PROTECTED, Shown};
pub use self::expect::{Expect, Figure, Finding, Unmet};
pub use self::fault::Fault;
pub use self::report::{Report, Section};
pub use self::run::{
    Answer, FailedAttempts, Happening, Interval, Quantiles, Run, ServerRun, Totals, Traced,
};
pub use self::scenario::{Scenario, ScenarioError};
pub use self::server::{Server, WhenFull};
pub use self::service_time::ServiceTime;
