//! From answers to verdicts.

use crate::health::Plan;
use crate::outlier::Checked;

/// Answers of one kind in a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    good: u32,
    bad: u32,
}

/// What answers say against what is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Finding {
    /// So many bad ones in a row that it is sick.
    Fell { failures: u32 },
    /// So many good ones that it is well.
    Rose,
}

impl Tally {
    pub(super) fn count(&mut self, good: bool) {
        *self = if good {
            Self { good: self.good.saturating_add(1), bad: 0 }
        } else {
            Self { good: 0, bad: self.bad.saturating_add(1) }
        };
    }

    /// Whether the last answer was bad.
    pub(super) fn is_bad(&self) -> bool {
        self.bad > 0
    }

    /// What is to be made known. Said again with each answer until it is, so that nothing is lost
    /// with a report that came to nothing.
    pub(super) fn finding(&self, known: Checked, plan: &Plan) -> Option<Finding> {
        if self.bad >= plan.fall.max(1) && known != Checked::Sick {
            Some(Finding::Fell { failures: self.bad })
        } else if self.good >= plan.rise.max(1) && known != Checked::Well {
            Some(Finding::Rose)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::HealthConfig;

    fn findings(answers: &str, known: Checked) -> Vec<Option<Finding>> {
        let plan = Plan::of(&HealthConfig::default());
        let mut tally = Tally::default();
        let answer = |answer: char| {
            tally.count(answer == '+');
            tally.finding(known, &plan)
        };
        answers.chars().map(answer).collect()
    }

    #[test]
    fn only_answers_in_a_row_count() {
        assert_eq!(findings("--+--+--+", Checked::Well), [None; 9]);
        assert_eq!(findings("+-+-+-", Checked::Sick), [None; 6]);
        let fell = |failures| Some(Finding::Fell { failures });
        assert_eq!(findings("---", Checked::Well), [None, None, fell(3)]);
        assert_eq!(findings("++", Checked::Sick), [None, Some(Finding::Rose)]);
        assert_eq!(findings("++", Checked::Awaited), [None, Some(Finding::Rose)]);
        assert_eq!(findings("---", Checked::Awaited), [None, None, fell(3)]);
    }

    #[test]
    fn a_finding_is_repeated_until_it_is_known_and_then_no_more() {
        let fell = |failures| Some(Finding::Fell { failures });
        assert_eq!(findings("-----", Checked::Well)[2..], [fell(3), fell(4), fell(5)]);
        assert_eq!(findings("-----", Checked::Sick), [None; 5]);
        assert_eq!(findings("+++", Checked::Well), [None; 3]);
    }

    #[test]
    fn the_end_of_the_numbers() {
        let mut tally = Tally { good: 0, bad: u32::MAX };
        tally.count(false);
        assert_eq!(tally.bad, u32::MAX);
    }
}
