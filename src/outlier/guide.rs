//! The tables of the guide to outliers, against the code.

use crate::outlier::{Cap, Panic, PanicBounds, Rotation};
use crate::ramp::Ramp;
use crate::units::{Nanos, Percent};

const GUIDE: &str = include_str!("../../docs/outliers.md");

/// The cells of the row that begins with `name`, but for that.
fn row(name: &str) -> Vec<&'static str> {
    let row = GUIDE.lines().find_map(|line| line.strip_prefix("| ")?.strip_prefix(name));
    let row = row.unwrap_or_else(|| panic!("the guide has no row `{name}`"));
    let cells = row.trim_end_matches('|').split('|').skip(1);
    cells.map(str::trim).collect()
}

fn number(cell: &str) -> f64 {
    cell.trim_end_matches(" %").parse().unwrap_or_else(|_| panic!("`{cell}` is no number"))
}

fn percent(value: u8) -> Percent {
    Percent::new(value).unwrap()
}

#[test]
fn as_many_may_be_out_as_the_guide_says() {
    for (name, max_ejected) in [("10 % |", 10), ("33 % |", 33), ("50 % (default) |", 50)] {
        let cells = row(name.trim_end_matches(" |"));
        assert_eq!(cells.len(), 12, "{name}");
        for (of, cell) in (1..).zip(cells) {
            let cap = Cap { max_ejected: percent(max_ejected), min_available: 1 };
            let room =
                (0..of).take_while(|&out| cap.room(Rotation { of, out, ejected: out }).is_ok());
            assert_eq!(room.count() as f64, number(cell), "{name} of {of}");
        }
    }
}

#[test]
fn shares_grow_as_the_guide_says() {
    for (name, aggression) in
        [("`aggression = 0.5`", 0.5), ("`aggression = 1`", 1.0), ("`aggression = 2`", 2.0)]
    {
        let ramp = Ramp { window: 1_000, aggression, floor: percent(10) };
        let parts = [0, 100, 250, 500, 750, 1_000];
        let cells = row(name);
        assert_eq!(cells.len(), parts.len());
        for (age, cell) in parts.into_iter().zip(cells) {
            let part = 100.0 * ramp.part(Nanos(0), Nanos(age));
            assert!((part - number(cell)).abs() <= 0.51, "{name} at {age}: {part}, {cell}");
        }
    }
}

#[test]
fn panic_begins_when_the_guide_says() {
    let bounds = PanicBounds { enter: percent(50), exit: percent(60), patience: 10_000_000_000 };
    let cells = row("panic at 50 % begins when this many are out");
    for (of, cell) in [2, 3, 4, 5, 6, 10, 20].into_iter().zip(cells) {
        let is_on = |out| {
            Panic::Calm.step(Rotation { of, out, ejected: out }, Some(bounds), Nanos(0)).is_on()
        };
        let begins = (0..=of).find(|&out| is_on(out)).unwrap();
        assert_eq!(begins as f64, number(cell), "of {of}");
    }
}
