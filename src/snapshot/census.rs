//! What is counted of a set, all in one pass.

use crate::outlier::{Phase, Rotation, Rules};
use crate::snapshot::Member;
use crate::units::Nanos;

pub(super) struct Census {
    /// How many could be chosen were they well, and how many of them are out.
    pub(super) rotation: Rotation,
    /// How many operators let take something new, whatever their weight.
    pub(super) enabled: usize,
    /// Whether good intervals have anything to make up for.
    pub(super) has_strikes: bool,
    /// Whether anybody warms up who could be chosen.
    pub(super) is_anybody_warming: bool,
    /// When time alone changes one of them.
    pub(super) due: Nanos,
    /// Where those are of whom anything is said, or against whom anything is held. Of the others
    /// there is nothing else to know.
    pub(super) apart: Vec<usize>,
}

impl Census {
    pub(super) fn of<T>(members: &[Member<T>], rules: &Rules) -> Self {
        let mut census = Self {
            rotation: Rotation::default(),
            enabled: 0,
            has_strikes: false,
            is_anybody_warming: false,
            due: Nanos::NEVER,
            apart: Vec::new(),
        };
        for (at, member) in members.iter().enumerate() {
            if member.is_plain() {
                census.enabled += 1;
                census.rotation.of += usize::from(member.given_weight > 0);
            } else {
                census.apart.push(at);
                census.count(member, rules);
            }
        }
        census
    }

    fn count<T>(&mut self, member: &Member<T>, rules: &Rules) {
        let standing = member.standing();
        self.enabled += usize::from(member.said().admits());
        self.has_strikes |= standing.times > 0;
        self.due = self.due.min(member.due(rules));
        if member.is_in_rotation() {
            self.rotation.of += 1;
            self.rotation.out += usize::from(standing.is_out());
            self.rotation.ejected += usize::from(standing.is_ejected());
            self.is_anybody_warming |= matches!(standing.phase, Phase::Warming { .. });
        }
    }
}
