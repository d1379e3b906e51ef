use std::time::Duration;

use super::*;
use crate::balancer::Balancer;
use crate::classify::Outcome;
use crate::config::Config;
use crate::endpoint::Endpoint;
use crate::rng::Rng;
use crate::sync::Arc;
use crate::units::{EndpointId, Key};

const SECOND: Duration = Duration::from_secs(1);

fn endpoint(number: u64) -> Endpoint<u64> {
    Endpoint::new(format!("e{number}"), number)
}

fn balancer(n: u64, toml: &str) -> Balancer<u64> {
    let config = Config::from_toml(toml).expect("the settings are valid");
    let endpoints = (0..n).map(endpoint);
    let built = Balancer::builder().config(config).endpoints(endpoints).seed(7).build();
    built.expect("the description is valid")
}

fn records(balancer: &Balancer<u64>) -> Vec<Record> {
    balancer.core.writer.act(|writer| writer.ledger.records.iter().copied().collect(), |_| {})
}

fn read(balancer: &Balancer<u64>) -> Record {
    let now = balancer.core.ground.origin.nanos(crate::balancer::now());
    let base = balancer.core.published.current();
    balancer.core.writer.act(|writer| writer.ledger.read(&base, now), |_| {})
}

fn seconds(records: &[Record]) -> Vec<u64> {
    records.iter().map(|record| record.at.0 / 1_000_000_000).collect()
}

fn request(balancer: &Balancer<u64>, outcome: Outcome) {
    balancer.pick(&Key::none()).expect("there are endpoints").finish(outcome);
}

#[tokio::test(start_paused = true)]
async fn traffic_writes_a_record_every_ten_seconds_and_the_last_six_are_kept() {
    let balancer = balancer(3, "");
    assert_eq!(seconds(&records(&balancer)), [0]);
    for _ in 0..25 {
        request(&balancer, Outcome::Success);
        tokio::time::advance(SECOND).await;
    }
    assert_eq!(seconds(&records(&balancer)), [0, 10, 20]);
    assert_eq!(
        records(&balancer).iter().map(|it| it.totals.picks).collect::<Vec<_>>(),
        [0, 10, 20]
    );
    for _ in 0..100 {
        request(&balancer, Outcome::Success);
        tokio::time::advance(SECOND).await;
    }
    assert_eq!(seconds(&records(&balancer)), [70, 80, 90, 100, 110, 120]);
    // Without traffic nothing is written, and the first request after that writes one.
    tokio::time::advance(1_000 * SECOND).await;
    assert_eq!(records(&balancer).last().unwrap().totals.picks, 120);
    for _ in 0..3 {
        request(&balancer, Outcome::Success);
    }
    assert_eq!(seconds(&records(&balancer)), [80, 90, 100, 110, 120, 1_125]);
    assert_eq!(records(&balancer).last().unwrap().totals.picks, 125);
}

#[tokio::test(start_paused = true)]
async fn writing_a_record_publishes_nothing_and_loses_nothing_that_is_due() {
    let balancer = balancer(3, "audit = false");
    drop(balancer.drain_for(&"e0".into(), 25 * SECOND).unwrap());
    let mut events = balancer.subscribe();
    let before = balancer.core.published.current();
    assert_eq!(before.next_due.at().0, 10_000_000_000);
    tokio::time::advance(12 * SECOND).await;
    request(&balancer, Outcome::Success);
    assert!(Arc::ptr_eq(&before, &balancer.core.published.current()), "a record was published");
    assert_eq!(before.next_due.at().0, 22_000_000_000);
    tokio::time::advance(10 * SECOND).await;
    request(&balancer, Outcome::Success);
    // The drain is over before the next record.
    assert_eq!(before.next_due.at().0, 25_000_000_000);
    tokio::time::advance(3 * SECOND).await;
    request(&balancer, Outcome::Success);
    assert!(!Arc::ptr_eq(&before, &balancer.core.published.current()), "the drain goes on");
    assert_eq!(balancer.core.published.current().next_due.at().0, 32_000_000_000);
    assert!(tokio_test::task::spawn(events.recv()).poll().is_ready());
    assert!(tokio_test::task::spawn(events.recv()).poll().is_pending());
}

#[tokio::test(start_paused = true)]
async fn outcomes_and_latencies_are_summed() {
    let balancer = balancer(2, "");
    let ends = [Outcome::Success, Outcome::failure(), Outcome::overloaded(None), Outcome::Ignore];
    for (outcome, times) in ends.into_iter().zip([7, 3, 2, 1]) {
        for _ in 0..times {
            let lease = balancer.pick(&Key::none()).unwrap();
            tokio::time::advance(Duration::from_millis(20)).await;
            lease.finish(outcome);
        }
    }
    let Totals { picks, successes, failures, overloaded, ignored, latencies } =
        read(&balancer).totals;
    assert_eq!((picks, successes, failures, overloaded, ignored), (13, 7, 3, 2, 1));
    assert_eq!(latencies.count(), 7);
    let median = latencies.quantile(0.5).unwrap();
    assert!((14_000_000..30_000_000).contains(&median), "{median}");
}

#[tokio::test(start_paused = true)]
async fn all_are_timed_while_few_end_or_somebody_judges_by_it() {
    let timed = async |more: &str, every: u64| {
        let balancer = balancer(2, more);
        for _ in 0..20_000 {
            request(&balancer, Outcome::Success);
            tokio::time::advance(Duration::from_micros(every)).await;
        }
        let totals = read(&balancer).totals;
        assert_eq!((totals.picks, totals.successes), (20_000, 20_000), "{more}");
        totals.latencies.count()
    };
    // The first 64 milliseconds are timed whole, and one in 64 of what follows.
    let kinds = ["", "round_robin", "random", "peak_ewma"].map(|kind| match kind {
        "" => String::new(),
        kind => format!("[strategy]\nkind = '{kind}'"),
    });
    for kind in &kinds {
        let sampled = timed(kind, 100).await;
        assert!((700..1_300).contains(&sampled), "{kind}: {sampled}");
    }
    // 100 a second of both together, so never more of one.
    assert_eq!(timed(&kinds[3], 10_000).await, 20_000);
    // 100 a second of each.
    let sampled = timed(&kinds[0], 5_000).await;
    assert!((4_000..6_000).contains(&sampled), "{sampled}");
    assert_eq!(timed("[outlier.latency]", 100).await, 20_000);
}

#[tokio::test(start_paused = true)]
async fn the_largest_share_is_that_of_the_period() {
    let balancer = balancer(4, "[strategy]\nkind = 'round_robin'");
    for _ in 0..100 {
        request(&balancer, Outcome::Success);
    }
    assert_eq!((read(&balancer).leading, read(&balancer).admitted), (25, 4));
    tokio::time::advance(10 * SECOND).await;
    balancer.set_weight(&"e1".into(), 3).unwrap();
    for _ in 0..60 {
        request(&balancer, Outcome::Success);
    }
    let last = *records(&balancer).last().unwrap();
    assert_eq!((last.leading, read(&balancer).leading - last.leading), (25, 30));
    balancer.disable(&"e1".into()).unwrap();
    assert_eq!(read(&balancer).admitted, 3);
}

#[tokio::test(start_paused = true)]
async fn the_set_may_change_as_it_likes_and_no_sum_goes_back() {
    for seed in 0..30 {
        let balancer = balancer(4, "update = false\n[outlier]\nremember_removed = '5s'");
        let mut rng = Rng::seeded(seed);
        let (mut picked, mut out) = (0, Vec::new());
        let mut before = read(&balancer);
        for step in 0..400 {
            match rng.below(10) {
                0 => drop(balancer.remove(&EndpointId::from(format!("e{}", rng.below(6))))),
                1 => drop(balancer.insert(endpoint(rng.below(6)))),
                2 => {
                    let kept = rng.below(64);
                    let set = (0..6).filter(|number| kept >> number & 1 == 1).map(endpoint);
                    balancer.replace(set).unwrap();
                }
                3 => tokio::time::advance(Duration::from_millis(rng.below(4_000))).await,
                4..8 => {
                    let lease = balancer.pick(&Key::none());
                    picked += u64::from(lease.is_ok());
                    out.extend(lease);
                }
                _ => {
                    if let Some(lease) = out.pop() {
                        lease.finish(Outcome::Success);
                    }
                }
            }
            let now = read(&balancer);
            assert_eq!(now.totals.picks, picked, "seed {seed}, step {step}");
            assert!(now.totals.successes >= before.totals.successes, "seed {seed}, step {step}");
            assert!(now.leading >= before.leading, "seed {seed}, step {step}");
            let counted = now.totals.latencies.count();
            assert_eq!(counted, now.totals.successes, "seed {seed}, step {step}");
            before = now;
        }
    }
}
