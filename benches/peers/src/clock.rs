//! The real clock, which everything is measured by.

use std::time::{Duration, Instant};

/// Now, by the clock that no test can pause.
#[inline]
#[must_use]
pub fn now() -> Instant {
    #[expect(clippy::disallowed_methods, reason = "real time is what is measured")]
    Instant::now()
}

/// How long `run` takes.
#[inline]
pub fn time(run: impl FnOnce()) -> Duration {
    let began = now();
    timed(run);
    began.elapsed()
}

/// Has a frame of its own, by which tools find it.
#[inline(never)]
fn timed(run: impl FnOnce()) {
    run();
}
