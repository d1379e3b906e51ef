//! Active checks: what a check is, and what follows from its answers.
//!
//! Nothing here reads a clock or waits; whoever makes the checks is a driver.

mod plan;
mod probe;
mod schedule;
mod tally;

pub(crate) use self::plan::Plan;
pub use self::probe::{Probe, ProbeFn, ProbeFuture, Subject, probe_fn};
pub(crate) use self::schedule::Schedule;
pub(crate) use self::tally::Finding;
