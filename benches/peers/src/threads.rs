//! One thread against two that share a balancer.
//!
//! Slices of one thread and of two take turns. How much two lose depends on how long a cache line
//! takes from core to core, which may change while a virtual machine runs; so a ping-pong on one line
//! goes before and after each slice, and a slice in which that changed is left out.

use std::sync::Barrier;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use crate::clock;
use crate::contestant::{Fork, Runner};
use crate::options::Pace;
use crate::spread::Spread;

/// Requests between two looks at the clock.
const BATCH: u64 = 256;
/// How often a ping-pong passes its line.
const PASSES: u32 = 2_000;
/// A line that needs longer from core to core comes from far.
const FAR: f64 = 80.0;

/// What became of two threads.
#[derive(Clone, Debug)]
pub struct Scaling {
    /// Requests a second, one thread.
    pub one: Spread,
    /// Requests a second of both threads together, however near.
    pub two: Spread,
    /// Throughput of two threads against one, while the cores were near, and in how many slices.
    pub near: (Option<Spread>, usize),
    /// The same while they were far.
    pub far: (Option<Spread>, usize),
}

impl Scaling {
    /// The ratio that counts: the one of the distance that held for more slices.
    #[must_use]
    pub fn ratio(&self) -> Option<f64> {
        let more = if self.near.1 >= self.far.1 { &self.near } else { &self.far };
        more.0.map(|spread| spread.middle)
    }
}

/// Whether there are two cores to run on.
#[must_use]
pub fn are_two_cores() -> bool {
    core_affinity::get_core_ids().is_some_and(|cores| cores.len() > 1)
}

/// Keeps this thread on one core, where the system allows it.
pub fn pin(core: usize) {
    let cores = core_affinity::get_core_ids().unwrap_or_default();
    if let Some(&core) = cores.get(core) {
        core_affinity::set_for_current(core);
    }
}

/// Compares one thread with two.
#[must_use]
pub fn scaling(fork: &Fork, pace: &Pace) -> Option<Scaling> {
    let (mut ones, mut twos) = (Vec::new(), Vec::new());
    let (mut near, mut far) = (Vec::new(), Vec::new());
    for round in 0..pace.rounds {
        // Either core has its turns alone.
        let one = throughput([(round % 2, fork())], pace.slice);
        let before = ping_pong();
        let two = throughput([(0, fork()), (1, fork())], pace.slice);
        let after = ping_pong();
        ones.push(one);
        twos.push(two);
        match (before > FAR, after > FAR) {
            (false, false) => near.push(two / one),
            (true, true) => far.push(two / one),
            _ => {}
        }
    }
    let slices = |ratios: Vec<f64>| (Spread::of(ratios.iter().copied()), ratios.len());
    let (one, two) = (Spread::of(ones)?, Spread::of(twos)?);
    Some(Scaling { one, two, near: slices(near), far: slices(far) })
}

/// Requests a second of all runners together, each on its core.
fn throughput<const N: usize>(runners: [(usize, Runner); N], slice: Duration) -> f64 {
    let start = Barrier::new(N);
    thread::scope(|scope| {
        let start = &start;
        let threads = runners.map(|(core, mut run)| {
            scope.spawn(move || {
                pin(core);
                run(BATCH);
                start.wait();
                let began = clock::now();
                let mut done = 0_u64;
                loop {
                    run(BATCH);
                    done += BATCH;
                    let elapsed = began.elapsed();
                    if elapsed >= slice {
                        return done as f64 / elapsed.as_secs_f64();
                    }
                }
            })
        });
        threads.into_iter().map(|thread| thread.join().expect("no runner panics")).sum()
    })
}

/// Nanoseconds that a cache line takes from core to core.
#[must_use]
pub fn ping_pong() -> f64 {
    let (ball, start) = (AtomicU32::new(0), Barrier::new(2));
    let play = |mine: u32| {
        pin(mine as usize);
        start.wait();
        let began = clock::now();
        for pass in (mine..PASSES).step_by(2) {
            while ball.load(Ordering::Acquire) != pass {
                std::hint::spin_loop();
            }
            ball.store(pass + 1, Ordering::Release);
        }
        began.elapsed().as_nanos() as f64 / f64::from(PASSES)
    };
    thread::scope(|scope| {
        let other = scope.spawn(|| play(1));
        let own = scope.spawn(|| play(0));
        own.join().expect("it only counts").max(other.join().expect("it only counts"))
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{are_two_cores, scaling};
    use crate::contestant::{Entrant, named};
    use crate::options::Pace;

    #[test]
    fn two_threads_are_counted_together() {
        let floor = named("floor:service_fn").expect("it takes part");
        let Entrant::Shared(fork) = (floor.build)(1) else { panic!("it is shared") };
        let pace = Pace { rounds: 2, slice: Duration::from_millis(5) };
        if are_two_cores() {
            let scaling = scaling(&fork, &pace).expect("there were slices");
            assert!(scaling.one.middle > 0.0 && scaling.two.middle > 0.0, "{scaling:?}");
        }
    }
}
