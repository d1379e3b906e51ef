//! Where an endpoint belongs and how it stands: all that its seat depends on.

use crate::endpoint::{Attributes, EndpointCell};
use crate::outlier::{Phase, Rotation, Rules, Standing};
use crate::strategy::Candidate;
use crate::sync::Arc;
use crate::units::Nanos;

/// All of an endpoint that decides about its seat, but for its place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stand {
    pub(crate) weight: u32,
    /// Whether operators let it take something new.
    pub(crate) enabled: bool,
    pub(crate) standing: Standing,
}

/// An endpoint on its way to a seat: where it belongs and how it stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    pub(crate) attributes: &'a Attributes,
    pub(crate) cell: &'a Arc<EndpointCell>,
    pub(crate) stand: Stand,
}

impl Stand {
    pub(crate) fn is_in_rotation(self) -> bool {
        self.enabled && self.weight > 0
    }

    /// An endpoint that is well and that nobody keeps from anything.
    #[inline]
    pub(crate) fn well(weight: u32) -> Self {
        Self { weight, enabled: true, standing: Standing::default() }
    }

    /// The part of its weight that its ramp gives it.
    #[inline]
    pub(crate) fn part(self, rules: &Rules, now: Nanos) -> f64 {
        match self.standing.phase {
            Phase::Warming { since } => rules.ramp.part(since, now),
            _ => 1.0,
        }
    }

    /// How many of `stands` could be chosen were they well, and how many of them are out.
    pub(crate) fn rotation(stands: impl IntoIterator<Item = Self>) -> Rotation {
        let rotation = stands.into_iter().filter(|stand| stand.is_in_rotation());
        rotation.fold(Rotation::default(), |sum, stand| Rotation {
            of: sum.of + 1,
            out: sum.out + usize::from(stand.standing.is_out()),
            ejected: sum.ejected + usize::from(stand.standing.is_ejected()),
        })
    }
}

impl Place<'_> {
    /// It as a strategy sees it.
    pub(crate) fn candidate(&self, weight: u32) -> Candidate {
        Candidate::new(self.attributes.clone(), Arc::clone(self.cell), weight)
    }

    /// The same endpoint, were it well.
    pub(crate) fn well(self) -> Self {
        let stand = Stand { standing: Standing::default(), ..self.stand };
        Self { stand, ..self }
    }
}
