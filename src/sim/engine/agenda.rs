//! What is due when. Things due at the same time are done in the order in which they were noted.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::sim::run::Answer;
use crate::sim::span::Time;

/// One attempt of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ticket {
    /// Where the request is kept.
    pub(super) slot: u32,
    /// Which of all attempts that were ever kept there.
    pub(super) attempt: u32,
}

/// Something that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Due {
    /// A source has its next request, or its next few.
    Arrival { source: u32 },
    /// A request is sent once more.
    Resend { slot: u32, request: u32 },
    /// A server has done its work on an attempt, in one of its lives.
    Done { server: u32, life: u32, ticket: Ticket, answer: Answer },
    /// An answer comes that no server has worked on.
    Answered { ticket: Ticket, answer: Answer },
    /// The time of an attempt is over.
    TimedOut { ticket: Ticket },
    /// The patience of a caller is.
    GaveUp { slot: u32, request: u32 },
    /// A server that has crashed is back.
    Restart { server: u32, life: u32 },
    /// A process hears of a set.
    Heard { process: u32, set: u32 },
    /// A change is made.
    Change { change: u32 },
}

/// The order of what is to come.
#[derive(Debug, Default)]
pub(super) struct Agenda {
    heap: BinaryHeap<Reverse<(Time, u64, Due)>>,
    noted: u64,
}

impl Agenda {
    pub(super) fn note(&mut self, at: Time, due: Due) {
        self.noted += 1;
        self.heap.push(Reverse((at, self.noted, due)));
    }

    /// When something is due next.
    pub(super) fn next(&self) -> Option<Time> {
        self.heap.peek().map(|Reverse((at, ..))| *at)
    }

    /// What is due next.
    pub(super) fn take(&mut self) -> Option<Due> {
        self.heap.pop().map(|Reverse((_, _, due))| due)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_due_at_once_comes_in_the_order_it_was_noted() {
        let mut agenda = Agenda::default();
        for (at, source) in [(5, 0), (3, 1), (5, 2), (3, 3)] {
            agenda.note(at, Due::Arrival { source });
        }
        let order: Vec<_> = std::iter::from_fn(|| agenda.take()).collect();
        let arrival = |source| Due::Arrival { source };
        assert_eq!(order, [arrival(1), arrival(3), arrival(0), arrival(2)]);
        assert_eq!(agenda.next(), None);
    }
}
