//! `herd`: after each update everybody begins anew, with the same endpoint.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::sim::drills::common::{
    ALL, BARE, PROTECTED, SERVERS, after, callers, deaf_shop, minutes, seconds, settings, shop,
};
use crate::sim::{Action, Arrivals, Change, Client, Drill, Expect, Scenario};
use crate::strategy::{Candidates, PickContext, Picker, Strategy};

/// Half of what all five can serve, from fifty processes: less than one request in two seconds of
/// each.
const USUAL: f64 = 0.5 * ALL;
const PROCESSES: u32 = 50;

/// Round robin as it often is: every update makes a new one, which begins with the first.
#[derive(Debug)]
struct BeginsAnew;

#[derive(Debug)]
struct FromTheFirst {
    of: usize,
    turn: AtomicUsize,
}

impl Strategy for BeginsAnew {
    fn build(&self, candidates: &Candidates<'_>) -> Box<dyn Picker> {
        Box::new(FromTheFirst { of: candidates.len(), turn: AtomicUsize::new(0) })
    }
}

impl Picker for FromTheFirst {
    fn pick(&self, cx: &mut PickContext<'_>) -> Option<usize> {
        let first = self.turn.fetch_add(1, Ordering::Relaxed);
        (first..first + self.of).map(|turn| turn % self.of).find(|at| !cx.is_excluded(*at))
    }

    fn shares(&self) -> Vec<f64> {
        vec![1.0 / self.of as f64; self.of]
    }
}

/// While a deployment of something else goes on, discovery sends the set every second, and each time
/// something has changed about it.
fn updates(scenario: Scenario, until: u64) -> Scenario {
    let update = |second: u64| {
        let last = if second.is_multiple_of(2) { 11 } else { 10 };
        let weights = SERVERS.map(|name| (name, if name == "e" { last } else { 10 }));
        Change::at(after(seconds(second)), Action::discover_weighted(weights))
            .note("discovery sends the set once more")
    };
    scenario.changes((0..until).map(update))
}

pub(super) fn drill() -> Drill {
    let naive = settings(&format!("{BARE}\n[strategy]\nkind = \"custom\"\ncustom = \"naive\""));
    let fair = settings(&format!("strategy.kind = \"round_robin\"\n{PROTECTED}"));
    let clients = |scenario: Scenario, client: Client| {
        let mut scenario = scenario.arrivals(callers(Arrivals::poisson(USUAL)));
        scenario.clients = vec![client.copies(PROCESSES)];
        updates(scenario, 300)
    };
    let as_it_happened = clients(
        deaf_shop("herd, as it happened", naive.clone(), after(minutes(10))),
        Client::new("shop").config(naive).build(|it| it.strategy("naive", BeginsAnew)),
    );
    let protected = clients(
        shop("herd, protected", fair.clone(), after(minutes(10))),
        Client::new("shop").config(fair),
    );
    Drill {
        name: "herd",
        story: "Each update of the endpoints made fifty balancers begin their round again, all of \
                them with the first endpoint.",
        reported: "by users of other balancers: the first endpoint overwhelmed during deployments",
        answer: "a balancer's round begins anywhere, and goes on over updates",
        as_it_happened,
        protected,
        expected: Expect::new()
            .failed_percent_at_most(1.0)
            .largest_share_percent_at_most(40.0)
            .recovered_within(seconds(60))
            .servers_lost_at_most(0),
        missed: Vec::new(),
    }
}
