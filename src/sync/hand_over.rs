//! A lock whose holder also does what others leave for it.

use crate::sync::{AtomicBool, Mutex, MutexGuard, Ordering};

/// State with one writer at a time, and a note for that writer.
///
/// Who must not wait leaves a note and tries the lock once. If it is taken, its holder finds the
/// note before it is done. Nothing is lost between the two: the note is written and looked at by
/// read-modify-writes, which all threads see in one order. Either the holder's last look comes
/// after the note and finds it, or the note comes after that look, and then the lock is seen free.
#[derive(Debug)]
pub(crate) struct HandOver<W> {
    note: AtomicBool,
    state: Mutex<W>,
}

impl<W> HandOver<W> {
    pub(crate) fn new(state: W) -> Self {
        Self { note: AtomicBool::new(false), state: Mutex::new(state) }
    }

    /// Waits for the lock, acts, then takes up what was left in the meantime.
    pub(crate) fn act<R>(
        &self,
        act: impl FnOnce(&mut W) -> R,
        mut take_up: impl FnMut(&mut W),
    ) -> R {
        let mut state = self.state.lock();
        let result = act(&mut state);
        self.finish(state, &mut take_up);
        result
    }

    /// Acts if nobody holds the lock; says whether it did.
    pub(crate) fn try_act(
        &self,
        act: impl FnOnce(&mut W),
        mut take_up: impl FnMut(&mut W),
    ) -> bool {
        let Some(mut state) = self.state.try_lock() else {
            return false;
        };
        act(&mut state);
        self.finish(state, &mut take_up);
        true
    }

    /// Leaves a note, and takes it up at once unless somebody holds the lock.
    pub(crate) fn leave(&self, mut take_up: impl FnMut(&mut W)) {
        self.note.swap(true, Ordering::AcqRel);
        if let Some(state) = self.state.try_lock() {
            self.finish(state, &mut take_up);
        }
    }

    fn finish<'a>(&'a self, mut state: MutexGuard<'a, W>, take_up: &mut impl FnMut(&mut W)) {
        loop {
            while self.note.swap(false, Ordering::AcqRel) {
                take_up(&mut state);
            }
            drop(state);
            // A note left since the last look found the lock taken: whoever gets it next, takes it
            // up.
            if !self.note.fetch_or(false, Ordering::AcqRel) {
                return;
            }
            match self.state.try_lock() {
                Some(again) => state = again,
                None => return,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(not(evenkeel_loom))]
    #[test]
    fn a_note_left_while_the_lock_is_held_is_taken_up_by_the_holder() {
        let hand_over = HandOver::new(0);
        hand_over
            .act(|_| hand_over.leave(|_| unreachable!("the lock is held")), |count| *count += 1);
        assert_eq!(hand_over.act(|count| *count, |_| {}), 1);
    }

    #[cfg(not(evenkeel_loom))]
    #[test]
    fn a_held_lock_is_not_waited_for() {
        let hand_over = HandOver::new(());
        hand_over.act(|()| assert!(!hand_over.try_act(|()| {}, |()| {})), |()| {});
        assert!(hand_over.try_act(|()| {}, |()| {}));
    }

    #[cfg(evenkeel_loom)]
    #[test]
    fn loom_no_note_is_lost() {
        loom::model(|| {
            let hand_over = loom::sync::Arc::new((HandOver::new(0_usize), AtomicBool::new(false)));
            let trip = |shared: &(HandOver<usize>, AtomicBool)| {
                shared.1.store(true, Ordering::Release);
                shared
                    .0
                    .leave(|taken| *taken += usize::from(shared.1.swap(false, Ordering::AcqRel)));
            };
            let other = loom::sync::Arc::clone(&hand_over);
            let thread = loom::thread::spawn(move || {
                let take = |taken: &mut usize| {
                    *taken += usize::from(other.1.swap(false, Ordering::AcqRel));
                };
                other.0.act(|_| {}, take);
            });
            trip(&hand_over);
            thread.join().unwrap();
            assert!(!hand_over.1.load(Ordering::Acquire), "the trip was left behind");
            assert_eq!(hand_over.0.act(|taken| *taken, |_| {}), 1);
        });
    }
}
