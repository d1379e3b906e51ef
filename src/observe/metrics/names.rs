//! Names that end up as labels, no more of them than a bound says.

use std::collections::BTreeMap;
use std::time::Duration;

use metrics::SharedString;
use tokio::time::Instant;

/// What all are called that come after the last free name.
pub(super) const OTHER: &str = "other";

/// The names that were given to a recorder.
///
/// A recorder keeps each for ever, so whoever is gone still counts; unless it is known to forget what
/// has not been touched for a while.
#[derive(Debug)]
pub(super) struct Names {
    most: usize,
    forgotten_after: Option<Duration>,
    given: BTreeMap<String, Given>,
}

#[derive(Debug)]
struct Given {
    label: SharedString,
    asked: Instant,
}

impl Names {
    pub(super) fn new(most: usize) -> Self {
        Self { most, forgotten_after: None, given: BTreeMap::new() }
    }

    pub(super) fn at_most(&mut self, most: usize) {
        self.most = most;
    }

    pub(super) fn forgotten_after(&mut self, span: Duration) {
        self.forgotten_after = Some(span);
    }

    /// Gives up the names that were asked for too long ago.
    pub(super) fn forget(&mut self, now: Instant) {
        if let Some(span) = self.forgotten_after {
            self.given.retain(|_, given| now.saturating_duration_since(given.asked) <= span);
        }
    }

    /// The label for `name`: itself, while there are names to give; `None` for a nameless other.
    pub(super) fn of(&mut self, name: &str, now: Instant) -> Option<SharedString> {
        if let Some(given) = self.given.get_mut(name) {
            given.asked = now;
            return Some(given.label.clone());
        }
        if self.given.len() >= self.most {
            return None;
        }
        let label = SharedString::from_shared(name.into());
        let given = Given { label: label.clone(), asked: now };
        self.given.insert(name.to_owned(), given);
        Some(label)
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, clippy::unwrap_used)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_name_that_was_given_is_kept_and_no_other_takes_its_place() {
        let now = Instant::now();
        let mut names = Names::new(2);
        let given = ["a", "b", "c", "a"].map(|name| names.of(name, now).is_some());
        assert_eq!(given, [true, true, false, true]);
        names.forget(now + Duration::from_secs(1 << 30));
        assert_eq!(names.of("c", now), None);
        assert_eq!(Names::new(0).of("a", now), None);
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_recorder_forgets_makes_room() {
        let (now, minute) = (Instant::now(), Duration::from_secs(60));
        let mut names = Names::new(2);
        names.forgotten_after(minute);
        names.of("a", now).unwrap();
        names.of("b", now).unwrap();
        names.of("b", now + minute).unwrap();
        names.forget(now + minute);
        assert_eq!(names.of("c", now + minute), None, "it may still be there");
        names.forget(now + minute + Duration::from_nanos(1));
        assert_eq!(names.of("c", now + minute).as_deref(), Some("c"));
        assert_eq!(names.of("d", now + minute), None, "`b` is still in use");
    }
}
