//! Each in its turn, by weight.

use crate::decision::PickReason;
use crate::strategy::draw::Draw;
use crate::strategy::random::draw_one;
use crate::strategy::schedule::Schedule;
use crate::strategy::{Candidates, Cursor, Forecast, PickContext, Picker, Strategy};
use crate::sync::Arc;

/// Goes round the endpoints so that each gets its part of the weights as evenly as can be.
///
/// Up to a total weight (in lowest terms) of 4,096 the order is a chairman assignment (Tijdeman,
/// 1980): from its origin no endpoint is ever a whole request away from its part of the picks, and
/// in no stretch of it two. Equal weights are that for any number of endpoints. Beyond, a tree of
/// rounded splits gives each endpoint its part to within two requests from its origin and three in
/// any stretch, for any weights, with
/// no more memory than one entry an endpoint.
///
/// A balancer starts somewhere in the round at random (by its seed, if it has one), so that many
/// clients do not begin with the same endpoint, and goes on from there through updates and changes
/// of strategy. A request that excludes endpoints stands outside the round: it is drawn by weight
/// from the others, and the round does not notice.
#[derive(Clone, Copy, Debug, Default)]
pub struct RoundRobin;

impl Strategy for RoundRobin {
    fn build(&self, candidates: &Candidates<'_>) -> Box<dyn Picker> {
        Box::new(RoundRobinPicker {
            schedule: Schedule::new(candidates.weights().collect()),
            outside: Draw::new(candidates.weights()),
            cursor: Arc::clone(candidates.cursor()),
        })
    }

    fn asks_for_latency(&self) -> bool {
        false
    }

    fn looks_at_load(&self) -> bool {
        false
    }
}

#[derive(Debug)]
struct RoundRobinPicker {
    schedule: Schedule,
    outside: Draw,
    cursor: Arc<Cursor>,
}

impl Picker for RoundRobinPicker {
    fn pick(&self, cx: &mut PickContext<'_>) -> Option<usize> {
        if !cx.excluded().is_empty() {
            return draw_one(&self.outside, cx);
        }
        cx.because(PickReason::Turn);
        self.schedule.at(self.cursor.next())
    }

    fn forecast(&self, cx: &PickContext<'_>) -> Forecast {
        if !cx.excluded().is_empty() {
            return Forecast::drawn(cx);
        }
        // The index of nobody is one that does not exist.
        let next = self.schedule.at(self.cursor.peek()).unwrap_or(usize::MAX);
        Forecast::certain(PickReason::Turn, next, cx.candidates().len())
    }

    fn shares(&self) -> Vec<f64> {
        self.outside.shares()
    }
}
