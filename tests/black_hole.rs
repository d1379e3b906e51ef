//! An endpoint that fails at once must not look like one that answers at once.
//!
//! Nothing is ejected here (`outlier.dry_run`): what protects is the choice alone.

#![cfg(feature = "config")]

mod support;

use std::time::Duration;

use evenkeel::Outcome;

use crate::support::{Traffic, balancer, usual_time};

const SEEDS: std::ops::Range<u64> = 0..2;
const SIZES: [usize; 5] = [2, 3, 5, 10, 20];
const PER_SECOND: u32 = 500;
const RUN: Duration = Duration::from_secs(30);
const WARM: Duration = Duration::from_secs(1);
const FAST: Duration = Duration::from_millis(1);

/// The endpoint that is different from the others.
const ODD: usize = 0;

/// What the odd one got.
#[derive(Debug)]
struct Got {
    in_all: usize,
    after_the_first_second: usize,
    /// The longest time without a request.
    longest_gap: Duration,
}

/// Sends open-loop traffic to `n` endpoints, of which the odd one answers in a millisecond with
/// `outcome` and the others take their time and succeed.
async fn odd_one_out(strategy: &str, n: usize, outcome: Outcome, seed: u64) -> Got {
    let settings = format!("[strategy]\n{strategy}\n[outlier]\ndry_run = true");
    let balancer = balancer(&settings, n, seed);
    let mut traffic = Traffic::new(&balancer, PER_SECOND, seed);
    traffic
        .run(RUN, |number, rng| match number {
            ODD => (FAST, outcome),
            _ => (usual_time(rng), Outcome::Success),
        })
        .await;
    let sent = traffic.sent.iter().filter(|&&(_, number)| number == ODD).map(|&(at, _)| at);
    let marks: Vec<_> = [Duration::ZERO].into_iter().chain(sent).chain([RUN]).collect();
    Got {
        in_all: traffic.count(ODD, Duration::ZERO, RUN),
        after_the_first_second: traffic.count(ODD, WARM, RUN),
        longest_gap: marks.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or(RUN),
    }
}

/// The part of the requests of `span` that one of `n` endpoints is entitled to.
fn fair(n: usize, span: Duration) -> usize {
    PER_SECOND as usize * span.as_secs() as usize / n
}

async fn a_failing_endpoint_gets_its_part_at_most(strategy: &str) {
    for n in SIZES {
        for seed in SEEDS {
            let got = odd_one_out(strategy, n, Outcome::failure(), seed).await;
            let case = format!("{strategy}, {n} endpoints, seed {seed}: {got:?}");
            assert!(got.in_all <= fair(n, RUN), "too many in all: {case}");
            assert!(got.after_the_first_second <= fair(n, RUN - WARM), "too many: {case}");
            assert!(got.longest_gap < Duration::from_secs(10), "forgotten: {case}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn least_request_of_two_is_not_drawn_in() {
    a_failing_endpoint_gets_its_part_at_most("kind = 'least_request'\nchoices = 2").await;
}

#[tokio::test(start_paused = true)]
async fn least_request_of_all_is_not_drawn_in() {
    a_failing_endpoint_gets_its_part_at_most("kind = 'least_request'\nchoices = 'all'").await;
}

#[tokio::test(start_paused = true)]
async fn peak_ewma_of_two_is_not_drawn_in() {
    a_failing_endpoint_gets_its_part_at_most("kind = 'peak_ewma'\nchoices = 2").await;
}

#[tokio::test(start_paused = true)]
async fn peak_ewma_of_all_is_not_drawn_in() {
    a_failing_endpoint_gets_its_part_at_most("kind = 'peak_ewma'\nchoices = 'all'").await;
}

/// An overloaded endpoint refuses as fast as a broken one fails.
#[tokio::test(start_paused = true)]
async fn a_fast_refusal_draws_nobody_in_either() {
    for strategy in ["kind = 'least_request'", "kind = 'peak_ewma'\nchoices = 'all'"] {
        for seed in SEEDS {
            let got = odd_one_out(strategy, 5, Outcome::overloaded(None), seed).await;
            assert!(got.in_all <= fair(5, RUN), "{strategy}, seed {seed}: {got:?}");
        }
    }
}

/// The protection is from failures, not from speed.
#[tokio::test(start_paused = true)]
async fn peak_ewma_prefers_an_endpoint_that_is_really_fast() {
    for choices in ["2", "'all'"] {
        let strategy = format!("kind = 'peak_ewma'\nchoices = {choices}");
        for n in SIZES {
            for seed in SEEDS {
                let got = odd_one_out(&strategy, n, Outcome::Success, seed).await;
                let case = format!("{strategy}, {n} endpoints, seed {seed}: {got:?}");
                assert!(2 * got.in_all >= 3 * fair(n, RUN), "hardly preferred: {case}");
            }
        }
    }
}

/// Why the penalty is on by default: without it the endpoint that fails first wins.
#[tokio::test(start_paused = true)]
async fn without_the_penalty_there_is_a_black_hole() {
    for kind in ["least_request", "peak_ewma"] {
        for choices in ["2", "'all'"] {
            let strategy = format!("kind = '{kind}'\nchoices = {choices}\nfailure_penalty = false");
            for n in [3, 10] {
                let got = odd_one_out(&strategy, n, Outcome::failure(), 0).await;
                let case = format!("{strategy}, {n} endpoints: {got:?}");
                assert!(2 * got.in_all >= 3 * fair(n, RUN), "it protects by itself: {case}");
            }
        }
    }
}
