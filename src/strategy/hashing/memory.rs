//! Wheels that were built before.

use std::sync::Weak;

use crate::strategy::Owner;
use crate::strategy::hashing::maglev::Table;
use crate::strategy::hashing::ring::Ring;
use crate::strategy::hashing::stock::Stock;
use crate::strategy::hashing::wheel::{Built, Wheel};
use crate::sync::{Arc, Mutex};

/// The wheels of one balancer. They outlive pickers and changes of the settings, so that whatever
/// comes of health, of time or of a preview builds none.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wheels {
    pub(super) rings: Arc<Memory<Ring>>,
    pub(super) tables: Arc<Memory<Table>>,
}

/// Knows every wheel that somebody uses, and keeps the last few besides: what was there a moment ago is
/// often wanted again.
#[derive(Debug)]
pub(super) struct Memory<W: Wheel> {
    known: Mutex<Vec<Known<W>>>,
    #[cfg(test)]
    built: std::sync::atomic::AtomicUsize,
}

#[derive(Debug)]
struct Known<W: Wheel> {
    used: Weak<Built<W>>,
    kept: Option<Arc<Built<W>>>,
}

/// Positions that are kept at most for nobody, four wheels of the usual size. Larger ones are not
/// kept.
const KEPT: usize = 4 * 65_537;

/// The part of all keys that may be where they were, though they would be elsewhere if a wheel were
/// built. What is beyond would put too much on the others, or leave too little to those who are new.
const MOVED: f64 = 0.25;

#[cfg(test)]
impl Wheels {
    /// How many were ever built.
    pub(crate) fn built(&self) -> usize {
        let (rings, tables) = (&self.rings.built, &self.tables.built);
        [rings, tables].map(|built| built.load(std::sync::atomic::Ordering::Relaxed)).iter().sum()
    }

    /// How many are there still.
    pub(crate) fn alive(&self) -> usize {
        fn alive<W: Wheel>(memory: &Memory<W>) -> usize {
            memory.known.lock().iter().filter(|known| known.used.strong_count() > 0).count()
        }
        alive(&self.rings) + alive(&self.tables)
    }
}

impl<W: Wheel> Default for Memory<W> {
    fn default() -> Self {
        Self {
            known: Mutex::new(Vec::new()),
            #[cfg(test)]
            built: std::sync::atomic::AtomicUsize::default(),
        }
    }
}

impl<W: Wheel> Memory<W> {
    /// The wheel of these owners. Where it would have to be built, and this may wait: the one that
    /// is carried in the stock, if it is nearly the same.
    pub(super) fn wheel(
        &self,
        shape: W::Shape,
        owners: &[Owner],
        stock: &Stock<'_>,
    ) -> Arc<Built<W>> {
        let carried = || stock.carried::<W>(shape);
        let same = carried().find(|built| built.is_of(shape, owners));
        if let Some(known) = same.or_else(|| self.known(shape, owners)) {
            stock.uses(&known, false);
            return known;
        }
        if !stock.may_build()
            && let Some(near) = carried().find(|built| built.moved(owners) <= MOVED)
        {
            stock.uses(&near, false);
            stock.lags(Built::<W>::most(shape, owners));
            return near;
        }
        let built = self.build(shape, owners);
        stock.uses(&built, true);
        built
    }

    fn build(&self, shape: W::Shape, owners: &[Owner]) -> Arc<Built<W>> {
        // Not under the lock: a preview of something large must not keep the writer waiting.
        let built = Arc::new(Built::new(shape, owners));
        #[cfg(test)]
        self.built.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let mut all = self.known.lock();
        all.push(Known { used: Arc::downgrade(&built), kept: Some(Arc::clone(&built)) });
        tidy(&mut all);
        built
    }

    fn known(&self, shape: W::Shape, owners: &[Owner]) -> Option<Arc<Built<W>>> {
        let mut all = self.known.lock();
        let found = |known: &Known<W>| Some((known.used.upgrade()?, known.kept.is_some()));
        let (at, (built, is_kept)) = all.iter().enumerate().find_map(|(at, known)| {
            let found = found(known).filter(|(built, _)| built.is_of(shape, owners))?;
            Some((at, found))
        })?;
        if !is_kept || at + 1 < all.len() {
            all.remove(at);
            all.push(Known { used: Arc::downgrade(&built), kept: Some(Arc::clone(&built)) });
            tidy(&mut all);
        }
        Some(built)
    }
}

/// Lets go of the eldest that are too much, and forgets those that nobody uses.
fn tidy<W: Wheel>(all: &mut Vec<Known<W>>) {
    let mut room = KEPT;
    for known in all.iter_mut().rev() {
        let size = known.kept.as_ref().map_or(0, |kept| kept.wheel.len());
        match room.checked_sub(size) {
            Some(left) => room = left,
            None => known.kept = None,
        }
    }
    all.retain(|known| known.used.strong_count() > 0);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::EndpointId;

    fn owners(n: u32) -> Vec<Owner> {
        (0..n).map(|i| Owner::new(EndpointId::from(format!("e{i:03}")), i + 1, None)).collect()
    }

    #[test]
    fn the_same_owners_have_the_same_wheel() {
        let memory = Memory::<Table>::default();
        let wheel = |shape, n| memory.wheel(shape, &owners(n), &Stock::new(&[], true));
        let first = wheel(101, 5);
        assert!(Arc::ptr_eq(&first, &wheel(101, 5)));
        assert!(!Arc::ptr_eq(&first, &wheel(103, 5)));
        assert!(!Arc::ptr_eq(&first, &wheel(101, 6)));
        assert!(Arc::ptr_eq(&first, &wheel(101, 5)));
    }

    /// What comes of a stock that carries the wheel of the first `n`.
    fn found(n: u32, shape: u32, owners: &[Owner], may_build: bool) -> (u32, Option<f64>) {
        let before = Stock::new(&[], true);
        Memory::<Table>::default().wheel(101, &owned(&vec![1; n as usize]), &before);
        let carried = before.into_used().wheels;
        let stock = Stock::new(&carried, may_build);
        Memory::<Table>::default().wheel(shape, owners, &stock);
        let used = stock.into_used();
        assert_eq!(used.wheels.len(), 1);
        (used.built, used.lag)
    }

    fn owned(weights: &[u32]) -> Vec<Owner> {
        let owner = |(i, &weight): (usize, &u32)| {
            Owner::new(EndpointId::from(format!("e{i:03}")), weight, Some((i, 1.0)))
        };
        weights.iter().enumerate().filter(|(_, weight)| **weight > 0).map(owner).collect()
    }

    #[test]
    fn what_is_carried_serves_those_it_was_built_of_and_who_is_nearly_the_same() {
        let lag = |weights: &[u32], may_build| found(8, 101, &owned(weights), may_build);
        assert_eq!(lag(&[1; 8], true), (0, None));
        assert_eq!(lag(&[1; 8], false), (0, None));
        assert_eq!(lag(&[1; 9], true), (1, None), "it may be built");
        assert_eq!(found(8, 103, &owned(&[1; 9]), false), (1, None), "another shape");
        // To a row or two: 1/9, 1/7 and 2/9.
        let most = |used: (u32, Option<f64>)| (used.0, used.1.map(|it| (it * 101.0).round() - 2.0));
        assert_eq!(most(lag(&[1; 9], false)), (0, Some(11.0)));
        assert_eq!(most(lag(&[1, 0, 1, 1, 1, 1, 1, 1], false)), (0, Some(14.0)));
        assert_eq!(most(lag(&[1, 1, 1, 1, 1, 1, 1, 2], false)), (0, Some(22.0)));
        assert_eq!(lag(&[0, 0, 1, 1, 1, 1, 1, 1], false).0, 0, "a quarter");
        assert_eq!(lag(&[0, 0, 0, 1, 1, 1, 1, 1], false), (1, None), "more");
        assert_eq!(lag(&[1; 11], false), (1, None));
        assert_eq!(lag(&[1, 1, 1, 1, 1, 1, 1, 5], false), (1, None));
        assert_eq!(lag(&[0, 0, 0, 0, 0, 0, 0, 0, 3], false), (1, None), "strangers");
    }

    #[test]
    fn who_has_no_seat_leaves_his_keys_to_anybody() {
        let mut owners = owned(&[1; 9]);
        owners[3] = Owner::new(owners[3].id().clone(), 1, None);
        let (_, lag) = found(8, 101, &owners, false);
        assert!((lag.unwrap() - (2.0 / 9.0 + 4.0 / 101.0)).abs() < 1e-9, "{lag:?}");
    }

    #[test]
    fn those_that_nobody_uses_are_few() {
        let memory = Memory::<Table>::default();
        let wheel = |n| memory.wheel(65_537, &owners(n), &Stock::new(&[], true));
        let used = wheel(1);
        for n in 2..12 {
            wheel(n);
        }
        let all = memory.known.lock();
        assert_eq!(all.iter().filter(|known| known.kept.is_some()).count(), 4);
        assert_eq!(all.len(), 5);
        drop(all);
        assert!(Arc::ptr_eq(&used, &wheel(1)));
    }
}
