use super::*;
use crate::event::{SkewCause, SkewRule};
use crate::rng::Rng;
use crate::units::Percent;

/// The default test, over ten looks a window.
fn test(n: usize) -> Test {
    Test::new(20, 1_000_000, 10.0, n)
}

/// Requests, in looks of `batch`, until an endpoint that gets `real` instead of `share` is found,
/// after `fair` requests at its proper share.
fn found(n: usize, (share, real): (f64, f64), (fair, batch): (u64, u64), rng: &mut Rng) -> u64 {
    let (test, mut evidence) = (test(n), Evidence::default());
    let expected = test.expect(share).expect("it is a part");
    let mut draw = |share: f64| (0..batch).filter(|_| rng.fraction() < share).count() as u64;
    for _ in 0..fair / batch {
        evidence = test.look(evidence, &expected, draw(share), batch, true);
        assert!(!test.is_too_much(evidence) && !test.is_too_little(evidence), "a false alarm");
    }
    for look in 1.. {
        evidence = test.look(evidence, &expected, draw(real), batch, true);
        if test.is_too_much(evidence) || test.is_too_little(evidence) {
            return look * batch;
        }
        assert!(look * batch < 1_000_000, "never found");
    }
    unreachable!("the numbers do not end");
}

#[test]
fn a_favourite_of_twice_its_part_among_ten_is_found_within_two_thousand_requests() {
    let mut rng = Rng::seeded(11);
    let mut needed: Vec<_> =
        (0..1_000).map(|_| found(10, (0.1, 0.2), (5_000, 50), &mut rng)).collect();
    needed.sort_unstable();
    assert!(needed[500] < 1_300, "median {}", needed[500]);
    assert!(needed[990] <= 2_000, "99 % {}", needed[990]);
}

#[test]
fn milder_favourites_and_neglected_ones_are_found_too() {
    let mut rng = Rng::seeded(12);
    for (real, most) in [(0.15, 12_000), (0.0, 500), (0.04, 3_000), (0.9, 100)] {
        let needed = found(10, (0.1, real), (10_000, 50), &mut rng);
        assert!(needed <= most, "{real}: {needed}");
    }
    let needed = found(100, (0.01, 0.02), (10_000, 100), &mut rng);
    assert!(needed <= 40_000, "{needed}");
}

#[test]
fn what_is_tolerated_is_never_told() {
    let mut rng = Rng::seeded(13);
    // The bounds themselves, of which the guarantee speaks: odds of a sixth more and a sixth less.
    for (share, real) in [(0.1, 0.115), (0.1, 0.0875), (0.5, 0.54), (1.0 / 3.0, 0.3)] {
        let (test, mut evidence) = (test(10), Evidence::default());
        let expected = test.expect(share).expect("it is a part");
        for look in 0..20_000 {
            let taken = (0..100).filter(|_| rng.fraction() < real).count() as u64;
            evidence = test.look(evidence, &expected, taken, 100, true);
            assert!(!test.is_too_much(evidence), "{share} {real} look {look}: {evidence:?}");
            assert!(!test.is_too_little(evidence), "{share} {real} look {look}: {evidence:?}");
        }
    }
}

/// What makes it a test: at the bound a bet is worth on average what it was worth before.
#[test]
fn on_average_no_bet_grows_while_the_hypothesis_holds() {
    let test = Test::new(20, 1_000_000, 10.0, 3);
    let choose = |n: u32, k: u32| (0..k).fold(1.0, |c, i| c * f64::from(n - i) / f64::from(i + 1));
    for share in [0.01, 0.1, 0.5, 0.9] {
        let expected = test.expect(share).expect("it is a part");
        for factor in [1.0 / 1.2, 0.9, 1.0, 1.1, 1.2] {
            let real = factor * share / (1.0 - share + factor * share);
            let n = 12;
            let (mut more, mut less) = ([0.0; 2], 0.0);
            for k in 0..=n {
                let chance = choose(n, k)
                    * f64::powi(real, k as i32)
                    * f64::powi(1.0 - real, (n - k) as i32);
                let worth = |at: usize| {
                    let after = test.look(Evidence::default(), &expected, k.into(), n.into(), true);
                    // The rounding is undone by no more than a step.
                    f64::exp(f64::from((after.packed() >> (16 * at)) as u16 as i16) / 512.0)
                };
                more[0] += chance * worth(0);
                more[1] += chance * worth(1);
                less += chance * worth(2);
            }
            let most = more[0].max(more[1]).max(less);
            assert!(most <= 1.0 + 1e-9, "{share} {factor}: {more:?} {less}");
        }
    }
}

#[test]
fn an_alarm_is_over_once_half_of_its_evidence_is_gone() {
    let mut rng = Rng::seeded(14);
    let (test, mut evidence) = (test(10), Evidence::default());
    let expected = test.expect(0.1).expect("it is a part");
    for _ in 0..100 {
        evidence = test.look(evidence, &expected, 40, 100, true);
    }
    assert!(test.is_too_much(evidence) && evidence.more() <= test.threshold() + 2.1);
    let mut requests = 0;
    while !test.is_over(evidence) {
        let taken = (0..100).filter(|_| rng.fraction() < 0.1).count() as u64;
        evidence = test.look(evidence, &expected, taken, 100, true);
        requests += 100;
    }
    assert!((200..3_000).contains(&requests), "{requests}");
}

#[test]
fn looks_between_looks_judge_as_one_would() {
    let test = test(4);
    let expected = test.expect(0.25).expect("it is a part");
    let mut apart = Evidence::default();
    apart = test.look(apart, &expected, 0, 10, true);
    apart = test.look(apart, &expected, 9, 10, false);
    let together = test.look(Evidence::default(), &expected, 9, 20, true);
    assert!((apart.more() - together.more()).abs() <= 2.0 / 512.0, "{apart:?} {together:?}");
}

#[test]
fn evidence_is_kept_in_a_word_and_within_bounds() {
    let test = test(10_000);
    let expected = test.expect(1e-4).expect("it is a part");
    let huge = test.look(Evidence::default(), &expected, u64::MAX, u64::MAX, true);
    let none = test.look(Evidence::default(), &expected, 0, u64::MAX, false);
    for evidence in [huge, none, huge.skipping(true)] {
        assert_eq!(Evidence::unpacked(evidence.packed()), evidence);
    }
    assert!(test.is_too_little(none) && !test.is_too_much(none));
    for odd in [0.0, 1.0, -0.5, 1.5, f64::NAN] {
        assert_eq!(test.expect(odd), None);
    }
}

#[test]
fn one_of_five_may_have_seventy_percent_and_who_is_alone_all() {
    let rule = Concentration::of_five(Percent::new(70).expect("70 is at most 100"));
    let percent = |n: usize| rule.limit(n).map(|limit| (100.0 * limit).round());
    let limits = [0, 1, 2, 3, 5, 10, 100, 10_000].map(percent);
    let some = [90.0, 82.0, 70.0, 51.0, 10.0, 10.0].map(Some);
    assert_eq!(limits[..2], [None, None]);
    assert_eq!(limits[2..], some);
    assert!(!Concentration::is_too_much(199.0, 199.0, 0.7), "too few requests");
    assert!(Concentration::is_too_much(141.0, 200.0, 0.7));
    assert!(!Concentration::is_too_much(140.0, 200.0, 0.7));
    assert!(!Concentration::is_over(69.0, 100.0, 0.7) && Concentration::is_over(60.0, 100.0, 0.7));
    assert!(!Concentration::is_over(100.0, 100.0, 0.7));
}

#[test]
fn each_cause_is_named_by_what_explains_it() {
    let one_of_five = || Circumstances {
        realised: 0.9,
        expected: 0.2,
        meant: 0.2,
        limit: Some(0.7),
        ..Circumstances::default()
    };
    let cause = |circumstances: Circumstances| circumstances.cause(SkewRule::Concentration);
    assert_eq!(cause(one_of_five()), SkewCause::Unknown);
    assert_eq!(cause(Circumstances { by_load: true, ..one_of_five() }), SkewCause::Load);
    let heavy = Circumstances { expected: 0.9, meant: 0.9, out: (1, 5), ..one_of_five() };
    assert_eq!(cause(heavy), SkewCause::Weights);
    let alone = Circumstances { expected: 0.9, out: (4, 5), ..one_of_five() };
    assert_eq!(cause(alone), SkewCause::OthersOut { out: 4, of: 5 });
    let hot = Circumstances { hot_key: 0.6, sessions: 0.4, ..one_of_five() };
    assert_eq!(cause(hot), SkewCause::HotKey { share: 0.6 });
    let cold = Circumstances { hot_key: 0.3, out: (1, 5), ..one_of_five() };
    assert_eq!(cause(cold), SkewCause::OthersOut { out: 1, of: 5 }, "it explains too little");
    let stays = Circumstances { sessions: 0.8, ..one_of_five() };
    assert_eq!(cause(stays), SkewCause::Sessions { share: 0.8 });
    let retried = Circumstances { excluding: 0.7, ..one_of_five() };
    assert_eq!(cause(retried.clone()), SkewCause::Exclusions { share: 0.7 });
    let unready = Circumstances { unready: Some(("b".into(), 0.5)), ..retried };
    assert_eq!(cause(unready.clone()), SkewCause::NeverReady { endpoint: "b".into() });
    assert_eq!(unready.cause(SkewRule::Share), SkewCause::NeverReady { endpoint: "b".into() });
    let full = Circumstances { overflowed: 0.5, ..one_of_five() };
    assert_eq!(cause(full.clone()), SkewCause::OthersSaturated { share: 0.5 });
    assert_eq!(full.cause(SkewRule::Share), SkewCause::Unknown);
    assert_eq!(one_of_five().cause(SkewRule::KeySpace), SkewCause::UnevenKeys);
    assert_eq!(one_of_five().cause(SkewRule::Draw), SkewCause::Unknown);
}
