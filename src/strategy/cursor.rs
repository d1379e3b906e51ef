//! Where a round stands.

use crate::endpoint::Crowd;
use crate::sync::{Arc, AtomicU64, CachePadded, Ordering};

/// Counts the picks of a round. One for a balancer: it outlives pickers, so that neither an
/// update nor a change of strategy starts the round again at its first endpoint.
#[derive(Debug)]
pub(crate) struct Cursor {
    turn: CachePadded<AtomicU64>,
    /// The requests in flight, for strategies that hold endpoints to their part of them.
    crowd: Arc<Crowd>,
}

impl Cursor {
    pub(crate) fn at(position: u64) -> Self {
        let turn = CachePadded::new(AtomicU64::new(position));
        Self { turn, crowd: Arc::new(Crowd::new()) }
    }

    /// This pick's position; no two picks have the same one.
    #[inline]
    pub(crate) fn next(&self) -> u64 {
        self.turn.fetch_add(1, Ordering::Relaxed)
    }

    /// The position of the pick that comes next.
    pub(crate) fn peek(&self) -> u64 {
        self.turn.load(Ordering::Relaxed)
    }

    pub(crate) fn crowd(&self) -> &Arc<Crowd> {
        &self.crowd
    }
}

#[cfg(all(test, evenkeel_loom))]
mod model {
    use super::*;

    #[test]
    fn loom_no_two_picks_have_the_same_turn() {
        loom::model(|| {
            let cursor = loom::sync::Arc::new(Cursor::at(7));
            let other = {
                let cursor = loom::sync::Arc::clone(&cursor);
                loom::thread::spawn(move || [cursor.next(), cursor.next()])
            };
            let mut turns = vec![cursor.next(), cursor.next()];
            turns.extend(other.join().unwrap());
            turns.sort_unstable();
            assert_eq!(turns, [7, 8, 9, 10]);
        });
    }
}
