//! What can be wrong, each with the place and the way out.

mod config;
mod endpoint;
mod pick;
mod update;

pub use self::config::{ConfigError, Problem, Severity};
pub use self::endpoint::{EndpointError, EndpointErrorReason, find_cause};
pub use self::pick::PickError;
pub use self::update::UpdateError;

pub use tower::BoxError;
