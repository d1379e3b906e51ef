//! The task that does what time brings about where no request comes to do it, and asks endpoints
//! whether they are well, and calls the pager; and the probes that are built in.

mod ask;
mod pages;
mod probes;
mod rounds;

#[cfg(feature = "health-grpc")]
pub use self::probes::{GrpcProbe, GrpcProbeError};
#[cfg(feature = "health-http")]
pub use self::probes::{HttpProbe, HttpProbeError, StatusRange};
pub use self::probes::{ServiceProbe, ServiceProbeError, TcpProbe, TcpProbeError};

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use tokio::time::timeout_at;

use crate::balancer::Balancer;
use crate::checker::pages::call;
use crate::checker::rounds::Rounds;
use crate::worker::Worker;

impl<T: Send + Sync + 'static> Balancer<T> {
    /// Starts a task that settles what is due when no request does (an ejection that ends, a share
    /// that grows, a sweep), that makes the checks `[health]` asks for, and that calls the
    /// [pager](crate::Pager).
    ///
    /// But for checks a balancer is right without it: whatever is due is settled by the next pick,
    /// before it chooses. With it, events come in time though no request does, and hardly ever does
    /// a request pay for a sweep.
    ///
    /// Checks are made by nobody else. Without a worker nothing is checked, and with `initial =
    /// "unhealthy"` nothing is found well. Each check is a task of its own, which ends with its
    /// deadline, with the endpoint, and with the worker. Several workers do no more than one: the
    /// next takes over when the one that checks has stopped. When the last has, nobody is left to
    /// find out who is well again; so everybody counts as healthy from then on, those that were
    /// found sick with a growing share, until a worker is started again.
    ///
    /// The pager is called by nobody else, too: one call at a time, whatever the number of workers.
    /// An alarm whose call was under way when the worker stopped is told again by the next.
    ///
    /// It does not keep the balancer alive, and ends when the returned [`Worker`] is dropped or the
    /// last handle of the balancer is gone.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    #[track_caller]
    pub fn start(&self) -> Worker {
        Worker::spawn(self.run())
    }

    /// What [`start`](Self::start) runs, for those who have a task of their own for it. It has to
    /// be polled inside of a tokio runtime, which the checks are spawned on.
    ///
    /// # Cancel safety
    ///
    /// Dropping it at any point loses nothing: picks settle what it would have. Checks that are
    /// under way come to nothing.
    pub fn run(&self) -> impl Future<Output = ()> + Send + use<T> {
        let tending = self.tend();
        let rounds = Rounds::new(self.check());
        let calling = self.calling();
        async move {
            let tend = async {
                while let Some(due) = tending.settle() {
                    // Elapsed: the time has come. Else something may have become due earlier.
                    let _ = timeout_at(due, tending.changed()).await;
                }
            };
            let (mut tend, mut check) = (pin!(tend), pin!(rounds.run()));
            let mut page = pin!(call(calling));
            // The first two end with the balancer.
            poll_fn(|cx| match tend.as_mut().poll(cx) {
                Poll::Pending => {
                    let _ = page.as_mut().poll(cx);
                    check.as_mut().poll(cx)
                }
                ready @ Poll::Ready(()) => ready,
            })
            .await;
        }
    }
}
