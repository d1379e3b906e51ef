//! Taking the sick out, never all of them, and bringing them back.
//!
//! Plain functions of state, instant, chance and what was observed. Who calls them holds the
//! writer's lock; nothing here reads a clock or knows a protocol.

mod cap;
mod panicking;
mod rules;
mod standing;

pub(crate) use self::cap::{Cap, Full, Rotation};
pub(crate) use self::panicking::{Panic, PanicBounds};
pub(crate) use self::rules::{Enforced, Rules};
pub(crate) use self::standing::{Phase, Standing};
