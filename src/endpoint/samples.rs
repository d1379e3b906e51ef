//! What a few of the picks leave behind, so that the cause of a skew can be named.

use once_cell::race::OnceBox;

use crate::endpoint::EndpointCell;
use crate::hash;
use crate::stats::Heavy;
use crate::sync::{AtomicBool, AtomicU32, Mutex, Ordering};

/// Which endpoint a sample is of: where its cell lies. A number to compare and nothing else.
pub(crate) type Whom = usize;

/// Counts of odd picks, and the keys that come up most often. One for each balancer, of fixed size.
///
/// Nobody waits here: where another thread is at it, the sample is let go.
pub(crate) struct Samples {
    /// Whether endpoints count what stands outside of the schedule.
    counts_aside: AtomicBool,
    /// Sampled requests that excluded endpoints.
    moved: AtomicU32,
    /// Sampled requests of sessions.
    sessions: AtomicU32,
    /// Sampled requests whose key belongs to somebody who may be chosen and was not.
    overflowed: AtomicU32,
    keys: OnceBox<Mutex<Keys>>,
    /// Who was chosen and was not ready, when somebody else was.
    unready: OnceBox<Mutex<Heavy<Whom, 8>>>,
}

/// The keys of sampled requests.
pub(crate) struct Keys {
    /// By key and endpoint.
    pub(crate) hot: Heavy<(u64, Whom), 16>,
    seen: Seen,
}

/// Which keys have come up, nearly: one in some hundred counts as seen though it was not, and one in
/// two when it is full. Nothing that was seen ever counts as new.
struct Seen([u64; Self::WORDS]);

/// Samples taken since the last look, by what was odd about them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Odd {
    pub(crate) moved: f64,
    pub(crate) sessions: f64,
    pub(crate) overflowed: f64,
}

impl Samples {
    pub(super) fn new() -> Self {
        Self {
            counts_aside: AtomicBool::new(false),
            moved: AtomicU32::new(0),
            sessions: AtomicU32::new(0),
            overflowed: AtomicU32::new(0),
            keys: OnceBox::new(),
            unready: OnceBox::new(),
        }
    }

    /// Says whether endpoints count what stands outside of the schedule.
    pub(crate) fn count_aside(&self, do_so: bool) {
        self.counts_aside.store(do_so, Ordering::Relaxed);
    }

    pub(super) fn counts_aside(&self) -> bool {
        self.counts_aside.load(Ordering::Relaxed)
    }

    /// The request excluded endpoints.
    pub(crate) fn moved(&self) {
        self.moved.fetch_add(1, Ordering::Relaxed);
    }

    /// The request belongs to a session.
    pub(crate) fn of_session(&self) {
        self.sessions.fetch_add(1, Ordering::Relaxed);
    }

    /// The request's key belongs to somebody else, who could have been chosen.
    pub(crate) fn overflowed(&self) {
        self.overflowed.fetch_add(1, Ordering::Relaxed);
    }

    /// Makes room for those who are not ready, so that no request has to.
    pub(crate) fn expect_unready(&self) {
        self.unready.get_or_init(|| Box::new(Mutex::new(Heavy::new())));
    }

    /// Makes room for keys, so that no pick has to.
    pub(crate) fn expect_keys(&self) {
        let keys = || Mutex::new(Keys { hot: Heavy::new(), seen: Seen::new() });
        self.keys.get_or_init(|| Box::new(keys()));
    }

    /// A request with this key was sent to `cell`. Says whether the key has not come up before.
    pub(crate) fn key(&self, hash: u64, cell: &EndpointCell) -> bool {
        let keys = self.keys.get().and_then(Mutex::try_lock);
        let Some(mut keys) = keys else { return false };
        keys.hot.count((hash, whom(cell)));
        keys.seen.is_new(hash)
    }

    /// A request went elsewhere, for `cell` was not ready.
    pub(crate) fn unready(&self, cell: &EndpointCell) {
        if let Some(mut unready) = self.unready.get().and_then(Mutex::try_lock) {
            unready.count(whom(cell));
        }
    }

    /// Takes the counts. For the audit only, as all that follow.
    pub(crate) fn take_odd(&self) -> Odd {
        let take = |count: &AtomicU32| f64::from(count.swap(0, Ordering::Relaxed));
        Odd {
            moved: take(&self.moved),
            sessions: take(&self.sessions),
            overflowed: take(&self.overflowed),
        }
    }

    /// Makes what was counted so far count for less.
    pub(crate) fn fade(&self, factor: f64) {
        if let Some(keys) = self.keys.get() {
            keys.lock().hot.fade(factor);
        }
        if let Some(unready) = self.unready.get() {
            unready.lock().fade(factor);
        }
    }

    /// Keys that come up from now on are new.
    pub(crate) fn forget_keys(&self) {
        if let Some(keys) = self.keys.get() {
            keys.lock().seen = Seen::new();
        }
    }

    /// The part of the samples that each of the hottest keys makes up.
    pub(crate) fn hot_keys(&self) -> Vec<((u64, Whom), f64)> {
        let Some(keys) = self.keys.get() else { return Vec::new() };
        let hot = &keys.lock().hot;
        hot.iter().map(|(item, count)| (item, count / hot.all().max(1.0))).collect()
    }

    /// Who was not ready, with how many requests went elsewhere for it.
    pub(crate) fn not_ready(&self) -> Vec<(Whom, f64)> {
        self.unready.get().map_or_else(Vec::new, |unready| unready.lock().iter().collect())
    }
}

/// How samples call an endpoint.
pub(crate) fn whom(cell: &EndpointCell) -> Whom {
    std::ptr::from_ref(cell).addr()
}

impl Seen {
    const WORDS: usize = 512;

    const fn new() -> Self {
        Self([0; Self::WORDS])
    }

    fn is_new(&mut self, hash: u64) -> bool {
        // Apart from where the key lies on a wheel.
        let bit = hash::mix(hash, 0x5EE7) as usize % (64 * Self::WORDS);
        let Some(word) = self.0.get_mut(bit / 64) else { return false };
        let (mask, before) = (1 << (bit % 64), *word);
        *word |= mask;
        before & mask == 0
    }
}

#[cfg(all(test, not(evenkeel_loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_new_once() {
        let mut seen = Seen::new();
        let new = (0..1_000_u64).filter(|&key| seen.is_new(hash::value(&key))).count();
        assert!((960..=1_000).contains(&new), "{new}");
        assert!((0..1_000_u64).all(|key| !seen.is_new(hash::value(&key))));
    }
}
