//! `uneven-503`: the favoured answered 503 while others idled.

use crate::sim::drills::common::{
    ALL, BARE, PROTECTED, SERVERS, after, callers, deaf_shop, guarded, minutes, server, settings,
    shop, target, weights,
};
use crate::sim::expect::Figure;
use crate::sim::{Action, Arrivals, Change, Drill, Scenario, Server, WhenFull};

/// Four fifths of what all five can serve.
const USUAL: f64 = 0.8 * ALL;

/// Two of them get four fifths: no one of them more than the share guard allows.
const UNEVEN: [u32; 5] = [8, 8, 1, 2, 1];

/// What finds it sooner than failures do.
const AUDIT: &str =
    "a look at shares against fair ones; the audit holds them against what is meant";

/// Such a server answers 503 instead of dying.
fn refusing(name: &str) -> Server {
    let mut server = server(name).queue(10, WhenFull::Error);
    server.crash_at = None;
    server
}

fn with_refusing(mut scenario: Scenario) -> Scenario {
    scenario.servers = SERVERS.map(refusing).into();
    scenario
}

pub(super) fn drill() -> Drill {
    let (even, uneven) = (weights([1; 5]), weights(UNEVEN));
    let bare = |set: &str| settings(&format!("{BARE}\nstrategy.kind = \"round_robin\"\n{set}"));
    let protected = |set: &str| settings(&format!("{PROTECTED}\n{set}"));
    // Nobody tries again: each 503 is one that a user sees.
    let all = || {
        let mut all = callers(Arrivals::poisson(USUAL));
        all.retries = None;
        all
    };
    let mistake = "the new settings favour two backends";
    let as_it_happened = deaf_shop("uneven-503, as it happened", bare(&even), after(minutes(250)))
        .arrivals(all())
        .changes([
            Change::at(after(minutes(0)), Action::apply(bare(&uneven))).note(mistake),
            Change::at(after(minutes(120)), Action::notice()).note("the cause is found"),
            Change::at(after(minutes(240)), Action::apply(bare(&even)))
                .note("the weights are even"),
        ]);
    let protected = shop("uneven-503, protected", protected(&even), after(minutes(10)))
        .arrivals(all())
        .change(Change::at(after(minutes(0)), guarded(protected(&uneven))).note(mistake));
    Drill {
        name: "uneven-503",
        story: "Settings made the balancer favour some backends; these answered 503 while others \
                idled.",
        reported: "30 % of users saw 503 for four hours, two of them until the cause was found",
        answer: "least requests count what fails as load, so that the idle get most of what the \
                 favoured refuse; the guarded change takes itself back",
        as_it_happened: with_refusing(as_it_happened),
        protected: with_refusing(protected),
        expected: target(),
        missed: vec![
            (Figure::FailedPercent, AUDIT),
            (Figure::SecondsToDetection, AUDIT),
            (Figure::SecondsToRecovery, AUDIT),
        ],
    }
}
