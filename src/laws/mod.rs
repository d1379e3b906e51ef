//! What every strategy promises, as a suite that can be run against any of them.
//!
//! The strategies of this crate are held to it, and so can be one of your own:
//!
//! ```
//! use evenkeel::laws::Laws;
//! use evenkeel::strategy::Random;
//!
//! Laws::of(|| Random).check()?;
//! # Ok::<(), evenkeel::laws::Violation>(())
//! ```
//!
//! Each law is run over random sets, weights and sequences of changes, each from a seed of its
//! own. A violation names the law, the seed and what was seen; [`Laws::seed`] runs that one again.
//!
//! | law | what it says |
//! | --- | --- |
//! | `ends` | no endpoint, one, all weights zero, all drained, all excluded: each has its answer |
//! | `shares` | the shares that are announced are one an endpoint, none negative, together 1; and while all are equally loaded, picks follow them |
//! | `life` | through any sequence of inserts, removals, reweights, drains, swaps of the strategy and picks: only an endpoint that may be chosen is; if there is one, one is; and nothing that is counted is ever lost or counted twice |
//! | `repeats` | the same seed and the same events give the same picks |
//! | `order` | the order in which a set is given does not matter |
//! | `unmoved` | sending the same set again moves nothing |
//! | `keys` | a strategy that goes by keys ([`Picker::owner`](crate::strategy::Picker::owner)): the same key gets the same endpoint while the set is the same; an endpoint that is drained, or that a request excludes, moves its own keys and no other, and has all of them back when it is enabled |

mod keys;
mod life;
mod model;
mod picks;

use std::error::Error;
use std::fmt;
use std::ops::Range;

use crate::strategy::Strategy;
use crate::sync::Arc;

/// The suite, for one strategy.
pub struct Laws {
    make: Box<dyn Fn() -> Arc<dyn Strategy>>,
    seeds: Range<u64>,
    follows_shares: bool,
}

impl fmt::Debug for Laws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Laws")
            .field("seeds", &self.seeds)
            .field("follows_shares", &self.follows_shares)
            .finish_non_exhaustive()
    }
}

impl Laws {
    /// The suite for a strategy; `make` makes a fresh one for each run.
    pub fn of<S: Strategy>(make: impl Fn() -> S + 'static) -> Self {
        Self { make: Box::new(move || Arc::new(make())), seeds: 0..64, follows_shares: true }
    }

    /// Runs the seeds in this range. Default: 0 to 64.
    #[must_use]
    pub fn seeds(mut self, seeds: Range<u64>) -> Self {
        self.seeds = seeds;
        self
    }

    /// Runs one seed only, the one that a [`Violation`] names.
    #[must_use]
    pub fn seed(self, seed: u64) -> Self {
        self.seeds(seed..seed.saturating_add(1))
    }

    /// Leaves out that picks follow the announced shares under equal load: for a strategy whose
    /// choices depend on more than load.
    #[must_use]
    pub fn with_shares_of_its_own(mut self) -> Self {
        self.follows_shares = false;
        self
    }

    /// Runs every law over every seed.
    ///
    /// # Errors
    ///
    /// The first [`Violation`].
    ///
    /// # Panics
    ///
    /// Only if the strategy does.
    pub fn check(&self) -> Result<(), Violation> {
        picks::ends(&self.fresh()).map_err(|found| found.of("ends", 0))?;
        for seed in self.seeds.clone() {
            let named = |law| move |found: Found| found.of(law, seed);
            picks::shares(&self.fresh(), seed, self.follows_shares).map_err(named("shares"))?;
            life::life(&self.fresh(), seed).map_err(named("life"))?;
            life::repeats(&|| self.fresh(), seed).map_err(named("repeats"))?;
            picks::order(&|| self.fresh(), seed).map_err(named("order"))?;
            picks::unmoved(&|| self.fresh(), seed).map_err(named("unmoved"))?;
            keys::keys(&self.fresh(), seed).map_err(named("keys"))?;
        }
        Ok(())
    }

    fn fresh(&self) -> Arc<dyn Strategy> {
        (self.make)()
    }
}

/// A law that a strategy broke.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    law: &'static str,
    seed: u64,
    found: String,
}

impl Violation {
    /// The law's name.
    #[must_use]
    pub fn law(&self) -> &str {
        self.law
    }

    /// The seed under which it was broken.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.seed
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "law `{}` is broken under seed {}: {}", self.law, self.seed, self.found)
    }
}

impl Error for Violation {}

/// What was seen that should not have been.
struct Found(String);

impl Found {
    fn of(self, law: &'static str, seed: u64) -> Violation {
        Violation { law, seed, found: self.0 }
    }
}

/// `Err` with these words unless `holds`.
fn demand(holds: bool, words: impl FnOnce() -> String) -> Result<(), Found> {
    if holds { Ok(()) } else { Err(Found(words())) }
}
