//! Where a bound on the load would lead a key, without taking a place anywhere.

use crate::decision::PickReason;
use crate::rng::Rng;
use crate::strategy::forecast::open;
use crate::strategy::hashing::bounded::{Bounded, everybody, fullness, near, one_by_one};
use crate::strategy::hashing::walk::Walk;
use crate::strategy::hashing::wheel::Wheel;
use crate::strategy::{Forecast, PickContext, odds};

impl Bounded {
    /// What a pick comes to, found as a pick finds it.
    pub(super) fn forecast<W: Wheel>(&self, walk: &Walk<W>, cx: &PickContext<'_>) -> Forecast {
        let n = cx.candidates().len();
        let Some(hash) = cx.hash() else { return self.forecast_keyless(walk, cx) };
        let Some(first) = walk.find(hash, cx) else {
            return Forecast::new(PickReason::Owner, vec![0.0; n]);
        };
        match self.foresee(walk, hash, first, cx) {
            Some(index) if index == first => Forecast::certain(PickReason::Owner, index, n),
            Some(index) => Forecast::certain(PickReason::OwnerFull, index, n),
            None => Forecast::new(PickReason::OwnerFull, least_full(cx)),
        }
    }

    /// Requests without a key have one that chance makes.
    fn forecast_keyless<W: Wheel>(&self, walk: &Walk<W>, cx: &PickContext<'_>) -> Forecast {
        const DRAWS: u32 = 20_000;
        let drawn = Forecast::drawn(cx);
        let together = self.crowd.count().saturating_add(1);
        if (0..drawn.chances.len()).all(|at| cx.is_excluded(at) || self.has_room(at, together, cx))
        {
            return drawn;
        }
        let mut rng = Rng::seeded(0);
        let mut chances = vec![0.0; drawn.chances.len()];
        let mut add = |index: usize, part: f64| {
            if let Some(chance) = chances.get_mut(index) {
                *chance += part / f64::from(DRAWS);
            }
        };
        for _ in 0..DRAWS {
            let (hash, mut ticket) = (rng.next_u64(), rng.fraction());
            let first = drawn.chances.iter().position(|chance| {
                ticket -= chance;
                ticket < 0.0
            });
            let Some(first) = first.or_else(|| drawn.chances.iter().rposition(|&it| it > 0.0))
            else {
                return drawn;
            };
            match self.foresee(walk, hash, first, cx) {
                Some(index) => add(index, 1.0),
                None => least_full(cx).into_iter().enumerate().for_each(|(at, part)| add(at, part)),
            }
        }
        Forecast::new(PickReason::Drawn, chances).estimated(true)
    }

    /// Who has room, in the order in which a pick asks; `None` if nobody has.
    fn foresee<W: Wheel>(
        &self,
        walk: &Walk<W>,
        hash: u64,
        first: usize,
        cx: &PickContext<'_>,
    ) -> Option<usize> {
        let counted = self.crowd.count().saturating_add(1);
        let asked = |together| move |index| self.has_room(index, together, cx).then_some(index);
        near(walk, hash, first, cx, asked(counted)).or_else(|| {
            let together = counted.max(one_by_one(cx));
            let found = near(walk, hash, first, cx, asked(together));
            found.or_else(|| everybody(hash, cx, asked(together)))
        })
    }

    fn has_room(&self, index: usize, together: u64, cx: &PickContext<'_>) -> bool {
        cx.candidates().get(index).is_some_and(|candidate| {
            self.is_room(candidate.in_flight(), candidate.weight(), together)
        })
    }
}

/// The least full of all, by weight where several are.
fn least_full(cx: &PickContext<'_>) -> Vec<f64> {
    let weights = open(cx);
    let costs: Vec<_> = (0..weights.len()).map(|index| fullness(cx, index)).collect();
    odds::of_all(&costs, &weights)
}
