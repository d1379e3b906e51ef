//! What people see of balancers: figures, log and page.

#[cfg(feature = "tracing")]
mod log;
#[cfg(feature = "metrics")]
mod metrics;
#[cfg(feature = "status")]
mod page;

#[cfg(feature = "metrics")]
pub use self::metrics::Metrics;
#[cfg(feature = "status")]
pub use self::page::StatusPages;
