//! What of that which happened is marked in the pictures, and how.

use std::collections::BTreeMap;

use crate::sim::{Happening, Run};

/// What kind of thing it is, for whoever looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mark {
    /// Somebody or something changed what is there.
    Change,
    /// A server is gone.
    Crash,
    /// The balancer has noticed something, or refused it.
    Alarm,
    /// Something is better again, or was only noted.
    Note,
}

/// Marks in a picture at most: more would hide what is drawn.
const MARKS: usize = 60;

impl Mark {
    pub(super) fn of(run: &Run, happening: &Happening) -> Self {
        match happening.kind.as_str() {
            "change" | "published" => Self::Change,
            "crash" => Self::Crash,
            "recovery" | "restart" | "remark" | "judged" | "source_recovered" | "keyless" => {
                Self::Note
            }
            kind if happening.client.is_some() || run.detected_by.as_deref() == Some(kind) => {
                Self::Alarm
            }
            _ => Self::Note,
        }
    }

    pub(super) const fn color(self) -> (u8, u8, u8) {
        match self {
            Self::Change => (0x33, 0x66, 0xcc),
            Self::Crash => (0x11, 0x11, 0x11),
            Self::Alarm => (0xcc, 0x33, 0x11),
            Self::Note => (0x99, 0x99, 0x99),
        }
    }

    /// A word for it, so that the colour is not all that tells.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Change => "change",
            Self::Crash => "crash",
            Self::Alarm => "alarm",
            Self::Note => "note",
        }
    }
}

/// Where something is marked, in seconds: what is not only a note, the first of those of a kind that
/// come close upon each other, however many they are.
pub(super) fn marks(run: &Run) -> Vec<(f64, Mark)> {
    let close = run.lasted.as_secs_f64() / 100.0;
    let (mut marks, mut last) = (Vec::new(), BTreeMap::new());
    for happening in &run.happenings {
        let (at, mark) = (happening.at.as_secs_f64(), Mark::of(run, happening));
        let is_near = last.insert(mark, at).is_some_and(|last| at - last < close);
        if mark != Mark::Note && !is_near && marks.len() < MARKS {
            marks.push((at, mark));
        }
    }
    marks
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::sim::{Action, Arrivals, Change, Scenario, Server};

    #[test]
    fn what_comes_in_a_row_is_marked_once() {
        let weight = |second| {
            Change::at(Duration::from_secs(second), Action::set_weight("a", second as u32))
        };
        let run = Scenario::new("busy hands")
            .servers([Server::new("a"), Server::new("b")])
            .arrivals(Arrivals::poisson(5.0))
            .changes((20..60).map(weight))
            .change(weight(120))
            .lasting(Duration::from_secs(200))
            .run()
            .unwrap();
        let changes = marks(&run).into_iter().filter(|(_, mark)| *mark == Mark::Change);
        assert_eq!(changes.map(|(at, _)| at).collect::<Vec<_>>(), [20.0, 120.0]);
    }
}
