//! Events, counted.

use metrics::SharedString;

use crate::error::UpdateError;
use crate::event::{Changed, Decision, Event, Recovery, Rule, Verdict};
use crate::observe::metrics::catalogue as names;
use crate::observe::metrics::names::OTHER;
use crate::observe::metrics::sheet::Sheet;

/// Why a change was refused that was none of the set.
const NOT_OF_THE_SET: [&str; 2] = ["settings", "rollback"];

/// Tiers that are named; there are rarely more than three.
const TIERS: u32 = 32;

/// Says nothing of every kind there is: a counter that begins with its first event has no increase
/// to show for it.
pub(super) fn begin(sheet: &mut Sheet) {
    let word = SharedString::const_str;
    for &kind in Event::KINDS {
        sheet.add(&names::EVENTS, [word(kind)], 0);
    }
    for &kind in Changed::KINDS {
        sheet.add(&names::UPDATES, [word(kind)], 0);
    }
    for &rule in Rule::KINDS {
        sheet.add(&names::EJECTIONS_ENFORCED, [word(rule)], 0);
        for &reason in Decision::UNENFORCED {
            sheet.add(&names::EJECTIONS_UNENFORCED, [word(rule), word(reason)], 0);
        }
    }
    for &step in Recovery::KINDS {
        sheet.add(&names::RECOVERIES, [word(step)], 0);
    }
    for &verdict in Verdict::KINDS {
        sheet.add(&names::VERDICTS, [word(verdict)], 0);
    }
    for &reason in UpdateError::KINDS.iter().chain(&NOT_OF_THE_SET) {
        sheet.add(&names::UPDATES_REFUSED, [word(reason)], 0);
    }
    sheet.add(&names::EVENTS_MISSED, [], 0);
}

/// Counts an event. All labels come from lists, from the tiers, or from the detectors a balancer was
/// built with, so that there are never many.
pub(super) fn count(event: &Event, sheet: &mut Sheet) {
    let word = SharedString::const_str;
    sheet.add(&names::EVENTS, [word(event.kind())], 1);
    match event {
        Event::Published { change, .. } => sheet.add(&names::UPDATES, [word(change.kind())], 1),
        Event::UpdateRefused { error, .. } => {
            sheet.add(&names::UPDATES_REFUSED, [word(error.kind())], 1);
        }
        Event::ConfigRefused { .. } => {
            sheet.add(&names::UPDATES_REFUSED, [word(NOT_OF_THE_SET[0])], 1);
        }
        Event::RollbackFailed { .. } => {
            sheet.add(&names::UPDATES_REFUSED, [word(NOT_OF_THE_SET[1])], 1);
        }
        Event::Ejection(ejection) => {
            let rule = SharedString::from(ejection.rule.kind().to_owned());
            if ejection.enforced() {
                sheet.add(&names::EJECTIONS_ENFORCED, [rule], 1);
            } else {
                let reason = word(ejection.decision.kind());
                sheet.add(&names::EJECTIONS_UNENFORCED, [rule, reason], 1);
            }
        }
        Event::Recovery { step, .. } => sheet.add(&names::RECOVERIES, [word(step.kind())], 1),
        Event::Panic { tier, on: true, .. } => sheet.add(&names::PANICS, [self::tier(*tier)], 1),
        Event::Judged { verdict } => sheet.add(&names::VERDICTS, [word(verdict.kind())], 1),
        Event::Missed(missed) => sheet.add(&names::EVENTS_MISSED, [], *missed),
        _ => {}
    }
}

/// The label of a tier.
pub(super) fn tier(tier: u32) -> SharedString {
    if tier < TIERS { tier.to_string().into() } else { OTHER.into() }
}
