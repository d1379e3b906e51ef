//! Wheels that were built before.

use std::sync::Weak;

use crate::strategy::Owner;
use crate::strategy::hashing::maglev::Table;
use crate::strategy::hashing::ring::Ring;
use crate::strategy::hashing::wheel::{Built, Wheel};
use crate::sync::{Arc, Mutex};

/// The wheels of one balancer. They outlive pickers and changes of the settings, so that whatever
/// comes of health, of time or of a preview builds none.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wheels {
    pub(super) rings: Arc<Memory<Ring>>,
    pub(super) tables: Arc<Memory<Table>>,
}

/// Knows every wheel that somebody uses, and keeps the last few besides: a tier of which nobody is
/// left has no picker, and comes back while a request waits.
#[derive(Debug)]
pub(super) struct Memory<W: Wheel>(Mutex<Vec<Known<W>>>);

#[derive(Debug)]
struct Known<W: Wheel> {
    used: Weak<Built<W>>,
    kept: Option<Arc<Built<W>>>,
}

/// Positions that are kept at most for nobody, four wheels of the usual size. Larger ones are not
/// kept.
const KEPT: usize = 4 * 65_537;

impl<W: Wheel> Default for Memory<W> {
    fn default() -> Self {
        Self(Mutex::new(Vec::new()))
    }
}

impl<W: Wheel> Memory<W> {
    /// The wheel of these owners.
    pub(super) fn wheel(&self, shape: W::Shape, owners: &[Owner]) -> Arc<Built<W>> {
        if let Some(known) = self.known(shape, owners) {
            return known;
        }
        // Not under the lock: a preview of something large must not keep the writer waiting.
        let built = Arc::new(Built::new(shape, owners));
        let mut all = self.0.lock();
        all.push(Known { used: Arc::downgrade(&built), kept: Some(Arc::clone(&built)) });
        tidy(&mut all);
        built
    }

    fn known(&self, shape: W::Shape, owners: &[Owner]) -> Option<Arc<Built<W>>> {
        let mut all = self.0.lock();
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
        let first = memory.wheel(101, &owners(5));
        assert!(Arc::ptr_eq(&first, &memory.wheel(101, &owners(5))));
        assert!(!Arc::ptr_eq(&first, &memory.wheel(103, &owners(5))));
        assert!(!Arc::ptr_eq(&first, &memory.wheel(101, &owners(6))));
        assert!(Arc::ptr_eq(&first, &memory.wheel(101, &owners(5))));
    }

    #[test]
    fn those_that_nobody_uses_are_few() {
        let memory = Memory::<Table>::default();
        let used = memory.wheel(65_537, &owners(1));
        for n in 2..12 {
            memory.wheel(65_537, &owners(n));
        }
        let all = memory.0.lock();
        assert_eq!(all.iter().filter(|known| known.kept.is_some()).count(), 4);
        assert_eq!(all.len(), 5);
        drop(all);
        assert!(Arc::ptr_eq(&used, &memory.wheel(65_537, &owners(1))));
    }
}
