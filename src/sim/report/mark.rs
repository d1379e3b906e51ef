//! What of that which happened is marked in the pictures, and how.

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

/// Where something is marked, in seconds: what is not only a note, the first of those that come close
/// together.
pub(super) fn marks(run: &Run) -> Vec<(f64, Mark)> {
    let close = run.lasted.as_secs_f64() / 200.0;
    let mut marks: Vec<(f64, Mark)> = Vec::new();
    for happening in &run.happenings {
        let (at, mark) = (happening.at.as_secs_f64(), Mark::of(run, happening));
        let is_near = |&&(other, kind): &&(f64, Mark)| kind == mark && at - other < close;
        if mark != Mark::Note && marks.iter().rev().find(is_near).is_none() {
            marks.push((at, mark));
        }
        if marks.len() == MARKS {
            break;
        }
    }
    marks
}
