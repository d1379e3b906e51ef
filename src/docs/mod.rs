//! Guides: what to use when, and what to expect of it.

/// What each detector sees and misses, and how ejections, probes, ramps and panic go together.
#[doc = include_str!("../../docs/outliers.md")]
pub mod outliers {}

/// Alarms: what the balancer finds wrong with itself, what to look at, whom it tells.
#[doc = include_str!("../../docs/alarms.md")]
pub mod alarms {}

/// The fairness audit: what it sees, when it speaks, and what to do about each cause.
#[doc = include_str!("../../docs/audit.md")]
pub mod audit {}

/// The command-line tool: checking, previewing and explaining settings, and drills.
#[doc = include_str!("../../docs/cli.md")]
pub mod cli {}

/// Consistent hashing: which strategy for keys, what moves when, hot keys.
#[doc = include_str!("../../docs/hashing.md")]
pub mod hashing {}

/// Who gets what and why: status as data, as JSON and as a page, and names on changes.
#[cfg(feature = "status")]
#[doc = include_str!("../../docs/status.md")]
pub mod status {}

/// Active checks, tiers and zones: who is asked first, who stands by, how traffic moves.
#[doc = include_str!("../../docs/failover.md")]
pub mod failover {}

/// Where a request would go, where requests went, and why.
#[doc = include_str!("../../docs/explain.md")]
pub mod explain {}

/// Keys and session affinity: requests that should go where something is.
#[cfg(feature = "affinity")]
#[doc = include_str!("../../docs/sessions.md")]
pub mod sessions {}

/// Drills: the outages that are replayed, and how to write one of your own.
#[cfg(feature = "sim")]
#[doc = include_str!("../../docs/drills.md")]
pub mod drills {}

/// Metrics and tracing: every name and label, what it means, and what to ask of it.
#[cfg(all(feature = "metrics", feature = "tracing"))]
#[doc = include_str!("../../docs/metrics.md")]
pub mod metrics {}

/// What a request costs and why; choosing strategy, clock and the moment of completion.
#[doc = include_str!("../../docs/speed.md")]
pub mod speed {}

/// The playbook: what to look at and what to do when something goes wrong, and how to rehearse it.
#[doc = include_str!("../../docs/playbook.md")]
pub mod playbook {}

/// Limits: what a balancer in one process cannot know, and when not to use it.
#[doc = include_str!("../../docs/limits.md")]
pub mod limits {}

/// The load test on real servers, and how to read its table.
#[doc = include_str!("../../docs/load_test.md")]
pub mod load_test {}
