//! The endpoint with the fewest requests in flight, of a few or of all.

use crate::decision::PickReason;
use crate::strategy::cost::Cost;
use crate::strategy::draw::Draw;
use crate::strategy::loaded::{Loaded, Measure, unwatched};
use crate::strategy::{Candidates, Forecast, PickContext, Picker, Strategy};

/// Draws `choices` distinct endpoints by weight and takes the one with the least
/// `(in flight + recent failures) / weight`; a tie goes to the one drawn first.
///
/// While all are equally loaded, an endpoint's share is its part of the weights. An idle endpoint
/// without recent failures is never passed over for a busy one when both were drawn. A failure
/// counts as a request in flight for the length of the failure penalty
/// ([`StrategyConfig::failure_penalty`](crate::config::StrategyConfig::failure_penalty)), so an
/// endpoint that fails fast does not look idle.
#[derive(Clone, Copy, Debug)]
pub struct LeastRequest {
    choices: Option<usize>,
}

impl LeastRequest {
    /// Compares `choices` endpoints: at least one, and no more than 16.
    #[must_use]
    pub fn of(choices: usize) -> Self {
        Self { choices: Some(choices.clamp(1, 16)) }
    }

    /// Compares all endpoints. Costs time in proportion to their number.
    #[must_use]
    pub fn of_all() -> Self {
        Self { choices: None }
    }
}

impl Default for LeastRequest {
    /// Compares two.
    fn default() -> Self {
        Self::of(2)
    }
}

impl Strategy for LeastRequest {
    fn build(&self, candidates: &Candidates<'_>) -> Box<dyn Picker> {
        Box::new(LeastRequestPicker(Loaded::new(Draw::new(candidates.weights()), self.choices)))
    }

    fn asks_for_latency(&self) -> bool {
        false
    }
}

#[derive(Debug)]
struct LeastRequestPicker(Loaded);

impl Picker for LeastRequestPicker {
    fn pick(&self, cx: &mut PickContext<'_>) -> Option<usize> {
        if cx.trace.is_some() {
            return self.pick_watched(cx);
        }
        if self.0.is_equal() {
            self.0.pick::<Load>(cx, unwatched)
        } else {
            self.0.pick::<LoadByWeight>(cx, unwatched)
        }
    }

    fn shares(&self) -> Vec<f64> {
        self.0.shares()
    }

    fn drawn(&self, cx: &mut PickContext<'_>) -> Option<usize> {
        self.0.first(cx)
    }

    fn forecast(&self, cx: &PickContext<'_>) -> Forecast {
        // Among equal weights loads are in the order of costs.
        self.0.forecast::<LoadByWeight>(cx)
    }
}

impl LeastRequestPicker {
    /// The same choice, for a pick that is recorded.
    #[cold]
    #[inline(never)]
    fn pick_watched(&self, cx: &mut PickContext<'_>) -> Option<usize> {
        cx.because(PickReason::LeastCost);
        if self.0.is_equal() {
            let watch = |cx: &mut PickContext<'_>, index, cost: Cost| {
                cx.compared(index, cost.load() / self.0.weight(index));
            };
            self.0.pick::<Load>(cx, watch)
        } else {
            let watch =
                |cx: &mut PickContext<'_>, index, cost: Cost| cx.compared(index, cost.value());
            self.0.pick::<LoadByWeight>(cx, watch)
        }
    }
}

/// For candidates of equal weights.
struct Load;

impl Measure for Load {
    #[inline(always)]
    fn cost(_: &Draw, cx: &PickContext<'_>, index: usize) -> Cost {
        Cost::of_load(cx.load(index))
    }
}

struct LoadByWeight;

impl Measure for LoadByWeight {
    #[inline(always)]
    fn cost(draw: &Draw, cx: &PickContext<'_>, index: usize) -> Cost {
        Cost::new(cx.load(index) as f64 / draw.weight(index))
    }
}
