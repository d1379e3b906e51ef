//! What the fairness audit sees and how seldom it is wrong: the tables of `docs/audit.md`.
//!
//! ```text
//! cargo run --release --example audit_power                      # a glance, some seconds
//! cargo run --release --example audit_power -- 100000 200       # windows and runs, some minutes
//! ```
//!
//! Nothing is a model here: balancers pick, on a clock that is moved by hand, and their events are
//! counted. All is seeded.

use std::time::Duration;

use evenkeel::strategy::{Candidates, PickContext, Picker, Rng, Strategy};
use evenkeel::{Balancer, Config, Endpoint, Event, Events, Key, Lease, Outcome};
use futures_util::FutureExt;
use tokio::task::unconstrained;

const SECOND: Duration = Duration::from_secs(1);

/// Looks in a window, by default.
const LOOKS: u64 = 10;

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> Result<(), evenkeel::BoxError> {
    let mut asked = std::env::args().skip(1).map(|it| it.parse::<u64>());
    let windows = asked.next().transpose()?.unwrap_or(2_000);
    let runs = asked.next().transpose()?.unwrap_or(40);

    println!("False alarms: windows of ten looks in which a balancer that spreads requests as it");
    println!("should was said not to. At most one in a million is promised.\n");
    println!("{:<44} {:>9} {:>12} {:>7}", "traffic", "windows", "requests", "alarms");
    for scene in SCENES {
        let (requests, alarms) = scene.play(windows).await?;
        println!("{:<44} {windows:>9} {requests:>12} {alarms:>7}", scene.name);
    }

    println!(
        "\nPower: requests until a favourite is found that gets so many times its part of equal"
    );
    println!("shares, over {runs} runs, looked at every 50 requests.\n");
    println!("{:>9} {:>10} {:>8} {:>8} {:>8}", "endpoints", "favourite", "median", "90 %", "99 %");
    for n in [3, 10, 100] {
        for times in [1.5, 2.0, 3.0] {
            let mut needed = Vec::new();
            for seed in 0..runs {
                needed.push(until_found(n, times, seed).await?);
            }
            needed.sort_unstable();
            let at = |part: f64| needed.get((part * (needed.len() - 1) as f64).round() as usize);
            let [half, most, nearly_all] = [0.5, 0.9, 0.99].map(|part| at(part).unwrap_or(&0));
            println!("{n:>9} {times:>9}x {half:>8} {most:>8} {nearly_all:>8}");
        }
    }
    Ok(())
}

/// Traffic that is spread as it should be.
struct Scene {
    name: &'static str,
    settings: &'static str,
    endpoints: usize,
    /// Requests between two looks.
    requests: u64,
    /// Weights and speeds are unequal, from one to three.
    unequal: bool,
    /// An endpoint is taken out by the hand of an operator every so many windows.
    ejects_every: u64,
}

const PLAIN: Scene = Scene {
    name: "",
    settings: "",
    endpoints: 10,
    requests: 20,
    unequal: false,
    ejects_every: u64::MAX,
};

const SCENES: &[Scene] = &[
    Scene { name: "round_robin", settings: "kind = 'round_robin'", ..PLAIN },
    Scene {
        name: "round_robin, unequal weights",
        settings: "kind = 'round_robin'",
        unequal: true,
        ..PLAIN
    },
    Scene { name: "random", settings: "kind = 'random'", ..PLAIN },
    Scene { name: "random, unequal weights", settings: "kind = 'random'", unequal: true, ..PLAIN },
    Scene { name: "random, 100 endpoints", settings: "kind = 'random'", endpoints: 100, ..PLAIN },
    Scene { name: "maglev, a new key each time", settings: "kind = 'maglev'", ..PLAIN },
    Scene {
        name: "least_request, unequal servers",
        settings: "kind = 'least_request'",
        unequal: true,
        ..PLAIN
    },
    Scene {
        name: "least_request of all, unequal servers",
        settings: "kind = 'least_request'\nchoices = 'all'",
        unequal: true,
        ..PLAIN
    },
    Scene {
        name: "random, ejections, probes and ramps",
        settings: "kind = 'random'",
        ejects_every: 6,
        ..PLAIN
    },
    Scene {
        name: "round_robin, ejections, probes and ramps",
        settings: "kind = 'round_robin'",
        ejects_every: 6,
        ..PLAIN
    },
];

impl Scene {
    /// Says how many requests there were, and how often a skew was told.
    async fn play(&self, windows: u64) -> Result<(u64, usize), evenkeel::BoxError> {
        let toml = format!("[strategy]\n{}", self.settings);
        let weight = |number: usize| if self.unequal { 1 + number as u32 % 3 } else { 1 };
        // The second tier stands by: what ejections leave undone spills over to it.
        let tier = |number: usize| u32::from(number >= self.endpoints);
        let endpoint = |number: usize| {
            Endpoint::new(number.to_string(), number).weight(weight(number)).tier(tier(number))
        };
        let balancer = Balancer::builder()
            .config(Config::from_toml(&toml)?)
            .endpoints((0..self.endpoints + 2).map(endpoint))
            .seed(17)
            .build()?;
        let mut events = balancer.subscribe();
        let (mut rng, mut alarms, mut requests) = (Rng::seeded(17), 0, 0);
        let mut held: Vec<Lease<usize>> = Vec::new();
        for window in 0..windows {
            if window % self.ejects_every == self.ejects_every - 1 {
                let whom = rng.below(self.endpoints as u64).to_string();
                drop(balancer.eject(&whom.as_str().into(), 10 * SECOND));
            }
            for _ in 0..LOOKS {
                for _ in 0..self.requests {
                    let lease = balancer.pick(&Key::of(&requests))?;
                    requests += 1;
                    if !self.unequal {
                        lease.finish(Outcome::Success);
                        continue;
                    }
                    held.push(lease);
                    // The light are slow as well: each answers as many as three times sooner.
                    held = held.into_iter().filter_map(|it| still_busy(it, &mut rng)).collect();
                }
                tokio::time::advance(SECOND).await;
            }
            alarms += told(&mut events);
        }
        Ok((requests, alarms))
    }
}

/// Ends a request, or leaves it for another turn.
fn still_busy(lease: Lease<usize>, rng: &mut Rng) -> Option<Lease<usize>> {
    let patience = 1 + (*lease.target() as u64 / 3) % 3;
    if rng.below(4 * patience) > 0 {
        return Some(lease);
    }
    lease.finish(Outcome::Success);
    None
}

/// How many skews were told.
fn told(events: &mut Events) -> usize {
    std::iter::from_fn(|| unconstrained(events.recv()).now_or_never().flatten())
        .filter(|event| matches!(event, Event::Skew { on: true, .. }))
        .count()
}

/// Requests until a favourite is found, after a while without one.
async fn until_found(n: usize, times: f64, seed: u64) -> Result<u64, evenkeel::BoxError> {
    let share = (times / n as f64).min(1.0);
    let [fair, unfair] = [1.0 / n as f64, share].map(|part| Favours { part });
    let toml = |name: &str| format!("[strategy]\nkind = 'custom'\ncustom = '{name}'");
    let balancer = Balancer::builder()
        .strategy("fair", fair)
        .strategy("unfair", unfair)
        .config(Config::from_toml(&toml("fair"))?)
        .endpoints((0..n).map(|number| Endpoint::new(format!("{number:03}"), number)))
        .seed(seed)
        .build()?;
    let mut events = balancer.subscribe();
    let batch = async || {
        for _ in 0..50 {
            balancer.pick(&Key::none())?.finish(Outcome::Success);
        }
        tokio::time::advance(SECOND).await;
        Ok::<_, evenkeel::BoxError>(())
    };
    for _ in 0..40 {
        batch().await?;
    }
    balancer.apply(Config::from_toml(&toml("unfair"))?)?;
    told(&mut events);
    let mut requests = 0;
    while told(&mut events) == 0 {
        batch().await?;
        requests += 50;
    }
    Ok(requests)
}

/// Sends this part of the requests to the first endpoint, and says that all get the same.
#[derive(Clone, Copy, Debug)]
struct Favours {
    part: f64,
}

#[derive(Debug)]
struct FavoursPicker {
    part: f64,
    n: usize,
}

impl Strategy for Favours {
    fn build(&self, candidates: &Candidates<'_>) -> Box<dyn Picker> {
        Box::new(FavoursPicker { part: self.part, n: candidates.len() })
    }

    fn looks_at_load(&self) -> bool {
        false
    }
}

impl Picker for FavoursPicker {
    fn pick(&self, cx: &mut PickContext<'_>) -> Option<usize> {
        let rng = cx.rng();
        let others = self.n as u64 - 1;
        Some(if rng.fraction() < self.part { 0 } else { 1 + rng.below(others) as usize })
    }

    fn shares(&self) -> Vec<f64> {
        vec![1.0 / self.n as f64; self.n]
    }
}
