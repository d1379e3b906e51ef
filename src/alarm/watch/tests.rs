use std::time::Duration;

use proptest::prelude::*;

use super::*;

const SECOND: u64 = 1_000_000_000;

fn panic(admitted: usize) -> AlarmKind {
    AlarmKind::Panic { tier: 0, admitted, of: 4 }
}

fn cap() -> AlarmKind {
    AlarmKind::CapReached { out: 2, of: 4, most: 2 }
}

fn turns(turns: &[Turn]) -> Vec<(&'static str, bool, u64)> {
    turns.iter().map(|it| (it.kind.name(), it.raised, it.since.0 / SECOND)).collect()
}

struct Watched {
    watch: Watch,
    config: Option<AlarmsConfig>,
}

impl Watched {
    fn new() -> Self {
        Self { watch: Watch::default(), config: Some(AlarmsConfig::default()) }
    }

    fn at(&mut self, seconds: u64, seen: &[AlarmKind]) -> Vec<(&'static str, bool, u64)> {
        let now = Nanos(seconds * SECOND);
        turns(&self.watch.step(seen.to_vec(), self.config.as_ref(), now))
    }
}

#[test]
fn each_kind_is_raised_and_cleared_once_by_its_own_span() {
    let mut it = Watched::new();
    assert_eq!(it.at(0, &[panic(1), cap()]), []);
    assert_eq!(it.watch.due(), Nanos(5 * SECOND));
    assert_eq!(it.at(5, &[cap(), panic(0)]), [("panic", true, 0)]);
    assert_eq!(it.at(30, &[panic(0), cap()]), []);
    assert_eq!(it.at(60, &[panic(1), cap()]), [("cap_reached", true, 0)]);
    assert_eq!(it.at(70, &[cap()]), []);
    assert_eq!(it.watch.due(), Nanos(130 * SECOND));
    assert_eq!(it.at(130, &[cap()]), [("panic", false, 0)]);
    assert_eq!(it.at(131, &[]), []);
    assert_eq!(it.at(191, &[]), [("cap_reached", false, 0)]);
    assert!(it.watch.0.is_empty() && it.watch.due() == Nanos::NEVER);
}

#[test]
fn the_figures_are_the_last_ones() {
    let mut it = Watched::new();
    it.at(0, &[panic(1)]);
    it.at(9, &[panic(0)]);
    let told = |it: &Watched, now| it.watch.raised(Nanos(now * SECOND)).next().unwrap().0.clone();
    assert_eq!(told(&it, 9), panic(0));
    it.at(10, &[]);
    assert_eq!(told(&it, 69), panic(0), "it is ending");
    assert_eq!(it.watch.raised(Nanos(70 * SECOND)).count(), 0, "and by now it would be over");
}

#[test]
fn what_is_due_shows_before_anybody_has_settled_it() {
    let mut it = Watched::new();
    it.at(0, &[panic(1)]);
    assert_eq!(it.watch.raised(Nanos(4 * SECOND)).count(), 0);
    assert_eq!(it.watch.raised(Nanos(5 * SECOND)).count(), 1);
}

#[test]
fn a_rule_that_is_switched_off_is_cleared_at_once_and_one_that_changes_holds_at_once() {
    let mut it = Watched::new();
    it.at(0, &[panic(1), cap()]);
    it.at(60, &[panic(1), cap()]);
    let off = AlarmsConfig::default().with_panic(None).unwrap();
    it.config = Some(off.with_cap_reached(Some(Duration::from_hours(1))).unwrap());
    assert_eq!(it.at(61, &[panic(1), cap()]), [("panic", false, 0)], "what is raised stays so");
    it.config = None;
    assert_eq!(it.at(62, &[]), [("cap_reached", false, 0)]);
    it.config = Some(AlarmsConfig::default());
    assert_eq!(it.at(63, &[panic(1)]), [], "it begins anew");
    assert_eq!(it.at(68, &[panic(1)]), [("panic", true, 63)]);
}

#[test]
fn a_rule_that_is_off_is_not_even_remembered() {
    let mut it = Watched { watch: Watch::default(), config: None };
    assert_eq!(it.at(0, &[panic(1), cap()]), []);
    assert!(it.watch.0.is_empty());
}

proptest! {
    /// Raised and cleared take turns, whatever is seen whenever.
    #[test]
    fn turns_alternate(steps in prop::collection::vec((0_u64..90, any::<bool>(), any::<bool>(), any::<bool>()), 1..100)) {
        let mut it = Watched::new();
        let (mut now, mut raised) = (0, [false; 2]);
        for (pause, panics, full, on) in steps {
            now += pause;
            it.config = on.then(AlarmsConfig::default);
            let seen: Vec<_> = panics.then(|| panic(1)).into_iter().chain(full.then(cap)).collect();
            for (name, is_raised, since) in it.at(now, &seen) {
                let before = &mut raised[usize::from(name == "cap_reached")];
                prop_assert_ne!(*before, is_raised, "{}", name);
                prop_assert!(since <= now);
                *before = is_raised;
            }
            prop_assert!(on || it.watch.0.is_empty());
        }
    }
}
