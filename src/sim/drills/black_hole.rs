//! `black-hole`: whoever fails at once looks idle, and is sent everything.

use crate::sim::drills::common::{
    ALL, BARE, PROTECTED, after, callers, deaf_shop, minutes, settings, shop, target,
};
use crate::sim::{Action, Arrivals, Change, Drill, Fault};

/// Half of what all five can serve.
const USUAL: f64 = 0.5 * ALL;

pub(super) fn drill() -> Drill {
    let naive = "[strategy]\nkind = \"least_request\"\nchoices = \"all\"\nfailure_penalty = false";
    let bare = settings(&format!("{BARE}\n{naive}"));
    let all = || callers(Arrivals::poisson(USUAL));
    let breaks = || {
        Change::at(after(minutes(0)), Action::fault("c", Fault::fast_failure()))
            .note("one server has lost its database and fails every request at once")
    };
    let as_it_happened = deaf_shop("black-hole, as it happened", bare, after(minutes(40)))
        .arrivals(all())
        .changes([
            breaks(),
            Change::at(after(minutes(30)), Action::notice()).note("users call"),
            Change::at(after(minutes(35)), Action::drain("c")),
        ]);
    let protected = shop("black-hole, protected", settings(PROTECTED), after(minutes(10)))
        .arrivals(all())
        .change(breaks());
    Drill {
        name: "black-hole",
        story: "One server failed every request within a millisecond. To a balancer that counts \
                requests in flight it looked idle, and was sent most of them.",
        reported: "by users of other balancers: 85 % of requests with five servers; until people \
                   noticed",
        answer: "failures count as load, and five in a row eject",
        as_it_happened,
        protected,
        expected: target().largest_share_percent_at_most(40.0).happens("ejection"),
        missed: Vec::new(),
    }
}
