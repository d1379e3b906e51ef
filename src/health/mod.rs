//! Active checks: what a check is, and what follows from its answers.
//!
//! Nothing here reads a clock or waits; whoever makes the checks is a driver.

mod probe;

pub use self::probe::{Probe, ProbeFn, ProbeFuture, Subject, probe_fn};
