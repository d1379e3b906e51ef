#![allow(clippy::disallowed_methods, reason = "any instant will do")]

use std::time::Duration;

use proptest::prelude::*;
use tokio::time::Instant;

use super::*;
use crate::event::AlarmKind;

const KINDS: usize = 3;

/// An alarm of one of three kinds.
fn alarm(kind: usize, raised: bool) -> Alarm {
    let kind = match kind {
        0 => AlarmKind::Panic { tier: 0, admitted: 1, of: 4 },
        1 => AlarmKind::CapReached { out: 2, of: 4, most: 2 },
        _ => AlarmKind::UpdateRefused { reason: String::from("no") },
    };
    let (since, lasting) = (Instant::now(), Duration::ZERO);
    Alarm { balancer: String::from("x"), kind, raised, since, lasting }
}

fn next(pages: &mut Pages) -> Option<(&'static str, bool, u32)> {
    let Page { alarm, attempts } = pages.next()?;
    Some((alarm.kind.name(), alarm.raised, attempts))
}

#[test]
fn what_nobody_has_heard_of_is_no_news_once_it_is_over() {
    let mut pages = Pages::default();
    pages.push(alarm(0, true));
    pages.push(alarm(1, true));
    pages.push(alarm(0, false));
    assert_eq!(next(&mut pages), Some(("cap_reached", true, 1)));
    // Heard, or about to be: that it is over is news, and that it is back at once is none.
    pages.push(alarm(1, false));
    pages.push(alarm(1, true));
    pages.taken();
    assert_eq!(next(&mut pages), None);
    pages.push(alarm(1, false));
    assert_eq!(next(&mut pages), Some(("cap_reached", false, 1)));
}

#[test]
fn what_came_to_no_end_is_told_again() {
    let mut pages = Pages::default();
    pages.push(alarm(0, true));
    assert_eq!(next(&mut pages), Some(("panic", true, 1)));
    pages.push(alarm(0, false));
    assert_eq!(next(&mut pages), Some(("panic", true, 2)), "nobody knows whether it was heard");
    pages.taken();
    assert_eq!(next(&mut pages), Some(("panic", false, 1)));
}

#[test]
fn what_fails_goes_behind_the_others_and_is_given_up_at_last() {
    let mut pages = Pages::default();
    pages.push(alarm(0, true));
    pages.push(alarm(1, true));
    assert_eq!(next(&mut pages), Some(("panic", true, 1)));
    assert!(!pages.failed());
    assert_eq!(next(&mut pages), Some(("cap_reached", true, 1)));
    pages.taken();
    assert_eq!(next(&mut pages), Some(("panic", true, 2)));
    assert!(!pages.failed());
    assert_eq!(next(&mut pages), Some(("panic", true, 3)));
    assert!(pages.failed());
    assert_eq!(next(&mut pages), None);
}

#[test]
fn what_fails_and_is_over_is_told_no_more() {
    let mut pages = Pages::default();
    pages.push(alarm(0, true));
    assert_eq!(next(&mut pages), Some(("panic", true, 1)));
    pages.push(alarm(0, false));
    assert!(!pages.failed());
    assert_eq!(next(&mut pages), None);
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Turn(usize),
    Next,
    Taken,
    Failed,
}

proptest! {
    /// Whatever comes in whatever order: no more than one of a kind waits besides one that may have
    /// been heard, and a pager that takes all knows at the end what is raised.
    #[test]
    fn bounded_and_true_at_the_end(
        steps in prop::collection::vec(
            prop_oneof![
                (0..KINDS).prop_map(Step::Turn),
                Just(Step::Next),
                Just(Step::Taken),
                Just(Step::Failed),
            ],
            0..200,
        ),
    ) {
        let mut pages = Pages::default();
        let (mut raised, mut heard) = ([false; KINDS], [false; KINDS]);
        let mut under_way: Option<Alarm> = None;
        let mut lost = [false; KINDS];
        let of = |alarm: &Alarm| match alarm.kind {
            AlarmKind::Panic { .. } => 0,
            AlarmKind::CapReached { .. } => 1,
            _ => 2,
        };
        for step in steps {
            match step {
                Step::Turn(kind) => {
                    raised[kind] = !raised[kind];
                    pages.push(alarm(kind, raised[kind]));
                }
                Step::Next => under_way = pages.next().map(|page| page.alarm),
                Step::Taken => {
                    pages.taken();
                    if let Some(alarm) = under_way.take() {
                        heard[of(&alarm)] = alarm.raised;
                    }
                }
                Step::Failed => {
                    let given_up = pages.failed();
                    if let Some(alarm) = under_way.take() {
                        lost[of(&alarm)] |= given_up;
                    }
                }
            }
            prop_assert!(pages.len() <= KINDS + 1);
        }
        while let Some(Page { alarm, .. }) = pages.next() {
            heard[of(&alarm)] = alarm.raised;
            pages.taken();
        }
        for kind in 0..KINDS {
            prop_assert!(lost[kind] || heard[kind] == raised[kind], "{kind}: {raised:?} {heard:?}");
        }
    }
}
