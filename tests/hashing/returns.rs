//! The way back of an endpoint, by keys.

use std::collections::BTreeSet;

use evenkeel::{Availability, Outcome};
use tokio::time::advance;

use crate::support::{Numbered, balancer, id, status};
use crate::{FREE, KINDS, SECOND, by_key, key, mapping, owner};

const KEYS: usize = 2_000;
const SICK: usize = 2;

fn state(balancer: &Numbered) -> Availability {
    status(balancer, &id(SICK)).state
}

fn sick_balancer(kind: &str) -> (Numbered, Vec<usize>) {
    let settings = by_key(kind) + FREE + "[slow_start]\nwindow = '10s'\n";
    let balancer = balancer(&settings, 5, 1);
    let home = mapping(&balancer, KEYS);
    balancer.eject(&id(SICK), 20 * SECOND).unwrap();
    (balancer, home)
}

#[tokio::test(start_paused = true)]
async fn only_requests_for_its_own_keys_probe_an_endpoint() {
    for kind in KINDS {
        let (balancer, home) = sick_balancer(kind);
        assert!((0..KEYS).all(|i| owner(&balancer, &key(i)).unwrap() != SICK));
        advance(21 * SECOND).await;
        assert_eq!(state(&balancer), Availability::Probing);
        for i in (0..KEYS).filter(|i| home[*i] != SICK) {
            assert_eq!(
                owner(&balancer, &key(i)),
                Ok(home[i]),
                "{kind}: somebody else's key probes"
            );
        }
        let own = (0..KEYS).find(|i| home[*i] == SICK).unwrap();
        let other = balancer.pick(&key(own).excluding(&id(SICK))).unwrap();
        assert_ne!(*other.target(), SICK);
        drop(other);
        let probe = balancer.pick(&key(own)).unwrap();
        assert_eq!(*probe.target(), SICK, "{kind}");
        assert_ne!(owner(&balancer, &key(own)), Ok(SICK), "one probe at a time");
        probe.finish(Outcome::Success);
        assert_eq!(state(&balancer), Availability::Warming);
    }
}

#[tokio::test(start_paused = true)]
async fn keys_come_back_one_by_one_and_for_good() {
    for kind in KINDS {
        let (balancer, home) = sick_balancer(kind);
        advance(21 * SECOND).await;
        let own: Vec<_> = (0..KEYS).filter(|i| home[*i] == SICK).collect();
        balancer.pick(&key(own[0])).unwrap().finish(Outcome::Success);
        let mut back = BTreeSet::new();
        for _ in 0..10 {
            let now: BTreeSet<_> =
                (0..KEYS).filter(|i| owner(&balancer, &key(*i)) == Ok(SICK)).collect();
            assert!(back.is_subset(&now), "{kind}: a key went away again");
            assert!(now.iter().all(|i| home[*i] == SICK), "{kind}: somebody else's key came");
            let share = status(&balancer, &id(SICK)).expected_share;
            let got = now.len() as f64 / KEYS as f64;
            assert!((share - got).abs() < 0.02, "{kind}: {got} of {share}");
            back = now;
            advance(SECOND).await;
        }
        assert!(back.len() < own.len());
        advance(SECOND).await;
        assert_eq!(state(&balancer), Availability::Available);
        assert_eq!(mapping(&balancer, KEYS), home, "{kind}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_tier_of_which_nobody_is_left_is_probed_by_any_key() {
    for kind in KINDS {
        let balancer = balancer(&(by_key(kind) + FREE), 4, 1);
        let tiers = (0..4).map(|i| crate::support::endpoint(i).tier(u32::from(i >= 2)));
        balancer.replace(tiers).unwrap();
        assert!(mapping(&balancer, 100).iter().all(|at| *at < 2));
        for at in [0, 1] {
            balancer.eject(&id(at), 20 * SECOND).unwrap();
        }
        assert!(mapping(&balancer, 100).iter().all(|at| *at >= 2));
        advance(21 * SECOND).await;
        let probe = balancer.pick(&key(1)).unwrap();
        assert!(*probe.target() < 2, "{kind}");
    }
}
