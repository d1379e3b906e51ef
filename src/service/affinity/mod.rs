//! Session affinity: sessions that stay with the endpoint that has their state.
//!
//! Consistent hashing keeps a session together as long as the set stays as it is, and moves some of
//! them with every change of it. A token that carries the endpoint keeps it whatever joins or
//! leaves: what Envoy calls stateful sessions, gRPC stateful affinity, HAProxy and nginx
//! persistence by cookie. It costs a cookie, and a balance that is only as even as sessions are
//! alike: an endpoint that joins gets new sessions only.
//!
//! Nothing of it is known to the picks but a [preference](crate::Key::preferring): `token` makes and
//! reads what is handed out, `sessions` finds endpoints by it, `sticky` wraps the services.

mod error;
mod in_session;
mod sessions;
mod settings;
mod sticky;
mod token;

#[cfg(test)]
mod tests;

pub use self::error::AffinityError;
pub use self::in_session::InSession;
pub use self::settings::{SameSite, SessionAffinity};
pub use self::sticky::Sticky;
pub use self::token::Secret;

use std::time::{SystemTime, UNIX_EPOCH};

/// Seconds since 1970: tokens outlive processes, so no other clock will do.
fn unix_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
