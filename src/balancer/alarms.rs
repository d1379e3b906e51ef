//! Looking at the balancer itself: which alarms are raised and cleared.

use std::time::Duration;

use tokio::time::Instant;

use crate::alarm::{Facts, Turn, Watch};
use crate::balancer::core::{Core, Writer};
use crate::balancer::shares;
use crate::balancer::verdict::Garbage;
use crate::event::{Alarm, AlarmKind, Event};
use crate::outlier::{Full, Rotation};
use crate::snapshot::{Outlook, Rise, Snapshot, Tier};
use crate::sync::Published;
use crate::units::{Nanos, Origin};

/// The alarms of a balancer, and what has been noted for them.
#[derive(Debug, Default)]
pub(crate) struct Alarms {
    watch: Watch,
    pub(crate) facts: Facts,
    /// When it is to be looked again, though nothing else happens.
    due: Nanos,
}

impl Alarms {
    pub(crate) fn due(&self) -> Nanos {
        self.due
    }
}

impl<T: Send + Sync + 'static> Core<T> {
    /// Looks at the balancer, and tells what alarms are raised and cleared by what there is to be
    /// seen at `now`. Done before the lock is let go.
    pub(crate) fn look_for_alarms(&self, writer: &mut Writer<T>, now: Nanos) {
        let current = self.published.current();
        let due = writer.alarms.due;
        writer.alarms.facts.set_is_from(self.dates.confirmed());
        writer.alarms.facts.audited(self.findings.eldest());
        let turns = writer.alarms.look(&current, self.ground.has_detectors, now);
        for turn in turns {
            let alarm = self.alarm(turn, now);
            self.paging.push(&alarm);
            self.hub.push(Event::Alarm(alarm));
        }
        self.board.write(&writer.alarms.watch);
        if writer.alarms.due != due {
            self.note_due(writer, &current);
        }
        writer.garbage.push(Garbage::Snapshot(current));
    }

    /// What is raised from the beginning: nobody has subscribed yet, but the pager is told, and whoever
    /// asks for the status.
    pub(crate) fn tell_first(&self, turns: Vec<Turn>) {
        for turn in turns {
            let alarm = self.alarm(turn, Nanos(0));
            self.paging.push(&alarm);
            self.hub.push(Event::Alarm(alarm));
        }
        self.hub.flush();
    }

    fn alarm(&self, turn: Turn, now: Nanos) -> Alarm {
        let Turn { kind, raised, since } = turn;
        Alarm {
            balancer: self.shared.name.to_string(),
            kind,
            raised,
            since: self.ground.origin.instant_or_start(since),
            lasting: Duration::from_nanos(now.0.saturating_sub(since.0)),
        }
    }

    /// What traffic has come to is noted: whether everybody is slow can be seen by it.
    pub(crate) fn note_answers(&self, writer: &mut Writer<T>, base: &Snapshot<T>, now: Nanos) {
        let all = writer.ledger.last().totals.latencies;
        writer.alarms.facts.answered(&all, base.config.alarms(), now);
    }

    /// `served` was published after `base`, and `rises` are told of it.
    pub(crate) fn note_shares(
        &self,
        writer: &mut Writer<T>,
        base: &Snapshot<T>,
        served: &Snapshot<T>,
        rises: &[Rise],
    ) {
        let facts = &mut writer.alarms.facts;
        // Health changes nothing of what is intended.
        if facts.has_shares()
            && base.version != served.version
            && let Ok(outlook) = Outlook::intended(served)
        {
            let (limit, fair) = (shares::limit(served.config.guard()), outlook.fair());
            facts.keep_shares(|id| {
                let share = outlook.share(id);
                outlook.is_much(share, limit).then_some((share, fair))
            });
        }
        for rise in rises {
            facts.share_raised(rise.id.clone(), rise.after, rise.fair);
        }
    }
}

impl Alarms {
    /// Sees what is to be seen of what is served, and says which alarms turn by it.
    pub(crate) fn look<T>(
        &mut self,
        served: &Snapshot<T>,
        has_detectors: bool,
        now: Nanos,
    ) -> Vec<Turn> {
        let config = served.config.alarms();
        self.facts.keep_suppressed(|id| {
            let member = served.position(id).and_then(|at| served.members.get(at));
            member.is_some_and(|member| member.is_in_rotation() && !member.standing().is_out())
        });
        let seen = config.map(|config| {
            let mut seen: Vec<_> = panic(served).into_iter().collect();
            seen.extend(full(served, has_detectors));
            seen.append(&mut self.facts.seen(config, now));
            seen
        });
        let turns = self.watch.step(seen.unwrap_or_default(), config, now);
        self.due = self.watch.due().min(self.facts.due(config, now));
        turns
    }
}

/// The most preferred tier in which health is not believed.
fn panic<T>(served: &Snapshot<T>) -> Option<AlarmKind> {
    if !served.panics.is_on() {
        return None;
    }
    let in_panic = |tier: &&Tier| served.panics.of(tier.tier).is_on();
    let Tier { tier, rotation: Rotation { of, out, .. }, .. } =
        *served.seats.tiers().iter().find(in_panic)?;
    Some(AlarmKind::Panic { tier, admitted: of.saturating_sub(out), of })
}

/// Whether nobody else could be ejected, where somebody might be. A cap that lets nobody go in the
/// first place is a mistake of the settings, and a warning.
fn full<T>(served: &Snapshot<T>, has_detectors: bool) -> Option<AlarmKind> {
    let (rules, rotation) = (&served.rules, served.rotation);
    let detects = (rules.detects || has_detectors) && !rules.dry_run;
    if !detects || rotation.out == 0 {
        return None;
    }
    let Rotation { of, out, .. } = rotation;
    match rules.cap.room(rotation).err()? {
        Full::Cap { most } => Some(AlarmKind::CapReached { out, of, most }),
        Full::Floor { least } => {
            Some(AlarmKind::FloorReached { left: of.saturating_sub(out), least })
        }
    }
}

/// An alarm that is raised.
///
/// Serialisable with the feature `config`.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "config", derive(serde::Serialize))]
#[non_exhaustive]
pub struct AlarmStatus {
    /// What is wrong, with the figures of the last look.
    #[cfg_attr(feature = "config", serde(flatten))]
    pub kind: AlarmKind,
    /// When what it tells of began.
    #[cfg_attr(feature = "config", serde(skip))]
    pub since: Instant,
    /// How long that has lasted. Serialised in seconds.
    #[cfg_attr(feature = "config", serde(serialize_with = "crate::units::seconds::span"))]
    pub lasting: Duration,
    /// The same in words.
    pub message: String,
}

/// Where the alarms stand, for whoever asks: he waits for nobody, and nobody for him.
#[derive(Debug)]
pub(crate) struct Board(Published<Watch>);

impl Board {
    pub(crate) fn of(alarms: &Alarms) -> Self {
        Self(Published::new(alarms.watch.clone()))
    }

    fn write(&self, watch: &Watch) {
        if self.0.read(|board| board != watch) {
            drop(self.0.publish(watch.clone()));
        }
    }

    /// What is raised at `now`.
    pub(crate) fn read(&self, origin: Origin, now: Nanos) -> Vec<AlarmStatus> {
        let status = |(kind, since): (&AlarmKind, Nanos)| AlarmStatus {
            kind: kind.clone(),
            since: origin.instant_or_start(since),
            lasting: Duration::from_nanos(now.0.saturating_sub(since.0)),
            message: kind.to_string(),
        };
        self.0.current().raised(now).map(status).collect()
    }
}
