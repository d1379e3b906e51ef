//! Strategies: how an endpoint is chosen.
//!
//! A [`Strategy`] prepares, off the request path, a [`Picker`] for one fixed list of candidates;
//! the picker then chooses, on the request path, from whatever thread. When the set or a weight
//! changes, a new picker takes the old one's place and the old one is dropped.
//!
//! # A strategy of your own
//!
//! Prefer a leader, else balance: a strategy may hand its decision on to another one.
//!
//! ```
//! use evenkeel::strategy::{Candidates, LeastRequest, PickContext, Picker, Strategy};
//! use evenkeel::{Balancer, Endpoint, Key};
//!
//! #[derive(Debug)]
//! struct Leader;
//!
//! #[derive(Debug)]
//! struct LeaderPicker {
//!     leader: Option<usize>,
//!     rest: Box<dyn Picker>,
//! }
//!
//! impl Strategy for Leader {
//!     fn build(&self, candidates: &Candidates<'_>) -> Box<dyn Picker> {
//!         let leader = candidates.iter().position(|c| c.label("role") == Some("leader"));
//!         Box::new(LeaderPicker { leader, rest: LeastRequest::default().build(candidates) })
//!     }
//! }
//!
//! impl Picker for LeaderPicker {
//!     fn pick(&self, cx: &mut PickContext<'_>) -> Option<usize> {
//!         self.leader.filter(|&leader| !cx.is_excluded(leader)).or_else(|| self.rest.pick(cx))
//!     }
//!
//!     fn shares(&self) -> Vec<f64> {
//!         let mut shares = self.rest.shares();
//!         if let Some(leader) = self.leader {
//!             shares.fill(0.0);
//!             shares[leader] = 1.0;
//!         }
//!         shares
//!     }
//! }
//!
//! # #[cfg(feature = "config")] {
//! let balancer = Balancer::builder()
//!     .strategy("leader", Leader)
//!     .config(evenkeel::Config::from_toml("[strategy]\nkind = 'custom'\ncustom = 'leader'")?)
//!     .endpoint(Endpoint::new("a", ()))
//!     .endpoint(Endpoint::new("b", ()).label("role", "leader"))
//!     .build()?;
//! assert_eq!(balancer.pick(&Key::none())?.endpoint().as_str(), "b");
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! `evenkeel::laws` (feature `testing`) holds such a strategy to what every strategy promises.

mod candidate;
mod context;
mod cost;
mod cursor;
mod draw;
mod forecast;
mod hashing;
mod least_request;
mod loaded;
mod odds;
mod owner;
mod peak_ewma;
mod random;
mod round_robin;
mod schedule;

pub use self::candidate::{Candidate, Candidates};
pub use self::context::PickContext;
pub use self::forecast::Forecast;
pub use self::hashing::{Maglev, RingHash};
pub use self::least_request::LeastRequest;
pub use self::owner::Owner;
pub use self::peak_ewma::PeakEwma;
pub use self::random::Random;
pub use self::round_robin::RoundRobin;
pub use crate::rng::Rng;

pub(crate) use self::cursor::Cursor;
pub(crate) use self::hashing::{Kept, Stock, Used, Wheels};

use std::fmt::Debug;

use crate::sync::Arc;
use crate::units::EndpointId;

/// Prepares pickers. Chosen by configuration; see [`Builder::strategy`](crate::Builder::strategy).
///
/// # Contract
///
/// `build` runs off the request path, often under the balancer's writer lock: it may take its time
/// over the candidates, and must not call the balancer. It also runs for previews, whose pickers
/// never pick. A panic refuses the change that caused it.
/// What has to outlive one picker belongs in the strategy itself.
pub trait Strategy: Debug + Send + Sync + 'static {
    /// A picker for these candidates: at least one, and weights are above zero.
    fn build(&self, candidates: &Candidates<'_>) -> Box<dyn Picker>;

    /// Whether its pickers ask for [`PickContext::expected_latency`]. Default: `true`.
    ///
    /// Of an endpoint that ends up to some 120 requests a second each is timed, beyond that one in four,
    /// and of every twice as many half the part, to one in 64: 30 a second and more. While nobody asks,
    /// it is half of all that. What is timed reads the clock twice.
    /// Latencies in the status and of guarded changes come from those, and all counts stay exact. With
    /// a detector that judges by latencies every request is timed.
    fn asks_for_latency(&self) -> bool {
        true
    }

    /// Whether endpoints that are equally well may rightly get other parts than
    /// [`Picker::shares`]: since its pickers go by load, latency, or whatever else differs.
    /// Default: `true`.
    ///
    /// With `false` the audit holds the requests of each endpoint against its share, and finds a
    /// favourite within some hundred requests. With `true` it only tells that one endpoint has most
    /// of them, and what is [drawn](Picker::drawn) in other parts than intended.
    fn looks_at_load(&self) -> bool {
        true
    }
}

impl<S: Strategy + ?Sized> Strategy for Arc<S> {
    fn build(&self, candidates: &Candidates<'_>) -> Box<dyn Picker> {
        (**self).build(candidates)
    }

    fn asks_for_latency(&self) -> bool {
        (**self).asks_for_latency()
    }

    fn looks_at_load(&self) -> bool {
        (**self).looks_at_load()
    }
}

/// Chooses among the candidates that its strategy was given.
///
/// # Contract
///
/// `pick` runs once a request on any number of threads at once: it must not block, allocate or
/// loop without bound. An index that does not exist or is excluded is answered with
/// [`PickError::Strategy`](crate::PickError::Strategy); a panic is the caller's, and does no other
/// harm.
pub trait Picker: Debug + Send + Sync + 'static {
    /// The index of the chosen candidate, or `None` if the request excludes all that could be.
    fn pick(&self, cx: &mut PickContext<'_>) -> Option<usize>;

    /// The part of requests that each candidate gets while all are equally loaded, in the order
    /// of the candidates; together 1.
    ///
    /// Asked for once, when the picker has been built: a panic refuses the change as one of
    /// [`Strategy::build`] does.
    fn shares(&self) -> Vec<f64>;

    /// Whose keys of this hash are, whether that endpoint may be chosen now or not; `None`, the
    /// default, for a picker that does not go by keys.
    ///
    /// Where there is an answer, a request's key also decides which tier and zone it is picked from,
    /// and an endpoint that was ejected is probed by requests for its own keys only.
    fn owner(&self, hash: u64) -> Option<&EndpointId> {
        let _ = hash;
        None
    }

    /// What [`pick`](Self::pick) would do with this request at this moment, for
    /// [`Balancer::explain`](crate::Balancer::explain). Default: it does not say.
    ///
    /// It must change nothing: neither what it counts by, nor what other picks come to. It may take
    /// its time. A panic counts as saying nothing.
    fn forecast(&self, cx: &PickContext<'_>) -> Forecast {
        let _ = cx;
        Forecast::default()
    }

    /// The candidate that `pick` draws first for this very request and this randomness, whichever it
    /// then chooses; `None`, the default, for a picker that draws nothing, or not by
    /// [shares](Self::shares).
    ///
    /// Asked after one pick in sixteen, with the state that the generator had before: so the audit
    /// sees whether the draw keeps to its parts, where the choice goes by load. The contract is that of
    /// `pick`.
    fn drawn(&self, cx: &mut PickContext<'_>) -> Option<usize> {
        let _ = cx;
        None
    }
}
