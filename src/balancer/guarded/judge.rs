//! Whether a watched change stays: a plain function of figures.

use std::time::Duration;

use crate::balancer::guarded::Guard;
use crate::endpoint::Totals;
use crate::event::RollbackReason;
use crate::units::EndpointId;

/// The time before a change.
#[derive(Clone, Debug, Default)]
pub(super) struct Before {
    pub(super) totals: Totals,
    /// Of these, the picks that went to the endpoint which got most.
    pub(super) leading: u64,
}

/// The time since.
#[derive(Clone, Debug, Default)]
pub(super) struct After {
    pub(super) totals: Totals,
    /// The endpoint that was sent most, and how many of the picks.
    pub(super) leader: Option<(EndpointId, u64)>,
    /// Endpoints that could be chosen before, and are not gone by themselves.
    pub(super) endpoints: usize,
    /// How many of them can be chosen no longer.
    pub(super) lost: usize,
    /// Endpoints that can be chosen.
    pub(super) admitted: usize,
}

/// What is to be done about a change.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Decision {
    GoOn,
    TakeBack(RollbackReason),
    Keep { requests: u64, proven: bool },
}

/// A limit that is broken.
#[derive(Debug)]
struct Broken {
    reason: RollbackReason,
    /// So far that nobody waits for the end of the window.
    badly: bool,
}

/// Judges a change that was made `elapsed` ago. `max_share` is the largest share allowed, if it is
/// limited.
pub(super) fn judge(
    guard: &Guard,
    max_share: Option<f64>,
    before: &Before,
    after: &After,
    elapsed: Duration,
) -> Decision {
    let over = elapsed >= guard.window();
    let limits = [
        failures(guard, before, after),
        lost(guard, after),
        share(guard, max_share, before, after),
        latency(guard, before, after),
        unanswered(guard, before, after),
    ];
    let broken = limits.into_iter().flatten().find(|broken| over || broken.badly);
    if let Some(Broken { reason, .. }) = broken {
        return Decision::TakeBack(reason);
    }
    if !over {
        return Decision::GoOn;
    }
    let requests = after.totals.judged();
    Decision::Keep { requests, proven: requests >= guard.minimum_requests() }
}

fn lost(guard: &Guard, after: &After) -> Option<Broken> {
    let &After { endpoints: of, lost, .. } = after;
    let allowed = guard.max_lost(of)?;
    let badly = lost as f64 > badly(allowed as f64, of as f64);
    let reason = RollbackReason::Lost { lost, of, allowed };
    (lost > allowed).then_some(Broken { reason, badly })
}

fn failures(guard: &Guard, before: &Before, after: &After) -> Option<Broken> {
    let allowed_rise = guard.failure_rise()?;
    let rate = |totals: &Totals| {
        let bad = totals.failures.saturating_add(totals.overloaded);
        part(bad, totals.judged(), guard.minimum_requests())
    };
    let (before, after) = (rate(&before.totals), rate(&after.totals)?);
    let known = before.unwrap_or(0.0);
    let rise = after - known;
    let badly = rise > badly(allowed_rise, 1.0 - known);
    let reason = RollbackReason::FailureRate { before, after, allowed_rise };
    (rise > allowed_rise).then_some(Broken { reason, badly })
}

fn share(guard: &Guard, max_share: Option<f64>, before: &Before, after: &After) -> Option<Broken> {
    let (endpoint, picks) = after.leader.clone()?;
    let minimum = guard.minimum_requests();
    let before = part(before.leading, before.totals.picks, minimum);
    let after_share = part(picks, after.totals.picks, minimum)?;
    let fair = 1.0 / after.admitted.max(1) as f64;
    let much = before.map_or(0.0, |before| before + CHANCE);
    let allowed = max_share?.max(fair).max(much);
    let badly = after_share > badly(allowed, 1.0);
    let reason = RollbackReason::Share { endpoint, before, after: after_share, allowed };
    (after_share > allowed).then_some(Broken { reason, badly })
}

fn latency(guard: &Guard, before: &Before, after: &After) -> Option<Broken> {
    let (quantile, allowed_factor) = guard.latency()?;
    let time = |totals: &Totals| {
        let enough = totals.latencies.count() >= guard.minimum_requests();
        let time = totals.latencies.quantile(quantile).filter(|_| enough);
        time.map(Duration::from_nanos)
    };
    let (before, after) = (time(&before.totals)?, time(&after.totals)?);
    let exceeds = |factor: f64| after.as_secs_f64() > factor * before.as_secs_f64();
    let longer = after.saturating_sub(before) >= NOTICEABLE;
    let badly = exceeds(BADLY * allowed_factor);
    let reason = RollbackReason::Latency { quantile, before, after, allowed_factor };
    (exceeds(allowed_factor) && longer).then_some(Broken { reason, badly })
}

/// While traffic is steady, as many requests are answered as are sent, however long each takes.
fn unanswered(guard: &Guard, before: &Before, after: &After) -> Option<Broken> {
    let allowed_rise = guard.unanswered_rise()?;
    let unanswered = |totals: &Totals| {
        let without = totals.picks.saturating_sub(totals.judged());
        part(without, totals.picks, guard.minimum_requests())
    };
    let (before, after) = (unanswered(&before.totals)?, unanswered(&after.totals)?);
    let reason = RollbackReason::Unanswered { before, after, allowed_rise };
    (after - before > allowed_rise).then_some(Broken { reason, badly: false })
}

/// Times what is allowed that are bad.
const BADLY: f64 = 3.0;

/// By how much the largest share may rise by chance.
const CHANCE: f64 = 0.1;

/// A growth of the latency that is none.
const NOTICEABLE: Duration = Duration::from_millis(1);

/// What is bad where `allowed` is allowed, out of `most`.
fn badly(allowed: f64, most: f64) -> f64 {
    (BADLY * allowed).min(allowed + (most - allowed).max(0.0) / 2.0)
}

/// `count` as a part of `of`, where that is enough to speak of parts.
fn part(count: u64, of: u64, enough: u64) -> Option<f64> {
    (of >= enough).then(|| count as f64 / of as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Histogram;
    use crate::units::Percent;

    const EARLY: Duration = Duration::from_secs(3);
    const OVER: Duration = Duration::from_mins(1);

    fn totals(successes: u64, failures: u64, millis: u64) -> Totals {
        let histogram = Histogram::new();
        (0..successes).for_each(|_| histogram.record(millis * 1_000_000));
        let (picks, latencies) = (successes + failures, histogram.read());
        Totals { picks, successes, failures, latencies, ..Totals::default() }
    }

    /// A thousand good answers of 20 ms, spread evenly over four endpoints.
    fn well() -> Before {
        Before { totals: totals(1_000, 0, 20), leading: 250 }
    }

    fn nothing() -> Before {
        Before::default()
    }

    /// Four endpoints, one of which was sent `leading` of the requests.
    fn since(totals: Totals, leading: u64) -> After {
        let leader = Some((EndpointId::from("a"), leading));
        After { totals, leader, endpoints: 4, lost: 0, admitted: 4 }
    }

    /// Answers spread evenly.
    fn even(successes: u64, failures: u64, millis: u64) -> After {
        let totals = totals(successes, failures, millis);
        since(totals, totals.picks / 4)
    }

    fn of(before: &Before, after: &After, elapsed: Duration) -> Decision {
        judge(&Guard::default(), Some(0.6), before, after, elapsed)
    }

    fn kept(requests: u64) -> Decision {
        Decision::Keep { requests, proven: true }
    }

    fn words(decision: Decision) -> String {
        match decision {
            Decision::TakeBack(reason) => reason.to_string(),
            other => unreachable!("nothing is taken back: {other:?}"),
        }
    }

    #[test]
    fn what_goes_well_is_kept_when_the_window_is_over_and_not_before() {
        let after = even(500, 0, 20);
        assert_eq!(of(&well(), &after, EARLY), Decision::GoOn);
        assert_eq!(of(&well(), &after, OVER - Duration::from_nanos(1)), Decision::GoOn);
        assert_eq!(of(&well(), &after, OVER), kept(500));
        assert_eq!(of(&well(), &after, Duration::MAX), kept(500));
    }

    #[test]
    fn failures_beyond_the_limit_end_it_at_the_end_and_many_more_at_once() {
        let rate = |percent: u64| even(1_000 - 10 * percent, 10 * percent, 20);
        assert_eq!(of(&well(), &rate(5), OVER), kept(1_000));
        assert_eq!(of(&well(), &rate(6), EARLY), Decision::GoOn);
        assert_eq!(
            words(of(&well(), &rate(6), OVER)),
            "failure rate 6 % against 0 % before; at most 5 points more are allowed"
        );
        assert_eq!(of(&well(), &rate(15), EARLY), Decision::GoOn);
        let words = words(of(&well(), &rate(16), EARLY));
        assert!(words.starts_with("failure rate 16 % against 0 % before"), "{words}");
    }

    #[test]
    fn what_failed_before_may_fail_on() {
        let before = Before { totals: totals(700, 300, 20), leading: 250 };
        assert_eq!(of(&before, &even(660, 340, 20), OVER), kept(1_000));
        assert_eq!(of(&before, &even(550, 450, 20), EARLY), Decision::GoOn);
        assert!(words(of(&before, &even(540, 460, 20), EARLY)).contains("46 % against 30 %"));
        assert!(words(of(&before, &even(640, 360, 20), OVER)).contains("36 % against 30 % before"));
    }

    #[test]
    fn a_wide_limit_has_its_bad_half_way_to_the_end() {
        let guard = Guard::default().with_failure_rise(Some(60.0)).unwrap();
        let judged =
            |percent: u64| judge(&guard, None, &well(), &even(100 - percent, percent, 20), EARLY);
        assert_eq!(judged(80), Decision::GoOn);
        assert!(matches!(judged(81), Decision::TakeBack(_)));
    }

    #[test]
    fn overloads_are_failures_and_what_was_ignored_is_nothing() {
        let mut after = even(800, 0, 20);
        after.totals.overloaded = 200;
        after.totals.ignored = 5_000;
        assert!(words(of(&well(), &after, EARLY)).starts_with("failure rate 20 %"));
    }

    #[test]
    fn few_requests_prove_nothing() {
        let unproven = |requests| Decision::Keep { requests, proven: false };
        assert_eq!(of(&well(), &even(16, 33, 9_000), EARLY), Decision::GoOn);
        assert_eq!(of(&well(), &even(16, 33, 9_000), OVER), unproven(49));
        assert_eq!(of(&well(), &After::default(), OVER), unproven(0));
        assert!(matches!(of(&well(), &even(0, 50, 0), EARLY), Decision::TakeBack(_)));
        let one = Guard::default().with_minimum_requests(1).unwrap();
        let judged = judge(&one, None, &nothing(), &even(0, 1, 0), EARLY);
        assert!(words(judged).contains("nothing to compare it to"));
    }

    #[test]
    fn without_a_time_before_only_the_absolute_counts() {
        for before in [nothing(), Before { totals: totals(10, 39, 1), leading: 49 }] {
            assert_eq!(of(&before, &even(960, 40, 60_000), OVER), kept(1_000));
            assert!(words(of(&before, &even(940, 60, 20), OVER)).contains("6 % with nothing"));
            let lopsided = since(totals(1_000, 0, 20), 610);
            assert_eq!(
                words(of(&before, &lopsided, OVER)),
                "`a` received 61 % of the requests; at most 60 % is allowed"
            );
            let hanging = Totals { picks: 9_000, ..totals(1_000, 0, 20) };
            assert_eq!(of(&before, &since(hanging, 2_000), OVER), kept(1_000));
        }
    }

    #[test]
    fn latency_is_compared_at_its_quantile() {
        assert_eq!(of(&well(), &even(1_000, 0, 30), OVER), kept(1_000));
        assert_eq!(of(&well(), &even(1_000, 0, 60), EARLY), Decision::GoOn);
        let told = words(of(&well(), &even(1_000, 0, 60), OVER));
        assert!(told.ends_with("at quantile 0.9; at most 2 times as long is allowed"), "{told}");
        assert!(matches!(of(&well(), &even(1_000, 0, 200), EARLY), Decision::TakeBack(_)));
        let off = Guard::default().with_latency_factor(None).unwrap();
        assert_eq!(judge(&off, None, &well(), &even(1_000, 0, 9_000), OVER), kept(1_000));
        // One in twenty is slow: a matter of the quantile.
        let mut tail = totals(950, 0, 20);
        tail = tail.plus(&totals(50, 0, 2_000));
        assert_eq!(of(&well(), &since(tail, 250), OVER), kept(1_000));
        let high = Guard::default().with_latency_quantile(0.99).unwrap();
        let judged = judge(&high, None, &well(), &since(tail, 250), OVER);
        assert!(words(judged).contains("quantile 0.99"));
    }

    #[test]
    fn a_growth_nobody_notices_is_none() {
        let quick = |micros: u64| {
            let histogram = Histogram::new();
            (0..1_000).for_each(|_| histogram.record(micros * 1_000));
            Totals {
                picks: 1_000,
                successes: 1_000,
                latencies: histogram.read(),
                ..nothing().totals
            }
        };
        let before = Before { totals: quick(20), leading: 250 };
        assert_eq!(of(&before, &since(quick(700), 250), OVER), kept(1_000));
        assert!(matches!(of(&before, &since(quick(3_000), 250), EARLY), Decision::TakeBack(_)));
    }

    #[test]
    fn one_endpoint_may_not_get_all() {
        let share = |percent: u64| since(totals(1_000, 0, 20), 10 * percent);
        assert_eq!(of(&well(), &share(60), OVER), kept(1_000));
        assert_eq!(of(&well(), &share(80), EARLY), Decision::GoOn);
        assert_eq!(
            words(of(&well(), &share(81), EARLY)),
            "`a` received 81 % of the requests against 25 % for the largest share before; at most \
             60 % is allowed"
        );
        let any = judge(&Guard::default(), None, &well(), &share(100), OVER);
        assert_eq!(any, kept(1_000));
        // What was much before is no news, and two share alike.
        let before = Before { leading: 750, ..well() };
        assert_eq!(of(&before, &share(84), OVER), kept(1_000));
        assert!(matches!(of(&before, &share(86), OVER), Decision::TakeBack(_)));
        let alone = After { admitted: 1, ..share(100) };
        assert_eq!(of(&well(), &alone, OVER), kept(1_000));
    }

    #[test]
    fn endpoints_may_not_all_be_lost_and_traffic_does_not_matter() {
        let after = |endpoints, lost| After { endpoints, lost, ..After::default() };
        let stays = |endpoints, lost| {
            matches!(of(&well(), &after(endpoints, lost), OVER), Decision::Keep { .. })
        };
        assert!(stays(4, 1) && stays(2, 1) && stays(8, 2) && stays(0, 0) && stays(3, 0));
        assert!(!stays(4, 2) && !stays(2, 2) && !stays(8, 3) && !stays(1, 1));
        assert_eq!(of(&well(), &after(8, 5), EARLY), Decision::GoOn);
        assert_eq!(
            words(of(&well(), &after(8, 6), EARLY)),
            "6 of 8 endpoints were lost; at most 2 may be"
        );
        let off = Guard::default().with_max_lost(None);
        let judged = judge(&off, None, &well(), &after(8, 8), OVER);
        assert_eq!(judged, Decision::Keep { requests: 0, proven: false });
        let none = Guard::default().with_max_lost(Percent::new(0));
        assert!(matches!(
            judge(&none, None, &well(), &after(100, 2), OVER),
            Decision::TakeBack(RollbackReason::Lost { allowed: 1, .. })
        ));
    }

    #[test]
    fn endpoints_that_answer_nothing_are_found_at_the_end() {
        let hanging = since(Totals { picks: 500, ..Totals::default() }, 125);
        assert_eq!(of(&well(), &hanging, EARLY), Decision::GoOn);
        assert_eq!(
            words(of(&well(), &hanging, OVER)),
            "100 % of the requests unanswered against 0 % before; at most 50 points more are \
             allowed"
        );
        // Where nobody ever says what became of requests, nothing can be missed.
        let silent = Before { totals: Totals { picks: 900, ..Totals::default() }, leading: 250 };
        let unproven = Decision::Keep { requests: 0, proven: false };
        assert_eq!(of(&silent, &hanging, OVER), unproven);
    }

    #[test]
    fn numbers_at_their_ends_are_judged_too() {
        let most = Totals {
            picks: u64::MAX,
            successes: u64::MAX,
            failures: u64::MAX,
            overloaded: u64::MAX,
            ..Totals::default()
        };
        for totals in [most, Totals::default()] {
            for leading in [0, u64::MAX] {
                let before = Before { totals, leading };
                for elapsed in [Duration::ZERO, Duration::MAX] {
                    let (endpoints, lost) = (usize::MAX, usize::MAX);
                    let after = After { endpoints, lost, ..since(totals, leading) };
                    assert!(matches!(of(&before, &after, elapsed), Decision::TakeBack(_)));
                }
            }
        }
    }
}
