//! The fairness audit: whether requests are spread as intended, and if not, why.
//!
//! Plain functions of counts and intended shares. [`evidence`] is the test that is made at each
//! look; [`concentration`] the rule that needs no expectation; [`cause`] names what is behind a find.

mod cause;
mod concentration;
mod evidence;
#[cfg(test)]
mod tests;

pub(crate) use self::cause::Circumstances;
pub(crate) use self::concentration::Concentration;
pub(crate) use self::evidence::{Evidence, Expected, Test};
