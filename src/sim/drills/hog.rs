//! `hog`: the settings sent everybody to one backend, and its load took the others.

use crate::sim::drills::common::{
    ALL, BARE, PROTECTED, after, callers, deaf_shop, guarded, minutes, restart_all, settings, shop,
    target, weights,
};
use crate::sim::{Action, Arrivals, Change, Drill};

/// At noon a little more comes than four of five can serve, and later half of that.
const RATES: (f64, f64) = (0.82 * ALL, 0.4 * ALL);

pub(super) fn drill() -> Drill {
    let (even, one) = (weights([1; 5]), weights([1_000, 1, 1, 1, 1]));
    // Checks notice that one is gone: so its load is sent to the next.
    let bare = |set: &str| settings(&format!("{BARE}\n[health]\ninterval = \"2s\"\n{set}"));
    let protected = |set: &str| settings(&format!("{PROTECTED}\n{set}"));
    let (noon, later) = RATES;
    let points = [(after(minutes(60)), noon), (after(minutes(80)), later)];
    let all = || callers(Arrivals::ramp(points));
    let mistake = "the new settings give one backend a thousand times the weight";
    let as_it_happened = deaf_shop("hog, as it happened", bare(&even), after(minutes(100)))
        .arrivals(all())
        .changes([
            Change::at(after(minutes(0)), Action::apply(bare(&one))).note(mistake),
            Change::at(after(minutes(15)), Action::remark()).note("engineers look, at the servers"),
            Change::at(after(minutes(30)), Action::notice()).note("the balancer is suspected"),
            Change::at(after(minutes(45)), Action::apply(bare(&even))).note("the weights are even"),
        ])
        .changes(restart_all(after(minutes(90))));
    let protected = shop("hog, protected", protected(&even), after(minutes(10)))
        .arrivals(all())
        .change(Change::at(after(minutes(0)), guarded(protected(&one))).note(mistake));
    Drill {
        name: "hog",
        story: "The balancer's settings sent all visitors to one backend; it fell, and its load \
                took the others one after another.",
        reported: "95 % of shoppers out for 90 minutes, 30 of them until the balancer was suspected",
        answer: "the share guard refuses the settings",
        as_it_happened,
        protected,
        expected: target().largest_share_percent_at_most(40.0),
        missed: Vec::new(),
    }
}
