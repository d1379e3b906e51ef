//! An embeddable load balancer for Rust services.
#![forbid(unsafe_code)]

mod balancer;
mod classify;
pub mod config;
mod endpoint;
mod error;
mod event;
mod hash;
mod rng;
mod service;
mod snapshot;
mod stats;
pub mod strategy;
mod sync;
mod units;

pub use self::balancer::{Balancer, Builder, Change, Drain, EndpointStatus, Lease, Status};
pub use self::classify::{ByResult, Classify, FailureKind, Outcome};
pub use self::config::Config;
pub use self::endpoint::{Availability, Endpoint, EndpointSpec};
pub use self::error::{BoxError, ConfigError, PickError, Problem, Severity, UpdateError};
pub use self::event::{Event, Events, Published};
pub use self::service::{Balance, KeyBy, NoKey, ResponseFuture};
pub use self::units::{EndpointId, Key, Percent, Version};
