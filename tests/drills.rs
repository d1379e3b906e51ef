//! The drills: what they replay is as bad as it was, and what protects does.

#![allow(clippy::unwrap_used)]

use evenkeel::sim::{Drill, Drilled, Figure};

/// Runs a drill and holds it to what it says of itself.
#[track_caller]
fn drilled(name: &str) -> Drilled {
    let drilled = Drill::named(name).unwrap().run().unwrap();
    println!("{drilled}");
    for (run, what) in [(&drilled.as_it_happened, "was"), (&drilled.protected, "protected")] {
        println!("{what}: {:?}, {:?}", run.totals, run.largest_share());
        for it in run.happenings.iter().filter(|it| it.kind != "recovery").take(40) {
            println!("{:>10.2} {:?} {} {}", it.at.as_secs_f64(), it.client, it.kind, it.text);
        }
    }
    drilled.check().unwrap();
    drilled
}

/// A figure of the run as it happened.
fn was(drilled: &Drilled, figure: &Figure) -> f64 {
    drilled.figure(figure).unwrap().as_it_happened.unwrap()
}

const MINUTE: f64 = 60.0;

#[test]
fn hog() {
    let hog = drilled("hog");
    assert!(was(&hog, &Figure::FailedPercent) > 75.0);
    assert_eq!(was(&hog, &Figure::SecondsToDetection), 30.0 * MINUTE);
    assert!(was(&hog, &Figure::SecondsToRecovery) >= 89.0 * MINUTE);
    assert_eq!(was(&hog, &Figure::ServersLost), 5.0);
}

#[test]
fn bad_config() {
    let bad = drilled("bad-config");
    assert!(was(&bad, &Figure::FailedPercent) > 50.0);
    assert_eq!(was(&bad, &Figure::SecondsToDetection), 90.0 * MINUTE);
    assert!(was(&bad, &Figure::SecondsToRecovery) >= 119.0 * MINUTE);
}

#[test]
fn rush() {
    let rush = drilled("rush");
    assert!(was(&rush, &Figure::FailedPercent) > 50.0);
    assert!(was(&rush, &Figure::SecondsToRecovery) >= 85.0 * MINUTE);
    let out = &rush.as_it_happened;
    assert!(out.totals.refused > out.totals.requests / 4, "{:?}", out.totals);
}

#[test]
fn favourites() {
    let favourites = drilled("favourites");
    assert!(was(&favourites, &Figure::LargestSharePercent) > 65.0);
    assert_eq!(was(&favourites, &Figure::SecondsToDetection), 75.0 * MINUTE);
    assert!(was(&favourites, &Figure::FailedPercent) > 40.0);
    assert!(was(&favourites, &Figure::ServersLost) >= 1.0);
}

#[test]
fn uneven_503() {
    let uneven = drilled("uneven-503");
    assert!(was(&uneven, &Figure::FailedPercent) > 20.0);
    assert_eq!(was(&uneven, &Figure::SecondsToDetection), 120.0 * MINUTE);
}

#[test]
fn black_hole() {
    let hole = drilled("black-hole");
    assert!(was(&hole, &Figure::LargestSharePercent) > 70.0);
    assert!(was(&hole, &Figure::FailedPercent) > 30.0);
}

#[test]
fn herd() {
    let herd = drilled("herd");
    assert!(was(&herd, &Figure::LargestSharePercent) > 60.0);
    assert!(was(&herd, &Figure::ServersLost) >= 1.0);
}

/// What protects does so on other mornings, too.
#[test]
fn other_seeds_are_no_worse() {
    for drill in Drill::all() {
        for seed in 2..if cfg!(debug_assertions) { 3 } else { 6 } {
            let run = drill.protected.clone().seed(seed).run().unwrap();
            for finding in drill.expected.findings(&run) {
                let missed = drill.missed.iter().any(|(figure, _)| *figure == finding.figure);
                assert!(finding.met || missed, "{}, seed {seed}: {finding}", drill.name);
            }
        }
    }
}

#[test]
fn overload() {
    drilled("overload");
}

#[test]
fn every_drill_has_a_name_of_its_own() {
    let mut names: Vec<_> = Drill::all().into_iter().map(|drill| drill.name).collect();
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all);
    assert!(Drill::named("no such").is_none());
}

#[test]
fn a_drill_repeats_itself() {
    let run = || Drill::named("black-hole").unwrap().run().unwrap();
    assert!(run() == run());
}
