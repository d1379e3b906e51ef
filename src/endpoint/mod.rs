//! An endpoint: what is said of it, what is counted of it, and the hold a request has on it.

mod admission;
mod amiss;
mod anchor;
mod attributes;
mod audited;
mod availability;
mod bound;
mod cell;
mod conduct;
mod crowd;
mod held;
mod line;
mod marks;
mod page;
mod public;
mod samples;
mod served;
mod sessions;
mod shared;
mod spec;
mod targets;
mod totals;
mod trial;
mod waiting;

pub use self::availability::Availability;
pub use self::public::Endpoint;
pub use self::spec::EndpointSpec;

pub(crate) use self::admission::Admission;
pub(crate) use self::anchor::{Anchor, Anchored, Own};
pub(crate) use self::attributes::Attributes;
pub(crate) use self::audited::{Audited, Tally};
pub(crate) use self::bound::Bound;
pub(crate) use self::cell::{EndpointCell, Terms};
pub(crate) use self::crowd::{Counted, Crowd};
pub(crate) use self::held::{Begun, Held};
pub(crate) use self::line::{Line, Look};
pub(crate) use self::samples::{Odd, Samples, whom};
pub(crate) use self::served::{Served, Under};
pub(crate) use self::shared::{Control, Report, Shared, Testimony};
pub(crate) use self::targets::Nth;
pub(crate) use self::totals::Totals;
pub(crate) use self::trial::Token;

#[cfg(all(test, evenkeel_loom))]
mod model;
#[cfg(all(test, not(evenkeel_loom)))]
mod tests;
