//! Choosing an endpoint for a request, in the snapshot that is served.

use crate::balancer::Hold;
use crate::balancer::clock::Reading;
use crate::balancer::core::Core;
use crate::endpoint::{Anchor, Held};
use crate::error::PickError;
use crate::event::Event;
use crate::rng::Rng;
use crate::snapshot::{Miss, Snapshot};
use crate::units::Key;

/// Looks a pick takes at newer snapshots when the endpoint it chose was closed under its hands.
const LOOKS: usize = 8;

impl<T: Send + Sync + 'static> Core<T> {
    /// Chooses an endpoint for a request `R`, and makes what the caller wants of the hold on it.
    ///
    /// Written into its caller, and so is what makes something of the hold: what is chosen at the first
    /// look, as nearly all is, stands where it will stay. What comes by way of further ones would have
    /// to be moved there, so that is made in a place of its own.
    #[inline(always)]
    pub(crate) fn pick<R, A: Anchor<T>, V>(
        &self,
        now: Reading,
        request: R,
        key: impl Fn(&R) -> &Key,
        chosen: impl Fn(Hold<A>, R) -> V,
        refused: impl FnOnce(PickError, R) -> V,
    ) -> V {
        match self.look_once(now, true, self.randomness.fork(), request, &key, &chosen) {
            Ok(made) => made,
            Err((miss, request)) => self.look_on(now, miss, request, key, chosen, refused),
        }
    }

    /// Looks at the present snapshot, for a request that does not go before what is due unless it may.
    ///
    /// What is wanted of the hold is made before the snapshot is let go. Whoever moves it on at once
    /// would else wait until it is written; letting go waits for that anyway.
    #[inline(always)]
    fn look_once<R, A: Anchor<T>, V>(
        &self,
        now: Reading,
        waits: bool,
        rng: Rng,
        request: R,
        key: impl Fn(&R) -> &Key,
        chosen: impl Fn(Hold<A>, R) -> V,
    ) -> Result<V, (Miss, R)> {
        let typical = self.shared.typical.read();
        let snapshot = self.published.guard();
        if now.at >= snapshot.next_due.at() && waits {
            return Err((Miss::Due(rng), request));
        }
        match snapshot.pick(key(&request), now.at, typical, rng) {
            Ok(begun) => {
                let exactly = || now.exactly(self.ground.origin);
                let held = Held::begun(begun, snapshot.under(), now.at, exactly);
                Ok(chosen(Hold::new(held), request))
            }
            Err(miss) => Err((miss, request)),
        }
    }

    /// Sees to what kept the request from an endpoint, and looks again.
    #[cold]
    #[inline(never)]
    fn look_on<R, A: Anchor<T>, V>(
        &self,
        now: Reading,
        mut miss: Miss,
        mut request: R,
        key: impl Fn(&R) -> &Key,
        chosen: impl Fn(Hold<A>, R) -> V,
        refused: impl FnOnce(PickError, R) -> V,
    ) -> V {
        let mut waits = true;
        for _ in 0..LOOKS {
            let mut drawn = None;
            match miss {
                Miss::Refused(refusal) => return refused(*refusal, request),
                Miss::Stale => {}
                Miss::Keyless(strategy) => self.tell_keyless(&strategy),
                Miss::Due(rng) => {
                    (waits, drawn) = (false, Some(rng));
                    self.settle(now.at);
                }
            }
            let rng = drawn.unwrap_or_else(|| self.randomness.fork());
            (miss, request) = match self.look_once(now, waits, rng, request, &key, &chosen) {
                Ok(made) => return made,
                Err(missed) => missed,
            };
        }
        // Operators drain one endpoint after the other faster than this thread runs.
        refused(self.published.read(Snapshot::nobody), request)
    }

    #[cold]
    fn tell_keyless(&self, strategy: &str) {
        self.hub.push(Event::Keyless { strategy: strategy.to_owned() });
        self.hub.flush();
    }
}
