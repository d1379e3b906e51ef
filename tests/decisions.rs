//! Records of picks are true, few, bounded, and change nothing.

#![cfg(feature = "config")]
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a story that goes otherwise has failed"
)]

mod support;

use std::time::Duration;

use evenkeel::config::DecisionsConfig;
use evenkeel::strategy::Rng;
use evenkeel::{Config, DecisionRecord, EndpointId, Key, Outcome, PickReason};

use crate::support::{
    Numbered, balancer, builder, chi_square, config, endpoints, every_strategy, id, pick, strategy,
};

fn recording(every: u32, keep: u32) -> String {
    format!("[decisions]\nevery = {every}\nkeep = {keep}\n")
}

fn last(balancer: &Numbered) -> DecisionRecord {
    balancer.decisions().pop().expect("something was recorded")
}

// --- True ----------------------------------------------------------------------------------------

#[tokio::test(start_paused = true)]
async fn a_record_says_what_was_compared_and_what_was_chosen() {
    let kinds =
        ["least_request", "least_request\nchoices = 3", "peak_ewma", "peak_ewma\nchoices = 4"];
    for kind in kinds {
        let (kind, choices) = kind.split_once("\nchoices = ").unwrap_or((kind, "2"));
        let toml = format!("[strategy]\nkind = '{kind}'\nchoices = {choices}\n{}", recording(1, 8));
        for weights in [[1; 6], [1, 9, 2, 4, 1, 3]] {
            let set =
                endpoints(0..6).into_iter().zip(weights).map(|(it, weight)| it.weight(weight));
            let balancer = builder(&toml, 0, 3).endpoints(set).build().unwrap();
            let mut held = Vec::new();
            let mut rng = Rng::seeded(5);
            // Explaining more than two choices takes long where nothing is optimised.
            let rounds = if choices == "2" { 400 } else { 50 };
            for round in 0..rounds {
                tokio::time::advance(Duration::from_millis(rng.below(9))).await;
                let before = balancer.explain(&Key::none());
                let lease = pick(&balancer);
                let record = last(&balancer);
                let case = format!("{kind} of {choices}, {round}: {record}\n{before}");
                assert_eq!(record.number, round, "{case}");
                assert_eq!(record.chosen.as_ref(), Some(lease.endpoint()), "{case}");
                assert_eq!(
                    (record.reason, record.sampled),
                    (PickReason::LeastCost, true),
                    "{case}"
                );
                assert_eq!((record.tier, record.age), (Some(0), Duration::ZERO), "{case}");
                assert_eq!(record.compared.to_string(), choices, "{case}");
                assert_eq!(record.considered.len(), record.compared, "{case}");
                let mut names: Vec<_> = record.considered.iter().map(|it| &it.endpoint).collect();
                for considered in &record.considered {
                    let cost = before.endpoint(&considered.endpoint).unwrap().cost.unwrap();
                    assert_eq!(considered.cost, f64::from(cost as f32), "{case}");
                }
                // The first of the least costly, in the order of the draws.
                let least =
                    record.considered.iter().map(|it| it.cost).fold(f64::INFINITY, f64::min);
                let first = record.considered.iter().find(|it| it.cost == least).unwrap();
                let is_chosen = Some(&first.endpoint) == record.chosen.as_ref();
                assert!(is_chosen || kind == "peak_ewma", "{case}");
                names.sort();
                names.dedup();
                assert_eq!(names.len(), record.compared, "{case}");
                held.push(lease);
                if held.len() > 12 {
                    let outcome =
                        if rng.below(9) == 0 { Outcome::failure() } else { Outcome::Success };
                    held.swap_remove(rng.below(12) as usize).finish(outcome);
                }
            }
        }
    }
}

#[test]
fn a_full_comparison_notes_the_least_costly() {
    let toml = format!("[strategy]\nkind = 'least_request'\nchoices = 'all'\n{}", recording(1, 1));
    let balancer = balancer(&toml, 40, 1);
    let held: Vec<_> = (0..39).map(|_| pick(&balancer)).collect();
    let idle = pick(&balancer);
    let record = last(&balancer);
    assert_eq!((record.compared, record.considered.len()), (40, 4), "{record}");
    let costs: Vec<_> = record.considered.iter().map(|it| it.cost).collect();
    assert_eq!(costs.iter().filter(|&&cost| cost == 0.0).count(), 1, "{record}");
    assert!(record.considered.iter().any(|it| it.endpoint == *idle.endpoint()), "{record}");
    assert!(record.to_string().ends_with(" of 40"), "{record}");
    drop(held);
}

#[test]
fn the_others_say_how_they_choose() {
    for (kind, reason) in [("round_robin", PickReason::Turn), ("random", PickReason::Drawn)] {
        let balancer = balancer(&format!("[strategy]\nkind = '{kind}'\n{}", recording(1, 1)), 5, 1);
        let lease = pick(&balancer);
        let record = last(&balancer);
        assert_eq!((record.reason, record.chosen.as_ref()), (reason, Some(lease.endpoint())));
        assert_eq!((record.compared, record.key, record.owner), (0, None, None));
        assert_eq!(record.strategy, kind);
        assert_eq!(record.version, balancer.version());
    }
}

#[tokio::test(start_paused = true)]
async fn a_moved_key_is_recorded_with_its_owner() {
    for kind in ["ring_hash", "maglev"] {
        let toml = format!("[strategy]\nkind = '{kind}'\n{}", recording(1, 4));
        let balancer = balancer(&toml, 4, 1);
        let key = Key::bytes(b"cart-7");
        let owner = balancer.pick(&key).unwrap().endpoint().clone();
        assert_eq!(last(&balancer).reason, PickReason::Owner);
        assert_eq!(last(&balancer).key, key.hash());
        drop(balancer.pick(&key.clone().excluding(&owner)));
        let record = last(&balancer);
        assert_eq!(
            (record.reason, record.owner.as_ref()),
            (PickReason::OwnerExcluded, Some(&owner))
        );
        assert!(record.reason.is_moved() && record.excluded == [owner.clone()], "{record}");
        balancer.disable(&owner).unwrap();
        drop(balancer.pick(&key));
        let record = last(&balancer);
        assert_eq!((record.reason, record.owner.as_ref()), (PickReason::OwnerOut, Some(&owner)));
        assert!(record.chosen.is_some_and(|chosen| chosen != owner));
    }
}

#[test]
fn a_record_names_the_first_exclusions_and_counts_all() {
    let balancer = balancer(&recording(1, 1), 6, 1);
    let key = (0..5).fold(Key::none(), |key, i| key.excluding(&id(i)));
    drop(balancer.pick(&key));
    let record = last(&balancer);
    assert_eq!((record.exclusions, record.excluded.as_slice()), (5, &[id(0), id(1)][..]));
    assert_eq!(record.chosen, Some(id(5)));
    assert!(record.to_string().ends_with("without e000, e001 and 3 more"), "{record}");
}

// --- Few, by chance ------------------------------------------------------------------------------

#[test]
fn one_in_so_many_is_recorded_by_chance_and_stands_for_all() {
    const PICKS: u64 = 60_000;
    for (kind, every) in [("random", 8), ("least_request", 16)] {
        let toml = format!("[strategy]\nkind = '{kind}'\n{}", recording(every, 65_536));
        let weights = [1, 2, 3, 4, 5];
        let set = endpoints(0..5).into_iter().zip(weights).map(|(it, weight)| it.weight(weight));
        let balancer = builder(&toml, 0, 9).endpoints(set).build().unwrap();
        (0..PICKS).for_each(|_| drop(pick(&balancer)));
        let records = balancer.decisions();
        let expected = (PICKS / u64::from(every)) as f64;
        let off = (records.len() as f64 - expected).abs() / expected.sqrt();
        assert!(off < 4.5 && records.iter().all(|it| it.sampled), "{kind}: {}", records.len());
        let mut counts = [0_u64; 5];
        for record in &records {
            let chosen = record.chosen.as_ref().unwrap();
            counts[(0..5).position(|i| id(i) == *chosen).unwrap()] += 1;
        }
        // 4 degrees of freedom, p = 0.001.
        let found = chi_square(&counts, &weights.map(f64::from));
        assert!(found < 18.5, "{kind}: {found}, {counts:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn recording_changes_no_choice() {
    for kind in every_strategy() {
        let sequence = |decisions: Option<DecisionsConfig>| {
            let config = config(&strategy(kind)).with_decisions(decisions);
            let balancer = builder("", 7, 4).config(config).build().unwrap();
            let mut held = Vec::new();
            let pick = |i: u64| {
                let lease = balancer.pick(&Key::bytes(&i.to_le_bytes())).unwrap();
                let chosen = lease.endpoint().clone();
                held.push(lease);
                if held.len() > 9 {
                    drop(held.remove(0));
                }
                chosen
            };
            (0..300).map(pick).collect::<Vec<EndpointId>>()
        };
        let every = DecisionsConfig::default().with_every(1).unwrap();
        let without = sequence(None);
        assert_eq!(sequence(Some(every)), without, "{kind}");
        assert_eq!(sequence(Some(DecisionsConfig::default())), without, "{kind}");
    }
}

// --- Rare ----------------------------------------------------------------------------------------

/// Of what chance leaves out.
const RARELY: u32 = 1_000_000;

#[tokio::test(start_paused = true)]
async fn what_is_rare_is_recorded_whatever_chance_says() {
    let toml = format!(
        "[outlier]\nejection_jitter_percent = 0\nmax_ejected_percent = 100\n{}",
        recording(RARELY, 64)
    );
    let set = endpoints(0..4).into_iter().map(|it| if *it.target() < 2 { it } else { it.tier(1) });
    let balancer = builder(&toml, 0, 2).endpoints(set).build().unwrap();
    let reason = || {
        let record = last(&balancer);
        assert!(!record.sampled, "{record}");
        record.reason
    };
    (0..100).for_each(|_| drop(pick(&balancer)));
    assert!(balancer.decisions().is_empty(), "nothing was rare");
    let first = Key::none().excluding(&id(0)).excluding(&id(1));
    drop(balancer.pick(&first).unwrap());
    assert_eq!(reason(), PickReason::Elsewhere);
    assert_eq!(last(&balancer).tier, Some(1));
    let none = first.excluding(&id(2)).excluding(&id(3));
    balancer.pick(&none).unwrap_err();
    assert_eq!((reason(), last(&balancer).chosen), (PickReason::AllExcluded, None));
    balancer.eject(&id(1), Duration::from_secs(5)).unwrap();
    drop(balancer.pick(&Key::none().preferring(&id(1))).unwrap());
    assert_eq!((reason(), last(&balancer).preferred), (PickReason::LeastCost, Some(id(1))));
    tokio::time::advance(Duration::from_secs(6)).await;
    pick(&balancer).finish(Outcome::Success);
    assert_eq!((reason(), last(&balancer).chosen), (PickReason::Probe, Some(id(1))));
    let known = balancer.decisions().len();
    drop(balancer.pick(&Key::none().preferring(&id(1))).unwrap());
    assert_eq!(balancer.decisions().len(), known, "a session that is served is nothing rare");
    for i in 0..4 {
        balancer.disable(&id(i)).unwrap();
    }
    balancer.pick(&Key::none()).unwrap_err();
    assert_eq!(reason(), PickReason::NoneAvailable);
    assert!(last(&balancer).to_string().contains("-> nowhere: refused"), "{}", last(&balancer));
}

#[tokio::test(start_paused = true)]
async fn a_full_home_is_rare() {
    let hash =
        "[strategy]\nkind = 'maglev'\n[hash]\ntable_size = 1009\nbounded_load_percent = 100\n";
    let balancer = balancer(&format!("{hash}{}", recording(RARELY, 64)), 4, 1);
    let key = Key::bytes(b"cart-7");
    let held: Vec<_> = (0..8).map(|_| balancer.pick(&key).unwrap()).collect();
    let home = held[0].endpoint();
    let records = balancer.decisions();
    let moved = held.iter().filter(|lease| lease.endpoint() != home);
    assert!(moved.map(|it| Some(it.endpoint())).eq(records.iter().map(|it| it.chosen.as_ref())));
    assert!(!records.is_empty());
    for record in records {
        assert_eq!((record.reason, record.owner.as_ref()), (PickReason::OwnerFull, Some(home)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_storm_of_refusals_leaves_room_for_others() {
    let balancer = balancer(&recording(RARELY, 1_000), 0, 2);
    for second in 1..4 {
        (0..500).for_each(|_| drop(balancer.pick(&Key::none())));
        assert_eq!(balancer.decisions().len(), 32 * second);
        tokio::time::advance(Duration::from_secs(1)).await;
    }
    let age = balancer.decisions()[0].age;
    assert_eq!(age, Duration::from_secs(3));
}

// --- Bounded -------------------------------------------------------------------------------------

#[test]
fn no_more_are_kept_than_the_settings_say_while_they_change() {
    let balancer = balancer(&recording(1, 3), 2, 2);
    let numbers = || balancer.decisions().iter().map(|it| it.number).collect::<Vec<_>>();
    let ten = || (0..10).for_each(|_| drop(pick(&balancer)));
    ten();
    assert_eq!(numbers(), [7, 8, 9]);
    balancer.apply(config(&recording(1, 1))).unwrap();
    assert_eq!(numbers(), [9]);
    ten();
    assert_eq!(numbers(), [19]);
    balancer.apply(config(&recording(1, 5))).unwrap();
    ten();
    assert_eq!(numbers(), [25, 26, 27, 28, 29]);
    balancer.apply(config("decisions = false")).unwrap();
    ten();
    drop(balancer.pick(&Key::none().excluding(&id(0)).excluding(&id(1))));
    assert_eq!(numbers(), [0; 0], "switched off, also for what is rare");
    balancer.apply(Config::default()).unwrap();
    balancer.rollback().unwrap();
    ten();
    assert_eq!(numbers(), [0; 0]);
}

#[test]
fn many_threads_leave_whole_records() {
    for kind in every_strategy() {
        // A strategy that goes by keys brings a section of its own.
        let balancer = balancer(&format!("{}\n{}", strategy(kind), recording(1, 50)), 6, 3);
        std::thread::scope(|scope| {
            for thread in 0..4_u64 {
                let balancer = &balancer;
                scope.spawn(move || {
                    for i in 0..500 {
                        let key = Key::bytes(&(thread * 1_000 + i).to_le_bytes());
                        let key = if i % 7 == 0 { key.excluding(&id(0)) } else { key };
                        drop(balancer.pick(&key));
                        if i % 50 == 0 {
                            assert!(balancer.decisions().len() <= 50);
                        }
                    }
                });
            }
        });
        let records = balancer.decisions();
        assert!(records.len() <= 50 && !records.is_empty(), "{kind}");
        assert!(records.windows(2).all(|pair| pair[0].number < pair[1].number), "{kind}");
        assert!(records.iter().all(|it| it.number < 2_000), "{kind}");
        for record in records {
            let chosen = record.chosen.as_ref().unwrap();
            assert!(!record.excluded.contains(chosen), "{kind}: {record}");
            let among = record.considered.iter().any(|it| it.endpoint == *chosen);
            assert!(among || record.compared == 0 || record.compared > 4, "{kind}: {record}");
            assert_eq!(record.owner.is_some(), kind.contains("hash") || kind.contains("maglev"));
        }
    }
}

#[test]
fn records_are_data() {
    let balancer = balancer(&recording(1, 2), 3, 1);
    drop(pick(&balancer));
    let json = serde_json::to_value(balancer.decisions()).unwrap();
    assert_eq!(json[0]["reason"], "least_cost");
    assert_eq!(json[0]["considered"][1]["cost"], 0.0);
    assert_eq!(json[0]["at"], serde_json::Value::Null, "an instant says nothing to others");
}
