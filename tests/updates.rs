//! Which changes of the set are believed, and what a refusal leaves behind.

#![cfg(feature = "config")]

mod support;

use std::time::Duration;

use evenkeel::{Changed, EndpointSpec, Event, UpdateError, Version};
use tokio::time::advance;

use crate::support::{
    Numbered, balancer, config, endpoint, endpoints, id, now, pick, received, refused, sequence,
    shrinks, strategy,
};

const SECOND: Duration = Duration::from_secs(1);
const CONFIRM: Duration = Duration::from_secs(60);

type Answer = Result<Version, UpdateError>;

/// Makes a change that must be published, and sees that it is one event.
fn published(balancer: &Numbered, change: impl FnOnce(&Numbered) -> Answer) -> Changed {
    let mut events = balancer.subscribe();
    let before = balancer.version();
    let version = change(balancer).expect("the change has to be published");
    assert!(version > before && version == balancer.version());
    match received(&mut events).as_slice() {
        [Event::Published { version: told, change }]
        | [Event::Published { version: told, change }, Event::ShareRaised { .. }]
            if *told == version =>
        {
            change.clone()
        }
        other => unreachable!("one change was told as {other:?}"),
    }
}

// --- Empty sets ----------------------------------------------------------------------------------

#[tokio::test(start_paused = true)]
async fn an_empty_set_is_refused_for_ever() {
    for n in [1, 2, 3, 4, 10] {
        let balancer = balancer("", n, 0);
        for _ in 0..3 {
            let error = refused(&balancer, |it| it.replace([]));
            assert!(matches!(error, UpdateError::Empty { current } if current == n), "{error}");
            advance(CONFIRM).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_last_endpoint_is_not_removed() {
    let balancer = balancer("", 2, 0);
    balancer.remove(&id(0)).unwrap();
    let error = refused(&balancer, |it| it.remove(&id(1)));
    assert!(matches!(error, UpdateError::Empty { current: 1 }), "{error}");
}

#[tokio::test(start_paused = true)]
async fn an_empty_set_is_taken_where_that_is_allowed() {
    let settings = "[update]\nallow_empty = true\nmax_shrink_percent = 100";
    for n in [1, 3, 10] {
        published(&balancer(settings, n, 0), |it| it.replace([]));
    }
    published(&balancer(settings, 1, 0), |it| it.remove(&id(0)));
}

#[tokio::test(start_paused = true)]
async fn an_empty_set_may_be_sent_to_an_empty_balancer() {
    let balancer = balancer("", 0, 0);
    let version = balancer.version();
    assert_eq!(balancer.replace([]).unwrap(), version);
    published(&balancer, |it| it.replace(endpoints(0..3)));
}

// --- Sets without weight -------------------------------------------------------------------------

/// Endpoints that take nothing: to whoever sends requests it is an empty set.
#[tokio::test(start_paused = true)]
async fn a_set_of_zero_weights_is_refused_as_an_empty_one_is() {
    let weightless = |n: usize| endpoints(0..n).into_iter().map(|it| it.weight(0));
    for n in [1, 3, 10] {
        let numbered = balancer("", n, 0);
        for _ in 0..3 {
            let error = refused(&numbered, |it| it.replace(weightless(n)));
            let zero = matches!(error, UpdateError::AllWeightsZero { proposed } if proposed == n);
            assert!(zero, "{error}");
            advance(CONFIRM).await;
        }
        published(&numbered, |it| it.replace_unchecked(weightless(n)));
        // What takes nothing already has nothing to lose.
        published(&numbered, |it| {
            it.replace(endpoints(20..20 + n).into_iter().map(|it| it.weight(0)))
        });
        published(&numbered, |it| it.replace(endpoints(0..n)));
    }
    for settings in ["[update]\nallow_empty = true", "update = false"] {
        published(&balancer(settings, 10, 0), |it| it.replace(weightless(10)));
    }
    // One is enough.
    let but_one =
        endpoints(0..10).into_iter().enumerate().map(|(at, it)| it.weight(u32::from(at == 7)));
    published(&balancer("", 10, 0), |it| it.replace(but_one));
}

#[tokio::test(start_paused = true)]
async fn the_last_endpoint_with_a_weight_is_not_removed() {
    let balancer = balancer("", 4, 0);
    for number in 1..4 {
        balancer.set_weight(&id(number), 0).unwrap();
    }
    let error = refused(&balancer, |it| it.remove(&id(0)));
    assert!(matches!(error, UpdateError::AllWeightsZero { proposed: 3 }), "{error}");
    balancer.remove(&id(1)).unwrap();
    balancer.enable(&id(2)).unwrap();
    balancer.remove(&id(0)).unwrap();
}

/// The weight that an operator gave is the one that counts.
#[tokio::test(start_paused = true)]
async fn weights_of_operators_count_where_a_set_is_sent_without_any() {
    let balancer = balancer("", 3, 0);
    let weightless = || endpoints(0..3).into_iter().map(|it| it.weight(0));
    balancer.set_weight(&id(1), 2).unwrap();
    balancer.replace(weightless()).unwrap();
    balancer.replace(endpoints(0..3)).unwrap();
    balancer.set_weight(&id(1), 0).unwrap();
    let others =
        || endpoints(0..3).into_iter().map(|it| if it.id() == &id(1) { it } else { it.weight(0) });
    let error = refused(&balancer, |it| it.replace(others()));
    assert!(matches!(error, UpdateError::AllWeightsZero { .. }), "{error}");
    // Whoever switches the last one off by hand means it.
    balancer.set_weight(&id(0), 0).unwrap();
    balancer.set_weight(&id(2), 0).unwrap();
    balancer.replace(others()).unwrap();
}

#[tokio::test(start_paused = true)]
async fn settings_that_describe_only_zero_weights_are_refused_and_so_previewed() {
    let described = |update: &str, weight: u32| {
        let specs = (0..3).map(|it| EndpointSpec::new(id(it), "x").weight(weight)).collect();
        config(update).with_endpoints(Some(specs)).unwrap()
    };
    let builder = evenkeel::Balancer::builder().make(|_| Ok(0)).config(described("", 1));
    let balancer: Numbered = builder.build().unwrap();
    let preview = balancer.preview(&described("", 0)).unwrap();
    let error = balancer.apply(described("", 0)).unwrap_err();
    let [problem] = error.problems() else { panic!("{error}") };
    assert_eq!(problem.path, "endpoints");
    assert!(problem.message.contains("none of 3 endpoints a weight"), "{problem}");
    assert!(preview.warnings.contains(problem), "{:?}", preview.warnings);
    let specs = (0..3).map(|it| EndpointSpec::new(id(it), "x").weight(0));
    assert!(balancer.preview_specs(specs).unwrap().warnings.contains(problem));
    balancer.apply(described("[update]\nallow_empty = true", 0)).unwrap();
}

// --- Smaller sets --------------------------------------------------------------------------------

#[tokio::test(start_paused = true)]
async fn at_most_half_of_four_or_more_may_go_at_once() {
    for current in 1..=24 {
        for proposed in 1..current {
            let balancer = balancer("", current, 0);
            let answer = balancer.replace(endpoints(0..proposed));
            let too_much = current >= 4 && 2 * (current - proposed) > current;
            match answer {
                Ok(_) => assert!(!too_much, "{current} to {proposed} was taken"),
                Err(error) => assert!(too_much && shrinks(&error), "{current} to {proposed}"),
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn all_may_be_replaced_by_as_many_or_half_as_many_others() {
    published(&balancer("", 10, 0), |it| it.replace(endpoints(10..20)));
    published(&balancer("", 10, 0), |it| it.replace(endpoints(10..15)));
    assert!(shrinks(&refused(&balancer("", 10, 0), |it| it.replace(endpoints(10..14)))));
}

#[tokio::test(start_paused = true)]
async fn a_smaller_set_that_keeps_coming_is_believed() {
    let balancer = balancer("", 10, 0);
    let believed = now() + CONFIRM;
    for wait in [Duration::ZERO, 30 * SECOND, 30 * SECOND - Duration::from_millis(1)] {
        advance(wait).await;
        match refused(&balancer, |it| it.replace(endpoints(0..3))) {
            UpdateError::Shrinks { current: 10, proposed: 3, believed_at, .. } => {
                assert_eq!(believed_at, believed);
            }
            other => unreachable!("{other}"),
        }
    }
    advance(Duration::from_millis(1)).await;
    published(&balancer, |it| it.replace(endpoints(0..3)));
}

#[tokio::test(start_paused = true)]
async fn a_set_that_is_smaller_still_has_its_own_time() {
    let balancer = balancer("", 10, 0);
    refused(&balancer, |it| it.replace(endpoints(0..4)));
    advance(CONFIRM / 2).await;
    refused(&balancer, |it| it.replace(endpoints(0..1)));
    advance(CONFIRM / 2).await;
    // Six are believed to be gone; of the four that are left three more are too many at once.
    let UpdateError::Shrinks { believed_at, .. } =
        refused(&balancer, |it| it.replace(endpoints(0..1)))
    else {
        panic!("it shrinks")
    };
    assert_eq!(believed_at, now() + CONFIRM / 2);
    advance(CONFIRM / 2).await;
    published(&balancer, |it| it.replace(endpoints(0..1)));
}

#[tokio::test(start_paused = true)]
async fn a_little_less_than_what_is_believed_is_believed_too() {
    let balancer = balancer("", 10, 0);
    refused(&balancer, |it| it.replace(endpoints(0..4)));
    advance(CONFIRM).await;
    published(&balancer, |it| it.replace(endpoints(0..3)));
}

/// Who is sent again was not gone: each of these lists is as small as the one before, and says the
/// opposite of it.
#[tokio::test(start_paused = true)]
async fn parts_of_a_set_that_are_sent_by_turns_are_never_believed() {
    let balancer = balancer("", 9, 0);
    for turn in 0..60 {
        let first = 3 * (turn % 3);
        refused(&balancer, |it| it.replace(endpoints(first..first + 3)));
        advance(CONFIRM / 4).await;
    }
}

/// What matters is who is gone, and not who has come instead.
#[tokio::test(start_paused = true)]
async fn a_smaller_set_whose_newcomers_change_is_believed() {
    let balancer = balancer("", 10, 0);
    for turn in 0..6 {
        let set = || endpoints(0..2).into_iter().chain(endpoints(20 + turn..22 + turn));
        refused(&balancer, |it| it.replace(set()));
        advance(CONFIRM / 6).await;
    }
    published(&balancer, |it| it.replace(endpoints(0..2).into_iter().chain(endpoints(40..42))));
}

#[tokio::test(start_paused = true)]
async fn a_removal_is_confirmed_by_nothing_but_the_same_again() {
    let strict = "[update]\nmax_shrink_percent = 0\nmin_endpoints = 0";
    let balancer = balancer(strict, 10, 0);
    let removed = |number: usize| {
        assert!(shrinks(&refused(&balancer, |it| it.remove(&id(number)))), "{number}");
    };
    removed(0);
    advance(CONFIRM).await;
    removed(1);
    balancer.remove(&id(0)).unwrap();
    removed(2);
    // Nor do they disturb each other.
    for _ in 0..3 {
        advance(CONFIRM / 4).await;
        removed(2);
        removed(1);
    }
    advance(CONFIRM / 4).await;
    balancer.remove(&id(2)).unwrap();
    balancer.remove(&id(1)).unwrap();
    // An endpoint of that name that comes back is another story.
    balancer.insert(endpoint(2)).unwrap();
    removed(2);
}

#[tokio::test(start_paused = true)]
async fn a_claim_that_was_not_repeated_for_long_is_forgotten() {
    let balancer = balancer("", 10, 0);
    refused(&balancer, |it| it.replace(endpoints(0..3)));
    advance(CONFIRM * 11).await;
    refused(&balancer, |it| it.replace(endpoints(0..3)));
    advance(CONFIRM).await;
    published(&balancer, |it| it.replace(endpoints(0..3)));
}

#[tokio::test(start_paused = true)]
async fn a_set_that_is_less_small_is_part_of_the_same_claim() {
    let balancer = balancer("", 10, 0);
    refused(&balancer, |it| it.replace(endpoints(0..3)));
    advance(CONFIRM).await;
    published(&balancer, |it| it.replace(endpoints(0..4)));
}

#[tokio::test(start_paused = true)]
async fn a_good_set_between_starts_the_time_again() {
    let balancer = balancer("", 10, 0);
    refused(&balancer, |it| it.replace(endpoints(0..3)));
    advance(CONFIRM / 2).await;
    balancer.replace(endpoints(0..10)).unwrap();
    advance(CONFIRM / 2).await;
    refused(&balancer, |it| it.replace(endpoints(0..3)));
    advance(CONFIRM).await;
    published(&balancer, |it| it.replace(endpoints(0..3)));
}

#[tokio::test(start_paused = true)]
async fn the_guard_can_be_set_and_switched_off() {
    let strict = "[update]\nmax_shrink_percent = 10\nmin_endpoints = 2\nconfirm_after = '5s'";
    let strict = balancer(strict, 10, 0);
    published(&strict, |it| it.replace(endpoints(0..9)));
    refused(&strict, |it| it.replace(endpoints(0..7)));
    advance(5 * SECOND).await;
    published(&strict, |it| it.replace(endpoints(0..7)));
    let off = balancer("update = false", 10, 0);
    published(&off, |it| it.replace(endpoints(0..1)));
    published(&off, |it| it.replace([]));
}

#[tokio::test(start_paused = true)]
async fn replace_unchecked_takes_every_size() {
    let balancer = balancer("", 10, 0);
    let change = published(&balancer, |it| it.replace_unchecked(endpoints(0..1)));
    let expected = Changed::Replaced { added: 0, removed: 9, changed: 0, unchecked: true };
    assert_eq!(change, expected);
    published(&balancer, |it| it.replace_unchecked([]));
}

// --- What is wrong in itself ---------------------------------------------------------------------

#[tokio::test(start_paused = true)]
async fn two_endpoints_of_one_id_are_refused_everywhere() {
    let twice = || endpoints(0..10).into_iter().chain([endpoint(4).weight(2)]);
    for settings in ["", "update = false"] {
        let balancer = balancer(settings, 10, 0);
        for error in [
            refused(&balancer, |it| it.replace(twice())),
            refused(&balancer, |it| it.replace_unchecked(twice())),
        ] {
            assert!(matches!(&error, UpdateError::Duplicate { id: twice } if *twice == id(4)));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_id_that_is_not_known_is_refused() {
    let balancer = balancer("", 4, 0);
    let unknown: [fn(&Numbered) -> Answer; 6] = [
        |it| it.remove(&id(9)),
        |it| it.set_weight(&id(9), 1),
        |it| it.drain(&id(9)).map(|_| it.version()),
        |it| it.drain_for(&id(9), SECOND).map(|_| it.version()),
        |it| it.disable(&id(9)),
        |it| it.enable(&id(9)),
    ];
    for change in unknown {
        let error = refused(&balancer, change);
        assert!(matches!(&error, UpdateError::Unknown { id: found } if *found == id(9)), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn refusals_leave_the_picks_as_they_are() {
    for kind in ["kind = 'round_robin'", "kind = 'random'", "kind = 'least_request'"] {
        for seed in 0..5 {
            let (quiet, refusing) =
                (balancer(&strategy(kind), 10, seed), balancer(&strategy(kind), 10, seed));
            for _ in 0..20 {
                refused(&refusing, |it| it.replace([]));
                refused(&refusing, |it| it.replace(endpoints(0..2)));
                refused(&refusing, |it| it.replace([endpoint(1), endpoint(1)]));
                refused(&refusing, |it| it.replace_specs([EndpointSpec::new("a", "b")]));
                assert_eq!(sequence(&quiet, 7), sequence(&refusing, 7), "{kind}, seed {seed}");
            }
        }
    }
}

// --- What is published ---------------------------------------------------------------------------

#[tokio::test(start_paused = true)]
async fn every_change_is_one_event_and_one_step_of_its_version() {
    let balancer = balancer("", 4, 0);
    let sets: [fn(&Numbered) -> Answer; 6] = [
        |it| it.replace(endpoints(0..6)),
        |it| it.replace(endpoints(0..6).into_iter().map(|it| it.weight(3))),
        |it| it.insert(endpoint(7)),
        |it| it.insert(endpoint(7)),
        |it| it.remove(&id(7)),
        |it| it.replace_unchecked(endpoints(0..4)),
    ];
    for change in sets {
        let before = balancer.version();
        published(&balancer, change);
        let after = balancer.version();
        assert_eq!((after.config, after.set), (before.config, before.set + 1));
    }
    let words: [fn(&Numbered) -> Answer; 6] = [
        |it| it.set_weight(&id(0), 5),
        |it| it.disable(&id(1)),
        |it| it.enable(&id(1)),
        |it| it.drain(&id(2)).map(|_| it.version()),
        |it| it.drain_for(&id(3), SECOND).map(|_| it.version()),
        |it| Ok(it.apply(config("[strategy]\nkind = 'random'")).unwrap()),
    ];
    for change in words {
        let before = balancer.version();
        published(&balancer, change);
        let after = balancer.version();
        assert_eq!((after.config, after.set), (before.config + 1, before.set));
    }
    advance(SECOND).await;
    let change = published(&balancer, |it| {
        drop(pick(it));
        Ok(it.version())
    });
    assert_eq!(change, Changed::Expired { endpoint: id(3) });
}

#[tokio::test(start_paused = true)]
async fn saying_the_same_again_is_no_change() {
    let balancer = balancer("", 4, 0);
    balancer.set_weight(&id(0), 5).unwrap();
    balancer.disable(&id(1)).unwrap();
    drop(balancer.drain(&id(2)).unwrap());
    let (version, mut events) = (balancer.version(), balancer.subscribe());
    assert_eq!(balancer.set_weight(&id(0), 5).unwrap(), version);
    assert_eq!(balancer.disable(&id(1)).unwrap(), version);
    drop(balancer.drain(&id(2)).unwrap());
    assert_eq!(balancer.enable(&id(3)).unwrap(), version);
    assert_eq!(balancer.replace(endpoints(0..4)).unwrap(), version);
    assert_eq!(balancer.apply(config("")).unwrap(), version);
    assert_eq!(balancer.version(), version);
    assert!(received(&mut events).is_empty());
}

#[tokio::test(start_paused = true)]
async fn drains_that_end_together_are_one_change() {
    let balancer = balancer("", 4, 0);
    for n in 0..3 {
        drop(balancer.drain_for(&id(n), Duration::from_secs(5)).unwrap());
    }
    let before = balancer.version();
    let mut events = balancer.subscribe();
    advance(Duration::from_secs(5)).await;
    drop(pick(&balancer));
    assert_eq!(balancer.version().config, before.config + 1);
    assert_eq!(received(&mut events).len(), 3);
}

/// Another source that adds endpoints says nothing about the set that is doubted.
#[tokio::test(start_paused = true)]
async fn an_insert_does_not_start_the_time_of_a_smaller_set_again() {
    let balancer = balancer("", 10, 0);
    let three = || endpoints(0..3);
    assert!(shrinks(&refused(&balancer, |it| it.replace(three()))));
    advance(CONFIRM / 2).await;
    balancer.insert(endpoint(20)).unwrap();
    assert!(shrinks(&refused(&balancer, |it| it.replace(three()))));
    advance(CONFIRM / 2).await;
    balancer.replace(three()).unwrap();
}
