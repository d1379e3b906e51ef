//! Detectors of one's own, and what the guide to outliers says in settings.

#![cfg(feature = "config")]

mod support;

use std::time::Duration;

use evenkeel::outlier::{Detector, Suspect, Sweep};
use evenkeel::{Availability, Config, Decision, Event, Outcome, Rule};
use tokio::time::advance;

use crate::support::{Numbered, builder, id, pick, pick_only, received, status};

const SETTINGS: &str = "[outlier]\ninterval = '1s'";

/// Finds who refuses more than half of its requests for having too much to do.
#[derive(Debug)]
struct Swamped;

impl Detector for Swamped {
    fn judge(&self, sweep: &Sweep<'_>) -> Vec<Suspect> {
        let endpoints = sweep.endpoints().iter().enumerate();
        let refused = endpoints.map(|(index, endpoint)| {
            (index, endpoint.overloaded() as f64 / endpoint.requests().max(1) as f64)
        });
        let swamped = refused.filter(|&(_, refused)| refused > 0.5);
        swamped.map(|(index, part)| Suspect::new(index, part, 0.5).with_severity(part)).collect()
    }
}

/// Names endpoints that do not exist, then breaks.
#[derive(Debug)]
struct Wrong;

impl Detector for Wrong {
    fn judge(&self, sweep: &Sweep<'_>) -> Vec<Suspect> {
        assert!(sweep.endpoints().iter().all(|it| it.requests() < 3), "more than it can take");
        vec![Suspect::new(usize::MAX, 1.0, 0.0), Suspect::new(sweep.endpoints().len(), 1.0, 0.0)]
    }
}

async fn an_interval(balancer: &Numbered, refused: &[usize]) {
    for number in 0..4 {
        for _ in 0..10 {
            let outcome = if refused.contains(&number) {
                Outcome::overloaded(None)
            } else {
                Outcome::Success
            };
            pick_only(balancer, &id(number)).finish(outcome);
        }
    }
    advance(Duration::from_secs(1)).await;
    drop(pick(balancer));
}

#[tokio::test(start_paused = true)]
async fn a_detector_of_ones_own_is_followed_and_called_by_its_name() {
    let balancer = builder(SETTINGS, 4, 1).detector("swamped", Swamped).build().unwrap();
    let mut events = balancer.subscribe();
    an_interval(&balancer, &[]).await;
    assert!(received(&mut events).is_empty());
    an_interval(&balancer, &[1, 2, 3]).await;
    let told = received(&mut events);
    let findings: Vec<_> = told
        .iter()
        .filter_map(|event| match event {
            Event::Ejection(it) => Some((it.endpoint.clone(), it.enforced(), it.decision.clone())),
            _ => None,
        })
        .collect();
    assert_eq!(findings.len(), 3, "{told:?}");
    assert!(findings[0].1 && findings[1].1);
    assert_eq!(findings[2].2, Decision::Cap { most: 2 });
    assert!(told[0].to_string().contains("swamped 1, the limit is 0.5"), "{}", told[0]);
    assert_eq!(status(&balancer, &id(1)).state, Availability::Ejected);
}

#[tokio::test(start_paused = true)]
async fn a_detector_that_is_wrong_or_breaks_does_no_harm() {
    let builder = builder(SETTINGS, 4, 1).detector("wrong", Wrong).detector("swamped", Swamped);
    let balancer = builder.build().unwrap();
    let mut events = balancer.subscribe();
    advance(Duration::from_secs(1)).await;
    drop(pick(&balancer));
    assert!(received(&mut events).is_empty(), "nobody that exists was named");
    an_interval(&balancer, &[3]).await;
    let told = received(&mut events);
    let wrong = Rule::Custom("wrong".into());
    assert!(matches!(&told[0], Event::DetectorPanicked { rule } if *rule == wrong), "{told:?}");
    assert!(matches!(&told[1], Event::Ejection(it) if it.endpoint == id(3)), "{told:?}");
}

#[test]
fn the_settings_of_the_guide_are_settings() {
    let guide = include_str!("../docs/outliers.md");
    let blocks: Vec<_> =
        guide.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(!blocks.is_empty());
    for block in blocks {
        let read = Config::from_toml(block);
        assert!(read.is_ok(), "{block}\n{}", read.unwrap_err());
    }
}
