//! The endpoint that promises the quickest answer, of a few or of all.

use crate::decision::PickReason;
use crate::strategy::cost::Cost;
use crate::strategy::draw::Draw;
use crate::strategy::loaded::{Loaded, Measure, unwatched};
use crate::strategy::{Candidates, Forecast, PickContext, Picker, Strategy};

/// Draws `choices` distinct endpoints by weight and takes the one with the least
/// `latency · (1 + in flight / weight)`; a tie goes to the one drawn first.
///
/// The latency is a moving average that jumps up at once and comes down within
/// [`StrategyConfig::decay`](crate::config::StrategyConfig::decay) (the peak EWMA of Finagle).
/// Without news it drifts to what the peers typically need; a new endpoint starts there. A failed
/// request is expected to take as long again as the failure penalty has still to run, so a fast
/// failure is never a bargain, and the endpoint is tried again when the penalty is over. An endpoint
/// that leaves all its requests unanswered is expected to go on for as long again: it loses its
/// traffic although nothing ever completes.
#[derive(Clone, Copy, Debug)]
pub struct PeakEwma {
    choices: Option<usize>,
}

impl PeakEwma {
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

impl Default for PeakEwma {
    /// Compares two.
    fn default() -> Self {
        Self::of(2)
    }
}

impl Strategy for PeakEwma {
    fn build(&self, candidates: &Candidates<'_>) -> Box<dyn Picker> {
        Box::new(PeakEwmaPicker(Loaded::new(Draw::new(candidates.weights()), self.choices)))
    }
}

#[derive(Debug)]
struct PeakEwmaPicker(Loaded);

impl Picker for PeakEwmaPicker {
    fn pick(&self, cx: &mut PickContext<'_>) -> Option<usize> {
        if cx.trace.is_some() {
            return self.pick_watched(cx);
        }
        if self.0.is_equal() {
            self.0.pick::<Undivided>(cx, unwatched)
        } else {
            self.0.pick::<Promised>(cx, unwatched)
        }
    }

    fn shares(&self) -> Vec<f64> {
        self.0.shares()
    }

    fn drawn(&self, cx: &mut PickContext<'_>) -> Option<usize> {
        self.0.first(cx)
    }

    fn forecast(&self, cx: &PickContext<'_>) -> Forecast {
        self.0.forecast::<Promised>(cx)
    }
}

impl PeakEwmaPicker {
    /// The same choice, for a pick that is recorded.
    #[cold]
    #[inline(never)]
    fn pick_watched(&self, cx: &mut PickContext<'_>) -> Option<usize> {
        cx.because(PickReason::LeastCost);
        let watch = |cx: &mut PickContext<'_>, index, cost: Cost| cx.compared(index, cost.value());
        self.0.pick::<Promised>(cx, watch)
    }
}

/// For candidates of equal weights: in the order of what they promise, and no division.
struct Undivided;

impl Measure for Undivided {
    #[inline(always)]
    fn cost(draw: &Draw, cx: &PickContext<'_>, index: usize) -> Cost {
        of(cx, index, |in_flight| draw.weight(index) + in_flight)
    }
}

struct Promised;

impl Measure for Promised {
    #[inline(always)]
    fn cost(draw: &Draw, cx: &PickContext<'_>, index: usize) -> Cost {
        of(cx, index, |in_flight| 1.0 + in_flight / draw.weight(index))
    }
}

/// As many times the latency to expect as `queue` says for what is in flight.
#[inline(always)]
fn of(cx: &PickContext<'_>, index: usize, queue: impl Fn(f64) -> f64) -> Cost {
    let Some(&line) = cx.lines.get(index) else { return Cost::new(f64::INFINITY) };
    let look = line.look();
    let expected = f64::from(cx.expected(index, line, look));
    // Far below what a signed word holds, and quicker to convert from it.
    let in_flight = look.in_flight.cast_signed() as f64;
    Cost::new(expected * queue(in_flight))
}
