//! What comes up most often, in a little memory.

/// The items that come up most often, each with about how often, and how many there were of all.
///
/// Space saving (Metwally, Agrawal and El Abbadi, 2005): an item that has no place takes that of the
/// rarest, and its count with it. So no count is too low, an item that makes up more than one in
/// `PLACES` of all has a place, and a count is too high by no more than one in `PLACES` of all.
#[derive(Clone, Debug)]
pub(crate) struct Heavy<K, const PLACES: usize> {
    places: [Option<(K, f64)>; PLACES],
    all: f64,
}

impl<K: Copy + PartialEq, const PLACES: usize> Heavy<K, PLACES> {
    pub(crate) fn new() -> Self {
        Self { places: [None; PLACES], all: 0.0 }
    }

    pub(crate) fn count(&mut self, item: K) {
        self.all += 1.0;
        let known = |place: &&mut Option<(K, f64)>| place.is_some_and(|(known, _)| known == item);
        if let Some(Some((_, count))) = self.places.iter_mut().find(known) {
            *count += 1.0;
            return;
        }
        let count = |place: &Option<(K, f64)>| place.map_or(0.0, |(_, count)| count);
        let rarest = self.places.iter_mut().min_by(|a, b| count(a).total_cmp(&count(b)));
        if let Some(place) = rarest {
            *place = Some((item, count(place) + 1.0));
        }
    }

    /// Makes all that was counted so far count for less.
    pub(crate) fn fade(&mut self, factor: f64) {
        self.all *= factor;
        self.places.iter_mut().flatten().for_each(|(_, count)| *count *= factor);
    }

    /// How many there were of all.
    pub(crate) fn all(&self) -> f64 {
        self.all
    }

    /// The items that have a place, with about how often they came up.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (K, f64)> + '_ {
        self.places.iter().flatten().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    #[test]
    fn who_comes_up_often_is_known_among_any_number_of_others() {
        let mut rng = Rng::seeded(3);
        let mut heavy = Heavy::<u64, 16>::new();
        let mut times = 0.0;
        for turn in 0..20_000 {
            if rng.below(5) == 0 {
                heavy.count(7);
                times += 1.0;
            } else {
                heavy.count(1_000 + turn);
            }
        }
        let (_, count) =
            heavy.iter().find(|&(item, _)| item == 7).expect("one in five has a place");
        assert!(count >= times && count <= times + heavy.all() / 16.0, "{count} of {times}");
        assert_eq!(heavy.all(), 20_000.0);
    }

    #[test]
    fn few_are_counted_exactly_and_fade() {
        let mut heavy = Heavy::<u8, 4>::new();
        for item in [1, 2, 1, 3, 1] {
            heavy.count(item);
        }
        heavy.fade(0.5);
        assert_eq!(heavy.iter().collect::<Vec<_>>(), [(1, 1.5), (2, 0.5), (3, 0.5)]);
        assert_eq!(heavy.all(), 2.5);
    }
}
