//! Words the rest of the crate is written in: identities, percents, versions, instants.

mod id;
mod key;
mod percent;
mod plain;
#[cfg(feature = "config")]
pub(crate) mod seconds;
mod time;
mod version;

pub use self::id::EndpointId;
pub use self::key::Key;
pub use self::percent::Percent;
pub use self::version::Version;

pub(crate) use self::plain::Plain;
pub(crate) use self::time::{COARSE, Nanos, Origin, nanos};
