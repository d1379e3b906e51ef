//! `rush`: a sudden rush met a wrong setting; one server crashed, and then nobody got anything.

use crate::sim::drills::common::{
    ALL, BARE, PROTECTED, after, callers, deaf_shop, guarded, minutes, restart_all, seconds,
    server, settings, shop, target, weights,
};
use crate::sim::{Action, Arrivals, Change, Drill};

/// A balancer that takes out whoever fails once, all of them if need be, and then serves nobody.
const BRITTLE: &str = r#"
update = false
limits.attempt_timeout = "4s"
strategy.kind = "round_robin"
slow_start.min_weight_percent = 100

[outlier]
base_ejection_time = "30m"
max_ejection_time = "30m"
max_ejected_percent = 100
min_available = 0
[outlier.consecutive_failures]
threshold = 1

[panic]
threshold_percent = 1
exit_percent = 1
when_none_healthy = "fail"
"#;

/// Before the rush: three tenths of what all five can serve. In the rush: seven tenths, which four
/// can serve.
const RATES: (f64, f64) = (0.3 * ALL, 0.7 * ALL);

pub(super) fn drill() -> Drill {
    let (even, uneven) = (weights([1; 5]), weights([8, 1, 1, 1, 1]));
    let brittle = |set: &str| settings(&format!("{BRITTLE}\n{set}"));
    let bare = settings(&format!("{BARE}\n{even}"));
    let protected = |set: &str| settings(&format!("{PROTECTED}\n{set}"));
    let (usual, rush) = RATES;
    // The setting is wrong some time before it shows.
    let begins = after(minutes(0));
    let all = |lasting| {
        let points = [
            (begins + seconds(60), usual),
            (begins + seconds(70), rush),
            (begins + lasting, rush),
            (begins + lasting + seconds(60), usual),
        ];
        callers(Arrivals::ramp(points))
    };
    let mistake = "the new settings give one server eight times the weight";
    let slow_back = |name| server(name).cold(4.0, minutes(45));
    let mut as_it_happened = deaf_shop("rush, as it happened", brittle(&even), after(minutes(145)))
        .arrivals(all(minutes(120)))
        .changes([
            Change::at(begins, Action::apply(brittle(&uneven))).note(mistake),
            Change::at(after(minutes(60)), Action::notice()).note("the weights are found"),
            Change::at(after(minutes(85)), Action::apply(brittle(&even)))
                .note("the weights are even"),
            Change::at(after(minutes(135)), Action::apply(bare))
                .note("nobody is taken out any more"),
        ])
        // Cold as they are, they are taken out once more.
        .changes(restart_all(after(minutes(90))))
        .changes(restart_all(after(minutes(135))));
    as_it_happened.servers[0] = slow_back("a");
    let mut protected = shop("rush, protected", protected(&even), after(minutes(10)))
        .arrivals(all(minutes(5)))
        .change(Change::at(begins, guarded(protected(&uneven))).note(mistake))
        .change(
            Change::at(begins + seconds(120), Action::crash("a"))
                .note("one server crashes all the same, in the middle of the rush"),
        )
        .change(Change::at(begins + seconds(180), Action::restart("a")));
    protected.servers[0] = slow_back("a");
    Drill {
        name: "rush",
        story: "A sudden rush of visitors met a wrong setting: one server got far too much and \
                crashed, and the balancer stopped sending to anyone.",
        reported: "everyone out for 135 minutes; the recovered server needed 45 to take load again",
        answer: "the share guard refuses the settings; a server that crashes all the same is \
                 ejected, the others carry its part, and it comes back by degrees",
        as_it_happened,
        protected,
        expected: target(),
        missed: Vec::new(),
    }
}
