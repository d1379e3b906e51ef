//! What happens in the run, in order.

use std::time::Duration;

use evenkeel::config::{StrategyConfig, StrategyKind};
use evenkeel::{BoxError, Change, Changed, Config, Endpoint, EndpointId};

use crate::heard::Listener;
use crate::record::{Drained, Record, Terms};
use crate::screen::{follow, say};
use crate::server::{Health, Server};
use crate::traffic::{CONCURRENCY, Traffic};
use crate::trouble::{Trouble, befall};
use crate::upstream::{self, Upstream};
use crate::{balance, judge};

/// Requests to wait for in a phase in which all are well.
const FLOWING: u64 = 5_500;

/// Requests in each of the two phases that are counted exactly. Not a multiple of any round.
const COUNTED: u64 = 3_751;

const TROUBLES: [Trouble; 3] = [
    Trouble {
        title: "c answers 503",
        server: 2,
        health: Health::Failing,
        lasts: Duration::from_millis(700),
    },
    Trouble {
        title: "b never answers",
        server: 1,
        health: Health::Stuck,
        lasts: Duration::from_millis(1_400),
    },
    Trouble {
        title: "a is killed",
        server: 0,
        health: Health::Dead,
        lasts: Duration::from_millis(700),
    },
];

/// Over before the server is probed: probes ask who fails, not who is slow.
const SLOW: Trouble = Trouble {
    title: "d is slow",
    server: 3,
    health: Health::Slow,
    lasts: Duration::from_millis(100),
};

pub(crate) async fn run() -> Result<Record, BoxError> {
    let (a, b, e) = (EndpointId::from("a"), EndpointId::from("b"), EndpointId::from("e"));
    let client = upstream::client();
    let mut servers = Vec::new();
    for (name, millis) in [("a", 2), ("b", 4), ("c", 8), ("d", 16)] {
        servers.push(Server::start(name, Duration::from_millis(millis)).await?);
    }

    let balancer = balance(&servers, &client)?;
    let terms = Terms::of(&balancer.config()).ok_or("a protection is switched off")?;
    let mut listener = Listener::of(balancer.subscribe());
    let _worker = balancer.start(); // tells in time what time brings about
    let mut traffic = Traffic::new(&balancer, judge);
    let progress = follow(traffic.progress());
    say(&format!("four servers, {CONCURRENCY} requests at a time"));

    traffic.enter("least_request");
    let wave = traffic.send(u64::MAX);
    traffic.more(FLOWING).await?;

    let mut incidents = Vec::new();
    for trouble in TROUBLES {
        let server = &mut servers[trouble.server];
        incidents.push(befall(trouble, server, &mut traffic, &mut listener).await?);
    }

    let drain = balancer.drain(&b)?;
    let in_flight = drain.in_flight();
    drain.await;
    let drained = Drained { server: 1, in_flight, arrived: servers[1].arrived() };
    traffic.enter("b is drained");
    traffic.more(FLOWING).await?;

    servers.push(Server::start("e", Duration::from_millis(4)).await?);
    balancer.insert(Endpoint::new(e.clone(), Upstream::new(&client, &servers[4].address)))?;
    traffic.enter("e is added");
    traffic.more(FLOWING).await?;
    wave.stop();
    traffic.finish(wave).await?;

    let by_turns = StrategyConfig::new(StrategyKind::RoundRobin);
    let settings = Config::clone(&balancer.config()).with_strategy(by_turns);
    balancer.apply(Change::new(settings).by("quickstart").because("turns can be counted"))?;
    traffic.enter_counted("round_robin");
    traffic.finish(traffic.send(COUNTED)).await?;

    let wave = traffic.send(u64::MAX);
    incidents.push(befall(SLOW, &mut servers[SLOW.server], &mut traffic, &mut listener).await?);
    wave.stop();
    traffic.finish(wave).await?;

    balancer.set_weight(&a, 5)?;
    traffic.enter_counted("a weighs 5");
    traffic.finish(traffic.send(COUNTED)).await?;

    progress.abort();
    let status = balancer.status();
    let (phases, samples) = traffic.into_parts();
    drop(balancer);
    let changes = vec![
        Changed::Draining { endpoint: b, until: None, by: None, because: None },
        Changed::Inserted { endpoint: e, swapped: false },
        Changed::Configured {
            by: Some("quickstart".into()),
            because: Some("turns can be counted".into()),
        },
        Changed::Reweighted { endpoint: a, from: 1, to: 5, by: None, because: None },
    ];
    let heard = listener.finish().await?;
    Ok(Record { servers, phases, samples, status, incidents, terms, drained, changes, heard })
}
