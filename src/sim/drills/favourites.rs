//! `favourites`: an excessive share went to one backend, and no weight said so.

use crate::sim::drills::common::{
    ALL, BARE, PROTECTED, after, callers, deaf_shop, guarded, minutes, restart_all, seconds,
    settings, shop, target,
};
use crate::sim::{Action, Arrivals, Change, Drill, Keys};

/// Half of what all five can serve.
const USUAL: f64 = 0.5 * ALL;

/// The settings go by a key that most requests have in common, as the address of one large proxy.
const BY_KEYS: &str = "strategy.kind = \"ring_hash\"";

pub(super) fn drill() -> Drill {
    let bare = |more: &str| settings(&format!("{BARE}\n{more}"));
    let protected = |more: &str| settings(&format!("{more}\n{PROTECTED}"));
    let all = || callers(Arrivals::poisson(USUAL)).keys(Keys::even(1_000).hot(65.0));
    let mistake = "requests go by the address of their caller, which most have in common";
    let as_it_happened = deaf_shop("favourites, as it happened", bare(""), after(minutes(240)))
        .arrivals(all())
        .changes([
            Change::at(after(minutes(0)), Action::apply(bare(BY_KEYS))).note(mistake),
            Change::at(after(minutes(20)), Action::remark()).note("the database is chased"),
            Change::at(after(minutes(75)), Action::notice()).note("the favouring is seen"),
            Change::at(after(minutes(180)), Action::apply(bare(""))).note("as it was before"),
        ])
        .changes(restart_all(after(minutes(195))));
    let protected = shop("favourites, protected", protected(""), after(minutes(10)))
        .arrivals(all())
        .change(Change::at(after(seconds(0)), guarded(protected(BY_KEYS))).note(mistake));
    Drill {
        name: "favourites",
        story: "The balancer directed an excessive share to one backend, which crashed; the \
                database was chased first.",
        reported: "75 % of users out for four hours, 75 minutes of them until the favouring was seen",
        answer: "the guarded change sees the share that no weight shows, and takes itself back",
        as_it_happened,
        protected,
        expected: target().happens("rolled_back"),
        missed: Vec::new(),
    }
}
