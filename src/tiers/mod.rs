//! How requests are split among tiers, and within a tier among zones.
//!
//! Plain arithmetic over what each of them can carry. A tier that is well enough carries
//! everything; what it cannot carry goes on to the next, so that a failing tier is left by degrees
//! and not off a cliff. Within a tier the own zone is preferred as far as that loads no zone above
//! its part.

mod grouping;
#[cfg(test)]
mod guide;
mod spill;
mod zones;

pub(crate) use self::grouping::{GroupKey, Tiering};
pub(crate) use self::spill::{Capacity, Spill, spill};
pub(crate) use self::zones::{Callers, by_zone};
