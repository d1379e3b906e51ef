//! Who has which turn of a weighted round: a function of the turn's number alone.

mod chairman;
mod split;

#[cfg(test)]
mod tests;

use self::split::SplitTree;

/// The largest total weight, in lowest terms, whose whole round is kept as a table.
const TABLE: u64 = 4_096;

/// A weighted round. Every prefix and every stretch of it is fair; see the variants.
#[derive(Debug)]
pub(crate) enum Schedule {
    /// All weights are equal: turn by turn in order.
    Equal(u64),
    /// One period of a chairman assignment.
    Table(Box<[u32]>),
    /// Too long for a table.
    Split(SplitTree),
}

impl Schedule {
    pub(crate) fn new(mut weights: Vec<u32>) -> Self {
        let first = weights.first().copied().unwrap_or(0);
        if weights.iter().all(|&weight| weight == first) {
            return Self::Equal(if first == 0 { 0 } else { weights.len() as u64 });
        }
        let divisor = weights.iter().fold(0, |divisor, &weight| gcd(divisor, weight)).max(1);
        weights.iter_mut().for_each(|weight| *weight /= divisor);
        let sum: u64 = weights.iter().map(|&weight| u64::from(weight)).sum();
        if sum <= TABLE {
            Self::Table(chairman::assignment(&weights))
        } else {
            Self::Split(SplitTree::new(&weights))
        }
    }

    /// Whose turn number `turn` is; `None` if nobody has a weight.
    #[inline]
    pub(crate) fn at(&self, turn: u64) -> Option<usize> {
        match self {
            Self::Equal(n) => turn.checked_rem(*n).map(|index| index as usize),
            Self::Table(table) => {
                let index = turn.checked_rem(table.len() as u64)?;
                table.get(index as usize).map(|&endpoint| endpoint as usize)
            }
            Self::Split(tree) => Some(tree.at(turn)),
        }
    }
}

fn gcd(mut a: u32, mut b: u32) -> u32 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}
