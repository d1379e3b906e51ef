//! Guides: what to use when, and what to expect of it.

/// What each detector sees and misses, and how ejections, probes, ramps and panic go together.
#[doc = include_str!("../../docs/outliers.md")]
pub mod outliers {}

/// The command-line tool: checking, previewing and explaining settings.
#[doc = include_str!("../../docs/cli.md")]
pub mod cli {}

/// Consistent hashing: which strategy for keys, what moves when, hot keys.
#[doc = include_str!("../../docs/hashing.md")]
pub mod hashing {}

/// Active checks, tiers and zones: who is asked first, who stands by, how traffic moves.
#[doc = include_str!("../../docs/failover.md")]
pub mod failover {}

/// Keys and session affinity: requests that should go where something is.
#[cfg(feature = "affinity")]
#[doc = include_str!("../../docs/sessions.md")]
pub mod sessions {}

/// Drills: the outages that are replayed, and how to write one of your own.
#[cfg(feature = "sim")]
#[doc = include_str!("../../docs/drills.md")]
pub mod drills {}

/// What a request costs and why; choosing strategy, clock and the moment of completion.
#[doc = include_str!("../../docs/speed.md")]
pub mod speed {}
