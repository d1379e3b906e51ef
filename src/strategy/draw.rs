//! Drawing endpoints by weight: one in constant time, further distinct ones in logarithmic time.

use crate::rng::Rng;
use crate::strategy::PickContext;

/// A lottery over fixed weights.
#[derive(Debug)]
pub(crate) enum Draw {
    /// So many have this weight.
    Equal(usize, f64),
    /// They differ.
    Weighted(Weighted),
}

#[derive(Debug)]
pub(crate) struct Weighted {
    /// `before[i]` is the sum of the weights before `i`; one more entry holds the whole sum.
    before: Box<[u64]>,
    alias: Box<[Slot]>,
}

/// One slot of an alias table (Walker 1977, built as Vose 1991 does): the slot's own index with a
/// probability of `own / 2^64`, else `other`.
#[derive(Clone, Copy, Debug)]
struct Slot {
    own: u64,
    other: u32,
}

/// Indices that are out of the lottery, in ascending order.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Taken {
    list: [u32; Self::MOST],
    len: usize,
}

impl Taken {
    /// 16 draws and as many exclusions.
    pub(crate) const MOST: usize = 32;

    pub(crate) const fn none() -> Self {
        Self { list: [0; Self::MOST], len: 0 }
    }

    /// The candidates that the request excludes, or `None` if they are more than fit.
    pub(crate) fn excluded(cx: &PickContext<'_>) -> Option<Self> {
        let mut taken = Self::none();
        for id in cx.excluded() {
            if let Ok(index) = cx.candidates().binary_search_by(|c| c.id().cmp(id)) {
                if taken.len >= Self::MOST / 2 {
                    return None;
                }
                taken.insert(index);
            }
        }
        Some(taken)
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn as_slice(&self) -> &[u32] {
        self.list.get(..self.len).unwrap_or(&[])
    }

    #[inline]
    pub(crate) fn contains(&self, index: usize) -> bool {
        self.as_slice().iter().any(|&taken| taken as usize == index)
    }

    /// Takes `index` out. What does not fit any more is left in, which at worst is drawn again.
    #[inline]
    pub(crate) fn insert(&mut self, index: usize) {
        let index = index as u32;
        let at = self.as_slice().partition_point(|&taken| taken < index);
        if self.len < Self::MOST && self.as_slice().get(at) != Some(&index) {
            self.list.copy_within(at..self.len, at + 1);
            self.list[at] = index;
            self.len += 1;
        }
    }
}

impl Draw {
    /// A lottery over these weights. A weight of zero is never drawn.
    pub(crate) fn new(weights: impl ExactSizeIterator<Item = u32> + Clone) -> Self {
        let n = weights.len();
        let mut rest = weights.clone();
        let first = rest.next().unwrap_or(1);
        if first > 0 && rest.all(|weight| weight == first) {
            return Self::Equal(n, first.into());
        }
        let mut before = Vec::with_capacity(n + 1);
        let mut sum = 0_u64;
        before.push(0);
        for weight in weights {
            sum += u64::from(weight);
            before.push(sum);
        }
        let alias = alias_table(&before);
        Self::Weighted(Weighted { before: before.into(), alias })
    }

    /// How many take part.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Equal(n, _) => *n,
            Self::Weighted(weighted) => weighted.alias.len(),
        }
    }

    /// One of them by weight. Meaningless where there are none.
    #[inline]
    pub(crate) fn one(&self, rng: &mut Rng) -> usize {
        match self {
            Self::Equal(n, _) => rng.below(*n as u64) as usize,
            Self::Weighted(weighted) => weighted.one(rng),
        }
    }

    /// One by weight of those that are not taken, or `None` if there are none.
    #[inline]
    pub(crate) fn other(&self, rng: &mut Rng, taken: &Taken) -> Option<usize> {
        if taken.len() == 0 {
            return (self.len() > 0).then(|| self.one(rng));
        }
        match self {
            Self::Equal(n, _) => {
                let left = n.checked_sub(taken.len()).filter(|&left| left > 0)?;
                let ticket = rng.below(left as u64);
                Some(
                    taken.as_slice().iter().fold(ticket as usize, |ticket, &t| {
                        ticket + usize::from(ticket >= t as usize)
                    }),
                )
            }
            Self::Weighted(weighted) => weighted.other(rng, taken),
        }
    }

    /// Two distinct ones by weight, the second of those that the first left; twice the same one
    /// where there is no other. `None` if there is nobody.
    #[inline(always)]
    pub(crate) fn two(&self, rng: &mut Rng) -> Option<(usize, usize)> {
        match self {
            Self::Equal(0, _) => None,
            Self::Equal(1, _) => Some((self.one(rng), 0)),
            Self::Equal(n, _) => {
                let first = rng.below(*n as u64) as usize;
                let ticket = rng.below(*n as u64 - 1) as usize;
                Some((first, ticket + usize::from(ticket >= first)))
            }
            Self::Weighted(weighted) => Some(weighted.two(rng)),
        }
    }

    /// Whether all weights are equal.
    pub(crate) fn is_equal(&self) -> bool {
        matches!(self, Self::Equal(..))
    }

    /// The weight of one of them; 1 where there is none.
    #[inline]
    pub(crate) fn weight(&self, index: usize) -> f64 {
        match self {
            Self::Equal(_, weight) => *weight,
            Self::Weighted(weighted) => match weighted.weight(index) {
                0 => 1.0,
                // A sum of weights is far below what a signed word holds.
                weight => weight.cast_signed() as f64,
            },
        }
    }

    /// The part of each.
    pub(crate) fn shares(&self) -> Vec<f64> {
        match self {
            Self::Equal(n, _) => vec![1.0 / *n as f64; *n],
            Self::Weighted(weighted) => {
                let sum = weighted.sum() as f64;
                weighted.before.windows(2).map(|pair| (pair[1] - pair[0]) as f64 / sum).collect()
            }
        }
    }
}

impl Weighted {
    fn sum(&self) -> u64 {
        self.before.last().copied().unwrap_or(0)
    }

    #[inline]
    fn one(&self, rng: &mut Rng) -> usize {
        // The upper half of the product names the slot, the lower half is the fraction within it.
        let ticket = u128::from(rng.next_u64()) * self.alias.len() as u128;
        let index = (ticket >> 64) as usize;
        match self.alias.get(index) {
            Some(slot) if (ticket as u64) >= slot.own => slot.other as usize,
            _ => index,
        }
    }

    /// The weight of one of them; 0 where there is none.
    #[inline]
    fn weight(&self, index: usize) -> u64 {
        let before = |index: usize| self.before.get(index).copied();
        index.checked_add(1).and_then(before).zip(before(index)).map_or(0, |(next, it)| next - it)
    }

    #[inline(never)]
    fn two(&self, rng: &mut Rng) -> (usize, usize) {
        let mut taken = Taken::none();
        let first = self.one(rng);
        taken.insert(first);
        (first, self.other(rng, &taken).unwrap_or(first))
    }

    fn other(&self, rng: &mut Rng, taken: &Taken) -> Option<usize> {
        // Mostly one of the first draws will do; the exact way costs a search.
        for _ in 0..2 {
            let index = self.one(rng);
            if !taken.contains(index) {
                return Some(index);
            }
        }
        let weight = |index: u32| self.weight(index as usize);
        let left = taken.as_slice().iter().fold(self.sum(), |sum, &t| sum - weight(t));
        if left == 0 {
            return None;
        }
        let ticket = taken.as_slice().iter().fold(rng.below(left), |ticket, &t| {
            let passed = self.before.get(t as usize).is_some_and(|&before| ticket >= before);
            if passed { ticket + weight(t) } else { ticket }
        });
        Some(self.before.partition_point(|&before| before <= ticket).saturating_sub(1))
    }
}

fn alias_table(before: &[u64]) -> Box<[Slot]> {
    let n = before.len().saturating_sub(1);
    let sum = u128::from(before.last().copied().unwrap_or(0));
    // Scaled by n, a slot holds exactly `sum`.
    let mut rest: Vec<u128> =
        before.windows(2).map(|pair| u128::from(pair[1] - pair[0]) * n as u128).collect();
    let mut table: Vec<Slot> =
        (0..n).map(|index| Slot { own: u64::MAX, other: index as u32 }).collect();
    let (mut small, mut large): (Vec<usize>, Vec<usize>) = (0..n).partition(|&i| rest[i] < sum);
    while let (Some(&giver), Some(index)) = (large.last(), small.pop()) {
        table[index] = Slot { own: fraction(rest[index], sum), other: giver as u32 };
        rest[giver] -= sum - rest[index];
        if rest[giver] < sum {
            large.pop();
            small.push(giver);
        }
    }
    table.into()
}

/// `part / whole` of 2^64, for a part below the whole. The whole is at most `n` times 2^32, so it
/// has the bits to spare.
fn fraction(part: u128, whole: u128) -> u64 {
    // Both may have up to 96 bits; dividing twice keeps all 64 of the result.
    let high = (part << 32) / whole;
    let low = (((part << 32) % whole) << 32) / whole;
    ((high << 32) | low) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draw(weights: &[u32]) -> Draw {
        Draw::new(weights.iter().copied())
    }

    fn counts(n: usize, draws: u32, mut one: impl FnMut() -> Option<usize>) -> Vec<u32> {
        let mut counts = vec![0; n];
        for _ in 0..draws {
            counts[one().expect("something is left to draw")] += 1;
        }
        counts
    }

    fn near(counts: &[u32], weights: &[u32]) -> bool {
        let draws = f64::from(counts.iter().sum::<u32>());
        let sum: f64 = weights.iter().map(|&w| f64::from(w)).sum();
        counts.iter().zip(weights).all(|(&count, &weight)| {
            let part = f64::from(weight) / sum;
            let sigma = (draws * part * (1.0 - part)).sqrt();
            (f64::from(count) - draws * part).abs() <= 5.0 * sigma + 1e-9
        })
    }

    #[test]
    fn follows_the_weights() {
        for weights in [&[1, 1, 1][..], &[5, 1, 1], &[0, 7, 3], &[1, u32::MAX], &[9]] {
            let mut rng = Rng::seeded(11);
            let lottery = draw(weights);
            let counts = counts(weights.len(), 100_000, || Some(lottery.one(&mut rng)));
            assert!(near(&counts, weights), "{weights:?}: {counts:?}");
        }
    }

    #[test]
    fn leaves_out_what_is_taken_and_keeps_the_proportions_of_the_rest() {
        for weights in [&[1, 1, 1, 1][..], &[5, 2, 1, 1], &[1_000_000, 2, 1, 3]] {
            let mut rng = Rng::seeded(12);
            let lottery = draw(weights);
            let mut taken = Taken::none();
            taken.insert(0);
            taken.insert(2);
            let left: Vec<u32> =
                weights.iter().enumerate().map(|(i, &w)| if i % 2 == 0 { 0 } else { w }).collect();
            let counts = counts(4, 100_000, || lottery.other(&mut rng, &taken));
            assert!(near(&counts, &left), "{weights:?}: {counts:?}");
        }
    }

    #[test]
    fn two_are_drawn_as_one_and_then_another() {
        for weights in [&[1, 1, 1, 1][..], &[5, 2, 1, 1], &[1_000_000, 2, 1, 3], &[1, 1], &[7, 2]] {
            let (mut rng, mut same) = (Rng::seeded(12), Rng::seeded(12));
            let lottery = draw(weights);
            for _ in 0..1_000 {
                let mut taken = Taken::none();
                let first = lottery.other(&mut same, &taken).unwrap();
                taken.insert(first);
                let second = lottery.other(&mut same, &taken).unwrap();
                assert_eq!(lottery.two(&mut rng), Some((first, second)));
            }
        }
        assert_eq!(draw(&[]).two(&mut Rng::seeded(1)), None);
        assert_eq!(draw(&[3]).two(&mut Rng::seeded(1)), Some((0, 0)));
        assert_eq!(draw(&[0, 3]).two(&mut Rng::seeded(1)), Some((1, 1)));
    }

    #[test]
    fn says_so_when_all_are_taken() {
        for weights in [&[1, 1][..], &[1, 2]] {
            let mut taken = Taken::none();
            taken.insert(1);
            taken.insert(0);
            assert_eq!(draw(weights).other(&mut Rng::seeded(1), &taken), None);
        }
        assert_eq!(draw(&[]).other(&mut Rng::seeded(1), &Taken::none()), None);
    }

    #[test]
    fn a_table_adds_up_to_the_weights() {
        let weights = [3_u32, 0, 11, 5, 1, 1_000];
        let Draw::Weighted(weighted) = draw(&weights) else { panic!("weights differ") };
        let n = weights.len() as f64;
        let mut parts = vec![0.0; weights.len()];
        for (index, slot) in weighted.alias.iter().enumerate() {
            let own = slot.own as f64 / 2_f64.powi(64);
            parts[index] += own / n;
            parts[slot.other as usize] += (1.0 - own) / n;
        }
        for (part, weight) in parts.iter().zip(weights) {
            assert!((part - f64::from(weight) / 1_020.0).abs() < 1e-12, "{parts:?}");
        }
    }

    #[test]
    fn taken_stays_sorted_without_doubles_and_within_bounds() {
        let mut taken = Taken::none();
        for index in [9, 3, 3, 7, 1] {
            taken.insert(index);
        }
        assert_eq!(taken.as_slice(), [1, 3, 7, 9]);
        (0..100).for_each(|index| taken.insert(index));
        assert_eq!(taken.len(), Taken::MOST);
    }
}
