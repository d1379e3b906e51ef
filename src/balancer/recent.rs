//! What happened last, for whoever comes later than the events.

use std::collections::VecDeque;
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use crate::balancer::Share;
use crate::event::Event;
use crate::sync::{Arc, Mutex};
use crate::units::{EndpointId, Version};

/// Happenings of each kind that are kept.
const KEPT: usize = 32;

/// Differences, and shares that moved, that are kept of a change.
const TRACES: usize = 16;

/// Bytes of the words of a happening: they may be those of an error that is not ours.
const LONGEST: usize = 1_024;

/// Something that happened to a balancer not long ago.
///
/// An [`Event`] in words, with the time at which it happened.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "config", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Happening {
    /// When, by the wall clock. Serialised as RFC 3339 in UTC.
    #[cfg_attr(feature = "config", serde(serialize_with = "crate::units::seconds::wall"))]
    pub at: SystemTime,
    /// How long ago. Serialised in seconds.
    #[cfg_attr(feature = "config", serde(serialize_with = "crate::units::seconds::span"))]
    pub ago: Duration,
    /// The kind of event: `published`, `refused`, `not_rolled_back`, `share_raised` or `judged` among
    /// the changes; `ejected`, `not_ejected`, `unhealthy`, `recovery`, `panic`, `panic_over` and
    /// others among what became of endpoints.
    pub kind: &'static str,
    /// The version that was served then, where the event says so.
    pub version: Option<Version>,
    /// The endpoint it happened to, if it was one.
    pub endpoint: Option<EndpointId>,
    /// In words, author and reason among them; at most 1 KiB.
    pub text: String,
    /// Who did it, where that was said.
    pub by: Option<String>,
    /// Why, where that was said.
    pub because: Option<String>,
    /// What a change of the settings made different, key by key; the first 16.
    pub differences: Vec<String>,
    /// Whose share a change of settings or by an operator has moved by half a percent or more, intended
    /// or now; the 16 whose intended share moved furthest.
    pub effect: Vec<Share>,
}

/// What a revision changed, as far as it is shown.
#[derive(Debug, Default)]
pub(crate) struct Traces {
    differences: Vec<String>,
    effect: Vec<Share>,
}

impl Traces {
    /// The first differences, and the shares that moved furthest.
    pub(super) fn of(differences: &[String], effect: &[Share]) -> Self {
        let mut effect = effect.to_vec();
        let moved = |share: &Share| (share.after - share.before).abs();
        effect.sort_by(|a, b| moved(b).total_cmp(&moved(a)).then_with(|| a.id.cmp(&b.id)));
        effect.truncate(TRACES);
        let differences = differences.iter().take(TRACES).cloned().map(cut).collect();
        Self { differences, effect }
    }
}

/// An event and when it happened.
#[derive(Debug)]
pub(super) struct Dated {
    at: SystemTime,
    instant: Instant,
    traces: Option<Traces>,
    pub(super) event: Event,
}

/// The last events, those of changes and the others apart: a fleet that ejects and recovers pushes
/// nobody's change out of sight.
#[derive(Debug)]
pub(super) struct Recent(Mutex<Lists>);

impl Default for Recent {
    fn default() -> Self {
        Self(Mutex::new(Lists::default()))
    }
}

/// Oldest first.
#[derive(Debug, Default)]
struct Lists {
    changes: VecDeque<Arc<Dated>>,
    others: VecDeque<Arc<Dated>>,
}

impl Dated {
    pub(super) fn new(event: Event, traces: Option<Traces>, instant: Instant) -> Self {
        Self { at: SystemTime::now(), instant, traces, event }
    }

    /// In words. They may be those of an error that is not ours, so nobody may hold a lock here.
    fn tell(&self, now: Instant) -> Happening {
        let (by, because) = match &self.event {
            Event::Published { change, .. } => change.author(),
            Event::Ejection(ejection) => (ejection.by.as_deref(), ejection.because.as_deref()),
            _ => (None, None),
        };
        let text = match &self.event {
            Event::Published { change, .. } => change.to_string(),
            event => event.to_string(),
        };
        Happening {
            at: self.at,
            ago: now.saturating_duration_since(self.instant),
            kind: kind(&self.event),
            version: self.event.version(),
            endpoint: self.event.endpoint().cloned(),
            text: cut(text),
            by: by.map(str::to_owned),
            because: because.map(str::to_owned),
            differences: self.traces.as_ref().map_or_else(Vec::new, |it| it.differences.clone()),
            effect: self.traces.as_ref().map_or_else(Vec::new, |it| it.effect.clone()),
        }
    }
}

impl Recent {
    /// Notes an event. Nobody may hold another lock: what is forgotten for it is dropped here.
    pub(super) fn note(&self, dated: Arc<Dated>) {
        let is_change = is_change(&dated.event);
        let forgotten = {
            let mut lists = self.0.lock();
            let list = if is_change { &mut lists.changes } else { &mut lists.others };
            list.push_back(dated);
            if list.len() > KEPT { list.pop_front() } else { None }
        };
        drop(forgotten);
    }

    /// The last changes and the last other happenings, the latest first.
    pub(super) fn tell(&self, now: Instant) -> (Vec<Happening>, Vec<Happening>) {
        let (changes, others) = {
            let lists = self.0.lock();
            let all = |list: &VecDeque<Arc<Dated>>| list.iter().rev().cloned().collect::<Vec<_>>();
            (all(&lists.changes), all(&lists.others))
        };
        let told = |list: Vec<Arc<Dated>>| list.iter().map(|dated| dated.tell(now)).collect();
        (told(changes), told(others))
    }
}

/// Whether it is about what somebody changed, or tried to.
fn is_change(event: &Event) -> bool {
    matches!(
        event,
        Event::Published { .. }
            | Event::UpdateRefused { .. }
            | Event::ConfigRefused { .. }
            | Event::RollbackFailed { .. }
            | Event::ShareRaised { .. }
            | Event::Judged { .. }
    )
}

fn kind(event: &Event) -> &'static str {
    match event {
        Event::UpdateRefused { .. } | Event::ConfigRefused { .. } => "refused",
        Event::RollbackFailed { .. } => "not_rolled_back",
        Event::Ejection(ejection) if ejection.enforced() => "ejected",
        Event::Ejection(_) => "not_ejected",
        Event::Panic { on: false, .. } => "panic_over",
        Event::Skew { on: false, .. } => "skew_over",
        Event::Alarm(alarm) if !alarm.raised => "alarm_over",
        event => event.kind(),
    }
}

/// Words of bounded length.
pub(super) fn cut(mut text: String) -> String {
    if text.len() > LONGEST {
        text.truncate(text.floor_char_boundary(LONGEST));
        text.push('…');
    }
    text
}
