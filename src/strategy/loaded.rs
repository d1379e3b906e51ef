//! The least costly of a few drawn endpoints, or of all.
//!
//! The power of two choices (Mitzenmacher 1996), with two rules that make it fair. Those drawn are
//! distinct, and drawn by weight; and a tie goes to the one drawn first. So while all cost the
//! same, the first draw decides and every share is exactly the endpoint's part of the weights,
//! for any number of endpoints and choices. (Comparing `load / weight` among endpoints drawn
//! alike, as is usual, leaves a light one among many with more than half as much as a heavy one.)

use crate::decision::PickReason;
use crate::rng::Rng;
use crate::strategy::cost::Cost;
use crate::strategy::draw::{Draw, Taken};
use crate::strategy::forecast::open;
use crate::strategy::odds;
use crate::strategy::{Forecast, PickContext};

/// What candidates are compared by.
///
/// A trait and no closure: it has to be written into the pick, and a closure that is passed on is not always.
pub(crate) trait Measure {
    fn cost(draw: &Draw, cx: &PickContext<'_>, index: usize) -> Cost;
}

/// Draws, compares, decides; what costs what is the caller's.
#[derive(Debug)]
pub(crate) struct Loaded {
    draw: Draw,
    /// How many are compared; `None` for all.
    choices: Option<usize>,
}

impl Loaded {
    pub(crate) fn new(draw: Draw, choices: Option<usize>) -> Self {
        // As many choices as there are endpoints is a full scan: in an order drawn by weight, the
        // first among equals is one of them drawn by weight.
        let choices = choices.filter(|&choices| choices < draw.len());
        Self { draw, choices }
    }

    /// Whether all weights are equal.
    pub(crate) fn is_equal(&self) -> bool {
        self.draw.is_equal()
    }

    /// The weight of a candidate.
    pub(crate) fn weight(&self, index: usize) -> f64 {
        self.draw.weight(index)
    }

    pub(crate) fn shares(&self) -> Vec<f64> {
        self.draw.shares()
    }

    /// The one that is drawn first, where one is and nobody is excluded.
    pub(crate) fn first(&self, cx: &mut PickContext<'_>) -> Option<usize> {
        let choices = self.choices.filter(|_| cx.excluded().is_empty())?;
        if choices == 2 {
            return self.draw.two(&mut cx.rng).map(|(first, _)| first);
        }
        self.draw.other(&mut cx.rng, &Taken::none())
    }

    /// The least costly of those drawn. `watch` is shown what is compared, in the order of the draws.
    ///
    /// What nearly every pick is, is written into its caller; the rest would only be in its way.
    #[inline(always)]
    pub(crate) fn pick<M: Measure>(
        &self,
        cx: &mut PickContext<'_>,
        watch: impl Fn(&mut PickContext<'_>, usize, Cost),
    ) -> Option<usize> {
        let mut rng = cx.rng.clone();
        let chosen = match self.choices {
            Some(2) if cx.excluded().is_empty() => self.of_two::<M>(cx, &mut rng, watch),
            Some(choices) => self.sample::<M>(cx, &mut rng, choices, watch),
            None => self.scan::<M>(cx, &mut rng, watch),
        };
        cx.rng = rng;
        chosen
    }

    fn scan<M: Measure>(
        &self,
        cx: &mut PickContext<'_>,
        rng: &mut Rng,
        watch: impl Fn(&mut PickContext<'_>, usize, Cost),
    ) -> Option<usize> {
        scan(cx, rng, |cx, index| M::cost(&self.draw, cx, index), watch)
    }

    #[inline(never)]
    fn sample<M: Measure>(
        &self,
        cx: &mut PickContext<'_>,
        rng: &mut Rng,
        choices: usize,
        watch: impl Fn(&mut PickContext<'_>, usize, Cost),
    ) -> Option<usize> {
        let Some(mut taken) = Taken::excluded(cx) else {
            return self.scan::<M>(cx, rng, watch);
        };
        let mut best = self.draw.other(rng, &taken)?;
        taken.insert(best);
        let mut least = M::cost(&self.draw, cx, best);
        watch(cx, best, least);
        for _ in 1..choices {
            let Some(next) = self.draw.other(rng, &taken) else {
                break;
            };
            taken.insert(next);
            let next_cost = M::cost(&self.draw, cx, next);
            watch(cx, next, next_cost);
            let better = next_cost < least;
            // Which of two is less loaded cannot be foreseen; a branch would be guessed wrong
            // half of the time.
            best = std::hint::select_unpredictable(better, next, best);
            least = std::hint::select_unpredictable(better, next_cost, least);
        }
        Some(best)
    }
}

impl Loaded {
    /// Draws as [`sample`](Self::sample) does.
    #[inline(always)]
    fn of_two<M: Measure>(
        &self,
        cx: &mut PickContext<'_>,
        rng: &mut Rng,
        watch: impl Fn(&mut PickContext<'_>, usize, Cost),
    ) -> Option<usize> {
        let (first, second) = self.draw.two(rng)?;
        let (second_cost, first_cost) =
            (M::cost(&self.draw, cx, second), M::cost(&self.draw, cx, first));
        watch(cx, first, first_cost);
        watch(cx, second, second_cost);
        let better = second_cost < first_cost;
        Some(std::hint::select_unpredictable(better, second, first))
    }
}

impl Loaded {
    /// What a pick comes to while all cost what they do now, by a measure that is a
    /// [`Cost::value`].
    pub(crate) fn forecast<M: Measure>(&self, cx: &PickContext<'_>) -> Forecast {
        let weights = open(cx);
        let costs: Vec<_> =
            (0..weights.len()).map(|index| M::cost(&self.draw, cx, index)).collect();
        let left = weights.iter().filter(|&&weight| weight > 0.0).count();
        // A request that excludes very many has all others compared.
        let choices = self.choices.filter(|&choices| choices < left).zip(Taken::excluded(cx));
        let (chances, estimated) = match choices {
            None => (odds::of_all(&costs, &weights), false),
            Some((1, _)) => (Forecast::drawn(cx).chances, false),
            Some((2, _)) => (odds::of_two(&costs, &weights), false),
            Some((choices, taken)) => (odds::of_some(choices, &costs, &self.draw, &taken), true),
        };
        let costs = costs.into_iter().map(Cost::value).collect();
        Forecast::new(PickReason::LeastCost, chances).with_costs(costs).estimated(estimated)
    }
}

/// The least costly of all that are not excluded; among equals one drawn by weight.
#[inline(never)]
pub(crate) fn scan(
    cx: &mut PickContext<'_>,
    rng: &mut Rng,
    cost: impl Fn(&PickContext<'_>, usize) -> Cost,
    watch: impl Fn(&mut PickContext<'_>, usize, Cost),
) -> Option<usize> {
    let mut best = None;
    let mut tied = 0_u64;
    for (index, candidate) in cx.candidates.iter().enumerate() {
        if cx.is_excluded(index) {
            continue;
        }
        let weight = u64::from(candidate.weight());
        let cost = cost(cx, index);
        watch(cx, index, cost);
        match best {
            Some((_, least)) if cost > least => {}
            Some((_, least)) if cost == least => {
                tied = tied.saturating_add(weight);
                if rng.below(tied) < weight {
                    best = Some((index, cost));
                }
            }
            _ => {
                best = Some((index, cost));
                tied = weight;
            }
        }
    }
    best.map(|(index, _)| index)
}

/// Nobody wants to know.
#[inline(always)]
pub(crate) fn unwatched(_: &mut PickContext<'_>, _: usize, _: Cost) {}
