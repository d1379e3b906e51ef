//! What a few of the picks are asked, for the sake of the audit.

use crate::config::Config;
use crate::endpoint::EndpointCell;
use crate::rng::Rng;
use crate::snapshot::tables::Table;
use crate::snapshot::{Chosen, Snapshot};
use crate::strategy::PickContext;

/// What the audit of a snapshot goes by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Basis {
    /// Nothing is audited.
    #[default]
    Off,
    /// The requests of the schedule.
    Share,
    /// What is drawn.
    Draw,
    /// The keys, each once.
    Keys,
}

impl Basis {
    pub(super) fn of(config: &Config, chosen: &Chosen, is_keyed: bool) -> Self {
        if config.audit().is_none() {
            Self::Off
        } else if is_keyed {
            Self::Keys
        } else if chosen.strategy.looks_at_load() {
            Self::Draw
        } else {
            Self::Share
        }
    }

    /// How many requests there are for one that is looked at, to the power of two.
    const fn rarity(self) -> u32 {
        match self {
            // Whoever looks at a key takes a lock that all share.
            Self::Keys => 5,
            Self::Off | Self::Share | Self::Draw => 4,
        }
    }

    /// How many requests there are for one that is looked at.
    pub(crate) fn requests_per_sample(self) -> f64 {
        f64::from(1_u32 << self.rarity())
    }

    /// Below this the scrambled number of a request has to be for it to be looked at.
    pub(super) const fn sampled_below(self) -> u64 {
        match self {
            Self::Off => 0,
            Self::Share | Self::Draw | Self::Keys => 1 << (u64::BITS - self.rarity()),
        }
    }
}

/// 2^64 divided by the golden ratio: its multiples are spread as evenly as can be, and in step with
/// no rhythm that requests may have.
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

impl<T> Snapshot<T> {
    /// Whether the request of this number of its endpoint is looked at.
    #[inline(always)]
    pub(super) fn samples(&self, number: u64) -> bool {
        // From one on: else the first request of every endpoint would be looked at.
        number.wrapping_add(1).wrapping_mul(GOLDEN) < self.sampled_below
    }

    /// Looks at a request that the candidate at `index` was chosen for, by this table and from this
    /// randomness.
    ///
    /// Where there are many endpoints, whatever it looks at is far away.
    #[cold]
    #[inline(never)]
    pub(super) fn sample(
        &self,
        table: &Table<T>,
        index: usize,
        cx: &mut PickContext<'_>,
        rng: Rng,
    ) {
        let bound = || table.bound.get(index);
        if !cx.excluded().is_empty() {
            return bound().map_or((), |bound| bound.cell.samples().moved());
        }
        match self.basis {
            Basis::Off | Basis::Share => {}
            Basis::Draw => {
                cx.rng = rng;
                let drawn = table.picker.drawn(cx).and_then(|at| table.lines.get(at));
                if let Some(drawn) = drawn {
                    drawn.tally().count();
                }
            }
            Basis::Keys => {
                let Some((hash, bound)) = cx.hash().zip(bound()) else { return };
                let (owner, cell) = (table.picker.owner(hash), &bound.cell);
                let is_elsewhere = owner.is_some_and(|owner| {
                    owner != cell.id()
                        && table.candidates.binary_search_by(|it| it.id().cmp(owner)).is_ok()
                });
                if is_elsewhere {
                    cell.samples().overflowed();
                }
                if cell.samples().key(hash, cell) {
                    bound.line.tally().count();
                }
            }
        }
    }

    /// Notes a request of a session, the one of this number, which stands outside of the schedule.
    pub(super) fn note_session(&self, cell: &EndpointCell, number: u64) {
        self.note_aside(cell);
        if self.samples(number) {
            cell.samples().of_session();
        }
    }

    /// Notes a request that stands outside of the schedule.
    pub(super) fn note_aside(&self, cell: &EndpointCell) {
        if self.basis == Basis::Share {
            cell.line.tally().count();
        }
    }
}
