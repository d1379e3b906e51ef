//! Alarm rules: when something about the balancer's own state is to be looked at by somebody.
//!
//! A rule is a condition and two spans: the condition has to hold for the first before the alarm is
//! raised, and to be over for the second before it is cleared, as `for` and `keep_firing_for` of
//! Prometheus' alerting rules. So nothing that comes and goes at a threshold raises an alarm each
//! time.
//!
//! What is seen of the balancer is handed in; a rule of another kind is an arm of [`Terms::of`] and
//! whoever sees its condition.

mod facts;
mod pager;
mod pages;
mod stage;
mod tempo;
mod terms;
mod watch;

pub(crate) use self::facts::Facts;
pub use self::pager::{Pager, PagerFn, PagerFuture, pager_fn};
pub(crate) use self::pages::{Page, Pages};
pub(crate) use self::terms::Terms;
pub(crate) use self::watch::{Turn, Watch};
