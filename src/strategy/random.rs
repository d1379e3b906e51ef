//! Any endpoint, by weight.

use crate::decision::PickReason;
use crate::strategy::cost::Cost;
use crate::strategy::draw::{Draw, Taken};
use crate::strategy::loaded::{scan, unwatched};
use crate::strategy::{Candidates, Forecast, PickContext, Picker, Strategy};

/// Draws an endpoint by weight, in constant time. Shares converge to the weights; nothing is
/// remembered.
#[derive(Clone, Copy, Debug, Default)]
pub struct Random;

impl Strategy for Random {
    fn build(&self, candidates: &Candidates<'_>) -> Box<dyn Picker> {
        Box::new(RandomPicker(Draw::new(candidates.weights())))
    }

    fn asks_for_latency(&self) -> bool {
        false
    }

    fn looks_at_load(&self) -> bool {
        false
    }
}

#[derive(Debug)]
struct RandomPicker(Draw);

impl Picker for RandomPicker {
    fn pick(&self, cx: &mut PickContext<'_>) -> Option<usize> {
        draw_one(&self.0, cx)
    }

    fn forecast(&self, cx: &PickContext<'_>) -> Forecast {
        Forecast::drawn(cx)
    }

    fn shares(&self) -> Vec<f64> {
        self.0.shares()
    }
}

/// One by weight of those that the request does not exclude.
#[inline]
pub(crate) fn draw_one(draw: &Draw, cx: &mut PickContext<'_>) -> Option<usize> {
    cx.because(PickReason::Drawn);
    if cx.excluded().is_empty() && draw.len() > 0 {
        return Some(draw.one(&mut cx.rng));
    }
    let mut rng = cx.rng.clone();
    let chosen = match Taken::excluded(cx) {
        Some(taken) => draw.other(&mut rng, &taken),
        None => scan(cx, &mut rng, |_, _| Cost::new(0.0), unwatched),
    };
    cx.rng = rng;
    chosen
}
