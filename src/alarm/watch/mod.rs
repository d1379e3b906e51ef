//! All alarms of a balancer.

use crate::alarm::Terms;
use crate::alarm::stage::Stage;
use crate::config::AlarmsConfig;
use crate::event::AlarmKind;
use crate::units::Nanos;

/// Where the alarms stand that do not rest. One of each kind at most, so there are few.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Watch(Vec<Slot>);

#[derive(Clone, Debug, PartialEq)]
struct Slot {
    /// As it was last seen.
    kind: AlarmKind,
    stage: Stage,
    /// Whether it was seen at the last step.
    holds: bool,
    terms: Terms,
}

/// An alarm that is raised or cleared.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Turn {
    pub(crate) kind: AlarmKind,
    pub(crate) raised: bool,
    /// Since when its condition has held.
    pub(crate) since: Nanos,
}

impl Watch {
    /// Takes in what is `seen` at `now`, of each kind one at most, and says what turns.
    pub(crate) fn step(
        &mut self,
        mut seen: Vec<AlarmKind>,
        config: Option<&AlarmsConfig>,
        now: Nanos,
    ) -> Vec<Turn> {
        let mut turns = Vec::new();
        for slot in &mut self.0 {
            let found = seen.iter().position(|kind| kind.is_kind_of(&slot.kind));
            slot.holds = found.is_some();
            if let Some(at) = found {
                slot.kind = seen.swap_remove(at);
            }
        }
        let fresh = seen.into_iter().filter_map(|kind| {
            let terms = Terms::of(config, &kind)?;
            Some(Slot { kind, stage: Stage::Quiet, holds: true, terms })
        });
        self.0.extend(fresh);
        self.0.retain_mut(|slot| {
            let terms = Terms::of(config, &slot.kind);
            slot.terms = terms.unwrap_or(slot.terms);
            let before = slot.stage.raised();
            slot.stage = slot.stage.step(slot.holds, terms, now);
            let turned = match (before, slot.stage.raised()) {
                (None, Some(since)) => Some((true, since)),
                (Some(since), None) => Some((false, since)),
                _ => None,
            };
            if let Some((raised, since)) = turned {
                turns.push(Turn { kind: slot.kind.clone(), raised, since });
            }
            slot.stage != Stage::Quiet
        });
        turns
    }

    /// When time alone raises or clears one.
    pub(crate) fn due(&self) -> Nanos {
        self.0.iter().map(|slot| slot.stage.due(slot.terms)).min().unwrap_or(Nanos::NEVER)
    }

    /// What is raised at `now` and since when, if nothing else has come to pass since the last
    /// step.
    pub(crate) fn raised(&self, now: Nanos) -> impl Iterator<Item = (&AlarmKind, Nanos)> {
        self.0.iter().filter_map(move |slot| {
            let stage = slot.stage.step(slot.holds, Some(slot.terms), now);
            Some((&slot.kind, stage.raised()?))
        })
    }
}

#[cfg(test)]
mod tests;
