//! What evenkeel costs beside tower's p2c, pingora's load balancing, and the floor.
//!
//! Everything is compared within one run: nanoseconds of one machine say nothing on another, and
//! little an hour later on the same one. The programs `table`, `memory` and `once`, and the benches,
//! run the contestants of this library; `README.md` says what is measured how.

pub mod clock;
pub mod contestant;
pub mod endpoint;
pub mod floor;
pub mod footprint;
pub mod keys;
pub mod options;
pub mod ours;
pub mod p2c;
#[cfg(feature = "pingora")]
pub mod pingora;
pub mod publish;
pub mod race;
pub mod readers;
pub mod spread;
pub mod targets;
pub mod text;
pub mod threads;
