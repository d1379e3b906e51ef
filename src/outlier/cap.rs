//! How many may be out at once.

use crate::units::Percent;

/// The endpoints that count for the cap: of weight above zero, neither draining nor switched off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rotation {
    pub(crate) of: usize,
    /// Those of them that are out, for whatever reason.
    pub(crate) out: usize,
    /// Those of them that detectors or operators took out, whatever checks say of them.
    pub(crate) ejected: usize,
}

impl Rotation {
    /// Both together.
    pub(crate) fn plus(self, other: Self) -> Self {
        Self {
            of: self.of + other.of,
            out: self.out + other.out,
            ejected: self.ejected + other.ejected,
        }
    }

    /// The same with one less out, if it `is_out`: as it is for whoever would take it out again.
    pub(crate) fn without(self, is_out: bool) -> Self {
        Self { out: self.out.saturating_sub(is_out.into()), ..self }
    }
}

/// Why one more must not be taken out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Full {
    /// As many are out as the percentage allows.
    Cap { most: usize },
    /// As few would be left as there must be.
    Floor { least: usize },
}

/// The bounds on ejections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cap {
    pub(crate) max_ejected: Percent,
    pub(crate) min_available: usize,
}

impl Cap {
    /// Whether one more of `rotation` may be taken out: judged by the state afterwards.
    pub(crate) fn room(self, rotation: Rotation) -> Result<(), Full> {
        let after = rotation.out.saturating_add(1);
        let most = self.max_ejected.of(rotation.of);
        if after > most {
            Err(Full::Cap { most })
        } else if rotation.of - after < self.min_available {
            Err(Full::Floor { least: self.min_available })
        } else {
            Ok(())
        }
    }

    /// How many of those that detectors and operators took out have to come back at once, because
    /// the set or the cap has become smaller. Who else is out is no reason: checks state facts, and
    /// panic is their floor.
    pub(crate) fn excess(self, rotation: Rotation) -> usize {
        let most = self.max_ejected.of(rotation.of);
        let most = most.min(rotation.of.saturating_sub(self.min_available));
        rotation.ejected.saturating_sub(most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cap(percent: u8, min_available: usize) -> Cap {
        Cap { max_ejected: Percent::new(percent).unwrap(), min_available }
    }

    /// Takes out as many as it may.
    fn taken(cap: Cap, of: usize) -> usize {
        (0..of).take_while(|&out| cap.room(Rotation { of, out, ejected: out }).is_ok()).count()
    }

    #[test]
    fn judged_by_the_state_afterwards() {
        // Cases that peers' users were surprised by (features.md 2.3): none goes over the percentage.
        for (percent, of, most) in
            [(25, 10, 2), (10, 5, 0), (50, 3, 1), (67, 3, 2), (100, 3, 2), (0, 12, 0), (50, 1, 0)]
        {
            assert_eq!(taken(cap(percent, 1), of), most, "{percent} % of {of}");
        }
    }

    #[test]
    fn what_fits_is_no_excess_and_what_is_excess_does_not_fit() {
        for percent in 0..=100 {
            for least in 0..=3 {
                for of in 0..=12 {
                    let cap = cap(percent, least);
                    let most = taken(cap, of);
                    for out in 0..=of {
                        let excess = cap.excess(Rotation { of, out: of, ejected: out });
                        assert_eq!(
                            excess,
                            out.saturating_sub(most),
                            "{percent} {least} {of} {out}"
                        );
                    }
                }
            }
        }
    }
}
