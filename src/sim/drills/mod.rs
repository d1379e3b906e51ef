//! Drills: outages, as they happened and with the protection on.
//!
//! Each drill is two scenarios with the same servers and the same callers. In the first nothing
//! protects, and people notice and act when the report says they did. In the second the balancers
//! have the settings of [`PROTECTED`], changes are applied with a guard, and nobody does anything.
//!
//! [`common`] holds what they share: the shop, its callers, its protection. Each outage has a file.

mod bad_config;
mod black_hole;
mod common;
mod favourites;
mod herd;
mod hog;
mod outcome;
mod overload;
mod rush;
mod uneven_503;

pub use self::common::PROTECTED;
pub use self::outcome::{DrillError, Drilled, Shown};

use crate::sim::expect::Figure;
use crate::sim::{Expect, Scenario, ScenarioError};

/// An outage that is replayed twice: as it happened, and with the protection on.
///
/// ```
/// use evenkeel::sim::Drill;
///
/// let drill = Drill::named("black-hole").unwrap();
/// let drilled = drill.run()?;
/// drilled.check()?;
/// println!("{drilled}");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Drill {
    /// What it is called, as in `evenkeel drill hog`.
    pub name: &'static str,
    /// What happened.
    pub story: &'static str,
    /// How bad it was, as its report says.
    pub reported: &'static str,
    /// What protects.
    pub answer: &'static str,
    /// The outage as it happened.
    pub as_it_happened: Scenario,
    /// The same with the protection on.
    pub protected: Scenario,
    /// What is expected of the second.
    pub expected: Expect,
    /// What of it is missed, or not met with every seed, because a mechanism is not there yet: the
    /// figure, and what it needs.
    pub missed: Vec<(Figure, &'static str)>,
}

impl Drill {
    /// All of them: the five outages, then what users of other balancers report.
    #[must_use]
    pub fn all() -> Vec<Self> {
        vec![
            hog::drill(),
            bad_config::drill(),
            rush::drill(),
            favourites::drill(),
            uneven_503::drill(),
            black_hole::drill(),
            herd::drill(),
            overload::drill(),
        ]
    }

    /// The one of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::all().into_iter().find(|drill| drill.name == name)
    }

    /// Another seed for both.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        (self.as_it_happened.seed, self.protected.seed) = (seed, seed);
        self
    }

    /// Runs both.
    ///
    /// # Errors
    ///
    /// [`ScenarioError`], where a scenario was changed into one that cannot be run.
    pub fn run(&self) -> Result<Drilled, ScenarioError> {
        let (as_it_happened, protected) = (self.as_it_happened.run()?, self.protected.run()?);
        Ok(Drilled::new(self, as_it_happened, protected))
    }
}
