//! The words that the model is written in. An endpoint is a number, a target the number it was made
//! as, time whole seconds since the balancer was built.

use std::collections::BTreeMap;

use super::settings::{Settings, Spec};

/// The settings' part and the set's part.
pub(crate) type Version = (u64, u64);

pub(crate) type Answer = Result<Version, Refusal>;

/// Which target was made of an endpoint's description, by its number and address.
pub(crate) type Made<'a> = &'a dyn Fn(usize, usize) -> Option<usize>;

#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) given: u32,
    pub(crate) said: Said,
    pub(crate) target: usize,
    pub(crate) tally: usize,
    /// Weight and address of its description, if it was described.
    pub(crate) spec: Option<(u32, usize)>,
}

/// What operators say of an endpoint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) weight: Option<u32>,
    pub(crate) drained_until: Option<u64>,
    pub(crate) disabled: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Revision {
    pub(crate) version: Version,
    pub(crate) restores: Option<Version>,
    pub(crate) settings: Settings,
    pub(crate) said: BTreeMap<usize, Said>,
    /// Whether time made it.
    pub(crate) lapse: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) picks: u64,
    pub(crate) in_flight: u64,
    pub(crate) successes: u64,
    pub(crate) failures: u64,
    pub(crate) overloaded: u64,
}

/// An endpoint as it is sent: with a target, or with the address of one.
#[derive(Clone, Debug)]
pub(crate) struct Offer {
    pub(crate) number: usize,
    pub(crate) weight: u32,
    pub(crate) what: What,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum What {
    Target(usize),
    Address(usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    Empty,
    AllWeightsZero,
    Shrinks,
    Duplicate,
    Unknown,
    Make,
    Share,
    Stale,
    NothingBefore,
}

/// An event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    Published(Version),
    UpdateRefused(Version),
    ConfigRefused(Version),
    RollbackFailed(Version),
    Raised(Version, usize),
}

/// Why there is nobody to pick.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Nobody {
    Empty,
    AllWeightsZero,
    NoneAvailable { draining: usize, disabled: usize },
    AllExcluded,
}

impl From<&Spec> for Offer {
    fn from(spec: &Spec) -> Self {
        Self { number: spec.number, weight: spec.weight, what: What::Address(spec.address) }
    }
}

impl Said {
    /// What time has left of it.
    pub(crate) fn at(self, now: u64) -> Self {
        Self { drained_until: self.drained_until.filter(|&until| now < until), ..self }
    }
}

impl Member {
    pub(crate) fn weight(&self) -> u32 {
        self.said.weight.unwrap_or(self.given)
    }

    pub(crate) fn is_enabled(&self, now: u64) -> bool {
        self.said.at(now).drained_until.is_none() && !self.said.disabled
    }

    /// The weight it is chosen by.
    pub(crate) fn effective(&self, now: u64) -> u32 {
        if self.is_enabled(now) { self.weight() } else { 0 }
    }
}
