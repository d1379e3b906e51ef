//! `overload`: more than all servers can serve together.

use crate::sim::drills::common::{
    ALL, BARE, PROTECTED, after, callers, deaf_shop, minutes, restart_all, seconds, settings, shop,
};
use crate::sim::expect::Figure;
use crate::sim::{Action, Arrivals, Change, Drill, Expect};

/// Before: two fifths of what all five can serve. In the rush: a quarter more than all of it.
const RATES: (f64, f64) = (0.4 * ALL, 1.25 * ALL);

/// What a balancer needs to let nobody die of it.
const NEEDS: &str = "a bound on requests in flight and shedding, which are not there yet";

pub(super) fn drill() -> Drill {
    let (usual, rush) = RATES;
    let begins = after(minutes(0));
    let all = || {
        let points = [
            (begins, usual),
            (begins + seconds(5), rush),
            (begins + seconds(60), rush),
            (begins + seconds(65), usual),
        ];
        callers(Arrivals::ramp(points))
    };
    let as_it_happened = deaf_shop("overload, as it happened", settings(BARE), after(minutes(60)))
        .arrivals(all())
        .change(Change::at(after(minutes(30)), Action::notice()).note("engineers look"))
        .changes(restart_all(after(minutes(45))));
    let protected =
        shop("overload, protected", settings(PROTECTED), after(minutes(10))).arrivals(all());
    Drill {
        name: "overload",
        story: "For a minute a quarter more requests came than all servers can serve together, and \
                each died of its queue.",
        reported: "the part of `rush` that no even spread can help",
        answer: "none yet: an even spread lets all of them die at once",
        as_it_happened,
        protected,
        expected: Expect::new()
            .failed_percent_at_most(1.0)
            .recovered_within(seconds(60))
            .servers_lost_at_most(1),
        missed: vec![
            (Figure::FailedPercent, NEEDS),
            (Figure::SecondsToRecovery, NEEDS),
            (Figure::ServersLost, NEEDS),
        ],
    }
}
