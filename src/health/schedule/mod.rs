//! Who is asked when.
//!
//! Endpoints that accept and never answer hold what they are given until the deadline, and all of
//! them together could hold everything. So they are told from the others by their last answer, and
//! the others always find room. Among themselves those about whom nothing is decided yet go before
//! those who are known to be sick.

use std::collections::{BTreeMap, BTreeSet};

use crate::health::Plan;
use crate::health::tally::{Finding, Tally};
use crate::outlier::Checked;
use crate::rng::Rng;
use crate::units::Nanos;

/// When each endpoint, called `K`, is asked next, and what its answers come to.
#[derive(Debug)]
pub(crate) struct Schedule<K> {
    plan: Plan,
    entries: BTreeMap<K, Entry>,
    /// Those who are not being asked, by when they are due.
    waiting: [BTreeSet<(Nanos, K)>; Class::ALL.len()],
    /// Those who are, also if they have left meanwhile, and whether they were doubtful.
    under_way: BTreeMap<K, UnderWay>,
    /// How many of them were.
    doubtful_under_way: usize,
    /// How many are steady.
    steady: usize,
    /// The latest instant that was told: a clock that goes back stands still.
    latest: Nanos,
}

#[derive(Debug)]
struct Entry {
    known: Checked,
    tally: Tally,
    /// When it was last asked, or joined if it never was.
    from: Nanos,
    asked: bool,
    /// Where between the shortest and the longest pause the next one lies.
    part: f64,
    due: Nanos,
}

#[derive(Clone, Copy, Debug)]
struct UnderWay {
    began: Nanos,
    doubtful: bool,
}

/// Whether an answer is to be expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    /// The last answer was good, or there was none yet.
    Steady,
    /// The last answer was bad.
    Suspect,
    /// So it was, and the endpoint is known to be sick.
    Sick,
}

impl Class {
    const ALL: [Self; 3] = [Self::Steady, Self::Suspect, Self::Sick];
}

impl Entry {
    fn class(&self) -> Class {
        match self.known {
            _ if !self.tally.is_bad() => Class::Steady,
            Checked::Sick => Class::Sick,
            Checked::Well | Checked::Awaited => Class::Suspect,
        }
    }

    fn plan(&mut self, plan: &Plan) {
        let hurried = self.known != Checked::Well || self.tally.is_bad();
        let next = if self.asked { Plan::next } else { Plan::first };
        self.due = next(plan, self.from, self.part, hurried);
    }
}

impl<K: Ord + Clone> Schedule<K> {
    pub(crate) fn new(plan: Plan) -> Self {
        Self {
            plan,
            entries: BTreeMap::new(),
            waiting: Class::ALL.map(|_| BTreeSet::new()),
            under_way: BTreeMap::new(),
            doubtful_under_way: 0,
            steady: 0,
            latest: Nanos(0),
        }
    }

    /// Takes note of who is there, in any order, and what is known of them. Who has left is asked
    /// no more; what is under way holds its place until it has [`ended`](Self::ended).
    pub(crate) fn sync(
        &mut self,
        plan: Plan,
        members: impl IntoIterator<Item = (K, Checked)>,
        now: Nanos,
        rng: &mut Rng,
    ) {
        let now = self.at(now);
        let replan = std::mem::replace(&mut self.plan, plan) != plan;
        let mut before = std::mem::take(&mut self.entries);
        let mut joined = Vec::new();
        for (key, known) in members {
            match before.remove(&key) {
                Some(entry) if replan || entry.known != known => {
                    self.withdraw(&key, &entry);
                    self.enter(key, Entry { known, ..entry });
                }
                Some(entry) => {
                    self.entries.insert(key, entry);
                }
                None => joined.push((key, known)),
            }
        }
        before.iter().for_each(|(key, entry)| self.withdraw(key, entry));
        // One each in parts of equal length, counted from anywhere: evenly spread, and not the
        // same for all who are sent the same set.
        let (of, offset) = (joined.len() as f64, rng.fraction());
        for (at, (key, known)) in joined.into_iter().enumerate() {
            let part = ((at as f64 + rng.fraction()) / of + offset).fract();
            let (tally, asked, due) = (Tally::default(), false, now);
            self.enter(key, Entry { known, tally, from: now, asked, part, due });
        }
    }

    /// Forgets everybody.
    pub(crate) fn clear(&mut self) {
        self.entries.clear();
        self.waiting.iter_mut().for_each(BTreeSet::clear);
        self.steady = 0;
    }

    /// Whoever is to be asked now; each is under way from here on.
    pub(crate) fn start_due(&mut self, now: Nanos) -> Vec<K> {
        let now = self.at(now);
        let mut started = Vec::new();
        while let Some(class) = self.next(now) {
            let Some((_, key)) = self.waiting[class as usize].pop_first() else { break };
            let doubtful = class != Class::Steady;
            self.doubtful_under_way += usize::from(doubtful);
            self.under_way.insert(key.clone(), UnderWay { began: now, doubtful });
            started.push(key);
        }
        started
    }

    /// A check is over, with an answer or without one that counts; who has given none is asked
    /// again. Says what there is to be made known.
    pub(crate) fn ended(
        &mut self,
        key: &K,
        answer: Option<bool>,
        now: Nanos,
        rng: &mut Rng,
    ) -> Option<Finding> {
        self.at(now);
        let UnderWay { began, doubtful } = self.under_way.remove(key)?;
        self.doubtful_under_way -= usize::from(doubtful);
        let mut entry = self.entries.remove(key)?;
        self.steady -= usize::from(entry.class() == Class::Steady);
        if let Some(good) = answer {
            entry.tally.count(good);
            (entry.from, entry.asked, entry.part) = (began, true, rng.fraction());
        }
        let finding = answer.and_then(|_| entry.tally.finding(entry.known, &self.plan));
        self.enter(key.clone(), entry);
        finding
    }

    /// Takes one out that was to be asked and turns out to have left.
    pub(crate) fn forget(&mut self, key: &K) {
        if let Some(UnderWay { doubtful, .. }) = self.under_way.remove(key) {
            self.doubtful_under_way -= usize::from(doubtful);
        }
        if let Some(entry) = self.entries.remove(key) {
            self.withdraw(key, &entry);
        }
    }

    /// When [`start_due`](Self::start_due) has something to do, unless something ends before.
    pub(crate) fn due(&self) -> Nanos {
        if self.under_way.len() >= self.plan.concurrency {
            return Nanos::NEVER;
        }
        let heads = Class::ALL.into_iter().filter(|&class| self.bears(class));
        let due = heads.filter_map(|class| self.head(class)).min();
        due.map_or(Nanos::NEVER, |due| due.max(self.latest))
    }

    fn at(&mut self, now: Nanos) -> Nanos {
        self.latest = self.latest.max(now);
        self.latest
    }

    /// Puts an endpoint where it belongs.
    fn enter(&mut self, key: K, mut entry: Entry) {
        entry.plan(&self.plan);
        self.steady += usize::from(entry.class() == Class::Steady);
        if !self.under_way.contains_key(&key) {
            self.waiting[entry.class() as usize].insert((entry.due, key.clone()));
        }
        self.entries.insert(key, entry);
    }

    /// Undoes what [`enter`](Self::enter) did, for an entry that is taken out.
    fn withdraw(&mut self, key: &K, entry: &Entry) {
        self.steady -= usize::from(entry.class() == Class::Steady);
        self.waiting[entry.class() as usize].remove(&(entry.due, key.clone()));
    }

    fn head(&self, class: Class) -> Option<Nanos> {
        self.waiting[class as usize].first().map(|(due, _)| *due)
    }

    /// Whether one more of this class may be asked, as far as it may hold up the others.
    fn bears(&self, class: Class) -> bool {
        let doubtful = self.doubtful_under_way;
        match class {
            Class::Steady => true,
            Class::Suspect => doubtful < self.plan.bearable(3, self.steady),
            Class::Sick => doubtful < self.plan.bearable(2, self.steady),
        }
    }

    /// Where the next one to be asked waits.
    fn next(&self, now: Nanos) -> Option<Class> {
        if self.under_way.len() >= self.plan.concurrency {
            return None;
        }
        let bears = |&due: &Nanos, class| due <= now && self.bears(class);
        let due = |class| self.head(class).filter(|due| bears(due, class));
        let steady = due(Class::Steady);
        // One that is known to be sick can wait for a pause of those who are well, not longer.
        let patience = self.plan.interval;
        let patient = due(Class::Sick).map(|due| Nanos(due.0.saturating_add(patience)));
        let doubtful = [(due(Class::Suspect), Class::Suspect), (patient, Class::Sick)];
        let doubtful = doubtful.into_iter().filter_map(|(due, class)| Some((due?, class)));
        let doubtful = doubtful.min_by_key(|&(due, _)| due);
        match (steady, doubtful) {
            (None, doubtful) => doubtful.map(|(_, class)| class),
            (Some(_), None) => Some(Class::Steady),
            (Some(steady), Some((due, class))) => {
                let granted = self.doubtful_under_way < self.plan.granted() && due <= steady;
                Some(if granted { class } else { Class::Steady })
            }
        }
    }
}

#[cfg(all(test, not(evenkeel_loom)))]
mod tests;
