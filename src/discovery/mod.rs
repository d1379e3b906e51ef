//! Sources that say what the settings and the endpoints are.
//!
//! A source changes nothing by itself: it offers what it has to the balancer, whose guards judge it
//! like anybody's. One that fails leaves what it gave last.

#[cfg(feature = "file")]
mod file;

#[cfg(feature = "file")]
pub use self::file::FileSource;
