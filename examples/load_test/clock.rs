//! Real time: a load test is about nothing else.

use std::time::Instant;

#[expect(clippy::disallowed_methods, reason = "real servers take real time")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Keeps this thread until then, to some tens of microseconds: tokio's timers tell milliseconds.
#[expect(clippy::disallowed_methods, reason = "whoever sends at a fixed rate sleeps in between")]
pub(crate) fn sleep_until(at: Instant) {
    std::thread::sleep(at.saturating_duration_since(now()));
}
