//! Mappings that must never change; see `tests/golden/hashing/README.md`.

use evenkeel::{Balancer, Config, Endpoint, Key};
use tokio::time::advance;

use crate::SECOND;

const MAPPINGS: &str = include_str!("../golden/hashing/mappings.txt");

fn settings(kind: &str) -> Config {
    let (kind, sizes) = kind.split_once(' ').unwrap();
    let sizes = sizes.replace(' ', "\n");
    Config::from_toml(&format!("[strategy]\nkind = '{kind}'\n[hash]\n{sizes}\n")).unwrap()
}

#[tokio::test(start_paused = true)]
async fn every_key_is_where_it_always_was() {
    let (mut set, mut balancers, mut seen) = (Vec::new(), Vec::new(), 0);
    for line in MAPPINGS.lines() {
        let (word, rest) = line.split_once(' ').unwrap();
        match word {
            "set" => {
                let endpoints = rest.split(' ').skip(1);
                set = endpoints.map(|it| it.rsplit_once('=').unwrap()).collect();
            }
            "kind" => {
                let endpoint = |(id, weight): &(&str, &str)| {
                    Endpoint::new(*id, ()).weight(weight.parse().unwrap())
                };
                let builder = || Balancer::builder().config(settings(rest));
                let given = builder().endpoints(set.iter().map(endpoint)).build().unwrap();
                // In another order, and one after the other: many at once, which keys follow.
                let grown = builder().build().unwrap();
                for it in set.iter().rev() {
                    grown.insert(endpoint(it)).unwrap();
                }
                advance(SECOND).await;
                balancers = vec![given, grown];
            }
            key => {
                for balancer in &balancers {
                    let lease = balancer.pick(&Key::bytes(key.as_bytes())).unwrap();
                    assert_eq!(lease.endpoint().as_str(), rest, "{key}");
                }
                seen += 1;
            }
        }
    }
    assert_eq!(seen, 3 * 4 * 48);
}
