//! Requests that have not ended.

use crate::balancer::Lease;
use crate::sim::ServerId;
use crate::sim::engine::agenda::Ticket;
use crate::sim::span::Time;
use crate::units::{EndpointId, Key};

/// A request that has not ended.
pub(super) struct Request {
    pub(super) born: Time,
    pub(super) source: u32,
    pub(super) process: u32,
    pub(super) key: Key,
    /// Attempts so far.
    pub(super) attempts: u32,
    /// What was tried, where others are to be asked then.
    pub(super) tried: Vec<EndpointId>,
    /// The attempt that is under way, with the server it went to.
    pub(super) under_way: Option<(Lease<ServerId>, u32)>,
}

/// Where they are kept. A place is used again; what is due for the one before is known by its
/// numbers.
#[derive(Default)]
pub(super) struct Requests {
    slots: Vec<Slot>,
    free: Vec<u32>,
}

#[derive(Default)]
struct Slot {
    /// Counts the requests that were kept here.
    request: u32,
    /// Counts their attempts, and the ends of these.
    attempt: u32,
    kept: Option<Request>,
}

impl Requests {
    /// Keeps a request: where, and as which one there.
    pub(super) fn keep(&mut self, request: Request) -> (u32, u32) {
        let at = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot::default());
            // Four thousand million requests do not fit the memory.
            u32::try_from(self.slots.len() - 1).unwrap_or(u32::MAX)
        });
        let mut number = 0;
        if let Some(slot) = self.slots.get_mut(at as usize) {
            slot.request = slot.request.wrapping_add(1);
            slot.kept = Some(request);
            number = slot.request;
        }
        (at, number)
    }

    /// The request in a slot, if it is still this one.
    pub(super) fn known(&mut self, slot: u32, request: u32) -> Option<&mut Request> {
        let slot = self.slots.get_mut(slot as usize)?;
        slot.kept.as_mut().filter(|_| slot.request == request)
    }

    /// Begins an attempt of the request in a slot.
    pub(super) fn begin(&mut self, slot: u32, lease: Lease<ServerId>, server: u32) -> Ticket {
        let mut attempt = 0;
        if let Some(at) = self.slots.get_mut(slot as usize) {
            at.attempt = at.attempt.wrapping_add(1);
            attempt = at.attempt;
            if let Some(kept) = &mut at.kept {
                kept.attempts += 1;
                kept.under_way = Some((lease, server));
            }
        }
        Ticket { slot, attempt }
    }

    /// Ends an attempt, if it has not ended.
    pub(super) fn end(&mut self, ticket: Ticket) -> Option<(Lease<ServerId>, u32)> {
        let slot = self.slots.get_mut(ticket.slot as usize)?;
        if slot.attempt != ticket.attempt {
            return None;
        }
        slot.kept.as_mut()?.under_way.take()
    }

    /// The attempt of a request that is under way.
    pub(super) fn under_way(&self, slot: u32) -> Option<Ticket> {
        let at = self.slots.get(slot as usize)?;
        at.kept.as_ref()?.under_way.as_ref()?;
        Some(Ticket { slot, attempt: at.attempt })
    }

    pub(super) fn number(&self, slot: u32) -> u32 {
        self.slots.get(slot as usize).map_or(0, |slot| slot.request)
    }

    pub(super) fn get_mut(&mut self, slot: u32) -> Option<&mut Request> {
        self.slots.get_mut(slot as usize)?.kept.as_mut()
    }

    /// The request is over.
    pub(super) fn close(&mut self, slot: u32) -> Option<Request> {
        let request = self.slots.get_mut(slot as usize)?.kept.take()?;
        self.free.push(slot);
        Some(request)
    }

    /// How many have not ended.
    pub(super) fn left(&self) -> u64 {
        (self.slots.len() - self.free.len()) as u64
    }
}
