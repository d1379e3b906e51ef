//! When to look at the file, and whether what is there has settled.

use std::time::Duration;

use tokio::time::Instant;

use crate::discovery::file::read::Sight;

/// Times of the debounce that a file may go on changing, or stay open for writing, before it is
/// looked at all the same.
const PATIENCE: u32 = 10;

/// The times of looks.
///
/// Something stirs: the system says so, or a look sees what is not known. Then the file is left
/// alone until nothing has stirred for the debounce. What stands there then has settled. A file
/// that somebody has written into and not closed yet may be cut off anywhere, so this one is given
/// [`PATIENCE`].
#[derive(Debug)]
pub(super) struct Pace {
    debounce: Duration,
    poll: Duration,
    /// What has settled last.
    known: Option<Sight>,
    stir: Option<Stir>,
    next_look: Instant,
}

#[derive(Debug)]
struct Stir {
    first: Instant,
    last: Instant,
    /// Whether somebody has written and not closed the file.
    open: bool,
    /// What a look has seen that nobody had announced.
    seen: Option<Sight>,
}

/// What a look came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Looked {
    /// It may still be changing.
    Unsettled,
    /// What is there has settled, and is new.
    New,
    /// There is nothing new.
    Same,
}

impl Pace {
    /// Looks at once, then every `poll` while nothing stirs.
    pub(super) fn new(now: Instant, debounce: Duration, poll: Duration) -> Self {
        Self { debounce, poll, known: None, stir: None, next_look: now }
    }

    /// When the next look is due.
    pub(super) fn due(&self) -> Instant {
        let Some(stir) = &self.stir else { return self.next_look };
        let patience = self.debounce * PATIENCE;
        let quiet = if stir.open { patience } else { self.debounce };
        (stir.last + quiet).min(stir.first + patience)
    }

    pub(super) fn known(&self) -> Option<&Sight> {
        self.known.as_ref()
    }

    pub(super) fn is_stirred(&self) -> bool {
        self.stir.is_some()
    }

    /// The system says that the file, or the way to it, has changed; `open` if somebody is at it.
    pub(super) fn stirred(&mut self, now: Instant, open: bool) {
        let stir = self.stir.get_or_insert(Stir { first: now, last: now, open, seen: None });
        (stir.last, stir.open) = (now, open);
    }

    /// A look has seen `sight`.
    pub(super) fn looked(&mut self, now: Instant, sight: &Sight) -> Looked {
        let known = self.known.as_ref() == Some(sight);
        let waits = match &self.stir {
            // What is there all of a sudden, and was not announced, may be half of something.
            None => !known,
            Some(Stir { seen: Some(seen), first, .. }) => {
                seen != sight && now < *first + self.debounce * PATIENCE
            }
            Some(_) => false,
        };
        if waits {
            let first = self.stir.as_ref().map_or(now, |stir| stir.first);
            self.stir = Some(Stir { first, last: now, open: false, seen: Some(sight.clone()) });
            return Looked::Unsettled;
        }
        self.stir = None;
        self.next_look = now + self.poll;
        if known {
            return Looked::Same;
        }
        self.known = Some(sight.clone());
        Looked::New
    }

    /// Looks again after `span` at the latest.
    pub(super) fn look_within(&mut self, now: Instant, span: Duration) {
        self.next_look = self.next_look.min(now + span);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEBOUNCE: Duration = Duration::from_millis(200);
    const POLL: Duration = Duration::from_secs(5);
    const A: Sight = Ok(1);
    const B: Sight = Ok(2);
    const C: Sight = Ok(3);

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    /// A pace that has settled on `A`, and the instant it has done so.
    fn settled() -> (Pace, Instant) {
        #[expect(clippy::disallowed_methods, reason = "where the time of the test begins")]
        let start = Instant::now();
        let mut pace = Pace::new(start, DEBOUNCE, POLL);
        assert_eq!((pace.due(), pace.looked(start, &A)), (start, Looked::Unsettled));
        let now = start + DEBOUNCE;
        assert_eq!((pace.due(), pace.looked(now, &A)), (now, Looked::New));
        (pace, now)
    }

    #[test]
    fn what_is_known_is_looked_at_each_poll() {
        let (mut pace, mut now) = settled();
        for _ in 0..3 {
            assert_eq!(pace.due(), now + POLL);
            now = pace.due();
            assert_eq!(pace.looked(now, &A), Looked::Same);
        }
        pace.look_within(now, ms(300));
        assert_eq!(pace.due(), now + ms(300));
        pace.look_within(now, POLL * 2);
        assert_eq!(pace.due(), now + ms(300));
    }

    #[test]
    fn a_change_is_read_when_it_has_been_quiet() {
        let (mut pace, now) = settled();
        for after in [0, 150, 300] {
            pace.stirred(now + ms(after), false);
            assert_eq!(pace.due(), now + ms(after) + DEBOUNCE);
        }
        assert!(pace.is_stirred());
        assert_eq!(pace.looked(now + ms(500), &B), Looked::New);
        assert_eq!(pace.due(), now + ms(500) + POLL);
        assert_eq!(pace.known(), Some(&B));
    }

    #[test]
    fn a_stir_that_came_to_nothing_is_no_news() {
        let (mut pace, now) = settled();
        pace.stirred(now, false);
        assert_eq!(pace.looked(now + DEBOUNCE, &A), Looked::Same);
        assert!(!pace.is_stirred());
    }

    #[test]
    fn a_file_that_is_open_for_writing_is_waited_for() {
        let (mut pace, now) = settled();
        pace.stirred(now, true);
        assert_eq!(pace.due(), now + DEBOUNCE * PATIENCE);
        pace.stirred(now + ms(700), false);
        assert_eq!(pace.due(), now + ms(700) + DEBOUNCE);
    }

    #[test]
    fn a_file_that_never_rests_is_read_all_the_same() {
        let (mut pace, now) = settled();
        let most = DEBOUNCE * PATIENCE;
        for open in [true, false] {
            pace = Pace { stir: None, ..pace };
            for after in (0..1_900).step_by(100) {
                pace.stirred(now + ms(after), open);
                assert!(pace.due() <= now + most);
            }
            pace.stirred(now + ms(1_900), open);
            assert_eq!(pace.due(), now + most);
        }
        assert_eq!(pace.looked(now + most, &B), Looked::New);
    }

    #[test]
    fn what_nobody_announced_must_be_seen_twice() {
        let (mut pace, now) = settled();
        let now = now + POLL;
        assert_eq!(pace.looked(now, &B), Looked::Unsettled);
        assert_eq!(pace.due(), now + DEBOUNCE);
        assert_eq!(pace.looked(now + DEBOUNCE, &C), Looked::Unsettled);
        assert_eq!(pace.due(), now + DEBOUNCE * 2);
        assert_eq!(pace.looked(now + DEBOUNCE * 2, &C), Looked::New);
    }

    #[test]
    fn what_was_there_for_an_instant_is_forgotten() {
        let (mut pace, now) = settled();
        assert_eq!(pace.looked(now + POLL, &B), Looked::Unsettled);
        assert_eq!(pace.looked(now + POLL + DEBOUNCE, &A), Looked::Unsettled);
        assert_eq!(pace.looked(now + POLL + DEBOUNCE * 2, &A), Looked::Same);
    }

    #[test]
    fn what_is_different_each_time_is_taken_in_the_end() {
        let (mut pace, start) = settled();
        let mut looks = 0;
        let mut now = start;
        for content in 10.. {
            now = pace.due();
            looks += 1;
            if pace.looked(now, &Ok(content)) == Looked::New {
                break;
            }
        }
        assert_eq!(now, start + POLL + DEBOUNCE * PATIENCE);
        assert_eq!(looks, PATIENCE + 1);
    }

    #[test]
    fn a_clock_that_goes_back_harms_nothing() {
        let (mut pace, now) = settled();
        pace.stirred(now, false);
        pace.stirred(now - ms(100), false);
        assert_eq!(pace.due(), now + ms(100));
        assert_eq!(pace.looked(now - ms(150), &B), Looked::New);
    }
}
