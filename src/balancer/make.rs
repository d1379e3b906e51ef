//! Making targets of descriptions, and making them again when they break.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use crate::endpoint::EndpointSpec;
use crate::error::{BoxError, panic_text};
use crate::rng::Rng;
use crate::units::{Nanos, nanos};

type Make<T> = dyn Fn(&EndpointSpec) -> Result<T, BoxError> + Send + Sync;

/// The caller's way from a description to a target.
pub(crate) struct Factory<T>(Box<Make<T>>);

impl<T> Factory<T> {
    pub(crate) fn new(
        make: impl Fn(&EndpointSpec) -> Result<T, BoxError> + Send + Sync + 'static,
    ) -> Self {
        Self(Box::new(make))
    }

    /// Makes a target. A panic is an error like any other: it must not take the writer with it.
    pub(crate) fn make(&self, spec: &EndpointSpec) -> Result<T, Arc<BoxError>> {
        match catch_unwind(AssertUnwindSafe(|| (self.0)(spec))) {
            Ok(made) => made.map_err(Arc::new),
            Err(panic) => {
                let said = panic_text(&*panic).map_or_else(String::new, |said| format!(": {said}"));
                Err(Arc::new(format!("the factory panicked{said}").into()))
            }
        }
    }
}

impl<T> fmt::Debug for Factory<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Factory").finish_non_exhaustive()
    }
}

/// How an endpoint's target is made again: at once the first time, then with growing pauses until
/// the endpoint has answered well again.
#[derive(Debug, Default)]
pub(crate) struct Rebuild {
    /// Targets made in a row without a good answer from any of them.
    attempts: u32,
    made_at: Nanos,
    not_before: Nanos,
    wanted: bool,
}

impl Rebuild {
    const FIRST_PAUSE: Duration = Duration::from_millis(100);
    const LONGEST_PAUSE: Duration = Duration::from_secs(30);

    /// Asks for a new target for one that has `proved` itself or not; `true` if it may be made
    /// now.
    pub(crate) fn want(&mut self, now: Nanos, proved: bool) -> bool {
        if proved {
            self.attempts = 0;
            self.not_before = self.not_before.min(self.made_at.plus(Self::FIRST_PAUSE));
        }
        self.wanted = now < self.not_before;
        !self.wanted
    }

    pub(crate) fn made(&mut self, now: Nanos, rng: &mut Rng) {
        self.pause(now, rng);
        self.wanted = false;
    }

    pub(crate) fn failed(&mut self, now: Nanos, rng: &mut Rng) {
        self.pause(now, rng);
        self.wanted = true;
    }

    pub(crate) fn attempts(&self) -> u32 {
        self.attempts
    }

    /// When it is to be tried again.
    pub(crate) fn due(&self) -> Nanos {
        if self.wanted { self.not_before } else { Nanos::NEVER }
    }

    /// Half of the pause is fixed and half is left to chance, so that a fleet does not reconnect
    /// in step.
    fn pause(&mut self, now: Nanos, rng: &mut Rng) {
        let longest = nanos(Self::LONGEST_PAUSE);
        let doubled = nanos(Self::FIRST_PAUSE) << self.attempts.min(16);
        let pause = doubled.min(longest);
        self.attempts = self.attempts.saturating_add(1);
        self.made_at = now;
        self.not_before = Nanos(now.0.saturating_add(pause / 2 + rng.below(pause / 2 + 1)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pause(rebuild: &Rebuild, now: Nanos) -> Duration {
        Duration::from_nanos(rebuild.due().0 - now.0)
    }

    #[test]
    fn the_first_is_made_at_once_and_the_pauses_grow_to_a_limit() {
        let mut rng = Rng::seeded(5);
        let mut rebuild = Rebuild::default();
        let mut now = Nanos(0);
        let mut pauses = Vec::new();
        for _ in 0..12 {
            assert!(rebuild.want(now, false));
            rebuild.failed(now, &mut rng);
            pauses.push(pause(&rebuild, now));
            now = rebuild.due();
        }
        assert!((50..=100).contains(&pauses[0].as_millis()));
        assert!(pauses[11] >= Duration::from_secs(15) && pauses[11] <= Duration::from_secs(30));
    }

    #[test]
    fn a_good_answer_makes_the_next_pause_short_again() {
        let mut rng = Rng::seeded(5);
        let mut rebuild = Rebuild::default();
        for attempt in 0..10 {
            rebuild.want(Nanos(attempt << 40), false);
            rebuild.made(Nanos(attempt << 40), &mut rng);
        }
        let now = Nanos(1 << 50);
        assert!(rebuild.want(now, true));
        rebuild.made(now, &mut rng);
        assert!(!rebuild.want(Nanos(now.0 + 1), false));
        assert!(pause(&rebuild, now) <= Duration::from_millis(100));
    }

    #[test]
    fn a_panic_of_the_factory_is_an_error_in_words() {
        let factory = Factory::<()>::new(|spec| panic!("no route to {}", spec.address));
        let error = factory.make(&EndpointSpec::new("a", "mars")).unwrap_err();
        assert_eq!(error.to_string(), "the factory panicked: no route to mars");
    }
}
