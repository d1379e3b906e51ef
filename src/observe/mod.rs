//! Seeing what balancers do.

#[cfg(feature = "status")]
mod page;

#[cfg(feature = "status")]
pub use self::page::StatusPages;
