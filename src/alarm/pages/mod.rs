//! Alarms on their way to the pager.

use std::collections::VecDeque;

use crate::event::Alarm;

/// What the pager has not been told yet, in its order.
///
/// Bounded without dropping anything: an alarm that is cleared before the pager heard of it is no
/// news, nor is one that is raised again before the pager heard that it was cleared. Of each pair
/// nothing is left, so one of each kind waits at most.
#[derive(Debug, Default)]
pub(crate) struct Pages {
    waiting: VecDeque<Page>,
    /// What the pager is being told.
    under_way: Option<Page>,
}

/// An alarm for the pager.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    pub(crate) alarm: Alarm,
    /// How often the pager has been called with it, this time included once it is.
    pub(crate) attempts: u32,
}

impl Pages {
    /// How often the pager is called with one alarm at most.
    pub(crate) const ATTEMPTS: u32 = 3;

    pub(crate) fn push(&mut self, alarm: Alarm) {
        let same = |page: &Page| page.alarm.kind.is_kind_of(&alarm.kind);
        match self.waiting.iter().rposition(same) {
            // It turned and turned back.
            Some(at) => drop(self.waiting.remove(at)),
            None => self.waiting.push_back(Page { alarm, attempts: 0 }),
        }
    }

    /// The next one, which is under way from now on. One that was under way and came to no end,
    /// because whoever called the pager stopped, is told again.
    pub(crate) fn next(&mut self) -> Option<Page> {
        if let Some(page) = self.under_way.take() {
            self.waiting.push_front(page);
        }
        let mut page = self.waiting.pop_front()?;
        page.attempts = page.attempts.saturating_add(1);
        self.under_way = Some(page.clone());
        Some(page)
    }

    /// The pager has taken what was under way.
    pub(crate) fn taken(&mut self) {
        self.under_way = None;
    }

    /// The pager has not taken what was under way. It is told again after the others, unless that
    /// has been tried often or has become no news; says whether it is given up.
    pub(crate) fn failed(&mut self) -> bool {
        let Some(page) = self.under_way.take() else { return false };
        let same = |other: &Page| other.alarm.kind.is_kind_of(&page.alarm.kind);
        if let Some(at) = self.waiting.iter().position(same) {
            // It has turned back since.
            drop(self.waiting.remove(at));
            return false;
        }
        let given_up = page.attempts >= Self::ATTEMPTS;
        if !given_up {
            self.waiting.push_back(page);
        }
        given_up
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }
}

#[cfg(test)]
mod tests;
