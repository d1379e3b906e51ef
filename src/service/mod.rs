//! The data path: balancers as `tower` services.
//!
//! # Readiness
//!
//! `tower` lets a service reserve something in `poll_ready` that `call` then uses, and allows
//! `call` only after `poll_ready` has said yes. A balancer cannot know in `poll_ready` where the
//! request will go, because key and exclusions come with the request. So these services are always
//! ready, choose in `call`, and keep the contract with the endpoint inside the response future:
//! the clone that is made ready is the clone that is called, and it is called at most once.
//!
//! An endpoint whose `poll_ready` is pending does not hold up the request: others are asked, at most
//! 256, and the first to be ready gets it. If none is, the request waits for the one that was chosen
//! and for the last fifteen that were asked, and asks those that join whenever one of these stirs.
//! `limits.attempt_timeout` bounds the wait; without it a request waits as long as its caller does.
//! An endpoint whose `poll_ready` fails is discarded as the contract asks, counts as broken, and
//! another is asked, since nothing was sent yet. What was asked and not sent is not counted.
//!
//! # What is read of the clock
//!
//! A request that is timed reads it twice: when its endpoint is chosen and when it ends. One whose body
//! is followed reads it once more, where its answer begins. [Which are timed](crate::docs::speed#the-clock).
//!
//! # Where to put what
//!
//! A limit on the time of an attempt belongs inside, as `limits.attempt_timeout` or as a layer on
//! each endpoint: then running out of it is the endpoint's failure. A timeout outside of the
//! balancer looks like a caller who gave up; see `outlier.abandoned_after`. A retry belongs outside:
//! each attempt is then chosen and judged by itself.

#[cfg(feature = "affinity")]
mod affinity;
mod balance;
mod calling;
#[cfg(feature = "http")]
mod cookies;
mod direct;
#[cfg(feature = "http")]
mod follow;
mod future;
mod key;
#[cfg(feature = "http")]
pub mod keys;
mod layer;
mod readying;
mod span;
mod target;
mod until;

#[cfg(feature = "affinity")]
pub use self::affinity::{AffinityError, InSession, SameSite, Secret, SessionAffinity, Sticky};
pub use self::balance::Balance;
pub use self::direct::{DirectBalance, DirectFuture};
#[cfg(feature = "http")]
pub use self::follow::{FollowedBody, UntilEnd};
pub use self::future::ResponseFuture;
pub use self::key::{KeyBy, NoKey};
pub use self::layer::BalanceLayer;
pub use self::target::Target;
#[cfg(feature = "http")]
pub use self::target::{DirectError, PreserveHost};
pub use self::until::{Answered, Until, UntilHead};
