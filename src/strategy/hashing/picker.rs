//! The picker of all strategies that go by keys.

use crate::decision::PickReason;
use crate::strategy::draw::Draw;
use crate::strategy::hashing::bounded::{Bounded, Bounds};
use crate::strategy::hashing::shares::shares;
use crate::strategy::hashing::walk::Walk;
use crate::strategy::hashing::wheel::{Built, Wheel};
use crate::strategy::random::draw_one;
use crate::strategy::{Candidates, Forecast, Owner, PickContext, Picker};
use crate::sync::Arc;
use crate::units::EndpointId;

/// Looks a key up and walks on where it must.
#[derive(Debug)]
pub(super) struct KeyedPicker<W: Wheel> {
    walk: Walk<W>,
    /// For requests without a key.
    draw: Draw,
    bounded: Option<Bounded>,
}

impl<W: Wheel> KeyedPicker<W> {
    pub(super) fn new(
        built: Arc<Built<W>>,
        owners: &[Owner],
        candidates: &Candidates<'_>,
        bounds: Option<Bounds>,
    ) -> Self {
        Self {
            walk: Walk::new(built, owners, candidates),
            draw: Draw::new(candidates.weights()),
            bounded: bounds.map(|bounds| Bounded::new(bounds, candidates)),
        }
    }
}

impl<W: Wheel> Picker for KeyedPicker<W> {
    #[inline]
    fn pick(&self, cx: &mut PickContext<'_>) -> Option<usize> {
        if let Some(bounded) = &self.bounded {
            return bounded.pick(&self.walk, &self.draw, cx);
        }
        match cx.hash() {
            Some(hash) => self.walk.find(hash, cx),
            None => draw_one(&self.draw, cx),
        }
    }

    fn shares(&self) -> Vec<f64> {
        shares(&self.walk)
    }

    fn forecast(&self, cx: &PickContext<'_>) -> Forecast {
        if let Some(bounded) = &self.bounded {
            return bounded.forecast(&self.walk, cx);
        }
        let Some(hash) = cx.hash() else { return Forecast::drawn(cx) };
        // The index of nobody is one that does not exist.
        let index = self.walk.find(hash, cx).unwrap_or(usize::MAX);
        Forecast::certain(PickReason::Owner, index, cx.candidates().len())
    }

    fn owner(&self, hash: u64) -> Option<&EndpointId> {
        let owner = self.walk.owner(hash)? as usize;
        self.walk.built.owners.get(owner).map(|(id, _)| id)
    }
}
