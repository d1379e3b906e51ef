//! Wheels that are there already, for a picker that is prepared.

use std::any::Any;
use std::cell::RefCell;
use std::fmt;

use crate::strategy::hashing::wheel::{Built, Wheel};
use crate::sync::Arc;

/// A wheel of whatever kind, so that whoever keeps it need not know which there are.
#[derive(Clone)]
pub(crate) struct Kept(Arc<dyn Any + Send + Sync>);

/// What a picker finds when it is prepared, and what it leaves for the next one of its group.
#[derive(Debug)]
pub(crate) struct Stock<'a> {
    /// The wheels that the group goes by until now.
    carried: &'a [Kept],
    /// Whether what is missing is built, or the picker goes on by what is carried.
    may_build: bool,
    used: RefCell<Used>,
}

/// What became of a stock.
#[derive(Debug, Default)]
pub(crate) struct Used {
    /// The wheels that the group goes by from now on.
    pub(crate) wheels: Vec<Kept>,
    /// How many of them had to be built.
    pub(crate) built: u32,
    /// If one of them is not the one of these owners: the most that any of them can get by that.
    pub(crate) lag: Option<f64>,
}

impl<'a> Stock<'a> {
    pub(crate) fn new(carried: &'a [Kept], may_build: bool) -> Self {
        Self { carried, may_build, used: RefCell::default() }
    }

    pub(crate) fn into_used(self) -> Used {
        self.used.into_inner()
    }

    pub(super) fn may_build(&self) -> bool {
        self.may_build
    }

    /// Those of a kind and shape that are carried.
    pub(super) fn carried<W: Wheel>(
        &self,
        shape: W::Shape,
    ) -> impl Iterator<Item = Arc<Built<W>>> + 'a {
        let known = |kept: &Kept| Arc::clone(&kept.0).downcast::<Built<W>>().ok();
        self.carried.iter().filter_map(known).filter(move |built| built.shape() == shape)
    }

    /// The picker goes by this wheel.
    pub(super) fn uses<W: Wheel>(&self, built: &Arc<Built<W>>, is_new: bool) {
        let mut used = self.used.borrow_mut();
        let kept: Arc<dyn Any + Send + Sync> = Arc::<Built<W>>::clone(built);
        if !used.wheels.iter().any(|it| Arc::ptr_eq(&it.0, &kept)) {
            used.wheels.push(Kept(kept));
        }
        used.built += u32::from(is_new);
    }

    /// The wheel is not the one of its owners, who could get so much by that.
    pub(super) fn lags(&self, most: f64) {
        let mut used = self.used.borrow_mut();
        used.lag = Some(used.lag.map_or(most, |before| before.max(most)));
    }
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Kept").finish_non_exhaustive()
    }
}
