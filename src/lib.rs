//! An embeddable load balancer for Rust services.
//!
//! A service adds this crate and wraps it around the `tower` services it already has. In the
//! caller's own process it chooses an endpoint for each request, keeps the choice provably fair,
//! and lets operators change everything while traffic flows. It refuses a change of the set that
//! looks like a mistake: most of the endpoints gone at once, or all of them. And it takes back a
//! change of the settings that does harm.
//!
//! # A first balancer
//!
//! ```
//! use evenkeel::{Balancer, Endpoint};
//! use tower::{ServiceExt, service_fn};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), evenkeel::BoxError> {
//! let greet = |name: &'static str| async move { Ok::<_, std::io::Error>(format!("hello {name}")) };
//!
//! let balancer = Balancer::builder()
//!     .endpoint(Endpoint::new("a", service_fn(greet)))
//!     .endpoint(Endpoint::new("b", service_fn(greet)).weight(2))
//!     .build()?;
//!
//! let answer = balancer.service().oneshot("world").await?;
//! assert_eq!(answer, "hello world");
//!
//! balancer.drain(&"a".into())?.await; // ready when nothing is in flight to it any more
//! assert_eq!(balancer.status().endpoints[0].effective_weight, 0.0);
//! # Ok(())
//! # }
//! ```
//!
//! Code that is not a `tower` service asks [`Balancer::pick`] for a [`Lease`] instead.
//!
//! # The map
//!
//! * [`Balancer`] is the handle: [`pick`](Balancer::pick), [`replace`](Balancer::replace),
//!   [`set_weight`](Balancer::set_weight), [`drain`](Balancer::drain),
//!   [`apply`](Balancer::apply), [`apply_guarded`](Balancer::apply_guarded),
//!   [`rollback`](Balancer::rollback), [`status`](Balancer::status),
//!   [`explain`](Balancer::explain),
//!   [`decisions`](Balancer::decisions), [`subscribe`](Balancer::subscribe).
//! * [`Balance`] is the `tower` service over endpoints that are services, [`BalanceLayer`] the layer
//!   for one client and many addresses.
//! * `keys` (feature `http`) says what a request's [`Key`] is made of, `SessionAffinity` (feature
//!   `affinity`) keeps sessions with their endpoints.
//! * [`config`] holds the settings, [`Config::from_toml`] reads them.
//! * `FileSource` (feature `file`) is a file of settings that [`Balancer`] keeps to.
//! * [`strategy`] holds the ways of choosing, and the seam for one of your own.
//! * [`outlier`] holds the detectors, and the seam for one of your own.
//! * [`Alarm`] is what the balancer finds wrong with its own state, [`Pager`] the seam that wakes
//!   people.
//! * [`Probe`] is the seam for active checks; [`TcpProbe`], [`ServiceProbe`], `HttpProbe` (feature
//!   `health-http`) and `GrpcProbe` (feature `health-grpc`) are built in.
//! * `Metrics` (feature `metrics`) tells its figures to Prometheus and others, `Balancer::log_events`
//!   (feature `tracing`) its events to the log.
//! * [`Event::Skew`] is what the fairness audit says when requests are spread otherwise than
//!   intended; `docs::audit` is about it.
//! * `laws` (feature `testing`) is the suite that holds a strategy to its promises.
//! * `sim` (feature `sim`) runs balancers in virtual time, with servers, arrivals, faults and changes.
//! * `StatusPages` (feature `status`) shows balancers as a page and as JSON, and [`Balancer::by`] puts
//!   names on what operators do.
//! * `docs` holds the guides: what a request costs, outliers, failover, keys, sessions, status, metrics,
//!   drills, alarms, why a request goes where it goes, the command-line tool, the load test, the playbook for
//!   when something goes wrong, the limits.
//!
//! # How it stays right
//!
//! Everything a pick reads is one immutable snapshot behind one pointer. One writer at a time
//! builds the next snapshot completely before it publishes it, so a request sees the old state or
//! the new one and never a mixture. What is counted of an endpoint (requests in flight, latency,
//! failures) hangs on its id and outlives snapshots: an update forgets nothing. Whatever depends
//! on time alone is settled by the pick that first notices; no task has to run.
//!
//! # Features
//!
//! | feature | default | what it adds |
//! | --- | --- | --- |
//! | `config` | yes | settings from TOML or any serde format, a status that serialises |
//! | `file` | no | settings and endpoints that follow a TOML file |
//! | `http` | no | outcomes by HTTP and gRPC status, `http::Uri` as a target, bodies followed to their end, keys of requests |
//! | `affinity` | no | session affinity: a cookie or a header that carries the endpoint |
//! | `health-http` | no | `HttpProbe`: active checks by an HTTP request |
//! | `health-grpc` | no | `GrpcProbe`: active checks by `grpc.health.v1` |
//! | `tracing` | no | a span around each request that names its balancer and endpoint, and events in the log |
//! | `metrics` | no | `Metrics`: what a balancer does, through the `metrics` facade |
//! | `status` | no | `StatusPages`: an axum `Router` that shows balancers as a page and as JSON |
//! | `testing` | no | the laws suite |
//! | `sim` | no | the simulator, and the drills that replay outages |
//! | `cli` | no | the tool `evenkeel`, which checks, previews and explains settings, and runs drills |

mod alarm;
mod audit;
mod balancer;
mod checker;
mod classify;
pub mod config;
mod decision;
mod discovery;
#[cfg(any(doc, doctest))]
pub mod docs;
mod endpoint;
mod error;
mod event;
mod hash;
mod health;
#[cfg(feature = "testing")]
pub mod laws;
#[cfg(any(feature = "metrics", feature = "status", feature = "tracing"))]
mod observe;
pub mod outlier;
mod ramp;
mod rng;
mod rollout;
mod service;
mod shutdown;
#[cfg(feature = "sim")]
pub mod sim;
mod snapshot;
mod stats;
pub mod strategy;
mod sync;
mod tiers;
mod units;
mod worker;

pub use self::alarm::{Pager, PagerFn, PagerFuture, pager_fn};
pub use self::balancer::{
    AlarmStatus, Balancer, Barred, Builder, Cause, Change, Drain, DrainAll, EndpointStatus, Events,
    ExplainedEndpoint, ExplainedTier, Explanation, Guard, Happening, LatencyStatus, Lease,
    Operator, Override, Preview, Reason, Revision, Share, SkewStatus, Status, TierStatus,
};
#[cfg(feature = "health-grpc")]
pub use self::checker::{GrpcProbe, GrpcProbeError};
#[cfg(feature = "health-http")]
pub use self::checker::{HttpProbe, HttpProbeError, StatusRange};
pub use self::checker::{ServiceProbe, ServiceProbeError, TcpProbe, TcpProbeError};
#[cfg(feature = "http")]
pub use self::classify::{ByGrpcStatus, ByStatus, ChosenEndpoint, WithErrors};
pub use self::classify::{ByResult, Classify, FailureKind, Outcome};
pub use self::config::Config;
#[cfg(feature = "config")]
pub use self::config::ConfigFile;
pub use self::decision::{Considered, DecisionRecord, PickReason};
#[cfg(feature = "file")]
pub use self::discovery::FileSource;
pub use self::endpoint::{Availability, Endpoint, EndpointSpec};
#[cfg(feature = "file")]
pub use self::error::FileError;
pub use self::error::{
    ApplyError, BoxError, ConfigError, EndpointError, EndpointErrorReason, PickError, Problem,
    RollbackError, Severity, UpdateError, find_cause,
};
pub use self::event::{
    Alarm, AlarmKind, Changed, Decision, Ejection, Event, Recovery, RollbackReason, Rule, Skew,
    SkewCause, SkewRule, Verdict,
};
pub use self::health::{Probe, ProbeFn, ProbeFuture, Subject, probe_fn};
#[cfg(feature = "metrics")]
pub use self::observe::Metrics;
#[cfg(feature = "status")]
pub use self::observe::StatusPages;
pub use self::rollout::GuardedApply;
#[cfg(feature = "http")]
pub use self::service::keys;
#[cfg(feature = "affinity")]
pub use self::service::{AffinityError, InSession, SameSite, Secret, SessionAffinity, Sticky};
pub use self::service::{
    Answered, Balance, BalanceLayer, DirectBalance, DirectFuture, KeyBy, NoKey, ResponseFuture,
    Target, Until, UntilHead,
};
#[cfg(feature = "http")]
pub use self::service::{DirectError, FollowedBody, PreserveHost, UntilEnd};
pub use self::shutdown::StillInFlight;
pub use self::units::{EndpointId, Key, Percent, Version};
pub use self::worker::Worker;

/// The README's examples are tests.
#[cfg(all(doctest, feature = "file", feature = "http"))]
#[doc = include_str!("../README.md")]
struct Readme;
