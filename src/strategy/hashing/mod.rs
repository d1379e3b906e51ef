//! Strategies that go by a request's key: the same key, the same endpoint.
//!
//! What a key maps to is decided by a *wheel*, a [`ring`] or a [Maglev table](maglev), which is
//! made of the ids and weights of all [owners](crate::strategy::Owner): those that may be chosen, and
//! those that are out, drained or switched off. So the mapping does not depend on the order of input,
//! on the process or on health. That somebody is out is found when a key is looked up: the lookup
//! [walks](walk) on to the next owner that may be chosen, so that only keys of those who are out go
//! elsewhere, and they are back when their owner is. An endpoint that warms up takes a growing part
//! of its keys, each of them for good.
//!
//! A wheel is built once for a set and kept for as long as a picker uses it: what health, ramps,
//! drains and panic change is a list beside it. Where the set changes again and again, a picker goes
//! on by the wheel of its group that was [there already](stock) until it is worth building another.

mod bounded;
mod foresee;
mod maglev;
mod memory;
mod picker;
mod ring;
mod shares;
mod stock;
#[cfg(test)]
mod tests;
mod walk;
mod wheel;

pub use self::maglev::Maglev;
pub use self::ring::RingHash;

pub(crate) use self::bounded::Reserved;
pub(crate) use self::memory::Wheels;
pub(crate) use self::stock::{Kept, Stock, Used};
