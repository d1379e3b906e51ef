//! `bad-config`: a wrong configuration routed requests to the wrong servers, and a rollback failed.

use crate::sim::drills::common::{
    ALL, BARE, PROTECTED, SERVERS, after, callers, deaf_shop, endpoints, guarded, minutes,
    settings, shop, target,
};
use crate::sim::{Action, Arrivals, Change, Drill, Fault, Server};

/// Two fifths of what all five can serve.
const USUAL: f64 = 0.4 * ALL;

pub(super) fn drill() -> Drill {
    let right = endpoints(SERVERS.map(|name| (name, name, 1)));
    // The addresses of another service, which answers, though nothing that is of use; and in the
    // old file some at which nobody listens any more.
    let wrong = |others: &[(&'static str, &'static str)]| {
        endpoints(SERVERS.map(|id| {
            let other = others.iter().find(|(wrong, _)| *wrong == id);
            (id, other.map_or(id, |(_, address)| *address), 1)
        }))
    };
    let wrong_now = wrong(&[("b", "search"), ("c", "search"), ("d", "search"), ("e", "old-e")]);
    let old = wrong(&[("a", "old-a"), ("c", "old-c"), ("d", "search"), ("e", "old-e")]);
    let search = || Server::new("search").unlisted().fault(Fault::fast_failure());
    let bare = |set: &str| settings(&format!("{BARE}\nstrategy.kind = \"round_robin\"\n{set}"));
    let protected = |set: &str| settings(&format!("{PROTECTED}\n{set}"));
    let all = || callers(Arrivals::poisson(USUAL));
    let mistake = "the new settings have the addresses of another service";
    let as_it_happened = deaf_shop("bad-config, as it happened", bare(&right), after(minutes(130)))
        .server(search())
        .arrivals(all())
        .changes([
            Change::at(after(minutes(0)), Action::apply(bare(&wrong_now))).note(mistake),
            Change::at(after(minutes(30)), Action::remark()).note("the database is suspected"),
            Change::at(after(minutes(90)), Action::notice()).note("the balancer is found"),
            Change::at(after(minutes(100)), Action::apply(bare(&old)))
                .note("the rollback is to an old file, whose addresses are no longer right either"),
            Change::at(after(minutes(120)), Action::apply(bare(&right)))
                .note("the addresses are typed in by hand"),
        ]);
    let protected = shop("bad-config, protected", protected(&right), after(minutes(10)))
        .server(search())
        .arrivals(all())
        .change(Change::at(after(minutes(0)), guarded(protected(&wrong_now))).note(mistake));
    Drill {
        name: "bad-config",
        story: "A wrong configuration routed traffic to the wrong servers. The database was \
                suspected first; an attempted rollback failed.",
        reported: "70 % of users out for two hours, 90 minutes of them until the balancer was found",
        answer: "the guarded change takes itself back, and ejections bridge the seconds until then",
        as_it_happened,
        protected,
        expected: target().happens("rolled_back"),
        missed: Vec::new(),
    }
}
