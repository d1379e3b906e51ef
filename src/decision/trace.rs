//! What a pick that is recorded has come by so far.

use crate::decision::PickReason;

/// Written by the strategy while it chooses, and read when the choice is made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Trace {
    /// Whether chance has chosen this pick, so that it stands for all others.
    pub(crate) is_sampled: bool,
    /// Why, as far as the strategy knows.
    pub(crate) reason: PickReason,
    /// How many were compared.
    pub(crate) compared: u32,
    len: usize,
    /// By index, with what they cost.
    list: [(u32, f32); Self::MOST],
}

impl Trace {
    /// Candidates that are noted of one pick. Of more the least costly are.
    pub(crate) const MOST: usize = 4;

    pub(crate) const fn new(is_sampled: bool) -> Self {
        Self {
            is_sampled,
            reason: PickReason::Strategy,
            compared: 0,
            len: 0,
            list: [(0, 0.0); Self::MOST],
        }
    }

    /// Notes that a candidate was compared, at this cost.
    pub(crate) fn compare(&mut self, index: usize, cost: f64) {
        let noted = (index as u32, cost as f32);
        self.compared = self.compared.saturating_add(1);
        if let Some(free) = self.list.get_mut(self.len) {
            *free = noted;
            self.len += 1;
            return;
        }
        let costliest = self.list.iter_mut().max_by(|a, b| a.1.total_cmp(&b.1));
        if let Some(costliest) = costliest.filter(|it| noted.1 < it.1) {
            *costliest = noted;
        }
    }

    /// Forgets what was compared: the choice is made among others.
    pub(crate) fn begin_again(&mut self) {
        *self = Self::new(self.is_sampled);
    }

    /// Those that were compared, in the order in which they were, as far as they are noted.
    pub(crate) fn list(&self) -> &[(u32, f32)] {
        self.list.get(..self.len).unwrap_or(&[])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_the_least_costly_are_noted() {
        let mut trace = Trace::new(true);
        for index in (0..100).rev() {
            trace.compare(index, index as f64);
        }
        let mut noted: Vec<_> = trace.list().iter().map(|&(index, _)| index).collect();
        noted.sort_unstable();
        assert_eq!((noted, trace.compared), (vec![0, 1, 2, 3], 100));
        trace.begin_again();
        assert!(trace.list().is_empty() && trace.compared == 0 && trace.is_sampled);
    }

    #[test]
    fn costs_that_are_no_numbers_do_no_harm() {
        let mut trace = Trace::new(false);
        for cost in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0, f64::MAX, f64::NAN] {
            trace.compare(usize::MAX, cost);
        }
        assert_eq!((trace.list().len(), trace.compared), (Trace::MOST, 6));
    }
}
