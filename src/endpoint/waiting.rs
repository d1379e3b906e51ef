//! Waiting until an endpoint has nothing in flight.

use std::task::Waker;

use crate::endpoint::EndpointCell;

/// Those who wait for the last request, by the tickets they got.
#[derive(Debug, Default)]
pub(super) struct Waiters {
    list: Vec<(u64, Waker)>,
    tickets: u64,
}

impl Waiters {
    fn next_ticket(&mut self) -> u64 {
        self.tickets += 1;
        self.tickets
    }
}

impl EndpointCell {
    /// Registers `waker` to be woken once nothing is in flight; `true` if that is so already. The
    /// ticket is the caller's own, and is handed out by the first call.
    pub(crate) fn watch(&self, ticket: &mut Option<u64>, waker: &Waker) -> bool {
        {
            let mut waiters = self.trial.waiters().lock();
            let ticket = *ticket.get_or_insert_with(|| waiters.next_ticket());
            match waiters.list.iter_mut().find(|(known, _)| *known == ticket) {
                Some((_, known)) => known.clone_from(waker),
                None => waiters.list.push((ticket, waker.clone())),
            }
            // Under the lock, so that a wake-up cannot clear the flag between the two.
            self.line.watch();
        }
        let idle = self.in_flight() == 0;
        if idle {
            self.unwatch(*ticket);
        }
        idle
    }

    /// Takes back what was registered under `ticket`.
    pub(crate) fn unwatch(&self, ticket: Option<u64>) {
        let Some(ticket) = ticket else { return };
        let mut waiters = self.trial.waiters().lock();
        let place = waiters.list.iter().position(|&(known, _)| known == ticket);
        let waker = place.map(|at| waiters.list.swap_remove(at));
        drop(waiters);
        // Outside the lock: dropping a waker may run a task's own code.
        drop(waker);
    }

    /// Sees to what follows if the last request has ended: wakes them all, and is kept no longer if it
    /// was let go.
    #[cold]
    pub(super) fn last_may_have_ended(&self) {
        if self.in_flight() > 0 {
            return;
        }
        let mut waiters = Vec::new();
        if self.line.is_watched() {
            let mut waiting = self.trial.waiters().lock();
            self.line.unwatch();
            waiters = std::mem::take(&mut waiting.list);
        }
        waiters.into_iter().for_each(|(_, waker)| waker.wake());
        self.line.empty_if_left();
    }
}
