//! A balancer's figures, told to whatever recorder stands behind the `metrics` facade.
//!
//! Nothing is recorded where requests are: what there is to tell is counted anyway. Now and then the
//! difference to what was told before is handed on, and what happened in between comes as events.

mod book;
mod catalogue;
mod driver;
mod names;
mod scribe;
mod sheet;
mod tallies;

pub use self::driver::Metrics;
