//! Atomics, locks and the cell a snapshot is published through.
//!
//! The only place that names them, so that a model checker can take their place
//! (`--cfg evenkeel_loom`) and `arc-swap` can be exchanged without a change elsewhere.

mod hand_over;
mod published;
mod slot;

pub(crate) use self::hand_over::HandOver;
pub(crate) use self::published::Published;
pub(crate) use self::slot::Slot;

#[cfg(evenkeel_loom)]
mod model;
#[cfg(evenkeel_loom)]
pub(crate) use self::model::{Mutex, MutexGuard};
#[cfg(evenkeel_loom)]
pub(crate) use loom::sync::atomic::{AtomicBool, AtomicU32, AtomicU64};

#[cfg(not(evenkeel_loom))]
pub(crate) use parking_lot::{Mutex, MutexGuard};
#[cfg(not(evenkeel_loom))]
pub(crate) use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64};

pub(crate) use crossbeam_utils::CachePadded;
pub(crate) use std::sync::Arc;
pub(crate) use std::sync::atomic::Ordering;
