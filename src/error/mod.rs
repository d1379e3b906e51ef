//! What can be wrong, each with the place and the way out.

mod apply;
mod config;
mod endpoint;
#[cfg(feature = "file")]
mod file;
mod panic;
mod pick;
mod rollback;
mod update;

pub use self::apply::ApplyError;
pub use self::config::{ConfigError, Problem, Severity};
pub use self::endpoint::{EndpointError, EndpointErrorReason, find_cause};
#[cfg(feature = "file")]
pub use self::file::FileError;
pub use self::pick::PickError;
pub use self::rollback::RollbackError;
pub use self::update::UpdateError;

pub(crate) use self::panic::panic_text;

pub use tower::BoxError;
