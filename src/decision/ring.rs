//! The last decisions, in room that was set aside for them.
//!
//! A pick that is to be recorded tries the lock once. If somebody else has it, the record is lost,
//! which shows as a gap in the numbers. Nothing is allocated: room is set aside with the settings.

use crate::decision::{PickReason, Trace};
use crate::sync::{Arc, AtomicU64, Mutex, Ordering};
use crate::units::{EndpointId, Nanos, Version};

/// Records of rare decisions that are admitted in one second. A storm of refusals must neither
/// slow picks down nor drive all else out of the ring.
const RARE: u32 = 32;

/// Exclusions that are noted of one pick.
const EXCLUDED: usize = 2;

/// One decision as it is kept.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) number: u64,
    pub(crate) at: Nanos,
    pub(crate) version: Version,
    pub(crate) strategy: Arc<str>,
    pub(crate) key: Option<u64>,
    pub(crate) tier: Option<u32>,
    pub(crate) zone: Option<Arc<str>>,
    pub(crate) chosen: Option<EndpointId>,
    pub(crate) preferred: Option<EndpointId>,
    pub(crate) owner: Option<EndpointId>,
    pub(crate) reason: PickReason,
    pub(crate) is_sampled: bool,
    /// How many were compared, of which the first few are listed.
    pub(crate) compared: u32,
    pub(crate) considered: [Option<EndpointId>; Trace::MOST],
    pub(crate) costs: [f32; Trace::MOST],
    /// How many the request excludes, of which the first few are listed.
    pub(crate) exclusions: u32,
    pub(crate) excluded: [Option<EndpointId>; EXCLUDED],
}

/// The decisions of one balancer that were recorded last.
#[derive(Debug)]
pub(crate) struct Decisions {
    ring: Mutex<Ring>,
    /// How many records were ever begun.
    begun: AtomicU64,
    /// The second that rare ones are counted in, and how many there were.
    rare: AtomicU64,
}

#[derive(Debug)]
struct Ring {
    entries: Vec<Entry>,
    /// Never more than there is room for.
    keep: usize,
    /// Where the next one goes, once the ring is full.
    next: usize,
}

impl Decisions {
    /// Room for so many.
    pub(crate) fn keeping(keep: usize) -> Self {
        let ring = Ring { entries: Vec::with_capacity(keep), keep, next: 0 };
        Self { ring: Mutex::new(ring), begun: AtomicU64::new(0), rare: AtomicU64::new(0) }
    }

    /// Makes room for so many from now on. The last of those that are kept stay.
    pub(crate) fn keep(&self, keep: usize) {
        if self.ring.lock().keep == keep {
            return;
        }
        // Not under the lock: picks lose their records meanwhile.
        let mut entries = Vec::with_capacity(keep);
        let mut ring = self.ring.lock();
        let known = ring.entries.len();
        let next = ring.next;
        let mut old = std::mem::take(&mut ring.entries);
        old.rotate_left(if known == ring.keep { next } else { 0 });
        entries.extend(old.drain(known.saturating_sub(keep)..));
        *ring = Ring { entries, keep, next: 0 };
        drop(ring);
    }

    /// Whether one more rare decision of this instant is recorded.
    pub(crate) fn admits_rare(&self, now: Nanos) -> bool {
        // The lower half of the seconds: that two are taken for one does no harm.
        let second = u64::from((now.0 / 1_000_000_000) as u32) << 32;
        let known = self.rare.load(Ordering::Relaxed);
        let is_same = known >> 32 == second >> 32;
        if is_same && known as u32 >= RARE {
            return false;
        }
        let next = if is_same { known + 1 } else { second + 1 };
        // Whoever is overtaken leaves it to the others.
        self.rare.compare_exchange(known, next, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// Records what `entry` makes of its number, unless somebody else has the ring.
    pub(crate) fn record(&self, entry: impl FnOnce(u64) -> Entry) {
        let number = self.begun.fetch_add(1, Ordering::Relaxed);
        let Some(mut ring) = self.ring.try_lock() else { return };
        ring.push(entry(number));
    }

    /// All that are kept, the oldest first.
    pub(crate) fn list(&self) -> Vec<Entry> {
        let ring = self.ring.lock();
        let (newer, older) = ring.entries.split_at(ring.next.min(ring.entries.len()));
        let mut list: Vec<_> = older.iter().chain(newer).cloned().collect();
        drop(ring);
        // Numbers are taken before the ring is.
        list.sort_by_key(|entry| entry.number);
        list
    }
}

impl Ring {
    fn push(&mut self, entry: Entry) {
        if self.entries.len() < self.keep {
            self.entries.push(entry);
        } else if let Some(oldest) = self.entries.get_mut(self.next) {
            *oldest = entry;
            self.next = if self.next + 1 < self.keep { self.next + 1 } else { 0 };
        }
    }
}

impl Entry {
    /// Fills in what was compared; `id` names the candidates.
    pub(crate) fn compare<'a>(
        &mut self,
        trace: &Trace,
        id: impl Fn(usize) -> Option<&'a EndpointId>,
    ) {
        self.compared = trace.compared;
        let places = self.considered.iter_mut().zip(&mut self.costs);
        for ((place, cost), &(index, noted)) in places.zip(trace.list()) {
            (*place, *cost) = (id(index as usize).cloned(), noted);
        }
    }

    /// Fills in whom the request excludes.
    pub(crate) fn exclude(&mut self, ids: &[EndpointId]) {
        self.exclusions = u32::try_from(ids.len()).unwrap_or(u32::MAX);
        for (place, id) in self.excluded.iter_mut().zip(ids) {
            *place = Some(id.clone());
        }
    }
}

#[cfg(all(test, not(evenkeel_loom)))]
mod tests {
    use super::*;

    fn entry(number: u64) -> Entry {
        Entry {
            number,
            at: Nanos(number),
            version: Version::FIRST,
            strategy: "random".into(),
            key: None,
            tier: None,
            zone: None,
            chosen: None,
            preferred: None,
            owner: None,
            reason: PickReason::Drawn,
            is_sampled: true,
            compared: 0,
            considered: Default::default(),
            costs: Default::default(),
            exclusions: 0,
            excluded: Default::default(),
        }
    }

    fn numbers(decisions: &Decisions) -> Vec<u64> {
        decisions.list().iter().map(|entry| entry.number).collect()
    }

    #[test]
    fn the_last_are_kept_and_no_more() {
        for keep in [0, 1, 2, 7] {
            let decisions = Decisions::keeping(keep);
            for recorded in 0..20_u64 {
                let kept = recorded.min(keep as u64);
                assert_eq!(numbers(&decisions), Vec::from_iter(recorded - kept..recorded));
                decisions.record(entry);
            }
            assert!(decisions.ring.lock().entries.capacity() <= keep.max(1));
        }
    }

    #[test]
    fn other_room_keeps_the_last() {
        for (before, recorded, after, left) in [
            (5, 3, 2, 1..3),
            (5, 13, 2, 11..13),
            (5, 13, 9, 8..13),
            (5, 13, 0, 0..0),
            (0, 4, 3, 0..0),
        ] {
            let decisions = Decisions::keeping(before);
            (0..recorded).for_each(|_| decisions.record(entry));
            decisions.keep(after);
            assert_eq!(numbers(&decisions), Vec::from_iter(left), "{before} to {after}");
            (0..20).for_each(|_| decisions.record(entry));
            assert_eq!(decisions.list().len(), after);
            let last = recorded + 20;
            assert_eq!(numbers(&decisions), Vec::from_iter(last - after as u64..last));
        }
    }

    #[test]
    fn whoever_finds_the_ring_taken_leaves_a_gap() {
        let decisions = Decisions::keeping(4);
        decisions.record(entry);
        {
            let _taken = decisions.ring.lock();
            decisions.record(|_| unreachable!("the ring is taken"));
        }
        decisions.record(entry);
        assert_eq!(numbers(&decisions), [0, 2]);
    }

    #[test]
    fn rare_ones_are_so_many_a_second_whatever_the_clock_does() {
        let decisions = Decisions::keeping(1);
        let admitted = |now| (0..100).filter(|_| decisions.admits_rare(Nanos(now))).count();
        for now in [0, 1_000_000_000, 1_999_999_999, 0, u64::MAX] {
            let most = if now == 1_999_999_999 { 0 } else { RARE as usize };
            assert_eq!(admitted(now), most, "{now}");
        }
    }

    #[test]
    #[cfg(target_pointer_width = "64")]
    fn an_entry_takes_what_the_settings_say() {
        assert!(size_of::<Entry>() <= 300, "{}", size_of::<Entry>());
    }
}

#[cfg(all(test, evenkeel_loom))]
mod model {
    use super::*;

    #[test]
    fn loom_no_more_rare_ones_than_are_admitted() {
        loom::model(|| {
            let decisions = loom::sync::Arc::new(Decisions::keeping(0));
            decisions.rare.store(u64::from(RARE) - 1, Ordering::Relaxed);
            let other = {
                let decisions = loom::sync::Arc::clone(&decisions);
                loom::thread::spawn(move || decisions.admits_rare(Nanos(0)))
            };
            let mine = decisions.admits_rare(Nanos(0));
            assert!(mine ^ other.join().unwrap(), "one of the two, and not both");
        });
    }
}
